/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "foreign.h"
#include "output.h"
#include "place.h"
#include "progress.h"
#include "restore_ask.h"
#include "restore_owners.h"
#include "rows.h"
#include "taking.h"
#include <backuptool/restore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	const char *snapshot, *output;
	enum bt_overwrite overwrite;
	bool delete_extra, all_files, dry_run, salvage;
	struct tool_owner_options owners;
};

static const char *set_overwrite(void *field, const char *text)
{
	static const char *const modes[] = {[BT_OVERWRITE_IF_CHANGED] = "if-changed",
					    [BT_OVERWRITE_ALWAYS] = "always",
					    [BT_OVERWRITE_NEVER] = "never"};

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (strcmp(text, modes[i]) == 0) {
			*(enum bt_overwrite *)field = (enum bt_overwrite)i;
			return NULL;
		}
	return "always, if-changed or never";
}

#define FIELD(name) offsetof(struct options, name)
static const struct tool_option table[] = {
	{"snapshot-file", 0, "SNAPSHOT", true, "which snapshot; 'backuptool help' tells how to name it", tool_set_only,
	 FIELD(snapshot)},
	{"output-directory", 0, "DIR", true, "where to restore; made when it is missing", tool_set_only, FIELD(output)},
	{"overwrite", 0, "always|if-changed|never", false, "what to do with files that are there (if-changed)",
	 set_overwrite, FIELD(overwrite)},
	{"delete", 0, NULL, false, "remove what the snapshot does not have", tool_set_true, FIELD(delete_extra)},
	{"all-files", 0, NULL, false, "with --delete, also remove what the snapshot's own rules left out",
	 tool_set_true, FIELD(all_files)},
	{"salvage", 0, NULL, false, "bring back what can be verified out of damaged files, too", tool_set_true,
	 FIELD(salvage)},
	{"dry-run", 'n', NULL, false, "with -v, show what would be done; write nothing", tool_set_true, FIELD(dry_run)},
	{0},
};

/* What is printed with --json. */
struct report {
	const struct options *options;
	const struct bt_snapshot_info *info;
	const struct bt_restore_result *result;
	double seconds;
};

static const struct tool_column columns[] = {
	{"snapshot", NULL, TOOL_VIA(TOOL_TEXT, struct report, info, name)},
	{"output", NULL, TOOL_VIA(TOOL_TEXT, struct report, options, output)},
	{"dry_run", NULL, TOOL_VIA(TOOL_FLAG, struct report, options, dry_run)},
	{"files", NULL, TOOL_VIA(TOOL_COUNT, struct report, result, files)},
	{"directories", NULL, TOOL_VIA(TOOL_COUNT, struct report, result, directories)},
	{"others", NULL, TOOL_VIA(TOOL_COUNT, struct report, result, others)},
	{"written", NULL, TOOL_VIA(TOOL_COUNT, struct report, result, written)},
	{"unchanged", NULL, TOOL_VIA(TOOL_COUNT, struct report, result, unchanged)},
	{"deleted", NULL, TOOL_VIA(TOOL_COUNT, struct report, result, deleted)},
	{"errors", NULL, TOOL_VIA(TOOL_COUNT, struct report, result, errors)},
	{"boundaries", NULL, TOOL_VIA(TOOL_COUNT, struct report, result, boundaries)},
	{"torn", NULL, TOOL_VIA(TOOL_COUNT, struct report, result, torn)},
	{"by_time", NULL, TOOL_VIA(TOOL_COUNT, struct report, result, by_time)},
	{"in_pieces", NULL, TOOL_VIA(TOOL_COUNT, struct report, result, in_pieces)},
	{"bytes", NULL, TOOL_VIA(TOOL_BYTES, struct report, result, bytes)},
	{"seconds", NULL, TOOL_MEMBER(TOOL_SECONDS, struct report, seconds)},
	{0},
};

/* What there is only sometimes. */
static void print_rest(const struct bt_restore_result *result)
{
	if (result->boundaries)
		printf(", %llu other file %s", (unsigned long long)result->boundaries,
		       result->boundaries == 1 ? "system left as it is" : "systems left as they are");
	if (result->errors)
		printf(", %llu failed", (unsigned long long)result->errors);
	if (result->by_time)
		printf("\n%llu left as they were by size and time alone; '--overwrite always' writes them again",
		       (unsigned long long)result->by_time);
	if (result->in_pieces)
		printf("\n%llu verified only piece by piece: with holes of more than 1 GiB the digest of a file is not "
		       "compared",
		       (unsigned long long)result->in_pieces);
}

