/* SPDX-License-Identifier: MIT */
/* Which snapshot somebody means: the one idea of "the newest" that all commands and the mount have. */
#ifndef BACKUPTOOL_SELECT_H
#define BACKUPTOOL_SELECT_H

#include <backuptool/store.h>

/* This host's name, as the snapshots that are taken on it state it. */
#define BT_HOST_SIZE 256
void bt_host(char host[BT_HOST_SIZE]);

/*
 * What a command is about. It decides in the snapshots of which group, which are those of one host and directory,
 * "latest", "latest~N" and "@TIME" are looked for. Of the groups that come first in this order, the one with the newest
 * snapshot:
 *   with paths, those whose directory holds them all, of this host, then of others;
 *   without, those of the output directory, of this host, then of others;
 *   without paths, those of this host whose directory holds the working directory;
 *   all.
 * All paths here are absolute, and without "." and needless slashes. All zero but now is fine.
 */
struct bt_scope {
	int64_t now;	  /* seconds since 1970 */
	const char *host; /* this one */
	const char *const *paths;
	size_t path_count;
	const char *output;			     /* where a restore goes to */
	const char *directory;			     /* the working directory */
	bool (*wanted)(void *arg, const char *name); /* others are no snapshots for this; NULL: all are */
	void *arg;
};

struct bt_choice {
	const char *name;   /* the store's; valid until refresh or close */
	bool future;	    /* its time is after now: there is no other in its group, or it was named itself */
	bool unsure;	    /* its group is one of several, and nothing of the scope speaks for it */
	size_t later;	    /* snapshots of its group that were passed over because they are in the future */
	const char *latest; /* the last of these */
	size_t unread;	    /* snapshots, perhaps of its group and newer, that cannot be read */
	struct bt_error unread_error; /* of the newest of these */
};

/*
 * Finds the snapshot that a person means: a file name with or without .json; a unique prefix of one, with or without
 * "snapshot_"; "latest"; "latest~N" (N before it); "@TIME" as bt_time_parse understands it (policy.h): the newest at or
 * before that time. These three never mean one in the future unless its group has no other. BT_E_NOT_FOUND, with "the
 * nearest is …" or the like in error->detail, or BT_E_INVALID, with what is wrong with the text: "begins the names of 3
 * snapshots: …", "is not a time such as …". If none of a group can be read, the reason. ret_choice is filled on
 * success.
 */
int bt_select(struct bt_store *store, const char *text, const struct bt_scope *scope, struct bt_choice *ret_choice,
	      struct bt_error *error);
/* Whether a text is one of "latest", "latest~N" and "@TIME", be there such a snapshot or not. */
bool bt_select_is_relative(const char *text, int64_t now);

/* The groups of the store, that with the newest snapshot first; version 1 files, which know no host, are one with an
 * empty host and directory. What cannot be read is left out. Freed by bt_groups_free. */
struct bt_group {
	char *host, *target;
	size_t snapshots;
};
int bt_groups_list(struct bt_store *store, struct bt_group **ret_groups, size_t *ret_count, struct bt_error *error);
void bt_groups_free(struct bt_group *groups, size_t count);

#endif
