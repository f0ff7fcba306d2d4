/* SPDX-License-Identifier: MIT */
#include "restore_owners.h"
#include "output.h"
#include <stdlib.h>
#include <string.h>

enum { TOLD_MOST = 5 };

static const char *set_owners(void *field, const char *text)
{
	static const char *const modes[] = {
		[BT_OWNERS_NUMBER] = "number", [BT_OWNERS_NAME] = "name", [BT_OWNERS_NONE] = "none"};

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (strcmp(text, modes[i]) == 0) {
			*(enum bt_restored_owners *)field = (enum bt_restored_owners)i;
			return NULL;
		}
	return "number, name or none";
}

/* Names of users and groups have no colons. */
static const char *add_change(void *field, const char *text)
{
	const char *colon = strchr(text, ':');

	if (!colon || colon == text || !colon[1] || strchr(colon + 1, ':'))
		return "FROM:TO, such as www-data:nginx or 33:48";
	return tool_add_text(field, text);
}

#define FIELD(name) offsetof(struct tool_owner_options, name)
const struct tool_option tool_owner_table[] = {
	{"owners", 0, "number|name|none", false, "whose the entries become: by number, by name, or just yours (number)",
	 set_owners, FIELD(owners)},
	{"map-user", 0, "FROM:TO", false, "give what was FROM's in the snapshot to TO; names or numbers; repeatable",
	 add_change, FIELD(users)},
	{"map-group", 0, "FROM:TO", false, "the same for groups", add_change, FIELD(groups)},
	{0},
};

static void add_changes(struct tool_owners *owners, enum bt_owner_kind kind, const struct tool_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++) {
		const char *text = texts->items[i], *colon = strchr(text, ':');

		owners->changes[owners->change_count++] =
			(struct bt_owner_change){kind, tool_format("%.*s", (int)(colon - text), text), colon + 1};
	}
}

static const char *number_words(const struct bt_owner_note *note)
{
	return note->kind == BT_OWNER_USER ? "user" : "group";
}

/* "user 33 is www-data in the snapshot and backup here (412 entries); --owners name restores by name" */
static void say_clash(const struct tool *tool, const struct bt_owner_note *note, const char *name, const char *here,
		      const char *entries)
{
	const char *word = number_words(note);

	if (here && note->has_id)
		tool_say(tool, "%s %u is %s in the snapshot and %s here (%s); --owners name restores by name", word,
			 note->id, name, here, entries);
	else if (here)
		tool_say(tool,
			 "%s %u is %s in the snapshot and %s here (%s); --map-%s %s:NAME gives them to another one",
			 word, note->id, name, here, entries, word, name);
	else
		tool_say(tool, "%s %u is %s in the snapshot, which is %u here (%s); --owners name restores by name",
			 word, note->id, name, note->here_id, entries);
}

static void say_note(void *arg, const struct bt_owner_note *note)
{
	struct tool_owners *owners = arg;
	const struct tool *tool = owners->talk->tool;

	if (owners->told++ >= TOLD_MOST)
		return;
	tool_auto char *name = tool_escape(note->name), *here = note->here ? tool_escape(note->here) : NULL;
	tool_auto char *entries = tool_count(note->entries, "entry", "entries");
	tool_talk_pause(owners->talk);
	if (note->doubt == BT_OWNER_CLASH)
		say_clash(tool, note, name, here, entries);
	else if (here)
		tool_say(tool, "there is no %s %s here: %s got the number %u, which is %s's", number_words(note), name,
			 entries, note->id, here);
	else
		tool_say(tool, "there is no %s %s here: %s got the number %u", number_words(note), name, entries,
			 note->id);
}

int tool_owners_begin(const struct tool *tool, const struct tool_owner_options *options, struct tool_owners *owners,
		      struct bt_restore_options *wanted)
{
	size_t count = options->users.count + options->groups.count;

	*owners = (struct tool_owners){0};
	if (count && options->owners == BT_OWNERS_NONE)
		return tool_usage_error(tool, "'--owners none' sets no owners: leave out --map-%s",
					options->users.count ? "user" : "group");
	owners->changes = tool_alloc((count + 1) * sizeof(*owners->changes));
	add_changes(owners, BT_OWNER_USER, &options->users);
	add_changes(owners, BT_OWNER_GROUP, &options->groups);
	wanted->owners = options->owners;
	wanted->changes = owners->changes;
	wanted->change_count = count;
	wanted->owner = say_note;
	wanted->arg = owners;
	return TOOL_OK;
}

void tool_owners_end(const struct tool *tool, struct tool_owners *owners)
{
	if (owners->told > TOLD_MOST)
		tool_say(tool, "and %zu more users and groups who are others here", owners->told - TOLD_MOST);
	for (size_t i = 0; i < owners->change_count; i++)
		free((char *)owners->changes[i].from);
	free(owners->changes);
}
