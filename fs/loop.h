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
int loop_start(struct fs *fs, struct loop **ret_loop);
/* Ends all threads, including one that waits for a request, and frees. The session must have been told to exit. */
void loop_stop(struct loop *loop);

/* Serves on the calling thread alone, until there are no more requests. */
void loop_run(struct fs *fs);

/* What follows may take long: if the calling thread is the leader, another one becomes it. Call it before waiting for
 * anything. Does nothing on a thread that has given up the leadership, or that serves no requests. */
void loop_slow(struct fs *fs);

#endif
