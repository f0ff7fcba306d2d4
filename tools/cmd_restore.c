/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "confirm.h"
#include "foreign.h"
#include "output.h"
#include "place.h"
#include "progress.h"
#include "restore_ask.h"
#include "restore_deleted.h"
#include "restore_owners.h"
#include "restore_picks.h"
#include "restore_where.h"
#include "rows.h"
#include "taking.h"
#include <backuptool/restore.h>
#include <internal/clock.h>
#include <internal/policy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONGEST_ENDING 200 /* bytes of what a backup has after its name */

struct options {
	struct tool_where_words words;
	enum bt_overwrite overwrite;
	bool delete_extra, all_files, dry_run, salvage, backs_up;
	const char *ending; /* of backups; NULL: the one of this time */
	struct tool_pick_options picks;
	struct tool_owner_options owners;
};

static const char *set_overwrite(void *field, const char *text)
{
	static const char *const modes[] = {[BT_OVERWRITE_IF_CHANGED] = "if-changed",
					    [BT_OVERWRITE_ALWAYS] = "always",
					    [BT_OVERWRITE_NEVER] = "never",
					    [BT_OVERWRITE_IF_NEWER] = "if-newer"};

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (strcmp(text, modes[i]) == 0) {
			*(enum bt_overwrite *)field = (enum bt_overwrite)i;
			return NULL;
		}
	return "always, if-changed, if-newer or never";
}

static const char *set_backup(void *field, const char *text)
{
	struct options *options = field;

	if (text && (!*text || strchr(text, '/') || strlen(text) > LONGEST_ENDING))
		return "the end of a name, such as .old or ~";
	options->backs_up = true;
	options->ending = text;
	return NULL;
}

#define FIELD(name) offsetof(struct options, name)

static const struct tool_words elsewhere[] = {
	{" t C directory target-path destination dest ", "the output is an operand: backuptool restore SNAPSHOT DIR"},
	{" u update ", "'--overwrite if-newer' leaves files that are newer"},
	{" no-clobber ignore-existing skip-existing ", "'--overwrite never' leaves what is there"},
	{" S suffix ", "'--backup=SUFFIX' says what is put after the names of backups"},
	{" verify ", "every byte is verified before it is written"},
	{" sparse ", "holes come back as they were"},
	{" p path ", "name it after the snapshot: backuptool restore SNAPSHOT:PATH DIR"},
	{" strip-components ", "'backuptool restore SNAPSHOT:PATH DIR' puts what is in PATH into DIR"},
	{" numeric-ids numeric-owner ", "owners come back by number unless '--owners name' is given"},
	{" no-same-owner no-owner ", "use '--owners none'"},
	{" iinclude iexclude ", "a pattern may say both: '[jJ][pP][gG]'"},
	{" list ", "'backuptool ls SNAPSHOT' lists, and --dry-run -v shows what would be done"},
	{0},
};

static const struct tool_option table[] = {
	{"snapshot-file", 's', "SNAPSHOT", false, "which snapshot; operands then are PATHs, as with --output-directory",
	 tool_set_only, FIELD(words.snapshot)},
	{"output-directory", 'o', "DIR", false, "where to restore; made when it is missing", tool_set_only,
	 FIELD(words.output)},
	{"in-place", 0, NULL, false, "restore to the directory that the snapshot is of", tool_set_true,
	 FIELD(words.in_place)},
	{"force", 0, NULL, false, "with --in-place, also where the snapshot is of another host", tool_set_true,
	 FIELD(words.force)},
	{"deleted", 0, "NAME", false, "look for what had that name, path or pattern and is gone, and restore that",
	 tool_set_only, FIELD(words.deleted)},
	{"overwrite", 0, "always|if-changed|if-newer|never", false,
	 "what to do with files that are there (if-changed); if-newer leaves those that are not older", set_overwrite,
	 FIELD(overwrite)},
	{"backup", 'b', "[=SUFFIX]", false,
	 "rename what would be replaced or deleted, to NAME" BT_BACKUP_MARK "TIME~ or NAME and SUFFIX", set_backup, 0},
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
	const char *output;
	const struct tool_texts *unmatched;
	const struct bt_snapshot_info *info;
	const struct bt_restore_result *result;
	double seconds;
};

