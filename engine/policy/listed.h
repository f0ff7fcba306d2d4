/* SPDX-License-Identifier: MIT */
/* Paths that somebody listed, of which a walk asks what is wanted: each question costs the logarithm of their number.
 */
#ifndef BT_POLICY_LISTED_H
#define BT_POLICY_LISTED_H

#include <backuptool/error.h>
#include <stdbool.h>
#include <stddef.h>

struct bt_listed;

/* Of a directory: the listed paths below it, and whether it is listed itself, or lies below one that is. */
struct bt_listed_range {
	size_t first, end;
	bool whole;
};

/* Copies them. They are relative; BT_E_INVALID for one that is not, or has "..". */
int bt_listed_new(const char *const *paths, size_t count, struct bt_listed **ret_listed, struct bt_error *error);
void bt_listed_free(struct bt_listed *listed);

/* The rest may be called by several threads. */

struct bt_listed_range bt_listed_root(struct bt_listed *listed);
/* Of an entry in the directory with that range. If it is listed, it is found. path: as "docs/a.txt". */
struct bt_listed_range bt_listed_find(struct bt_listed *listed, const struct bt_listed_range *above, const char *path);
/* All of the range counts as found: something else is known of it. */
void bt_listed_pass(struct bt_listed *listed, const struct bt_listed_range *range);
/* The first one from *at on that was not found; *at is after it then. NULL: there is none. */
const char *bt_listed_lost(const struct bt_listed *listed, size_t *at);

#endif
