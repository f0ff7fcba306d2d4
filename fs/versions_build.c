/* SPDX-License-Identifier: MIT */
#include "versions_build.h"
#include "hash.h"
#include "root.h"
#include "table.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void built_free(struct built *built)
{
	for (size_t i = 0; i < built->child_count; i++)
		free(built->children[i].name);
	free(built->children);
	free(built->sources);
	*built = (struct built){0};
}

/* Makes room for one more element; 0 or ENOMEM. */
static int grow(void **list, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return 0;
	size_t wanted = *room ? *room * 2 : 8;
	void *bigger = wanted > SIZE_MAX / 2 / size ? NULL : realloc(*list, wanted * size);
	if (!bigger)
		return ENOMEM;
	*list = bigger;
	*room = wanted;
	return 0;
}

static int add_source(struct built *built, const struct bt_entry *entry, uint32_t serial)
{
	for (size_t i = 0; i < built->source_count; i++) {
		struct source *source = &built->sources[i];

		if (memcmp(&source->tree, &entry->digest, sizeof(entry->digest)) == 0) {
			source->mode &= attr_mode_without_acl(entry);
			return 0;
		}
	}
	void *list = built->sources;
	if (grow(&list, built->source_count, &built->source_room, sizeof(*built->sources)) != 0)
		return ENOMEM;
	built->sources = list;
	built->sources[built->source_count++] = (struct source){
		.tree = entry->digest,
		.snapshot = serial,
		.uid = entry->uid,
		.gid = entry->gid,
		.mode = attr_mode_without_acl(entry), /* no list is shown for these directories */
	};
	return 0;
}

/* 62 bits, since an offset in a directory is a signed number; above the cookies of "." and "..". */
static uint64_t name_hash(const char *name)
{
	return (hash_bytes(HASH_SEED, name, strlen(name)) >> 2) + BUILT_FIRST_COOKIE;
}

static int add_child(struct built *built, const char *name, const struct fuse_entry_param *param)
{
	void *list = built->children;
	char *copy = strdup(name);

	if (!copy || grow(&list, built->child_count, &built->child_room, sizeof(*built->children)) != 0) {
		free(copy);
		return ENOMEM;
	}
	built->children = list;
	built->children[built->child_count++] = (struct child){.name = copy, .hash = name_hash(name), .param = *param};
	return 0;
}

static int order_children(const void *a, const void *b)
{
	const struct child *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Sorts the children, and keeps one of each name. */
static void tidy_children(struct built *built)
{
	size_t kept = 0;

	if (built->child_count > 1)
		qsort(built->children, built->child_count, sizeof(*built->children), order_children);
	for (size_t i = 0; i < built->child_count; i++) {
		if (kept > 0 && strcmp(built->children[kept - 1].name, built->children[i].name) == 0)
			free(built->children[i].name);
		else
			built->children[kept++] = built->children[i];
	}
	built->child_count = kept;
	for (size_t i = 0; i < kept; i++) {
		struct child *child = &built->children[i];
		bool later = i == 0 || child->hash > child[-1].cookie;

		child->cookie = later ? child->hash : child[-1].cookie + 1;
	}
}

const struct child *built_find(const struct built *built, const char *name)
{
	struct child key = {.name = (char *)(uintptr_t)name, .hash = name_hash(name)};

	return built->child_count
		       ? bsearch(&key, built->children, built->child_count, sizeof(*built->children), order_children)
		       : NULL;
}

const struct child *built_after(const struct built *built, uint64_t cookie)
{
	size_t low = 0, high = built->child_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (built->children[middle].cookie <= cookie)
			low = middle + 1;
		else
			high = middle;
	}
	return low < built->child_count ? &built->children[low] : NULL;
}

int built_top(struct fs *fs, struct built *ret_built)
{
	struct built built = {.path = attr_path_top()};
	struct root_snapshot snapshot;
	int r = 0;

	for (uint32_t serial = 0; serial < root_count(fs) && !r; serial++)
		if (!root_is_gone(fs, serial) && root_open(fs, serial, &snapshot) == 0) {
			r = add_source(&built, snapshot.top, serial);
			root_used(fs, serial, -1);
		}
	if (r)
		built_free(&built);
	else
		*ret_built = built;
	return r;
}

/* The extension: ".txt" of "a.txt"; empty for "a", ".profile", or an extension that is too long. */
static const char *extension(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot != name && strlen(dot) <= 32 ? dot : "";
}

static uint32_t short_hash(const struct bt_entry *entry)
{
	const unsigned char *bytes = entry->digest.bytes;

	if (entry->type == BT_FILE && entry->has_digest)
		return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
	const struct bt_extra *extra = entry->extra;
	uint64_t hash = hash_add(HASH_SEED, entry->type);
	return (uint32_t)(extra ? hash_bytes(hash, extra->target, extra->target_length) : hash);
}

