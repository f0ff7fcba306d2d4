/* SPDX-License-Identifier: MIT */
/* A store with what this room adds: files of version 1, and the cache of pages. */
#include "model/classic.h"
#include "view/pages.h"

int bt_store_open(const char *path, const struct bt_store_options *options, struct bt_store **ret_store,
		  struct bt_error *error)
{
	static const struct bt_foreign classic = {bt_classic_detect, bt_classic_derive};
	struct bt_store *store;
	int r = bt_store_open_with(path, options, &classic, &store, error);

	if (r)
		return r;
	r = bt_pages_attach(store, error);
	if (r)
		bt_store_close(store);
	else
		*ret_store = store;
	return r;
}
