/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "config_inside.h"
#include "config_text.h"
#include "output.h"
#include <stdlib.h>
#include <string.h>

const struct config_source *config_find(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->count; i++)
		if (strcmp(config->sources[i].name, name) == 0)
			return &config->sources[i];
	return NULL;
}

static struct config_source *add_source(struct config *config, const char *name, const char *file, size_t line)
{
	const struct config_source *other = config_find(config, name);

	if (other) {
		tool_auto char *shown = tool_escape(other->file);

		config_problem(config, file, line, "the source %s stands already in %s:%zu", name, shown, other->line);
	}
	if (config->count == config->room) {
		config->room = 2 * config->room + 4;
		config->sources = tool_realloc(config->sources, config->room * sizeof(*config->sources));
	}
	config->sources[config->count] =
		(struct config_source){.name = tool_format("%s", name), .file = file, .line = line};
	return &config->sources[config->count++];
}

static struct config_source *begin_defaults(struct config *config, const char *file, size_t line)
{
	if (config->has_defaults)
		config_problem(config, file, line, "[defaults] stands already in line %zu", config->defaults.line);
	else if (config->count)
		config_problem(config, file, line, "[defaults] stands before all sources, since it is for all of them");
	config->has_defaults = true;
	if (!config->defaults.line) {
		config->defaults.file = file;
		config->defaults.line = line;
	}
	return &config->defaults;
}

static struct config_entry entry_of(const char *file, const struct config_line *line)
{
	return (struct config_entry){file, line->number, tool_format("%s", line->name), tool_format("%s", line->text),
				     false};
}

static void take_sections(struct config *config, const char *file, const struct config_lines *lines)
{
	struct config_source *section = NULL;

	for (size_t i = 0; i < lines->count; i++) {
		const struct config_line *line = &lines->items[i];

		if (line->kind == CONFIG_DEFAULTS)
			section = begin_defaults(config, file, line->number);
		else if (line->kind == CONFIG_SOURCE)
			section = add_source(config, line->name, file, line->number);
		else if (line->kind == CONFIG_WRONG)
			config_problem(config, file, line->number, "%s", line->text);
		else if (section)
			config_add(config, section, entry_of(file, line));
		else
			config_problem(config, file, line->number,
				       "a line [source NAME] or [defaults] is missing before the first key");
	}
}

/* Its name is that of its source. */
static void take_alone(struct config *config, const char *file, const char *name, const struct config_lines *lines)
{
	struct config_source *source = add_source(config, name, file, 1);

	for (size_t i = 0; i < lines->count; i++) {
		const struct config_line *line = &lines->items[i];

		if (line->kind == CONFIG_DEFAULTS || line->kind == CONFIG_SOURCE)
			config_problem(config, file, line->number,
				       "a file NAME.conf is one source without sections; sections stand in the file "
				       "'config'");
		else if (line->kind == CONFIG_WRONG)
			config_problem(config, file, line->number, "%s", line->text);
		else if (!config_add_variable(config, source, file, line->number, line->name, line->text))
			config_add(config, source, entry_of(file, line));
	}
}

/* "home" of "/etc/backuptool/home.conf"; NULL: it is not called so. Allocated. */
static char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	size_t length = strlen(base), end = strlen(".conf");

	if (length <= end || strcmp(base + length - end, ".conf") != 0)
		return NULL;
	return tool_format("%.*s", (int)(length - end), base);
}

static void take_file(struct config *config, const char *path, bool may_be_missing)
{
	tool_auto char *name = name_of(path);
	struct config_lines lines;
	size_t size;
	const char *file;
	tool_auto char *text = config_read(config, path, may_be_missing, &size);

	if (!text)
		return;
	file = tool_format("%s", path);
	tool_texts_add(&config->files, file);
	config_lines_read(text, size, &lines);
	if (!name)
		take_sections(config, file, &lines);
	else if (config_is_name(name))
		take_alone(config, file, name, &lines);
	else
		config_problem(config, file, 0,
			       "its name cannot be the name of a source: letters, digits, and . _ - @ +");
	config_lines_free(&lines);
}

/* So that all problems are known before anything is done. */
static void settle_all(struct config *config, const struct tool *tool)
{
	struct config_settings *scratch = tool_alloc(sizeof(*scratch));

	for (size_t i = 0; i < config->count; i++) {
		config_settle(config, &config->sources[i], tool, scratch);
		config_settings_free(scratch);
	}
	free(scratch);
}

void config_load(const struct tool *tool, const char *file, struct config *ret_config)
{
	struct config *config = ret_config;
	struct tool_texts beside = {0};

	*config = (struct config){.path = file ? tool_format("%s", file) : config_own_path()};
	if (!config->path) {
		config_problem(config, "~/.config/backuptool/config", 0, "nobody knows where your home directory is");
		return;
	}
	take_file(config, config->path, !file);
	if (!file)
		beside = config_beside(config->path);
	for (size_t i = 0; i < beside.count; i++)
		take_file(config, beside.items[i], false);
	tool_texts_free(&beside);
	if (!config->files.count && !config->problems.count)
		config_problem(
			config, config->path, 0,
			"there is no such file, nor a NAME.conf beside it; 'backuptool config --help' shows one");
	else if (!config->count && !config->problems.count)
		config_problem(config, config->path, 0, "there is no [source NAME] in it");
	if (tool->store != tool->default_store || tool->store_id)
		config_problem(config, config->path, 0,
			       "it says which stores are meant, so leave out --store and --store-id");
	settle_all(config, tool);
}

static void free_section(struct config_source *section)
{
	for (size_t i = 0; i < section->entries.count; i++) {
		free(section->entries.items[i].key);
		free(section->entries.items[i].value);
	}
	free(section->entries.items);
	free(section->name);
}

void config_free(struct config *config)
{
	free_section(&config->defaults);
	for (size_t i = 0; i < config->count; i++)
		free_section(&config->sources[i]);
	free(config->sources);
	tool_texts_free(&config->files);
	tool_texts_free(&config->problems);
	free(config->path);
}
