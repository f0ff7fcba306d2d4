/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "hooks.h"
#include "output.h"
#include "patterns.h"
#include "programs.h"
#include "progress.h"
#include "record.h"
#include "shell_word.h"
#include "taking.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
	struct tool_taking taking;
	struct tool_hooks hooks;
	bool print_name;
};

static const struct tool_option table[] = {
	{"print-name", 0, NULL, false, "print only the name of the new snapshot's file; nothing if none is taken",
	 tool_set_true, offsetof(struct options, print_name)},
	{0},
};

static void print_counts(const struct bt_snapshot_result *result)
{
	tool_auto char *created = tool_count(result->created, "new file", "new files");
	tool_auto char *losses = tool_taken_losses(result);
	tool_auto char *new_bytes = tool_bytes(result->new_bytes), *stored = tool_bytes(result->stored_bytes);
	tool_auto char *written = tool_bytes(result->written_bytes);

	printf("files: %s, %llu changed, %llu unchanged", created, (unsigned long long)result->changed,
	       (unsigned long long)result->unchanged);
	if (result->vanished)
		printf(", %llu vanished while read", (unsigned long long)result->vanished);
	printf("%s\nadded: %s of new data, ", losses, new_bytes);
	if (!*result->name || result->written_bytes >= result->stored_bytes) /* else files lie compressed */
		printf("stored in %s; ", stored);
	printf("%s written in all\n", written);
}

static void print_report(const struct tool *tool, const struct tool_taking *taking, const struct tool_taken *taken)
{
	const struct bt_snapshot_result *result = &taken->result;

	if (tool->json) {
		tool_object_print(tool_taken_columns, taken);
		return;
	}
	if (tool->name_only && !result->skipped && *result->name)
		puts(result->name);
	if (tool->name_only || tool->quiet)
		return;
	tool_auto char *target = tool_taking_shown(taking);
	tool_auto char *elapsed = tool_elapsed(taken->seconds);
	if (result->skipped)
		printf("no snapshot of %s: nothing changed since %s\n", target, result->parent);
	else if (taken->dry_run)
		printf("a dry run over %s: nothing was written\n", target);
	else
		printf("snapshot %s of %s\n", result->name, target);
	print_counts(result);
	printf("time: %s\n", elapsed);
	tool_auto char *lacks = tool_taken_lacks(result);
	if (lacks)
		printf("incomplete: %s\n", lacks);
}

static bool has_tag(const struct bt_snapshot_info *info, const char *tag)
{
	for (size_t i = 0; i < info->tag_count; i++)
		if (strcmp(info->tags[i], tag) == 0)
			return true;
	return false;
}

/* The options that would set those tags that the snapshot does not have; allocated. */
static char *missing_tags(const struct bt_snapshot_info *info, const struct tool_texts *tags)
{
	char *options = tool_format("%s", "");

	for (size_t i = 0; i < tags->count; i++) {
		tool_auto char *tag = tool_escape(tags->items[i]);

		if (!has_tag(info, tags->items[i]))
			tool_append(&options, " --add %s", tag);
	}
	return options;
}

/* Without a new snapshot nothing gets the tags: the user is told. */
static void say_tags(const struct tool *tool, const struct tool_taking *taking, struct bt_store *store,
		     const struct tool_taken *taken)
{
	struct bt_snapshot *last;
	struct bt_error error = {0};

	if (!taken->result.skipped || taken->dry_run || tool->quiet || !taking->tags.count ||
	    bt_snapshot_open(store, taken->result.name, &last, &error) < 0)
		return;
	tool_auto char *options = missing_tags(bt_snapshot_info(last), &taking->tags);
	if (*options)
		tool_say(tool, "nothing changed, so nothing was tagged; 'backuptool tag %s%s' tags the last snapshot",
			 taken->result.name, options);
	bt_snapshot_close(last);
}

