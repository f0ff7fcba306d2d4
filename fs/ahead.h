/* SPDX-License-Identifier: MIT */
/* Decodes ahead. When a file is read from one end to the other, or small files one after another, threads of this room
 * decode the next block while the reader is still at the present one. */
#ifndef FS_AHEAD_H
#define FS_AHEAD_H

#include "dirs.h"

int ahead_start(struct fs *fs, struct ahead **ret_ahead);
void ahead_stop(struct ahead *ahead); /* NULL is fine */

/* A read that is about to be answered. */
struct ahead_read {
	fuse_ino_t node;
	const void *block; /* the block that it begins in */
	uint64_t offset, end;
	uint64_t next; /* where its last content ends in the file */
};
/* Notes the read, and has the next block decoded if it is likely to be read next. */
void ahead_note(struct ahead *ahead, const struct held *held, const struct ahead_read *read);

#endif
