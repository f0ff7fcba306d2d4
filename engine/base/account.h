/* SPDX-License-Identifier: MIT */
/* The users and groups of this machine, as getpwnam(3) and getgrnam(3) know them. A look-up may take long where a
 * directory service is slow, or reads files; one that fails counts as "there is none". Any thread may call these. */
#ifndef BT_BASE_ACCOUNT_H
#define BT_BASE_ACCOUNT_H

#include <backuptool/owners.h>
#include <stdbool.h>

#define BT_ACCOUNT_SIZE 256 /* of a name with its NUL */

/* False also for a name that does not fit. */
bool bt_account_name(enum bt_owner_kind kind, uint32_t id, char name[BT_ACCOUNT_SIZE]);
bool bt_account_id(enum bt_owner_kind kind, const char *name, uint32_t *ret_id);

/* Until when look-ups are to be done that nothing depends on: as long as a directory service that does not answer may
 * hold a program up, in all. */
int64_t bt_account_deadline(void);
bool bt_account_in_time(int64_t deadline);

#endif