static struct tool_value get_unmatched(const void *row)
{
	const struct tool_texts *unmatched = ((const struct report *)row)->unmatched;

	return (struct tool_value){.kind = unmatched->count ? TOOL_TEXTS : TOOL_NOTHING,
				   .texts = {unmatched->items, unmatched->count}};
}

static const struct tool_column columns[] = {
	{"snapshot", NULL, TOOL_VIA(TOOL_TEXT, struct report, info, name)},
	{"output", NULL, TOOL_MEMBER(TOOL_TEXT, struct report, output)},
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
	{"newer", NULL, TOOL_VIA(TOOL_COUNT, struct report, result, newer)},
	{"backed_up", NULL, TOOL_VIA(TOOL_COUNT, struct report, result, backed_up)},
	{"unmatched", NULL, TOOL_GET(get_unmatched)},
	{"bytes", NULL, TOOL_VIA(TOOL_BYTES, struct report, result, bytes)},
	{"seconds", NULL, TOOL_MEMBER(TOOL_SECONDS, struct report, seconds)},
	{0},
};

static void print_newer(const struct options *options, uint64_t newer)
{
	tool_auto char *files = tool_count(newer, "file", "files");

	if (options->overwrite == BT_OVERWRITE_IF_NEWER)
		printf("\n%s here %s newer than the snapshot and left as %s", files, newer == 1 ? "is" : "are",
		       newer == 1 ? "it is" : "they are");
	else if (options->dry_run)
		printf("\n%s here %s newer than the snapshot; '--overwrite if-newer' leaves %s", files,
		       newer == 1 ? "is" : "are", newer == 1 ? "it" : "them");
	else
		printf("\n%s that %s newer than the snapshot %s replaced", files, newer == 1 ? "was" : "were",
		       newer == 1 ? "was" : "were");
}

/* What there is only sometimes. */
static void print_rest(const struct options *options, const struct bt_restore_result *result)
{
	if (options->backs_up)
		printf(", %llu kept under another name", (unsigned long long)result->backed_up);
	if (result->boundaries)
		printf(", %llu other file %s", (unsigned long long)result->boundaries,
		       result->boundaries == 1 ? "system left as it is" : "systems left as they are");
	if (result->errors)
		printf(", %llu failed", (unsigned long long)result->errors);
	if (result->newer)
		print_newer(options, result->newer);
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
	tool_auto char *output = tool_escape(report->output);
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
	print_rest(report->options, result);
	printf("\ntime: %s\n", elapsed);
}

/* What is to be done. */
struct plan {
	const struct options *options;
	struct tool_where where;
	struct tool_pick pick;
	const char *output;
	char *base;   /* of the snapshot's own paths; NULL: its root */
	char **paths; /* below that; none: everything */
	size_t path_count;
	char *ending; /* of backups, or NULL */
	char *found;  /* SNAPSHOT:PATH of what was deleted, or NULL */
};

static int add_path(const struct tool *tool, struct plan *plan, const char *path)
{
	int r = tool_place_find(tool, &plan->pick, path, &plan->paths[plan->path_count]);

	plan->path_count += r == TOOL_OK;
	if (r != TOOL_OK)
		tool_picks_hint(tool, path);
	return r;
}

static bool is_directory(const struct plan *plan, const char *path)
{
	const struct bt_snapshot_info *info = bt_snapshot_info(plan->pick.snapshot);
	const struct bt_page *page = NULL;
	const struct bt_entry *entry;
	struct bt_error unused = {0};
	bool is = !bt_path_lookup(plan->pick.store, &info->root, path, &page, &entry, &unused) && entry->type == BT_DIR;

	bt_page_put(plan->pick.store, page);
	return is;
}

