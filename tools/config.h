/* SPDX-License-Identifier: MIT */
/*
 * A configuration: what is to be protected, as sources, each with options by their own names. It is a file "config"
 * with sections, and beside it a file NAME.conf for each further source, whose lines need no section. One that is named
 * on the command line is read alone.
 *
 * Whatever is wrong in any of them is a problem of the whole: nothing is done by a configuration that is wrong.
 */
#ifndef TOOLS_CONFIG_H
#define TOOLS_CONFIG_H

#include "check.h"
#include "job.h"
#include "tool.h"

/* "key = value", and where it stands. */
struct config_entry {
	const char *file;
	size_t line;
	char *key, *value; /* allocated */
	bool wrong;	   /* it is a problem already */
};
struct config_entries {
	struct config_entry *items;
	size_t count;
};

struct config_source {
	char *name;
	const char *file;
	size_t line;
	struct config_entries entries; /* its own */
};

struct config {
	char *path;		 /* of the file with sections, be it there or not */
	struct tool_texts files; /* those that were read */
	bool has_defaults;
	struct config_source defaults;
	struct config_source *sources; /* in the order of the files */
	size_t count, room;
	struct tool_texts problems; /* "FILE:LINE: sentence", each once */
	size_t mistakes;	    /* the same, as often as they were met */
};

/* file NULL: the user's own configuration, or that of the machine for root. What is wrong is a problem; without any
 * there is at least one source, and all can be settled. */
void config_load(const struct tool *tool, const char *file, struct config *ret_config);
void config_free(struct config *config);
const struct config_source *config_find(const struct config *config, const char *name);
/* The sources that the operands of the command name, or all of them; without either the only one that there is. There
 * is room for all. Says what is wrong and gives TOOL_USAGE, or TOOL_OK. */
int config_choose(const struct tool *tool, const struct config *config, bool all, const struct config_source **sources,
		  size_t *ret_count);
/* For a command about one directory, or with --config about sources: whether nothing is said that goes only with the
 * other one. fine: the beginnings of options that go with both; ends with NULL. As config_choose. */
int config_check_words(const struct tool *tool, const char *config, const char *const *fine);
/* Adds a problem of that place (line 0: of the file as a whole), once. */
void config_problem(struct config *config, const char *file, size_t line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Says all problems and gives TOOL_USAGE, or TOOL_OK if there are none. */
int config_refuse(const struct tool *tool, const struct config *config);

/* What a source says, with what [defaults] say of other keys before it. Only the array is to be freed. */
struct config_entries config_effective(const struct config *config, const struct config_source *source);
/* The first one with that key, or NULL. */
const struct config_entry *config_entry(const struct config_entries *entries, const char *key);

/* The same as options of the commands. The texts are the configuration's. */
struct config_settings {
	struct job_options job;
	struct tool_check_part check;
	int64_t check_every; /* seconds; 0: never */
	struct tool tool;    /* with the store */
};
/* Whether that can be done; else there are problems more. tool: what is not said. */
bool config_settle(struct config *config, const struct config_source *source, const struct tool *tool,
		   struct config_settings *ret_settings);
/* Whether it can be done here, as far as a look tells: directories, the store, patterns. Else there are problems more.
 */
bool config_check(struct config *config, const struct config_source *source, const struct tool *tool);
void config_settings_free(struct config_settings *settings);

/* Table of the option that names one, for a const char *. */
extern const struct tool_option config_option[];

#endif
