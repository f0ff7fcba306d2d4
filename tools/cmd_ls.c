/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "entry.h"
#include "output.h"
#include "place.h"
#include <backuptool/walk.h>
#include <internal/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	bool details, numeric, recursive, nul, sha256;
};

#define FIELD(name) offsetof(struct options, name)
static const struct tool_option table[] = {
	{"long", 'l', NULL, false, "with mode, owner, size and time", tool_set_true, FIELD(details)},
	{"numeric", 'n', NULL, false, "the same with numbers in place of the names of owners", tool_set_true,
	 FIELD(numeric)},
	{"recursive", 'R', NULL, false, "everything below, too, as paths", tool_set_true, FIELD(recursive)},
	{"null", '0', NULL, false, "names as they are, each followed by a NUL, for other programs", tool_set_true,
	 FIELD(nul)},
	{"sha256", 0, NULL, false, "digests of the files, for 'sha256sum -c'", tool_set_true, FIELD(sha256)},
	{0},
};

struct list {
	const struct tool *tool;
	const struct options *options;
	const struct tool_place *place;
	const struct bt_owners *names; /* NULL: not shown */
	bool incomplete;
};

/* As sha256sum writes it: a backslash in front tells that the name is escaped. */
static void digest_line(const struct bt_entry *entry, const char *path, bool nul)
{
	tool_auto char *digest = tool_digest_text(&entry->digest);
	bool escaped = !nul && strpbrk(path, "\\\n\r");

	printf("%s%s  ", escaped ? "\\" : "", digest);
	for (const char *c = path; *c; c++)
		if (escaped && (*c == '\\' || *c == '\n' || *c == '\r'))
			printf("\\%c", *c == '\n' ? 'n' : *c == '\r' ? 'r' : '\\');
		else
			putchar(*c);
	putchar(nul ? '\0' : '\n');
}

static void sha256_print(struct list *list, const struct bt_entry *entry, const char *path)
{
	if (entry->type != BT_FILE)
		return;
	if (entry->has_digest) {
		digest_line(entry, path, list->options->nul);
		return;
	}
	tool_auto char *shown = tool_escape(path);
	tool_say(list->tool, "%s has no digest in the snapshot, because %s", shown,
		 entry->extra && entry->extra->error ? "it could not be read" : "nearly all of it is holes");
	list->incomplete = true;
}

/* path is what is shown; inside the one below the snapshot's root. */
static void entry_print(struct list *list, const struct bt_entry *entry, const char *path, const char *inside)
{
	const struct options *options = list->options;

	if (list->tool->json)
		tool_object_print(tool_entry_columns,
				  &(struct tool_entry){NULL, inside, entry, entry->extra, list->names});
	else if (options->sha256)
		sha256_print(list, entry, path);
	else if ((options->details || options->numeric) && !options->nul)
		tool_entry_print(entry, path, list->names, list->tool->human);
	else
		tool_path_print(*path ? path : ".", options->nul);
}

static int step_print(struct list *list, struct bt_walk *walk, const struct bt_walk_step *step)
{
	const char *above = list->place->path;

	if (!list->options->recursive)
		bt_walk_skip(walk);
	tool_auto char *inside = tool_format("%s%s%s", above, *above ? "/" : "", step->path);
	entry_print(list, step->entry, step->path, inside);
	return ferror(stdout) ? TOOL_FATAL : TOOL_OK;
}

static int walk_all(struct list *list, struct bt_walk *walk)
{
	int r = TOOL_OK;

	while (r == TOOL_OK) {
		struct bt_walk_step step = {0};
		struct bt_error error = {0};
		int code = bt_walk_next(walk, &step, &error);

		if (code == BT_E_NOMEM)
			return tool_fail(list->tool, &error);
		if (code < 0) {
			tool_fail(list->tool, &error);
			list->incomplete = true;
		} else if (!step.entry) {
			break;
		} else {
			r = step_print(list, walk, &step);
		}
		if (tool_signals_seen())
			return tool_fail(list->tool, &(struct bt_error){.code = BT_E_CANCELLED});
	}
	return r == TOOL_OK && list->incomplete ? TOOL_INCOMPLETE : r;
}

