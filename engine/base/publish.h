/* SPDX-License-Identifier: MIT */
/*
 * Publishing a file whole: it appears under its name complete and durable, or not at all.
 * An unnamed file (O_TMPFILE) where the file system has them, else ".tmp-" and 16 random hex digits. Order: write,
 * fsync, link (or a rename that does not replace), fsync of the directory.
 */
#ifndef BT_BASE_PUBLISH_H
#define BT_BASE_PUBLISH_H

#include <backuptool/error.h>

/* A temporary name that nobody else has, for a whole file that is about to replace another under a lock. */
int bt_publish_temp_name(char name[32], struct bt_error *error);

/* Makes what was done in a directory durable, as far as the file system can: some network file systems cannot sync a
 * directory, and do it with every call. 0 or -errno. */
int bt_sync_directory(int dirfd);

/*
 * Gives a file another name, and never takes one that is taken: -EEXIST. 0 or -errno; not synced. Where the kernel
 * cannot refuse to replace, a hard link can; where there are no hard links either, the name is claimed by a temporary
 * file first, so that only one of all programs that do so gets it.
 */
int bt_rename_new(int from_dirfd, const char *from, int to_dirfd, const char *to);

/* A failure with the temporary file temp; "" where the file has no name. Another host or a program that cleans up may
 * have removed it, which is BT_E_LOCKED with sys ENOLCK; else as bt_fail_sys. */
int bt_publish_failed(const char *temp, int sys, const char *name, const char *what, struct bt_error *error);

struct bt_publish {
	int fd;	       /* write here (also readable: O_RDWR) */
	int dirfd;     /* borrowed */
	char temp[32]; /* "" when unnamed */
};

int bt_publish_begin(struct bt_publish *publish, int dirfd, struct bt_error *error);
/* The same for a file of a store, which belongs to whom the directory belongs (see made.h). */
int bt_publish_begin_in_store(struct bt_publish *publish, int dirfd, struct bt_error *error);
/* The way for file systems without O_TMPFILE, which begin chooses by itself. Here for tests. */
int bt_publish_begin_named(struct bt_publish *publish, int dirfd, struct bt_error *error);
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
