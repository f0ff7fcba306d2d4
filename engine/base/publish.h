/* SPDX-License-Identifier: MIT */
/*
 * Publishing a file whole: it appears under its name complete and durable, or not at all.
 * An unnamed file (O_TMPFILE) where the file system has them, else ".tmp-" and 16 random hex digits. Order: write,
 * fsync, link (or renameat2 with RENAME_NOREPLACE), fsync of the directory.
 */
#ifndef BT_BASE_PUBLISH_H
#define BT_BASE_PUBLISH_H

#include <backuptool/error.h>

/* Names of whole files that are about to replace others, which is done under a lock; temporary, too. */
#define BT_TEMP_RETAGGED ".tmp-retagged"
#define BT_TEMP_REPAIRED ".tmp-repaired"

struct bt_publish {
	int fd;	       /* write here (also readable: O_RDWR) */
	int dirfd;     /* borrowed */
	char temp[32]; /* "" when unnamed */
};

int bt_publish_begin(struct bt_publish *publish, int dirfd, struct bt_error *error);
/* The ways for file systems without O_TMPFILE and without RENAME_NOREPLACE (the latter gives 0 or -errno and does not
 * sync); begin and commit choose them by themselves. Here for tests. */
int bt_publish_begin_named(struct bt_publish *publish, int dirfd, struct bt_error *error);
int bt_publish_link_named(const struct bt_publish *publish, const char *name);
/* BT_E_EXISTS, with nothing changed, when the name is taken: commit again with another, or abort. On 0 the fd stays
 * open and belongs to the caller, who closes it. */
int bt_publish_commit(struct bt_publish *publish, const char *name, struct bt_error *error);
/* As commit, but replaces what has the name. For derived data only; not synced. */
int bt_publish_replace(struct bt_publish *publish, const char *name, struct bt_error *error);
void bt_publish_abort(struct bt_publish *publish);
/* Gives a file a second name, which is synced with the directory; where there can be no hard link of it, as on FAT, a
 * whole and durable copy. BT_E_EXISTS when the name is taken. */
int bt_publish_twin(int dirfd, const char *name, int twin_dirfd, const char *twin, struct bt_error *error);
/* Removes temporary files of programs that were killed: none that a program has open to write it. Those younger than a
 * day stay unless the caller is alone, since a file has its name before it can be seen that it is open. Errors do not
 * matter. */
void bt_publish_sweep(int dirfd, bool alone);

#endif
