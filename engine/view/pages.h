/* SPDX-License-Identifier: MIT */
/* The cache of parsed pages, which the store keeps (bt_store_pages). */
#ifndef BT_VIEW_PAGES_H
#define BT_VIEW_PAGES_H

#include "model/page.h"
#include "store/store.h"
#include <internal/view.h>

extern const struct bt_cache_options bt_pages_cache;
/* What one thread at a time reads the pages of a directory with. Zero-initialise. */
struct bt_page_reader {
	struct bt_page_ahead ahead;
	struct bt_page_room room; /* its expected is the caller's */
	struct bt_buf line;
	/* Of bt_page_skim. */
	bool skimmed;
	struct bt_text text;
	struct bt_digest id;
	struct bt_location location;
};
void bt_page_reader_free(struct bt_page_reader *reader);
/* Asked about the line of a page before it is parsed, after it was verified by its id. */
struct bt_page_skim {
	void *arg;
	bool (*passes)(void *arg, const char *line, size_t length); /* true: nothing on it, and below it, is wanted */
};
/* Asks. If the page does not pass, the next bt_page_read of this reader may be of it, and reads it no more. */
int bt_page_skim(struct bt_store *store, struct bt_page_reader *reader, const struct bt_digest *id, bool in_order,
		 const struct bt_page_skim *skim, bool *ret_passes, struct bt_error *error);
/* Like bt_page_get. in_order: the page may lie after the one of bt_page_leave. */
int bt_page_read(struct bt_store *store, struct bt_page_reader *reader, const struct bt_digest *id, bool in_order,
		 const struct bt_page **ret_page, struct bt_error *error);
/* Gives a page back, and notes where the next one may lie. once: it is hardly wanted again, so that it does not stay in
 * the cache: the next one takes its memory, instead of memory that was not touched for long. */
void bt_page_leave(struct bt_store *store, struct bt_page_reader *reader, const struct bt_page *page, bool once);
/* Like bt_page_get; a page of another kind is BT_R_BAD_TYPE. */
int bt_page_get_kind(struct bt_store *store, const struct bt_digest *id, enum bt_page_kind kind,
		     const struct bt_page **ret_page, struct bt_error *error);
/* Gets a chunk page, and checks that its chunks have as many bytes as stated. */
int bt_chunk_page_get(struct bt_store *store, const struct bt_chunk *stated, const struct bt_page **ret_page,
		      struct bt_error *error);
/* Fails with damage in a page from bt_page_get, and names its file and offset. */
int bt_page_fail(struct bt_store *store, const struct bt_page *page, enum bt_reason reason, struct bt_error *error);
/* Fails with BT_E_INCOMPLETE and the name of an entry that was not read when the snapshot was taken. */
int bt_fail_unread(struct bt_error *error, const struct bt_entry *entry);

#endif
