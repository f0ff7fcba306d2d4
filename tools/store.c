/* SPDX-License-Identifier: MIT */
#include "choice.h"
#include "confirm.h"
#include "feed.h"
#include "foreign.h"
#include "missing.h"
#include "output.h"
#include "selection.h"
#include "tool.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define AT_REST ".zst" /* of the files that lie compressed */

/* Also in a quiet run: where the disk of the store is not mounted, nothing else shows it. */
static void say_made(const struct tool *tool)
{
	char *path = realpath(tool->store, NULL);
	tool_auto char *shown = tool_escape(path ? path : tool->store);

	if (!tool->json)
		tool_say(tool, "made a new store at %s", shown);
	free(path);
}

/* The id in the environment belongs to the store in the environment. */
const char *tool_store_wanted(const struct tool *tool)
{
	const char *id = getenv("BACKUPTOOL_STORE_ID");

	if (tool->store_id || !id || !*id || tool->store != getenv("BACKUPTOOL_STORE"))
		return tool->store_id;
	return id;
}

static int store_open(const struct tool *tool, struct bt_store_options options, struct bt_store **ret_store)
{
	static const struct bt_observer observer = {.cancelled = tool_signals_cancel};
	struct bt_error error = {0};

	options.size = sizeof(options);
	options.observer = &observer;
	options.id = tool_store_wanted(tool);
	options.lock_wait_ms = tool->lock_wait < 0		  ? -1
			       : tool->lock_wait > INT_MAX / 1000 ? INT_MAX
								  : (int)tool->lock_wait * 1000;
	if (bt_store_open(tool->store, &options, ret_store, &error) < 0)
		return tool_fail(tool, &error);
	tool_foreign_warn(tool, tool->store);
	if (bt_store_made(*ret_store))
		say_made(tool);
	return TOOL_OK;
}

/* What root puts into somebody's store is that user's, see SECURITY.md. The user knows it who asked root to. */
static bool is_anothers(uid_t owner)
{
	return owner != geteuid() && owner != 0 && owner != tool_asker();
}

static void say_owner(const struct tool *tool, uid_t uid)
{
	tool_auto char *owner = tool_user(uid);

	tool_say(tool, "the store belongs to %s, who can %s all that is put into it", owner,
		 geteuid() == 0 ? "read" : "delete");
}

/* Whom the user has to trust who puts something into this store: once, by the commands that do. */
static void say_others(const struct tool *tool)
{
	struct stat status;

	if (tool->quiet || stat(tool->store, &status) < 0)
		return;
	if (is_anothers(status.st_uid))
		say_owner(tool, status.st_uid);
	if (!(status.st_mode & (S_IWGRP | S_IWOTH)))
		return;
	tool_auto char *shown = tool_escape(tool->store);
	tool_say(tool,
		 "others may write to %s, and so delete or exchange what is put into it; 'chmod go-w' keeps them out",
		 shown);
}

int tool_store_open(const struct tool *tool, bool create, struct bt_store **ret_store)
{
	int r = store_open(tool, (struct bt_store_options){.create = create}, ret_store);

	if (r == TOOL_OK && create)
		say_others(tool);
	return r;
}

void tool_say_waiting(const struct tool *tool, const char *holder)
{
	tool_auto char *shown = tool_escape(holder);

	tool_feed_waiting(tool, holder);
	if (!tool->quiet)
		tool_say(tool, "waiting for %s…", shown);
}

static void waiting(void *arg, const char *holder)
{
	tool_say_waiting(arg, holder);
}

int tool_store_stay(const struct tool *tool, struct bt_store *store)
{
	const struct bt_observer observer = {
		.arg = (void *)(uintptr_t)tool, .waiting = waiting, .cancelled = tool_signals_cancel};
	struct bt_error error = {0};

	return bt_store_stay(store, &observer, &error) ? tool_fail(tool, &error) : TOOL_OK;
}

void tool_store_doubt(const struct tool *tool, const struct bt_store *store)
{
	char type[64];

	if (!bt_store_locks_reach(store, type))
		tool_doubt(tool,
			   "the locks of this file system (%s) do not reach other hosts: a snapshot that another host "
			   "takes meanwhile may lose what it relies on",
			   type);
}

int tool_store_confirm(const struct tool *tool, const struct bt_store *store)
{
	tool_store_doubt(tool, store);
	return tool_confirm(tool);
}

static bool is_path(const char *text)
{
	struct stat status;

	return strchr(text, '/') || (stat(text, &status) == 0 && S_ISREG(status.st_mode));
}

static bool store_has(struct bt_store *store, const char *name)
{
	for (size_t i = 0; i < bt_store_snapshot_count(store); i++)
		if (strcmp(bt_store_snapshot_name(store, i), name) == 0)
			return true;
	return false;
}

