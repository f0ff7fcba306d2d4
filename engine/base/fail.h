/* SPDX-License-Identifier: MIT */
/* Filling struct bt_error where a failure happened. All return the code, so that `return bt_fail_…(…)` reads well. */
#ifndef BT_BASE_FAIL_H
#define BT_BASE_FAIL_H

#include <backuptool/error.h>

/* error may be NULL. An error that is already filled (code != 0) is left alone. file and what may be NULL. */
int bt_fail(struct bt_error *error, enum bt_code code, const char *file, const char *what);
int bt_fail_sys(struct bt_error *error, int sys, const char *file, const char *what); /* ENOMEM gives BT_E_NOMEM */
/* The same with the whole path of a name in a directory, or of that itself (NULL), where the system tells it. */
int bt_fail_sys_in(struct bt_error *error, int sys, int dirfd, const char *name, const char *what);
/* BT_E_LOCKED with sys ENOLCK: others changed what this one was working on; what says what then. */
int bt_fail_lost(struct bt_error *error, const char *file, const char *what);
int bt_fail_damaged(struct bt_error *error, enum bt_reason reason, const char *file, uint64_t offset);
/* What bt_open_file failed with: BT_E_DAMAGED [not-a-file] if something else has the name. */
int bt_fail_open(struct bt_error *error, int sys, int dirfd, const char *file);
/* BT_E_DAMAGED of what is no file, with what it is. */
int bt_fail_kind(struct bt_error *error, enum bt_reason reason, int dirfd, const char *file);
const char *bt_kind_name(int dirfd, const char *name); /* "a pipe" */

/* Adds the file's name to a damage error that was found by a parser that knew only the offset. */
void bt_error_in_file(struct bt_error *error, const char *file, uint64_t base_offset);

#endif
