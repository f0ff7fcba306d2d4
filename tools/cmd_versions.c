/* SPDX-License-Identifier: MIT */
#include "choice.h"
#include "commands.h"
#include "entry.h"
#include "matching.h"
#include "output.h"
#include "place.h"
#include "rows.h"
#include "selection.h"
#include "tree_sums.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACES	 3   /* paths in a message */
#define MATCHING 500 /* paths that are shown */

/* What the path was in some snapshots in a row, or again later. */
struct version {
	struct bt_snapshot *snapshot; /* the oldest that has it: the entry belongs to it or to its page */
	const struct bt_snapshot_info *info;
	const struct bt_page *page;
	const struct bt_entry *entry;
	const char *path;   /* as it was asked for */
	const char **names; /* oldest first */
	size_t count;
	char *first, *last, *change;
	struct tool_tree_sums sums; /* of a directory */
	bool since;		    /* they have what changed since the version before */
};

struct versions {
	const struct tool *tool;
	struct bt_store *store;
	const char *shown;  /* the path as it was asked for */
	const char *wanted; /* where it is looked for */
	struct version *items;
	size_t count;
	bool incomplete;
	bool again; /* all were looked at: what cannot be read was told */
};

static bool same(const struct bt_entry *a, const struct bt_entry *b)
{
	if (a->type != b->type || !bt_same_content(a, b))
		return false;
	if (a->type == BT_DIR)
		return a->has_digest == b->has_digest && memcmp(&a->digest, &b->digest, sizeof(a->digest)) == 0;
	return a->type == BT_SYMLINK ||
	       (a->mtime.seconds == b->mtime.seconds && a->mtime.nanoseconds == b->mtime.nanoseconds);
}

static bool same_group(const struct bt_snapshot_info *a, const struct bt_snapshot_info *b)
{
	return strcmp(a->host, b->host) == 0 && strcmp(a->target, b->target) == 0;
}

static void add_version(struct versions *versions, struct version found, const char *name)
{
	struct version *known = NULL;

	for (size_t i = versions->count; i-- > 0 && !known;)
		if (same(versions->items[i].entry, found.entry) && same_group(versions->items[i].info, found.info))
			known = &versions->items[i];
	if (known) {
		bt_page_put(versions->store, found.page);
		bt_snapshot_close(found.snapshot);
	} else {
		versions->items = tool_realloc(versions->items, (versions->count + 1) * sizeof(found));
		known = &versions->items[versions->count++];
		*known = found;
	}
	known->names = tool_realloc(known->names, (known->count + 1) * sizeof(*known->names));
	known->names[known->count++] = name;
}

static void fail(struct versions *versions, const struct bt_error *error)
{
	if (!versions->again)
		tool_fail(versions->tool, error);
	versions->incomplete = true;
}

static void look(struct versions *versions, const char *name)
{
	struct bt_error error = {0};
	struct version found = {.path = versions->shown};
	int code = bt_snapshot_open(versions->store, name, &found.snapshot, &error);

	if (code == BT_E_NOT_FOUND) /* removed meanwhile */
		return;
	if (!code && !bt_filter_selects(versions->tool->filter, bt_snapshot_info(found.snapshot))) {
		bt_snapshot_close(found.snapshot);
		return;
	}
	if (code) {
		fail(versions, &error);
		return;
	}
	found.info = bt_snapshot_info(found.snapshot);
	tool_auto char *path = tool_place_path(found.info, versions->wanted);
	code = !path ? BT_E_NOT_FOUND
		     : bt_path_lookup(versions->store, &found.info->root, path, &found.page, &found.entry, &error);
	if (!code) {
		add_version(versions, found, name);
		return;
	}
	bt_snapshot_close(found.snapshot);
	if (code != BT_E_NOT_FOUND) {
		fail(versions, &error);
	}
}

#define ENTRY self->entry
TOOL_GETTER(struct version, type, TOOL_TEXT, text, tool_type_name(ENTRY->type))
#define IS_DIR	 (ENTRY->type == BT_DIR)
#define IF_DIR	 (IS_DIR ? TOOL_COUNT : TOOL_NOTHING)
#define IF_SINCE (self->since ? TOOL_COUNT : TOOL_NOTHING)
TOOL_GETTER(struct version, size, ENTRY->type == BT_FILE || IS_DIR ? TOOL_BYTES : TOOL_NOTHING, number,
	    IS_DIR ? self->sums.size : ENTRY->size)
TOOL_GETTER(struct version, entries, IF_DIR, number, self->sums.entries)
TOOL_GETTER(struct version, added, IF_SINCE, number, self->sums.added)
TOOL_GETTER(struct version, removed, IF_SINCE, number, self->sums.removed)
TOOL_GETTER(struct version, changed, IF_SINCE, number, self->sums.changed)