/* A key for the content of a version: its digest, or without one, a hash of the entry without owner, mode, time,
 * attributes and number of links. Keys are compared as bytes, so that the struct has no padding. */
struct content {
	uint64_t hash;
	struct bt_digest digest;
};

static uint64_t content_hash(const struct bt_entry *entry)
{
	struct bt_entry bare = *entry;
	struct bt_extra extra = entry->extra ? *entry->extra : (struct bt_extra){0};

	bare.mode = 0;
	bare.uid = bare.gid = 0;
	bare.mtime = (struct bt_time){0};
	extra.xattr_count = 0;
	extra.links = 0;
	bare.extra = &extra;
	return attr_ino(&bare, 0, 0);
}

static struct content content_of(const struct bt_entry *entry)
{
	if (entry->type == BT_FILE && entry->has_digest)
		return (struct content){.digest = entry->digest};
	return (struct content){.hash = content_hash(entry)};
}

static int add_version(struct fs *fs, struct built *built, const struct dir *dir, const struct found *found)
{
	struct root_snapshot snapshot;
	struct fuse_entry_param param;
	struct tm when;
	char stamp[40], name[NAME_MAX + 1];
	int r = root_open(fs, dir->record.snapshot, &snapshot);

	if (r)
		return r;
	time_t seconds = snapshot.info->time.seconds;
	root_used(fs, dir->record.snapshot, -1);
	r = dir_entry(fs, dir, found, &param);
	if (r)
		return r;
	if (!gmtime_r(&seconds, &when) || strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H-%M-%SZ", &when) == 0)
		snprintf(stamp, sizeof(stamp), "unknown");
	snprintf(name, sizeof(name), "%s-%08x%s", stamp, short_hash(found->entry), extension(found->entry->name));
	param.entry_timeout = A_WHILE;
	return add_child(built, name, &param);
}

/* contents: the keys of the versions that the name had so far. */
static int is_new(struct table *contents, const struct bt_entry *entry, bool *ret_new)
{
	struct content content = content_of(entry);
	uint32_t number;
	size_t before = contents->count;
	int r = table_add(contents, &content, &number);

	*ret_new = contents->count > before;
	return r;
}

/* Adds the entry that one tree of the parent has under the name. */
static int add_below(struct fs *fs, const struct built *parent, const struct source *source, const char *name,
		     struct built *built, struct table *contents)
{
	bool new = false;
	struct dir dir;
	struct found found = {0};

	if (dir_open_tree(fs, &source->tree, parent->path, source->snapshot, &dir) != 0)
		return 0; /* damaged, which is logged; the other snapshots still count */
	int r = dir_find(fs, &dir, name, &found);
	if (!r && found.entry->type == BT_DIR)
		r = found.entry->extra && found.entry->extra->error ? 0
								    : add_source(built, found.entry, source->snapshot);
	else if (!r && attr_is_known(found.entry))
		r = is_new(contents, found.entry, &new);
	if (!r && new)
		r = add_version(fs, built, &dir, &found);
	dir_close(fs, &dir);
	return r == ENOMEM ? ENOMEM : 0;
}

int built_below(struct fs *fs, const struct built *parent, const char *name, struct built *ret_built)
{
	struct built built = {.path = attr_path_below(parent->path, name, strlen(name))};
	struct table contents = {.record_size = sizeof(struct content), .key_size = sizeof(struct content)};
	int r = 0;

	for (size_t i = 0; i < parent->source_count && !r; i++)
		r = add_below(fs, parent, &parent->sources[i], name, &built, &contents);
	table_free(&contents);
	tidy_children(&built);
	if (!r && built.source_count == 0 && built.child_count == 0)
		r = ENOENT;
	if (r)
		built_free(&built);
	else
		*ret_built = built;
	return r;
}

static int list_source(struct fs *fs, const struct source *source, struct built *built)
{
	static const struct fuse_entry_param directory = {.attr = {.st_mode = S_IFDIR, .st_ino = FUSE_ROOT_ID}};
	struct dir dir;
	struct found found = {0};
	int r = 0;

	if (dir_open_tree(fs, &source->tree, built->path, source->snapshot, &dir) != 0)
		return 0;
	for (uint64_t i = 0; !r && dir_at(fs, &dir, i, &found) == 0; i++)
		r = add_child(built, found.entry->name, &directory);
	dir_close(fs, &dir);
	return r;
}

int built_list(struct fs *fs, struct built *built)
{
	int r = 0;

	for (size_t i = 0; i < built->source_count && !r; i++) {
		r = list_source(fs, &built->sources[i], built);
		tidy_children(built); /* before the next tree, since most names are the same */
	}
	return r;
}
