/* SPDX-License-Identifier: MIT */
#include "dirs.h"
#include "ops.h"
#include "versions.h"
#include <errno.h>
#include <sys/statvfs.h>
#include <unistd.h>

void op_init(void *userdata, struct fuse_conn_info *conn)
{
	struct fs *fs = userdata;
	unsigned wanted = FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_EXPORT_SUPPORT | FUSE_CAP_PARALLEL_DIROPS |
			  FUSE_CAP_NO_OPEN_SUPPORT | FUSE_CAP_NO_OPENDIR_SUPPORT;

	if (fs->options.xattr != XATTR_OFF && !attr_rules_any(&fs->options.rules))
		wanted |= FUSE_CAP_POSIX_ACL;
	conn->want |= wanted & conn->capable;
	fs->acls = conn->want & FUSE_CAP_POSIX_ACL;
	conn->want &= ~(unsigned)(FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
				  FUSE_CAP_SPLICE_MOVE);
	conn->max_read = fs->options.max_read; /* libfuse compares it with the mount option */
	conn->max_background = 64;
	conn->congestion_threshold = 64;
	fs->no_open = conn->capable & FUSE_CAP_NO_OPEN_SUPPORT;
	fs->no_opendir = conn->capable & FUSE_CAP_NO_OPENDIR_SUPPORT;
}

void op_statfs(fuse_req_t req, fuse_ino_t node)
{
	struct statvfs space;

	if (fstatvfs(op_fs(req)->store_fd, &space) != 0) {
		fuse_reply_err(req, errno);
		return;
	}
	space.f_namemax = 255;
	fuse_reply_statfs(req, &space);
}

static void op_forget(fuse_req_t req, fuse_ino_t node, uint64_t lookups)
{
	op_forgotten(op_fs(req), node, lookups);
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		op_forgotten(op_fs(req), forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

/* Holes are sorted and do not touch, so that all bytes outside of them are data. */
static off_t seek_in(const struct bt_entry *entry, uint64_t offset, int whence)
{
	const struct bt_extra *extra = entry->extra;
	uint32_t low = 0, high = extra ? extra->hole_count : 0;

	while (low < high) { /* finds the first hole that ends after the offset */
		uint32_t middle = low + (high - low) / 2;

		if (extra->holes[middle].offset + extra->holes[middle].length <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	bool hole = extra && low < extra->hole_count;
	const struct bt_extent *next = hole ? &extra->holes[low] : NULL;
	bool inside = hole && next->offset <= offset;
	if (whence == SEEK_HOLE)
		return (off_t)(inside ? offset : hole ? next->offset : entry->size);
	if (!inside)
		return (off_t)offset;
	return next->offset + next->length < entry->size ? (off_t)(next->offset + next->length) : -1;
}

void op_lseek(fuse_req_t req, fuse_ino_t node, off_t offset, int whence, struct fuse_file_info *info)
{
	struct fs *fs = op_fs(req);
	struct held held;
	int r = held_get(fs, node, &held);

	if (r) {
		fuse_reply_err(req, r);
		return;
	}
	bool inside = offset >= 0 && (uint64_t)offset < held.entry->size;
	off_t found = inside ? seek_in(held.entry, (uint64_t)offset, whence) : -1;
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		r = EINVAL;
	else if (found < 0)
		r = ENXIO;
	held_end(fs, &held);
	if (r)
		fuse_reply_err(req, r);
	else
		fuse_reply_lseek(req, found);
}

const struct fuse_lowlevel_ops ops_table = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.readlink = op_readlink,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.readdirplus = op_readdirplus,
	.open = op_open,
	.read = op_read,
	.lseek = op_lseek,
	.getxattr = op_getxattr,
	.listxattr = op_listxattr,
	.statfs = op_statfs,
	.setattr = op_setattr,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.unlink = op_remove,
	.rmdir = op_remove,
	.symlink = op_symlink,
	.rename = op_rename,
	.link = op_link,
	.write = op_write,
	.create = op_create,
	.setxattr = op_setxattr,
	.removexattr = op_removexattr,
	.fallocate = op_fallocate,
};
