/* SPDX-License-Identifier: MIT */
#include "base/sized.h"
#include <backuptool/select.h>
#include <backuptool/view.h>
#include <string.h>

/* Whether the text is one of them; if there are none, any text is. */
static bool is_one_of(const char *text, const char *const *wanted, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(text, wanted[i]) == 0)
			return true;
	return count == 0;
}

static bool has_tag(const struct bt_snapshot_info *info, const char *const *wanted, size_t count)
{
	for (size_t i = 0; i < info->tag_count; i++)
		if (is_one_of(info->tags[i], wanted, count))
			return true;
	return count == 0;
}

bool bt_filter_selects(const struct bt_filter *filter, const struct bt_snapshot_info *info)
{
	struct bt_filter known;

	return bt_sized_take(&known, sizeof(known), filter, NULL) == 0 &&
	       is_one_of(info->host, known.hosts, known.host_count) &&
	       is_one_of(info->target, known.targets, known.target_count) && has_tag(info, known.tags, known.tag_count);
}
