/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "entry.h"
#include "output.h"
#include "patterns.h"
#include "place.h"
#include "progress.h"
#include "selection.h"
#include "shell_word.h"
#include "taking.h"
#include <backuptool/search.h>
#include <internal/clock.h>
#include <internal/policy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	struct tool_texts snapshots;
	const char *hash;
	struct limit {
		bool given;
		int64_t seconds;
	} newer, older;
	struct sizes {
		bool has_least, has_most;
		uint64_t least, most;
	} sizes;
	unsigned types;
	bool nul, restores, numeric, any_case, deleted;
};

static const char *set_limit(void *field, const char *text)
{
	struct limit *limit = field;

	if (bt_time_parse_first(text, bt_now(), &limit->seconds))
		return bt_time_expected(text);
	limit->given = true;
	return NULL;
}

/* As find(1) has it, but in bytes: nothing is rounded to units. */
static const char *set_size(void *field, const char *text)
{
	struct sizes *sizes = field;
	bool more = *text == '+', less = *text == '-';
	uint64_t bytes;

	if (tool_set_bytes(&bytes, text + (more || less)) || (less && !bytes))
		return "a size such as +10M (larger), -10k (smaller) or 0";
	if (!less) {
		sizes->has_least = true;
		sizes->least = bytes + more;
	}
	if (!more) {
		sizes->has_most = true;
		sizes->most = bytes - less;
	}
	return NULL;
}

static unsigned type_of(const char *text, size_t length)
{
	static const char letters[] = "?fdlpscb"; /* by enum bt_type */
	const char *letter = length == 1 && *text != '?' ? strchr(letters, *text) : NULL;

	if (letter)
		return 1u << (letter - letters);
	for (uint8_t type = BT_FILE; type <= BT_BLOCKDEV; type++)
		if (strlen(tool_type_name(type)) == length && strncmp(tool_type_name(type), text, length) == 0)
			return 1u << type;
	return 0;
}

static const char *set_types(void *field, const char *text)
{
	unsigned types = 0;

	for (const char *end; text; text = *end ? end + 1 : NULL) {
		unsigned type;

		end = text + strcspn(text, ",");
		type = type_of(text, (size_t)(end - text));
		if (!type)
			return "f, d, l, p, s, c or b, or several of them such as f,l";
		types |= type;
	}
	*(unsigned *)field |= types;
	return NULL;
}

#define FIELD(name) offsetof(struct options, name)
static const struct tool_option table[] = {
	{"snapshot", 0, "SNAPSHOT", false, "search only this one; repeatable", tool_add_text, FIELD(snapshots)},
	{"hash", 0, "SHA256", false, "files whose digest begins so", tool_set_text, FIELD(hash)},
	{"newer", 0, "TIME", false, "what was modified on that day, at that time, or later", set_limit, FIELD(newer)},
	{"older", 0, "TIME", false, "what was modified before that day or time", set_limit, FIELD(older)},
	{"size", 0, "SIZE", false,
	 "files of more than SIZE (+10M), of less (-10k), or of that many bytes (0); twice: a range", set_size,
	 FIELD(sizes)},
	{"type", 0, "TYPE", false, "f (files), d (directories), l (symbolic links), p, s, c or b; several: f,l",
	 set_types, FIELD(types)},
	{"ignore-case", 'i', NULL, false, "small and capital letters of PATTERN are alike", tool_set_true,
	 FIELD(any_case)},
	{"deleted", 0, NULL, false,
	 "only what the newest snapshot of the same host and directory has no more, in the newest that has it",
	 tool_set_true, FIELD(deleted)},
	{"numeric", 'n', NULL, false, "numbers in place of the names of owners", tool_set_true, FIELD(numeric)},
	{"verbose", 'v', NULL, false, "with each entry, the command that restores it to where it was", tool_set_true,
	 FIELD(restores)},
	{"null", '0', NULL, false, "SNAPSHOT:PATH as it is, each followed by a NUL, for other programs", tool_set_true,
	 FIELD(nul)},
	{0},
};

