/* SPDX-License-Identifier: MIT */
/* What rules leave out of a directory: patterns, and files in it that mark it. One mechanism for taking a snapshot, for
 * comparing with a directory as it is now, and for removing from one. */
#ifndef BT_SCAN_EXCLUSION_H
#define BT_SCAN_EXCLUSION_H

#include "base/buf.h"
#include "policy/match.h"

/* The words by which a snapshot records rules that are not patterns (FORMAT.md §3). */
#define BT_WORD_CACHES		"exclude-caches"
#define BT_WORD_ONE_FILE_SYSTEM "one-file-system"
#define BT_WORD_IF_PRESENT	"exclude-if-present:" /* and the name */

/* Borrowed lists. */
struct bt_exclusion {
	const struct bt_rules *rules; /* NULL: none */
	const char *const *if_present;
	size_t if_present_count;
	bool caches;
};

/* Files that mark a directory. */
struct bt_markers {
	bool named, tag;
};
/* Looks at a name in the directory. */
void bt_markers_see(const struct bt_exclusion *exclusion, int dirfd, const char *name, struct bt_markers *markers);
/* Whether markers leave the name out that is beside them. */
bool bt_markers_exclude(const struct bt_exclusion *exclusion, const struct bt_markers *markers, const char *name);

/* An exclusion that owns its lists, put together from several. Zero-initialised it is empty; texts are borrowed. */
struct bt_exclusion_set {
	struct bt_exclusion exclusion; /* after finish */
	bool one_file_system;
	/* The rest is its own. */
	struct bt_rules *rules;
	struct bt_buf patterns, present;
};
int bt_exclusion_add_patterns(struct bt_exclusion_set *set, const char *const *patterns, size_t count);
int bt_exclusion_add_present(struct bt_exclusion_set *set, const char *const *names, size_t count);
/* Unknown words are those of a newer program, and ignored. */
int bt_exclusion_add_words(struct bt_exclusion_set *set, const char *const *words, size_t count);
int bt_exclusion_finish(struct bt_exclusion_set *set, struct bt_error *error);
void bt_exclusion_free(struct bt_exclusion_set *set);

#endif
