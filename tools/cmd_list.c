/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "output.h"
#include "rows.h"
#include "selection.h"
#include <errno.h>
#include <internal/clock.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct options {
	bool names;
	unsigned last; /* 0: all */
};

static const struct tool_option table[] = {
	{"names", 0, NULL, false, "print only the names, one a line; without a selection no snapshot is read",
	 tool_set_true, offsetof(struct options, names)},
	{"last", 0, "N", false, "only the newest N snapshots of those that are selected", tool_set_count,
	 offsetof(struct options, last)},
	{0},
};

/* An open snapshot costs a few pages of memory, so that a row simply keeps its own. */
struct row {
	struct bt_snapshot *snapshot;	     /* NULL: it cannot be read */
	const struct bt_snapshot_info *info; /* likewise */
	const char *name;
	char *damage, *denied, *newer; /* why not */
};

static struct tool_value get_tags(const void *row)
{
	const struct bt_snapshot_info *known = ((const struct row *)row)->info;

	if (!known)
		return (struct tool_value){0};
	return (struct tool_value){.kind = TOOL_TEXTS, .texts = {known->tags, known->tag_count}};
}

static struct tool_value texts_or_nothing(const char *const *items, size_t count)
{
	if (!count)
		return (struct tool_value){0};
	return (struct tool_value){.kind = TOOL_TEXTS, .texts = {items, count}};
}

static struct tool_value get_rules(const void *row)
{
	const struct bt_snapshot_info *known = ((const struct row *)row)->info;

	return known ? texts_or_nothing(known->rules, known->rule_count) : (struct tool_value){0};
}

static struct tool_value get_options(const void *row)
{
	const struct bt_snapshot_info *known = ((const struct row *)row)->info;

	return known ? texts_or_nothing(known->options, known->option_count) : (struct tool_value){0};
}

static struct tool_value get_expires(const void *row)
{
	const struct bt_snapshot_info *known = ((const struct row *)row)->info;

	if (!known || !known->has_expires)
		return (struct tool_value){0};
	return (struct tool_value){.kind = TOOL_TIME, .time = known->expires};
}

static void add_note(char **text, const char *note)
{
	tool_append(text, "%s%s", *text ? ", " : "", note);
}

static void add_count(char **text, uint64_t count, const char *word)
{
	tool_auto char *note = tool_count(count, word, word);

	if (count)
		add_note(text, note);
}

/* Only where there is something to be said. */
static struct tool_value get_notes(const void *row)
{
	const struct bt_snapshot_info *known = ((const struct row *)row)->info;
	char *text = NULL;

	if (!known)
		return (struct tool_value){0};
	add_count(&text, known->errors - known->torn, "unread");
	add_count(&text, known->torn, "torn");
	add_count(&text, known->removed, "removed");
	if (known->removed_bytes) {
		tool_auto char *bytes = tool_bytes(known->removed_bytes);

		tool_append(&text, " (%s)", bytes);
	}
	add_count(&text, known->left_out, "left out");
	add_count(&text, known->boundaries, "not entered");
	if (known->pinned)
		add_note(&text, "pinned");
	if (known->has_expires && known->expires.seconds < bt_now())
		add_note(&text, "expired");
	if (known->partial)
		add_note(&text, "partial");
	if (known->rewritten)
		add_note(&text, "rewritten");
	return (struct tool_value){.kind = text ? TOOL_OWNED : TOOL_NOTHING, .owned = text};
}

#define INFO(kind, member)	  TOOL_VIA(kind, struct row, info, member)
#define INFO_IF_ANY(kind, member) TOOL_VIA_IF_ANY(kind, struct row, info, member)
static const struct tool_column table_columns[] = {
	{"name", "NAME", TOOL_MEMBER(TOOL_TEXT, struct row, name), TOOL_FIT_NAME},
	{"time", "TIME", INFO(TOOL_TIME, time), TOOL_FIT_LAST},
	{"host", "HOST", TOOL_VIA_IF_DIFFERS(TOOL_TEXT, struct row, info, host), TOOL_FIT_CUTS},
	{"target", "TARGET", INFO(TOOL_TEXT, target), TOOL_FIT_CUTS},
	{"files", "FILES", INFO(TOOL_COUNT, files), TOOL_FIT_GOES},
	{"size", "SIZE", INFO(TOOL_BYTES, directory_size)},
	{"added", "ADDED", INFO(TOOL_BYTES, added_size), TOOL_FIT_GOES},
	{"tags", "TAGS", TOOL_GET(get_tags), TOOL_FIT_BELOW},
	{"notes", "", TOOL_GET(get_notes), TOOL_FIT_BELOW},
	{"future", "", INFO(TOOL_FUTURE, time), TOOL_FIT_BELOW},
	{0},
};

