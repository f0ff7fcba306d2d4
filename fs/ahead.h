/* SPDX-License-Identifier: MIT */
/*
 * Decoding ahead: when a file is read on from where it was read before, or small files one after the other, threads of
 * their own decode what comes next, while the reader still has the present piece.
 */
#ifndef FS_AHEAD_H
#define FS_AHEAD_H

#include "dirs.h"

int ahead_start(struct fs *fs, struct ahead **ret_ahead); /* 0 or an errno */
void ahead_stop(struct ahead *ahead);			  /* NULL is fine */

/* A read that is about to be answered. */
struct ahead_read {
	fuse_ino_t node;
	const void *block; /* that it begins in */
	uint64_t offset, end;
	uint64_t next; /* where in the file its last content ends */
};
void ahead_note(struct ahead *ahead, const struct held *held, const struct ahead_read *read);

#endif
