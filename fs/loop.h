/* SPDX-License-Identifier: MIT */
/* The threads that serve requests: leader and followers. The leader alone reads the device, and works on what it read
 * itself, so that quick requests need no switch of threads. Before something slow it gives the leadership up, and
 * another thread reads on. */
#ifndef FS_LOOP_H
#define FS_LOOP_H

#include "fs.h"

struct loop;
int loop_start(struct fs *fs, struct loop **ret_loop);
/* Ends all threads, also one that waits for a request, and frees loop. The session must have been told to exit. */
void loop_stop(struct loop *loop);

/* Serves requests on the calling thread alone, until there are no more. */
void loop_run(struct fs *fs);

/* Call this before waiting for anything, or another long step: if the calling thread is the leader, another one becomes
 * it. Does nothing on a thread that has given up the leadership, or does not serve requests. */
void loop_slow(struct fs *fs);

#endif
