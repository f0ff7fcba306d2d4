/* SPDX-License-Identifier: MIT */
/* What 'config' prints. */
#ifndef TOOLS_CONFIG_REPORT_H
#define TOOLS_CONFIG_REPORT_H

#include "config.h"

/* A key of a source, as it counts. */
struct config_setting {
	const char *source, *key, *value, *file;
	uint64_t line;
};

/* What is shown of a source. */
struct config_shown {
	const struct config_source *source;
	struct config_setting *settings;
	size_t count;
	const char *target, *store; /* NULL: it has none */
	bool fine;
};

struct config_report {
	struct config *config;
	struct config_shown *sources;
	size_t count;
};

void config_show_print(const struct tool *tool, const struct config_report *report);
void config_check_print(const struct tool *tool, const struct config_report *report);

#endif