/* The contents of the path go to the output; what is no directory goes there itself. */
static void set_base(struct plan *plan)
{
	char *path = plan->paths[0], *slash = strrchr(path, '/');

	if (is_directory(plan, path)) {
		plan->base = path;
		plan->path_count = 0;
	} else if (slash) {
		plan->base = tool_format("%.*s", (int)(slash - path), path);
		plan->paths[0] = tool_format("%s", slash + 1);
		free(path);
	}
}

/* rest: the part of SNAPSHOT[:PATH] after the snapshot's name. */
static int find_paths(const struct tool *tool, struct plan *plan, const char *rest)
{
	const struct tool_where *where = &plan->where;
	int r = TOOL_OK;

	plan->paths = tool_alloc((where->path_count + 1) * sizeof(*plan->paths));
	if (*rest && where->contents && where->path_count)
		return tool_usage_error(tool, "say what to restore either as SNAPSHOT:PATH or as a PATH after DIR");
	if (*rest)
		r = add_path(tool, plan, rest);
	if (r == TOOL_OK && *rest && where->contents)
		set_base(plan);
	for (size_t i = 0; r == TOOL_OK && i < where->path_count; i++)
		r = add_path(tool, plan, where->paths[i]);
	return r;
}

static void plan_end(struct plan *plan)
{
	for (size_t i = 0; i < plan->path_count; i++)
		free(plan->paths[i]);
	free(plan->paths);
	free(plan->base);
	free(plan->ending);
	free(plan->found);
	tool_pick_close(&plan->pick);
}

static void say_next(const struct tool *tool, const struct options *options, const struct tool_causes *causes)
{
	if (tool_causes_damage(causes) && !options->salvage)
		tool_say(tool,
			 "next: 'backuptool check' tells what is damaged, --salvage brings back what is left of these "
			 "files, and an older snapshot may have them whole");
}

/* The exit code of a restore, and of patterns that matched nothing. */
static int conclude(const struct tool *tool, struct report *report, struct tool_picks *picks, int code)
{
	int matched = tool_picks_check(tool, report->info->target, picks);

	report->unmatched = &picks->unmatched;
	print_report(tool, report);
	return matched == TOOL_OK ? tool_exit_code(code) : matched;
}

static int run_wanted(const struct tool *tool, const struct plan *plan, struct bt_restore_options *wanted,
		      const char *output, struct tool_owners *owners)
{
	struct bt_restore_result result = {.size = sizeof(result)};
	struct report report = {.options = plan->options,
				.output = plan->output,
				.info = bt_snapshot_info(plan->pick.snapshot),
				.result = &result};
	struct bt_error error = {0};
	struct tool_causes causes = {0};
	struct tool_picks picks;
	struct tool_talk talk;
	int code;

	tool_picks_begin(&plan->options->picks, &picks, wanted);
	owners->talk = &talk;
	tool_talk_begin(&talk, tool);
	talk.causes = tool->verbose ? NULL : &causes;
	code = bt_restore(plan->pick.store, plan->pick.snapshot, output, wanted, &talk.observer, &result, &error);
	report.seconds = tool_talk_seconds(&talk);
	tool_talk_end(&talk);
	tool_causes_end(tool, &causes);
	tool_owners_end(tool, owners);
	say_next(tool, plan->options, &causes);
	if (code < 0 && code != BT_E_INCOMPLETE)
		code = tool_fail(tool, &error);
	else
		code = conclude(tool, &report, &picks, code);
	tool_picks_end(&picks);
	return code;
}

