/* SPDX-License-Identifier: MIT */
#include "terminal.h"
#include <stdlib.h>
#include <sys/ioctl.h>

#define LARGEST 10000

/* 0: it is not set, or no such number. */
static size_t of_environment(const char *name)
{
	const char *text = getenv(name);
	char *end;
	unsigned long number = text ? strtoul(text, &end, 10) : 0;

	return text && !*end && number <= LARGEST ? number : 0;
}

static struct winsize of_terminal(int fd)
{
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size : (struct winsize){0};
}

size_t tool_terminal_columns(int fd)
{
	size_t columns = of_environment("COLUMNS");

	return columns ? columns : of_terminal(fd).ws_col;
}

size_t tool_terminal_lines(int fd)
{
	size_t lines = of_environment("LINES");

	return lines ? lines : of_terminal(fd).ws_row;
}
