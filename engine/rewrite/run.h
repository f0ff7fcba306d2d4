/* SPDX-License-Identifier: MIT */
/*
 * A snapshot is rewritten in steps:
 *   look    finds what matches, and notes the directories on the way to it (look.c)
 *   inform  says what its header and its summary will be (inform.c)
 *   build   writes the pages of these directories without what matches (build.c)
 * What was found out about a directory holds for all snapshots that have it under the same path. What others need of
 * what goes is found out at the end (loss.c).
 */
#ifndef BT_REWRITE_RUN_H
#define BT_REWRITE_RUN_H

#include "base/digest_set.h"
#include "base/voice.h"
#include "codec/hash.h"
#include "model/page.h"
#include "pack/pack.h"
#include "policy/match.h"
#include "view/mark.h"
#include "view/walk.h"
#include <backuptool/rewrite.h>

/* What goes below a directory. matches: entries that match; the other counts have what is below these, too. */
struct bt_rewrite_sums {
	uint64_t matches, entries, files, directories, others, bytes, errors, torn, boundaries;
};

/* A directory that loses something, under one path. */
struct bt_rewrite_place {
	struct bt_digest key; /* what stands for path and tree */
	struct bt_rewrite_sums sums;
	bool built;
	struct bt_digest tree; /* then: what it becomes */
};

/* A snapshot that the run has rewritten; in a dry run to is "". */
struct bt_rewrite_pair {
	char from[64], to[64];
};

struct bt_rewrite_run {
	struct bt_store *store;
	struct bt_rewrite_options options;
	const struct bt_observer *observer;
	struct bt_gate gate; /* in a dry run only its fd */
	struct bt_rules *rules;
	struct bt_hasher *hasher;
	struct bt_buffers buffers;
	struct bt_voice voice;
	struct bt_digest_set clean; /* directories, and pages of large ones, under one path: nothing there matches */
	struct bt_table places;
	struct bt_mark gone;	/* what matches, and what pages had it */
	struct bt_mark kept;	/* what else the snapshots have that were looked at */
	struct bt_buf contents; /* struct bt_chunk: those of gone */
	struct bt_buf pages;	/* struct bt_digest: the same */
	struct bt_rewrite_pair *pairs;
	size_t pair_count, pair_room;
	struct bt_buf names, digests; /* of struct bt_rewrite_loss */
	struct bt_progress progress;
	struct bt_pace pace;
	int failed; /* BT_E_NOMEM in a call of a mark */
};

/* Of each directory on the path of a walk. */
struct bt_rewrite_level {
	struct bt_digest path; /* what stands for it */
	size_t length;	       /* of it, with the slash after it */
	struct bt_digest key, tree;
	bool lost; /* it matches, or is below what does */
	struct bt_rewrite_sums sums;
	uint64_t before[BT_DIR_LEVELS + 1]; /* entries that went before the page of this depth */
};

/* Fills the level of a directory below another one, or of the root. */
int bt_rewrite_enter(struct bt_rewrite_run *run, const struct bt_rewrite_level *above, const struct bt_entry *directory,
		     struct bt_rewrite_level *ret_level);
struct bt_rewrite_place *bt_rewrite_place(const struct bt_rewrite_run *run, const struct bt_digest *key);
/* The patterns decide. level: of the directory that has the entry. */
bool bt_rewrite_matches(const struct bt_rewrite_run *run, const struct bt_walk_step *step,
			const struct bt_rewrite_level *level);
/* look.c */
int bt_rewrite_look(struct bt_rewrite_run *run, const struct bt_snapshot_info *info, struct bt_rewrite_sums *ret_lost,
		    struct bt_error *error);
/* build.c: the root's new page */
int bt_rewrite_build(struct bt_rewrite_run *run, const struct bt_snapshot_info *info, struct bt_pack *pack,
		     struct bt_digest *ret_tree, struct bt_error *error);
/* inform.c: all but the root's page. Lists go to the arena. BT_E_NOMEM. */
int bt_rewrite_inform(const struct bt_rewrite_run *run, const struct bt_snapshot_info *old,
		      const struct bt_rewrite_sums *lost, struct bt_arena *arena, struct bt_snapshot_info *ret_info);
/* Whether header or summary would be others than those of the old one. */
bool bt_rewrite_changes(const struct bt_rewrite_run *run, const struct bt_snapshot_info *old,
			const struct bt_rewrite_sums *lost);
/* Whether a snapshot is the one that these would be written for, whatever its parent is called. */
bool bt_rewrite_is(void *info, const struct bt_snapshot_info *found);

#endif
