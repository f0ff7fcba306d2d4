/* SPDX-License-Identifier: MIT */
/*
 * Hooks: the user's own commands around the work of a command. They run one after the other, with the rights that the
 * program has at its start: a process that is forked before it gives up any starts them (hook_process.h).
 */
#ifndef TOOLS_HOOKS_H
#define TOOLS_HOOKS_H

#include "tool.h"

struct bt_snapshot_result;
struct tool_taking;

enum tool_hook_kind { TOOL_HOOK_BEFORE, TOOL_HOOK_SUCCESS, TOOL_HOOK_FAILURE, TOOL_HOOK_AFTER, TOOL_HOOK_KINDS };

struct tool_hooks {
	struct tool_texts commands[TOOL_HOOK_KINDS];
	int64_t timeout; /* of each, in seconds; -1: none; 0: not given */
};

/* Table of options for a struct tool_hooks. */
extern const struct tool_option tool_hook_options[];

/* What hooks, and the store's state, are told about the work. */
struct tool_outcome {
	char *error;		 /* why it failed, as the user was told; allocated, or NULL; here and below */
	struct bt_error cause;	 /* the same as the engine told it; zero if it did not */
	char *lacks;		 /* what is missing in what was done */
	char *said;		 /* the last that was said besides */
	char *put_off;		 /* why there was no work */
	char *target, *snapshot; /* of what, and what was made */
	char *same;		 /* the snapshot since which nothing had changed, so that none was made */
	bool counted;		 /* what follows is known */
	uint64_t created, changed, removed, new_bytes;
	uint64_t run;	   /* of a job; 0: there is none */
	uint64_t failures; /* runs that failed or were incomplete, in a row: with this one, or else before this one */
};
void tool_outcome_clear(struct tool_outcome *outcome);
void tool_outcome_target(const struct tool *tool, const struct tool_taking *taking);
void tool_outcome_count(const struct tool *tool, const struct bt_snapshot_result *result);
/* What is missing, or wrong: text, which is allocated, is taken over; NULL: nothing. */
void tool_outcome_lacks(const struct tool *tool, char *text);
/* Why there is no work now. */
void tool_outcome_put_off(const struct tool *tool, const char *why);
/* The sentence for a result that is not TOOL_OK; NULL: there is none. */
const char *tool_outcome_error(const struct tool_outcome *outcome, int exit);

/* Starts the process that runs the hooks, if there are any. Says what is wrong and gives an exit code, or TOOL_OK. */
int tool_hooks_start(struct tool *tool, const struct tool_hooks *hooks);
/* The same for a command of another kind. */
int tool_hooks_start_anyway(struct tool *tool, const struct tool_hooks *hooks);
void tool_hooks_stop(struct tool *tool);

/* A command whose output is read. It runs as hooks do, but its standard output is a pipe, and it may take as long as it
 * likes. */
struct tool_program {
	int output; /* the pipe; -1: none */
	bool runs;
	char *failed; /* what became of it if it did not end well, without a subject; allocated, or NULL */
};
/* A failure is told by the first read. */
void tool_program_start(const struct tool *tool, struct tool_program *program, const char *command);
/* Like the read of a struct bt_stream: 0 comes only when the command has ended with 0. */
int64_t tool_program_read(const struct tool *tool, struct tool_program *program, void *data, size_t size);
/* Ends it if it still runs. */
void tool_program_end(const struct tool *tool, struct tool_program *program);

/* While a hook is waited for, alive(arg) is called at least every that many milliseconds. */
void tool_hooks_keep_alive(const struct tool *tool, void (*alive)(void *arg), void *arg, int every);

#define TOOL_PUT_OFF 75 /* EX_TEMPFAIL of sysexits.h: not now */

/* Runs those that come before, until one fails. TOOL_OK, TOOL_FATAL, TOOL_INTERRUPTED, or TOOL_PUT_OFF: one of them
 * wants the work to be put off, which is said in the outcome. */
int tool_hooks_before(const struct tool *tool);
/* Runs those of the result (TOOL_PUT_OFF: of none), and then all that come after. works: those of success are to run.
 * Gives the result, or TOOL_INCOMPLETE if it was TOOL_OK and one of them failed. */
int tool_hooks_after(const struct tool *tool, int exit, bool works);

/* The work of a command, and what is done instead if a hook before it failed with that code (may be NULL). */
struct tool_hooked {
	int (*work)(struct tool *tool, const void *options);
	void (*left_out)(const struct tool *tool, const void *options, int exit);
};
/* Runs it with the hooks around it; a dry run has none. */
int tool_hooks_around(struct tool *tool, bool dry_run, const struct tool_hooked *hooked, const void *options);

#endif
