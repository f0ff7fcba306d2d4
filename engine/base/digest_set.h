/* SPDX-License-Identifier: MIT */
/*
 * A set of digests, kept as their first 16 bytes each: 128 bits of SHA-256 do not meet by accident. Zero-initialised is
 * empty.
 */
#ifndef BT_BASE_DIGEST_SET_H
#define BT_BASE_DIGEST_SET_H

#include "base/seed.h"
#include <backuptool/types.h>
#include <stdbool.h>

struct bt_digest_key {
	uint64_t a, b;
};

struct bt_digest_set {
	struct bt_digest_key *slots; /* a power of two of them; {0, 0} is free */
	size_t capacity, count;
	struct bt_seed seed; /* there are digests that nobody verified */
};

/* 1 if it was new, 0 if it was there, or BT_E_NOMEM. */
int bt_digest_set_add(struct bt_digest_set *set, const struct bt_digest *digest);
/* Adds all of the other one: 0, or BT_E_NOMEM. */
int bt_digest_set_join(struct bt_digest_set *set, const struct bt_digest_set *other);
bool bt_digest_set_has(const struct bt_digest_set *set, const struct bt_digest *digest);
void bt_digest_set_free(struct bt_digest_set *set);

#endif
