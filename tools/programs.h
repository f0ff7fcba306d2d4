/* SPDX-License-Identifier: MIT */
/*
 * Files of a snapshot that are no files anywhere: what commands print, or what comes in on standard input. The commands
 * run as hooks do, one after the other, each when its turn comes.
 */
#ifndef TOOLS_PROGRAMS_H
#define TOOLS_PROGRAMS_H

#include "tool.h"
#include <backuptool/snapshot.h>

struct tool_taking;
struct tool_programs;

/* Tables of options for a struct tool_taking: --from-command, and --stdin. */
extern const struct tool_option tool_command_options[], tool_stdin_options[];

/* Whether there is no directory, but such files. */
bool tool_programs_given(const struct tool_taking *taking);
/* The path by which such a snapshot is known if none is given; allocated. */
char *tool_programs_of(const struct tool_taking *taking);
/* Why the options do not fit together, as a sentence, or NULL; allocated. */
char *tool_programs_problem(const struct tool_taking *taking);

/* For one snapshot; NULL: no such files were asked for. It borrows from both. */
struct tool_programs *tool_programs_new(const struct tool *tool, const struct tool_taking *taking);
/* Ends a command that still runs. NULL is fine. */
void tool_programs_free(struct tool_programs *programs);
/* As the engine wants them. */
const struct bt_stream *const *tool_programs_streams(const struct tool_programs *programs, size_t *ret_count);
/* Why there is no snapshot, if that is due to one of them; else NULL. */
const char *tool_programs_failure(const struct tool_programs *programs);
/* The names of those that gave nothing; the list is allocated, the names are not. */
struct tool_texts tool_programs_empty(const struct tool_programs *programs);

#endif
