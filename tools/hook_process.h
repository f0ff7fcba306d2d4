/* SPDX-License-Identifier: MIT */
/*
 * The process that runs hooks. It is forked while the program still has all of its rights, and lives as long as the
 * program: when that ends, however it does, the hook that runs is ended, too. It is in a session of its own, so that no
 * signal of a terminal reaches it.
 *
 * Each hook is started by one more process, a keeper, of a process group of its own; the hook is the leader of another
 * session. So it can kill its own group and that of its parent, and the next hook runs all the same.
 */
#ifndef TOOLS_HOOK_PROCESS_H
#define TOOLS_HOOK_PROCESS_H

#include "options.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hook_end {
	HOOK_ENDED,  /* code: of exit(3) */
	HOOK_KILLED, /* code: the signal */
	HOOK_TIMED_OUT,
	HOOK_CANCELLED, /* by hook_process_cancel */
	HOOK_FAILED,	/* code: an errno: it could not be started */
};
struct hook_result {
	enum hook_end end;
	int code;
};

/* A socket to the process, or -1 with errno. Before the program has threads. */
int hook_process_start(void);

/*
 * Starts a command. environment has "NAME=value" of what it gets besides the program's own, and "NAME" of what it does
 * not get. timeout_ms -1: none. output: its standard output, or -1: that is where its errors go. False with errno: it
 * was not sent.
 */
bool hook_process_run(int fd, const char *command, const struct tool_texts *environment, int64_t timeout_ms,
		      int output);
/* Ends the command that runs: all of its process group. Its result comes all the same. */
void hook_process_cancel(int fd);
/* The socket can be polled for it. */
void hook_process_result(int fd, struct hook_result *ret_result);

#endif
