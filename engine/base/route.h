/* SPDX-License-Identifier: MIT */
/*
 * The way to a directory that a user named, one component at a time and by descriptor: so the links that were looked at
 * are those that were followed, whatever others change meanwhile. Links of root and of the effective user are followed,
 * others are refused, unless all are to be: then as the kernel follows them, which may have rules of its own.
 */
#ifndef BT_BASE_ROUTE_H
#define BT_BASE_ROUTE_H

#include <backuptool/foreign.h>

struct bt_route {
	int fd;		  /* the directory that was reached; for reading, if that is the end of the way */
	const char *next; /* what is missing of the way; "" at its end */
	/* the rest is route.c's */
	const char *path;
	bool follow_all, make, look;
	char *done, *left; /* the path to fd, without links; what next points into */
	size_t typed;	   /* so much at the end of left stands in the path, the rest in links */
	unsigned also, links;
	struct bt_foreign_link foreign;
};

/* Goes as far as there is something. BT_E_FOREIGN: a link of somebody else. Always to be ended. */
int bt_route_begin(struct bt_route *route, const char *path, bool follow_all, struct bt_error *error);
/* Makes what is missing and goes there: the last directory (0700) by mkdir(2) alone, so that it is new, those before it
 * (0777) where they are still missing. Nothing is made where a link leads to nothing. */
int bt_route_make(struct bt_route *route, struct bt_error *error);
/* The descriptor, or -1, if it is to be kept. */
int bt_route_take(struct bt_route *route);
void bt_route_end(struct bt_route *route);

#endif
