/* SPDX-License-Identifier: MIT */
#include "root.h"
#include "groups.h"
#include "hash.h"
#include "look.h"
#include "loop.h"
#include "table.h"
#include <backuptool/select.h>
#include <errno.h>
#include <internal/clock.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The parts of an open snapshot that are used. */
struct opened {
	struct bt_snapshot *snapshot;
	const struct bt_page *page; /* the page of top, with -o subpath */
	const struct bt_entry *top; /* NULL: it is not selected, or lacks the directory of -o subpath */
};

struct shown {
	char *name;
	size_t length;
	uint64_t hash;	   /* of the name; the same in every mount */
	uint32_t number;   /* number of the store's file */
	bool listed;	   /* in the roster being read */
	bool counted;	   /* by its group; guarded by counting */
	atomic_uint group; /* GROUPS_NONE: not known */
	atomic_bool gone;
	atomic_long users; /* lookups that the kernel has not forgotten, and requests that use it */
	struct opened *_Atomic open;
};

/* The key by which the table finds a name: its hash is seeded, so that no store can choose a name that hides another
 * one. */
struct name_record {
	uint64_t hash;
	uint32_t serial, unused;
};

#define CHUNK  1024
#define CHUNKS 8192 /* as many as the store has for its files */

struct root {
	struct shown *chunks[CHUNKS]; /* by serial; chunks never move, so that readers need no lock */
	atomic_uint count;
	uint32_t single;
	pthread_mutex_t lock; /* guards names */
	struct table names;
	pthread_mutex_t opening;
	pthread_mutex_t counting; /* orders that a snapshot is counted by its group, and that it goes */
};

static struct shown *place_of(const struct root *root, uint32_t serial)
{
	return &root->chunks[serial / CHUNK][serial % CHUNK];
}

static struct shown *shown_at(const struct fs *fs, uint32_t serial)
{
	return serial < fs->root->count ? place_of(fs->root, serial) : NULL;
}

uint32_t root_count(const struct fs *fs)
{
	return fs->root->count;
}

bool root_is_gone(const struct fs *fs, uint32_t serial)
{
	const struct shown *shown = shown_at(fs, serial);

	return !shown || shown->gone;
}

const char *root_file_name(const struct fs *fs, uint32_t serial)
{
	return shown_at(fs, serial)->name;
}

size_t root_name_length(const struct fs *fs, uint32_t serial)
{
	return shown_at(fs, serial)->length;
}

uint64_t root_hash(const struct fs *fs, uint32_t serial)
{
	return shown_at(fs, serial)->hash;
}

bool root_is_single(const struct fs *fs, uint32_t *ret_serial)
{
	if (fs->root->single == ROOT_NONE)
		return false;
	*ret_serial = fs->root->single;
	return true;
}

static size_t shown_length(const char *file_name)
{
	size_t length = strlen(file_name), end = strlen(".json");

	return length > end && strcmp(file_name + length - end, ".json") == 0 ? length - end : length;
}

/* Finds a snapshot by its shown name, or by that with the rest of the file's name. */
static bool find_name(struct root *root, const char *name, size_t length, uint32_t *ret_serial)
{
	uint64_t hash = hash_bytes(table_seed(), name, length);
	uint32_t number, serial = 0;

	pthread_mutex_lock(&root->lock);
	bool found = table_find(&root->names, &hash, &number);
	if (found)
		serial = ((const struct name_record *)table_at(&root->names, number))->serial;
	pthread_mutex_unlock(&root->lock);
	const struct shown *shown = found ? place_of(root, serial) : NULL;
	if (!shown || shown->length != length || memcmp(shown->name, name, length) != 0)
		return false;
	*ret_serial = serial;
	return true;
}

uint32_t root_group(const struct fs *fs, uint32_t serial)
{
	return shown_at(fs, serial)->group;
}

void root_sort(struct fs *fs)
{
	for (uint32_t i = 0; i < root_count(fs); i++)
		if (root_group(fs, i) == GROUPS_NONE)
			root_is_shown(fs, i);
}

static bool is_in(struct fs *fs, uint32_t group, uint32_t serial)
{
	return root_is_shown(fs, serial) && (group == GROUPS_NONE || root_group(fs, serial) == group);
}

bool root_find(struct fs *fs, uint32_t group, const char *name, uint32_t *ret_serial)
{
	uint32_t serial;

	if (!find_name(fs->root, name, strlen(name), &serial) || !is_in(fs, group, serial))
		return false;
	*ret_serial = serial;
	return true;
}

