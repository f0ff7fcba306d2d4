/* SPDX-License-Identifier: MIT */
#include "failure.h"
#include "hooks.h"

/* A command that printed nothing failed of what it said last, even if that was no more than a warning. */
struct tool_failure tool_failure_of(const struct tool *tool, int exit)
{
	const struct tool_outcome *outcome = tool->outcome;
	struct tool_failure failure = {exit, NULL, &outcome->cause};

	if (exit != TOOL_OK && exit != TOOL_DIFFERENT)
		failure.message = tool_json_begun() ? outcome->error : tool_outcome_error(outcome, exit);
	return failure;
}

#define CAUSE self->cause
TOOL_GETTER(struct tool_failure, reason, CAUSE->reason ? TOOL_TEXT : TOOL_NOTHING, text, bt_reason_name(CAUSE->reason))
TOOL_GETTER(struct tool_failure, file, *CAUSE->file ? TOOL_TEXT : TOOL_NOTHING, text, CAUSE->file)
TOOL_GETTER(struct tool_failure, offset, CAUSE->reason && CAUSE->offset != BT_NO_OFFSET ? TOOL_COUNT : TOOL_NOTHING,
	    number, CAUSE->offset)
TOOL_GETTER(struct tool_failure, errno, CAUSE->sys > 0 ? TOOL_TEXT : TOOL_NOTHING, text, bt_errno_name(CAUSE->sys))

static const struct tool_column columns[] = {
	{"message", NULL, TOOL_MEMBER(TOOL_TEXT, struct tool_failure, message)},
	{"code", NULL, TOOL_MEMBER(TOOL_COUNT, struct tool_failure, exit)},
	{"reason", NULL, TOOL_GET(get_reason)},
	{"file", NULL, TOOL_GET(get_file)},
	{"offset", NULL, TOOL_GET(get_offset)},
	{"errno", NULL, TOOL_GET(get_errno)},
	{0},
};

struct tool_value tool_failure_value(const struct tool_failure *failure)
{
	if (!failure->message)
		return (struct tool_value){0};
	return (struct tool_value){.kind = TOOL_OBJECT, .rows = {columns, failure, sizeof(*failure), 1}};
}

static struct tool_value get_error(const void *row)
{
	return tool_failure_value(row);
}

void tool_failure_print(const struct tool *tool, int exit)
{
	static const struct tool_column line[] = {{"error", NULL, TOOL_GET(get_error)}, {0}};
	const struct tool_failure failure = tool_failure_of(tool, exit);
	bool told = tool_json_begun() && !(tool->command && tool->command->stream);

	if (!told && failure.message)
		tool_object_print(line, &failure);
}