static const struct tool_column json_columns[] = {
	{"name", NULL, TOOL_MEMBER(TOOL_TEXT, struct row, name)},
	{"time", NULL, INFO(TOOL_TIME, time)},
	{"host", NULL, INFO(TOOL_TEXT, host)},
	{"target", NULL, INFO(TOOL_TEXT, target)},
	{"classic", NULL, INFO(TOOL_FLAG, classic)},
	{"parent", NULL, INFO(TOOL_TEXT, parent)},
	{"files", NULL, INFO(TOOL_COUNT, files)},
	{"directories", NULL, INFO(TOOL_COUNT, directories)},
	{"others", NULL, INFO(TOOL_COUNT, others)},
	{"size", NULL, INFO(TOOL_BYTES, directory_size)},
	{"added", NULL, INFO(TOOL_BYTES, added_size)},
	{"stored_bytes", NULL, INFO(TOOL_BYTES, stored_size)},
	{"file_size", NULL, INFO(TOOL_BYTES, file_size)},
	{"new", NULL, INFO(TOOL_COUNT, created)},
	{"changed", NULL, INFO(TOOL_COUNT, changed)},
	{"unchanged", NULL, INFO(TOOL_COUNT, unchanged)},
	{"errors", NULL, INFO(TOOL_COUNT, errors)},
	{"torn", NULL, INFO_IF_ANY(TOOL_COUNT, torn)},
	{"removed_entries", NULL, INFO_IF_ANY(TOOL_COUNT, removed)},
	{"removed_bytes", NULL, INFO_IF_ANY(TOOL_BYTES, removed_bytes)},
	{"excluded", NULL, INFO_IF_ANY(TOOL_COUNT, left_out)},
	{"boundaries", NULL, INFO_IF_ANY(TOOL_COUNT, boundaries)},
	{"tags", NULL, TOOL_GET(get_tags)},
	{"description", NULL, INFO(TOOL_TEXT, description)},
	{"program", NULL, INFO(TOOL_TEXT, program)},
	{"user", NULL, INFO(TOOL_TEXT, user)},
	{"rules", NULL, TOOL_GET(get_rules)},
	{"rules_omitted", NULL, INFO_IF_ANY(TOOL_FLAG, rules_omitted)},
	{"options", NULL, TOOL_GET(get_options)},
	{"pinned", NULL, INFO_IF_ANY(TOOL_FLAG, pinned)},
	{"expires", NULL, TOOL_GET(get_expires)},
	{"partial", NULL, INFO_IF_ANY(TOOL_FLAG, partial)},
	{"rewritten", NULL, INFO(TOOL_TEXT, rewritten)},
	{"streams", NULL, INFO_IF_ANY(TOOL_FLAG, streams)},
	{"future", NULL, INFO(TOOL_FUTURE, time)},
	{"damage", NULL, TOOL_IF_ANY(TOOL_TEXT, struct row, damage)},
	{"denied", NULL, TOOL_IF_ANY(TOOL_TEXT, struct row, denied)},
	{"newer", NULL, TOOL_IF_ANY(TOOL_TEXT, struct row, newer)},
	{0},
};

/* Allocated. */
static char *denied_text(const struct tool *tool, const char *name)
{
	tool_auto char *path = tool_format("%s/%s", tool->store, name);
	char *text;
	struct stat status;
	const struct passwd *owner = lstat(path, &status) == 0 ? getpwuid(status.st_uid) : NULL;

	text = owner ? tool_format("you may not read it (it belongs to %s)", owner->pw_name)
		     : tool_format("you may not read it");
	return text;
}

/* Fills the row; what cannot be read is named on standard error. False: the snapshot is not selected, or was removed
 * meanwhile. */
