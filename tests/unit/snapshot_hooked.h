/* SPDX-License-Identifier: MIT */
/* Changes while a snapshot is taken, from the questions whether it is to end. */
#ifndef BT_TESTS_SNAPSHOT_HOOKED_H
#define BT_TESTS_SNAPSHOT_HOOKED_H

#include "snapshot_world.h"

struct hooked {
	struct world world; /* first: the observer's arg */
	unsigned calls, cancel_at;
	void (*hook)(struct hooked *hooked);
	int fd;
};

void hooked_begin(struct hooked *hooked);
int hooked_take(struct hooked *hooked, void (*hook)(struct hooked *hooked));
void hooked_end(struct hooked *hooked);

/* All its bytes can be read, and are what its digest says. */
void check_readable(struct world *world, const struct bt_entry *entry);

#endif
