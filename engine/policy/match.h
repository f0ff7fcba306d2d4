/* SPDX-License-Identifier: MIT */
/*
 * Exclude rules with gitignore's meaning (gitignore(5)): "*", "?", "[…]", "**", a leading "/" or inner "/" anchors, a
 * trailing "/" matches directories only, "!" brings back, "#" comments, "\" escapes, trailing blanks dropped, the last
 * match wins; what lies below an excluded directory cannot come back. Bytes, not characters; case matters. Linear time
 * in pattern times name: hostile patterns cannot blow up.
 */
#ifndef BT_POLICY_MATCH_H
#define BT_POLICY_MATCH_H

#include <backuptool/error.h>
#include <stdbool.h>

struct bt_rules;

int bt_rules_new(const char *const *patterns, size_t count, struct bt_rules **ret_rules, struct bt_error *error);
void bt_rules_free(struct bt_rules *rules);
/* path: relative to the target, without leading slash ("docs/a.txt"); the entry's own name begins at name. */
bool bt_rules_excluded(const struct bt_rules *rules, const char *path, const char *name, bool directory);

#endif
