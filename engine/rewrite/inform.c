/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/fail.h"
#include "model/document.h"
#include "model/taken.h"
#include "rewrite/run.h"

static bool ends_with(const char *const *list, size_t count, const char *const *end, size_t end_count)
{
	if (count < end_count)
		return false;
	for (size_t i = 0; i < end_count; i++)
		if (strcmp(list[count - end_count + i], end[i]) != 0)
			return false;
	return true;
}

/* The patterns come after those that it was taken with, as if they had been given then. Those that are too long for the
 * header are left out with all others, as when a snapshot is taken. */
static int add_rules(const struct bt_rewrite_options *options, struct bt_arena *arena, struct bt_snapshot_info *info)
{
	size_t count = info->rule_count + options->exclude_count;
	bool fit = true;

	if (info->rules_omitted || ends_with(info->rules, info->rule_count, options->exclude, options->exclude_count))
		return 0;
	const char **rules = bt_arena_alloc(arena, count * sizeof(*rules));
	if (!rules)
		return BT_E_NOMEM;
	memcpy(rules + info->rule_count, options->exclude, options->exclude_count * sizeof(*rules));
	if (info->rule_count)
		memcpy(rules, info->rules, info->rule_count * sizeof(*rules));
	info->rules = rules;
	info->rule_count = count;
	int r = bt_taken_rules_fit(info, &fit);
	if (!fit) {
		info->rule_count = info->option_count = 0;
		info->rules_omitted = true;
	}
	return r;
}

/* Takes away what there is at most, and gives the rest. */
static uint64_t take(uint64_t *from, uint64_t count)
{
	uint64_t taken = count < *from ? count : *from;

	*from -= taken;
	return count - taken;
}

/* Nothing tells which of the files that go were new in their snapshot: most are in many of them. */
static void take_counts(struct bt_snapshot_info *info, const struct bt_rewrite_sums *lost)
{
	take(&info->files, lost->files);
	take(&info->directories, lost->directories);
	take(&info->others, lost->others);
	take(&info->directory_size, lost->bytes);
	take(&info->created, take(&info->changed, take(&info->unchanged, lost->files)));
	take(&info->errors, lost->errors);
	take(&info->torn, lost->torn);
	if (info->torn > info->errors)
		info->torn = info->errors;
	take(&info->boundaries, lost->boundaries);
	if (bt_add_overflows(info->left_out, lost->matches, &info->left_out))
		info->left_out = UINT64_MAX;
}

static const char *new_name(const struct bt_rewrite_run *run, const char *name)
{
	for (size_t i = run->pair_count; name && i-- > 0;)
		if (*run->pairs[i].to && !strcmp(run->pairs[i].from, name))
			return run->pairs[i].to;
	return name;
}

int bt_rewrite_inform(const struct bt_rewrite_run *run, const struct bt_snapshot_info *old,
		      const struct bt_rewrite_sums *lost, struct bt_arena *arena, struct bt_snapshot_info *ret_info)
{
	const struct bt_rewrite_options *options = &run->options;
	struct bt_snapshot_info info = *old;

	info.host = options->host ? options->host : old->host;
	info.target = options->target ? options->target : old->target;
	info.time = options->time ? *options->time : old->time;
	info.parent = new_name(run, old->parent);
	info.rewritten = old->name;
	take_counts(&info, lost);
	int r = lost->entries ? add_rules(options, arena, &info) : 0;
	if (!r)
		*ret_info = info;
	return r;
}

bool bt_rewrite_changes(const struct bt_rewrite_run *run, const struct bt_snapshot_info *old,
			const struct bt_rewrite_sums *lost)
{
	const struct bt_rewrite_options *options = &run->options;

	return lost->entries || (options->host && strcmp(options->host, old->host) != 0) ||
	       (options->target && strcmp(options->target, old->target) != 0) ||
	       (options->time && !bt_time_equal(options->time, &old->time));
}

static bool is_same_text(const struct bt_buf *a, const struct bt_buf *b)
{
	return a->length == b->length && !memcmp(a->data, b->data, a->length);
}

/* The parent of one that an earlier run has made may have had its new name then, which nobody knows any more. */
bool bt_rewrite_is(void *info, const struct bt_snapshot_info *found)
{
	struct bt_snapshot_info wanted = *(const struct bt_snapshot_info *)info;
	struct bt_buf headers[2] = {{0}}, summaries[2] = {{0}};

	wanted.parent = found->parent;
	bool same = !found->classic && !bt_header_write(&headers[0], &wanted) && !bt_header_write(&headers[1], found) &&
		    !bt_summary_write(&summaries[0], &wanted) && !bt_summary_write(&summaries[1], found) &&
		    is_same_text(&headers[0], &headers[1]) && is_same_text(&summaries[0], &summaries[1]);
	for (int i = 0; i < 2; i++) {
		bt_buf_free(&headers[i]);
		bt_buf_free(&summaries[i]);
	}
	return same;
}
