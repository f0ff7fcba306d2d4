/* SPDX-License-Identifier: MIT */
#include "dirs.h"
#include "look.h"
#include "root.h"
#include "xattr.h"
#include <errno.h>
#include <string.h>

static int get_page(struct fs *fs, const struct bt_digest *id, const struct bt_page **ret_page)
{
	struct bt_error error = {0};
	unsigned version = bt_store_version(fs->store);
	int code;

	do
		code = bt_page_get(fs->store, id, ret_page, &error);
	while (code && look_retry(fs, &version, &error));
	return code ? fs_errno(fs, "directory", code, &error) : 0;
}

static int get_dir(struct fs *fs, const struct bt_digest *tree, struct bt_dir **ret_dir)
{
	struct bt_error error = {0};
	unsigned version = bt_store_version(fs->store);
	int code;

	do
		code = bt_dir_new(fs->store, tree, ret_dir, &error);
	while (code && look_retry(fs, &version, &error));
	return code ? fs_errno(fs, "directory", code, &error) : 0;
}

/* The entry with the name, or if that is NULL, the one at the index. */
static int find_entry(struct bt_dir *dir, const char *name, uint64_t index, const struct bt_entry **ret_entry,
		      struct bt_error *error)
{
	return name ? bt_dir_find(dir, name, strlen(name), ret_entry, error) : bt_dir_at(dir, index, ret_entry, error);
}

/* Nearly all entries are on pages in memory, so that space for an error is only made when there is one. */
static int get_entry(struct fs *fs, struct bt_dir *dir, const char *name, uint64_t index,
		     const struct bt_entry **ret_entry)
{
	int code = find_entry(dir, name, index, ret_entry, NULL);

	if (code == 0 || code == BT_E_NOT_FOUND)
		return code ? ENOENT : 0;
	unsigned version = bt_store_version(fs->store);
	struct bt_error error = {0};
	do
		code = find_entry(dir, name, index, ret_entry, &error);
	while (code && look_retry(fs, &version, &error));
	return code ? fs_errno(fs, "directory", code, &error) : 0;
}

bool node_snapshot(const struct fs *fs, fuse_ino_t packed, uint32_t *ret_serial)
{
	struct node node = node_unpack(packed);

	if (packed == FUSE_ROOT_ID)
		return root_is_single(fs, ret_serial);
	if (node.kind != NODE_TOP || node.number != TOP_SNAPSHOT)
		return false;
	*ret_serial = node.index;
	return true;
}

static bool knows_snapshot(const struct fs *fs)
{
	return fs->options.xattr == XATTR_ON || fs->options.separate;
}

static struct node_page page_record(const struct fs *fs, const struct bt_digest *id, uint64_t path, uint32_t snapshot)
{
	return (struct node_page){.id = *id, .path = path, .snapshot = knows_snapshot(fs) ? snapshot + 1 : 0};
}

/* Opens a directory for the first time: makes its record from its entry. */
static int add_dir(struct fs *fs, fuse_ino_t node, uint32_t *ret_number)
{
	struct held held;
	int r = held_get(fs, node, &held);

	if (r)
		return r == EISDIR ? ENOTDIR : r;
	if (held.entry->type != BT_DIR) {
		r = ENOTDIR;
	} else if (held.entry->extra && held.entry->extra->error) {
		r = EIO;
	} else {
		struct node_page page = page_record(fs, &held.entry->digest, held.path, held.snapshot);
		struct node_dir dir = {.node = node, .snapshot = held.snapshot};

		r = nodes_page(fs->nodes, &page, &dir.page);
		if (!r)
			r = nodes_dir(fs->nodes, &dir, ret_number);
	}
	held_end(fs, &held);
	return r;
}

/* Pins the first page of a directory with a known record. */
static int pin_top(struct fs *fs, struct dir *dir, struct dir *ret_dir)
{
	if (!nodes_page_at(fs->nodes, dir->record.page, &dir->page))
		return ESTALE;
	int r = get_dir(fs, &dir->page.id, &dir->dir);
	if (r)
		return r;
	*ret_dir = *dir;
	return 0;
}

int dir_open(struct fs *fs, fuse_ino_t node, struct dir *ret_dir)
{
	struct dir dir = {0};

	if (!node_is_directory_like(node))
		return ENOTDIR;
	int r = nodes_dir_find(fs->nodes, node, &dir.number) ? 0 : add_dir(fs, node, &dir.number);
	if (r)
		return r;
	return nodes_dir_at(fs->nodes, dir.number, &dir.record) ? pin_top(fs, &dir, ret_dir) : ESTALE;
}

int dir_open_tree(struct fs *fs, const struct bt_digest *tree, uint64_t path, uint32_t snapshot, struct dir *ret_dir)
{
	struct node_page page = page_record(fs, tree, path, snapshot);
	struct dir dir = {.record.snapshot = snapshot};
	int r = nodes_page(fs->nodes, &page, &dir.record.page);

	return r ? r : pin_top(fs, &dir, ret_dir);
}

void dir_close(struct fs *fs, struct dir *dir)
{
	bt_dir_free(dir->dir);
	dir->dir = NULL;
}

uint64_t dir_count(const struct dir *dir)
{
	return bt_dir_count(dir->dir);
}

/* Finds the record of the entry's page: the directory's own, or a leaf's. */
static int locate(struct fs *fs, const struct dir *dir, struct found *found)
{
	struct bt_dir_place before = found->place;

	found->place = bt_dir_here(dir->dir);
	if (before.id && found->place.base == before.base)
		return 0;
	struct node_page page = dir->page;
	page.id = *found->place.id;
	found->leaf_number = dir->record.page;
	return memcmp(&page.id, &dir->page.id, sizeof(page.id)) ? nodes_page(fs->nodes, &page, &found->leaf_number) : 0;
}

