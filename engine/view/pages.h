/* SPDX-License-Identifier: MIT */
/* The cache of parsed pages, kept with the store (bt_store_attach). */
#ifndef BT_VIEW_PAGES_H
#define BT_VIEW_PAGES_H

#include "store/store.h"
#include <internal/view.h>

int bt_pages_attach(struct bt_store *store, struct bt_error *error);
/* The page of this kind; another kind is BT_R_BAD_TYPE. */
int bt_page_get_kind(struct bt_store *store, const struct bt_digest *id, enum bt_page_kind kind,
		     const struct bt_page **ret_page, struct bt_error *error);
/* A chunk page that stands for as many bytes as it has. */
int bt_chunk_page_get(struct bt_store *store, const struct bt_chunk *stated, const struct bt_page **ret_page,
		      struct bt_error *error);
/* Damage in a page from bt_page_get, with the file and offset where it lies. */
int bt_page_fail(struct bt_store *store, const struct bt_page *page, enum bt_reason reason, struct bt_error *error);
/* Of an entry that has nothing to give, with its name, as BT_E_INCOMPLETE. */
int bt_fail_unread(struct bt_error *error, const struct bt_entry *entry);

#endif
