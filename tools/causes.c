/* SPDX-License-Identifier: MIT */
#include "causes.h"
#include "output.h"
#include "tool.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 10

/* Of damage the reason counts, wherever it is; of other problems what was done and what the system answered. */
static bool same_cause(const struct bt_error *a, const struct bt_error *b)
{
	if (a->code != b->code || a->reason != b->reason || a->sys != b->sys)
		return false;
	return a->reason || strcmp(a->detail, b->detail) == 0;
}

bool tool_causes_show(struct tool_causes *causes, const struct bt_error *error)
{
	for (size_t i = 0; i < causes->count; i++)
		if (same_cause(&causes->causes[i].error, error))
			return ++causes->causes[i].count <= SHOWN;
	if (causes->count < TOOL_CAUSES)
		causes->causes[causes->count++] = (struct tool_cause){*error, 1};
	return true;
}

/* "missing content"; "write failed: No space left on device" */
static char *cause_text(const struct bt_error *error)
{
	char *text;

	if (!error->reason)
		return tool_format("%s%s%s", error->detail, error->sys ? " failed: " : "",
				   error->sys ? strerror(error->sys) : "");
	text = tool_format("%s", bt_reason_name(error->reason));
	for (char *at = text; *at; at++)
		if (*at == '-')
			*at = ' ';
	return text;
}

void tool_causes_end(const struct tool *tool, const struct tool_causes *causes)
{
	for (size_t i = 0; i < causes->count; i++) {
		const struct tool_cause *cause = &causes->causes[i];
		uint64_t more = cause->count > SHOWN ? cause->count - SHOWN : 0;
		tool_auto char *text = cause_text(&cause->error), *shown = tool_escape(text);

		if (more)
			tool_say(tool, "… and %" PRIu64 " more %s: %s", more, more == 1 ? "file" : "files", shown);
	}
}

bool tool_causes_damage(const struct tool_causes *causes)
{
	for (size_t i = 0; i < causes->count; i++)
		if (causes->causes[i].error.reason && !bt_error_is_newer(&causes->causes[i].error))
			return true;
	return false;
}
