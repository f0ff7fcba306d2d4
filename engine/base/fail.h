/* SPDX-License-Identifier: MIT */
/* Filling struct bt_error where a failure happens. Each function returns the code, for `return bt_fail_…(…)`. */
#ifndef BT_BASE_FAIL_H
#define BT_BASE_FAIL_H

#include <backuptool/error.h>

/* error may be NULL. An error that is filled already (code != 0) is not changed. file and what may be NULL. what is the
 * step that failed, a verb and an object, as it is printed in "build the index failed". */
int bt_fail(struct bt_error *error, enum bt_code code, const char *file, const char *what);
int bt_fail_sys(struct bt_error *error, int sys, const char *file, const char *what); /* ENOMEM gives BT_E_NOMEM */
/* The same, with the path of name in the directory, or of the directory itself if name is NULL, if the system can tell
 * the path. */
int bt_fail_sys_in(struct bt_error *error, int sys, int dirfd, const char *name, const char *what);
/* BT_E_LOCKED with sys ENOLCK: others changed files that this program works on. what says what follows from that. */
int bt_fail_lost(struct bt_error *error, const char *file, const char *what);
int bt_fail_damaged(struct bt_error *error, enum bt_reason reason, const char *file, uint64_t offset);
/* For a failure of bt_open_file: BT_E_DAMAGED [not-a-file] if the name is not a regular file. */
int bt_fail_open(struct bt_error *error, int sys, int dirfd, const char *file);
/* BT_E_DAMAGED for a name that is not a regular file; detail says whether it is a pipe, a directory, … */
int bt_fail_kind(struct bt_error *error, enum bt_reason reason, int dirfd, const char *file);
const char *bt_kind_name(int dirfd, const char *name); /* "a pipe" */

/* Returns result. If it is a failure, error is filled from inner unless it is filled already; error may be NULL. */
int bt_error_pass(struct bt_error *error, const struct bt_error *inner, int result);
/* Adds the name of the file to a damage error of a parser that knows only the offset. */
void bt_error_in_file(struct bt_error *error, const char *file, uint64_t base_offset);

#endif
