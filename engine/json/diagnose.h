/* SPDX-License-Identifier: MIT */
/* Naming what is wrong with a line, after the strict reader has met something that it did not expect. Only failures
 * come here, so these functions may look at the whole line again. */
#ifndef BT_JSON_DIAGNOSE_H
#define BT_JSON_DIAGNOSE_H

#include "json/read.h"

/* At the cursor stands something other than the value wanted. */
int bt_json_wrong_value(struct bt_json *json);

#endif
