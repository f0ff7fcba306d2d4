/* SPDX-License-Identifier: MIT */
/* The FUSE operations. Each resolves its node, makes one or two calls of the engine, and replies. */
#ifndef FS_OPS_H
#define FS_OPS_H

#include "fs.h"

extern const struct fuse_lowlevel_ops ops_table;

void op_init(void *userdata, struct fuse_conn_info *conn);
void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_getattr(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *info);
void op_readlink(fuse_req_t req, fuse_ino_t node);
void op_opendir(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *info);
void op_readdir(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *info);
void op_readdirplus(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *info);
void op_open(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *info);
void op_read(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *info);
void op_lseek(fuse_req_t req, fuse_ino_t node, off_t offset, int whence, struct fuse_file_info *info);
void op_getxattr(fuse_req_t req, fuse_ino_t node, const char *name, size_t size);
void op_listxattr(fuse_req_t req, fuse_ino_t node, size_t size);
void op_statfs(fuse_req_t req, fuse_ino_t node);

/* ops_readonly.c */
void op_setattr(fuse_req_t req, fuse_ino_t node, struct stat *attr, int what, struct fuse_file_info *info);
void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device);
void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void op_remove(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent, const char *new_name,
	       unsigned flags);
void op_link(fuse_req_t req, fuse_ino_t node, fuse_ino_t new_parent, const char *new_name);
void op_write(fuse_req_t req, fuse_ino_t node, const char *data, size_t size, off_t offset,
	      struct fuse_file_info *info);
void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *info);
void op_setxattr(fuse_req_t req, fuse_ino_t node, const char *name, const char *value, size_t size, int flags);
void op_removexattr(fuse_req_t req, fuse_ino_t node, const char *name);
void op_fallocate(fuse_req_t req, fuse_ino_t node, int mode, off_t offset, off_t length, struct fuse_file_info *info);

static inline struct fs *op_fs(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/* Completes what the kernel is about to be told of an entry, and counts the entry as looked up; op_forgotten takes
 * lookups back. */
void op_entry_known(struct fs *fs, struct fuse_entry_param *param);
void op_forgotten(struct fs *fs, fuse_ino_t node, uint64_t lookups);

/* ops_top.c: the root, and its entries other than snapshots' directories. */
int top_attr(struct fs *fs, fuse_ino_t node, struct stat *ret_stat); /* for any node of kind NODE_TOP */
int top_lookup(struct fs *fs, fuse_ino_t above, const char *name, struct fuse_entry_param *ret_param);
int top_readlink(struct fs *fs, fuse_ino_t node, char *target, size_t size); /* terminated */
bool top_is_list(struct fs *fs,
		 fuse_ino_t node); /* it lists snapshots, or directories that do: the root, or of -o group */
fuse_ino_t top_parent(struct fs *fs, fuse_ino_t node); /* of a node of kind NODE_TOP outside of versions/ */
fuse_ino_t top_group_node(uint32_t group);	       /* that of groups.h */

/* The entry of such a list at a reader's offset; ENOENT at the end. *ret_next: the offset after it. */
struct top_entry {
	char name[256];
	struct fuse_entry_param param;
};
int top_entry_at(struct fs *fs, fuse_ino_t list, uint64_t offset, struct top_entry *ret_entry, uint64_t *ret_next);

#endif
