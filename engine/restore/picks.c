/* SPDX-License-Identifier: MIT */
#include "restore/picks.h"

int bt_picks_init(struct bt_picks *picks, const struct bt_restore_options *options, struct bt_error *error)
{
	int r = 0;

	if (options->include_count)
		r = bt_rules_new(options->includes, options->include_count, &picks->includes, error);
	if (!r && options->exclude_count)
		r = bt_rules_new(options->excludes, options->exclude_count, &picks->excludes, error);
	return r;
}

void bt_picks_free(struct bt_picks *picks)
{
	bt_rules_free(picks->includes);
	bt_rules_free(picks->excludes);
	*picks = (struct bt_picks){0};
}

bool bt_picks_any(const struct bt_picks *picks)
{
	return picks->includes || picks->excludes;
}

enum bt_pick bt_picks_ask(const struct bt_picks *picks, bool whole, const char *path, const char *name, bool directory)
{
	if (picks->excludes && bt_rules_excluded(picks->excludes, path, name, directory))
		return BT_PICK_NONE;
	if (!picks->includes)
		return BT_PICK_WHOLE;
	bt_rules_note(picks->includes, path, name, directory);
	if (whole || bt_rules_excluded(picks->includes, path, name, directory))
		return BT_PICK_WHOLE;
	return directory ? BT_PICK_BELOW : BT_PICK_NONE;
}

static void tell(const struct bt_rules *rules, bool *used, size_t count)
{
	for (size_t i = 0; used && i < count; i++)
		used[i] = bt_rules_used(rules, i);
}

void bt_picks_tell(const struct bt_picks *picks, const struct bt_restore_options *options)
{
	tell(picks->includes, options->include_used, options->include_count);
	tell(picks->excludes, options->exclude_used, options->exclude_count);
}
