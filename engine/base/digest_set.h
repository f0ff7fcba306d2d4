/* SPDX-License-Identifier: MIT */
/*
 * A set of digests. It keeps the first 16 bytes of each: no two are equal in 128 bits of SHA-256 by accident.
 * Zero-initialised is empty.
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
	struct bt_digest_key *slots; /* their number is a power of two; {0, 0} is free */
	size_t capacity, count;
	struct bt_seed seed; /* digests may not have been verified */
};

/* 1: added; 0: it was there; or BT_E_NOMEM. */
int bt_digest_set_add(struct bt_digest_set *set, const struct bt_digest *digest);
/* Adds all of the other one: 0, or BT_E_NOMEM. */
int bt_digest_set_join(struct bt_digest_set *set, const struct bt_digest_set *other);
void bt_digest_set_remove(struct bt_digest_set *set, const struct bt_digest *digest);
bool bt_digest_set_has(const struct bt_digest_set *set, const struct bt_digest *digest);
void bt_digest_set_free(struct bt_digest_set *set);

#endif
