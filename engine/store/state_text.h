/* SPDX-License-Identifier: MIT */
/* A file of state/ (FORMAT.md section 1): one line of canonical JSON. Not installed, and needed by nobody. */
#ifndef BT_STORE_STATE_TEXT_H
#define BT_STORE_STATE_TEXT_H

#include "base/buf.h"
#include "json/read.h"
#include <internal/state.h>

/* Most bytes of such a file: each byte of a text takes six at most. */
#define BT_STATE_FILE_MAX ((size_t)64 << 10)

int bt_state_write(struct bt_buf *out, const struct bt_state *state);
/* BT_E_DAMAGED: it is not one. */
int bt_state_read(const struct bt_text *text, struct bt_state *ret_state, struct bt_error *error);

#endif
