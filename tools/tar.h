/* SPDX-License-Identifier: MIT */
/* Entries of a snapshot as a tar stream, in the format of POSIX 2001 (pax), or as a zip. */
#ifndef TOOLS_TAR_H
#define TOOLS_TAR_H

#include <backuptool/owners.h>
#include <backuptool/view.h>

struct tool_tar;

/* What a zip cannot have, by numbers of entries. */
struct tool_zip_lacks {
	uint64_t kinds;	 /* devices, pipes and sockets, which are left out */
	uint64_t copies; /* further names of files, which are files of their own */
	uint64_t attributes, times, names;
};

/* Writes to a descriptor, and calls wrote after each piece of a file. NULL on out of memory. */
struct tool_tar *tool_tar_new(struct bt_store *store, int fd, bool zip, void (*wrote)(void *arg, uint64_t bytes),
			      void *arg);
/* What entries so far lack; all zero in a tar. */
const struct tool_zip_lacks *tool_tar_lacks(const struct tool_tar *tar);
/* From now on entries have the names of their owners, too; NULL: numbers alone. */
void tool_tar_names(struct tool_tar *tar, const struct bt_owners *names);
void tool_tar_free(struct tool_tar *tar); /* NULL is fine; without end the stream is cut */

/* An entry under that path. BT_E_UNSUPPORTED: there is no such thing in a tar (a socket); a zip counts it.
 * BT_E_DAMAGED, BT_E_SYSTEM …: the file's bytes could not be read; if *ret_broken, in the midst of it, and the stream
 * cannot go on. BT_E_INCOMPLETE: the entry could not be read when the snapshot was taken; a directory is in the stream
 * all the same. */
int tool_tar_add(struct tool_tar *tar, const char *path, const struct bt_entry *entry, bool *ret_broken,
		 struct bt_error *error);
int tool_tar_end(struct tool_tar *tar, struct bt_error *error);

#endif
