/* SPDX-License-Identifier: MIT */
#include "output.h"
#include "rows.h"
#include "schedule.h"
#include "systemctl.h"
#include "systemd_unit.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* All texts are allocated, or NULL: not known. */
struct scheduled {
	bool system, timer;
	char *name, *store, *target, *config, *when;
	char *active;	     /* of the unit that waits for the time, as systemd has it */
	char *result, *exit; /* of the service's last run */
};

struct scheduled_list {
	struct scheduled *items;
	size_t count;
};

#define ROW(name, wanted, member, value) TOOL_GETTER(struct scheduled, row_##name, wanted, member, value)
ROW(of, TOOL_TEXT, text, self->system ? "system" : "user")
ROW(kind, TOOL_TEXT, text, self->timer ? "timer" : "job")
ROW(what, TOOL_TEXT, text, self->target ? self->target : self->config)
ROW(exit, self->exit ? TOOL_COUNT : TOOL_NOTHING, number, strtoull(self->exit ? self->exit : "", NULL, 10))

/* The first one is of the table only. */
static const struct tool_column columns[] = {
	{"", "TARGET", TOOL_GET(get_row_what)},
	{"name", "NAME", TOOL_MEMBER(TOOL_TEXT, struct scheduled, name)},
	{"of", "OF", TOOL_GET(get_row_of)},
	{"kind", "KIND", TOOL_GET(get_row_kind)},
	{"target", NULL, TOOL_MEMBER(TOOL_TEXT, struct scheduled, target)},
	{"config", NULL, TOOL_MEMBER(TOOL_TEXT, struct scheduled, config)},
	{"store", "STORE", TOOL_MEMBER(TOOL_TEXT, struct scheduled, store)},
	{"when", "WHEN", TOOL_MEMBER(TOOL_TEXT, struct scheduled, when)},
	{"active", "ACTIVE", TOOL_MEMBER(TOOL_TEXT, struct scheduled, active)},
	{"result", "RESULT", TOOL_MEMBER(TOOL_TEXT, struct scheduled, result)},
	{"exit", "EXIT", TOOL_GET(get_row_exit)},
	{0},
};

static char *value_of(const struct tool_texts *words, const char *option)
{
	size_t length = strlen(option);

	for (size_t i = 0; i < words->count; i++)
		if (strncmp(words->items[i], option, length) == 0)
			return tool_format("%s", words->items[i] + length);
	return NULL;
}

static void read_command(const char *service, struct scheduled *row)
{
	static const char key[] = "\nExecStart=";
	const char *start = strstr(service, key);
	struct tool_texts words;

	if (!start)
		return;
	start += sizeof(key) - 1;
	tool_auto char *line = tool_format("%.*s", (int)strcspn(start, "\n"), start);
	unit_words(line, &words);
	row->store = value_of(&words, "--store=");
	row->target = value_of(&words, "--as=");
	if (!row->target)
		row->target = value_of(&words, "--target-directory=");
	tool_auto char *command = row->target ? NULL : value_of(&words, "--from-command=");
	if (command)
		row->target = tool_format("/command:%.*s", (int)strcspn(command, "="), command);
	row->config = value_of(&words, "--config=");
	for (size_t i = 0; i < words.count; i++)
		free((char *)(uintptr_t)words.items[i]);
	free(words.items);
}

static void ask(struct scheduled *row)
{
	tool_auto char *service = tool_format("%s.service", row->name);
	tool_auto char *waits = tool_format("%s.%s", row->name, row->timer ? "timer" : "service");

	if (!systemctl_runs(row->system))
		return;
	row->active = systemctl_property(row->system, waits, "ActiveState");
	row->result = systemctl_property(row->system, service, "Result");
	row->exit = systemctl_property(row->system, service, "ExecMainStatus");
}

static void add(struct scheduled_list *list, bool system, const char *directory, const char *name)
{
	tool_auto char *path = schedule_path(directory, name, "service"), *service = schedule_read(path);
	tool_auto char *timer_path = schedule_path(directory, name, "timer"), *timer = schedule_read(timer_path);
	struct scheduled *row;

	if (!service)
		return;
	list->items = tool_realloc(list->items, (list->count + 1) * sizeof(*list->items));
	row = &list->items[list->count++];
	*row = (struct scheduled){.system = system, .timer = timer, .name = tool_format("%s", name)};
	row->when = schedule_when(service);
	read_command(service, row);
	ask(row);
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), least = strlen(end);

	return length >= least && strcmp(text + length - least, end) == 0;
}

