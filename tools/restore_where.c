/* SPDX-License-Identifier: MIT */
#include "restore_where.h"
#include "output.h"
#include <backuptool/select.h>
#include <string.h>
#include <sys/stat.h>

#define USAGE "backuptool restore SNAPSHOT[:PATH] DIR"

static int no_output(const struct tool *tool, const struct tool_where_words *words)
{
	tool_auto char *operand = tool_escape(tool->operand_count ? tool->operands[0] : "");

	if (words->snapshot && *operand)
		return tool_usage_error(tool, "--output-directory DIR is missing; did you mean --output-directory %s?",
					operand);
	if (words->snapshot)
		return tool_usage_error(tool, "--output-directory DIR is missing");
	if (tool->selection.targets.count)
		return tool_usage_error(tool, "say where to: " USAGE
					      "; --target only tells of which directory the snapshot is");
	return tool_usage_error(tool, "say where to: " USAGE ", or --in-place for where it was");
}

/* --deleted NAME [DIR] */
static int read_deleted(const struct tool *tool, const struct tool_where_words *words, struct tool_where *where)
{
	int most = words->output || words->in_place ? 0 : 1;

	if (words->snapshot)
		return tool_usage_error(tool, "--deleted looks for the snapshot: leave out --snapshot-file");
	if (tool->operand_count > most) {
		tool_auto char *extra = tool_escape(tool->operands[most]);

		return tool_usage_error(tool, "'%s' is one argument too many", extra);
	}
	where->contents = !words->in_place;
	if (tool->operand_count)
		where->output = tool->operands[0];
	return TOOL_OK;
}

int tool_where_read(const struct tool *tool, const struct tool_where_words *words, struct tool_where *ret_where)
{
	struct tool_where where = {.snapshot = words->snapshot, .output = words->output};
	int next = 0;

	if (words->output && words->in_place)
		return tool_usage_error(tool, "--in-place and --output-directory do not go together");
	if (words->force && !words->in_place)
		return tool_usage_error(tool, "--force goes with --in-place");
	if (words->deleted) {
		*ret_where = where;
		return read_deleted(tool, words, ret_where);
	}
	if (!where.snapshot && !tool->operand_count)
		return tool_usage_error(tool, "say which snapshot, and where to: " USAGE);
	if (!where.snapshot) {
		where.contents = !words->in_place;
		where.snapshot = tool->operands[next++];
	}
	if (!where.output && !words->in_place) {
		if (words->snapshot || next == tool->operand_count)
			return no_output(tool, words);
		where.named = true;
		where.output = tool->operands[next++];
	}
	where.paths = tool->operands + next;
	where.path_count = (size_t)(tool->operand_count - next);
	*ret_where = where;
	return TOOL_OK;
}

static bool is_directory(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool has_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	tool_auto char *parent = tool_format("%.*s", slash > path ? (int)(slash - path) : 1, path);

	return is_directory(parent);
}

int tool_where_in_place(const struct tool *tool, const struct bt_snapshot_info *info, bool force,
			const char **ret_output)
{
	tool_auto char *target = tool_escape(info->target), *from = tool_escape(info->host);
	char host[BT_HOST_SIZE];

	bt_host(host);
	tool_auto char *here = tool_escape(host);
	if (*info->target != '/') {
		tool_say(tool, "%s is of no directory: say where to, in place of --in-place", info->name);
		return TOOL_FATAL;
	}
	if (!force && strcmp(info->host, host) != 0) {
		tool_say(tool, "%s is of %s on %s, and this is %s: nothing was changed; --force restores to %s here",
			 info->name, target, *from ? from : "another host", here, target);
		return TOOL_FATAL;
	}
	if (!force && !is_directory(info->target) && !has_parent(info->target)) {
		tool_say(tool,
			 "%s is gone, and so is the directory around it: is a disk not there? Nothing was changed; "
			 "--force makes both",
			 target);
		return TOOL_FATAL;
	}
	*ret_output = info->target;
	return TOOL_OK;
}
