/* SPDX-License-Identifier: MIT */
/* What became of a snapshot: for people, for JSON and as an exit code. */
#include "output.h"
#include "patterns.h"
#include "programs.h"
#include "taking.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tool_taken_note(const struct tool_taking *taking, struct tool_taken *taken)
{
	bool tried = (!*taken->result.parent || taken->dry_run) && !taken->result.followed;
	const struct tool_texts *exclude = &taking->rules.exclude, *include = &taking->rules.include;

	taken->empty = tool_programs_empty(taken->programs);
	for (size_t i = 0; tried && i < exclude->count; i++)
		if (!taken->used[i])
			tool_texts_add(&taken->unused, exclude->items[i]);
	taken->unused_exclude = taken->unused.count;
	for (size_t i = 0; tried && i < include->count; i++)
		if (!taken->used[exclude->count + i])
			tool_texts_add(&taken->unused, include->items[i]);
}

void tool_taken_end(struct tool_taken *taken)
{
	free(taken->used);
	free(taken->as);
	tool_programs_free(taken->programs);
	taken->programs = NULL;
	free(taken->empty.items);
	taken->empty = (struct tool_texts){0};
	free(taken->unused.items);
	taken->used = NULL;
	taken->as = NULL;
	taken->unused = (struct tool_texts){0};
}

void tool_taking_say_rules(const struct tool *tool, const struct tool_taking *taking, const struct tool_taken *taken)
{
	const struct bt_snapshot_result *result = &taken->result;

	if (tool->quiet)
		return;
	const struct tool_texts exclude = {taken->unused.items, taken->unused_exclude};
	const struct tool_texts include = {taken->unused.items + taken->unused_exclude,
					   taken->unused.count - taken->unused_exclude};
	tool_patterns_say_unused(tool, taking->target, taking->as, &taking->rules.exclude, &exclude);
	tool_patterns_say_unused(tool, taking->target, taking->as, &taking->rules.include, &include);
	if (result->rules_changed)
		tool_say(tool, "the rules differ from those of the last snapshot");
	if (result->rules_omitted)
		tool_say(tool, "the rules are too long to be recorded, so that 'diff' and 'restore --delete' will not "
			       "know them");
}

static struct tool_value get_unused(const void *row)
{
	const struct tool_texts *unused = &((const struct tool_taken *)row)->unused;

	return (struct tool_value){.kind = unused->count ? TOOL_TEXTS : TOOL_NOTHING,
				   .texts = {unused->items, unused->count}};
}

static struct tool_value get_empty(const void *row)
{
	const struct tool_texts *empty = &((const struct tool_taken *)row)->empty;

	return (struct tool_value){.kind = empty->count ? TOOL_TEXTS : TOOL_NOTHING,
				   .texts = {empty->items, empty->count}};
}

