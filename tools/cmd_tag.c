/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "confirm.h"
#include "named.h"
#include "output.h"
#include "progress.h"
#include "rows.h"
#include <backuptool/prune.h>

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

static int print_tags(const struct tool *tool, struct bt_store *store, const char *name)
{
	struct bt_error error = {0};
	struct bt_snapshot *snapshot;

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
	const char *name = bt_snapshot_info(pick->snapshot)->name;
	struct bt_error error = {0};
	struct tool_talk talk;
	int r = TOOL_OK;

	if (!valid(tool, &options->add))
		return TOOL_USAGE;
	tool_talk_begin(&talk, tool);
	if (bt_snapshot_retag(pick->store, name, &change, &talk.observer, &error))
		r = tool_fail(tool, &error);
	tool_talk_end(&talk);
	return r == TOOL_OK && tool->json ? print_tags(tool, pick->store, name) : r;
}

static int run_tag(struct tool *tool, const void *opaque)
{
	const struct options *options = opaque;
	struct tool_pick pick;
	int r;

	if (!options->add.count && !options->remove.count && !options->pin && !options->unpin)
		return tool_usage_error(tool, "nothing to change: give --add TAG, --remove TAG, --pin or --unpin");
	if (options->pin && options->unpin)
		return tool_usage_error(tool, "--pin and --unpin exclude each other");
	r = tool_pick_open(tool,
			   &(struct tool_wish){.text = tool->operands[0],
					       .deletes = options->remove.count > 0 || options->unpin,
					       .changes = true},
			   &pick);
	if (r != TOOL_OK)
		return r;
	tool_store_doubt(tool, pick.store);
	tool_named_doubt(tool, pick.store, tool->operands[0], bt_snapshot_info(pick.snapshot)->name);
	r = tool_confirm(tool);
	if (r == TOOL_OK)
		r = retag(tool, &pick, options);
	tool_pick_close(&pick);
	return r;
}

const struct tool_command cmd_tag = {
	.name = "tag",
	.summary = "adds tags to a snapshot, takes them away, or pins it",
	.description = "A tag is UTF-8 text without commas and control characters. 'prune --keep-tag'\n"
		       "keeps what has a tag, and 'list --json' gives them. No rule of 'prune' and 'job'\n"
		       "removes what is pinned, and 'remove' refuses it. A name is whole, or given to\n"
		       "the second; a shorter beginning needs --yes.",
	.operands = "SNAPSHOT",
	.example = "  backuptool tag latest --add before-upgrade\n"
		   "  backuptool tag latest --pin\n",
	.min_operands = 1,
	.max_operands = 1,
	.common = TOOL_COMMON_STORE | TOOL_COMMON_SELECT | TOOL_COMMON_JSON | TOOL_COMMON_YES,
	.options = {{table, 0}},
	.options_size = sizeof(struct options),
	.run = run_tag,
};
