/* SPDX-License-Identifier: MIT */
#include "view/bounds.h"
#include "base/bytes.h"
#include "base/fail.h"
#include "store/store.h"

/* A directory of which there are many copies is stored once: so a store may have more entries than bytes. With these
 * 10,000 copies of everything are possible, which nobody has, and a hostile store costs time as its size does. */
#define ENTRIES_A_BYTE	    ((uint64_t)100)
#define ENTRIES_LEAST	    ((uint64_t)1000000)
/* For each entry that is found a path as long as Linux takes it, and a chain of 20,000 levels besides. */
#define PATH_BYTES_AN_ENTRY ((uint64_t)4096)
#define PATH_BYTES_LEAST    ((uint64_t)1 << 30)

static uint64_t possible(const struct bt_store *store)
{
	uint64_t bytes = bt_store_bytes(store);
	return bytes < UINT64_MAX / ENTRIES_A_BYTE / 2 ? bytes * ENTRIES_A_BYTE + ENTRIES_LEAST : UINT64_MAX / 2;
}

struct bt_bounds bt_bounds(const struct bt_store *store, const struct bt_snapshot_info *info)
{
	struct bt_bounds bounds = {.name = info->name, .path_bytes = PATH_BYTES_LEAST};
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
	bounds->path_bytes += PATH_BYTES_AN_ENTRY;
	if (path_bytes > bounds->path_bytes)
		return bt_fail(error, BT_E_INCOMPLETE, bounds->name,
			       "its paths are too long to be gone through in one go; name a directory further down");
	bounds->path_bytes -= path_bytes;
	return 0;
}
