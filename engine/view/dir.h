/* SPDX-License-Identifier: MIT */
/* Large parts of directories that need not be read, because the same pages were seen before. */
#ifndef BT_VIEW_DIR_H
#define BT_VIEW_DIR_H

#include "view/pages.h"

/* Asked by bt_dir_next about pages that probably stand for others. depth: index pages above it, at least 1. */
struct bt_dir_filter {
	void *arg;
	bool (*skips)(void *arg, const struct bt_digest *page, size_t depth); /* true: nothing below it is given */
	void (*ended)(void *arg, const struct bt_digest *page, size_t depth); /* all below it was given; may be NULL */
	bool leaves;							      /* asked about single leaves, too */
};
void bt_dir_set_filter(struct bt_dir *dir, const struct bt_dir_filter *filter); /* which must outlive the directory */

/* Like bt_dir_new; the first page is read with a reader that outlives the directory. skim is asked about each page that
 * is to be read, and must outlive the directory, too; or NULL. *ret_dir NULL: the first page passed. */
int bt_dir_open(struct bt_store *store, const struct bt_digest *tree, struct bt_page_reader *reader,
		const struct bt_page_skim *skim, struct bt_dir **ret_dir, struct bt_error *error);
/* All is read in order, and hardly again: pages below an index page do not stay in memory. */
void bt_dir_read_once(struct bt_dir *dir);
/* Makes both go on after what follows in both and is equal, page by page. What cannot be read is left to bt_dir_next.
 */
void bt_dir_skip_common(struct bt_dir *a, struct bt_dir *b);

#endif