static bool read_row(const struct tool *tool, struct bt_store *store, size_t index, struct row *row)
{
	struct bt_error error = {0};
	char text[1024];
	int code;

	*row = (struct row){.name = bt_store_snapshot_name(store, index)};
	code = bt_snapshot_open(store, row->name, &row->snapshot, &error);
	if (!code && !bt_filter_selects(tool->filter, bt_snapshot_info(row->snapshot))) {
		bt_snapshot_close(row->snapshot);
		return false;
	}
	if (!code)
		row->info = bt_snapshot_info(row->snapshot);
	if (!code || code == BT_E_NOT_FOUND)
		return !code;
	row->snapshot = NULL;
	if (error.code == BT_E_SYSTEM && (error.sys == EACCES || error.sys == EPERM)) {
		row->denied = denied_text(tool, row->name);
		tool_say(tool, "%s: %s", row->name, row->denied);
		return true;
	}
	bt_error_text(&error, text, sizeof(text));
	*(bt_error_is_newer(&error) ? &row->newer : &row->damage) = tool_format("%s", text);
	tool_say(tool, "%s", text);
	return true;
}

/* How many of the rows could not be read, and why. */
struct unread {
	size_t damaged, denied, newer;
};

static struct unread count_unread(const struct row *rows, size_t count)
{
	struct unread unread = {0};

	for (size_t i = 0; i < count; i++) {
		unread.damaged += !!rows[i].damage;
		unread.denied += !!rows[i].denied;
		unread.newer += !!rows[i].newer;
	}
	return unread;
}

static void print_total(const struct row *rows, size_t count, struct unread unread, bool some)
{
	size_t whole = count - unread.damaged - unread.denied - unread.newer;
	tool_auto char *snapshots = tool_count(whole, "snapshot", "snapshots");
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		if (rows[i].info)
			sum += rows[i].info->added_size;
	tool_auto char *added = tool_bytes(sum);
	printf("%s%s, %s added in all", some ? "the newest " : "", snapshots, added);
	if (unread.damaged)
		printf("; %zu damaged", unread.damaged);
	if (unread.denied)
		printf("; %zu that you may not read", unread.denied);
	if (unread.newer)
		printf("; %zu of a newer version of this program", unread.newer);
	putchar('\n');
}

static void print_list(const char *word, const char *const *items, size_t count)
{
	if (!count)
		return;
	printf("  %s:", word);
	for (size_t i = 0; i < count; i++) {
		tool_auto char *item = tool_escape(items[i]);

		printf("%s %s", i ? "," : "", item);
	}
	putchar('\n');
}

static void print_line(const char *word, const char *text)
{
	tool_auto char *shown = text ? tool_escape(text) : NULL;

	if (text)
		printf("  %s: %s\n", word, shown);
}

/* With --verbose: how each was taken, and what is to become of it. */
static void print_details(const struct row *row)
{
	const struct bt_snapshot_info *info = row->info;

	if (!info)
		return;
	printf("%s\n", row->name);
	print_line("description", info->description);
	print_line("host", *info->host ? info->host : NULL);
	print_line("user", info->user);
	print_line("program", info->program);
	print_list("left out", info->rules, info->rule_count);
	if (info->rules_omitted)
		puts("  left out: by rules that are too long to be recorded");
	print_list("options", info->options, info->option_count);
	if (info->pinned)
		puts("  pinned: it is never pruned");
	if (info->has_expires) {
		tool_auto char *expires = tool_local_time(info->expires);

		printf("  expires: %s\n", expires);
	}
	if (info->streams)
		puts("  of: what commands gave");
	if (info->partial)
		puts("  partial: it was taken while a longer run went on");
	print_line("rewritten from", info->rewritten);
}

/* The rows that could be read first, in their order. Gives their number. */
static size_t only_read(const struct row *rows, size_t count, struct row *ret_whole)
{
	size_t whole = 0;

	for (size_t i = 0; i < count; i++)
		if (rows[i].snapshot)
			ret_whole[whole++] = rows[i];
	return whole;
}

/* The newest ones that are selected, in the order of the store, at the end of rows, which has room for all. last 0: all
 * of them. Gives their number. */
static size_t read_rows(const struct tool *tool, struct bt_store *store, unsigned last, struct row *rows)
{
	size_t listed = bt_store_snapshot_count(store), count = 0;

	for (size_t i = listed; i-- > 0 && (!last || count < last);)
		count += read_row(tool, store, i, &rows[listed - count - 1]);
	return count;
}

