/* SPDX-License-Identifier: MIT */
/* The header and the summary of a snapshot (FORMAT.md §3). */
#ifndef BT_MODEL_DOCUMENT_H
#define BT_MODEL_DOCUMENT_H

#include "base/arena.h"
#include "store/store.h"
#include <backuptool/view.h>

/* Both headers are written as the store's writer wants them: from { up to and without the final comma. BT_E_INVALID for
 * a time outside the years 0000 to 9999. */
/* Writes from info: time, host, target, parent, tags (sorted by bytes, each once), classic. */
int bt_header_write(struct bt_buf *out, const struct bt_snapshot_info *info);
int bt_volume_header_write(struct bt_buf *out, const struct bt_time *time);
/* Writes from info: root and the counts. */
int bt_summary_write(struct bt_buf *out, const struct bt_snapshot_info *info);

/* Both parts of an open file into info; texts live in arena. A volume gives BT_R_UNKNOWN_KIND. */
int bt_document_read(const struct bt_file *file, struct bt_arena *arena, struct bt_snapshot_info *ret_info,
		     struct bt_error *error);

/* The parts alone, from memory: text is as bt_file_header and bt_file_summary give it, offset where it begins in the
 * file. Only the part's own members of info are set, also on failure. */
int bt_header_read(const struct bt_text *text, uint64_t offset, struct bt_arena *arena, struct bt_snapshot_info *info,
		   struct bt_error *error);
int bt_summary_read(const struct bt_text *text, uint64_t offset, struct bt_arena *arena, struct bt_snapshot_info *info,
		    struct bt_error *error);

#endif
