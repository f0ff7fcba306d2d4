/* SPDX-License-Identifier: MIT */
/*
 * The hash for every table whose keys come from outside: from a store, a file name, an inode number. An attacker who
 * chooses the keys does not know the seed, so he cannot make keys collide and a table slow. The hash is never written
 * to a file, and the order of a table never shows in the output; bt_hash_bytes is for values that must stay the same.
 */
#ifndef BT_BASE_SEED_H
#define BT_BASE_SEED_H

#include <stddef.h>
#include <stdint.h>

struct bt_seed {
	uint64_t a, b;
};

/* The seed of the process, different in each: the kernel made it when the program began. Costs no system call. */
struct bt_seed bt_seed(void);
/* SipHash-1-3 (Aumasson and Bernstein): collisions cannot be chosen without the seed. */
uint64_t bt_seeded_hash(const struct bt_seed *seed, const void *data, size_t length);

#endif
