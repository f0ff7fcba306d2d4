/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "output.h"
#include "progress.h"
#include "rows.h"
#include <backuptool/prune.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	struct tool_texts add, remove;
};

static const struct tool_option table[] = {
	{"add", 0, "TAG", false, "a tag to add; repeatable", tool_add_tag, offsetof(struct options, add)},
	{"remove", 0, "TAG", false, "a tag to take away; repeatable", tool_add_text, offsetof(struct options, remove)},
	{0},
};

static bool has(const char *const *texts, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(texts[i], text) == 0)
			return true;
	return false;
}

static int compare(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static struct tool_texts changed_tags(const struct bt_snapshot_info *info, const struct options *options)
{
	struct tool_texts tags = {0};

	for (size_t i = 0; i < info->tag_count; i++)
		if (!has(options->remove.items, options->remove.count, info->tags[i]))
			tool_texts_add(&tags, info->tags[i]);
	for (size_t i = 0; i < options->add.count; i++)
		if (!has(tags.items, tags.count, options->add.items[i]))
			tool_texts_add(&tags, options->add.items[i]);
	if (tags.count)
		qsort(tags.items, tags.count, sizeof(*tags.items), compare);
	return tags;
}

/* What is printed with --json. */
struct report {
	const char *name;
	struct tool_texts tags;
};

TOOL_GETTER(struct report, name, TOOL_TEXT, text, self->name)

static struct tool_value get_tags(const void *row)
{
	const struct tool_texts *tags = &((const struct report *)row)->tags;

	return (struct tool_value){.kind = TOOL_TEXTS, .texts = {tags->items, tags->count}};
}

static const struct tool_column columns[] = {
	{"name", NULL, false, get_name},
	{"tags", NULL, false, get_tags},
	{0},
};

static bool valid(const struct tool *tool, const struct tool_texts *tags)
{
	for (size_t i = 0; i < tags->count; i++) {
		bool control = false;

		for (const char *c = tags->items[i]; *c; c++)
			control |= (unsigned char)*c < 0x20 || *c == 0x7f;
		if (control || !*tags->items[i] || !tool_is_utf8(tags->items[i])) {
			tool_usage_error(tool, "a tag is UTF-8 text without control characters");
			return false;
		}
	}
	return true;
}

static int retag(const struct tool *tool, const struct tool_pick *pick, const struct options *options)
{
	const struct bt_snapshot_info *info = bt_snapshot_info(pick->snapshot);
	struct report report = {info->name, changed_tags(info, options)};
	struct bt_error error = {0};
	struct tool_talk talk;
	int result = TOOL_OK;

	tool_talk_begin(&talk, tool);
	if (!valid(tool, &options->add))
		result = TOOL_USAGE;
	else if (bt_snapshot_retag(pick->store, info->name, report.tags.items, report.tags.count, &talk.observer,
				   &error))
		result = tool_fail(tool, &error);
	else if (tool->json)
		tool_object_print(columns, &report);
	tool_talk_end(&talk);
	free(report.tags.items);
	return result;
}

static int run(struct tool *tool, const void *opaque)
{
	const struct options *options = opaque;
	struct tool_pick pick;
	int result;

	if (!options->add.count && !options->remove.count)
		return tool_usage_error(tool, "nothing to change: give --add TAG or --remove TAG");
	result = tool_pick_open(tool, tool->operands[0], &pick);
	if (result != TOOL_OK)
		return result;
	result = retag(tool, &pick, options);
	tool_pick_close(&pick);
	return result;
}

const struct tool_command cmd_tag = {
	.name = "tag",
	.summary = "adds tags to a snapshot or takes them away",
	.description = "A tag is UTF-8 text without commas and control characters. 'prune --keep-tag'\n"
		       "keeps what has a tag, and 'list --json' gives them.",
	.operands = "SNAPSHOT",
	.example = "  backuptool tag latest --add before-upgrade\n",
	.min_operands = 1,
	.max_operands = 1,
	.common = TOOL_COMMON_STORE | TOOL_COMMON_JSON,
	.options = table,
	.options_size = sizeof(struct options),
	.run = run,
};
