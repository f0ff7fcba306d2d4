/* SPDX-License-Identifier: MIT */
/* The header and the summary of a snapshot (FORMAT.md §3). */
#ifndef BT_MODEL_DOCUMENT_H
#define BT_MODEL_DOCUMENT_H

#include "base/arena.h"
#include "store/store.h"
#include <backuptool/view.h>

/* Both headers are written as bt_writer_new wants them: from { up to, and without, the final comma. BT_E_INVALID for a
 * time outside the years 0000 to 9999. */
/* Uses of info: time, host, target, parent, tags and options (sorted by bytes, each once), classic, and all from
 * program on. */
int bt_header_write(struct bt_buf *out, const struct bt_snapshot_info *info);
int bt_volume_header_write(struct bt_buf *out, const struct bt_time *time);
/* Uses of info: root and the counts. */
int bt_summary_write(struct bt_buf *out, const struct bt_snapshot_info *info);

/* Reads both parts of an open file; texts go to the arena. A volume gives BT_R_UNKNOWN_KIND. */
int bt_document_read(const struct bt_file *file, struct bt_arena *arena, struct bt_snapshot_info *ret_info,
		     struct bt_error *error);

/* Each part alone, from memory: text as bt_file_header and bt_file_summary return it, offset of its beginning in the
 * file. Sets only the members of info that the part has, also on failure. */
int bt_header_read(const struct bt_text *text, uint64_t offset, struct bt_arena *arena, struct bt_snapshot_info *info,
		   struct bt_error *error);
int bt_summary_read(const struct bt_text *text, uint64_t offset, struct bt_arena *arena, struct bt_snapshot_info *info,
		    struct bt_error *error);

#endif
