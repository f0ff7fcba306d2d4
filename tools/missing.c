/* SPDX-License-Identifier: MIT */
/* What is said when there is no such snapshot. */
#include "missing.h"
#include "choice.h"
#include "output.h"
#include "place.h"
#include "selection.h"
#include <internal/clock.h>
#include <internal/policy.h>
#include <stdlib.h>
#include <string.h>

static const char *word(const void *arg, size_t index)
{
	static const char *const words[] = {"latest", "@yesterday", NULL};

	return words[index];
}

/* A number may also begin a name. */
static bool is_time(const char *text)
{
	int64_t unused;

	return *text != '@' && (*text < '0' || *text > '9') && !bt_time_parse(text, bt_now(), &unused);
}

/* Whether somebody gave the path alone. */
static bool latest_has(const struct tool *tool, struct bt_store *store, const char *path)
{
	const struct tool_wish wish = {.text = "latest", .paths = &path, .path_count = 1};
	struct bt_snapshot *snapshot = NULL;
	const struct bt_page *page = NULL;
	const struct bt_entry *entry;
	struct bt_error error = {0};
	struct bt_choice choice = {.size = sizeof(choice)};
	struct tool_scope scope;
	bool found = false;
	int code;

	tool_scope_begin(&scope, tool, &wish);
	code = *path ? bt_select(store, wish.text, &scope.scope, &choice, &error) : BT_E_NOT_FOUND;
	tool_scope_end(&scope);
	if (code || bt_snapshot_open(store, choice.name, &snapshot, &error))
		return false;
	tool_auto char *inside = tool_place_path(bt_snapshot_info(snapshot), path);
	if (inside && *inside)
		found = bt_path_lookup(store, &bt_snapshot_info(snapshot)->root, inside, &page, &entry, &error) == 0;
	bt_page_put(store, page);
	bt_snapshot_close(snapshot);
	return found;
}

int tool_no_snapshot(const struct tool *tool, struct bt_store *store, const char *text, const struct bt_error *error)
{
	const char *near = NULL;

	if (error->code == BT_E_NOT_FOUND && tool_selects_nothing(tool, store))
		return TOOL_FATAL;
	if (error->code != BT_E_NOT_FOUND && error->code != BT_E_INVALID)
		return tool_fail(tool, error);
	tool_auto char *shown = tool_escape(text);
	tool_auto char *detail = tool_escape(error->detail), *selection = tool_selection_text(tool);
	if (bt_store_snapshot_count(store) && *text != '@' && !strchr(text, '~'))
		near = tool_nearest(text, word, NULL);
	if (error->code == BT_E_INVALID)
		tool_say(tool, "'%s' %s", shown, detail);
	else if (latest_has(tool, store, text))
		tool_say(tool, "there is no snapshot '%s'; did you mean latest:%s?", shown, shown);
	else if (is_time(text))
		tool_say(tool, "there is no snapshot '%s'; did you mean @%s?", shown, shown);
	else if (near)
		tool_say(tool, "there is no snapshot '%s'; did you mean %s?", shown, near);
	else if (tool->filter)
		tool_say(tool, "there is no snapshot '%s' among those that match %s; %s", shown, selection, detail);
	else
		tool_say(tool, "there is no snapshot '%s'; %s", shown, detail);
	return tool_exit_code(error->code);
}

int tool_not_a_snapshot(const struct tool *tool, const char *text, int sys)
{
	const struct bt_store_options read_only = {.size = sizeof(read_only), .read_only = true};
	struct bt_error error = {0};
	struct bt_store *store = NULL;
	tool_auto char *shown = tool_escape(text);

	if (bt_store_open(tool->store, &read_only, &store, &error) == 0 && latest_has(tool, store, text))
		tool_say(tool, "there is no snapshot '%s'; did you mean latest:%s?", shown, shown);
	else if (sys)
		tool_say(tool, "%s: %s; give a snapshot's name or the path of its file", shown, strerror(sys));
	else
		tool_say(tool, "%s is not a snapshot: its name must be snapshot_TIME.json, as it was written", shown);
	bt_store_close(store);
	return TOOL_FATAL;
}
