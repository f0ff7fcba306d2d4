/* SPDX-License-Identifier: MIT */
/* What finding the newest snapshot, and one by its name, have to do with each other. */
#ifndef BT_VIEW_SELECT_H
#define BT_VIEW_SELECT_H

#include <backuptool/select.h>

/* All snapshots of a store by their names, none read: those not after now, the newest first, then those after. The
 * roster is that of the beginning, and put back at the end. */
struct bt_newest {
	const struct bt_roster *roster;
	int64_t now;
	size_t at;   /* begin with the number of snapshots */
	bool future; /* of what was given last */
	int64_t seconds;
};
void bt_newest_begin(struct bt_newest *newest, struct bt_store *store, int64_t now);
void bt_newest_end(struct bt_newest *newest);
/* NULL after the last one. */
const char *bt_newest_next(struct bt_newest *newest);

/* Names of version 1 files carry local time, without zone. To open one for the first time is to read all of it. */
bool bt_name_is_classic(const char *name);

/* named.c: by a name or its beginning. */
int bt_select_named(struct bt_store *store, const char *text, const char **ret_name, struct bt_error *error);
/* "the oldest is NAME", or that the store has none. */
int bt_select_too_old(struct bt_store *store, const char *text, const char *oldest, struct bt_error *error);

#endif