static struct tool_value get_sha256(const void *row)
{
	const struct bt_entry *entry = ((const struct version *)row)->entry;

	if (entry->type != BT_FILE || !entry->has_digest)
		return (struct tool_value){.kind = TOOL_NOTHING};
	return (struct tool_value){.kind = TOOL_OWNED, .owned = tool_digest_text(&entry->digest)};
}

static struct tool_value get_short_digest(const void *row)
{
	struct tool_value value = get_sha256(row);

	if (value.kind == TOOL_OWNED)
		value.owned[12] = '\0';
	return value;
}

static struct tool_value get_snapshots(const void *row)
{
	const struct version *self = row;

	return (struct tool_value){.kind = TOOL_TEXTS, .texts = {self->names, self->count}};
}

static bool is_torn(const struct version *version)
{
	return version->entry->extra && version->entry->extra->torn;
}

TOOL_GETTER(struct version, torn, is_torn(self) ? TOOL_FLAG : TOOL_NOTHING, flag, true)
TOOL_GETTER(struct version, torn_mark, is_torn(self) ? TOOL_TEXT : TOOL_NOTHING, text, "(changed while it was read)")

static const struct tool_column json_columns[] = {
	{"path", NULL, TOOL_MEMBER(TOOL_TEXT, struct version, path)},
	{"type", NULL, TOOL_GET(get_type)},
	{"mtime", NULL, TOOL_VIA(TOOL_TIME, struct version, entry, mtime)},
	{"size", NULL, TOOL_GET(get_size)},
	{"entries", NULL, TOOL_GET(get_entries)},
	{"added", NULL, TOOL_GET(get_added)},
	{"removed", NULL, TOOL_GET(get_removed)},
	{"changed", NULL, TOOL_GET(get_changed)},
	{"sha256", NULL, TOOL_GET(get_sha256)},
	{"torn", NULL, TOOL_GET(get_torn)},
	{"host", NULL, TOOL_VIA_IF_ANY(TOOL_TEXT, struct version, info, host)},
	{"target", NULL, TOOL_VIA_IF_ANY(TOOL_TEXT, struct version, info, target)},
	{"snapshots", NULL, TOOL_GET(get_snapshots)},
	{0},
};

static const struct tool_column file_columns[] = {
	{"mtime", "MODIFIED", TOOL_VIA(TOOL_TIME, struct version, entry, mtime), TOOL_FIT_LAST},
	{"size", "SIZE", TOOL_GET(get_size)},
	{"sha256", "SHA-256", TOOL_GET(get_short_digest), TOOL_FIT_GOES},
	{"host", "HOST", TOOL_VIA_IF_DIFFERS(TOOL_TEXT, struct version, info, host), TOOL_FIT_CUTS},
	{"target", "DIRECTORY", TOOL_VIA_IF_DIFFERS(TOOL_TEXT, struct version, info, target), TOOL_FIT_CUTS},
	{"count", "SNAPSHOTS", TOOL_MEMBER(TOOL_COUNT, struct version, count), TOOL_FIT_GOES},
	{"first", "FROM", TOOL_MEMBER(TOOL_TEXT, struct version, first), TOOL_FIT_LAST},
	{"last", "TO", TOOL_MEMBER(TOOL_TEXT, struct version, last)},
	{"torn", "", TOOL_GET(get_torn_mark), TOOL_FIT_BELOW},
	{0},
};

static const struct tool_column directory_columns[] = {
	{"size", "SIZE", TOOL_GET(get_size)},
	{"entries", "ENTRIES", TOOL_GET(get_entries), TOOL_FIT_GOES},
	{"host", "HOST", TOOL_VIA_IF_DIFFERS(TOOL_TEXT, struct version, info, host), TOOL_FIT_CUTS},
	{"target", "DIRECTORY", TOOL_VIA_IF_DIFFERS(TOOL_TEXT, struct version, info, target), TOOL_FIT_CUTS},
	{"count", "SNAPSHOTS", TOOL_MEMBER(TOOL_COUNT, struct version, count), TOOL_FIT_GOES},
	{"first", "FROM", TOOL_MEMBER(TOOL_TEXT, struct version, first), TOOL_FIT_LAST},
	{"last", "TO", TOOL_MEMBER(TOOL_TEXT, struct version, last)},
	{"change", "CHANGED", TOOL_MEMBER(TOOL_TEXT, struct version, change), TOOL_FIT_BELOW},
	{0},
};

static struct bt_side side_of(const struct versions *versions, const struct version *version)
{
	return (struct bt_side){versions->store, version->info, version->entry};
}

