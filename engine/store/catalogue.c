/* SPDX-License-Identifier: MIT */
/* Which files the store has. */
#include "base/bytes.h"
#include "base/fail.h"
#include "store/store_inside.h"
#include <errno.h>
#include <internal/policy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A file that is older than this will not change without another time: no file system has coarser times. */
#define SETTLE_SECONDS 3

struct bt_slot *bt_slot(const struct bt_store *store, uint32_t ordinal)
{
	return &store->chunks[ordinal / BT_SLOT_CHUNK][ordinal % BT_SLOT_CHUNK];
}

static uint32_t slot_count(const struct bt_store *store)
{
	return atomic_load_explicit(&store->slot_count, memory_order_acquire);
}

/* The length of the name without the suffix of files that lie compressed. */
static size_t known_length(const char *name)
{
	size_t length = strlen(name), end = strlen(BT_REST_SUFFIX);

	return length > end && !strcmp(name + length - end, BT_REST_SUFFIX) ? length - end : length;
}

void bt_stored_name(char stored[BT_STORED_SIZE], const char *name, bool at_rest)
{
	snprintf(stored, BT_STORED_SIZE, "%s%s", name, at_rest ? BT_REST_SUFFIX : "");
}

/* Whether these digits are followed by a suffix, whether or not the file lies compressed. */
static bool has_suffix(const char *name, const char *suffix)
{
	size_t length = known_length(name);

	return length == 32 + strlen(suffix) && !strncmp(name + 32, suffix, strlen(suffix));
}

static bool is_doomed_name(const char *name)
{
	return has_suffix(name, BT_DOOMED_SUFFIX);
}

static bool is_volume_name(const char *name)
{
	unsigned char id[16];

	return (has_suffix(name, BT_VOLUME_SUFFIX) || is_doomed_name(name)) && bt_hex_decode(id, sizeof(id), name);
}

bool bt_known_name(char name[BT_STORED_SIZE], const char *stored)
{
	size_t length = known_length(stored);

	if (length >= BT_STORED_SIZE)
		return false;
	memcpy(name, stored, length);
	name[length] = 0;
	return true;
}

static bool is_snapshot_name(const char *stored)
{
	char name[BT_STORED_SIZE];
	int64_t seconds;
	unsigned clash;

	return bt_known_name(name, stored) && !bt_snapshot_name_parse(name, &seconds, &clash);
}

static struct bt_slot *new_slot(struct bt_store *store, uint32_t ordinal)
{
	uint32_t chunk = ordinal / BT_SLOT_CHUNK;

	if (chunk >= BT_SLOT_CHUNKS)
		return NULL;
	if (!store->chunks[chunk])
		store->chunks[chunk] = calloc(BT_SLOT_CHUNK, sizeof(struct bt_slot));
	return store->chunks[chunk] ? bt_slot(store, ordinal) : NULL;
}

/* Sets the path of a slot and the names in it. */
static int name_slot(struct bt_slot *slot, const char *stored, bool snapshot)
{
	size_t known = known_length(stored), length = strlen(stored);
	char path[BT_BACKEND_PATH_SIZE];

	bt_backend_path(path, &(struct bt_backend_name){bt_area_of(snapshot), stored});
	size_t path_length = strlen(path);
	slot->path = malloc(path_length + 1 + known + 1);
	if (!slot->path)
		return BT_E_NOMEM;
	memcpy(slot->path, path, path_length + 1);
	char *name = slot->path + path_length + 1;
	memcpy(name, stored, known);
	name[known] = 0;
	slot->id.path = slot->path;
	slot->id.stored = slot->path + path_length - length;
	slot->id.at_rest = known < length;
	slot->id.name = slot->id.at_rest ? name : slot->id.stored;
	return 0;
}

static int add_locked(struct bt_store *store, const char *name, bool snapshot, const struct bt_stored *stored,
		      struct bt_slot **ret_slot)
{
	uint32_t ordinal = slot_count(store);
	struct bt_slot *slot = new_slot(store, ordinal);

	if (!slot)
		return BT_E_NOMEM;
	memset(slot, 0, sizeof(*slot));
	slot->id = (struct bt_file_id){
		.ordinal = ordinal, .snapshot = snapshot, .size = stored->size, .mtime = stored->mtime};
	if (name_slot(slot, name, snapshot))
		return BT_E_NOMEM;
	if (snapshot)
		bt_snapshot_name_parse(slot->id.name, &slot->seconds, &slot->clash);
	slot->seen = true;
	slot->doomed = !snapshot && is_doomed_name(name);
	slot->stamp = stored->stamp;
	slot->trusted = stored->trusted;
	pthread_mutex_init(&slot->lock, NULL);
	atomic_store_explicit(&store->slot_count, ordinal + 1, memory_order_release);
	*ret_slot = slot;
	return 0;
}

int bt_catalogue_add(struct bt_store *store, const char *name, bool snapshot, const struct bt_stored *stored,
		     struct bt_slot **ret_slot)
{
	pthread_mutex_lock(&store->lock);
	int r = add_locked(store, name, snapshot, stored, ret_slot);
	pthread_mutex_unlock(&store->lock);
	return r;
}

void bt_catalogue_free(struct bt_store *store)
{
	for (uint32_t i = 0; i < slot_count(store); i++)
		bt_slot_free(bt_slot(store, i));
	for (uint32_t i = 0; i < BT_SLOT_CHUNKS && store->chunks[i]; i++)
		free(store->chunks[i]);
	bt_roster_put(store->roster);
}