struct finding {
	const struct tool *tool;
	const struct options *options;
	struct bt_store *store;
	uint64_t count;
	char *snapshot; /* that the names are of; NULL: none so far */
	struct bt_owners *names;
};

/* Matches of one snapshot mostly follow each other. */
static const struct bt_owners *names_of(struct finding *finding, const char *snapshot)
{
	struct bt_snapshot *opened;
	struct bt_error error = {0};

	if (finding->options->nul || (finding->options->numeric && !finding->tool->json))
		return NULL;
	if (finding->snapshot && strcmp(finding->snapshot, snapshot) == 0)
		return finding->names;
	free(finding->snapshot);
	bt_owners_close(finding->names);
	finding->snapshot = tool_format("%s", snapshot);
	finding->names = NULL;
	if (!bt_snapshot_open(finding->store, snapshot, &opened, &error)) {
		finding->names = tool_owners_open(finding->tool, finding->store, opened);
		bt_snapshot_close(opened);
	}
	return finding->names;
}

static void print_found(const struct finding *finding, const struct bt_match *match, const char *place,
			const struct bt_owners *names)
{
	tool_auto char *line = tool_restore_line(finding->tool, match->snapshot, match->path, NULL);

	tool_entry_print(match->entry, place, names, finding->tool->human);
	if (finding->options->restores)
		printf("    %s\n", line);
}

static int found(void *arg, const struct bt_match *match)
{
	struct finding *finding = arg;
	tool_auto char *snapshot = tool_place_name(match->snapshot),
		       *place = tool_format("%s:%s", snapshot, match->path);

	const struct bt_owners *names = names_of(finding, match->snapshot);

	finding->count++;
	if (finding->tool->json)
		tool_object_print(tool_entry_columns, &(struct tool_entry){match->snapshot, match->path, match->entry,
									   match->entry->extra, names});
	else if (finding->options->nul)
		tool_path_print(place, true);
	else
		print_found(finding, match, place, names);
	return ferror(stdout) ? BT_E_CANCELLED : 0;
}

/* Nothing was found: perhaps by a pattern for the file's whole path. */
static bool says_what_is_meant(const struct tool *tool, struct bt_store *store)
{
	const char *pattern = tool->operand_count ? tool->operands[0] : "";
	char *meant = NULL;

	if (!strchr("/.~", *pattern))
		return false;
	for (size_t i = bt_store_snapshot_count(store); !meant && i-- > 0;) {
		struct bt_snapshot *snapshot;
		struct bt_error unused = {0};

		if (bt_snapshot_open(store, bt_store_snapshot_name(store, i), &snapshot, &unused))
			continue;
		meant = tool_pattern_meant(pattern, bt_snapshot_info(snapshot)->target);
		bt_snapshot_close(snapshot);
	}
	if (!meant)
		return false;
	tool_pattern_say(tool, pattern, meant);
	free(meant);
	return true;
}

static void say_nothing_found(const struct tool *tool, struct bt_store *store, size_t name_count)
{
	tool_auto char *snapshots =
		tool_count(name_count ? name_count : bt_store_snapshot_count(store), "snapshot", "snapshots");

	if (says_what_is_meant(tool, store))
		return;
	const char *pattern = tool->operand_count == 1 ? tool->operands[0] : "*";
	if (strpbrk(pattern, "*?[/")) {
		tool_say(tool, "nothing found in %s", snapshots);
		return;
	}
	tool_auto char *shown = tool_escape(pattern);
	tool_say(tool, "nothing found in %s; the name has to be whole: '*%s*' finds it as a part of names", snapshots,
		 shown);
}

