/* SPDX-License-Identifier: MIT */
#include "named.h"
#include "confirm.h"
#include "output.h"
#include "selection.h"
#include <stdlib.h>
#include <string.h>

#define PREFIX	  "snapshot_"
#define TO_SECOND strlen("2026-11-20T10-00-00")

static bool is_clear(const char *text)
{
	size_t skip = strncmp(text, PREFIX, strlen(PREFIX)) == 0 ? strlen(PREFIX) : 0;

	return *text == '@' || strchr(text, '/') || strncmp(text, "latest", strlen("latest")) == 0 ||
	       strlen(text + skip) >= TO_SECOND;
}

void tool_named_doubt(const struct tool *tool, struct bt_store *store, const char *text, const char *name)
{
	struct bt_snapshot *snapshot = NULL;
	struct bt_error unused = {0};

	if (is_clear(text))
		return;
	tool_auto char *shown = tool_escape(text);
	if (bt_snapshot_open(store, name, &snapshot, &unused)) {
		tool_doubt(tool, "'%s' is only the beginning of %s; give it whole", shown, name);
		return;
	}
	tool_auto char *target = tool_escape(bt_snapshot_info(snapshot)->target);
	tool_auto char *time = tool_local_time(bt_snapshot_info(snapshot)->time);
	tool_doubt(tool, "'%s' is only the beginning of the name %s, a snapshot of %s of %s; give it whole", shown,
		   name, target, time);
	bt_snapshot_close(snapshot);
}

int tool_operands_named(const struct tool *tool, struct bt_store *store, bool deletes, const char **names,
			size_t *ret_count)
{
	size_t count = 0;

	for (int i = 0; i < tool->operand_count; i++) {
		const struct tool_texts one = {(const char **)tool->operands + i, 1};
		size_t found = 0, seen = 0;
		int r = tool_names_resolve(tool, store, &one, deletes, names + count, &found);

		if (r != TOOL_OK)
			return r;
		tool_named_doubt(tool, store, tool->operands[i], names[count]);
		while (strcmp(names[seen], names[count]) != 0)
			seen++;
		count += seen == count;
	}
	*ret_count = count;
	return TOOL_OK;
}

int tool_meant(const struct tool *tool, struct bt_store *store, bool deletes, const char **names, size_t *ret_count)
{
	const struct tool_texts wanted = {(const char **)tool->operands, (size_t)tool->operand_count};
	size_t found = 0, count = 0;

	if (!tool->operand_count) {
		*ret_count = tool_selected(tool, store, names);
		return TOOL_OK;
	}
	tool_auto const char **meant = tool_alloc(((size_t)tool->operand_count + 1) * sizeof(*meant));
	int r = deletes ? tool_operands_named(tool, store, true, meant, &found)
			: tool_names_resolve(tool, store, &wanted, false, meant, &found);
	for (size_t i = 0; i < bt_store_snapshot_count(store) && r == TOOL_OK; i++)
		for (size_t j = 0; j < found; j++)
			if (strcmp(meant[j], bt_store_snapshot_name(store, i)) == 0) {
				names[count++] = meant[j];
				break;
			}
	*ret_count = count;
	return r;
}