int dir_find(struct fs *fs, const struct dir *dir, const char *name, struct found *ret_found)
{
	struct found found = {0};
	int r = get_entry(fs, dir->dir, name, 0, &found.entry);

	if (!r)
		r = locate(fs, dir, &found);
	if (!r)
		*ret_found = found;
	return r;
}

int dir_at(struct fs *fs, const struct dir *dir, uint64_t index, struct found *found)
{
	int r = get_entry(fs, dir->dir, NULL, index, &found->entry);

	return r ? r : locate(fs, dir, found);
}

/* The record of the same leaf in this snapshot alone. */
static int leaf_of_snapshot(struct fs *fs, uint32_t snapshot, uint32_t *number)
{
	struct node_page page;

	if (!nodes_page_at(fs->nodes, *number, &page))
		return ESTALE;
	page.snapshot = snapshot + 1;
	return nodes_page(fs->nodes, &page, number);
}

static uint64_t inode_of(const struct fs *fs, const struct bt_entry *entry, uint64_t path, uint32_t snapshot)
{
	bool shared = !fs->options.separate && attr_is_shareable(entry);

	return attr_ino(entry, path, shared || snapshot == ROOT_NONE ? 0 : root_hash(fs, snapshot));
}

int dir_entry(struct fs *fs, const struct dir *dir, const struct found *found, struct fuse_entry_param *ret_param)
{
	const struct bt_entry *entry = found->entry;
	uint64_t path = attr_path_below(dir->page.path, entry->name, entry->name_length);
	struct node node = {.kind = NODE_SHARED, .number = found->leaf_number, .index = (uint32_t)found->place.index};
	int r = 0;

	if (!attr_is_known(entry)) {
		uint64_t index = found->place.base + found->place.index;

		if (index > NODE_INDEX_MAX)
			return EOVERFLOW;
		node = (struct node){.kind = NODE_OWN, .number = dir->number, .index = (uint32_t)index};
	} else if (!attr_is_shareable(entry)) {
		r = leaf_of_snapshot(fs, dir->record.snapshot, &node.number);
	}
	if (r)
		return r;
	*ret_param =
		(struct fuse_entry_param){.ino = node_pack(node), .attr_timeout = FOREVER, .entry_timeout = FOREVER};
	xattr_fill(fs, entry, inode_of(fs, entry, path, dir->record.snapshot), &ret_param->attr);
	return 0;
}

static int hold_snapshot(struct fs *fs, uint32_t serial, struct held *ret_held)
{
	struct root_snapshot snapshot;
	int r = root_open(fs, serial, &snapshot);

	if (!r)
		*ret_held = (struct held){
			.info = snapshot.info, .entry = snapshot.top, .path = attr_path_top(), .snapshot = serial};
	return r;
}

static int hold_shared(struct fs *fs, struct node node, struct held *ret_held)
{
	struct node_page record;
	const struct bt_page *page;

	if (!nodes_page_at(fs->nodes, node.number, &record))
		return ESTALE;
	int r = get_page(fs, &record.id, &page);
	if (r)
		return r;
	if (page->kind != BT_PAGE_ENTRIES || node.index >= page->count) {
		bt_page_put(fs->store, page);
		return ESTALE;
	}
	const struct bt_entry *entry = &page->entries[node.index];
	*ret_held = (struct held){
		.page = page,
		.entry = entry,
		.path = attr_path_below(record.path, entry->name, entry->name_length),
		.snapshot = record.snapshot ? record.snapshot - 1 : ROOT_NONE,
	};
	return 0;
}

static int hold_own(struct fs *fs, struct node node, struct held *ret_held)
{
	struct dir parent = {.number = node.number};
	const struct bt_entry *entry;

	if (!nodes_dir_at(fs->nodes, node.number, &parent.record) ||
	    !nodes_page_at(fs->nodes, parent.record.page, &parent.page))
		return ESTALE;
	int r = get_dir(fs, &parent.page.id, &parent.dir);
	if (r)
		return r;
	r = get_entry(fs, parent.dir, NULL, node.index, &entry);
	if (!r) {
		*ret_held = (struct held){
			.page = bt_dir_here(parent.dir).page,
			.entry = entry,
			.path = attr_path_below(parent.page.path, entry->name, entry->name_length),
			.snapshot = parent.record.snapshot,
		};
		bt_page_ref(fs->store, ret_held->page);
	}
	dir_close(fs, &parent);
	return r;
}

int held_get(struct fs *fs, fuse_ino_t packed, struct held *ret_held)
{
	struct node node = node_unpack(packed);
	uint32_t serial;

	if (node_snapshot(fs, packed, &serial))
		return hold_snapshot(fs, serial, ret_held);
	if (node.kind == NODE_SHARED)
		return hold_shared(fs, node, ret_held);
	return node.kind == NODE_OWN ? hold_own(fs, node, ret_held) : EISDIR;
}

void held_end(struct fs *fs, struct held *held)
{
	if (held->info)
		root_used(fs, held->snapshot, -1);
	bt_page_put(fs->store, held->page);
	held->info = NULL;
	held->page = NULL;
}

int held_attr(struct fs *fs, fuse_ino_t node, struct stat *ret_stat)
{
	struct held held;
	int r = held_get(fs, node, &held);

	if (r)
		return r;
	xattr_fill(fs, held.entry, inode_of(fs, held.entry, held.path, held.snapshot), ret_stat);
	if (held.info)
		ret_stat->st_ctim = (struct timespec){held.info->time.seconds, held.info->time.nanoseconds};
	held_end(fs, &held);
	return r;
}