static int restore(struct tool *tool, const struct plan *plan)
{
	const struct options *options = plan->options;
	struct bt_restore_options wanted = {
		.size = sizeof(wanted),
		.base = plan->base,
		.paths = (const char *const *)plan->paths,
		.path_count = plan->path_count,
		.overwrite = options->overwrite,
		.delete_extra = options->delete_extra,
		.keep_left_out = !options->all_files,
		.keep_backups = !options->all_files,
		.backup = plan->ending,
		.includes = options->picks.includes.items,
		.include_count = options->picks.includes.count,
		.excludes = options->picks.excludes.items,
		.exclude_count = options->picks.excludes.count,
		.dry_run = options->dry_run,
		.salvage = options->salvage,
		.follow_foreign_links = tool->yes,
		.confine = true,
	};
	struct tool_owners owners;
	int code = tool_owners_begin(tool, &options->owners, &owners, &wanted);

	if (code != TOOL_OK)
		return code;
	tool_auto char *output = tool_foreign_doubt(tool, plan->output, options->dry_run);
	code = tool_restore_ask(tool, &plan->pick, output, &wanted);
	if (code == TOOL_OK)
		return run_wanted(tool, plan, &wanted, output, &owners);
	tool_owners_end(tool, &owners);
	return code;
}

static int pick_open(const struct tool *tool, struct plan *plan, const char *name, const char *rest)
{
	const struct options *options = plan->options;
	const struct tool_where *where = &plan->where;
	tool_auto const char **paths = tool_alloc((where->path_count + 1) * sizeof(*paths));
	const struct tool_wish wish = {.text = name,
				       .paths = paths,
				       .path_count = where->path_count + 1,
				       .output = where->output,
				       .deletes = options->delete_extra && !options->dry_run &&
						  (!where->output || tool_restore_has_entries(where->output)),
				       .salvage = options->salvage};

	for (size_t i = 0; i < where->path_count; i++)
		paths[i] = where->paths[i];
	paths[where->path_count] = rest;
	return tool_pick_open(tool, &wish, &plan->pick);
}

/* DIR may have been meant for a PATH. */
static void doubt_output(const struct tool *tool, const struct plan *plan)
{
	const struct bt_snapshot_info *info = bt_snapshot_info(plan->pick.snapshot);
	const char *output = plan->output;
	const struct bt_page *page = NULL;
	const struct bt_entry *entry;
	struct bt_error unused = {0};

	if (!plan->where.named || plan->options->dry_run || access(output, F_OK) == 0 || *output == '/' ||
	    bt_path_lookup(plan->pick.store, &info->root, output, &page, &entry, &unused))
		return;
	tool_auto char *shown = tool_escape(output), *snapshot = tool_escape(plan->where.snapshot);
	tool_doubt(tool,
		   "this makes a directory %s for all that is restored; %s is also a path in the snapshot: "
		   "'backuptool restore %s:%s DIR' restores that",
		   shown, shown, snapshot, shown);
	bt_page_put(plan->pick.store, page);
}

static int check_options(const struct tool *tool, const struct options *options)
{
	if (options->all_files && !options->delete_extra)
		return tool_usage_error(tool, "--all-files goes with --delete");
	if (options->backs_up && options->overwrite == BT_OVERWRITE_NEVER && !options->delete_extra)
		return tool_usage_error(tool, "'--overwrite never' replaces nothing: leave out --backup");
	return TOOL_OK;
}

/* With the snapshot open. */
static int carry_out(struct tool *tool, struct plan *plan, const char *rest)
{
	const struct options *options = plan->options;
	const struct bt_snapshot_info *info = bt_snapshot_info(plan->pick.snapshot);
	int r = find_paths(tool, plan, rest);

	plan->output = plan->where.output;
	if (r == TOOL_OK)
		r = check_options(tool, options);
	if (r == TOOL_OK && !plan->output)
		r = tool_where_in_place(tool, info, options->words.force, &plan->output);
	if (r != TOOL_OK)
		return r;
	if (options->delete_extra && !options->all_files)
		tool_recorded_check(tool, info);
	doubt_output(tool, plan);
	return restore(tool, plan);
}

static char *default_ending(void)
{
	char name[64];

	bt_snapshot_name_format(bt_now(), 0, name, sizeof(name));
	tool_auto char *time = tool_place_name(name);
	return tool_format(BT_BACKUP_MARK "%s~", time);
}