/* The version of a directory that came before it, of the same host and directory; NULL: it is the first. */
static struct version *version_before(const struct versions *versions, size_t index)
{
	const struct version *version = &versions->items[index];

	while (index-- > 0)
		if (versions->items[index].entry->type == BT_DIR &&
		    same_group(versions->items[index].info, version->info))
			return &versions->items[index];
	return NULL;
}

/* "3 new, 1 gone, 2 changed" */
static char *change_text(const struct tool_tree_sums *sums)
{
	static const char *const words[] = {"new", "gone", "changed"};
	const uint64_t counts[] = {sums->added, sums->removed, sums->changed};
	char *text = NULL;

	for (size_t i = 0; i < 3; i++)
		if (counts[i])
			tool_append(&text, "%s%llu %s", text ? ", " : "", (unsigned long long)counts[i], words[i]);
	return text;
}

/* False: it differs from the version before in nothing but the stamps of its entries. */
static bool measure(struct versions *versions, size_t index)
{
	struct version *version = &versions->items[index];
	const struct version *before = version_before(versions, index);
	const struct bt_side side = side_of(versions, version);
	struct bt_error error = {0};
	int code;

	version->since = before;
	if (before) {
		const struct bt_side old = side_of(versions, before);

		code = tool_tree_count_since(&old, &before->sums, &side, &version->sums, &error);
		version->change = change_text(&version->sums);
	} else {
		code = tool_tree_count(&side, &version->sums, &error);
	}
	if (code && code != BT_E_CANCELLED) {
		tool_fail(versions->tool, &error);
		versions->incomplete = true;
	}
	return code || !before || version->change;
}

static void free_version(const struct versions *versions, struct version *version)
{
	bt_page_put(versions->store, version->page);
	bt_snapshot_close(version->snapshot);
	free(version->names);
	free(version->first);
	free(version->last);
	free(version->change);
}

/* Its snapshots have the version before it. */
static void join(struct versions *versions, size_t index)
{
	struct version *version = &versions->items[index], *before = version_before(versions, index);

	before->names = tool_realloc(before->names, (before->count + version->count) * sizeof(*before->names));
	memcpy(before->names + before->count, version->names, version->count * sizeof(*before->names));
	before->count += version->count;
	free_version(versions, version);
	memmove(version, version + 1, (--versions->count - index) * sizeof(*version));
}

/* Whether there are only directories. */
static bool measure_all(struct versions *versions)
{
	bool directories = versions->count > 0;

	for (size_t i = 0; i < versions->count && !tool_signals_seen();) {
		bool is_dir = versions->items[i].entry->type == BT_DIR;

		directories &= is_dir;
		if (is_dir && !measure(versions, i))
			join(versions, i);
		else
			i++;
	}
	return directories;
}

static void print(struct versions *versions)
{
	bool directories = measure_all(versions);

	for (size_t i = 0; i < versions->count; i++) {
		struct version *version = &versions->items[i];

		version->first = tool_place_name(version->names[0]);
		version->last = tool_place_name(version->names[version->count - 1]);
		if (versions->tool->json)
			tool_object_print(json_columns, version);
	}
	if (!versions->tool->json)
		tool_table_print(directories ? directory_columns : file_columns, versions->items,
				 sizeof(*versions->items), versions->count);
}

static void free_versions(struct versions *versions)
{
	for (size_t i = 0; i < versions->count; i++)
		free_version(versions, &versions->items[i]);
	free(versions->items);
}

/* What the newest snapshot has that comes near, or NULL. */
static char *nearest(const struct versions *versions)
{
	const struct tool_wish wish = {.text = "latest", .paths = &versions->wanted, .path_count = 1};
	struct tool_place place = {.pick = {versions->store, NULL}};
	struct bt_error error = {0};
	struct bt_choice choice = {.size = sizeof(choice)};
	struct tool_scope scope;
	char *path, *found;
	int code;

	tool_scope_begin(&scope, versions->tool, &wish);
	code = bt_select(versions->store, wish.text, &scope.scope, &choice, &error);
	tool_scope_end(&scope);
	if (code || bt_snapshot_open(versions->store, choice.name, &place.pick.snapshot, &error))
		return NULL;
	place.info = bt_snapshot_info(place.pick.snapshot);
	path = tool_place_path(place.info, versions->wanted);
	if (!path)
		path = tool_place_path(place.info, versions->shown);
	found = path && *path ? tool_place_nearest(&place, path) : NULL;
	bt_snapshot_close(place.pick.snapshot);
	free(path);
	return found;
}

