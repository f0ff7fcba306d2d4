/* SPDX-License-Identifier: MIT */
/* What the sources of a search share. */
#ifndef BT_SEARCH_RUN_H
#define BT_SEARCH_RUN_H

#include "base/buf.h"
#include "policy/match.h"
#include "view/walk.h"
#include <backuptool/search.h>

/* What an entry has to be. Zero-initialise. */
struct bt_wanted {
	const struct bt_search *search;
	struct bt_rules *rules;
	struct bt_buf folded; /* the path that was asked about last */
	bool in_path;	      /* the pattern is of a path, not of a name */
	/* A page without these texts has no match, and no directory with one. length 0: nobody knows. */
	char needle[80];
	size_t needle_length;
};
int bt_wanted_begin(struct bt_wanted *wanted, const struct bt_search *search, struct bt_error *error);
void bt_wanted_end(struct bt_wanted *wanted);
/* The path ends with the name, which begins at name. 1, 0, or BT_E_NOMEM. */
int bt_wanted_has(struct bt_wanted *wanted, const struct bt_entry *entry, const char *path, const char *name);
bool bt_wanted_skims(void *wanted, const char *line, size_t length); /* as struct bt_page_skim */

/* The newest snapshot of each host and directory. Zero-initialise. */
struct bt_heads {
	struct bt_snapshot **snapshots;
	size_t count, room;
};
/* Those that cannot be read do not count. BT_E_NOMEM. */
int bt_heads_begin(struct bt_heads *heads, struct bt_store *store, const struct bt_roster *roster);
void bt_heads_end(struct bt_heads *heads);
/* That of the same host and directory, or NULL. */
const struct bt_snapshot_info *bt_heads_of(const struct bt_heads *heads, const struct bt_snapshot_info *info);

/* What the newest snapshot has in place of a directory. */
struct bt_now {
	enum { BT_NOW_NOTHING, BT_NOW_UNKNOWN, BT_NOW_DIR } kind;
	struct bt_digest tree; /* of a directory */
};
/* An entry that is there. */
struct bt_now bt_now_of(const struct bt_entry *entry);
/* What it has in place of an entry of that name there; deleted: it has none. */
int bt_now_below(struct bt_store *store, const struct bt_now *above, const struct bt_entry *entry,
		 struct bt_now *ret_now, bool *ret_deleted, struct bt_error *error);

#endif
