/* SPDX-License-Identifier: MIT */
/* A store with what lies above it: the reader of version 1 files, and the cache of pages. */
#include "model/classic.h"
#include "view/pages.h"

int bt_store_open(const char *path, const struct bt_store_options *options, struct bt_store **ret_store,
		  struct bt_error *error)
{
	const struct bt_store_readers readers = {bt_classic_derive, bt_pages_cache};

	return bt_store_open_with(path, options, &readers, ret_store, error);
}
