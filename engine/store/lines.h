/* SPDX-License-Identifier: MIT */
/* The lines of a file's last sections (FORMAT.md §3), appended to a buffer, without commas and LF between them.
 * Failures are kept in the buffer. */
#ifndef BT_STORE_LINES_H
#define BT_STORE_LINES_H

#include "base/buf.h"
#include "store/file.h"
#include "store/writer.h"

void bt_line_block(struct bt_buf *out, const struct bt_block *block, const struct bt_held *held, size_t count);
void bt_line_page(struct bt_buf *out, const struct bt_digest *id, uint64_t at, uint32_t length);
void bt_line_offsets(struct bt_buf *out, const struct bt_sections *at); /* "end":{ and the offsets of the sections */

#endif
