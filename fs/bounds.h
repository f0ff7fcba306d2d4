/* SPDX-License-Identifier: MIT */
/* How many resources the process may use, and which files it may touch. */
#ifndef FS_BOUNDS_H
#define FS_BOUNDS_H

#include <backuptool/error.h>
#include <stddef.h>
#include <sys/types.h>

/* Raises the limit of descriptors as far as possible, and has freed memory given back. Call it first of all. */
void bounds_raise(void);

/* How many files of the store may be open at a time. */
unsigned bounds_store_files(void);

/* The size of the cache of decoded blocks, if all caches together may take this much (0: the default). */
size_t bounds_blocks_cache(size_t wanted);

/*
 * How far the kernel reads ahead in files of a mounted device, which only root may set: a descriptor to write
 * BOUNDS_READ_AHEAD_KB to once the mount has answered, or -1. The default of 128 KiB is a seventh of a block: the next
 * block would be decoded only when the reader is near it, and there would be eight requests instead of one.
 */
#define BOUNDS_READ_AHEAD_KB "1024"
int bounds_open_read_ahead(dev_t device);

/*
 * Confines the process: from here on it can open only the files of the store, for reading, and what is derived from
 * them in cache/, which is made if it is missing. Call it before threads are started. Unmounting takes another process
 * then.
 */
int bounds_confine(int store_fd, struct bt_error *error);

#endif
