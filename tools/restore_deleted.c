/* SPDX-License-Identifier: MIT */
#include "restore_deleted.h"
#include "choice.h"
#include "matching.h"
#include "output.h"
#include "place.h"
#include "progress.h"
#include "selection.h"
#include "shell_word.h"
#include <backuptool/search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MOST 100 /* that are listed */

struct gone {
	char *snapshot, *path, *text; /* text: what it was */
};

struct finding {
	const struct tool *tool;
	struct bt_store *store;
	char *absolute; /* the only path that is meant; NULL: all that match */
	char *pattern;
	char host[BT_HOST_SIZE];
	char *opened; /* the snapshot whose directory that is */
	char *target; /* if that is here; NULL: it is another host's, or not there */
	char *called; /* what the directory was called */
	struct gone *items;
	size_t count;
	bool more;
};

static bool is_directory(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Matches of one snapshot mostly follow each other. */
static void open_snapshot(struct finding *finding, const char *name)
{
	struct bt_snapshot *snapshot;
	struct bt_error unused = {0};

	if (finding->opened && strcmp(finding->opened, name) == 0)
		return;
	free(finding->opened);
	free(finding->target);
	free(finding->called);
	finding->opened = tool_format("%s", name);
	finding->target = finding->called = NULL;
	if (bt_snapshot_open(finding->store, name, &snapshot, &unused))
		return;
	const struct bt_snapshot_info *info = bt_snapshot_info(snapshot);
	finding->called = tool_format("%s", info->target);
	if (strcmp(info->host, finding->host) == 0 && *info->target == '/' && is_directory(info->target))
		finding->target = tool_format("%s", info->target);
	bt_snapshot_close(snapshot);
}

static char *join(const char *directory, const char *path)
{
	return tool_format("%s/%s", strcmp(directory, "/") == 0 ? "" : directory, path);
}

static bool is_here(const struct finding *finding, const char *path)
{
	tool_auto char *whole = join(finding->target, path);
	struct stat status;

	return lstat(whole, &status) == 0;
}

static bool is_meant(const struct finding *finding, const char *path)
{
	if (!finding->absolute)
		return true;
	if (!finding->called)
		return false;
	tool_auto char *whole = join(finding->called, path);
	return strcmp(whole, finding->absolute) == 0;
}

/* Whether a directory around it is listed, from the same snapshot. */
static bool is_covered(const struct finding *finding, const struct bt_match *match)
{
	for (size_t i = 0; i < finding->count; i++) {
		const struct gone *above = &finding->items[i];
		size_t length = strlen(above->path);

		if (strcmp(above->snapshot, match->snapshot) == 0 && strncmp(above->path, match->path, length) == 0 &&
		    (match->path[length] == '/' || !match->path[length]))
			return true;
	}
	return false;
}

static int found(void *arg, const struct bt_match *match)
{
	struct finding *finding = arg;

	open_snapshot(finding, match->snapshot);
	if (!*match->path || !is_meant(finding, match->path) || (finding->target && is_here(finding, match->path)) ||
	    is_covered(finding, match))
		return 0;
	finding->more = finding->count == MOST;
	if (finding->more)
		return BT_E_CANCELLED;
	tool_auto char *size = tool_bytes(match->entry->size), *time = tool_short_time(match->entry->mtime);
	finding->items = tool_realloc(finding->items, (finding->count + 1) * sizeof(*finding->items));
	finding->items[finding->count++] =
		(struct gone){tool_format("%s", match->snapshot), tool_format("%s", match->path),
			      match->entry->type == BT_DIR ? tool_format("directory, modified %s", time)
							   : tool_format("%s, modified %s", size, time)};
	return 0;
}

static int search(struct finding *finding, const char *const *names, size_t count, bool deleted)
{
	const struct bt_search wanted = {.size = sizeof(wanted),
					 .pattern = finding->pattern,
					 .names = names,
					 .name_count = count,
					 .deleted = deleted};
	struct bt_error error = {0};
	struct tool_talk talk;

	if (!count)
		return TOOL_OK;
	tool_talk_begin(&talk, finding->tool);
	int code = bt_search_run(finding->store, &wanted, found, finding, &talk.observer, &error);
	tool_talk_end(&talk);
	if (code && code != BT_E_INCOMPLETE && !(code == BT_E_CANCELLED && finding->more))
		return tool_fail(finding->tool, &error);
	return TOOL_OK;
}

/* Of the names, newest first, the newest of each directory that is here: puts them first, and gives their number. */
static size_t newest_here(struct finding *finding, const char **names, size_t count)
{
	struct tool_texts seen = {0};
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		bool known = false;

		open_snapshot(finding, names[i]);
		for (size_t j = 0; finding->target && j < seen.count; j++)
			known |= strcmp(seen.items[j], finding->target) == 0;
		if (!finding->target || known)
			continue;
		tool_texts_add(&seen, tool_format("%s", finding->target));
		names[kept++] = names[i];
	}
	tool_texts_free(&seen);
	return kept;
}