/* Nothing is listed of it, as of an empty one. */
static void say_unread(struct list *list)
{
	const struct bt_entry *entry = list->place->entry;

	if (!entry->extra || !entry->extra->error)
		return;
	tool_auto char *shown = tool_escape(*list->place->path ? list->place->path : ".");
	char words[BT_ERRNO_WORDS_SIZE];
	bt_errno_words(entry->extra->error, words);
	tool_say(list->tool, "%s: it could not be read when the snapshot was taken (%s)", shown, words);
	list->incomplete = true;
}

static int list_place(struct list *list)
{
	const struct tool_place *place = list->place;
	struct bt_error error = {0};
	struct bt_walk *walk;
	int r;

	if (place->entry->type != BT_DIR) {
		entry_print(list, place->entry, place->entry->name, place->path);
		return list->incomplete ? TOOL_INCOMPLETE : TOOL_OK;
	}
	if (bt_walk_new(place->pick.store, place->info, place->entry, &walk, &error))
		return tool_fail(list->tool, &error);
	say_unread(list);
	r = walk_all(list, walk);
	bt_walk_free(walk);
	return r;
}

static int list_named(const struct tool *tool, const struct options *options, const struct tool_place *place)
{
	struct list list = {tool, options, place, NULL, false};
	struct bt_owners *names = NULL;

	if (tool->json || (options->details && !options->numeric))
		names = tool_owners_open(tool, place->pick.store, place->pick.snapshot);
	list.names = names;
	int r = list_place(&list);
	bt_owners_close(names);
	return r;
}

/* Ways to print, of which there can be one; only digests can be followed by NULs. */
static int check_options(const struct tool *tool, const struct options *options)
{
	const char *given[4];
	size_t count = 0;

	if (tool->json)
		given[count++] = "--json";
	if (options->details || options->numeric)
		given[count++] = options->numeric ? "--numeric" : "--long";
	if (options->sha256)
		given[count++] = "--sha256";
	if (options->nul)
		given[count++] = "--null";
	if (count < 2 || (count == 2 && options->sha256 && options->nul))
		return TOOL_OK;
	return tool_usage_error(tool, "%s and %s do not go together", given[0], given[1]);
}

static int run_ls(struct tool *tool, const void *options)
{
	struct tool_place place;
	int r = check_options(tool, options);

	if (r == TOOL_OK)
		r = tool_place_open(tool, tool->operand_count ? tool->operands[0] : "latest", &place);
	if (r != TOOL_OK)
		return r;
	tool_signals_watch(tool);
	r = list_named(tool, options, &place);
	tool_place_close(&place);
	return r;
}

const struct tool_command cmd_ls = {
	.name = "ls",
	.summary = "lists what is in a snapshot; in the latest, if none is named",
	.description = "Without PATH the whole snapshot. --json gives an object for each entry, a line\n"
		       "each. Digests are those that the snapshot states, as restore and check verify\n"
		       "them, but for files with holes of more than 1 GiB: of those nothing compares the\n"
		       "digest.",
	.operands = "[SNAPSHOT[:PATH]]",
	.example = "  backuptool ls latest:letters -lh\n"
		   "  backuptool ls @yesterday -R -0 | grep -z may\n"
		   "  backuptool ls latest -R --sha256 >sums && cd ~/documents && sha256sum -c sums\n",
	.max_operands = 1,
	.stream = true,
	.common = TOOL_COMMON_STORE | TOOL_COMMON_SELECT | TOOL_COMMON_JSON | TOOL_COMMON_HUMAN,
	.options = {{table, 0}},
	.options_size = sizeof(struct options),
	.run = run_ls,
};