const struct tool_column tool_taken_columns[TOOL_TAKEN_COLUMNS + 1] = {
	{"name", NULL, TOOL_IF_ANY(TOOL_CHARS, struct tool_taken, result.name)},
	{"partial", NULL, TOOL_IF_ANY(TOOL_FLAG, struct tool_taken, result.partial)},
	{"parent", NULL, TOOL_IF_ANY(TOOL_CHARS, struct tool_taken, result.parent)},
	{"dry_run", NULL, TOOL_MEMBER(TOOL_FLAG, struct tool_taken, dry_run)},
	{"skipped", NULL, TOOL_MEMBER(TOOL_FLAG, struct tool_taken, result.skipped)},
	{"files", NULL, TOOL_MEMBER(TOOL_COUNT, struct tool_taken, result.files)},
	{"directories", NULL, TOOL_MEMBER(TOOL_COUNT, struct tool_taken, result.directories)},
	{"others", NULL, TOOL_MEMBER(TOOL_COUNT, struct tool_taken, result.others)},
	{"size", NULL, TOOL_MEMBER(TOOL_BYTES, struct tool_taken, result.directory_size)},
	{"new", NULL, TOOL_MEMBER(TOOL_COUNT, struct tool_taken, result.created)},
	{"changed", NULL, TOOL_MEMBER(TOOL_COUNT, struct tool_taken, result.changed)},
	{"unchanged", NULL, TOOL_MEMBER(TOOL_COUNT, struct tool_taken, result.unchanged)},
	{"vanished", NULL, TOOL_MEMBER(TOOL_COUNT, struct tool_taken, result.vanished)},
	{"excluded", NULL, TOOL_MEMBER(TOOL_COUNT, struct tool_taken, result.left_out)},
	{"missing", NULL, TOOL_IF_ANY(TOOL_COUNT, struct tool_taken, result.missing)},
	{"errors", NULL, TOOL_MEMBER(TOOL_COUNT, struct tool_taken, result.errors)},
	{"torn", NULL, TOOL_IF_ANY(TOOL_COUNT, struct tool_taken, result.torn)},
	{"removed_entries", NULL, TOOL_IF_ANY(TOOL_COUNT, struct tool_taken, result.removed)},
	{"removed_bytes", NULL, TOOL_IF_ANY(TOOL_BYTES, struct tool_taken, result.removed_bytes)},
	{"too_large", NULL, TOOL_IF_ANY(TOOL_COUNT, struct tool_taken, result.too_large)},
	{"too_large_bytes", NULL, TOOL_IF_ANY(TOOL_BYTES, struct tool_taken, result.too_large_bytes)},
	{"boundaries", NULL, TOOL_IF_ANY(TOOL_COUNT, struct tool_taken, result.boundaries)},
	{"emptied", NULL, TOOL_IF_ANY(TOOL_FLAG, struct tool_taken, result.emptied)},
	{"shrank", NULL, TOOL_IF_ANY(TOOL_FLAG, struct tool_taken, result.shrank)},
	{"rules_changed", NULL, TOOL_IF_ANY(TOOL_FLAG, struct tool_taken, result.rules_changed)},
	{"rules_omitted", NULL, TOOL_IF_ANY(TOOL_FLAG, struct tool_taken, result.rules_omitted)},
	{"unused_patterns", NULL, TOOL_GET(get_unused)},
	{"empty_files", NULL, TOOL_GET(get_empty)},
	{"new_bytes", NULL, TOOL_MEMBER(TOOL_BYTES, struct tool_taken, result.new_bytes)},
	{"stored_bytes", NULL, TOOL_MEMBER(TOOL_BYTES, struct tool_taken, result.stored_bytes)},
	{"written_bytes", NULL, TOOL_MEMBER(TOOL_BYTES, struct tool_taken, result.written_bytes)},
	{"seconds", NULL, TOOL_MEMBER(TOOL_SECONDS, struct tool_taken, seconds)},
	{"store_id", NULL, TOOL_IF_ANY(TOOL_CHARS, struct tool_taken, store.id)},
	{"store_made", NULL, TOOL_IF_ANY(TOOL_FLAG, struct tool_taken, store.made)},
	{0},
};

char *tool_taken_losses(const struct bt_snapshot_result *result)
{
	tool_auto char *removed = tool_count(result->removed, "entry", "entries");
	tool_auto char *bytes = tool_bytes(result->removed_bytes);
	tool_auto char *left_out = tool_count(result->left_out, "entry", "entries");
	tool_auto char *large = tool_count(result->too_large, "file", "files");
	tool_auto char *large_bytes = tool_bytes(result->too_large_bytes);
	tool_auto char *boundaries = tool_count(result->boundaries, "other file system", "other file systems");
	tool_auto char *path = tool_escape(result->boundary);
	char *text = tool_format("%s", "");

	if (result->removed)
		tool_append(&text, "; %s removed", removed);
	if (result->removed_bytes)
		tool_append(&text, " (%s)", bytes);
	if (result->left_out)
		tool_append(&text, "; %s left out", left_out);
	if (result->too_large)
		tool_append(&text, ", of them %s (%s) for the size", large, large_bytes);
	if (result->boundaries)
		tool_append(&text, "; %s not entered", boundaries);
	if (result->boundaries && *path) /* of several the first is named */
		tool_append(&text, " (%s: %s%s)", path, result->boundary_type, result->boundaries > 1 ? ", …" : "");
	if (result->shrank && !result->emptied)
		tool_append(&text, "; less than half of the files and bytes of the snapshot before");
	return text;
}

