/* SPDX-License-Identifier: MIT */
/*
 * Exclude rules with gitignore's meaning (gitignore(5)): "*", "?", "[…]", "**", a leading "/" or inner "/" anchors, a
 * trailing "/" matches directories only, "!" brings back, "#" comments, "\" escapes, trailing blanks dropped, the last
 * match wins; what lies below an excluded directory cannot come back. Bytes, not characters; case matters. Linear time
 * in pattern times name: hostile patterns cannot blow up.
 */
#ifndef BT_POLICY_MATCH_H
#define BT_POLICY_MATCH_H

#include "policy/glob.h"
#include <backuptool/error.h>
#include <stdbool.h>
#include <stddef.h>

struct bt_rules;

int bt_rules_new(const char *const *patterns, size_t count, struct bt_rules **ret_rules, struct bt_error *error);
/* A single pattern. folded: case does not matter, and paths and names are given as bt_fold makes them. */
int bt_rules_of_pattern(const char *pattern, bool folded, struct bt_rules **ret_rules, struct bt_error *error);
void bt_rules_free(struct bt_rules *rules);
enum bt_ruling { BT_RULING_NONE, BT_RULING_TAKE, BT_RULING_LEAVE };
/* path: relative to the target, without leading slash ("docs/a.txt"); the entry's own name begins at name. */
enum bt_ruling bt_rules_decide(const struct bt_rules *rules, const char *path, const char *name, bool directory);
/* Whether it is left out. */
bool bt_rules_excluded(const struct bt_rules *rules, const char *path, const char *name, bool directory);
/* Notes every pattern that matches an entry as one that has decided of it, also those that a later one overrides. */
void bt_rules_note(const struct bt_rules *rules, const char *path, const char *name, bool directory);
/* Whether the pattern of that index has decided of an entry so far; true also if it is a comment or empty. */
bool bt_rules_used(const struct bt_rules *rules, size_t index);
/* Of the only pattern, and of the last component of the paths that it matches. */
void bt_rules_literal(const struct bt_rules *rules, struct bt_literal *ret_literal);
/* How much of the pattern counts: without the CR at the end of its line, and without blanks that no "\\" protects. */
size_t bt_pattern_length(const char *pattern);

#endif
