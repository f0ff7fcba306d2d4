/* SPDX-License-Identifier: MIT */
/* The names that the users and groups of a snapshot had when it was taken. Another machine may give a number to
 * somebody else. */
#ifndef BACKUPTOOL_OWNERS_H
#define BACKUPTOOL_OWNERS_H

#include <backuptool/view.h>

BT_C_BEGIN

enum bt_owner_kind { BT_OWNER_USER, BT_OWNER_GROUP };
#define BT_OWNER_KINDS 2

/* One of a list. The name is valid UTF-8 of 1 to 255 bytes, without control characters; NUL-terminated. */
struct bt_owner_name {
	uint32_t id;
	const char *name;
};

/* Does not change, so that any number of threads may use it at the same time. */
struct bt_owners;
/* Reads the names of a snapshot. A snapshot without any, such as one of version 1, gives empty lists. The store must
 * outlive the names; the snapshot need not. BT_E_DAMAGED: the names cannot be read, the snapshot itself may be sound.
 */
int bt_owners_open(struct bt_store *store, const struct bt_snapshot *snapshot, struct bt_owners **ret_names,
		   struct bt_error *error);
void bt_owners_close(struct bt_owners *names); /* NULL is fine */

/* The name of a user or group, or NULL: it had none, or the snapshot does not have it. names may be NULL. The name
 * lives until the names are closed. */
const char *bt_owners_find(const struct bt_owners *names, enum bt_owner_kind kind, uint32_t id);
/* All names of a kind, sorted by number, each number once. Returns how many there are; the list lives until the names
 * are closed. names may be NULL. */
size_t bt_owners_list(const struct bt_owners *names, enum bt_owner_kind kind, const struct bt_owner_name **ret_list);

BT_C_END

#endif
