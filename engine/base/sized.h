/* SPDX-License-Identifier: MIT */
/* Structs of a caller that begin with their size (size_t), as the caller's headers have them: those may be older than
 * ours, and lack members at the end, or newer, and have more. */
#ifndef BT_BASE_SIZED_H
#define BT_BASE_SIZED_H

#include <backuptool/error.h>

/* Copies given to own, which has size bytes. What given lacks is zero; NULL: all of it. BT_E_INVALID: given has no
 * size, or members that we do not know and that are not zero. */
int bt_sized_take(void *own, size_t size, const void *given, struct bt_error *error);
/* A struct that is to be filled at the end. NULL is fine. BT_E_INVALID: it has no size. */
int bt_sized_check(const void *given, struct bt_error *error);
/* Fills it from own, which has size bytes: members that only the caller knows are zero. */
void bt_sized_give(void *given, const void *own, size_t size);

#endif