static int report(struct tool *tool, const struct tool_taking *taking, struct bt_store *store, struct tool_taken *taken,
		  int code)
{
	tool_taken_note(taking, taken);
	tool_outcome_count(tool, &taken->result);
	tool_outcome_lacks(tool, tool_taken_lacks(&taken->result));
	print_report(tool, taking, taken);
	say_tags(tool, taking, store, taken);
	tool_taking_say_rules(tool, taking, taken);
	tool_taking_say_other_host(tool, store, taking, &taken->result);
	tool_taking_say_clock(tool, store, taking, &taken->result);
	return tool_taken_judge(tool, taking, taken, code);
}

static int fail(const struct tool *tool, struct tool_taken *taken, const struct bt_error *error)
{
	if (tool->json && taken->result.partial)
		tool_object_print(tool_taken_columns, taken);
	return tool_taken_fail(tool, taken, error);
}

static int take_snapshot(struct tool *tool, const struct tool_taking *taking, struct bt_store *store)
{
	struct tool_taken taken = {
		.result = {.size = sizeof(taken.result)}, .dry_run = taking->dry_run, .store = tool_store_facts(store)};
	const struct bt_snapshot_options wanted = tool_taking_request(tool, taking, &taken);
	struct bt_error error = {0};
	struct tool_talk talk;
	int code;

	tool_talk_begin(&talk, tool);
	tool_talk_checkpoints(&talk, tool_taking_checkpoints(taking));
	code = bt_snapshot_take(store, taking->target, &wanted, &talk.observer, &taken.result, &error);
	taken.seconds = tool_talk_seconds(&talk);
	tool_talk_end(&talk);
	if (code < 0 && code != BT_E_INCOMPLETE)
		code = fail(tool, &taken, &error);
	else
		code = report(tool, taking, store, &taken, code);
	tool_taken_end(&taken);
	return code;
}