static void print_report(const struct tool *tool, const struct report *report)
{
	const struct bt_restore_result *result = report->result;

	if (tool->json) {
		tool_object_print(columns, report);
		return;
	}
	if (tool->quiet)
		return;
	tool_auto char *target = tool_escape(report->info->target);
	tool_auto char *output = tool_escape(report->options->output);
	tool_auto char *bytes = tool_bytes(result->bytes);
	tool_auto char *elapsed = tool_elapsed(report->seconds);
	tool_auto char *files = tool_count(result->files, "file", "files");
	tool_auto char *directories = tool_count(result->directories, "directory", "directories");
	tool_auto char *others = tool_count(result->others, "other", "others");
	printf("%s %s of %s to %s\n", report->options->dry_run ? "a dry run of restoring" : "restored",
	       report->info->name, target, output);
	printf("%s, %s, %s: %llu written (%s), %llu left as they were", files, directories, others,
	       (unsigned long long)result->written, bytes, (unsigned long long)result->unchanged);
	if (report->options->delete_extra)
		printf(", %llu deleted", (unsigned long long)result->deleted);
	print_rest(result);
	printf("\ntime: %s\n", elapsed);
}

/* Of the snapshot's own paths; none: everything. */
struct paths {
	char **items;
	size_t count;
};

static int add_path(const struct tool *tool, const struct tool_pick *pick, const char *path, struct paths *paths)
{
	int r = tool_place_find(tool, pick, path, &paths->items[paths->count]);

	paths->count += r == TOOL_OK;
	return r;
}

/* rest: the part of the operand after the snapshot's name. */
static int find_paths(const struct tool *tool, const struct tool_pick *pick, const char *rest, struct paths *paths)
{
	int r = TOOL_OK;

	*paths = (struct paths){tool_alloc(((size_t)tool->operand_count + 1) * sizeof(*paths->items)), 0};
	if (*rest)
		r = add_path(tool, pick, rest, paths);
	for (int i = 0; r == TOOL_OK && i < tool->operand_count; i++)
		r = add_path(tool, pick, tool->operands[i], paths);
	return r;
}

static void free_paths(struct paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		free(paths->items[i]);
	free(paths->items);
}

static int restore(struct tool *tool, const struct options *options, const struct tool_pick *pick,
		   const struct paths *paths)
{
	struct bt_restore_options wanted = {
		.size = sizeof(wanted),
		.paths = (const char *const *)paths->items,
		.path_count = paths->count,
		.overwrite = options->overwrite,
		.delete_extra = options->delete_extra,
		.keep_left_out = !options->all_files,
		.dry_run = options->dry_run,
		.salvage = options->salvage,
		.follow_foreign_links = tool->yes,
		.confine = true,
	};
	struct bt_restore_result result = {.size = sizeof(result)};
	struct report report = {.options = options, .info = bt_snapshot_info(pick->snapshot), .result = &result};
	struct bt_error error = {0};
	struct tool_causes causes = {0};
	struct tool_talk talk;
	struct tool_owners owners;
	int code = tool_owners_begin(tool, &options->owners, &owners, &wanted);

	if (code != TOOL_OK)
		return code;
	tool_auto char *output = tool_foreign_doubt(tool, options->output, options->dry_run);
	code = tool_restore_ask(tool, pick, output, &wanted);
	if (code != TOOL_OK) {
		tool_owners_end(tool, &owners);
		return code;
	}
	owners.talk = &talk;
	tool_talk_begin(&talk, tool);
	talk.causes = tool->verbose ? NULL : &causes;
	code = bt_restore(pick->store, pick->snapshot, output, &wanted, &talk.observer, &result, &error);
	report.seconds = tool_talk_seconds(&talk);
	tool_talk_end(&talk);
	tool_causes_end(tool, &causes);
	tool_owners_end(tool, &owners);
	if (tool_causes_damage(&causes) && !options->salvage)
		tool_say(tool,
			 "next: 'backuptool check' tells what is damaged, --salvage brings back what is left of these "
			 "files, and an older snapshot may have them whole");
	if (code < 0 && code != BT_E_INCOMPLETE)
		return tool_fail(tool, &error);
	print_report(tool, &report);
	return tool_exit_code(code);
}

static int pick_open(const struct tool *tool, const struct options *options, const char *name, const char *rest,
		     struct tool_pick *ret_pick)
{
	size_t count = 0, operands = (size_t)tool->operand_count;
	const char **paths = tool_alloc((operands + 1) * sizeof(*paths));
	struct tool_wish wish = {.text = name,
				 .paths = paths,
				 .output = options->output,
				 .deletes = options->delete_extra && !options->dry_run &&
					    tool_restore_has_entries(options->output),
				 .salvage = options->salvage};
	int r;