static void add_lack(char **text, uint64_t count, const char *one, const char *many, const char *what)
{
	tool_auto char *counted = tool_count(count, one, many);

	if (!count)
		return;
	if (!*text)
		*text = tool_format("%s", "");
	tool_append(text, "%s%s %s", **text ? "; " : "", counted, what);
}

char *tool_taken_lacks(const struct bt_snapshot_result *result)
{
	char *text = NULL;

	add_lack(&text, result->errors - result->torn, "entry", "entries", "could not be read");
	add_lack(&text, result->torn, "file", "files", "changed while being read");
	add_lack(&text, result->missing, "listed path", "listed paths",
		 result->missing == 1 ? "is not there" : "are not there");
	return text;
}

char *tool_taken_interrupted(const struct bt_snapshot_result *result)
{
	tool_auto char *files = tool_count(result->files, "file", "files"), *size = tool_bytes(result->directory_size);
	tool_auto char *written = tool_bytes(result->written_bytes);
	char *text = NULL;

	if (result->partial && strcmp(result->name, result->parent) == 0)
		text = tool_format("interrupted; %s, which is partial, stays: the next run goes on from there",
				   result->name);
	else if (result->partial)
		text = tool_format("interrupted; what was read is kept as %s, which is partial: %s, %s; the next run "
				   "goes on from there",
				   result->name, files, size);
	else if (result->written_bytes)
		text = tool_format("interrupted; %s of what was stored are kept: run it again to go on from there",
				   written);
	return text;
}

int tool_taken_fail(const struct tool *tool, const struct tool_taken *taken, const struct bt_error *error)
{
	tool_auto char *kept = error->code == BT_E_CANCELLED ? tool_taken_interrupted(&taken->result) : NULL;
	const char *failure = error->code == BT_E_CANCELLED ? NULL : tool_programs_failure(taken->programs);

	if (failure) {
		tool_complain(tool, "%s", failure);
		return TOOL_FATAL;
	}
	if (!kept)
		return tool_fail(tool, error);
	tool_complain(tool, "%s", kept);
	return tool_exit_code(error->code);
}

/* False: they gave something. */
static bool say_empty(const struct tool *tool, const struct tool_texts *empty)
{
	tool_auto char *names = tool_format("%s", "");

	for (size_t i = 0; i < empty->count; i++) {
		tool_auto char *shown = tool_escape(empty->items[i]);

		tool_append(&names, "%s%s", i ? ", " : "", shown);
	}
	if (empty->count)
		tool_say(tool,
			 "there was nothing for %s, so the snapshot has an empty file: did the program do its work? if "
			 "this is right, give --allow-empty",
			 names);
	return empty->count;
}

int tool_taken_judge(const struct tool *tool, const struct tool_taking *taking, const struct tool_taken *taken,
		     int code)
{
	if (taking->allow_empty)
		return tool_exit_code(code);
	if (say_empty(tool, &taken->empty))
		return TOOL_INCOMPLETE;
	if (!taken->result.emptied)
		return tool_exit_code(code);
	tool_auto char *target = tool_taking_shown(taking);
	tool_say(tool,
		 "nothing is left in %s, where the snapshot before had something: is everything mounted? if this is "
		 "right, give --allow-empty",
		 target);
	return TOOL_INCOMPLETE;
}
