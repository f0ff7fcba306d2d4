/* SPDX-License-Identifier: MIT */
/* What a configuration says, held against this machine. */
#include "config.h"
#include "output.h"
#include "patterns.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Patterns, and the entry that each is from. */
struct origin {
	struct tool_texts patterns;
	const struct config_entry **entries;
};

static void add_patterns(struct origin *origin, const struct config_entry *entry)
{
	size_t before = origin->patterns.count;

	if (strcmp(entry->key, "exclude") == 0)
		tool_texts_add(&origin->patterns, tool_format("%s", entry->value));
	else if (strcmp(entry->key, "iexclude") == 0)
		tool_add_folded(&origin->patterns, entry->value);
	else if (strcmp(entry->key, "exclude-from") == 0)
		tool_add_patterns(&origin->patterns, entry->value);
	else if (strcmp(entry->key, "iexclude-from") == 0)
		tool_add_folded_patterns(&origin->patterns, entry->value);
	origin->entries = tool_realloc(origin->entries, (origin->patterns.count + 1) * sizeof(*origin->entries));
	for (size_t i = before; i < origin->patterns.count; i++)
		origin->entries[i] = entry;
}

static void check_patterns(struct config *config, const struct config_entries *all, const struct tool_taking *taking)
{
	struct origin origin = {0};
	char **wrong;

	for (size_t i = 0; i < all->count; i++)
		add_patterns(&origin, &all->items[i]);
	wrong = tool_patterns_wrong(taking->target, taking->as, &origin.patterns);
	for (size_t i = 0; i < origin.patterns.count; i++) {
		if (wrong[i])
			config_problem(config, origin.entries[i]->file, origin.entries[i]->line, "%s", wrong[i]);
		free(wrong[i]);
	}
	free(wrong);
	free(origin.entries);
	tool_texts_free(&origin.patterns);
}

/* Whether there is a directory in which the store would be made. */
static bool has_place(const char *store)
{
	tool_auto char *above = tool_format("%s/..", store);
	char *parent = tool_format("%s", store), *slash = strrchr(parent, '/');
	struct stat status;
	bool there = lstat(store, &status) == 0;

	while (slash && slash > parent && !slash[1]) {
		*slash = '\0';
		slash = strrchr(parent, '/');
	}
	if (slash)
		slash[slash == parent] = '\0';
	there = stat(there ? above : parent, &status) == 0;
	free(parent);
	return there;
}

/* One that is not there is made by the first snapshot, unless it is to be a certain one. */
static void check_store(struct config *config, const struct config_entry *entry, const struct tool *tool)
{
	const struct bt_store_options options = {
		.size = sizeof(options), .id = tool_store_wanted(tool), .read_only = true};
	struct bt_store *store = NULL;
	struct bt_error error = {0};
	int code = bt_store_open(tool->store, &options, &store, &error);

	bt_store_close(store);
	if (!code || (code == BT_E_NO_STORE && error.sys != ENOTDIR && !options.id && has_place(tool->store)))
		return;
	if (code == BT_E_NO_STORE && error.sys != ENOTDIR && !options.id)
		error.sys = ENOENT;
	tool_auto char *text = tool_error_text(tool, &error);
	config_problem(config, entry->file, entry->line, "%s", text);
}

bool config_check(struct config *config, const struct config_source *source, const struct tool *tool)
{
	struct config_entries all = config_effective(config, source);
	struct config_settings *settings = tool_alloc(sizeof(*settings));
	const struct config_entry *target = config_entry(&all, "target-directory");
	size_t before = config->mistakes;
	int unused;

	if (config_settle(config, source, tool, settings)) {
		tool_auto char *problem = tool_target_problem(&settings->tool, &settings->job.taking, &unused);

		if (problem && !(settings->job.taking.as && job_is_prepared(&settings->job)))
			config_problem(config, target->file, target->line, "%s", problem);
		check_store(config, config_entry(&all, "store"), &settings->tool);
		check_patterns(config, &all, &settings->job.taking);
	}
	config_settings_free(settings);
	free(settings);
	free(all.items);
	return config->mistakes == before;
}
