/* SPDX-License-Identifier: MIT */
#include "choice.h"
#include "confirm.h"
#include "missing.h"
#include "output.h"
#include "place.h"
#include "selection.h"
#include <internal/clock.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMED 3 /* directories in a message */

char *tool_path_here(const char *path)
{
	char *there = tool_format("%s", path), *real = realpath(*there ? there : ".", NULL), *whole;

	while (!real && *there) {
		char *slash = strrchr(there, '/');

		*(slash ? slash : there) = '\0';
		real = realpath(*there ? there : *path == '/' ? "/" : ".", NULL);
	}
	whole = tool_format("%s/%s", real ? real : "", path + strlen(there));
	tool_auto char *tidied = tool_place_tidy(whole);
	free(there);
	free(real);
	free(whole);
	whole = tool_format("/%s", tidied);
	return whole;
}

static const char **absolute_paths(const struct tool_wish *wish, size_t *ret_count)
{
	const char **paths = tool_alloc((wish->path_count + 1) * sizeof(*paths));

	*ret_count = 0;
	for (size_t i = 0; i < wish->path_count; i++)
		if (*wish->paths[i] == '/') {
			tool_auto char *tidied = tool_place_tidy(wish->paths[i]);

			paths[(*ret_count)++] = tool_format("/%s", tidied);
		}
	return paths;
}

void tool_scope_begin(struct tool_scope *scope, const struct tool *tool, const struct tool_wish *wish)
{
	const struct tool_texts *targets = &tool->selection.targets;
	const char *asked = targets->count == 1 ? targets->items[0] : wish->output;

	*scope = (struct tool_scope){.scope = {.size = sizeof(scope->scope), .now = bt_now()}};
	bt_host(scope->host);
	scope->scope.host = tool_selection_host(tool, scope->host);
	scope->scope.filter = tool->filter;
	scope->scope.paths = absolute_paths(wish, &scope->scope.path_count);
	scope->scope.output = asked ? tool_path_here(asked) : NULL;
	scope->scope.directory = realpath(".", NULL);
	if (!scope->scope.directory) /* it was removed: nothing but / is around it */
		scope->scope.directory = tool_format("/");
}

void tool_scope_end(struct tool_scope *scope)
{
	for (size_t i = 0; i < scope->scope.path_count; i++)
		free((char *)scope->scope.paths[i]);
	free((void *)scope->scope.paths);
	free((char *)scope->scope.output);
	free((char *)scope->scope.directory);
}

static char *group_text(const struct bt_group *group)
{
	tool_auto char *host = tool_escape(group->host), *target = tool_escape(group->target);

	return *target ? tool_format("%s%s%s", host, *host ? ":" : "", target) : tool_format("the original layout");
}

/* "laptop:/home/me", the group at which the snapshot is, and "2 other directories: laptop:/etc, server:/srv". */
struct groups_text {
	char *own, *others;
};

static struct groups_text describe(const struct bt_group *groups, size_t count, size_t own)
{
	struct groups_text text = {group_text(&groups[own]), tool_format("%s", "")};
	size_t named = 0;

	for (size_t i = 0; i < count && named <= NAMED; i++) {
		tool_auto char *one = group_text(&groups[i]);

		if (i != own)
			tool_append(&text.others, "%s%s", named ? ", " : "", named == NAMED ? "…" : one);
		named += i != own;
	}
	return text;
}

/* Where a snapshot's group is in the list; count if it is in none. */
static size_t find_group(struct bt_store *store, const char *name, const struct bt_group *groups, size_t count)
{
	struct bt_snapshot *snapshot = NULL;
	const struct bt_snapshot_info *info;
	struct bt_error error = {0};
	size_t at = 0;

	if (bt_snapshot_open(store, name, &snapshot, &error))
		return count;
	info = bt_snapshot_info(snapshot);
	while (at < count && (strcmp(groups[at].host, info->classic ? "" : info->host) != 0 ||
			      strcmp(groups[at].target, info->classic ? "" : info->target) != 0))
		at++;
	bt_snapshot_close(snapshot);
	return at;
}

/* Nothing tells which directory is meant. */
static int say_unsure(const struct tool *tool, struct bt_store *store, const struct tool_wish *wish, const char *name)
{
	struct bt_group *groups = NULL;
	struct bt_error error = {0};
	struct groups_text text;
	size_t count = 0, own;
	int r = TOOL_OK;

	if (bt_groups_list(store, tool->filter, &groups, &count, &error))
		return tool_fail(tool, &error);
	own = find_group(store, name, groups, count);
	if (own < count && count > 1) {
		text = describe(groups, count, own);
		tool_auto char *others = tool_count(count - 1, "other directory", "other directories");
		tool_auto char *shown = tool_escape(wish->text);
		if (wish->deletes) {
			tool_complain(tool,
				      "%s is %s of %s, and there are snapshots of %s, too: %s; say which is meant with "
				      "--host and --target, or by a snapshot's name; nothing was changed",
				      shown, name, text.own, others, text.others);
			r = TOOL_FATAL;
		} else {
			tool_say_once(tool, "%s is of %s; the store has snapshots of %s, too: %s", shown, text.own,
				      others, text.others);
		}
		free(text.own);
		free(text.others);
	}
	bt_groups_free(groups, count);
	return r;
}

/* Newer ones, perhaps of another directory, which nobody can tell. */
static void say_unread(const struct tool *tool, const struct tool_wish *wish, const struct bt_choice *choice)
{
	tool_auto char *reason = tool_error_text(tool, &choice->unread_error), *shown = tool_escape(wish->text);
	tool_auto char *more =
		choice->unread > 1 ? tool_format(", and %zu more", choice->unread - 1) : tool_format("%s", "");

	if (wish->deletes)
		tool_doubt(tool, "%s is %s only because snapshots that may be newer cannot be read: %s%s", shown,
			   choice->name, reason, more);
	else
		tool_say_once(tool, "passed over, so that %s is %s: %s%s", shown, choice->name, reason, more);
}

static void say_later(const struct tool *tool, const struct bt_choice *choice)
{
	if (choice->future)
		tool_say_once(tool, "%s is in the future", choice->name);
	else if (choice->later == 1)
		tool_say_once(tool, "%s is in the future and was passed over", choice->latest);
	else if (choice->later)
		tool_say_once(tool, "%zu snapshots are in the future and were passed over, the last of them %s",
			      choice->later, choice->latest);
}

void tool_say_partial(const struct tool *tool, const char *name)
{
	tool_say_once(tool, "%s is partial: it lacks what its run had not read yet", name);
}

int tool_choose(const struct tool *tool, struct bt_store *store, const struct tool_wish *wish, const char **ret_name)
{
	struct bt_choice choice = {.size = sizeof(choice)};
	struct bt_error error = {0};
	struct tool_scope scope;
	int r = TOOL_OK;

	tool_scope_begin(&scope, tool, wish);
	if (bt_select(store, wish->text, &scope.scope, &choice, &error))
		r = tool_no_snapshot(tool, store, wish->text, &error);
	tool_scope_end(&scope);
	if (r == TOOL_OK)
		say_later(tool, &choice);
	if (r == TOOL_OK && choice.partial && !wish->deletes && bt_select_is_relative(wish->text, scope.scope.now))
		tool_say_partial(tool, choice.name);
	if (r == TOOL_OK && choice.unsure)
		r = say_unsure(tool, store, wish, choice.name);
	if (r == TOOL_OK && choice.unread)
		say_unread(tool, wish, &choice);
	if (r == TOOL_OK)
		*ret_name = choice.name;
	return r;
}
