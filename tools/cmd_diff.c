/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "entry.h"
#include "output.h"
#include "patterns.h"
#include "place.h"
#include "progress.h"
#include "taking.h"
#include "unified.h"
#include <backuptool/compare.h>
#include <errno.h>
#include <fcntl.h>
#include <internal/policy.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct options {
	bool content, nul, exit_code, all_files, exclude_caches, one_file_system;
	struct tool_texts exclude, exclude_if_present;
};

#define FIELD(name) offsetof(struct options, name)
static const struct tool_option table[] = {
	{"content", 'c', NULL, false, "show what changed in texts, as 'diff -u' does", tool_set_true, FIELD(content)},
	{"null", '0', NULL, false, "no totals, and a NUL after each entry instead of a newline", tool_set_true,
	 FIELD(nul)},
	{"exit-code", 0, NULL, false, "end with 4 if there are differences", tool_set_true, FIELD(exit_code)},
	{"all-files", 0, NULL, false, "also show what the snapshot's own rules left out", tool_set_true,
	 FIELD(all_files)},
	{"exclude", 'e', "PATTERN", false, "in a directory leave out what matches, as 'snapshot' does; repeatable",
	 tool_add_text, FIELD(exclude)},
	{"exclude-caches", 0, NULL, false, "the same for what lies beside a CACHEDIR.TAG", tool_set_true,
	 FIELD(exclude_caches)},
	{"exclude-if-present", 0, "NAME", false, "the same for what lies beside a file of this name; repeatable",
	 tool_add_text, FIELD(exclude_if_present)},
	{"one-file-system", 'x', NULL, false, "do not enter other file systems", tool_set_true, FIELD(one_file_system)},
	{0},
};

struct diff {
	const struct tool *tool;
	const struct options *options;
	struct tool_talk talk;
	struct tool_place before, after;
	char *live; /* a path, instead of after */
	struct bt_compare_result result;
};

static const char letters[BT_CHANGE_KINDS + 1] = "+-MTU";

#define BEFORE	     self->before
#define AFTER	     self->after
#define SIZED(entry) ((entry) && (entry)->type == BT_FILE ? TOOL_BYTES : TOOL_NOTHING)
static struct tool_value get_change(const void *row)
{
	static const char *const names[] = {"added", "removed", "content", "type", "metadata"};
	const struct bt_change *self = row;

	return (struct tool_value){.kind = TOOL_TEXT, .text = names[self->kind]};
}
TOOL_GETTER(struct bt_change, type, TOOL_TEXT, text, tool_type_name((AFTER ? AFTER : BEFORE)->type))
TOOL_GETTER(struct bt_change, old_type, BEFORE ? TOOL_TEXT : TOOL_NOTHING, text,
	    BEFORE ? tool_type_name(BEFORE->type) : NULL)
TOOL_GETTER(struct bt_change, old_size, SIZED(BEFORE), number, BEFORE ? BEFORE->size : 0)
TOOL_GETTER(struct bt_change, size, SIZED(AFTER), number, AFTER ? AFTER->size : 0)

static const struct tool_column change_columns[] = {
	{"change", NULL, TOOL_GET(get_change)},
	{"path", NULL, TOOL_MEMBER(TOOL_TEXT, struct bt_change, path)},
	{"type", NULL, TOOL_GET(get_type)},
	{"old_type", NULL, TOOL_GET(get_old_type)},
	{"size", NULL, TOOL_GET(get_size)},
	{"old_size", NULL, TOOL_GET(get_old_size)},
	{"mtime", NULL, TOOL_VIA(TOOL_TIME, struct bt_change, after, mtime)},
	{"old_mtime", NULL, TOOL_VIA(TOOL_TIME, struct bt_change, before, mtime)},
	{0},
};

TOOL_GETTER(struct diff, totals, TOOL_TEXT, text, self ? "totals" : NULL)

static const struct tool_column total_columns[] = {
	{"change", NULL, TOOL_GET(get_totals)},
	{"added", NULL, TOOL_MEMBER(TOOL_COUNT, struct diff, result.counts[BT_CHANGE_ADDED])},
	{"removed", NULL, TOOL_MEMBER(TOOL_COUNT, struct diff, result.counts[BT_CHANGE_REMOVED])},
	{"content", NULL, TOOL_MEMBER(TOOL_COUNT, struct diff, result.counts[BT_CHANGE_CONTENT])},
	{"types", NULL, TOOL_MEMBER(TOOL_COUNT, struct diff, result.counts[BT_CHANGE_TYPE])},
	{"metadata", NULL, TOOL_MEMBER(TOOL_COUNT, struct diff, result.counts[BT_CHANGE_METADATA])},
	{"added_bytes", NULL, TOOL_MEMBER(TOOL_BYTES, struct diff, result.added_bytes)},
	{"removed_bytes", NULL, TOOL_MEMBER(TOOL_BYTES, struct diff, result.removed_bytes)},
	{"errors", NULL, TOOL_MEMBER(TOOL_COUNT, struct diff, result.errors)},
	{0},
};

