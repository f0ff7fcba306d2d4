/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "view/pages.h"
#include <stdlib.h>

struct bt_owners {
	struct bt_store *store;
	const struct bt_page *page; /* NULL: the snapshot has none */
};

int bt_owners_open(struct bt_store *store, const struct bt_snapshot *snapshot, struct bt_owners **ret_names,
		   struct bt_error *error)
{
	const struct bt_snapshot_info *info = bt_snapshot_info(snapshot);
	struct bt_owners *names = calloc(1, sizeof(*names));
	int r = names ? 0 : bt_fail(error, BT_E_NOMEM, info->name, NULL);

	if (!r && info->has_names)
		r = bt_page_get_kind(store, &info->names, BT_PAGE_NAMES, &names->page, error);
	if (r) {
		free(names);
		return r;
	}
	names->store = store;
	*ret_names = names;
	return 0;
}

void bt_owners_close(struct bt_owners *names)
{
	if (!names)
		return;
	bt_page_put(names->store, names->page);
	free(names);
}

size_t bt_owners_list(const struct bt_owners *names, enum bt_owner_kind kind, const struct bt_owner_name **ret_list)
{
	if (!names || !names->page)
		return 0;
	*ret_list = names->page->names->lists[kind];
	return names->page->names->counts[kind];
}

static int by_id(const void *id, const void *name)
{
	uint32_t a = *(const uint32_t *)id, b = ((const struct bt_owner_name *)name)->id;

	return a < b ? -1 : a > b;
}

const char *bt_owners_find(const struct bt_owners *names, enum bt_owner_kind kind, uint32_t id)
{
	const struct bt_owner_name *list = NULL, *found;
	size_t count = bt_owners_list(names, kind, &list);

	found = count ? bsearch(&id, list, count, sizeof(*list), by_id) : NULL;
	return found ? found->name : NULL;
}