static int by_path(const void *a, const void *b)
{
	const struct bt_slot *x = *(struct bt_slot *const *)a, *y = *(struct bt_slot *const *)b;

	return strcmp(x->path, y->path);
}

/* The known files by path, for the search in a refresh. */
struct known {
	struct bt_slot **slots;
	size_t count;
};

static int list_known(struct bt_store *store, struct known *known)
{
	uint32_t count = slot_count(store);

	known->slots = calloc((size_t)count + 1, sizeof(struct bt_slot *));
	known->count = 0;
	if (!known->slots)
		return BT_E_NOMEM;
	for (uint32_t i = 0; i < count; i++) {
		struct bt_slot *slot = bt_slot(store, i);

		slot->seen = false;
		if (!slot->id.gone)
			known->slots[known->count++] = slot;
	}
	qsort(known->slots, known->count, sizeof(struct bt_slot *), by_path);
	return 0;
}

/* A copy with the same time is another file: somebody may have put it there because this one is damaged. Any change of
 * a damaged file counts. For other files a new link or owner is no reason to read them again. */
static bool is_same(struct bt_slot *slot, const struct bt_stored *stored)
{
	const struct bt_file_id *id = &slot->id;

	return id->size == stored->size && bt_time_equal(&id->mtime, &stored->mtime) &&
	       bt_stamp_same(&slot->stamp, &stored->stamp) &&
	       (!atomic_load(&slot->damage) || bt_stamp_untouched(&slot->stamp, &stored->stamp));
}

static struct bt_slot *find_known(const struct known *known, const struct bt_backend_name *name,
				  const struct bt_stored *stored)
{
	char path[BT_BACKEND_PATH_SIZE];
	struct bt_slot key = {.path = path}, *wanted = &key;
	struct bt_slot **found = NULL;

	bt_backend_path(path, name);
	if (known->count)
		found = bsearch(&wanted, known->slots, known->count, sizeof(struct bt_slot *), by_path);
	return found && is_same(*found, stored) ? *found : NULL;
}

/* The listing of one area. */
struct area_visit {
	struct bt_store *store;
	const struct known *known;
	bool snapshots;
};

static bool is_wanted(void *arg, const char *name)
{
	const struct area_visit *visit = arg;

	return visit->snapshots ? is_snapshot_name(name) : is_volume_name(name);
}

/* An unreadable file is not treated as missing: data that only it references would be pruned. The same holds for
 * something that is not a file, such as a link to where somebody moved one: it counts as a file that cannot be opened.
 */
static int take_name(void *arg, const char *name, const struct bt_stored *stored)
{
	const struct area_visit *visit = arg;
	struct bt_store *store = visit->store;

	if (stored->is_file)
		store->growing |= stored->mtime.seconds >= time(NULL) - SETTLE_SECONDS;
	struct bt_slot *slot =
		find_known(visit->known, &(struct bt_backend_name){bt_area_of(visit->snapshots), name}, stored);
	if (!slot)
		return bt_catalogue_add(store, name, visit->snapshots, stored, &slot);
	slot->seen = true;
	return 0;
}

static int read_area(struct bt_store *store, const struct known *known, bool snapshots, struct bt_error *error)
{
	struct area_visit visit = {store, known, snapshots};
	const struct bt_list_visitor visitor = {&visit, is_wanted, take_name};

	return bt_backend_list(store->backend, bt_area_of(snapshots), &visitor, error);
}

/* Keeps open files readable, since they cannot be opened again. Returns the number of files that are gone. */
static unsigned mark_gone(struct bt_store *store, uint32_t count)
{
	unsigned gone = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct bt_slot *slot = bt_slot(store, i);

		if (slot->seen || slot->id.gone)
			continue;
		slot->id.gone = true;
		bt_slot_keep(slot);
		gone++;
	}
	return gone;
}

/* The version changes with the number of files that came or went. */
static int publish(struct bt_store *store)
{
	uint32_t count = slot_count(store);

	atomic_fetch_add(&store->found, mark_gone(store, count) + count - atomic_load(&store->listed));
	int r = bt_roster_publish(store, count);
	if (!r)
		atomic_store(&store->listed, count);
	return r;
}

/* A directory that is not a store may have something else of this name. */
static bool may_lack_contents(const struct bt_store *store, int sys)
{
	return sys == ENOENT ||
	       (sys == ENOTDIR && (store->options.salvage || (!slot_count(store) && !bt_store_marked(store))));
}

static int read_contents(struct bt_store *store, const struct known *known, struct bt_error *error)
{
	int sys = bt_backend_find(store->backend, BT_AREA_CONTENTS);

	return sys && may_lack_contents(store, -sys) ? 0 : read_area(store, known, false, error);
}

/* Reads the store's directory first: a file that moves to contents/ meanwhile is seen twice rather than not at all. */
int bt_catalogue_refresh(struct bt_store *store, struct bt_error *error)
{
	struct known known;
	bool changed = bt_backend_changed(store->backend);

	changed |= atomic_exchange(&store->doubted, false);
	if (!changed && !store->growing)
		return 0;
	store->growing = false;
	int r = list_known(store, &known);
	if (!r)
		r = read_area(store, &known, true, error);
	if (!r)
		r = read_contents(store, &known, error);
	free(known.slots);
	if (!r)
		r = publish(store);
	if (!r)
		return 0;
	bt_store_doubt(store);
	return bt_fail(error, r, store->path, NULL);
}

size_t bt_store_file_count(const struct bt_store *store)
{
	return slot_count(store);
}

const struct bt_file_id *bt_store_file_id(const struct bt_store *store, uint32_t ordinal)
{
	return &bt_slot(store, ordinal)->id;
}