static int search(const struct tool *tool, struct bt_store *store, const struct options *options,
		  const char *const *names, size_t name_count)
{
	const struct bt_time newer = {options->newer.seconds - 1, 999999999}; /* of that second, too */
	const struct bt_time older = {options->older.seconds, 0};
	const struct bt_search wanted = {.size = sizeof(wanted),
					 .pattern = tool->operand_count ? tool->operands[0] : NULL,
					 .hash = options->hash,
					 .newer = options->newer.given ? &newer : NULL,
					 .older = options->older.given ? &older : NULL,
					 .at_least = options->sizes.has_least ? &options->sizes.least : NULL,
					 .at_most = options->sizes.has_most ? &options->sizes.most : NULL,
					 .types = options->types,
					 .any_case = options->any_case,
					 .deleted = options->deleted,
					 .names = names,
					 .name_count = name_count};
	struct finding finding = {.tool = tool, .options = options, .store = store};
	struct bt_error error = {0};
	struct tool_talk talk;
	int code;

	tool_talk_begin(&talk, tool);
	code = bt_search_run(store, &wanted, found, &finding, &talk.observer, &error);
	tool_talk_end(&talk);
	free(finding.snapshot);
	bt_owners_close(finding.names);
	if (code && code != BT_E_INCOMPLETE)
		return tool_fail(tool, &error);
	if (!finding.count)
		say_nothing_found(tool, store, name_count);
	return tool_exit_code(code);
}

/* As all are searched. */
static size_t newest_first(const char **names, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		const char *name = names[i];

		names[i] = names[count - 1 - i];
		names[count - 1 - i] = name;
	}
	return count;
}

static bool says_what(const struct tool *tool, const struct options *options)
{
	return tool->operand_count || options->hash || options->newer.given || options->older.given ||
	       options->sizes.has_least || options->sizes.has_most || options->types || options->deleted;
}

static int run_find(struct tool *tool, const void *arg)
{
	const struct options *options = arg;
	struct bt_store *store;
	size_t count;
	int r;

	if (!says_what(tool, options))
		return tool_usage_error(
			tool, "say what to find: a PATTERN, --hash, --newer, --older, --size, --type or --deleted");
	if (tool->json && options->nul)
		return tool_usage_error(tool, "--json and --null do not go together");
	r = tool_store_open(tool, false, &store);
	if (r != TOOL_OK)
		return r;
	r = tool_store_stay(tool, store);
	if (r != TOOL_OK) {
		bt_store_close(store);
		return r;
	}
	count = bt_store_snapshot_count(store) + options->snapshots.count + 1;
	tool_auto const char **names = tool_alloc(count * sizeof(*names));
	r = tool_names_resolve(tool, store, &options->snapshots, false, names, &count);
	if (r == TOOL_OK && !count && tool->filter)
		count = newest_first(names, tool_selected(tool, store, names));
	if (r == TOOL_OK && (count || !tool_selects_nothing(tool, store)))
		r = search(tool, store, options, names, count);
	bt_store_close(store);
	return r;
}

const struct tool_command cmd_find = {
	.name = "find",
	.summary = "finds files in all snapshots, each version once, in the newest that has it",
	.description = "PATTERN is one as in .gitignore: of a name, or with a slash of a path. Shown are\n"
		       "the entry and its SNAPSHOT:PATH, which cat, ls and dump take. What is given\n"
		       "besides has to be so, too. SIZE is in bytes, with k, M, G or T in 1024s. With\n"
		       "--deleted each path is shown once.",
	.operands = "[PATTERN]",
	.example = "  backuptool find '*.odt'\n"
		   "  backuptool find /letters/may.txt --newer 2026-11-01\n"
		   "  backuptool find --hash 9f86d081884c7d65\n"
		   "  backuptool find --type f --size +1G --older 1y\n"
		   "  backuptool find --deleted -i '*.jpg'\n",
	.max_operands = 1,
	.stream = true,
	.common = TOOL_COMMON_STORE | TOOL_COMMON_SELECT | TOOL_COMMON_JSON | TOOL_COMMON_HUMAN,
	.options = {{table, 0}},
	.options_size = sizeof(struct options),
	.run = run_find,
};
