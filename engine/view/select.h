/* SPDX-License-Identifier: MIT */
/* Shared by finding the newest snapshots and finding one by its name. */
#ifndef BT_VIEW_SELECT_H
#define BT_VIEW_SELECT_H

#include <backuptool/select.h>

/* Goes through all snapshots of a store by their names alone: those not after now, newest first, then those after. The
 * roster is taken at begin and put back at end. */
struct bt_newest {
	const struct bt_roster *roster;
	int64_t now;
	size_t at;   /* counts down from the number of snapshots */
	bool future; /* of the last name given */
	int64_t seconds;
};
void bt_newest_begin(struct bt_newest *newest, struct bt_store *store, int64_t now);
void bt_newest_end(struct bt_newest *newest);
/* NULL after the last one. */
const char *bt_newest_next(struct bt_newest *newest);

/* Names of version 1 files are in local time, without zone. Opening one for the first time reads all of it. */
bool bt_name_is_classic(const char *name);

/* named.c: finds a snapshot by its name or the beginning of it. */
int bt_select_named(struct bt_store *store, const char *text, const struct bt_filter *filter, const char **ret_name,
		    struct bt_error *error);
/* Fails with "the oldest is NAME", or says that the store has no snapshot. */
int bt_select_too_old(struct bt_store *store, const char *text, const struct bt_filter *filter, const char *oldest,
		      struct bt_error *error);

/* of_second.c: the first snapshot of that second that fits. One that cannot be read does not. *ret_name is the store's;
 * NULL: there is none. */
int bt_find_of_second(struct bt_store *store, int64_t seconds,
		      bool (*fits)(void *arg, const struct bt_snapshot_info *info), void *arg, const char **ret_name,
		      struct bt_error *error);

#endif
