/* SPDX-License-Identifier: MIT */
/* What the parts of the export share: tree (every file in order), out (the document). */
#ifndef BT_EXPORT_PARTS_H
#define BT_EXPORT_PARTS_H

#include "base/buf.h"
#include "base/publish.h"
#include <backuptool/view.h>

/* Goes through all files of a snapshot, in order. path: of the entry, not terminated. entry NULL: a directory without
 * entries. A result != 0 ends it. What cannot be read of the tree, or could not when the snapshot was taken, is told,
 * and the rest goes on. */
struct bt_file_visitor {
	void *arg;
	int (*visit)(void *arg, const struct bt_buf *path, const struct bt_entry *entry);
	void (*problem)(void *arg, const struct bt_buf *path, const struct bt_error *error);
};
/* prefix stands before every path. BT_E_NOMEM, or what a visit returned. */
int bt_visit_files(struct bt_store *store, const struct bt_snapshot_info *info, const char *prefix,
		   const struct bt_file_visitor *visitor);

/* A file whose content the document has; entry may be NULL. */
bool bt_export_has_content(const struct bt_entry *entry);
/* The directory in which the document is to appear, opened, and its name there. BT_E_EXISTS: the name is taken.
 * Links on the way as of base/route.h. */
int bt_export_open_parent(const char *path, bool follow_all, const char **ret_name, int *ret_fd,
			  struct bt_error *error);

/* The document, buffered. All functions return 0 or a filled error. */
struct bt_out {
	struct bt_publish publish;
	struct bt_error *error;
	struct bt_buf pending;
	uint64_t flushed;	/* bytes in the file */
	unsigned char carry[3]; /* of a Base64 string */
	size_t carried;
};
int bt_out_text(struct bt_out *out, const char *text);
/* A quoted string as Python's json writes it: ASCII, bytes that are no UTF-8 as lone surrogates. */
int bt_out_string(struct bt_out *out, const unsigned char *bytes, size_t length);
/* More bytes of a Base64 string; data NULL: zeros. */
int bt_out_base64(struct bt_out *out, const unsigned char *data, uint64_t length);
int bt_out_base64_end(struct bt_out *out);
int bt_out_flush(struct bt_out *out);
uint64_t bt_out_tell(const struct bt_out *out);
int bt_out_rewind(struct bt_out *out, uint64_t offset); /* forgets everything from there on */

#endif
