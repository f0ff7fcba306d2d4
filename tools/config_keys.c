/* SPDX-License-Identifier: MIT */
/* Keys are the options of the commands, found in the same tables. */
#include "commands.h"
#include "config_inside.h"
#include "output.h"
#include "programs.h"
#include <stdlib.h>
#include <string.h>

static const char *set_check_every(void *field, const char *text)
{
	const char *wrong = tool_set_span(field, text);

	return wrong || *(int64_t *)field <= 0 ? "a span such as 12h, 7d or 4w" : NULL;
}

static const struct tool_option own[] = {
	{"check-every", 0, "SPAN", false, "check the store when the last check is older than SPAN (12h, 7d, 4w)",
	 set_check_every, offsetof(struct config_settings, check_every)},
	{0},
};

const struct tool_option config_option[] = {
	{"config", 0, "FILE", false, "read this configuration, and no other file", tool_set_text, 0},
	{0},
};

void config_groups(struct config_settings *settings, struct tool_option_group *groups)
{
	struct job_options *job = &settings->job;
	const struct tool_option_group ours[] = {
		{tool_taking_options, &job->taking, NULL, NULL},
		{tool_rules_options, &job->taking.rules, NULL, NULL},
		{tool_command_options, &job->taking, NULL, NULL},
		{tool_taking_about, &job->taking, NULL, NULL},
		{tool_hook_options, &job->hooks, NULL, NULL},
		{tool_retention_options, &job->retention, NULL, NULL},
		{job_pace_options, job, NULL, NULL},
		{tool_max_dead_option, &job->retention.max_dead, NULL, NULL},
		{job_watch_options, job, NULL, NULL},
		{tool_check_part_options, &settings->check, NULL, NULL},
		{own, settings, NULL, NULL},
	};
	size_t count = sizeof(ours) / sizeof(*ours);

	memcpy(groups, ours, sizeof(ours));
	for (const struct tool_common_options *common = tool_common_options; common->options; common++)
		if (common->bits & (TOOL_COMMON_STORE | TOOL_COMMON_YES))
			groups[count++] = (struct tool_option_group){common->options, &settings->tool, NULL, NULL};
	groups[count] = (struct tool_option_group){0};
}

static bool repeats(const struct tool_option *option)
{
	return tool_option_repeats(option) || option->set == job_add_at;
}

static const struct tool_option *find_key(const char *key)
{
	struct config_settings scratch;
	struct tool_option_group groups[CONFIG_GROUPS];
	void *field;

	config_groups(&scratch, groups);
	return tool_option_find(groups, key, &field);
}

/* The key that is meant by one that there is not; NULL: none is near. */
static const char *meant(const char *key)
{
	struct config_settings scratch;
	struct tool_option_group groups[CONFIG_GROUPS];

	config_groups(&scratch, groups);
	return tool_option_nearest(groups, key + strspn(key, "-"));
}

