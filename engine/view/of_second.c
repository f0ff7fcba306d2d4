/* SPDX-License-Identifier: MIT */
/* Snapshots of one second, in a store that may have very many others. */
#include "base/fail.h"
#include "view/select.h"
#include <backuptool/view.h>
#include <internal/policy.h>
#include <string.h>

/* The first index whose name is not of an earlier second: names are in the order of time. */
static size_t first_of(struct bt_store *store, int64_t seconds)
{
	size_t low = 0, high = bt_store_snapshot_count(store);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int64_t found = 0;
		unsigned clash;

		bt_snapshot_name_parse(bt_store_snapshot_name(store, middle), &found, &clash);
		if (found < seconds)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int ask(struct bt_store *store, const char *name, bool (*fits)(void *arg, const struct bt_snapshot_info *info),
	       void *arg, bool *ret_fits, struct bt_error *error)
{
	struct bt_snapshot *snapshot;
	struct bt_error found = {0};
	int r = bt_snapshot_open(store, name, &snapshot, &found);

	*ret_fits = false;
	if (r)
		return r == BT_E_DAMAGED || r == BT_E_UNSUPPORTED ? 0 : bt_error_pass(error, &found, r);
	*ret_fits = fits(arg, bt_snapshot_info(snapshot));
	bt_snapshot_close(snapshot);
	return 0;
}

int bt_find_of_second(struct bt_store *store, int64_t seconds,
		      bool (*fits)(void *arg, const struct bt_snapshot_info *info), void *arg, const char **ret_name,
		      struct bt_error *error)
{
	const char *name;
	bool found = false;
	int r = 0;

	*ret_name = NULL;
	for (size_t i = first_of(store, seconds); !r && !found && (name = bt_store_snapshot_name(store, i)); i++) {
		int64_t own;
		unsigned clash;

		if (bt_snapshot_name_parse(name, &own, &clash) || own != seconds)
			break;
		r = ask(store, name, fits, arg, &found, error);
		if (found)
			*ret_name = name;
	}
	return r;
}