static int search_all(struct finding *finding)
{
	const struct tool *tool = finding->tool;
	size_t count = bt_store_snapshot_count(finding->store);
	tool_auto const char **names = tool_alloc((count + 1) * sizeof(*names));
	tool_auto const char **newest = tool_alloc((count + 1) * sizeof(*newest));

	count = tool_selected(tool, finding->store, names);
	for (size_t i = 0; i < count; i++)
		newest[i] = names[count - 1 - i];
	memcpy(names, newest, count * sizeof(*names));
	int r = search(finding, newest, newest_here(finding, newest, count), false);
	return r == TOOL_OK && !finding->more ? search(finding, names, count, true) : r;
}

/* What the user wrote, as a pattern of .gitignore. */
static void read_name(struct finding *finding, const char *name)
{
	tool_auto char *tidied = tool_place_tidy(name);
	bool path = *name == '/' || strncmp(name, "./", 2) == 0 || strncmp(name, "../", 3) == 0;

	if (path) {
		finding->absolute = tool_path_here(name);
		finding->pattern = tool_pattern_of_name(strrchr(finding->absolute, '/') + 1);
	} else if (tool_has_wildcards(name)) {
		finding->pattern = tool_format("%s", name);
	} else {
		tool_auto char *literal = tool_pattern_of_name(tidied);

		finding->pattern = tool_format("%s%s", strchr(tidied, '/') ? "/" : "", literal);
	}
}

static int say_none(const struct finding *finding, const char *name)
{
	tool_auto char *shown = tool_escape(name);

	if (!tool_selects_nothing(finding->tool, finding->store))
		tool_say(finding->tool,
			 "nothing like %s is gone and in a snapshot; 'backuptool find' shows what there is", shown);
	return TOOL_FATAL;
}

/* The line to be typed stands alone, so that it can be copied. */
static int list(const struct finding *finding, const struct tool_deleted *deleted)
{
	const struct tool *tool = finding->tool;

	if (finding->count > 1)
		tool_say(tool, "%s%zu entries are gone and in a snapshot; nothing was restored: choose one",
			 finding->more ? "more than " : "", finding->count);
	else
		tool_say(tool, "nothing was restored: say where to, or --in-place");
	for (size_t i = 0; i < finding->count; i++) {
		const struct gone *gone = &finding->items[i];
		tool_auto char *path = tool_escape(gone->path);
		tool_auto char *line = tool_restore_line(tool, gone->snapshot, gone->path, deleted->output);

		fprintf(stderr, "%s  (%s)\n    %s\n", path, gone->text, line);
	}
	return TOOL_FATAL;
}

static int take_only(const struct finding *finding, char **ret_place)
{
	const struct gone *gone = finding->items;
	tool_auto char *path = tool_escape(gone->path);

	if (!finding->tool->quiet)
		tool_say(finding->tool, "%s (%s) was last in %s", path, gone->text, gone->snapshot);
	*ret_place = tool_format("%s:%s", gone->snapshot, gone->path);
	return TOOL_OK;
}

static void end(struct finding *finding)
{
	for (size_t i = 0; i < finding->count; i++) {
		free(finding->items[i].snapshot);
		free(finding->items[i].path);
		free(finding->items[i].text);
	}
	free(finding->items);
	free(finding->absolute);
	free(finding->pattern);
	free(finding->opened);
	free(finding->target);
	free(finding->called);
	bt_store_close(finding->store);
}

int tool_deleted_find(const struct tool *tool, const struct tool_deleted *deleted, char **ret_place)
{
	struct finding finding = {.tool = tool};
	int r = tool_store_open(tool, false, &finding.store);

	if (r != TOOL_OK)
		return r;
	bt_host(finding.host);
	read_name(&finding, deleted->name);
	r = tool_store_stay(tool, finding.store);
	if (r == TOOL_OK)
		r = search_all(&finding);
	if (r == TOOL_OK && !finding.count)
		r = say_none(&finding, deleted->name);
	else if (r == TOOL_OK && (finding.count > 1 || deleted->only_list))
		r = list(&finding, deleted);
	else if (r == TOOL_OK)
		r = take_only(&finding, ret_place);
	end(&finding);
	return r;
}
