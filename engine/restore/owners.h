/* SPDX-License-Identifier: MIT */
/* To whom belongs what is restored: the users and groups of this machine that stand for those of the snapshot. */
#ifndef BT_RESTORE_OWNERS_H
#define BT_RESTORE_OWNERS_H

#include "base/arena.h"
#include <backuptool/restore.h>

/* A number of the snapshot that stands for another one, or of which something is told at the end. */
struct bt_restore_owner {
	uint32_t from, to;
	struct bt_owner_note note; /* id, kind and name are of from; doubt 0: nothing is told */
	uint64_t last;		   /* the entry that was counted last, by its number */
};

struct bt_restore_owners {
	bool leave; /* owners are not set, and not compared */
	bool tells;
	uint64_t counted; /* entries */
	struct bt_owners *names;
	struct bt_arena arena;
	struct {
		struct bt_restore_owner *list; /* sorted by from */
		size_t count, room;
	} kinds[BT_OWNER_KINDS];
};

/* Looks everybody up, and so before the process is confined. privileged: the process may set owners.
 * BT_E_INVALID: somebody to map does not exist. */
int bt_restore_owners_init(struct bt_restore_owners *owners, struct bt_store *store, const struct bt_snapshot *snapshot,
			   const struct bt_restore_options *options, bool privileged, struct bt_error *error);
void bt_restore_owners_free(struct bt_restore_owners *owners);

/* What to set for a number of the snapshot. */
uint32_t bt_restore_owner(const struct bt_restore_owners *owners, enum bt_owner_kind kind, uint32_t id);
/* An extended attribute as it is to be set: an ACL has the numbers of this machine. The caller frees made. 0 or
 * BT_E_NOMEM. */
struct bt_restored_xattr {
	struct bt_xattr xattr;
	unsigned char *made; /* its value, or NULL: the value is borrowed */
};
int bt_restore_xattr(const struct bt_restore_owners *owners, const struct bt_xattr *xattr,
		     struct bt_restored_xattr *ret_xattr);

/* Counts an entry for what is told at the end. One thread at a time. */
void bt_restore_owners_count(struct bt_restore_owners *owners, const struct bt_entry *entry);
/* Tells it, of most entries first. */
void bt_restore_owners_tell(struct bt_restore_owners *owners, const struct bt_restore_options *options);

#endif
