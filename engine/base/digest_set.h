/* SPDX-License-Identifier: MIT */
/*
 * A set of digests, and of other keys of 16 bytes. A digest takes 16 bytes, too, in which its halves are mixed by the
 * seed. So no two are equal by accident, and an attacker who makes contents cannot make two that the set takes for one.
 * Keys come from outside, so the hash is seeded. Zero-initialised is empty.
 */
#ifndef BT_BASE_DIGEST_SET_H
#define BT_BASE_DIGEST_SET_H

#include "base/table.h"
#include <backuptool/types.h>
#include <stdbool.h>

struct bt_digest_set {
	struct bt_table_key *slots; /* open addressing, linear probing; {0, 0}: free */
	size_t room, count;	    /* room: number of slots, a power of two or 0 */
	struct bt_seed seed;
};

/* 1: added; 0: it was there; or BT_E_NOMEM. */
int bt_digest_set_add(struct bt_digest_set *set, const struct bt_digest *digest);
bool bt_digest_set_has(const struct bt_digest_set *set, const struct bt_digest *digest);
void bt_digest_set_remove(struct bt_digest_set *set, const struct bt_digest *digest); /* if it is there */
/* Adds all elements of another set: 0 or BT_E_NOMEM. */
int bt_digest_set_join(struct bt_digest_set *set, const struct bt_digest_set *other);
void bt_digest_set_free(struct bt_digest_set *set);

/* Contents [0] and pages [1]. */
struct bt_digest_sets {
	struct bt_digest_set of[2];
};

static inline void bt_digest_sets_free(struct bt_digest_sets *sets)
{
	bt_digest_set_free(&sets->of[0]);
	bt_digest_set_free(&sets->of[1]);
}

/* The same for other keys than digests; a key is not {0, 0}. */
int bt_digest_set_add_key(struct bt_digest_set *set, struct bt_table_key key);
bool bt_digest_set_has_key(const struct bt_digest_set *set, struct bt_table_key key);

#endif