static int list(const struct tool *tool, struct bt_store *store, unsigned last)
{
	size_t listed = bt_store_snapshot_count(store);
	struct unread unread;
	tool_auto struct row *room = tool_alloc((listed + 1) * sizeof(*room));
	tool_auto struct row *whole = tool_alloc((listed + 1) * sizeof(*whole));
	size_t count = read_rows(tool, store, last, room);
	struct row *rows = room + listed - count;

	unread = count_unread(rows, count);
	if (tool->json) {
		tool_array_print(json_columns, rows, sizeof(*rows), count);
	} else {
		tool_table_print(table_columns, whole, sizeof(*whole), only_read(rows, count, whole));
		if (listed)
			print_total(rows, count, unread, count && count == last);
		else
			puts("no snapshots; 'backuptool snapshot --target-directory DIR' takes the first one");
		for (size_t i = 0; i < count && tool->verbose; i++)
			print_details(&rows[i]);
	}
	for (size_t i = 0; i < count; i++) {
		bt_snapshot_close(rows[i].snapshot);
		free(rows[i].damage);
		free(rows[i].denied);
		free(rows[i].newer);
	}
	return unread.damaged ? TOOL_FATAL : unread.denied || unread.newer ? TOOL_INCOMPLETE : TOOL_OK;
}

static struct tool_value get_name(const void *row)
{
	return (struct tool_value){.kind = TOOL_TEXT, .text = *(const char *const *)row};
}

static const struct tool_column name_columns[] = {
	{"name", NULL, TOOL_GET(get_name)},
	{0},
};

static int list_names(const struct tool *tool, struct bt_store *store, unsigned last)
{
	tool_auto const char **names = tool_alloc((bt_store_snapshot_count(store) + 1) * sizeof(*names));
	size_t count = tool_selected(tool, store, names), first = last && last < count ? count - last : 0;

	if (tool->json)
		tool_array_print(name_columns, names + first, sizeof(*names), count - first);
	for (size_t i = first; i < count && !tool->json; i++)
		puts(names[i]);
	return TOOL_OK;
}

static int run_list(struct tool *tool, const void *arg)
{
	const struct options *options = arg;
	struct bt_store *store;
	int r = tool_store_open(tool, false, &store);

	if (r != TOOL_OK)
		return r;
	if (!options->names ||
	    tool->filter) /* tag and a repair replace files: with the lock none is another one than was listed */
		r = tool_store_stay(tool, store);
	if (r == TOOL_OK)
		r = options->names ? list_names(tool, store, options->last) : list(tool, store, options->last);
	tool_selects_nothing(tool, store);
	bt_store_close(store);
	return r;
}

const struct tool_command cmd_list = {
	.name = "list",
	.summary = "lists the snapshots of the store, the newest last",
	.description = "One row for each snapshot. On a terminal the names are short, the time is left\n"
		       "out where the names tell it, and rows fit its width; without one everything is\n"
		       "there, and names are those of the files. ADDED is what it brought to the disk when it was\n"
		       "taken. The notes count entries that could not be read then ('unread'), files\n"
		       "that changed while they were read ('torn'), entries of the snapshot before that\n"
		       "were gone, with the size of the files ('removed'), entries that the rules left\n"
		       "out ('left out'), and directories where another file system began ('not\n"
		       "entered'); and they say what is 'pinned', 'expired', or 'partial': taken while a\n"
		       "longer run went on.\n"
		       "\n"
		       "A damaged file is named on standard error, the others are listed, and the\n"
		       "command ends with 1; it ends with 3 if there are only files that you may not\n"
		       "read, or that a newer version of this program made. -v adds who took each\n"
		       "snapshot and with which program, its description, and the rules that left\n"
		       "something out. --json gives an array with an object for each snapshot, a line\n"
		       "each.",
	.example = "  backuptool list\n"
		   "  backuptool list --last 5\n"
		   "  backuptool list --host server --target /srv\n"
		   "  backuptool --store /backup list --json | jq '.[].name'\n",
	.common = TOOL_COMMON_STORE | TOOL_COMMON_SELECT | TOOL_COMMON_JSON | TOOL_COMMON_DETAILS,
	.options = {{table, 0}},
	.options_size = sizeof(struct options),
	.run = run_list,
};