/* Where entries of that name are: "letters/may.txt, old/may.txt, …"; NULL: nowhere. */
static char *places_of(const struct versions *versions)
{
	tool_auto char *pattern = tool_pattern_of_name(versions->shown);
	char *text = NULL;
	struct tool_texts paths;
	bool more = false;

	if (strchr(versions->shown, '/'))
		return NULL;
	paths = tool_matching(versions->tool, versions->store, pattern, PLACES, &more);
	for (size_t i = 0; i < paths.count; i++) {
		tool_auto char *path = tool_escape(paths.items[i]);

		tool_append(&text, "%s%s", i ? ", " : "", path);
	}
	if (more)
		tool_append(&text, ", … ('backuptool find' knows where else)");
	tool_matching_free(&paths);
	return text;
}

static int nothing_found(const struct versions *versions)
{
	tool_auto char *shown = tool_escape(versions->shown);

	if (tool_selects_nothing(versions->tool, versions->store))
		return TOOL_FATAL;
	tool_auto char *places = places_of(versions), *near = places ? NULL : nearest(versions);
	tool_auto char *shown_near = tool_escape(near ? near : "");

	if (places)
		tool_say(versions->tool, "no snapshot has %s at its top; that is the name of %s", shown, places);
	else
		tool_say(versions->tool, "no snapshot has %s%s%s", shown, near ? "; the nearest is " : "", shown_near);
	return TOOL_FATAL;
}

/* In all snapshots, the oldest first. */
static void look_in_all(struct versions *versions)
{
	for (size_t i = 0; i < bt_store_snapshot_count(versions->store) && !tool_signals_seen(); i++)
		look(versions, bt_store_snapshot_name(versions->store, i));
}

/* The paths that match, each below its name; false if none does. */
static bool show_matching(struct versions *versions)
{
	struct tool_texts paths = {0};
	bool more = false;

	if (tool_has_wildcards(versions->shown))
		paths = tool_matching(versions->tool, versions->store, versions->shown, MATCHING, &more);
	for (size_t i = 0; i < paths.count && !tool_signals_seen(); i++) {
		struct versions one = *versions;
		tool_auto char *shown = tool_escape(paths.items[i]);

		one.shown = one.wanted = paths.items[i];
		one.again = true;
		look_in_all(&one);
		if (!versions->tool->json)
			printf("%s%s\n", i ? "\n" : "", shown);
		print(&one);
		versions->incomplete |= one.incomplete;
		free_versions(&one);
	}
	if (more)
		tool_say(versions->tool, "more than %d paths match: the others are not shown", MATCHING);
	bool any = paths.count > 0;
	tool_matching_free(&paths);
	return any;
}

static int show(struct versions *versions)
{
	tool_auto char *whole = NULL;
	bool matched = false;

	look_in_all(versions);
	if (!versions->count) {
		versions->again = true;
		versions->wanted = whole = tool_path_here(versions->shown);
		look_in_all(versions);
	}
	if (!versions->count && !tool_signals_seen())
		matched = show_matching(versions);
	else
		print(versions);
	if (tool_signals_seen())
		return tool_fail(versions->tool, &(struct bt_error){.code = BT_E_CANCELLED});
	if (!versions->count && !matched)
		return nothing_found(versions);
	return versions->incomplete ? TOOL_INCOMPLETE : TOOL_OK;
}

static int run_versions(struct tool *tool, const void *options)
{
	struct versions versions = {.tool = tool, .shown = tool->operands[0], .wanted = tool->operands[0]};
	int r = tool_store_open(tool, false, &versions.store);

	if (r != TOOL_OK)
		return r;
	r = tool_store_stay(tool, versions.store);
	if (r == TOOL_OK) {
		tool_signals_watch(tool);
		r = show(&versions);
	}
	free_versions(&versions);
	bt_store_close(versions.store);
	return r;
}

const struct tool_command cmd_versions = {
	.name = "versions",
	.summary = "shows every version of a file or a directory, and which snapshots have it",
	.description = "PATH is relative to the directory of the snapshots, or as the file is called here.\n"
		       "What matches a PATTERN, as of find, is shown path by path. A version that several\n"
		       "hosts or directories have has a row for each. Of a directory, SIZE and ENTRIES are\n"
		       "those of all below it, and CHANGED counts what differs from the version before;\n"
		       "'backuptool diff' names it.",
	.operands = "PATH | PATTERN",
	.example = "  backuptool versions letters/may.txt\n"
		   "  backuptool versions ~/documents/letters/may.txt --json\n"
		   "  backuptool versions 'letters/*.txt'\n"
		   "  backuptool versions letters\n",
	.min_operands = 1,
	.max_operands = 1,
	.stream = true,
	.common = TOOL_COMMON_STORE | TOOL_COMMON_SELECT | TOOL_COMMON_JSON,
	.run = run_versions,
};