static void refuse_key(struct config *config, const struct config_entry *entry)
{
	const char *nearest = meant(entry->key);
	tool_auto char *shown = tool_escape(entry->key);

	config_problem(config, entry->file, entry->line, "there is no key '%s'%s%s%s", shown,
		       nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static bool is_path(const struct tool_option *option)
{
	return option->argument && (strcmp(option->argument, "DIR") == 0 || strcmp(option->argument, "FILE") == 0);
}

/* Where quotes are the shell's affair, they may be there. */
static bool is_quoted(const struct tool_option *option, const char *value)
{
	size_t length = strlen(value);

	return length > 1 && strchr("\"'", *value) && value[length - 1] == *value &&
	       strcmp(option->argument ? option->argument : "", "CMD") != 0;
}

const struct config_entry *config_entry(const struct config_entries *entries, const char *key)
{
	for (size_t i = 0; i < entries->count; i++)
		if (strcmp(entries->items[i].key, key) == 0)
			return &entries->items[i];
	return NULL;
}

/* The value, as the option takes it. Programs that cron or systemd starts are in no certain directory. */
static bool expand(struct config *config, const struct tool_option *option, struct config_entry *entry)
{
	char *path;

	if (is_quoted(option, entry->value)) {
		config_problem(config, entry->file, entry->line,
			       "leave out the quotes of %s: a value goes to the end of its line", entry->key);
		return false;
	}
	if (!is_path(option))
		return true;
	if (*entry->value != '/' && strncmp(entry->value, "~/", 2) != 0) {
		tool_auto char *shown = tool_escape(entry->value);

		config_problem(config, entry->file, entry->line, "%s '%s' is not a path that begins with / or ~/",
			       entry->key, shown);
		return false;
	}
	path = config_expand(entry->value);
	if (!path) {
		config_problem(config, entry->file, entry->line, "nobody knows where your home directory ~/ is");
		return false;
	}
	free(entry->value);
	entry->value = path;
	return true;
}

static bool is_flag(const char *value)
{
	return strcmp(value, "yes") == 0 || strcmp(value, "no") == 0;
}

static bool is_fine(struct config *config, const struct config_source *source, const struct tool_option *option,
		    struct config_entry *entry)
{
	const struct config_entry *before = config_entry(&source->entries, entry->key);

	if (before && !repeats(option)) {
		config_problem(config, entry->file, entry->line, "%s stands already in line %zu, and counts only once",
			       entry->key, before->line);
		return false;
	}
	if (!option->argument && !is_flag(entry->value)) {
		tool_auto char *shown = tool_escape(entry->value);

		config_problem(config, entry->file, entry->line, "%s '%s' is not yes or no", entry->key, shown);
		return false;
	}
	return expand(config, option, entry);
}

static void append(struct config_entries *entries, struct config_entry entry)
{
	entries->items = tool_realloc(entries->items, (entries->count + 1) * sizeof(*entries->items));
	entries->items[entries->count++] = entry;
}

void config_add(struct config *config, struct config_source *source, struct config_entry entry)
{
	const struct tool_option *option = find_key(entry.key);

	if (option) {
		entry.wrong = !is_fine(config, source, option, &entry);
		append(&source->entries, entry);
		return;
	}
	refuse_key(config, &entry);
	free(entry.key);
	free(entry.value);
}

struct config_entries config_effective(const struct config *config, const struct config_source *source)
{
	struct config_entries all = {0};

	for (size_t i = 0; i < config->defaults.entries.count; i++) {
		const struct config_entry *entry = &config->defaults.entries.items[i];

		if (repeats(find_key(entry->key)) || !config_entry(&source->entries, entry->key))
			append(&all, *entry);
	}
	for (size_t i = 0; i < source->entries.count; i++)
		append(&all, source->entries.items[i]);
	return all;
}

/* A flag that is "no" is not given. */
static void give(struct config *config, const struct tool_option_group *groups, const struct config_entry *entry)
{
	void *field;
	const struct tool_option *option = tool_option_find(groups, entry->key, &field);

	config->mistakes += entry->wrong;
	if (entry->wrong || (!option->argument && strcmp(entry->value, "no") == 0))
		return;
	tool_auto char *wrong = tool_option_give(option, field, option->argument ? entry->value : NULL);
	if (wrong)
		config_problem(config, entry->file, entry->line, "%s", wrong);
}

static void require(struct config *config, const struct config_source *source, const struct config_entries *all,
		    const char *key)
{
	if (!config_entry(all, key))
		config_problem(config, source->file, source->line, "the source %s has no %s", source->name, key);
}

bool config_settle(struct config *config, const struct config_source *source, const struct tool *tool,
		   struct config_settings *ret_settings)
{
	struct config_entries all = config_effective(config, source);
	struct tool_option_group groups[CONFIG_GROUPS];
	size_t before = config->mistakes;

	*ret_settings = (struct config_settings){.tool = *tool};
	config_groups(ret_settings, groups);
	for (size_t i = 0; i < all.count; i++)
		give(config, groups, &all.items[i]);
	require(config, source, &all, "store");
	if (!ret_settings->job.taking.commands.count)
		require(config, source, &all, "target-directory");
	const struct tool_taking *taking = &ret_settings->job.taking;
	const char *unwatched = job_watch_problem(&ret_settings->job);
	tool_auto char *wrong = tool_taking_problem(taking);
	if (wrong)
		config_problem(config, source->file, source->line, "of the source %s: %s", source->name, wrong);
	if (unwatched)
		config_problem(config, source->file, source->line, "of the source %s: %s", source->name, unwatched);
	free(all.items);
	return config->mistakes == before;
}

void config_settings_free(struct config_settings *settings)
{
	struct tool_option_group groups[CONFIG_GROUPS];

	config_groups(settings, groups);
	for (const struct tool_option_group *group = groups; group->options; group++)
		tool_options_free(group->options, group->target);
}
