/* SPDX-License-Identifier: MIT */
#include "retention.h"
#include "output.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *read_number(const char *text, uint32_t *ret_value)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value >= UINT32_MAX)
		return "a whole number";
	*ret_value = (uint32_t)value;
	return NULL;
}

const char *tool_set_keep_count(void *field, const char *text)
{
	uint32_t value = UINT32_MAX;

	if (strcmp(text, "all") != 0 && (read_number(text, &value) || !value))
		return "a whole number above 0, or all";
	*(uint32_t *)field = value;
	return NULL;
}

const char *tool_set_snapshot_number(void *field, const char *text)
{
	struct tool_number number = {.given = true};
	const char *wrong = read_number(text, &number.value);

	if (!wrong)
		*(struct tool_number *)field = number;
	return wrong;
}

bool tool_retention_given(const struct tool_retention *retention)
{
	bool given = retention->snapshot_number.given || retention->keep_tags.count;

	for (int bucket = 0; bucket < BT_BUCKETS; bucket++)
		given |= retention->rules.keep[bucket] || retention->rules.within[bucket];
	return given;
}

static struct bt_retention complete(const struct tool_retention *retention)
{
	struct bt_retention rules = retention->rules;

	if (retention->snapshot_number.value > rules.keep[BT_LAST])
		rules.keep[BT_LAST] = retention->snapshot_number.value;
	for (int bucket = 0; bucket < BT_BUCKETS; bucket++)
		if (rules.within[bucket] < 0) /* "forever" */
			rules.within[bucket] = INT64_MAX / 2;
	rules.keep_tags = retention->keep_tags.items;
	rules.keep_tag_count = retention->keep_tags.count;
	return rules;
}

static void name_reasons(struct tool_verdict *verdict)
{
	static const struct {
		uint32_t bit;
		const char *word;
	} words[] = {
		{BT_KEEP_COUNT(BT_LAST), "last"},
		{BT_KEEP_COUNT(BT_HOURLY), "hourly"},
		{BT_KEEP_COUNT(BT_DAILY), "daily"},
		{BT_KEEP_COUNT(BT_WEEKLY), "weekly"},
		{BT_KEEP_COUNT(BT_MONTHLY), "monthly"},
		{BT_KEEP_COUNT(BT_YEARLY), "yearly"},
		{BT_KEEP_WITHIN(BT_LAST), "within"},
		{BT_KEEP_WITHIN(BT_HOURLY), "within hourly"},
		{BT_KEEP_WITHIN(BT_DAILY), "within daily"},
		{BT_KEEP_WITHIN(BT_WEEKLY), "within weekly"},
		{BT_KEEP_WITHIN(BT_MONTHLY), "within monthly"},
		{BT_KEEP_WITHIN(BT_YEARLY), "within yearly"},
		{BT_KEEP_TAG, "tag"},
		{BT_KEEP_FUTURE, "in the future"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (verdict->reasons & words[i].bit)
			verdict->words[verdict->word_count++] = words[i].word;
}

static int decide(const struct tool_retention *retention, struct tool_verdicts *verdicts)
{
	struct bt_retention rules = complete(retention);
	struct bt_candidate *candidates = tool_alloc((verdicts->count + 1) * sizeof(*candidates));
	uint32_t *reasons = tool_alloc((verdicts->count + 1) * sizeof(*reasons));
	int result;

	for (size_t i = 0; i < verdicts->count; i++) {
		const struct bt_snapshot_info *info = bt_snapshot_info(verdicts->items[i].snapshot);

		candidates[i] = (struct bt_candidate){info->time.seconds, info->host, info->target, info->tags,
						      info->tag_count};
	}
	result = bt_retention_decide(&rules, candidates, verdicts->count, time(NULL), reasons);
	if (result == BT_E_INVALID && retention->snapshot_number.given) /* 0: nothing is kept */
		result = 0;
	for (size_t i = 0; i < verdicts->count && !result; i++) {
		verdicts->items[i].reasons = reasons[i];
		verdicts->removed += !reasons[i];
		name_reasons(&verdicts->items[i]);
	}
	free(candidates);
	free(reasons);
	return result;
}

static int open_all(const struct tool *tool, struct bt_store *store, struct tool_verdicts *verdicts)
{
	size_t count = bt_store_snapshot_count(store);

	verdicts->items = tool_alloc((count + 1) * sizeof(*verdicts->items));
	for (size_t i = 0; i < count; i++) {
		struct bt_error error = {0};

		if (bt_snapshot_open(store, bt_store_snapshot_name(store, i), &verdicts->items[i].snapshot, &error))
			return tool_fail(tool, &error);
		verdicts->count++;
	}
	return TOOL_OK;
}

int tool_verdicts_make(const struct tool *tool, struct bt_store *store, const struct tool_retention *retention,
		       struct tool_verdicts *ret_verdicts)
{
	struct tool_verdicts verdicts = {0};
	int result = open_all(tool, store, &verdicts);

	if (result == TOOL_OK && decide(retention, &verdicts))
		result = tool_usage_error(tool, "no rule says what to keep: give --snapshot-number or one of --keep-…");
	if (result == TOOL_OK && verdicts.count && verdicts.removed == verdicts.count && !retention->all) {
		tool_say(tool, "the rules would remove every snapshot; nothing was removed. If you mean it, add --all");
		result = TOOL_FATAL;
	}
	if (result == TOOL_OK)
		*ret_verdicts = verdicts;
	else
		tool_verdicts_free(&verdicts);
	return result;
}

int tool_verdicts_apply(const struct tool_verdicts *verdicts, struct bt_store *store,
			const struct bt_prune_options *options, const struct bt_observer *observer,
			struct bt_prune_result *ret_result, struct bt_error *error)
{
	const char **names = tool_alloc((verdicts->removed + 1) * sizeof(*names));
	size_t count = 0;
	int result;

	for (size_t i = 0; i < verdicts->count; i++)
		if (!verdicts->items[i].reasons)
			names[count++] = bt_snapshot_info(verdicts->items[i].snapshot)->name;
	result = bt_prune(store, names, count, options, observer, ret_result, error);
	free(names);
	return result;
}

void tool_verdicts_free(struct tool_verdicts *verdicts)
{
	for (size_t i = 0; i < verdicts->count; i++)
		bt_snapshot_close(verdicts->items[i].snapshot);
	free(verdicts->items);
	*verdicts = (struct tool_verdicts){0};
}
