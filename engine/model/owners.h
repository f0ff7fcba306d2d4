/* SPDX-License-Identifier: MIT */
/* The page of the names of users and groups (FORMAT.md §4), and the numbers of users and groups in ACLs. */
#ifndef BT_MODEL_OWNERS_H
#define BT_MODEL_OWNERS_H

#include "base/arena.h"
#include "base/buf.h"
#include "json/read.h"
#include <internal/view.h>

#define BT_OWNER_NAME_MAX  255
#define BT_OWNER_NAMES_MAX 65536 /* of users, and of groups */

/* Whether a page may have this name. */
bool bt_owner_name_valid(const char *name, size_t length);
/* Writes the whole page. The lists are as the format wants them; at least one is not empty. */
int bt_owner_names_write(struct bt_buf *out, const struct bt_owner_names *names);
/* Reads the page after its first key: {"users": . scratch has room for the rest of the line. */
int bt_owner_names_read(struct bt_json *json, char *scratch, struct bt_arena *arena, struct bt_owner_names *ret_names);

/* The entries of an ACL that is the value of an extended attribute; 0: the attribute is something else. */
size_t bt_acl_length(const struct bt_xattr *xattr);
/* Whether the entry at this index, below the length, is of a named user or group, and which. */
bool bt_acl_owner(const struct bt_xattr *xattr, size_t index, enum bt_owner_kind *ret_kind, uint32_t *ret_id);
/* Gives that entry another number, in a copy of the value. */
void bt_acl_set_owner(unsigned char *value, size_t index, uint32_t id);

#endif
