/* SPDX-License-Identifier: MIT */
/* A table of byte strings, each below an owner: names in directories, and other keys. */
#ifndef BT_WATCH_NAMES_H
#define BT_WATCH_NAMES_H

#include "base/seed.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bt_name {
	const void *owner;
	void *data;	/* the user's; not freed */
	unsigned flags; /* the user's */
	uint16_t length;
	char text[]; /* a NUL behind it */
};

/* Zero-initialised is empty. */
struct bt_names {
	struct bt_name **slots; /* NULL: free */
	size_t size, count;	/* size: of slots, a power of two or 0 */
	struct bt_seed seed;
};

struct bt_name *bt_names_find(const struct bt_names *names, const void *owner, const void *text, size_t length);
/* The one that is there, or a new one without data and flags; NULL on out of memory. length up to UINT16_MAX. */
struct bt_name *bt_names_add(struct bt_names *names, const void *owner, const void *text, size_t length);
/* Frees it. Others behind it may move into its slot and on, so that a loop over slots looks at the same slot again. */
void bt_names_remove(struct bt_names *names, struct bt_name *name);
void bt_names_clear(struct bt_names *names);

#endif
