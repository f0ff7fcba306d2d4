/* SPDX-License-Identifier: MIT */
#include "place.h"
#include "output.h"
#include <backuptool/select.h>
#include <internal/clock.h>
#include <internal/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PREFIX	  "snapshot_"
#define SUFFIX	  ".json"
#define LOOKED_AT 100000 /* names in which the nearest is looked for */

char *tool_place_name(const char *snapshot)
{
	size_t length = strlen(snapshot), end = strlen(SUFFIX);

	if (strncmp(snapshot, PREFIX, strlen(PREFIX)) == 0) {
		snapshot += strlen(PREFIX);
		length -= strlen(PREFIX);
	}
	if (length > end && strcmp(snapshot + length - end, SUFFIX) == 0)
		length -= end;
	return tool_format("%.*s", (int)length, snapshot);
}

char *tool_place_tidy(const char *path)
{
	char *text = tool_alloc(strlen(path) + 1), *end = text;

	while (*path) {
		size_t length = strcspn(path, "/");

		if (length && !(length == 1 && *path == '.')) {
			if (end > text)
				*end++ = '/';
			memcpy(end, path, length);
			end += length;
		}
		path += length + (path[length] == '/');
	}
	*end = '\0';
	return text;
}

static bool is_below(const char *path, const char *target)
{
	size_t length = strlen(target);

	return strncmp(path, target, length) == 0 && (!path[length] || path[length] == '/' || !length);
}

char *tool_place_path(const struct bt_snapshot_info *info, const char *path)
{
	tool_auto char *tidied = tool_place_tidy(path), *target = tool_place_tidy(info->target);
	char *inside = NULL;

	if (*path != '/')
		inside = tool_format("%s", tidied);
	else if (is_below(tidied, target))
		inside = tool_place_tidy(tidied + strlen(target));
	return inside;
}

/* Names of a directory for tool_nearest. */
struct names {
	char **items;
	size_t count;
};

static const char *name_at(const void *arg, size_t index)
{
	const struct names *names = arg;

	return index < names->count ? names->items[index] : NULL;
}

static struct names names_in(struct bt_store *store, const struct bt_entry *directory)
{
	struct names names = {0};
	const struct bt_entry *entry;
	struct bt_error error = {0};
	struct bt_dir *dir;

	if (directory->type != BT_DIR || !directory->has_digest || bt_dir_new(store, &directory->digest, &dir, &error))
		return names;
	while (names.count < LOOKED_AT && bt_dir_next(dir, &entry, &error) == 0 && entry) {
		names.items = tool_realloc(names.items, (names.count + 1) * sizeof(*names.items));
		names.items[names.count++] = tool_format("%s", entry->name);
	}
	bt_dir_free(dir);
	return names;
}

/* The longest beginning of the path that is there, allocated, and its entry. */
static char *find_there(const struct tool_place *place, const char *path, const struct bt_page **ret_page,
			const struct bt_entry **ret_entry)
{
	char *there = tool_format("%s", path), *slash;
	struct bt_error error = {0};

	*ret_entry = NULL;
	do {
		slash = strrchr(there, '/');
		*(slash ? slash : there) = '\0';
	} while (bt_path_lookup(place->pick.store, &place->info->root, there, ret_page, ret_entry, &error) && *there);
	return there;
}

char *tool_place_nearest(const struct tool_place *place, const char *path)
{
	const struct bt_page *page = NULL;
	const struct bt_entry *entry;
	tool_auto char *there = find_there(place, path, &page, &entry);
	char *nearest = NULL;
	const char *name, *rest = path + strlen(there) + (*there != '\0');
	struct names names;

	if (entry) {
		tool_auto char *wrong = tool_format("%.*s", (int)strcspn(rest, "/"), rest);

		names = names_in(place->pick.store, entry);
		name = tool_nearest(wrong, name_at, &names);
		if (name)
			nearest = tool_format("%s%s%s", there, *there ? "/" : "", name);
		for (size_t i = 0; i < names.count; i++)
			free(names.items[i]);
		free(names.items);
	}
	bt_page_put(place->pick.store, page);
	return nearest;
}

/* Nothing is known of what lay below a directory that the snapshot could not read or did not enter. */
static bool was_not_seen(const struct tool *tool, const struct tool_place *place)
{
	const struct bt_page *page = NULL;
	const struct bt_entry *entry;
	char *there = find_there(place, place->path, &page, &entry);
	tool_auto char *shown = tool_escape(*there ? there : ".");
	const struct bt_extra *extra = entry ? entry->extra : NULL;
	bool unread = extra && extra->error, apart = extra && extra->boundary;
	char words[BT_ERRNO_WORDS_SIZE] = "";

	if (unread)
		bt_errno_words(extra->error, words);
	if (unread)
		tool_say(tool,
			 "%s could not be read when %s was taken (%s); another snapshot may have what is below it",
			 shown, place->info->name, words);
	else if (apart)
		tool_say(tool, "%s was another file system (%s), which %s did not enter", shown, extra->boundary,
			 place->info->name);
	bt_page_put(place->pick.store, page);
	free(there);
	return unread || apart;
}

