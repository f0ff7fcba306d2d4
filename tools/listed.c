/* SPDX-License-Identifier: MIT */
#include "listed.h"
#include "output.h"
#include <internal/policy.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A path with the place that it is from. */
struct line {
	const char *file;
	size_t number; /* of the line, or of the path in a file without lines */
	bool raw;
	char path[];
};

static void add_line(struct tool_listed *listed, const struct line *from, const char *path)
{
	struct line *line = tool_alloc(sizeof(*line) + strlen(path) + 1);

	*line = *from;
	memcpy(line->path, path, strlen(path) + 1);
	tool_texts_add(&listed->paths, line->path);
}

const char *tool_add_listed(void *field, const char *text)
{
	struct tool_listed *listed = field;
	struct line from = {.file = text};
	struct bt_lines lines;
	size_t size;
	char *data;
	const char *wrong = tool_read_text(text, &data, &size);

	if (wrong)
		return wrong;
	if (bt_lines_begin(data, size, &lines))
		wrong = "text, a path in each line; --files-from-raw reads paths with a NUL after each";
	listed->given = true;
	for (char *line = wrong ? NULL : bt_lines_next(&lines); line; line = bt_lines_next(&lines)) {
		size_t length = strlen(line);

		if (line[length - 1] == '\r')
			line[length - 1] = '\0';
		from.number = lines.number;
		if (*line && *line != '#')
			add_line(listed, &from, line);
	}
	free(data);
	return wrong;
}

const char *tool_add_listed_raw(void *field, const char *text)
{
	struct tool_listed *listed = field;
	struct line from = {.file = text, .raw = true};
	size_t size;
	char *data;
	const char *wrong = tool_read_text(text, &data, &size);

	if (wrong)
		return wrong;
	listed->given = true;
	for (const char *path = data; path < data + size; path += strlen(path) + 1) {
		from.number++;
		if (*path)
			add_line(listed, &from, path);
	}
	free(data);
	return NULL;
}

/* What of an absolute path is below the directory, without the slash; NULL: it does not lie there. */
static const char *below(const char *path, const char *directory)
{
	size_t length = directory ? strlen(directory) : 0;

	while (length && directory[length - 1] == '/')
		length--;
	if (!directory || strncmp(path, directory, length) != 0 || (path[length] && path[length] != '/'))
		return NULL;
	return path + length + strspn(path + length, "/");
}

static char *problem_of(const struct line *line, const char *problem)
{
	tool_auto char *file = tool_escape(line->file), *path = tool_escape(line->path);
	bool standard = strcmp(line->file, "-") == 0;

	return tool_format("%s, %s %zu: '%s' %s", standard ? "standard input" : file, line->raw ? "path" : "line",
			   line->number, path, problem);
}

/* The directory as it is named, with the way to it. */
static char *as_named(const char *directory)
{
	tool_auto char *here = getcwd(NULL, 0);

	return *directory == '/' || !here ? tool_format("%s", directory) : tool_format("%s/%s", here, directory);
}

char *tool_listed_settle(const struct tool_listed *listed, const char *directory)
{
	tool_auto char *real = realpath(directory, NULL), *here = as_named(directory);

	for (size_t i = 0; i < listed->paths.count; i++) {
		char *path = (char *)(uintptr_t)listed->paths.items[i];
		const struct line *line = (const void *)(path - offsetof(struct line, path));
		const char *relative = *path != '/' ? path : below(path, here);

		if (!relative)
			relative = below(path, real);
		if (!relative)
			return problem_of(line, "does not lie in the directory that is taken");
		tool_auto char *tidy = tool_alloc(strlen(relative) + 1);
		if (bt_listed_path(relative, tidy))
			return problem_of(line, "has '..' in it; write the path without");
		memcpy(path, tidy, strlen(tidy) + 1);
	}
	return NULL;
}
