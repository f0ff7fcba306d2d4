/* SPDX-License-Identifier: MIT */
/*
 * The way to a directory that a user named, one component at a time and by descriptor: only links that were checked are
 * followed, even if others change the path at the same time. Links of root and of the effective user are followed,
 * others are refused. If all are to be followed, the kernel follows them by its own rules.
 */
#ifndef BT_BASE_ROUTE_H
#define BT_BASE_ROUTE_H

#include <backuptool/foreign.h>

struct bt_route {
	int fd;		  /* the directory that was reached; readable if it is the last one */
	const char *next; /* the rest of the way, which does not exist; "" if nothing is missing */
	/* private to route.c */
	const char *path;
	bool follow_all, make, look;
	char *done, *left; /* the path to fd, without links; what next points into */
	size_t typed;	   /* bytes at the end of left that come from the path, not from links */
	unsigned also, links;
	struct bt_foreign_link foreign;
};

/* Goes as far as the way exists. BT_E_FOREIGN: a link of another user is in the way. Always call bt_route_end. */
int bt_route_begin(struct bt_route *route, const char *path, bool follow_all, struct bt_error *error);
/* Makes the missing directories and goes there. The last one (mode 0700) is certainly new; those before it (0777) are
 * made if they are still missing. Makes nothing if a link leads nowhere. */
int bt_route_make(struct bt_route *route, struct bt_error *error);
/* Returns the descriptor, which is the caller's then, or -1. */
int bt_route_take(struct bt_route *route);
void bt_route_end(struct bt_route *route);

#endif
