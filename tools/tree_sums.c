/* SPDX-License-Identifier: MIT */
#include "tree_sums.h"
#include "tool.h"
#include <backuptool/walk.h>

int tool_tree_count(const struct bt_side *side, struct tool_tree_sums *ret_sums, struct bt_error *error)
{
	struct tool_tree_sums sums = {0};
	struct bt_walk *walk;
	int first = 0, code = bt_walk_new(side->store, side->info, side->entry, &walk, error);

	if (code)
		return code;
	while (code != BT_E_NOMEM && code != BT_E_CANCELLED) {
		struct bt_walk_step step = {0};
		struct bt_error found = {0};

		code = tool_signals_seen() ? BT_E_CANCELLED : bt_walk_next(walk, &step, &found);
		if (code && !first) {
			first = code;
			*error = found;
			error->code = (enum bt_code)code;
		}
		if (!code && !step.entry)
			break;
		sums.entries += !code;
		sums.size += !code && step.entry->type == BT_FILE ? step.entry->size : 0;
	}
	bt_walk_free(walk);
	*ret_sums = sums;
	return first;
}

static uint64_t file_size(const struct bt_entry *entry)
{
	return entry && entry->type == BT_FILE ? entry->size : 0;
}

static void see_change(void *arg, const struct bt_change *change)
{
	struct tool_tree_sums *sums = arg;

	if (!*change->path) /* the directory itself */
		return;
	sums->size += file_size(change->after) - file_size(change->before);
	sums->entries += !change->before - !change->after;
	sums->added += !change->before;
	sums->removed += !change->after;
	sums->changed += change->before && change->after;
}

int tool_tree_count_since(const struct bt_side *before, const struct tool_tree_sums *known, const struct bt_side *side,
			  struct tool_tree_sums *ret_sums, struct bt_error *error)
{
	const struct bt_observer observer = {.size = sizeof(observer), .cancelled = tool_signals_cancel};
	struct tool_tree_sums sums = {.size = known->size, .entries = known->entries};
	const struct bt_compare_call call = {see_change, &sums, &observer};
	struct bt_compare_result unused = {.size = sizeof(unused)};
	int code = bt_compare(before, side, &call, &unused, error);

	*ret_sums = sums;
	return code;
}
