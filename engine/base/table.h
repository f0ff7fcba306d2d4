/* SPDX-License-Identifier: MIT */
/* Elements that are found by two numbers that others chose, such as a device and an inode: seeded, so that nobody can
 * make them meet. Zero-initialised is empty; the elements are the user's. */
#ifndef BT_BASE_TABLE_H
#define BT_BASE_TABLE_H

#include "base/seed.h"

struct bt_table_key { /* the first member of an element */
	uint64_t a, b;
};

struct bt_table {
	void **slots; /* NULL is free; linear probing */
	size_t room, count;
	struct bt_seed seed;
};

void *bt_table_find(const struct bt_table *table, struct bt_table_key key); /* NULL: there is none */
/* One whose key is not in the table: 0 or BT_E_NOMEM. */
int bt_table_add(struct bt_table *table, void *element);
void bt_table_remove(struct bt_table *table, const void *element); /* which is in the table */
/* Each in turn, *at being 0 before the first; NULL at the end. */
void *bt_table_next(const struct bt_table *table, size_t *at);
void bt_table_free(struct bt_table *table);

#endif
