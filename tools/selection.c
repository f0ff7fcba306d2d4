/* SPDX-License-Identifier: MIT */
#include "selection.h"
#include "choice.h"
#include "output.h"
#include "place.h"
#include <stdlib.h>
#include <string.h>

#define ALL   "all"
#define SHOWN 5 /* hosts, directories or tags in a message */

static bool is_any_host(const struct tool_texts *hosts)
{
	bool any = !hosts->count;

	for (size_t i = 0; i < hosts->count; i++)
		any |= strcmp(hosts->items[i], ALL) == 0;
	return any;
}

/* As it is written, and as it is called here: a link of another host leads elsewhere here, or nowhere. */
static void add_target(struct tool_texts *targets, const char *text)
{
	tool_auto char *tidied = tool_place_tidy(text);

	if (*text == '/')
		tool_texts_add(targets, tool_format("/%s", tidied));
	tool_texts_add(targets, tool_path_here(text));
}

void tool_selection_begin(struct tool *tool)
{
	const struct tool_selection *given = &tool->selection;
	struct bt_filter *filter;
	struct tool_texts targets = {0};

	if (!given->hosts.count && !given->targets.count && !given->tags.count)
		return;
	for (size_t i = 0; i < given->targets.count; i++)
		add_target(&targets, given->targets.items[i]);
	filter = tool_alloc(sizeof(*filter));
	*filter = (struct bt_filter){.size = sizeof(*filter),
				     .hosts = given->hosts.items,
				     .host_count = is_any_host(&given->hosts) ? 0 : given->hosts.count,
				     .targets = targets.items,
				     .target_count = targets.count,
				     .tags = given->tags.items,
				     .tag_count = given->tags.count};
	tool->filter = filter;
}

void tool_selection_end(struct tool *tool)
{
	for (size_t i = 0; tool->filter && i < tool->filter->target_count; i++)
		free((char *)tool->filter->targets[i]);
	if (tool->filter)
		free((void *)tool->filter->targets);
	free((void *)tool->filter);
	free(tool->selection.hosts.items);
	free(tool->selection.targets.items);
	free(tool->selection.tags.items);
	tool->selection = (struct tool_selection){0};
	tool->filter = NULL;
}

const char *tool_selection_host(const struct tool *tool, const char *own)
{
	const struct tool_texts *hosts = &tool->selection.hosts;

	if (!hosts->count)
		return own;
	return hosts->count == 1 && !is_any_host(hosts) ? hosts->items[0] : NULL;
}

static void add_words(char **text, const char *option, const struct tool_texts *given)
{
	for (size_t i = 0; i < given->count; i++) {
		tool_auto char *shown = tool_escape(given->items[i]);

		tool_append(text, "%s--%s %s", *text ? " " : "", option, shown);
	}
}

char *tool_selection_text(const struct tool *tool)
{
	char *text = NULL;

	add_words(&text, "host", &tool->selection.hosts);
	add_words(&text, "target", &tool->selection.targets);
	add_words(&text, "tag", &tool->selection.tags);
	return text ? text : tool_format("%s", "");
}

static bool is_selected(struct bt_store *store, const char *name, const struct bt_filter *filter)
{
	struct bt_snapshot *snapshot = NULL;
	struct bt_error error = {0};
	int code = filter ? bt_snapshot_open(store, name, &snapshot, &error) : 0;
	bool selected =
		code ? code != BT_E_NOT_FOUND : !filter || bt_filter_selects(filter, bt_snapshot_info(snapshot));

	bt_snapshot_close(snapshot);
	return selected;
}

size_t tool_selected(const struct tool *tool, struct bt_store *store, const char **names)
{
	size_t count = 0;

	for (size_t i = 0; i < bt_store_snapshot_count(store); i++) {
		const char *name = bt_store_snapshot_name(store, i);

		if (is_selected(store, name, tool->filter))
			names[count++] = name;
	}
	return count;
}

/* Some of what the store has of one kind, each once, in the order of the snapshots. */
static void note(struct tool_texts *known, const char *text)
{
	size_t at = 0;

	while (at < known->count && strcmp(known->items[at], text) != 0)
		at++;
	if (at == known->count && at <= SHOWN && *text)
		tool_texts_add(known, tool_format("%s", text));
}

/* "laptop, server", allocated; frees the list. */
static char *list_text(struct tool_texts *known)
{
	char *text = NULL;

	for (size_t i = 0; i < known->count; i++) {
		tool_auto char *shown = tool_escape(known->items[i]);

		tool_append(&text, "%s%s", i ? ", " : "", i == SHOWN ? "…" : shown);
		free((char *)known->items[i]);
	}
	free(known->items);
	return text ? text : tool_format("none");
}

/* What there is, and whether any snapshot is of one of the hosts, of one of the directories, has one of the tags. */
struct known {
	struct tool_texts hosts, targets, tags, groups;
	bool host, target, tag;
};

static void note_snapshot(struct known *known, const struct bt_filter *filter, const struct bt_snapshot_info *info)
{
	struct bt_filter host = *filter, target = *filter, tag = *filter;
	tool_auto char *group = tool_format("%s:%s", info->host, info->target);

	host.target_count = host.tag_count = target.host_count = target.tag_count = tag.host_count = tag.target_count =
		0;
	known->host |= bt_filter_selects(&host, info);
	known->target |= bt_filter_selects(&target, info);
	known->tag |= bt_filter_selects(&tag, info);
	note(&known->hosts, info->host);
	note(&known->targets, info->target);
	note(&known->groups, *info->host ? group : info->target);
	for (size_t i = 0; i < info->tag_count; i++)
		note(&known->tags, info->tags[i]);
}

static struct known look(struct bt_store *store, const struct bt_filter *filter)
{
	struct known known = {0};

	for (size_t i = 0; i < bt_store_snapshot_count(store); i++) {
		struct bt_snapshot *snapshot;
		struct bt_error unused = {0};

		if (bt_snapshot_open(store, bt_store_snapshot_name(store, i), &snapshot, &unused))
			continue;
		note_snapshot(&known, filter, bt_snapshot_info(snapshot));
		bt_snapshot_close(snapshot);
	}
	return known;
}

static void say_nothing(const struct tool *tool, struct known *known, bool any)
{
	tool_auto char *hosts = list_text(&known->hosts), *targets = list_text(&known->targets),
		       *tags = list_text(&known->tags), *groups = list_text(&known->groups);
	tool_auto char *given = tool_selection_text(tool);

	if (!any)
		tool_say(tool, "no snapshot matches %s: the store has none", given);
	else if (!known->host)
		tool_say(tool, "no snapshot matches %s: the hosts in the store are %s", given, hosts);
	else if (!known->target)
		tool_say(tool, "no snapshot matches %s: the directories in the store are %s", given, targets);
	else if (!known->tag)
		tool_say(tool, "no snapshot matches %s: the tags in the store are %s", given, tags);
	else
		tool_say(tool, "no snapshot matches %s together: the store has snapshots of %s", given, groups);
}

bool tool_selects_nothing(const struct tool *tool, struct bt_store *store)
{
	size_t count = bt_store_snapshot_count(store);
	tool_auto const char **names = tool_alloc((count + 1) * sizeof(*names));
	struct known known;

	if (!tool->filter || tool_selected(tool, store, names))
		return false;
	known = look(store, tool->filter);
	say_nothing(tool, &known, count > 0);
	return true;
}
