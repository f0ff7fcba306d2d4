/* SPDX-License-Identifier: MIT */
/* How close a group of snapshots is to the host, target and directory that a command is about (bt_scope). Pure. */
#ifndef BT_POLICY_SCOPE_H
#define BT_POLICY_SCOPE_H

#include <backuptool/select.h>

enum bt_rank {
	BT_RANK_SAME,	   /* the target that was asked for, on this host */
	BT_RANK_ELSEWHERE, /* the target that was asked for, on another host */
	BT_RANK_AROUND,	   /* the working directory is in it */
	BT_RANK_ANY,
};

enum bt_rank bt_scope_rank(const struct bt_scope *scope, const char *host, const char *target);
/* The closest rank that any group can have. */
enum bt_rank bt_scope_best(const struct bt_scope *scope);
/* Whether path, which is absolute, is target or below it. */
bool bt_scope_covers(const char *target, const char *path);

#endif