/* Where somebody looks for a snapshot. */
struct place {
	struct fs *fs;
	uint32_t group;
};

static bool is_wanted(void *arg, const char *name)
{
	const struct place *place = arg;
	uint32_t serial;

	return find_name(place->fs->root, name, shown_length(name), &serial) && is_in(place->fs, place->group, serial);
}

/* Looks among the shown snapshots, of which some may be so new that nobody was told of them. */
static bool find_meant(struct fs *fs, uint32_t group, const char *text, uint32_t *ret_serial)
{
	struct place place = {fs, group};
	const struct bt_scope scope = {.size = sizeof(scope), .now = bt_now(), .wanted = is_wanted, .arg = &place};
	struct bt_choice choice = {.size = sizeof(choice)};

	return bt_select(fs->store, text, &scope, &choice, NULL) == 0 &&
	       find_name(fs->root, choice.name, shown_length(choice.name), ret_serial) && is_in(fs, group, *ret_serial);
}

bool root_latest(struct fs *fs, uint32_t group, uint32_t *ret_serial)
{
	return find_meant(fs, group, "latest", ret_serial);
}

bool root_find_meant(struct fs *fs, uint32_t group, const char *text, uint32_t *ret_serial)
{
	static const char before[] = "latest~";
	bool meant = text[0] == '@' || strncmp(text, before, strlen(before)) == 0 || (text[0] >= '0' && text[0] <= '9');

	return meant && find_meant(fs, group, text, ret_serial);
}

/* Adds an empty snapshot; NULL: no memory, or no more numbers. */
static struct shown *next_shown(struct root *root)
{
	uint32_t serial = root->count, chunk = serial / CHUNK;

	if (chunk == CHUNKS)
		return NULL;
	if (!root->chunks[chunk])
		root->chunks[chunk] = calloc(CHUNK, sizeof(struct shown));
	return root->chunks[chunk] ? place_of(root, serial) : NULL;
}

/* Makes the name mean this serial. */
static int set_name(struct root *root, const struct shown *shown, uint32_t serial)
{
	struct name_record record = {.hash = hash_bytes(table_seed(), shown->name, shown->length), .serial = serial};
	uint32_t number;

	pthread_mutex_lock(&root->lock);
	int r = table_add(&root->names, &record, &number);
	if (!r)
		((struct name_record *)table_at(&root->names, number))->serial = serial;
	pthread_mutex_unlock(&root->lock);
	return r;
}

/* Adds a new file, also one that takes the name of another. */
static int add_shown(struct root *root, const char *file_name, uint32_t file_number, uint32_t *ret_serial)
{
	struct shown *shown = next_shown(root);
	char *name = strdup(file_name);

	if (!shown || !name)
		goto fail;
	*shown = (struct shown){.name = name,
				.length = shown_length(name),
				.number = file_number,
				.listed = true,
				.group = GROUPS_NONE};
	shown->hash = hash_bytes(HASH_SEED, name, shown->length);
	if (set_name(root, shown, root->count) != 0)
		goto fail;
	*ret_serial = root->count++;
	return 0;
fail:
	free(name);
	return ENOMEM;
}

static int add_change(struct root_change *change, uint32_t serial)
{
	uint32_t *serials = realloc(change->serials, (change->count + 1) * sizeof(*serials));

	if (!serials)
		return ENOMEM;
	change->serials = serials;
	change->serials[change->count++] = serial;
	return 0;
}

/* Updates one file of the roster. */
static int take_file(struct root *root, const char *name, uint32_t number, struct root_change *change)
{
	uint32_t serial;

	if (find_name(root, name, shown_length(name), &serial) && place_of(root, serial)->number == number) {
		place_of(root, serial)->listed = true;
		return 0;
	}
	int r = add_shown(root, name, number, &serial);
	return r ? r : add_change(change, serial);
}

static void set_gone(struct fs *fs, struct shown *shown)
{
	pthread_mutex_lock(&fs->root->counting);
	shown->gone = true;
	if (shown->counted)
		groups_count_snapshot(fs->groups, shown->group, -1);
	shown->counted = false;
	pthread_mutex_unlock(&fs->root->counting);
}

static int take_roster(struct fs *fs, const struct bt_roster *roster, struct root_change *change)
{
	struct root *root = fs->root;
	uint32_t before = root->count;
	int r = 0;

	for (uint32_t i = 0; i < before; i++)
		place_of(root, i)->listed = false;
	for (size_t i = 0; i < roster->count && !r; i++)
		r = take_file(root, roster->names[i], roster->numbers[i], change);
	for (uint32_t i = 0; i < before && !r; i++) {
		struct shown *shown = place_of(root, i);

		if (shown->listed || shown->gone)
			continue;
		set_gone(fs, shown);
		r = add_change(change, i);
	}
	return r;
}

