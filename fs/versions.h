/* SPDX-License-Identifier: MIT */
/*
 * The directory versions/ of -o versions: the trees of all snapshots merged, each file as a directory of its distinct
 * contents, named by the time of the first snapshot that has it. A directory is put together when it is visited, from
 * the distinct trees that it had; a few are kept. A name that was a directory in one snapshot and a file in another
 * shows both.
 *
 * Directories have nodes of their own, by path; the files in them are the same nodes as in the snapshots.
 */
#ifndef FS_VERSIONS_H
#define FS_VERSIONS_H

#include "fs.h"

int versions_new(struct fs *fs);
void versions_free(struct fs *fs);
void versions_outdate(struct fs *fs); /* the list of snapshots changed; at any time, without waiting */
void versions_tell(struct fs *fs);    /* tells the kernel of that; see follow.h */
/* Nothing is put together until versions_resume. False if something is being put together. */
bool versions_pause(struct fs *fs);
void versions_resume(struct fs *fs);

fuse_ino_t versions_top(struct fs *fs);
bool versions_has(fuse_ino_t node); /* a directory in it, or it */
/* As root_used, of a directory in it or it; whether there is one in which somebody may have a version open, of
 * whatever snapshot; and the kernel's chance to forget those that are in no use (see follow.h). */
void versions_looked(struct fs *fs, fuse_ino_t node, long lookups);
bool versions_any_known(const struct fs *fs);
void versions_forget_unused(struct fs *fs);
int versions_attr(struct fs *fs, fuse_ino_t node, struct stat *ret_stat);
int versions_parent(struct fs *fs, fuse_ino_t node, fuse_ino_t *ret_parent);
int versions_lookup(struct fs *fs, fuse_ino_t parent, const char *name, struct fuse_entry_param *ret_param);

struct versions_entry {
	char name[320];
	struct fuse_entry_param param; /* node 0 for a directory: the kernel asks when it wants more */
	uint64_t cookie;
};
/* The entry after a cookie, or the first (any below 16); ENOENT at the end. Cookies depend on the names alone, so that
 * a reader misses nothing and sees nothing twice when other names come and go. */
int versions_after(struct fs *fs, fuse_ino_t node, uint64_t cookie, struct versions_entry *ret_entry);

#endif
