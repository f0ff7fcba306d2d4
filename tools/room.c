/* SPDX-License-Identifier: MIT */
/* --keep-free and --max-store: what goes after the rules, until there is as much room as is wanted. */
#include "output.h"
#include "retention.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool read_percent(const char *text, unsigned *ret_percent)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	*ret_percent = (unsigned)value;
	return *text >= '1' && *text <= '9' && value <= 99 && strcmp(end, "%") == 0;
}

const char *tool_set_free(void *field, const char *text)
{
	struct tool_room *room = field;
	uint64_t bytes = 0;
	unsigned percent = 0;

	if (!read_percent(text, &percent) && (tool_set_bytes(&bytes, text) || !bytes))
		return "a size such as 20G, or from 1% to 99%";
	room->keep_free = bytes;
	room->keep_free_percent = bytes ? 0 : percent;
	return NULL;
}

const char *tool_set_max_store(void *field, const char *text)
{
	struct tool_room *room = field;
	uint64_t bytes;

	if (tool_set_bytes(&bytes, text) || !bytes)
		return "a size such as 500M or 20G";
	room->max_store = bytes;
	return NULL;
}

bool tool_room_given(const struct tool_room *room)
{
	return room->keep_free || room->keep_free_percent || room->max_store;
}

static void note_gone(struct tool_verdicts *verdicts, const char *name)
{
	for (size_t i = 0; i < verdicts->count; i++) {
		struct tool_verdict *verdict = &verdicts->items[i];

		if (!verdict->reasons || strcmp(verdict->info->name, name) != 0)
			continue;
		verdict->reasons = 0;
		verdict->words[0] = "room";
		verdict->word_count = 1;
		verdicts->removed++;
	}
}

/* Those that the rules remove come first. Gives how many they are. */
static size_t list_names(const struct tool_verdicts *verdicts, const char **names, size_t *ret_count)
{
	size_t given = 0, count;

	for (size_t i = 0; i < verdicts->count; i++)
		if (!verdicts->items[i].reasons)
			names[given++] = verdicts->items[i].info->name;
	count = given;
	for (size_t i = 0; i < verdicts->count; i++)
		if (verdicts->items[i].reasons && verdicts->items[i].spare)
			names[count++] = verdicts->items[i].info->name;
	*ret_count = count;
	return given;
}

int tool_room_apply(struct tool_verdicts *verdicts, struct bt_store *store, const struct bt_prune_options *options,
		    const struct bt_observer *observer, struct bt_prune_result *ret_result, struct bt_error *error)
{
	tool_auto const char **names = tool_alloc((verdicts->count + 1) * sizeof(*names));
	struct bt_room_wish *wish = &verdicts->wish;
	int code;

	wish->names = names;
	wish->given = list_names(verdicts, names, &wish->name_count);
	verdicts->room = (struct bt_room_result){.size = sizeof(verdicts->room)};
	code = bt_prune_for_room(store, wish, options, observer, &verdicts->room, ret_result, error);
	for (size_t i = wish->given; i < verdicts->room.gone; i++)
		note_gone(verdicts, names[i]);
	return code;
}

/* "the store has 2.0 GiB, more than 1.0 GiB; 1.0 GiB are free, less than 2.0 GiB" */
static char *lacking(const struct tool_verdicts *verdicts)
{
	const struct bt_room_result *room = &verdicts->room;
	tool_auto char *free = tool_bytes(room->free), *wanted = tool_bytes(room->wanted_free);
	tool_auto char *store = tool_bytes(room->store), *most = tool_bytes(verdicts->wish.max_store);
	bool too_large = verdicts->wish.max_store && room->store > verdicts->wish.max_store;
	char *text = NULL;

	if (too_large)
		tool_append(&text, "the store has %s, more than %s", store, most);
	if (room->free < room->wanted_free)
		tool_append(&text, "%s%s are free, less than %s", text ? "; " : "", free, wanted);
	return text ? text : tool_format("there is too little room");
}

char *tool_room_problem(const struct tool_verdicts *verdicts)
{
	tool_auto char *what = verdicts->wish.size && verdicts->room.size ? lacking(verdicts) : NULL;

	if (!what || verdicts->room.end == BT_ROOM_REACHED)
		return NULL;
	if (verdicts->room.end == BT_ROOM_TAKEN)
		return tool_format(
			"%s, though as much was removed as was missing at first: something else fills the "
			"file system, or holds what was deleted (a mount of the store, a snapshot of the file "
			"system)",
			what);
	return tool_format(
		"%s, and no snapshot is left that may go: the others are the newest of their directories, or "
		"kept by --keep-last, a tag or a pin; remove other files, or ask for less",
		what);
}