static int find_deleted(const struct tool *tool, struct plan *plan)
{
	const struct tool_where_words *words = &plan->options->words;
	const struct tool_deleted wanted = {.name = words->deleted,
					    .output = plan->where.output,
					    .only_list = !plan->where.output && !words->in_place};
	int r = words->deleted ? tool_deleted_find(tool, &wanted, &plan->found) : TOOL_OK;

	if (plan->found)
		plan->where.snapshot = plan->found;
	return r;
}

static int run_restore(struct tool *tool, const void *arg)
{
	struct plan plan = {.options = arg};
	const struct options *options = arg;
	char *name = NULL;
	const char *rest;
	int r = tool_where_read(tool, &options->words, &plan.where);

	if (r == TOOL_OK)
		r = find_deleted(tool, &plan);
	if (r == TOOL_OK)
		r = tool_place_divide(tool, plan.where.snapshot, &name, &rest);
	if (r == TOOL_OK)
		r = pick_open(tool, &plan, name, rest);
	free(name);
	if (options->backs_up)
		plan.ending = options->ending ? tool_format("%s", options->ending) : default_ending();
	if (r == TOOL_OK)
		r = carry_out(tool, &plan, rest);
	plan_end(&plan);
	return r;
}

const struct tool_command cmd_restore = {
	.name = "restore",
	.summary = "brings a snapshot, or some paths of it, back",
	.description = "Everything comes back: names of any bytes, types, modes, owners, times, links,\n"
		       "holes, extended attributes, ACLs, and, as root, devices. 'restore SNAPSHOT DIR'\n"
		       "brings everything back into DIR, 'restore SNAPSHOT:PATH DIR' what is in PATH, or\n"
		       "the file PATH itself. A PATH after DIR keeps its way below DIR, and so does each\n"
		       "one with --snapshot-file and --output-directory. A PATH is relative to the\n"
		       "directory that the snapshot is of, or absolute below it.\n"
		       "\n"
		       "--include and --exclude select by patterns as in .gitignore, of paths below that\n"
		       "directory: what matches an --include, and all in it, but what an --exclude takes\n"
		       "out. Directories are made only where they lead to something. If no --include\n"
		       "matches anything the command ends with 1, if only some do with 3.\n"
		       "\n"
		       "'--deleted NAME DIR' looks for what had that name and is gone: from the newest\n"
		       "snapshot of its directory, or from the directory itself where that is here. The\n"
		       "only one is restored from the newest snapshot that has it. Of several, or without\n"
		       "DIR and --in-place, each is shown with the command that restores it, and the\n"
		       "command ends with 1.\n"
		       "\n"
		       "--in-place restores to the directory that the snapshot is of, and makes it when\n"
		       "only it is missing. With --backup, what would be replaced or deleted gets another\n"
		       "name beside it, also a directory that is in the way; what is equal does not, nor\n"
		       "a file of which only the metadata is set. --delete leaves such backups alone,\n"
		       "unless --all-files is given: by their default name, or the SUFFIX of this time.\n"
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
	.operands = "[SNAPSHOT[:PATH] DIR] [PATH…]",
	.example = "  backuptool restore latest ~/back\n"
		   "  backuptool restore @yesterday:letters ~/letters-of-yesterday\n"
		   "  backuptool restore latest --in-place --backup letters/may.txt\n"
		   "  backuptool restore --deleted may.txt --in-place\n"
		   "  backuptool restore --snapshot-file latest --output-directory ~/back --include '*.jpg'\n",
	.max_operands = -1,
	.ending = "what is restored so far stays",
	.common = TOOL_COMMON_STORE | TOOL_COMMON_SELECT | TOOL_COMMON_JSON | TOOL_COMMON_TALK | TOOL_COMMON_VERBOSE |
		  TOOL_COMMON_YES,
	.options = {{table, 0}, {tool_pick_table, FIELD(picks)}, {tool_owner_table, FIELD(owners)}},
	.elsewhere = elsewhere,
	.options_size = sizeof(struct options),
	.run = run_restore,
};
