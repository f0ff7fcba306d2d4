/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "diff.h"
#include "output.h"
#include "taking.h"
#include <internal/policy.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIELD(name) offsetof(struct diff_options, name)

static const struct tool_option table[] = {
	{"content", 'c', NULL, false, "show what changed in texts, as 'diff -u' does", tool_set_true, FIELD(content)},
	{"recursive", 'R', NULL, false,
	 "a line for each entry of a directory that came or went, as where the output is no terminal", tool_set_true,
	 FIELD(recursive)},
	{"stat", 0, NULL, false, "a row for each directory in which something differs, with all that is below it",
	 tool_set_true, FIELD(stat)},
	{"depth", 'd', "N", false, "with --stat: of directories down to that level (1)", tool_set_count, FIELD(depth)},
	{"null", '0', NULL, false, "no totals, and a NUL after each entry instead of a newline", tool_set_true,
	 FIELD(nul)},
	{"exit-code", 0, NULL, false, "end with 4 if there are differences", tool_set_true, FIELD(exit_code)},
	{"all-files", 0, NULL, false, "also show what the snapshot's own rules left out", tool_set_true,
	 FIELD(all_files)},
	{0},
};

static bool is_short(const struct diff *diff)
{
	const struct diff_options *options = diff->options;

	return !options->recursive && !options->nul && !options->stat && !diff->tool->json && !diff->tool->quiet &&
	       isatty(STDOUT_FILENO);
}

static void found(void *arg, const struct bt_change *change)
{
	struct diff *diff = arg;

	if (diff->tool->quiet && !diff->tool->json)
		return;
	tool_talk_pause(&diff->talk);
	if (diff->options->stat)
		diff_stat_add(diff, change);
	else if (diff->tool->json)
		diff_json_print(diff, change);
	else if (is_short(diff))
		diff_short_add(diff, change);
	else
		diff_line_print(diff, change);
	if (diff->options->content)
		diff_content_print(diff, change);
}

static void note(void *arg, const struct bt_change *change)
{
	struct diff *diff = arg;
	bool inside = diff_whole_takes(&diff->whole, change, false);

	if (!inside) {
		diff_whole_end(&diff->whole);
		diff_whole_begins(&diff->whole, change, NULL);
	}
	tool_renames_note(&diff->renames, change, inside);
}

/* What was renamed is known only after all was compared. In a directory as it is now, new files have no digest. What
 * cannot be read is told by the second run. */
static void find_renamed(struct diff *diff, const struct bt_side *before, const struct bt_side *after)
{
	const struct bt_observer silent = {
		.size = sizeof(silent), .arg = diff->talk.observer.arg, .cancelled = diff->talk.observer.cancelled};
	struct bt_compare_result unused = {.size = sizeof(unused)};
	struct bt_error error = {0};

	if (diff->live || diff->options->stat || !(diff->tool->json || is_short(diff)))
		return;
	bt_compare(before, after, &(struct bt_compare_call){note, diff, &silent}, &unused, &error);
	diff_whole_end(&diff->whole);
	if (diff->renames.full)
		tool_say(diff->tool, "too many entries came and went to see which of them were renamed");
	tool_renames_match(&diff->renames);
}

