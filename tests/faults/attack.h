/* SPDX-License-Identifier: MIT */
/* Somebody who changes a directory just before a traced program goes into it. */
#ifndef BT_TESTS_ATTACK_H
#define BT_TESTS_ATTACK_H

#include <limits.h>
#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/types.h>

/* What a call that is entered goes to by a descriptor and a name, as a path: what it names, or the directory that it
 * lies in. False: nothing below $FAULTAT_BELOW. */
bool attack_find(pid_t thread, const struct __ptrace_syscall_info *info, bool parent, char ret_path[PATH_MAX]);

/* What is there steps aside for a symlink: to the directory $FAULTAT_OUTSIDE, or to a file in it. */
void attack_swap(const char *path);

#endif
