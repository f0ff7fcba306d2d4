/* SPDX-License-Identifier: MIT */
#include "dirs.h"
#include "ops.h"
#include "versions.h"
#include <errno.h>
#include <stdlib.h>

#define LISTING_MAX ((size_t)1 << 20)

/* A reply being filled. Offsets: 0 before ".", 1 before ".."; from 2 on the index of an entry, and in versions/ its
 * cookie. */
struct listing {
	fuse_req_t req;
	bool plus;
	char *data;
	size_t size, used;
};

/* False if the entry does not fit. Entries with nodes (plus) are only listed inside snapshots, never for snapshots
 * themselves, so that nothing has to be counted. */
static bool list_one(struct listing *listing, const char *name, struct fuse_entry_param *param, uint64_t next)
{
	param->generation = op_fs(listing->req)->generation;
	char *at = listing->data + listing->used;
	size_t room = listing->size - listing->used;
	size_t need = listing->plus ? fuse_add_direntry_plus(listing->req, at, room, name, param, (off_t)next)
				    : fuse_add_direntry(listing->req, at, room, name, &param->attr, (off_t)next);
	if (need > room)
		return false;
	listing->used += need;
	return true;
}

/* Lists "." and "..", of which the kernel only takes the names. */
static bool list_dots(struct listing *listing, uint64_t *offset)
{
	static const char *const names[] = {".", ".."};
	struct fuse_entry_param param = {.attr = {.st_mode = S_IFDIR, .st_ino = FUSE_ROOT_ID}};

	for (; *offset < 2; (*offset)++)
		if (!list_one(listing, names[*offset], &param, *offset + 1))
			return false;
	return true;
}

static int list_top(struct fs *fs, fuse_ino_t node, struct listing *listing, uint64_t offset)
{
	struct top_entry entry;
	uint64_t next;
	int r = top_entry_at(fs, node, offset, &entry, &next);

	while (!r) {
		if (!list_one(listing, entry.name, &entry.param, next))
			return 0;
		offset = next;
		r = top_entry_at(fs, node, offset, &entry, &next);
	}
	return r == ENOENT ? 0 : r;
}

static int list_versions(struct fs *fs, fuse_ino_t node, struct listing *listing, uint64_t offset)
{
	struct versions_entry entry;
	int r = versions_after(fs, node, offset, &entry);

	while (!r) {
		if (!list_one(listing, entry.name, &entry.param, entry.cookie))
			return 0;
		r = versions_after(fs, node, entry.cookie, &entry);
	}
	return r == ENOENT ? 0 : r;
}

static int list_entries(struct fs *fs, fuse_ino_t node, struct listing *listing, uint64_t offset)
{
	struct dir dir;
	struct found found = {0};
	struct fuse_entry_param param;
	int r = dir_open(fs, node, &dir);

	if (r)
		return r;
	do {
		r = dir_at(fs, &dir, offset - 2, &found);
		if (!r)
			r = dir_entry(fs, &dir, &found, &param);
		offset++;
	} while (!r && list_one(listing, found.entry->name, &param, offset));
	dir_close(fs, &dir);
	return r == ENOENT ? 0 : r;
}

static int list(struct fs *fs, fuse_ino_t node, struct listing *listing, uint64_t offset)
{
	if (!list_dots(listing, &offset))
		return 0;
	if (top_is_list(fs, node))
		return list_top(fs, node, listing, offset);
	if (versions_has(node))
		return list_versions(fs, node, listing, offset);
	return list_entries(fs, node, listing, offset);
}

static void reply_listing(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, bool plus)
{
	struct listing listing = {.req = req, .plus = plus, .size = size < LISTING_MAX ? size : LISTING_MAX};

	if (offset < 0) {
		fuse_reply_err(req, EINVAL);
		return;
	}
	listing.data = malloc(listing.size);
	if (!listing.data) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	int r = list(op_fs(req), node, &listing, (uint64_t)offset);
	if (r && listing.used == 0) /* the entries before the damage are shown first */
		fuse_reply_err(req, r);
	else
		fuse_reply_buf(req, listing.data, listing.used);
	free(listing.data);
}

void op_readdir(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *info)
{
	reply_listing(req, node, size, offset, false);
}

void op_readdirplus(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *info)
{
	reply_listing(req, node, size, offset, true);
}

void op_opendir(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *info)
{
	if (op_fs(req)->no_opendir) {
		fuse_reply_err(req, ENOSYS);
		return;
	}
	info->cache_readdir = 1;
	info->keep_cache = 1;
	fuse_reply_open(req, info);
}
