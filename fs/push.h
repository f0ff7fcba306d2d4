/* SPDX-License-Identifier: MIT */
/*
 * Handing data to the kernel before it asks: the next small files of a directory that is being read from one end to the
 * other, and the rest of a block of which somebody reads pieces. It saves the round trip of a read.
 *
 * The kernel stores into pages that it locks, and pages are locked for as long as somebody waits for a read of them. So
 * that nothing ever waits for itself:
 * - no range of a file is stored before the answer to a read of that file is out, by the same thread;
 * - the storing thread has given up the leadership, holds no lock that a request takes, and all that it stores is
 *   decoded before; so every other read is answered by the other threads;
 * - one thread stores at a time, so that one at least is left for that.
 */
#ifndef FS_PUSH_H
#define FS_PUSH_H

#include "dirs.h"

#define PUSH_MAX 64

struct push;
int push_new(struct push **ret_push);
void push_free(struct push *push); /* NULL is fine */

/* What is to be stored, pinned. */
struct push_plan {
	struct {
		fuse_ino_t node;
		struct bt_slice slice; /* keeps data, unless the caller's does */
		const unsigned char *data;
		uint64_t offset, length;
	} parts[PUSH_MAX];
	unsigned count;
	uint32_t leaf, end; /* they are the entries of a leaf before this one; end 0: it is the rest of a file */
};

/* A read of a whole small file of this node: plans for the files that follow, once it looks as if they were next. */
void push_plan_siblings(struct fs *fs, fuse_ino_t node, const struct held *held, struct push_plan *ret_plan);
/* A read of at most PUSH_RANDOM bytes, for which a block had to be decoded: plans for all of the file that lies
 * together with the slice at offset, which is to be stored after the answer and before the slice is ended. */
#define PUSH_RANDOM (16u << 10)
void push_plan_rest(struct fs *fs, fuse_ino_t node, const struct held *held, uint64_t offset,
		    const struct bt_slice *slice, struct push_plan *ret_plan);
/* Hands the data over, unless another thread is doing that. Call loop_slow before. */
void push_store(struct fs *fs, const struct push_plan *plan);
void push_plan_end(struct fs *fs, struct push_plan *plan);

#endif
