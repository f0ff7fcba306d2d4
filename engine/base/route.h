/* SPDX-License-Identifier: MIT */
/*
 * The way to a directory that a user named, one component at a time and by descriptor: so the links that are followed
 * are those that were checked, whatever others change meanwhile. Links of root and of the effective user are followed,
 * others are refused, unless all are to be followed: then the kernel follows them, by its own rules.
 */
#ifndef BT_BASE_ROUTE_H
#define BT_BASE_ROUTE_H

#include <backuptool/foreign.h>

struct bt_route {
	int fd;		  /* the directory that was reached; readable if it is the end of the way */
	const char *next; /* the missing rest of the way; "" at its end */
	/* private to route.c */
	const char *path;
	bool follow_all, make, look;
	char *done, *left; /* the path to fd, without links; what next points into */
	size_t typed;	   /* bytes at the end of left that come from the path, not from links */
	unsigned also, links;
	struct bt_foreign_link foreign;
};

/* Goes as far as the way exists. BT_E_FOREIGN: a link of somebody else. Always call bt_route_end. */
int bt_route_begin(struct bt_route *route, const char *path, bool follow_all, struct bt_error *error);
/* Makes the missing directories and goes there: the last one (0700) by mkdir(2) alone, so that it is new; those before
 * it (0777) if they are still missing. Makes nothing where a link leads to nothing. */
int bt_route_make(struct bt_route *route, struct bt_error *error);
/* Hands over the descriptor, or -1. */
int bt_route_take(struct bt_route *route);
void bt_route_end(struct bt_route *route);

#endif
