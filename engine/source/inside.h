/* SPDX-License-Identifier: MIT */
/* Shared by the sources that read entries. */
#ifndef BT_SOURCE_INSIDE_H
#define BT_SOURCE_INSIDE_H

#include "source/source.h"

#define BT_SOURCE_TRIES 3 /* times that a file is read if it changes while it is read */

/* Initialises the outcome, and opens the entry with these flags, without following links. Returns the fd, or a negative
 * value with the outcome filled. */
int bt_source_open(const struct bt_reader *reader, int dirfd, const struct bt_found *found, int flags,
		   struct bt_outcome *outcome);
/* The same for a regular file, for reading, without waiting for anything. */
int bt_source_open_file(const struct bt_reader *reader, int dirfd, const struct bt_found *found,
			struct bt_outcome *outcome);
/* Looks at an open file: false with the outcome filled unless it is regular. */
bool bt_source_look(int fd, struct bt_outcome *outcome, struct stat *st);
/* Fills the entry by what was seen of it, at last through fd: see bt_found_describe. 0 or BT_E_NOMEM. */
int bt_source_describe(const struct bt_reader *reader, int fd, const struct bt_source_out *out);
/* Whether a file stayed the same between the two looks. */
bool bt_source_is_steady(const struct bt_found *before, const struct bt_found *after);

bool bt_source_lacks(const struct bt_source_lack *lack, uint64_t dev);
void bt_source_remember_lack(struct bt_source_lack *lack, uint64_t dev);

#endif
