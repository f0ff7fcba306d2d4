/* SPDX-License-Identifier: MIT */
/* Bounds the resources of the process, and the files that it may open. */
#ifndef FS_BOUNDS_H
#define FS_BOUNDS_H

#include <backuptool/error.h>
#include <stddef.h>
#include <sys/types.h>

/* Raises the limit of descriptors as far as possible, and makes the allocator give freed memory back. Call it first. */
void bounds_raise(void);

/* The number of store files that may be open at a time. */
unsigned bounds_store_files(void);

/* The size of the cache of decoded blocks, if all caches together may take wanted bytes (0: the default). */
size_t bounds_blocks_cache(size_t wanted);

/* A descriptor that sets how far the kernel reads ahead in the files of a mounted device, which only root may do: write
 * BOUNDS_READ_AHEAD_KB to it once the mount has answered. -1: not permitted. The default of 128 KiB is a seventh of a
 * block: the next block would be decoded only when the reader is near it, and there would be eight requests instead of
 * one. */
#define BOUNDS_READ_AHEAD_KB "1024"
int bounds_open_read_ahead(dev_t device);

/* Confines the process: from now on it can open only the files of the store, for reading, and derived files in cache/,
 * which is made if it is missing. Call it before threads are started. Unmounting needs another process then. */
int bounds_confine(int store_fd, struct bt_error *error);

#endif
