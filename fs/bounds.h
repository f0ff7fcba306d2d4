/* SPDX-License-Identifier: MIT */
/* How much the process may take, and what it may touch. */
#ifndef FS_BOUNDS_H
#define FS_BOUNDS_H

#include <backuptool/error.h>
#include <stddef.h>
#include <sys/types.h>

/* Descriptors as many as there can be; memory that is given back. First of all. */
void bounds_raise(void);

/* How many files of the store may be open at a time. */
unsigned bounds_store_files(void);

/* What the store keeps of decoded blocks, when all caches together are to take this much (0: the default). */
size_t bounds_blocks_cache(size_t wanted);

/*
 * How far the kernel reads ahead in files of a mounted device, for whoever may say so (root): a descriptor to write
 * BOUNDS_READ_AHEAD_KB to once the mount has answered, or -1. Its own 128 KiB are a seventh of a block: the decoding of
 * the next would wait for the reader to come near, and there would be eight requests instead of one.
 */
#define BOUNDS_READ_AHEAD_KB "1024"
int bounds_open_read_ahead(dev_t device);

/*
 * From here on nothing can be opened but the files of the store (a directory), for reading, and what is derived from
 * them in its cache/, which is made when missing. Before threads are started; whoever unmounts is another process.
 */
int bounds_confine(int store_fd, struct bt_error *error);

#endif
