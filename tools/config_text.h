/* SPDX-License-Identifier: MIT */
/*
 * The text of a configuration: lines "key = value", some of them under "[defaults]" or "[source NAME]". What keys mean
 * is decided elsewhere (config.h).
 *
 * A value is all that stands between the first blank character after the "=" and the last one of the line: there are no
 * quotes, and no character means something else. Lines that are empty, or whose first character is "#", say nothing.
 */
#ifndef TOOLS_CONFIG_TEXT_H
#define TOOLS_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define CONFIG_SIZE_MAX ((size_t)1 << 20) /* bytes of a file */
#define CONFIG_NAME_MAX 128		  /* bytes of a source's name */

enum config_kind { CONFIG_DEFAULTS, CONFIG_SOURCE, CONFIG_VALUE, CONFIG_WRONG };

/* Of a value, name is its key; of a wrong line, text is a sentence that says why. What does not apply is NULL. */
struct config_line {
	enum config_kind kind;
	size_t number; /* from 1 */
	char *name, *text;
};
struct config_lines {
	struct config_line *items;
	size_t count;
};

/* The lines that say something, in their order. Each of them stands for itself: their order may be wrong. */
void config_lines_read(const char *text, size_t size, struct config_lines *ret_lines);
void config_lines_free(struct config_lines *lines);

/* Whether a source may have this name: shown as it is, in one word, and no option. */
bool config_is_name(const char *name);

#endif
