/* SPDX-License-Identifier: MIT */
#include "restore_picks.h"
#include "matching.h"
#include "output.h"
#include "patterns.h"
#include <stdlib.h>
#include <string.h>

#define FIELD(name) offsetof(struct tool_pick_options, name)
const struct tool_option tool_pick_table[] = {
	{"include", 'i', "PATTERN", false, "restore only what matches, as in .gitignore; repeatable", tool_add_text,
	 FIELD(includes)},
	{"include-from", 0, "FILE", false, "the same for each line of FILE, or of standard input if that is -",
	 tool_add_patterns, FIELD(includes)},
	{"exclude", 'e', "PATTERN", false, "leave out what matches, whatever else is selected; repeatable",
	 tool_add_text, FIELD(excludes)},
	{"exclude-from", 0, "FILE", false, "the same for each line of FILE, or of standard input if that is -",
	 tool_add_patterns, FIELD(excludes)},
	{0},
};

void tool_picks_begin(const struct tool_pick_options *options, struct tool_picks *picks,
		      struct bt_restore_options *wanted)
{
	*picks = (struct tool_picks){.options = options,
				     .include_used = tool_alloc(options->includes.count + 1),
				     .exclude_used = tool_alloc(options->excludes.count + 1)};
	wanted->includes = options->includes.items;
	wanted->include_count = options->includes.count;
	wanted->include_used = picks->include_used;
	wanted->excludes = options->excludes.items;
	wanted->exclude_count = options->excludes.count;
	wanted->exclude_used = picks->exclude_used;
}

static struct tool_texts unused_of(const struct tool_texts *patterns, const bool *used)
{
	struct tool_texts unused = {0};

	for (size_t i = 0; i < patterns->count; i++)
		if (!used[i])
			tool_texts_add(&unused, patterns->items[i]);
	return unused;
}

/* Why a pattern can match nothing is said by itself. */
static void say(const struct tool *tool, const char *target, const struct tool_texts *patterns,
		const struct tool_texts *unused)
{
	if (unused->count)
		tool_patterns_check(tool, target, NULL, unused);
	tool_patterns_say_unused(tool, target, NULL, patterns, unused);
}

int tool_picks_check(const struct tool *tool, const char *target, struct tool_picks *picks)
{
	const struct tool_pick_options *options = picks->options;
	struct tool_texts excludes = unused_of(&options->excludes, picks->exclude_used);

	picks->unmatched = unused_of(&options->includes, picks->include_used);
	say(tool, target, &options->includes, &picks->unmatched);
	if (!tool->quiet)
		say(tool, target, &options->excludes, &excludes);
	free(excludes.items);
	if (!picks->unmatched.count)
		return TOOL_OK;
	return picks->unmatched.count == options->includes.count ? TOOL_FATAL : TOOL_INCOMPLETE;
}

void tool_picks_end(struct tool_picks *picks)
{
	free(picks->include_used);
	free(picks->exclude_used);
	free(picks->unmatched.items);
}

void tool_picks_hint(const struct tool *tool, const char *path)
{
	tool_auto char *shown = tool_escape(path);

	if (tool_has_wildcards(path))
		tool_say(tool, "a PATH is not a pattern; write --include '%s'", shown);
}
