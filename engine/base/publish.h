/* SPDX-License-Identifier: MIT */
/*
 * Publishing a file: it appears under its name complete and durable, or not at all.
 * Uses an unnamed file (O_TMPFILE) where the file system has them, otherwise the name ".tmp-" and 16 random hex digits.
 * Order: write, fsync, link (or a rename that does not replace), fsync of the directory.
 */
#ifndef BT_BASE_PUBLISH_H
#define BT_BASE_PUBLISH_H

#include <backuptool/error.h>

/* An unused temporary name, for a complete file that will replace another one under a lock. */
int bt_publish_temp_name(char name[32], struct bt_error *error);

/* Makes changes in a directory durable, as far as the file system can: some network file systems cannot sync a
 * directory, because each call is durable. 0 or -errno. */
int bt_sync_directory(int dirfd);

/*
 * Renames a file, but never replaces another one: -EEXIST. 0 or -errno; not synced. If the kernel cannot rename without
 * replacing, a hard link is made; if there are no hard links either, a temporary file claims the name first, so that
 * only one of several programs gets it.
 */
int bt_rename_new(int from_dirfd, const char *from, int to_dirfd, const char *to);

/* Fills error after a failure with the temporary file temp ("": a file without a name). BT_E_LOCKED with sys ENOLCK if
 * another host or a cleaning program removed the file; otherwise as bt_fail_sys. */
int bt_publish_failed(const char *temp, int sys, const char *name, const char *what, struct bt_error *error);

struct bt_publish {
	int fd;	       /* write here (also readable: O_RDWR) */
	int dirfd;     /* borrowed */
	char temp[32]; /* "" when unnamed */
};

int bt_publish_begin(struct bt_publish *publish, int dirfd, struct bt_error *error);
/* The same for a file of a store, which gets the owner of the directory (see made.h). */
int bt_publish_begin_in_store(struct bt_publish *publish, int dirfd, struct bt_error *error);
/* For file systems without O_TMPFILE; bt_publish_begin uses it when needed. Declared for tests. */
int bt_publish_begin_named(struct bt_publish *publish, int dirfd, struct bt_error *error);
/* BT_E_EXISTS: the name is taken, and nothing was changed; call again with another name, or abort. After 0 the fd stays
 * open; the caller closes it. */
int bt_publish_commit(struct bt_publish *publish, const char *name, struct bt_error *error);
/* Like commit, but replaces the file that has the name. For derived data only; not synced. */
int bt_publish_replace(struct bt_publish *publish, const char *name, struct bt_error *error);
void bt_publish_abort(struct bt_publish *publish);
/* Gives a file a second name, which bt_sync_directory makes durable. If there cannot be a hard link, as on FAT, makes a
 * whole and durable copy. BT_E_EXISTS: the name is taken. */
int bt_publish_twin(int dirfd, const char *name, int twin_dirfd, const char *twin, struct bt_error *error);
/* Removes temporary files of killed programs, but none that a program has open for writing. Files younger than a day
 * stay unless the caller is alone, because a new file has a name before it is marked. Errors are ignored. */
void bt_publish_sweep(int dirfd, bool alone);

#endif