static int compare(struct diff *diff, struct bt_error *error)
{
	const struct diff_options *options = diff->options;
	const struct tool_rules *rules = &options->rules;
	const struct bt_compare_call call = {found, diff, &diff->talk.observer};
	const struct bt_side before = {diff->before.pick.store, diff->before.info, diff->before.entry};
	const struct bt_side after = {diff->after.pick.store, diff->after.info, diff->after.entry};
	const struct bt_live live = {.size = sizeof(live),
				     .path = diff->live,
				     .exclude = rules->exclude.items,
				     .exclude_count = rules->exclude.count,
				     .exclude_if_present = rules->exclude_if_present.items,
				     .exclude_if_present_count = rules->exclude_if_present.count,
				     .exclude_caches = rules->exclude_caches,
				     .exclude_larger_than = rules->exclude_larger_than,
				     .exclude_nodump = rules->exclude_nodump,
				     .ignore_files = rules->ignore_files.items,
				     .ignore_file_count = rules->ignore_files.count,
				     .include = rules->include.items,
				     .include_count = rules->include.count,
				     .one_file_system = rules->one_file_system,
				     .recorded = !options->all_files,
				     .below = diff->before.path};

	find_renamed(diff, &before, &after);
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
	diff_short_end(diff);
	diff_stat_end(diff);
	if (code && code != BT_E_INCOMPLETE)
		return tool_fail(diff->tool, &error);
	for (int kind = 0; kind < BT_CHANGE_KINDS; kind++)
		differs |= diff->result.counts[kind] > 0;
	if (diff->tool->json || (!diff->tool->quiet && !diff->options->nul))
		diff_totals_print(diff);
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

static int no_directory(const struct tool *tool, const struct tool_place *place)
{
	tool_complain(tool,
		      "%s has what commands gave, so there is no directory to compare it with; compare it with another "
		      "snapshot, as in 'backuptool diff latest~1 latest'",
		      place->info->name);
	return TOOL_FATAL;
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
	else if (before->info->streams)
		return no_directory(tool, before);
	else
		diff->live = tool_format("%s%s%s", before->info->target, *before->path ? "/" : "", before->path);
	return TOOL_OK;
}

/* Nothing of a snapshot is left out, so that an option for that is a mistake. */
static int check_live(const struct diff *diff)
{
	const char *rule = tool_rules_given(&diff->options->rules);
	const char *given = rule ? rule : diff->options->all_files ? "all-files" : NULL;

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

static int check_options(const struct tool *tool, const struct diff_options *options)
{
	const char *with_stat = options->content     ? "content"
				: options->recursive ? "recursive"
				: options->nul	     ? "null"
						     : NULL;

	if (options->content && (tool->json || options->nul))
		return tool_usage_error(tool, "--content is for people: neither with --json nor with --null");
	if (tool->json && options->nul)
		return tool_usage_error(tool, "--json and --null do not go together");
	if (options->depth && !options->stat)
		return tool_usage_error(tool, "--depth goes with --stat");
	if (options->stat && with_stat)
		return tool_usage_error(tool, "--stat and --%s do not go together", with_stat);
	return TOOL_OK;
}

static int run(struct tool *tool, const void *arg)
{
	struct diff diff = {.tool = tool, .options = arg, .result = {.size = sizeof(diff.result)}};
	int r = check_options(tool, arg);

	if (r != TOOL_OK)
		return r;
	r = tool_place_open_beside(tool, tool->operands[0], directory(tool), &diff.before);
	if (r != TOOL_OK)
		return r;
	r = open_other(&diff);
	if (r == TOOL_OK)
		r = check_live(&diff);
	if (diff.live)
		tool_rules_check(tool, diff.live, NULL, &diff.options->rules);
	if (r == TOOL_OK && diff.live && !diff.options->all_files)
		tool_recorded_check(tool, diff.before.info);
	if (r == TOOL_OK)
		r = run_diff(&diff);
	free(diff.live);
	tool_renames_free(&diff.renames);
	tool_place_close(&diff.after);
	tool_place_close(&diff.before);
	return r;
}

const struct tool_command cmd_diff = {
	.name = "diff",
	.summary = "shows what differs between snapshots, or since one was taken",
	.description = "A line for each difference: + came, - went, M other contents, T another type,\n"
		       "U only metadata. On a terminal a directory that came or went has one line, with\n"
		       "the number of its files, and R is an entry that was renamed between two\n"
		       "snapshots: one of its contents went and one came. With --recursive, and where\n"
		       "the output is no terminal, each entry has a line, and what was renamed has two.\n"
		       "\n"
		       "One snapshot is compared with its directory as it is now; a\n"
		       "PATH in it, too, or with another directory or file. What the rules left out\n"
		       "by which the snapshot was taken is not shown then; --all-files shows it. Rules\n"
		       "that go by a file in a directory (such as CACHEDIR.TAG), by a size or by an\n"
		       "attribute go by what is there now: what such a rule leaves out since then\n"
		       "shows as gone.",
	.operands = "SNAPSHOT[:PATH] [SNAPSHOT[:PATH] | DIR | FILE]",
	.example = "  backuptool diff latest~1 latest\n"
		   "  backuptool diff latest\n"
		   "  backuptool diff latest~1 latest --stat -d 2\n"
		   "  backuptool diff @yesterday:letters latest:letters --content\n",
	.min_operands = 1,
	.max_operands = 2,
	.stream = true,
	.common = TOOL_COMMON_STORE | TOOL_COMMON_SELECT | TOOL_COMMON_JSON | TOOL_COMMON_TALK,
	.options = {{table, 0}, {tool_rules_options, offsetof(struct diff_options, rules)}},
	.options_size = sizeof(struct diff_options),
	.run = run,
};
