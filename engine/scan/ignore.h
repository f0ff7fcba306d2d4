/* SPDX-License-Identifier: MIT */
/* Files in a directory with patterns for what is below it, as .gitignore. */
#ifndef BT_SCAN_IGNORE_H
#define BT_SCAN_IGNORE_H

#include "policy/match.h"

#define BT_IGNORE_MAX ((size_t)1 << 20) /* of its bytes */

struct bt_ignore {
	const struct bt_ignore *above; /* NULL: none */
	struct bt_rules *rules;
	size_t skip; /* bytes of the directory's path with its slash, in paths that are asked about */
};

/* Names of files to look for. The patterns of a later one come after those of one before. */
struct bt_ignore_names {
	const char *const *items;
	size_t count;
};

/*
 * Reads those of a directory, which is skip bytes deep. *ret_ignore is above if there are none, else new, and to be
 * freed. 0; BT_E_NOMEM; or an errno: one of them, *ret_name, is unreadable, too large (EFBIG) or no text (EILSEQ), and
 * counts as not there.
 */
int bt_ignore_read(const struct bt_ignore_names *names, int dirfd, size_t skip, const struct bt_ignore *above,
		   const struct bt_ignore **ret_ignore, const char **ret_name);
/* Frees ignore and those above it, but neither above nor what is over that. */
void bt_ignore_free(const struct bt_ignore *ignore, const struct bt_ignore *above);

#endif