/* A dry run before the first snapshot makes no store: it compares with an empty one. */
static int take_without_store(struct tool *tool, const struct tool_taking *taking)
{
	const struct bt_store_options options = {.size = sizeof(options), .create = true, .read_only = true};
	struct bt_error error = {0};
	struct bt_store *store;
	tool_auto char *directory = tool_format("%s/backuptool-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	char *lock;
	int r = TOOL_FATAL;

	if (!mkdtemp(directory)) {
		tool_say(tool, "cannot make %s: %s", directory, strerror(errno));
	} else {
		if (bt_store_open(directory, &options, &store, &error) < 0) {
			r = tool_fail(tool, &error);
		} else {
			r = take_snapshot(tool, taking, store);
			bt_store_close(store);
		}
		lock = tool_format("%s/lock", directory);
		unlink(lock);
		free(lock);
		rmdir(directory);
	}
	return r;
}

/* What cannot be opened for another reason is told by who opens it next. */
static bool store_is_to_be_made(const struct tool *tool)
{
	const struct bt_store_options read_only = {.size = sizeof(read_only), .read_only = true};
	struct bt_store *store = NULL;
	struct bt_error error = {0};
	int code = bt_store_open(tool->store, &read_only, &store, &error);

	bt_store_close(store);
	return code == BT_E_NO_STORE && error.sys != ENOTDIR && !tool_store_wanted(tool);
}

/* store NULL: it is not open. A dry run does not count, nor does a run that could not be meant; there: whether there is
 * such a directory, else its name may be a mistake. */
static void record(const struct tool *tool, const struct tool_taking *taking, bool there, struct bt_store *store,
		   int exit)
{
	tool_auto char *host = tool_taking_host(taking);
	struct tool_outcome *outcome = tool->outcome;
	uint64_t failures;

	if (taking->dry_run || exit == TOOL_USAGE || (!there && !tool_recorded_run(tool, host, outcome->target)))
		return;
	failures = tool_record_run(tool, store, host, outcome->target, exit, 0);
	if (failures) /* else it says how many there were before */
		outcome->failures = failures;
}

static void left_out(const struct tool *tool, const void *options, int exit)
{
	record(tool, &((const struct options *)options)->taking, true, NULL, exit);
}

static int work(struct tool *tool, const void *arg)
{
	const struct tool_taking *taking = &((const struct options *)arg)->taking;
	struct bt_store *store = NULL;
	int r;

	r = tool_taking_check(tool, taking);
	if (r != TOOL_OK)
		return r;
	r = tool_target_check(tool, taking);
	bool there = r == TOOL_OK;
	if (r == TOOL_OK && taking->dry_run && store_is_to_be_made(tool))
		return take_without_store(tool, taking);
	if (r == TOOL_OK)
		r = tool_store_open(tool, !taking->dry_run, &store);
	if (r == TOOL_OK)
		r = take_snapshot(tool, taking, store);
	record(tool, taking, there, store, r);
	bt_store_close(store);
	return r;
}

/* The words after "--" as a command of sh, which becomes the program that they name. Allocated. */
static char *command_of_words(const struct tool *tool)
{
	char *command = tool_format("exec");

	for (int i = 0; i < tool->operand_count; i++) {
		tool_auto char *word = tool_shell_quoted(tool->operands[i]);

		tool_append(&command, " %s", word);
	}
	return command;
}

static bool wants_words(const struct tool_texts *commands)
{
	bool wants = false;

	for (size_t i = 0; i < commands->count; i++)
		wants |= !strchr(commands->items[i], '=');
	return wants;
}

static int prepare(struct tool *tool, void *arg)
{
	static const struct tool_hooks none = {0};
	struct options *options = arg;
	struct tool_taking *taking = &options->taking;

	if (tool->operand_count && !wants_words(&taking->commands)) {
		tool_auto char *extra = tool_escape(tool->operands[0]);

		return tool_usage_error(tool, "'%s' is one argument too many", extra);
	}
	taking->words = tool->operand_count ? command_of_words(tool) : NULL;
	tool_auto char *problem = tool_programs_problem(taking);
	if (problem)
		return tool_usage_error(tool, "%s", problem);
	return taking->commands.count ? tool_hooks_start_anyway(tool, taking->dry_run ? &none : &options->hooks)
				      : TOOL_OK;
}

static int run_snapshot(struct tool *tool, const void *arg)
{
	static const struct tool_hooked hooked = {work, left_out};
	const struct options *options = arg;
	int r;

	if (options->print_name && (tool->json || tool->verbose))
		return tool_usage_error(tool, "--print-name and --%s do not go together",
					tool->json ? "json" : "verbose");
	tool->name_only = options->print_name;
	tool_outcome_target(tool, &options->taking);
	r = tool_hooks_around(tool, options->taking.dry_run, &hooked, options);
	free(options->taking.words);
	return r;
}

#define FIELD(name) offsetof(struct options, name)

const struct tool_command cmd_snapshot = {
	.name = "snapshot",
	.summary = "takes a snapshot of a directory",
	.description = "The store is made when it is missing, and the command then says where; with\n"
		       "--store-id it is never made, and must be the one with that id. If it lies\n"
		       "inside the directory, it is left out. A file that did not change since the last\n"
		       "snapshot of the same directory is not read again, and every content is stored\n"
		       "once, however many files and snapshots have it. When the command ends with 0,\n"
		       "the snapshot is on the disk to stay; before that, it is not there at all.\n"
		       "\n"
		       "A first snapshot that is interrupted keeps what it has read as a partial\n"
		       "snapshot, and so it does on its way with --checkpoint-every. The next run goes\n"
		       "on from there, and removes it when it is done.\n"
		       "\n"
		       "With --one-file-system a directory where another file system begins is recorded\n"
		       "as such, whatever the state of that file system: nothing there is touched, or\n"
		       "waited for. A file that is mounted over another is a file. Mounted snapshots\n"
		       "are never entered.\n"
		       "\n"
		       "With --birth-times entries get the times at which they were made, which 'ls\n"
		       "--json' shows; Linux cannot give them back. They are no difference between\n"
		       "two snapshots. After another choice than last time all entries are\n"
		       "recorded once more, but no file is read for that.\n"
		       "\n"
		       "With --as the snapshot is of PATH: so it is listed, and so the next one finds it\n"
		       "to compare with. The files are read below DIR, a copy of PATH in which they hold\n"
		       "still, such as a snapshot of btrfs, LVM or ZFS, where unchanged files cost\n"
		       "nothing either. Where a copy has other inodes and ctimes each time, --trust\n"
		       "mtime-size takes a file of the same size, mtime, mode and owner for unchanged.\n"
		       "The risk: a change that keeps all four, or one of ACLs and attributes alone, is\n"
		       "not seen before a run without it, or with --force.\n"
		       "\n"
		       "With --from-command or --stdin the snapshot is of what programs give, such as\n"
		       "the dump of a database: a file of mode 0600 for each. It is known as\n"
		       "/command:NAME, or as --as says. Commands run as hooks do, one after the other in\n"
		       "the order of the names. If one of them does not end with 0, there is no\n"
		       "snapshot; if one gives nothing, there is one, and the command ends with 3. CMD\n"
		       "is for sh; words after -- are run as they are.\n"
		       "\n"
		       "Patterns are those of .gitignore: '*.tmp' matches at any depth, '/Downloads/'\n"
		       "only the directory at the top, '**' any number of directories, and '!' in\n"
		       "front takes back in what a pattern before left out. Of all patterns of\n"
		       "--exclude and --iexclude, in the order of the command line, the last one that\n"
		       "matches decides; where none does, those of the nearest --ignore-file do.\n"
		       "\n"
		       "An entry is taken if --files-from lists it or a directory above it, or is not\n"
		       "given; and if --include matches it or a directory above it, or is not given;\n"
		       "and if nothing leaves it out: neither the patterns of --exclude, nor its size,\n"
		       "an attribute or a file beside it, of which none is taken back by another.\n"
		       "Directories that only lead to what is taken are taken if something in them\n"
		       "is. A snapshot records its rules, and 'diff' and 'restore --delete' go by\n"
		       "them; but a list of --files-from is not recorded, so that whatever is not\n"
		       "in the snapshot is left alone. Paths of a list begin at the directory, or\n"
		       "are absolute and lie in it; one that is not there makes the command end\n"
		       "with 3.\n"
		       "\n"
		       "What cannot be read is named, and the rest is in the snapshot: the command then\n"
		       "ends with 3. A name that its directory lists, and that nobody can find, counts\n"
		       "as unread, too: such names are seen on network file systems and where an\n"
		       "automount fails. An entry has vanished only if a second reading does not list\n"
		       "it.",
	.example = "  backuptool snapshot --target-directory ~/documents --exclude '*.tmp' --tag before-upgrade\n"
		   "  backuptool snapshot --from-command db.sql='pg_dump mydb'\n",
	.ending = "no snapshot is made, and earlier ones stay as they are",
	.common = TOOL_COMMON_STORE | TOOL_COMMON_JSON | TOOL_COMMON_TALK | TOOL_COMMON_VERBOSE,
	.options = {{tool_taking_options, FIELD(taking)},
		    {tool_rules_options, FIELD(taking.rules)},
		    {tool_command_options, FIELD(taking)},
		    {tool_stdin_options, FIELD(taking)},
		    {tool_taking_about, FIELD(taking)},
		    {tool_taking_dry_run, FIELD(taking)},
		    {table, 0},
		    {tool_hook_options, FIELD(hooks)}},
	.options_size = sizeof(struct options),
	.hooks = 1 + FIELD(hooks),
	.operands = "[-- CMD ARG…]",
	.max_operands = -1,
	.words = true,
	.prepare = prepare,
	.run = run_snapshot,
};
