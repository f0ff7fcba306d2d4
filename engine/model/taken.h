/* SPDX-License-Identifier: MIT */
/* The members of a header that say how a snapshot was taken, and what is to become of it (FORMAT.md §3). */
#ifndef BT_MODEL_TAKEN_H
#define BT_MODEL_TAKEN_H

#include "base/arena.h"
#include "json/read.h"
#include <backuptool/view.h>

/* What json->keys lists of them. */
#define BT_TAKEN_KEYS "program user rules rules_omitted options pinned expires description partial rewritten streams"

#define BT_WORD_BIRTH_TIMES "birth-times" /* among options; the others are rules: scan/exclusion.h */

#define BT_PROGRAM_MAX 64
#define BT_USER_MAX    255
#define BT_RULES_TEXT  ((size_t)32 << 10) /* a writer leaves out longer ones: the header has its limit */

/* Each member that does not apply is left out. BT_E_INVALID: a time outside the years 0000 to 9999. */
int bt_taken_write(struct bt_buf *out, const struct bt_snapshot_info *info);
/* Texts go to the arena; scratch has room for the rest of the line. */
int bt_taken_read(struct bt_json *json, char *scratch, struct bt_arena *arena, struct bt_snapshot_info *info);
/* Whether rules and options are so short that they are written. BT_E_NOMEM. */
int bt_taken_rules_fit(const struct bt_snapshot_info *info, bool *ret_fit);

#endif
