/* SPDX-License-Identifier: MIT */
/* Finding the snapshot that a user means. All commands and the mount share this notion of "the newest". */
#ifndef BACKUPTOOL_SELECT_H
#define BACKUPTOOL_SELECT_H

#include <backuptool/store.h>

BT_C_BEGIN

/* The name of this host, as snapshots taken on it record it. */
#define BT_HOST_SIZE 256
void bt_host(char host[BT_HOST_SIZE]);

/*
 * Which snapshots count at all: those of one of the hosts, of one of the directories, and with one of the tags. A list
 * that is empty leaves none out. Directories are compared as snapshots record them. A version 1 file has an empty host
 * and no tags.
 */
struct bt_filter {
	size_t size; /* of this struct */
	const char *const *hosts;
	size_t host_count;
	const char *const *targets;
	size_t target_count;
	const char *const *tags;
	size_t tag_count;
};
struct bt_snapshot_info;
/* NULL selects every snapshot. */
bool bt_filter_selects(const struct bt_filter *filter, const struct bt_snapshot_info *info);

/*
 * What a command is about. This decides in which group of snapshots (of one host and directory) "latest", "latest~N"
 * and "@TIME" are looked for. It is the group with the newest snapshot among the first of these sets that is not empty:
 *   with paths: those whose directory holds all of them, of this host, then of others;
 *   without paths: those of the output directory, of this host, then of others;
 *   without paths: those of this host whose directory holds the working directory;
 *   all.
 * Snapshots that the filter leaves out count nowhere. If host is NULL, every host is this host.
 * All paths here are absolute, without "." and needless slashes. All members but size and now may be zero.
 */
struct bt_scope {
	size_t size;	  /* of this struct */
	int64_t now;	  /* seconds since 1970 */
	const char *host; /* the name of this host, or NULL */
	const char *const *paths;
	size_t path_count;
	const char *output;			     /* the output directory of a restore */
	const char *directory;			     /* the working directory */
	bool (*wanted)(void *arg, const char *name); /* false: ignore this snapshot; NULL: none is ignored */
	void *arg;
	const struct bt_filter *filter; /* or NULL */
};

struct bt_choice {
	size_t size;		      /* of this struct */
	const char *name;	      /* the store's; valid until refresh or close */
	bool future;		      /* its time is after now: its group has no other, or the text names it */
	bool unsure;		      /* there are several groups, and nothing in the scope decides for this one */
	size_t later;		      /* snapshots of its group that were skipped because they are in the future */
	const char *latest;	      /* the last of these */
	size_t unread;		      /* unreadable snapshots that may be newer ones of its group */
	struct bt_error unread_error; /* of the newest of these */
	bool partial;		      /* it is partial: its group has no complete one that could be meant, or the text
					 names it */
};

/*
 * Finds the snapshot that a user means: a file name with or without .json; a unique prefix of one, with or without
 * "snapshot_"; "latest"; "latest~N" (the Nth before it); "@TIME": the newest at or before that time, written as
 * "@2026-11-20" (its last second), "@2026-11-20 10:30", "@10:30", "@monday", "@2h" (two hours ago) or "@1732271400"
 * (since 1970). "latest", "latest~N" and "@TIME" never mean a snapshot in the future unless its group has no other, nor
 * a partial one unless its group has no complete one (for "@TIME", at or before that time). A beginning has to be
 * unique among the snapshots that the filter selects; a whole name that it leaves out is refused. BT_E_NOT_FOUND, with
 * "the nearest is …" or the like in error->detail. BT_E_INVALID, with what is wrong with the text: "begins the names of
 * 3 snapshots: …", "is not a time such as …". If no snapshot of a group can be read, the failure of reading them.
 * ret_choice is filled on success.
 */
int bt_select(struct bt_store *store, const char *text, const struct bt_scope *scope, struct bt_choice *ret_choice,
	      struct bt_error *error);
/* Whether a text is "latest", "latest~N" or "@TIME", whether or not there is such a snapshot. */
bool bt_select_is_relative(const char *text, int64_t now);

/* The groups of the store, the one with the newest snapshot first. Version 1 files record no host; they are one group
 * with an empty host and directory. Snapshots that cannot be read, and those that the filter leaves out, do not count.
 * Freed by bt_groups_free. */
struct bt_group {
	char *host, *target;
	size_t snapshots;
};
int bt_groups_list(struct bt_store *store, const struct bt_filter *filter, struct bt_group **ret_groups,
		   size_t *ret_count, struct bt_error *error);
void bt_groups_free(struct bt_group *groups, size_t count);

BT_C_END

#endif
