/* SPDX-License-Identifier: MIT */
/* Problems by their causes: of very many that have the same one, the first few are enough to read. */
#ifndef TOOLS_CAUSES_H
#define TOOLS_CAUSES_H

#include <backuptool/error.h>
#include <stdbool.h>

#define TOOL_CAUSES 32

struct tool_causes {
	struct tool_cause {
		struct bt_error error; /* the first that has it */
		uint64_t count;
	} causes[TOOL_CAUSES];
	size_t count;
};

struct tool;
/* Whether the problem is to have a line of its own: of each cause ten are. Also when there are too many causes. */
bool tool_causes_show(struct tool_causes *causes, const struct bt_error *error);
/* Says how many more there were of each cause. */
void tool_causes_end(const struct tool *tool, const struct tool_causes *causes);
/* Whether data of the store was missing or damaged. */
bool tool_causes_damage(const struct tool_causes *causes);

#endif
