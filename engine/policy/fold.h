/* SPDX-License-Identifier: MIT */
/* Names without the difference of small and capital letters. */
#ifndef BT_POLICY_FOLD_H
#define BT_POLICY_FOLD_H

#include <stdbool.h>
#include <stddef.h>

/* Makes small letters of the capital ones of Latin, Greek and Cyrillic in UTF-8, in place: none takes another number of
 * bytes then. Bytes that are not UTF-8 stay as they are. ascii false: only those beyond ASCII. */
void bt_fold(char *text, size_t length, bool ascii);

#endif
