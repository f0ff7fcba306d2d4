/* SPDX-License-Identifier: MIT */
/*
 * The directory versions/ of -o versions: the trees of all snapshots merged. Each file is a directory of its distinct
 * contents, named by the time of the first snapshot that has the content. A directory is put together when it is
 * visited, from the distinct trees that it had; a few are cached. A name that was a directory in one snapshot and a
 * file in another shows both.
 *
 * Directories have nodes of their own, by path; the files in them have the same nodes as in the snapshots.
 */
#ifndef FS_VERSIONS_H
#define FS_VERSIONS_H

#include "fs.h"

int versions_new(struct fs *fs);
void versions_free(struct fs *fs);
void versions_outdate(struct fs *fs); /* call it when the list of snapshots changed; it does not wait */
void versions_tell(struct fs *fs);    /* tells the kernel that the directories changed; see follow.h */
/* Keeps directories from being put together until versions_resume. False if one is being put together just now. */
bool versions_pause(struct fs *fs);
void versions_resume(struct fs *fs);

fuse_ino_t versions_top(struct fs *fs);
bool versions_has(fuse_ino_t node); /* whether the node is versions/ or a directory in it */
/* Adds lookups of versions/ or a directory in it, like root_used. Whether a version, of any snapshot, may be open.
 * Makes the kernel forget directories that are not used (see follow.h). */
void versions_looked(struct fs *fs, fuse_ino_t node, long lookups);
bool versions_any_known(const struct fs *fs);
void versions_forget_unused(struct fs *fs);
int versions_attr(struct fs *fs, fuse_ino_t node, struct stat *ret_stat);
int versions_parent(struct fs *fs, fuse_ino_t node, fuse_ino_t *ret_parent);
int versions_lookup(struct fs *fs, fuse_ino_t parent, const char *name, struct fuse_entry_param *ret_param);

struct versions_entry {
	char name[320];
	struct fuse_entry_param param; /* node 0: a directory, which the kernel looks up when it wants more */
	uint64_t cookie;
};
/* The entry after a cookie, or the first one (cookies below 16); ENOENT at the end. Cookies depend on names alone: a
 * reader misses nothing and gets nothing twice when other names come and go. */
int versions_after(struct fs *fs, fuse_ino_t node, uint64_t cookie, struct versions_entry *ret_entry);

#endif
