/* SPDX-License-Identifier: MIT */
/*
 * Hands data to the kernel before it asks: the next small files of a directory that is being read from one end to the
 * other, and the rest of a block that is read in small pieces. This saves the round trip of a read.
 *
 * The kernel stores the data into pages that it locks, and pages stay locked while a read of them waits. So that no
 * thread waits for itself:
 * - a range of a file is only stored after the read of that file was answered, by the same thread;
 * - the storing thread has given up the leadership and holds no lock that a request takes, and all that it stores is
 *   decoded before; so other threads answer all other reads;
 * - one thread stores at a time, so that at least one is left for that.
 */
#ifndef FS_PUSH_H
#define FS_PUSH_H

#include "dirs.h"

#define PUSH_MAX 64

struct push;
int push_new(struct push **ret_push);
void push_free(struct push *push); /* NULL is fine */

/* Data to store, pinned. */
struct push_plan {
	struct {
		fuse_ino_t node;
		struct bt_slice slice; /* pins data, unless the caller's slice does */
		const unsigned char *data;
		uint64_t offset, length;
	} parts[PUSH_MAX];
	unsigned count;
	uint32_t leaf,
		end; /* for siblings: their leaf, and the entry after the last one; end 0: the rest of one file */
};

/* After a read of a whole small file: plans to store the files that follow, if they are likely to be read next. */
void push_plan_siblings(struct fs *fs, fuse_ino_t node, const struct held *held, struct push_plan *ret_plan);
/* After a read of at most PUSH_RANDOM bytes that decoded a block: plans to store all of the file that lies with the
 * slice at offset. Call push_store after the answer, and before the slice is ended. */
#define PUSH_RANDOM (16u << 10)
void push_plan_rest(struct fs *fs, fuse_ino_t node, const struct held *held, uint64_t offset,
		    const struct bt_slice *slice, struct push_plan *ret_plan);
/* Stores the planned data, unless another thread is storing. Call loop_slow before. */
void push_store(struct fs *fs, const struct push_plan *plan);
void push_plan_end(struct fs *fs, struct push_plan *plan);

#endif
