/* SPDX-License-Identifier: MIT */
/* What rules leave out of a directory: patterns, and files in it that mark it. One mechanism for taking a snapshot, for
 * comparing with a directory as it is now, and for removing from one. */
#ifndef BT_SCAN_EXCLUSION_H
#define BT_SCAN_EXCLUSION_H

#include "base/buf.h"
#include "policy/match.h"
#include "scan/ignore.h"
#include <stdbool.h>
#include <stdint.h>

/* The words by which a snapshot records rules that are not patterns (FORMAT.md §3). */
#define BT_WORD_CACHES		"exclude-caches"
#define BT_WORD_ONE_FILE_SYSTEM "one-file-system"
#define BT_WORD_IF_PRESENT	"exclude-if-present:"  /* and the name */
#define BT_WORD_LARGER		"exclude-larger-than:" /* and a number of bytes */
#define BT_WORD_NODUMP		"exclude-nodump"
#define BT_WORD_IGNORE_FILE	"ignore-file:" /* and the name */
#define BT_WORD_INCLUDE		"include:"     /* and the pattern */
#define BT_WORD_FILES_FROM	"files-from"

/* Borrowed lists. */
struct bt_exclusion {
	const struct bt_rules *rules;	/* NULL: none */
	const struct bt_rules *include; /* what is taken, with all below; NULL: everything */
	const char *const *if_present;
	size_t if_present_count;
	struct bt_ignore_names ignore_files;
	uint64_t larger; /* files of more bytes are left out; 0: none */
	bool caches, nodump;
	bool known_only; /* of a list that nobody has any more: what the snapshot does not have is left out */
};

/* What a directory means for what is in it. */
struct bt_within {
	const struct bt_ignore *ignore; /* NULL: none */
	bool inside;			/* it is taken with all below */
};
/* path: of a directory, as rules know it, with or without a slash at its end; "" or NULL: the root. */
struct bt_within bt_within_of(const struct bt_exclusion *exclusion, const char *path);

enum bt_reach {
	BT_REACH_OUT,
	BT_REACH_WAY, /* a directory that is taken only if something below is */
	BT_REACH_IN,
};
/* What the patterns say of an entry; path and name as in policy/match.h. */
enum bt_reach bt_exclusion_reach(const struct bt_exclusion *exclusion, const struct bt_within *within, const char *path,
				 const char *name, bool directory);
/* Whether paths matter. */
static inline bool bt_exclusion_asks_paths(const struct bt_exclusion *exclusion)
{
	return exclusion->rules || exclusion->include || exclusion->ignore_files.count;
}
/* Whether what stat(2) says leaves an entry out. */
bool bt_exclusion_is_too_large(const struct bt_exclusion *exclusion, uint32_t mode, uint64_t size);

/* Files that mark a directory. */
struct bt_markers {
	bool named, tag;
};
/* Looks at a name in the directory. */
void bt_markers_see(const struct bt_exclusion *exclusion, int dirfd, const char *name, struct bt_markers *markers);
/* Whether markers leave the name out that is beside them. */
bool bt_markers_exclude(const struct bt_exclusion *exclusion, const struct bt_markers *markers, const char *name);

/* Whether they and the patterns leave out what is there now, as far as that can be told. within: of its directory. */
enum bt_reach bt_exclusion_look(const struct bt_exclusion *exclusion, const struct bt_within *within,
				const struct bt_markers *markers, int dirfd, const char *path, const char *name);

/* An exclusion that owns its lists, put together from several. Zero-initialised it is empty; texts are borrowed. */
enum bt_exclusion_list { BT_LIST_PATTERNS, BT_LIST_INCLUDE, BT_LIST_PRESENT, BT_LIST_IGNORE, BT_LISTS };
struct bt_exclusion_set {
	struct bt_exclusion exclusion; /* its flags and sizes at once, its lists after finish */
	bool one_file_system;
	/* The rest is its own. */
	struct bt_rules *rules, *include;
	struct bt_buf lists[BT_LISTS];
};
int bt_exclusion_add(struct bt_exclusion_set *set, enum bt_exclusion_list list, const char *const *texts, size_t count);
/* Unknown words are those of a newer program, and ignored. */
int bt_exclusion_add_words(struct bt_exclusion_set *set, const char *const *words, size_t count);
int bt_exclusion_finish(struct bt_exclusion_set *set, struct bt_error *error);
void bt_exclusion_free(struct bt_exclusion_set *set);

#endif