int root_update(struct fs *fs, struct root_change *change)
{
	const struct bt_roster *roster = bt_roster_get(fs->store);
	int r = take_roster(fs, roster, change);

	bt_roster_put(roster);
	return r;
}

/* The part of the path after the target; NULL if it is not below the target. */
static const char *path_below(const char *path, const char *target)
{
	size_t length = strlen(target);

	while (length > 0 && target[length - 1] == '/')
		length--;
	return *path == '/' && strncmp(path, target, length) == 0 && path[length] == '/' ? path + length : NULL;
}

static bool has_filter(const struct fs *fs)
{
	const struct bt_filter *filter = &fs->options.filter;

	return filter->host_count || filter->target_count || filter->tag_count;
}

/* The directory to show of a snapshot, if it is shown at all. -o subpath is a path in it, or an absolute one below its
 * target. */
static int find_top(struct fs *fs, struct opened *opened, struct bt_error *error)
{
	const struct bt_snapshot_info *info = bt_snapshot_info(opened->snapshot);
	const char *path = fs->options.subpath, *below;

	if (has_filter(fs) && !bt_filter_selects(&fs->options.filter, info))
		return 0;
	if (!path) {
		opened->top = &info->root;
		return 0;
	}
	int code = bt_path_lookup(fs->store, &info->root, path, &opened->page, &opened->top, error);
	below = path_below(path, info->target);
	if (code == BT_E_NOT_FOUND && below) {
		*error = (struct bt_error){0};
		code = bt_path_lookup(fs->store, &info->root, below, &opened->page, &opened->top, error);
	}
	if (code == BT_E_NOT_FOUND || (!code && opened->top->type != BT_DIR)) {
		opened->top = NULL;
		return 0;
	}
	return code;
}

static void opened_free(struct fs *fs, struct opened *opened)
{
	if (!opened)
		return;
	bt_page_put(fs->store, opened->page);
	bt_snapshot_close(opened->snapshot);
	free(opened);
}

/* With -o group: a snapshot that is shown belongs to a group. */
static int sort_into_group(struct fs *fs, struct shown *shown, const struct opened *opened)
{
	const struct bt_snapshot_info *info = bt_snapshot_info(opened->snapshot);
	uint32_t group;

	if (!fs->groups || !opened->top || shown->group != GROUPS_NONE)
		return 0;
	if (groups_number(fs->groups, info->host, info->target, &group) != 0)
		return BT_E_NOMEM;
	pthread_mutex_lock(&fs->root->counting);
	shown->group = group;
	shown->counted = !shown->gone;
	if (shown->counted)
		groups_count_snapshot(fs->groups, group, 1);
	pthread_mutex_unlock(&fs->root->counting);
	return 0;
}

/* A failure is tried again at the next use: memory may have run out, or the file was incomplete. */
static int open_shown(struct fs *fs, struct shown *shown, struct bt_error *error)
{
	if (shown->open)
		return 0;
	if (shown->gone)
		return BT_E_NOT_FOUND;
	struct opened *opened = calloc(1, sizeof(*opened));
	int code = opened ? bt_snapshot_open(fs->store, shown->name, &opened->snapshot, error) : BT_E_NOMEM;
	if (!code)
		code = find_top(fs, opened, error);
	if (!code)
		code = sort_into_group(fs, shown, opened);
	if (code)
		opened_free(fs, opened);
	else
		shown->open = opened;
	return code;
}

/* Another thread may be opening a snapshot, which may take long. The mutex is not held while the store is looked at. */
static int open_with_patience(struct fs *fs, struct shown *shown, const struct opened **ret_opened,
			      struct bt_error *error)
{
	unsigned version = bt_store_version(fs->store);
	int code;

	do {
		if (pthread_mutex_trylock(&fs->root->opening) != 0) {
			loop_slow(fs);
			pthread_mutex_lock(&fs->root->opening);
		}
		code = open_shown(fs, shown, error);
		*ret_opened = shown->open;
		pthread_mutex_unlock(&fs->root->opening);
	} while (code && look_retry(fs, &version, error));
	return code;
}