/* Whether programs have written here; else a file just lies here, and no derived data is put beside it. */
static bool is_store(const char *path)
{
	tool_auto char *lock = tool_format("%s/lock", path);
	bool found = access(lock, F_OK) == 0;

	return found;
}

/* The path of a snapshot's file, however it lies; NULL: there is none, and errno says why. */
static char *file_of(const char *text)
{
	char *path = realpath(text, NULL);
	int failed = errno;

	if (path)
		return path;
	tool_auto char *at_rest = tool_format("%s%s", text, AT_REST);
	path = realpath(at_rest, NULL);
	errno = failed;
	return path;
}

/* The snapshot's name, which is without the suffix of files that lie compressed. */
static void cut_at_rest(char *name)
{
	size_t length = strlen(name), end = strlen(AT_REST);

	if (length > end && strcmp(name + length - end, AT_REST) == 0)
		name[length - end] = '\0';
}

/* Opens the store around a file and finds the file's name in it. The name is allocated. */
static int store_of_path(const struct tool *tool, const char *text, bool salvage, struct bt_store **ret_store,
			 char **ret_name)
{
	struct tool there = *tool;
	char *path = file_of(text), *slash;
	int r;
	bool loose;

	if (!path)
		return tool_not_a_snapshot(tool, text, errno);
	tool_foreign_warn(tool, text);
	cut_at_rest(path);
	slash = strrchr(path, '/');
	*slash = '\0';
	there.store = *path ? path : "/";
	loose = !is_store(there.store);
	r = store_open(&there, (struct bt_store_options){.create = loose, .read_only = loose, .salvage = salvage},
		       ret_store);
	if (r == TOOL_OK && store_has(*ret_store, slash + 1)) {
		*ret_name = tool_format("%s", slash + 1);
	} else if (r == TOOL_OK) {
		bt_store_close(*ret_store);
		r = tool_not_a_snapshot(tool, text, 0);
	}
	free(path);
	return r;
}

/* The path of a file names a snapshot that the command's options leave out. */
static int left_out(const struct tool *tool, struct bt_snapshot *snapshot)
{
	const struct bt_snapshot_info *info = bt_snapshot_info(snapshot);
	tool_auto char *given = tool_selection_text(tool);
	tool_auto char *host = tool_escape(info->host), *target = tool_escape(info->target);

	tool_complain(tool, "%s does not match %s: it is of %s%s%s", info->name, given, host, *host ? ":" : "", target);
	return TOOL_FATAL;
}

/* What is not in it was perhaps there all the same. */
static void see_partial(const struct tool *tool, const struct tool_wish *wish, const char *name)
{
	if (wish->deletes)
		tool_doubt(tool, "%s is partial, so this deletes what its run had not read yet", name);
	else
		tool_say_partial(tool, name);
}

int tool_pick_open(const struct tool *tool, const struct tool_wish *wish, struct tool_pick *ret_pick)
{
	struct tool_pick pick = {0};
	struct bt_error error = {0};
	const char *name = NULL;
	char *found = NULL;
	int r = is_path(wish->text)
			? store_of_path(tool, wish->text, wish->salvage, &pick.store, &found)
			: store_open(tool, (struct bt_store_options){.salvage = wish->salvage}, &pick.store);

	if (r != TOOL_OK)
		return r;
	name = found;
	if (!wish->changes)
		r = tool_store_stay(tool, pick.store);
	if (r == TOOL_OK && !name)
		r = tool_choose(tool, pick.store, wish, &name);
	if (r == TOOL_OK && bt_snapshot_open(pick.store, name, &pick.snapshot, &error) < 0)
		r = tool_fail(tool, &error);
	if (r == TOOL_OK && !bt_filter_selects(tool->filter, bt_snapshot_info(pick.snapshot)))
		r = left_out(tool, pick.snapshot);
	if (r == TOOL_OK && !wish->changes && bt_snapshot_info(pick.snapshot)->partial)
		see_partial(tool, wish, bt_snapshot_info(pick.snapshot)->name);
	if (r == TOOL_OK)
		*ret_pick = pick;
	else
		tool_pick_close(&pick);
	free(found);
	return r;
}

void tool_pick_close(struct tool_pick *pick)
{
	bt_snapshot_close(pick->snapshot);
	bt_store_close(pick->store);
	*pick = (struct tool_pick){0};
}

int tool_names_resolve(const struct tool *tool, struct bt_store *store, const struct tool_texts *texts, bool deletes,
		       const char **names, size_t *ret_count)
{
	size_t known = 0;

	for (size_t i = 0; i < texts->count; i++) {
		const struct tool_wish wish = {.text = texts->items[i], .deletes = deletes};
		size_t seen = 0;
		const char *name;
		int r = tool_choose(tool, store, &wish, &name);

		if (r != TOOL_OK)
			return r;
		while (seen < known && strcmp(names[seen], name) != 0)
			seen++;
		if (seen == known)
			names[known++] = name;
	}
	*ret_count = known;
	return TOOL_OK;
}
