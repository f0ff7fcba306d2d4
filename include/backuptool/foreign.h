/* SPDX-License-Identifier: MIT */
/* Symbolic links of other users on the way to a path. The owner of a link decides where it leads everybody who follows
 * it. */
#ifndef BACKUPTOOL_FOREIGN_H
#define BACKUPTOOL_FOREIGN_H

#include <backuptool/error.h>

BT_C_BEGIN

struct bt_foreign_link {
	char *link;	/* its path, which leads through no other link */
	unsigned owner; /* neither root nor the effective user */
	char *place;	/* where the whole path leads: absolute, and without links in it */
};

/* Finds the first link on the way to path, its last component included, that belongs to another user. also: a further
 * user whose links are accepted (0: no further user). Returns 1 and *ret_link, which the caller frees; 0 if this
 * process sees no such link; or BT_E_NOMEM. */
int bt_foreign_link_find(const char *path, unsigned also, struct bt_foreign_link *ret_link);
void bt_foreign_link_free(struct bt_foreign_link *link);

BT_C_END

#endif
