/* SPDX-License-Identifier: MIT */
/* A table of byte strings, each below an owner: names in directories, and other keys. */
#ifndef BT_WATCH_NAMES_H
#define BT_WATCH_NAMES_H

#include "base/table.h"

struct bt_name {
	const void *owner;
	const char *text; /* with a NUL after it */
	uint16_t length;
	unsigned flags; /* the user's */
	void *data;	/* the user's; not freed */
};

/* Zero-initialised is empty. */
struct bt_names {
	struct bt_table table; /* of struct bt_name */
};

struct bt_name *bt_names_find(const struct bt_names *names, const void *owner, const void *text, size_t length);
/* The name that is there, or a new one without data and flags; NULL on out of memory. length up to UINT16_MAX. */
struct bt_name *bt_names_add(struct bt_names *names, const void *owner, const void *text, size_t length);
/* As bt_table_next. */
struct bt_name *bt_names_next(const struct bt_names *names, size_t *at);
void bt_names_remove(struct bt_names *names, struct bt_name *name); /* frees it */
void bt_names_clear(struct bt_names *names);

#endif
