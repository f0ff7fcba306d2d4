/* SPDX-License-Identifier: MIT */
#include "root.h"
#include "hash.h"
#include "loop.h"
#include "table.h"
#include <backuptool/select.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct shown {
	char *name;
	size_t length;
	uint64_t hash;	 /* of the name, the same in every mount */
	uint32_t number; /* of the store's file */
	bool gone, listed;
	atomic_long lookups; /* that the kernel has not forgotten */
	bool lacks;	     /* it is open, and has no directory -o subpath */
	struct bt_snapshot *open;
	const struct bt_page *page; /* that top lies in, with -o subpath */
	const struct bt_entry *top;
};

/* How the table finds a name: its hash is seeded, so that no store can choose one that hides another. */
struct name_record {
	uint64_t hash;
	uint32_t serial, unused;
};

struct root {
	struct shown **list; /* by serial */
	uint32_t count, capacity, single;
	struct table names;
	pthread_mutex_t opening;
};

static const struct shown *shown_at(const struct fs *fs, uint32_t serial)
{
	return serial < fs->root->count ? fs->root->list[serial] : NULL;
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

/* Finds by the shown name, or by that and what follows it in a file's name. */
static bool find_name(const struct root *root, const char *name, size_t length, uint32_t *ret_serial)
{
	uint64_t hash = hash_bytes(table_seed(), name, length);
	uint32_t number;
	if (!table_find(&root->names, &hash, &number))
		return false;
	const struct name_record *record = table_at(&root->names, number);
	const struct shown *shown = root->list[record->serial];
	if (shown->length != length || memcmp(shown->name, name, length) != 0)
		return false;
	*ret_serial = record->serial;
	return true;
}

bool root_find(struct fs *fs, const char *name, uint32_t *ret_serial)
{
	uint32_t serial;
	if (!find_name(fs->root, name, strlen(name), &serial) || !root_is_shown(fs, serial))
		return false;
	*ret_serial = serial;
	return true;
}

static bool is_shown(void *arg, const char *name)
{
	struct fs *fs = arg;
	uint32_t serial;
	return find_name(fs->root, name, shown_length(name), &serial) && root_is_shown(fs, serial);
}

/* Of those that are shown. Some may be so new that nobody was told of them. */
static bool find_meant(struct fs *fs, const char *text, uint32_t *ret_serial)
{
	const struct bt_scope scope = {.size = sizeof(scope), .now = time(NULL), .wanted = is_shown, .arg = fs};
	struct bt_choice choice = {.size = sizeof(choice)};
	return bt_select(fs->store, text, &scope, &choice, NULL) == 0 &&
	       find_name(fs->root, choice.name, shown_length(choice.name), ret_serial) &&
	       root_is_shown(fs, *ret_serial);
}

bool root_latest(struct fs *fs, uint32_t *ret_serial)
{
	return find_meant(fs, "latest", ret_serial);
}

bool root_find_meant(struct fs *fs, const char *text, uint32_t *ret_serial)
{
	static const char before[] = "latest~";
	bool meant = text[0] == '@' || strncmp(text, before, strlen(before)) == 0 || (text[0] >= '0' && text[0] <= '9');
	return meant && find_meant(fs, text, ret_serial);
}

/* A new file, also behind a name that another one had. */
static int add_shown(struct root *root, const char *file_name, uint32_t file_number, uint32_t *ret_serial)
{
	if (root->count == root->capacity) {
		uint32_t capacity = root->capacity ? root->capacity * 2 : 64;
		struct shown **list = realloc(root->list, capacity * sizeof(struct shown *));
		if (!list || capacity > NODE_INDEX_MAX / 2) {
			root->list = list ? list : root->list;
			return ENOMEM;
		}
		root->list = list;
		root->capacity = capacity;
	}
	struct shown *shown = calloc(1, sizeof(*shown));
	char *name = strdup(file_name);
	uint32_t number, serial = root->count;
	if (!shown || !name)
		goto fail;
	*shown = (struct shown){.name = name, .length = shown_length(name), .number = file_number, .listed = true};
	shown->hash = hash_bytes(HASH_SEED, name, shown->length);
	uint64_t key = hash_bytes(table_seed(), name, shown->length);
	if (table_add(&root->names, &(struct name_record){.hash = key, .serial = serial}, &number) != 0)
		goto fail;
	((struct name_record *)table_at(&root->names, number))->serial = serial;
	root->list[root->count++] = shown;
	*ret_serial = serial;
	return 0;
fail:
	free(name);
	free(shown);
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

/* Takes one file of the store's list. */
static int take_file(struct fs *fs, size_t index, struct root_change *change)
{
	struct root *root = fs->root;
	const char *name = bt_store_snapshot_name(fs->store, index);
	uint32_t serial, number = bt_store_snapshot_number(fs->store, index);
	if (find_name(root, name, shown_length(name), &serial) && root->list[serial]->number == number) {
		root->list[serial]->listed = true;
		return 0;
	}
	int result = add_shown(root, name, number, &serial);
	return result ? result : add_change(change, serial);
}

int root_update(struct fs *fs, struct root_change *change)
{
	struct root *root = fs->root;
	int result = 0;
	for (uint32_t i = 0; i < root->count; i++)
		root->list[i]->listed = false;
	size_t count = bt_store_snapshot_count(fs->store);
	for (size_t i = 0; i < count && result == 0; i++)
		result = take_file(fs, i, change);
	for (uint32_t i = 0; i < root->count && result == 0; i++) {
		struct shown *shown = root->list[i];
		if (shown->listed || shown->gone)
			continue;
		shown->gone = true;
		result = add_change(change, i);
	}
	return result;
}

/* What follows the target in a path below it; NULL if it is not below. */
static const char *path_below(const char *path, const char *target)
{
	size_t length = strlen(target);
	while (length > 0 && target[length - 1] == '/')
		length--;
	return *path == '/' && strncmp(path, target, length) == 0 && path[length] == '/' ? path + length : NULL;
}

/* The directory that -o subpath means in a snapshot: a path in it, or an absolute one below what it is of. */
static int find_top(struct fs *fs, struct shown *shown, struct bt_error *error)
{
	const struct bt_snapshot_info *info = bt_snapshot_info(shown->open);
	const char *path = fs->options.subpath, *below;
	if (!path) {
		shown->top = &info->root;
		return 0;
	}
	int code = bt_path_lookup(fs->store, &info->root, path, &shown->page, &shown->top, error);
	below = path_below(path, info->target);
	if (code == BT_E_NOT_FOUND && below) {
		*error = (struct bt_error){0};
		code = bt_path_lookup(fs->store, &info->root, below, &shown->page, &shown->top, error);
	}
	if (code && code != BT_E_NOT_FOUND)
		return code;
	shown->lacks = code || shown->top->type != BT_DIR;
	return 0;
}

/* What failed is tried again when it is asked for: it may have been for want of memory, or half a file. */
static int open_shown(struct fs *fs, struct shown *shown, struct bt_error *error)
{
	if (shown->open)
		return 0;
	int code = bt_snapshot_open(fs->store, shown->name, &shown->open, error);
	if (code)
		return code;
	code = find_top(fs, shown, error);
	if (code) {
		bt_snapshot_close(shown->open);
		shown->open = NULL;
	}
	return code;
}

/* Again and again as long as that helps, but not with the mutex in hand, for which others wait with fs->lock. */
static int open_with_patience(struct fs *fs, struct shown *shown, struct bt_error *ret_error)
{
	unsigned version = bt_store_version(fs->store);
	int code;
	do {
		*ret_error = (struct bt_error){0};
		if (pthread_mutex_trylock(&fs->root->opening) != 0) { /* somebody opens one, which may take long */
			loop_slow();
			pthread_mutex_lock(&fs->root->opening);
		}
		code = !shown->open && shown->gone ? BT_E_NOT_FOUND : open_shown(fs, shown, ret_error);
		if (!code && shown->lacks)
			code = BT_E_NOT_FOUND;
		pthread_mutex_unlock(&fs->root->opening);
	} while (code && fs_retry(fs, &version, ret_error));
	return code;
}

int root_open(struct fs *fs, uint32_t serial, struct root_snapshot *ret_snapshot)
{
	struct bt_error error;
	if (serial >= fs->root->count)
		return ENOENT;
	struct shown *shown = fs->root->list[serial];
	int result = open_with_patience(fs, shown, &error);
	if (result)
		result = fs_errno(fs, shown->name, result, &error);
	if (result == 0)
		*ret_snapshot = (struct root_snapshot){.info = bt_snapshot_info(shown->open), .top = shown->top};
	return result;
}

bool root_is_shown(struct fs *fs, uint32_t serial)
{
	struct root_snapshot snapshot;
	if (root_is_gone(fs, serial))
		return false;
	return !fs->options.subpath || root_open(fs, serial, &snapshot) != ENOENT;
}

void root_looked(struct fs *fs, uint32_t serial, long lookups)
{
	if (serial < fs->root->count)
		atomic_fetch_add(&fs->root->list[serial]->lookups, lookups);
}

bool root_is_needed(const struct fs *fs, uint32_t serial)
{
	return fs->root->list[serial]->gone && atomic_load(&fs->root->list[serial]->lookups) > 0;
}

static void close_shown(struct fs *fs, struct shown *shown)
{
	bt_page_put(fs->store, shown->page);
	bt_snapshot_close(shown->open);
	shown->page = NULL;
	shown->open = NULL;
}

void root_close_gone(struct fs *fs)
{
	for (uint32_t i = 0; i < fs->root->count; i++)
		if (fs->root->list[i]->gone && i != fs->root->single && !root_is_needed(fs, i))
			close_shown(fs, fs->root->list[i]);
}

/* -o snapshot=: it must be there, readable, and have the subpath (else BT_E_NOT_FOUND without an error). */
static int open_single(struct fs *fs, struct bt_error *error)
{
	const struct bt_scope scope = {.size = sizeof(scope), .now = time(NULL)};
	struct bt_choice choice = {.size = sizeof(choice)};
	struct root *root = fs->root;
	int code = bt_select(fs->store, fs->options.snapshot, &scope, &choice, error);
	if (code)
		return code;
	if (!find_name(root, choice.name, shown_length(choice.name), &root->single))
		return BT_E_NOT_FOUND;
	code = open_shown(fs, root->list[root->single], error);
	if (code || !root->list[root->single]->lacks)
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
	pthread_mutex_init(&root->opening, NULL);
	fs->root = root;
	int result = root_update(fs, &change);
	free(change.serials);
	if (result)
		return BT_E_NOMEM;
	return fs->options.snapshot ? open_single(fs, error) : 0;
}

void root_free(struct fs *fs)
{
	struct root *root = fs->root;
	if (!root)
		return;
	for (uint32_t i = 0; i < root->count; i++) {
		close_shown(fs, root->list[i]);
		free(root->list[i]->name);
		free(root->list[i]);
	}
	free(root->list);
	table_free(&root->names);
	pthread_mutex_destroy(&root->opening);
	free(root);
	fs->root = NULL;
}
