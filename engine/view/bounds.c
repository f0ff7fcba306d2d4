/* SPDX-License-Identifier: MIT */
#include "view/bounds.h"
#include "base/bytes.h"
#include "base/fail.h"
#include "store/store.h"

/* Identical directories are stored once, so a store may have more entries than bytes. This factor allows for 10,000
 * copies of everything, more than real stores have, and the time that a hostile store costs is bounded by its size. */
#define ENTRIES_A_BYTE ((uint64_t)100)
#define ENTRIES_LEAST  ((uint64_t)1000000)

static uint64_t possible(const struct bt_store *store)
{
	uint64_t bytes = bt_store_text_bytes(store);

	return bytes < UINT64_MAX / ENTRIES_A_BYTE / 2 ? bytes * ENTRIES_A_BYTE + ENTRIES_LEAST : UINT64_MAX / 2;
}

struct bt_bounds bt_bounds_of(const struct bt_store *store, const struct bt_snapshot_info *info)
{
	struct bt_bounds bounds = {.name = info->name, .room = {BT_PATH_ROOM_FIRST}};

	if (bt_add_overflows(info->files, info->directories, &bounds.entries) ||
	    bt_add_overflows(bounds.entries, info->others, &bounds.entries) || bounds.entries > possible(store))
		bounds.entries = 0;
	return bounds;
}

int bt_bounds_take(struct bt_bounds *bounds, size_t path_bytes, struct bt_error *error)
{
	if (!bounds->entries)
		return bt_fail_damaged(error, BT_R_BAD_SIZE, bounds->name, BT_NO_OFFSET);
	bounds->entries--;
	if (!bt_path_room_take(&bounds->room, path_bytes))
		return bt_fail(error, BT_E_INCOMPLETE, bounds->name,
			       "its paths are too long to be gone through in one go; name a directory further down");
	return 0;
}
