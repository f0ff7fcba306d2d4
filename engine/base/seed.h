/* SPDX-License-Identifier: MIT */
/*
 * The hash of every table whose keys come from outside: of a store, a file name, an inode number. Whoever makes the
 * keys knows neither the seed nor which keys meet, so that nobody can make a table slow. What the hash says never goes
 * to a file, and a table's order never to the output: for what must stay the same there is bt_hash_bytes.
 */
#ifndef BT_BASE_SEED_H
#define BT_BASE_SEED_H

#include <stddef.h>
#include <stdint.h>

struct bt_seed {
	uint64_t a, b;
};

/* The process's own, another one in each: the kernel made it when the program began. It costs no system call. */
struct bt_seed bt_seed(void);
/* SipHash-1-3 (Aumasson and Bernstein), whose collisions nobody can choose without the seed. */
uint64_t bt_seeded_hash(const struct bt_seed *seed, const void *data, size_t length);

#endif
