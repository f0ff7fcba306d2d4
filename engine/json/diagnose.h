/* SPDX-License-Identifier: MIT */
/* Finds the reason for which a line is refused, after the strict reader met something unexpected. These functions may
 * look at the whole line again, since they only run on failures. */
#ifndef BT_JSON_DIAGNOSE_H
#define BT_JSON_DIAGNOSE_H

#include "json/read.h"

/* Fails because the cursor is not at a value of the wanted type. */
int bt_json_wrong_value(struct bt_json *json);
/* Skips a byte that must be there. BT_R_TRUNCATED, BT_R_NOT_JSON. */
int bt_json_skip(struct bt_json *json, char byte);
/* Whether keys, as in struct bt_json, has this key. */
bool bt_json_lists(const char *keys, const char *key, size_t length);

#endif
