/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "confirm.h"
#include "named.h"
#include "output.h"
#include "progress.h"
#include "rows.h"
#include <backuptool/prune.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	struct tool_texts add, remove;
	bool pin, unpin;
};

static const struct tool_option table[] = {
	{"add", 0, "TAG", false, "a tag to add; repeatable", tool_add_tag, offsetof(struct options, add)},
	{"remove", 0, "TAG", false, "a tag to take away; repeatable", tool_add_text, offsetof(struct options, remove)},
	{"pin", 0, NULL, false, "keep the snapshot, whatever the rules of a prune say", tool_set_true,
	 offsetof(struct options, pin)},
	{"unpin", 0, NULL, false, "the rules decide again", tool_set_true, offsetof(struct options, unpin)},
	{0},
};

#define INFO bt_snapshot_info(self)
TOOL_GETTER(struct bt_snapshot, name, TOOL_TEXT, text, INFO->name)
TOOL_GETTER(struct bt_snapshot, pinned, TOOL_FLAG, flag, INFO->pinned)

static struct tool_value get_tags(const void *row)
{
	const struct bt_snapshot_info *info = bt_snapshot_info(row);

	return (struct tool_value){.kind = TOOL_TEXTS, .texts = {info->tags, info->tag_count}};
}

static bool has_tag(const struct bt_snapshot_info *info, const char *tag)
{
	for (size_t i = 0; i < info->tag_count; i++)
		if (strcmp(info->tags[i], tag) == 0)
			return true;
	return false;
}

static const struct tool_column columns[] = {
	{"name", NULL, TOOL_GET(get_name)},
	{"tags", NULL, TOOL_GET(get_tags)},
	{"pinned", NULL, TOOL_GET(get_pinned)},
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

/* "snapshot_….json: added before-upgrade; took away old; has no tag older to take away; pinned" */
static char *done_text(const struct bt_snapshot_info *before, const struct options *options)
{
	char *text = tool_format("%s", "");

	for (size_t i = 0; i < options->add.count; i++) {
		tool_auto char *tag = tool_escape(options->add.items[i]);

		tool_append(&text, "; %s %s", has_tag(before, options->add.items[i]) ? "had already" : "added", tag);
	}
	for (size_t i = 0; i < options->remove.count; i++) {
		tool_auto char *tag = tool_escape(options->remove.items[i]);

		tool_append(&text,
			    has_tag(before, options->remove.items[i]) ? "; took %s away"
								      : "; has no tag %s to take away",
			    tag);
	}
	if (options->pin || options->unpin)
		tool_append(&text, "; %s%s", before->pinned == options->pin ? "was already " : "",
			    options->pin ? "pinned" : "unpinned");
	return text;
}

static int print_done(const struct tool *tool, struct bt_store *store, const char *name, const char *done)
{
	struct bt_error error = {0};
	struct bt_snapshot *snapshot;

	if (!tool->json) {
		printf("%s: %s\n", name, done + strlen("; "));
		return TOOL_OK;
	}
	if (bt_snapshot_open(store, name, &snapshot, &error))
		return tool_fail(tool, &error);
	tool_object_print(columns, snapshot);
	bt_snapshot_close(snapshot);
	return TOOL_OK;
}

static int retag(const struct tool *tool, const struct tool_pick *pick, const struct options *options)
{
	const struct bt_tag_change change = {.add = options->add.items,
					     .add_count = options->add.count,
					     .remove = options->remove.items,
					     .remove_count = options->remove.count,
					     .pin = options->pin,
					     .unpin = options->unpin};
	const struct bt_snapshot_info *info = bt_snapshot_info(pick->snapshot);
	tool_auto char *done = done_text(info, options);
	struct bt_error error = {0};
	struct tool_talk talk;
	int code;

	tool_talk_begin(&talk, tool);
	code = bt_snapshot_retag(pick->store, info->name, &change, &talk.observer, &error);
	tool_talk_end(&talk);
	return code ? tool_fail(tool, &error) : print_done(tool, pick->store, info->name, done);
}

/* Each may be the path of a file, so that each has its own store. */
static int open_all(const struct tool *tool, bool deletes, struct tool_pick *picks)
{
	int r = TOOL_OK;

	for (int i = 0; i < tool->operand_count && r == TOOL_OK; i++) {
		const struct tool_wish wish = {.text = tool->operands[i], .deletes = deletes, .changes = true};

		r = tool_pick_open(tool, &wish, &picks[i]);
		if (r == TOOL_OK)
			tool_named_doubt(tool, picks[i].store, wish.text, bt_snapshot_info(picks[i].snapshot)->name);
	}
	if (r == TOOL_OK)
		tool_store_doubt(tool, picks[0].store);
	return r;
}

static int run_tag(struct tool *tool, const void *opaque)
{
	const struct options *options = opaque;
	int r;

	if (!options->add.count && !options->remove.count && !options->pin && !options->unpin)
		return tool_usage_error(tool, "nothing to change: give --add TAG, --remove TAG, --pin or --unpin");
	if (options->pin && options->unpin)
		return tool_usage_error(tool, "--pin and --unpin exclude each other");
	if (!valid(tool, &options->add))
		return TOOL_USAGE;
	tool_auto struct tool_pick *picks = tool_alloc((size_t)tool->operand_count * sizeof(*picks));
	r = open_all(tool, options->remove.count > 0 || options->unpin, picks);
	if (r == TOOL_OK)
		r = tool_confirm(tool);
	for (int i = 0; i < tool->operand_count && r == TOOL_OK; i++)
		r = retag(tool, &picks[i], options);
	for (int i = 0; i < tool->operand_count; i++)
		tool_pick_close(&picks[i]);
	return r;
}

const struct tool_command cmd_tag = {
	.name = "tag",
	.summary = "adds tags to snapshots, takes them away, or pins them",
	.description = "A tag is UTF-8 text without commas and control characters. 'prune --keep-tag'\n"
		       "keeps what has a tag, and 'list --json' gives them. No rule of 'prune' and 'job'\n"
		       "removes what is pinned, and 'remove' refuses it. A name is whole, or given to\n"
		       "the second; a shorter beginning needs --yes. All names are understood before the\n"
		       "first snapshot is changed.",
	.operands = "SNAPSHOT…",
	.example = "  backuptool tag latest --add before-upgrade\n"
		   "  backuptool tag latest --pin\n",
	.min_operands = 1,
	.max_operands = -1,
	.stream = true,
	.common = TOOL_COMMON_STORE | TOOL_COMMON_SELECT | TOOL_COMMON_JSON | TOOL_COMMON_YES,
	.options = {{table, 0}},
	.options_size = sizeof(struct options),
	.run = run_tag,
};