static int not_there(const struct tool *tool, const struct tool_place *place, const char *path)
{
	char *nearest = place->path ? tool_place_nearest(place, place->path) : NULL;
	tool_auto char *shown = tool_escape(path);
	tool_auto char *target = tool_escape(place->info->target), *near = tool_escape(nearest ? nearest : "");

	if (!place->path)
		tool_say(tool, "%s is not in %s, which is of %s", shown, place->info->name, target);
	else if (nearest)
		tool_say(tool, "there is no %s in %s; the nearest is %s", shown, place->info->name, near);
	else if (!was_not_seen(tool, place))
		tool_say(tool, "there is no %s in %s, which is of %s; see 'backuptool ls'", shown, place->info->name,
			 target);
	free(nearest);
	return TOOL_FATAL;
}

static int find_entry(const struct tool *tool, const char *path, struct tool_place *place)
{
	struct bt_error error = {0};
	int code;

	place->info = bt_snapshot_info(place->pick.snapshot);
	place->path = tool_place_path(place->info, path);
	if (!place->path)
		return not_there(tool, place, path);
	code = bt_path_lookup(place->pick.store, &place->info->root, place->path, &place->page, &place->entry, &error);
	if (code == BT_E_NOT_FOUND)
		return not_there(tool, place, path);
	return code ? tool_fail(tool, &error) : TOOL_OK;
}

static bool is_file(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

bool tool_place_names(struct bt_store *store, const char *name)
{
	const struct bt_scope scope = {.size = sizeof(scope), .now = bt_now()};
	struct bt_error unused = {0};
	struct bt_choice choice = {.size = sizeof(choice)};

	if (strchr(name, '/'))
		return false;
	return bt_select_is_relative(name, scope.now) || bt_select(store, name, &scope, &choice, &unused) == 0;
}

/* How much of the text names a snapshot: up to a colon or all of it; without any sense, up to the first colon. */
static size_t snapshot_length(const struct tool *tool, const char *text)
{
	size_t whole = strlen(text), length;
	const struct bt_store_options read_only = {.size = sizeof(read_only), .read_only = true};
	struct bt_store *store = NULL;
	struct bt_error error = {0};
	bool found = false;

	if (!strchr(text, ':'))
		return whole;
	if (bt_store_open(tool->store, &read_only, &store, &error))
		store = NULL;
	for (length = whole; !found && length > 0; length--) {
		char *name;

		if (text[length] && text[length] != ':')
			continue;
		name = tool_format("%.*s", (int)length, text);
		found = is_file(name) || (store && tool_place_names(store, name));
		free(name);
	}
	bt_store_close(store);
	return found ? length + 1 : strcspn(text, ":");
}

static int names_none(const struct tool *tool, const char *text)
{
	tool_auto char *shown = tool_escape(text);

	tool_say(tool, "'%s' names no snapshot; did you mean latest%s?", shown, shown);
	return TOOL_FATAL;
}

int tool_place_divide(const struct tool *tool, const char *text, char **ret_snapshot, const char **ret_path)
{
	size_t length = snapshot_length(tool, text);

	if (!length)
		return names_none(tool, text);
	*ret_snapshot = tool_format("%.*s", (int)length, text);
	*ret_path = text + length + (text[length] == ':');
	return TOOL_OK;
}

int tool_place_find(const struct tool *tool, const struct tool_pick *pick, const char *path, char **ret_path)
{
	struct tool_place place = {.pick = *pick};
	int r = find_entry(tool, path, &place);

	bt_page_put(pick->store, place.page);
	if (r == TOOL_OK)
		*ret_path = place.path;
	else
		free(place.path);
	return r;
}

int tool_place_open_beside(const struct tool *tool, const char *text, const char *directory,
			   struct tool_place *ret_place)
{
	struct tool_place place = {0};
	char *name = NULL;
	const char *path;
	int r = tool_place_divide(tool, text, &name, &path);

	if (r == TOOL_OK)
		r = tool_pick_open(
			tool, &(struct tool_wish){.text = name, .paths = &path, .path_count = 1, .output = directory},
			&place.pick);
	if (r == TOOL_OK)
		r = find_entry(tool, path, &place);
	if (r == TOOL_OK)
		*ret_place = place;
	else
		tool_place_close(&place);
	free(name);
	return r;
}

int tool_place_open(const struct tool *tool, const char *text, struct tool_place *ret_place)
{
	return tool_place_open_beside(tool, text, NULL, ret_place);
}

void tool_place_close(struct tool_place *place)
{
	if (place->pick.store)
		bt_page_put(place->pick.store, place->page);
	tool_pick_close(&place->pick);
	free(place->path);
	*place = (struct tool_place){0};
}
