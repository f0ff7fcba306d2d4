/* SPDX-License-Identifier: MIT */
/* What is no longer in the newest snapshot of its host and directory. */
#include "base/fail.h"
#include "base/vec.h"
#include "search/run.h"
#include <stdlib.h>
#include <string.h>

static bool same_group(const struct bt_snapshot_info *a, const struct bt_snapshot_info *b)
{
	return !strcmp(a->host, b->host) && !strcmp(a->target, b->target);
}

const struct bt_snapshot_info *bt_heads_of(const struct bt_heads *heads, const struct bt_snapshot_info *info)
{
	for (size_t i = 0; i < heads->count; i++)
		if (same_group(bt_snapshot_info(heads->snapshots[i]), info))
			return bt_snapshot_info(heads->snapshots[i]);
	return NULL;
}

static int add_newest(struct bt_heads *heads, struct bt_store *store, const char *name)
{
	struct bt_snapshot *snapshot;
	struct bt_error unused = {0};
	int r = bt_snapshot_open(store, name, &snapshot, &unused);

	if (r)
		return r == BT_E_NOMEM ? r : 0;
	const struct bt_snapshot_info *info = bt_snapshot_info(snapshot);
	bool wanted = !info->partial && !bt_heads_of(heads, info);
	if (wanted && bt_vec_room(heads->snapshots, heads->count, heads->room))
		r = BT_E_NOMEM;
	if (wanted && !r)
		heads->snapshots[heads->count++] = snapshot;
	else
		bt_snapshot_close(snapshot);
	return r;
}

int bt_heads_begin(struct bt_heads *heads, struct bt_store *store, const struct bt_roster *roster)
{
	int r = 0;

	for (size_t i = roster->count; i-- > 0 && !r;)
		r = add_newest(heads, store, roster->names[i]);
	return r;
}

void bt_heads_end(struct bt_heads *heads)
{
	for (size_t i = 0; i < heads->count; i++)
		bt_snapshot_close(heads->snapshots[i]);
	free(heads->snapshots);
}

/* A directory that could not be read, or was not entered, may have anything in it. */
struct bt_now bt_now_of(const struct bt_entry *entry)
{
	const struct bt_extra *extra = entry->extra;

	if (entry->type != BT_DIR)
		return (struct bt_now){.kind = BT_NOW_NOTHING};
	if (!entry->has_digest || (extra && (extra->error || extra->boundary)))
		return (struct bt_now){.kind = BT_NOW_UNKNOWN};
	return (struct bt_now){BT_NOW_DIR, entry->digest};
}

int bt_now_below(struct bt_store *store, const struct bt_now *above, const struct bt_entry *entry,
		 struct bt_now *ret_now, bool *ret_deleted, struct bt_error *error)
{
	const struct bt_page *page = NULL;
	const struct bt_entry *found;
	int r = BT_E_NOT_FOUND;

	*ret_now = (struct bt_now){.kind = BT_NOW_UNKNOWN};
	*ret_deleted = false;
	if (above->kind == BT_NOW_UNKNOWN)
		return 0;
	if (above->kind == BT_NOW_DIR)
		r = bt_dir_lookup(store, &above->tree, entry->name, entry->name_length, &page, &found, error);
	if (r && r != BT_E_NOT_FOUND)
		return r;
	*ret_deleted = r;
	*ret_now = r ? (struct bt_now){.kind = BT_NOW_NOTHING} : bt_now_of(found);
	bt_page_put(store, page);
	return 0;
}