static void gather_from(struct scheduled_list *list, bool system)
{
	tool_auto char *directory = schedule_directory(system);
	DIR *units = directory ? opendir(directory) : NULL;

	for (struct dirent *entry = units ? readdir(units) : NULL; entry; entry = readdir(units)) {
		const char *end = strrchr(entry->d_name, '.');

		if (!end || strcmp(end, ".service") != 0)
			continue;
		tool_auto char *name = tool_format("%.*s", (int)(end - entry->d_name), entry->d_name);
		if (ends_with(entry->d_name, "." SCHEDULE_LOGIN))
			continue;
		add(list, system, directory, name);
	}
	if (units)
		closedir(units);
}

static int by_name(const void *a, const void *b)
{
	const struct scheduled *left = a, *right = b;
	int order = strcmp(left->name, right->name);

	return order ? order : left->system - right->system;
}

static void gather(struct scheduled_list *list)
{
	gather_from(list, false);
	gather_from(list, true);
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), by_name);
}

static void list_free(struct scheduled_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct scheduled *row = &list->items[i];

		free(row->name);
		free(row->store);
		free(row->target);
		free(row->config);
		free(row->when);
		free(row->active);
		free(row->result);
		free(row->exit);
	}
	free(list->items);
}

/* Only if there is something of which it is not known. */
static void say_no_systemd(const struct tool *tool, const struct scheduled_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (!systemctl_runs(list->items[i].system)) {
			tool_say(tool, "the systemd of %s does not run here, so it is not known what is active",
				 list->items[i].system ? "the machine" : "this user");
			return;
		}
}

int schedule_list(const struct tool *tool)
{
	struct scheduled_list list = {0};

	gather(&list);
	if (tool->json)
		tool_array_print(columns + 1, list.items, sizeof(*list.items), list.count);
	else if (list.count)
		tool_table_print(columns, list.items, sizeof(*list.items), list.count);
	else
		puts("nothing is scheduled");
	fflush(stdout);
	say_no_systemd(tool, &list);
	list_free(&list);
	return TOOL_OK;
}

/* A unit may be named with its kind. */
static const struct scheduled *find(const struct scheduled_list *list, const char *name)
{
	static const char *const kinds[] = {"", ".service", ".timer"};

	for (size_t i = 0; i < list->count; i++)
		for (size_t kind = 0; kind < sizeof(kinds) / sizeof(*kinds); kind++) {
			size_t length = strlen(list->items[i].name);

			if (strncmp(name, list->items[i].name, length) == 0 && strcmp(name + length, kinds[kind]) == 0)
				return &list->items[i];
		}
	return NULL;
}

enum { KINDS = 3 };

struct removed {
	const char *name;
	const char *files[KINDS];
	size_t count;
};

static struct tool_value get_removed_files(const void *row)
{
	const struct removed *self = row;

	return (struct tool_value){.kind = TOOL_TEXTS, .texts = {self->files, self->count}};
}

static const struct tool_column removed_columns[] = {
	{"name", NULL, TOOL_MEMBER(TOOL_TEXT, struct removed, name)},
	{"removed", NULL, TOOL_GET(get_removed_files)},
	{0},
};

/* What starts the service first, so that it does not start it again. */
static int remove_units(const struct tool *tool, const struct scheduled *row)
{
	static const char *const kinds[KINDS] = {SCHEDULE_LOGIN, "timer", "service"};
	tool_auto char *directory = schedule_directory(row->system);
	char *paths[KINDS];
	struct removed removed = {.name = row->name};

	for (size_t i = 0; i < KINDS; i++) {
		paths[i] = schedule_path(directory, row->name, kinds[i]);
		if (schedule_retire(row->system, directory, row->name, kinds[i]))
			removed.files[removed.count++] = paths[i];
	}
	if (systemctl_runs(row->system))
		systemctl_do(row->system, "daemon-reload", NULL);
	else
		tool_say(tool, "the systemd of %s does not run here: only the files were removed",
			 row->system ? "the machine" : "this user");
	if (tool->json)
		tool_object_print(removed_columns, &removed);
	for (size_t i = 0; i < removed.count && !tool->json; i++) {
		tool_auto char *shown = tool_escape(removed.files[i]);

		printf("removed %s\n", shown);
	}
	for (size_t i = 0; i < KINDS; i++)
		free(paths[i]);
	return removed.count ? TOOL_OK : TOOL_FATAL;
}

int schedule_remove(const struct tool *tool, const char *name)
{
	struct scheduled_list list = {0};
	const struct scheduled *row;
	int r = TOOL_FATAL;

	gather(&list);
	row = find(&list, name);
	if (row) {
		r = remove_units(tool, row);
	} else {
		tool_auto char *shown = tool_escape(name);

		tool_say(tool,
			 "this program has made no unit %s; 'backuptool schedule --list' shows those that it made",
			 shown);
	}
	list_free(&list);
	return r;
}