	for (size_t i = 0; i < operands; i++)
		paths[count++] = tool->operands[i];
	paths[count++] = rest;
	wish.path_count = count;
	r = tool_pick_open(tool, &wish, ret_pick);
	free(paths);
	return r;
}

static int run_restore(struct tool *tool, const void *arg)
{
	const struct options *options = arg;
	struct tool_pick pick;
	struct paths paths;
	char *name = NULL;
	const char *rest;
	int r = tool_place_divide(tool, options->snapshot, &name, &rest);

	if (r == TOOL_OK)
		r = pick_open(tool, options, name, rest, &pick);
	free(name);
	if (r != TOOL_OK)
		return r;
	r = find_paths(tool, &pick, rest, &paths);
	if (r == TOOL_OK && options->all_files && !options->delete_extra)
		r = tool_usage_error(tool, "--all-files goes with --delete");
	if (r == TOOL_OK && options->delete_extra && !options->all_files)
		tool_recorded_check(tool, bt_snapshot_info(pick.snapshot));
	if (r == TOOL_OK)
		r = restore(tool, options, &pick, &paths);
	free_paths(&paths);
	tool_pick_close(&pick);
	return r;
}

const struct tool_command cmd_restore = {
	.name = "restore",
	.summary = "brings a snapshot, or some paths of it, back",
	.description = "Everything comes back: names of any bytes, types, modes, owners, times, links,\n"
		       "holes, extended attributes, ACLs, and, as root, devices. Each PATH is one in\n"
		       "the snapshot: relative to the directory that it is of, or absolute below it;\n"
		       "without any, everything is restored.\n"
		       "\n"
		       "In a directory that has something already, only what differs is written. A file\n"
		       "of the same size and time counts as equal; the command says how many of these\n"
		       "there are, and '--overwrite always' writes them again. Each file below a PATH\n"
		       "is compared by its contents, and so is each file of the snapshot's own\n"
		       "directory that was touched since. An entry that is in the way of another is\n"
		       "replaced, but a directory with something in it only with --delete. Directories\n"
		       "that were there before, and only lead to a PATH, keep their metadata.\n"
		       "\n"
		       "What the snapshot does not have stays, unless --delete is given. What the\n"
		       "snapshot's own rules left out stays even then, unless --all-files is given, too.\n"
		       "Never removed is the store itself, wherever it lies, nor anything on another\n"
		       "file system that the snapshot did not enter: that is named and left as it is.\n"
		       "The command asks before it removes more entries than the snapshot has, or\n"
		       "anything from a directory above the one that the snapshot is of, from one of\n"
		       "which there are other snapshots, or from another one most of whose names are not\n"
		       "in the snapshot. It also asks before a restore onto /, and where a symbolic link\n"
		       "leads to the output directory that is neither yours nor root's. With --yes, or\n"
		       "as a dry run, it does not ask.\n"
		       "\n"
		       "As root, owners come back by their numbers, in ACLs, too. Where a number belongs\n"
		       "to somebody else on this machine, the command says so. '--owners name' goes by\n"
		       "the names in the snapshot, and keeps the numbers of names that this machine does\n"
		       "not know; with '--owners none' everything becomes yours. --map-user and\n"
		       "--map-group exchange single users and groups. Only root can give files away.\n"
		       "\n"
		       "Of many problems with one cause ten are named, with -v all.\n"
		       "\n"
		       "A file that changed while the snapshot was taken is named; that is no failure.\n"
		       "A restore goes on when something cannot be set or written: it names that, and\n"
		       "ends with 3. It ends early, with 1, only when the file system of the output\n"
		       "directory is full or read-only.\n"
		       "\n"
		       "Every byte is verified before it is written. What is damaged is named, left\n"
		       "out, and the command ends with 3. With --salvage what can be verified of a\n"
		       "damaged file is written to NAME.partial, with holes where bytes are lost, and\n"
		       "the store's damaged files are read for what they still have.",
	.operands = "[PATH…]",
	.example = "  backuptool restore --snapshot-file latest --output-directory ~/back\n"
		   "  backuptool restore --snapshot-file @yesterday --output-directory ~/back letters/may.txt\n",
	.max_operands = -1,
	.ending = "what is restored so far stays",
	.common = TOOL_COMMON_STORE | TOOL_COMMON_SELECT | TOOL_COMMON_JSON | TOOL_COMMON_TALK | TOOL_COMMON_VERBOSE |
		  TOOL_COMMON_YES,
	.options = {{table, 0}, {tool_owner_table, FIELD(owners)}},
	.options_size = sizeof(struct options),
	.run = run_restore,
};