/* An open snapshot stays open while it has users: see close_unused. */
int root_open(struct fs *fs, uint32_t serial, struct root_snapshot *ret_snapshot)
{
	struct bt_error error = {0};
	struct shown *shown = shown_at(fs, serial);

	if (!shown)
		return ENOENT;
	atomic_fetch_add(&shown->users, 1);
	const struct opened *opened = shown->open;
	int code = opened ? 0 : open_with_patience(fs, shown, &opened, &error);
	if (!code && !opened->top)
		code = BT_E_NOT_FOUND;
	if (code) {
		atomic_fetch_sub(&shown->users, 1);
		return fs_errno(fs, shown->name, code, &error);
	}
	*ret_snapshot = (struct root_snapshot){bt_snapshot_info(opened->snapshot), opened->top};
	return 0;
}

void root_used(struct fs *fs, uint32_t serial, long change)
{
	struct shown *shown = shown_at(fs, serial);

	if (shown)
		atomic_fetch_add(&shown->users, change);
}

bool root_may_hide(const struct fs *fs)
{
	return fs->options.subpath || has_filter(fs) || fs->groups;
}

bool root_is_shown(struct fs *fs, uint32_t serial)
{
	struct root_snapshot snapshot;

	if (root_is_gone(fs, serial))
		return false;
	if (!root_may_hide(fs))
		return true;
	int r = root_open(fs, serial, &snapshot);
	if (!r)
		root_used(fs, serial, -1);
	return r != ENOENT;
}

bool root_is_needed(const struct fs *fs, uint32_t serial)
{
	const struct shown *shown = shown_at(fs, serial);

	return shown->gone && shown->users > 0;
}

/* A request counts itself as a user before it looks whether the snapshot is open. So either it is seen here, or it
 * finds the snapshot closed and waits for the mutex. */
static void close_unused(struct fs *fs, struct shown *shown)
{
	pthread_mutex_lock(&fs->root->opening);
	struct opened *opened = atomic_exchange(&shown->open, NULL);
	if (shown->users > 0)
		shown->open = opened;
	else
		opened_free(fs, opened);
	pthread_mutex_unlock(&fs->root->opening);
}

void root_close_gone(struct fs *fs)
{
	for (uint32_t i = 0; i < root_count(fs); i++)
		if (shown_at(fs, i)->gone && i != fs->root->single)
			close_unused(fs, shown_at(fs, i));
}

/* For -o snapshot=: the snapshot must exist, be readable, and have the subpath (else BT_E_NOT_FOUND without an
 * error). */
static int open_single(struct fs *fs, struct bt_error *error)
{
	const struct bt_scope scope = {
		.size = sizeof(scope), .now = bt_now(), .filter = has_filter(fs) ? &fs->options.filter : NULL};
	struct bt_choice choice = {.size = sizeof(choice)};
	struct root *root = fs->root;
	int code = bt_select(fs->store, fs->options.snapshot, &scope, &choice, error);

	if (code)
		return code;
	if (!find_name(root, choice.name, shown_length(choice.name), &root->single))
		return BT_E_NOT_FOUND;
	struct shown *shown = place_of(root, root->single);
	code = open_shown(fs, shown, error);
	if (code || ((const struct opened *)shown->open)->top)
		return code;
	*error = (struct bt_error){0};
	return BT_E_NOT_FOUND;
}

int root_new(struct fs *fs, struct bt_error *error)
{
	struct root_change change = {0};
	struct root *root = calloc(1, sizeof(*root));

	if (!root)
		return BT_E_NOMEM;
	root->single = ROOT_NONE;
	root->names = (struct table){.record_size = sizeof(struct name_record), .key_size = sizeof(uint64_t)};
	pthread_mutex_init(&root->lock, NULL);
	pthread_mutex_init(&root->opening, NULL);
	pthread_mutex_init(&root->counting, NULL);
	fs->root = root;
	int r = root_update(fs, &change);
	free(change.serials);
	if (r)
		return BT_E_NOMEM;
	return fs->options.snapshot ? open_single(fs, error) : 0;
}

void root_free(struct fs *fs)
{
	struct root *root = fs->root;

	if (!root)
		return;
	for (uint32_t i = 0; i < root->count; i++) {
		opened_free(fs, place_of(root, i)->open);
		free(place_of(root, i)->name);
	}
	for (size_t i = 0; i < CHUNKS; i++)
		free(root->chunks[i]);
	table_free(&root->names);
	pthread_mutex_destroy(&root->lock);
	pthread_mutex_destroy(&root->opening);
	pthread_mutex_destroy(&root->counting);
	free(root);
	fs->root = NULL;
}