/* The file as it is now: not one that a link leads to. */
static int open_live(const struct diff *diff, const struct bt_change *change)
{
	tool_auto char *path = tool_format("%s%s%s", diff->live, *change->path ? "/" : "", change->path);
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;

	if (fd >= 0 && (fstat(fd, &status) || !S_ISREG(status.st_mode))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* What is compared itself has no path below it: then it goes by its name. */
static const char *shown_path(const struct diff *diff, const char *path)
{
	const struct bt_entry *compared = diff->before.entry;

	return *path || compared->type == BT_DIR ? path : compared->name;
}

static void content_print(struct diff *diff, const struct bt_change *change)
{
	struct bt_error error = {0};
	int before, after, sys;

	if (change->kind != BT_CHANGE_CONTENT || change->after->type != BT_FILE)
		return;
	before = tool_unified_open(diff->before.pick.store, change->before, &error);
	after = before < 0   ? -1
		: diff->live ? open_live(diff, change)
			     : tool_unified_open(diff->after.pick.store, change->after, &error);
	if (error.code && error.code != BT_E_UNSUPPORTED) {
		tool_fail(diff->tool, &error);
	} else if (before >= 0 && after >= 0) {
		sys = tool_unified_print(before, after, shown_path(diff, change->path));
		if (sys)
			tool_say(diff->tool, "cannot run diff: %s", strerror(sys));
	} else {
		puts("  (too large to be shown)");
	}
	if (before >= 0)
		close(before);
	if (after >= 0)
		close(after);
}

static void line_print(const struct diff *diff, const struct bt_change *change)
{
	bool directory = (change->after ? change->after : change->before)->type == BT_DIR;
	const char *path = shown_path(diff, change->path);
	tool_auto char *line = tool_format("%c %s%s", letters[change->kind], *path ? path : ".", directory ? "/" : "");

	tool_path_print(line, diff->options->nul);
}

static void found(void *arg, const struct bt_change *change)
{
	struct diff *diff = arg;

	tool_talk_pause(&diff->talk);
	if (diff->tool->json)
		tool_object_print(change_columns, change);
	else if (!diff->tool->quiet)
		line_print(diff, change);
	if (diff->options->content && !diff->tool->quiet)
		content_print(diff, change);
}

static void totals_print(const struct diff *diff)
{
	const struct bt_compare_result *result = &diff->result;
	tool_auto char *added = tool_bytes(result->added_bytes), *removed = tool_bytes(result->removed_bytes);
	uint64_t sum = 0;

	for (int kind = 0; kind < BT_CHANGE_KINDS; kind++)
		sum += result->counts[kind];
	if (diff->tool->json)
		tool_object_print(total_columns, diff);
	else if (!sum && !result->errors)
		puts("no differences");
	else
		printf("%" PRIu64 " added, %" PRIu64 " removed, %" PRIu64 " changed, %" PRIu64
		       " of another type, %" PRIu64 " only in metadata; +%s, -%s\n",
		       result->counts[BT_CHANGE_ADDED], result->counts[BT_CHANGE_REMOVED],
		       result->counts[BT_CHANGE_CONTENT], result->counts[BT_CHANGE_TYPE],
		       result->counts[BT_CHANGE_METADATA], added, removed);
}

static int compare(struct diff *diff, struct bt_error *error)
{
	const struct options *options = diff->options;
	const struct bt_compare_call call = {found, diff, &diff->talk.observer};
	const struct bt_side before = {diff->before.pick.store, diff->before.info, diff->before.entry};
	const struct bt_side after = {diff->after.pick.store, diff->after.info, diff->after.entry};
	const struct bt_live live = {.size = sizeof(live),
				     .path = diff->live,
				     .exclude = options->exclude.items,
				     .exclude_count = options->exclude.count,
				     .exclude_if_present = options->exclude_if_present.items,
				     .exclude_if_present_count = options->exclude_if_present.count,
				     .exclude_caches = options->exclude_caches,
				     .one_file_system = options->one_file_system,
				     .recorded = !options->all_files,
				     .below = diff->before.path};

	return diff->live ? bt_compare_live(&before, &live, &call, &diff->result, error)
			  : bt_compare(&before, &after, &call, &diff->result, error);
}

static int run_diff(struct diff *diff)
{
	struct bt_error error = {0};
	bool differs = false;
	int code;

	tool_talk_begin(&diff->talk, diff->tool);
	code = compare(diff, &error);
	tool_talk_end(&diff->talk);
	if (code && code != BT_E_INCOMPLETE)
		return tool_fail(diff->tool, &error);
	for (int kind = 0; kind < BT_CHANGE_KINDS; kind++)
		differs |= diff->result.counts[kind] > 0;
	if (diff->tool->json || (!diff->tool->quiet && !diff->options->nul))
		totals_print(diff);
	if (code)
		return TOOL_INCOMPLETE;
	return differs && diff->options->exit_code ? TOOL_DIFFERENT : TOOL_OK;
}

static bool is_snapshot(const struct tool *tool, const char *text)
{
	const struct bt_store_options read_only = {.size = sizeof(read_only), .read_only = true};
	struct bt_store *store = NULL;
	struct bt_error error = {0};
	bool found = bt_store_open(tool->store, &read_only, &store, &error) == 0 && tool_place_names(store, text);

	bt_store_close(store);
	return found;
}

static bool has_snapshot_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	tool_auto char *name = tool_format("%s", slash ? slash + 1 : path);
	char *at_rest = strstr(name, ".zst");
	int64_t seconds;
	unsigned clash;

	if (at_rest && strcmp(at_rest, ".zst") == 0)
		*at_rest = '\0';
	return bt_snapshot_name_parse(name, &seconds, &clash) == 0;
}

/* A path as it is now, with which what is in the snapshot can be compared; what can only be a path is one. */
static bool is_live(const struct diff *diff, const char *text)
{
	struct stat status;

	if (diff->before.entry->type == BT_DIR ? stat(text, &status) || !S_ISDIR(status.st_mode)
					       : lstat(text, &status) || has_snapshot_name(text))
		return false;
	return strchr(text, '/') || strcmp(text, ".") == 0 || strcmp(text, "..") == 0 || !is_snapshot(diff->tool, text);
}

/* What the first one is compared with. */
static int open_other(struct diff *diff)
{
	const struct tool *tool = diff->tool;
	const struct tool_place *before = &diff->before;

	if (tool->operand_count == 2 && !is_live(diff, tool->operands[1]))
		return tool_place_open(tool, tool->operands[1], &diff->after);
	if (tool->operand_count == 2)
		diff->live = tool_format("%s", tool->operands[1]);
	else
		diff->live = tool_format("%s%s%s", before->info->target, *before->path ? "/" : "", before->path);
	return TOOL_OK;
}

/* Nothing of a snapshot is left out, so that an option for that is a mistake. */
static int check_live(const struct diff *diff)
{
	const struct options *options = diff->options;
	const char *given = options->exclude.count		? "exclude"
			    : options->exclude_if_present.count ? "exclude-if-present"
			    : options->exclude_caches		? "exclude-caches"
			    : options->one_file_system		? "one-file-system"
			    : options->all_files		? "all-files"
								: NULL;

	return diff->live || !given
		       ? TOOL_OK
		       : tool_usage_error(diff->tool, "--%s goes with a directory; here both are snapshots", given);
}

/* The one that the second operand is, or NULL. */
static const char *directory(const struct tool *tool)
{
	const char *text = tool->operand_count == 2 ? tool->operands[1] : NULL;
	struct stat status;

	return text && stat(text, &status) == 0 && S_ISDIR(status.st_mode) ? text : NULL;
}

static int run(struct tool *tool, const void *arg)
{
	struct diff diff = {.tool = tool, .options = arg, .result = {.size = sizeof(diff.result)}};
	int r;

	if (diff.options->content && (tool->json || diff.options->nul))
		return tool_usage_error(tool, "--content is for people: neither with --json nor with --null");
	if (tool->json && diff.options->nul)
		return tool_usage_error(tool, "--json and --null do not go together");
	r = tool_place_open_beside(tool, tool->operands[0], directory(tool), &diff.before);
	if (r != TOOL_OK)
		return r;
	r = open_other(&diff);
	if (r == TOOL_OK)
		r = check_live(&diff);
	if (diff.live)
		tool_patterns_check(tool, diff.live, &diff.options->exclude);
	if (r == TOOL_OK && diff.live && !diff.options->all_files)
		tool_recorded_check(tool, diff.before.info);
	if (r == TOOL_OK)
		r = run_diff(&diff);
	free(diff.live);
	tool_place_close(&diff.after);
	tool_place_close(&diff.before);
	return r;
}

const struct tool_command cmd_diff = {
	.name = "diff",
	.summary = "shows what differs between snapshots, or since one was taken",
	.description = "A line for each difference: + came, - went, M other contents, T another type,\n"
		       "U only metadata. One snapshot is compared with its directory as it is now; a\n"
		       "PATH in it, too, or with another directory or file. What the rules left out\n"
		       "by which the snapshot was taken is not shown then; --all-files shows it. Rules\n"
		       "that go by a file in a directory (such as CACHEDIR.TAG) go by what is there\n"
		       "now: where one came since, what is beside it shows as gone.",
	.operands = "SNAPSHOT[:PATH] [SNAPSHOT[:PATH] | DIR | FILE]",
	.example = "  backuptool diff latest~1 latest\n"
		   "  backuptool diff latest\n"
		   "  backuptool diff @yesterday:letters latest:letters --content\n",
	.min_operands = 1,
	.max_operands = 2,
	.stream = true,
	.common = TOOL_COMMON_STORE | TOOL_COMMON_SELECT | TOOL_COMMON_JSON | TOOL_COMMON_TALK,
	.options = {{table, 0}},
	.options_size = sizeof(struct options),
	.run = run,
};
