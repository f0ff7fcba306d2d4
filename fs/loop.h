/* SPDX-License-Identifier: MIT */
/*
 * The threads that serve requests: leader and followers. The leader alone reads the device, and works on what it read
 * itself, so that quick requests cost no change of threads. Before something slow it gives the leadership up, and the
 * next thread reads on.
 */
#ifndef FS_LOOP_H
#define FS_LOOP_H

#include "fs.h"

struct loop;
int loop_start(struct fs *fs, struct loop **ret_loop); /* 0 or an errno */
/* Ends all threads, also one that waits for a request, and frees. The session has been told to exit. */
void loop_stop(struct loop *loop);

/* The same on the calling thread alone, until there are no more requests. */
void loop_run(struct fs *fs);

/* For the operations, about the thread that they are called on: */
void loop_slow(void);	/* what follows may take long; at most once a request counts */
void loop_unlock(void); /* the same, and fs->lock is given back: nothing of the root from here on */
/* Gives fs->lock back for a while, and takes it again; false on a thread that serves no request, or that keeps it
 * because it holds a lock which others wait for with fs->lock in their hands. */
bool loop_pause(void);
void loop_resume(void);
void loop_keep(bool keep);
char *loop_buffer(size_t size,
		  size_t *ret); /* scratch until the reply; *ret: its size, at most size. NULL: no memory */

#endif
