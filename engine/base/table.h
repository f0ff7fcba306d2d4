/* SPDX-License-Identifier: MIT */
/*
 * A hash table of pointers to elements, which the caller owns. Each element begins with its key; keys come from
 * outside, so the hash is seeded. Zero-initialised is empty, and finds elements by two numbers, such as a device and
 * an inode; for other keys, set kind first.
 */
#ifndef BT_BASE_TABLE_H
#define BT_BASE_TABLE_H

#include "base/seed.h"
#include <stdbool.h>

struct bt_table_key {
	uint64_t a, b;
};

struct bt_table_kind {
	uint64_t (*hash)(const struct bt_seed *seed, const void *key);
	bool (*same)(const void *key, const void *other);
};

struct bt_table {
	const struct bt_table_kind *kind; /* NULL: keys are struct bt_table_key */
	void **slots;			  /* open addressing, linear probing; NULL: free */
	size_t room, count;		  /* room: number of slots, a power of two or 0 */
	struct bt_seed seed;
};

void *bt_table_find_key(const struct bt_table *table, const void *key); /* NULL: not found */
/* Adds an element whose key is not in the table: 0 or BT_E_NOMEM. */
int bt_table_add(struct bt_table *table, void *element);
/* Removes an element that is in the table. Later elements may move into its slot. */
void bt_table_remove(struct bt_table *table, const void *element);
/* Returns the elements one by one, and NULL at the end. Start with *at == 0; after removing the element that was
 * returned last, decrement *at. */
void *bt_table_next(const struct bt_table *table, size_t *at);
void bt_table_free(struct bt_table *table); /* frees the slots and leaves an empty table; elements stay */

static inline void *bt_table_find(const struct bt_table *table, struct bt_table_key key)
{
	return bt_table_find_key(table, &key);
}

#endif
