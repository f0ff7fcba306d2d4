/* SPDX-License-Identifier: MIT */
/* Shared by the parts of the export: tree (every file in order), out (the document). */
#ifndef BT_EXPORT_PARTS_H
#define BT_EXPORT_PARTS_H

#include "base/buf.h"
#include "base/publish.h"
#include <backuptool/view.h>

/* Called for all files of a snapshot, in order. path: of the entry, without a NUL. entry NULL: an empty directory. A
 * result != 0 ends the visit. problem: a part of the tree cannot be read, or could not when the snapshot was taken; the
 * visit goes on. */
struct bt_file_visitor {
	void *arg;
	int (*visit)(void *arg, const struct bt_buf *path, const struct bt_entry *entry);
	void (*problem)(void *arg, const struct bt_buf *path, const struct bt_error *error);
};
/* prefix comes before every path. Returns 0, BT_E_NOMEM, or the result of a visit. */
int bt_visit_files(struct bt_store *store, const struct bt_snapshot_info *info, const char *prefix,
		   const struct bt_file_visitor *visitor);

/* Whether the document has the content of this entry, which may be NULL. */
bool bt_export_has_content(const struct bt_entry *entry);
/* Opens the directory of the document, and returns its name there. BT_E_EXISTS: the name is taken. Links on the way:
 * see base/route.h. */
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
/* A quoted string as Python's json writes it: in ASCII, and invalid bytes as lone surrogates. */
int bt_out_string(struct bt_out *out, const unsigned char *bytes, size_t length);
/* More bytes of a Base64 string; data NULL: zeros. */
int bt_out_base64(struct bt_out *out, const unsigned char *data, uint64_t length);
int bt_out_base64_end(struct bt_out *out);
int bt_out_flush(struct bt_out *out);
uint64_t bt_out_tell(const struct bt_out *out);
int bt_out_rewind(struct bt_out *out, uint64_t offset); /* drops everything from this offset on */

#endif
