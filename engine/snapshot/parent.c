/* SPDX-License-Identifier: MIT */
#include "snapshot/parent.h"

#include "store/store.h"
#include "view/select.h"
#include <internal/view.h>
#include <string.h>

static bool fits(struct bt_store *store, const struct bt_snapshot_info *info, const char *host, const char *target)
{
	const struct bt_page *page;
	struct bt_error damage = {0};

	if (info->classic || strcmp(info->host, host) != 0 || strcmp(info->target, target) != 0)
		return false;
	if (bt_page_get(store, &info->root.digest, &page, &damage))
		return false;
	bt_page_put(store, page);
	return true;
}

static int note_partial(struct bt_store *store, const struct bt_snapshot_info *info, struct bt_buf *partials)
{
	uint32_t ordinal;

	if (info->pinned || info->tag_count > 0 || bt_store_file_named(store, info->name, &ordinal))
		return 0;
	return bt_buf_append(partials, &ordinal, sizeof(ordinal));
}

/* Takes the snapshot over. *parent is the best one so far. */
static int consider(struct bt_store *store, struct bt_snapshot *snapshot, struct bt_snapshot **parent,
		    struct bt_buf *partials)
{
	const struct bt_snapshot_info *info = bt_snapshot_info(snapshot);
	int r = info->partial ? note_partial(store, info, partials) : 0;

	if (*parent && info->partial) {
		bt_snapshot_close(snapshot);
		return r;
	}
	bt_snapshot_close(*parent);
	*parent = snapshot;
	return r;
}

static bool is_found(const struct bt_snapshot *parent)
{
	return parent && !bt_snapshot_info(parent)->partial;
}

int bt_snap_parent_find(const struct bt_snap_plan *plan, const char *host, const char *target,
			struct bt_snapshot **ret_parent, struct bt_buf *partials)
{
	struct bt_store *store = plan->store;
	struct bt_newest newest;
	const char *name;
	int r = 0;

	*ret_parent = NULL;
	bt_newest_begin(&newest, store, plan->time.seconds);
	for (name = bt_newest_next(&newest); name && !is_found(*ret_parent); name = bt_newest_next(&newest)) {
		struct bt_snapshot *snapshot;
		struct bt_error damage = {0};

		if (bt_name_is_classic(name))
			continue;
		r = bt_snapshot_open(store, name, &snapshot, &damage);
		if (r == BT_E_NOMEM)
			break;
		if (r)
			continue;
		if (fits(store, bt_snapshot_info(snapshot), host, target))
			r = consider(store, snapshot, ret_parent, partials);
		else
			bt_snapshot_close(snapshot);
		if (r)
			break;
	}
	bt_newest_end(&newest);
	return r == BT_E_NOMEM ? r : 0;
}

static bool content_there(struct bt_store *store, const struct bt_digest *digest)
{
	struct bt_error error = {0};
	bool has;

	return bt_store_has(store, digest, false, &has, &error) == 0 && has;
}

static bool chunks_there(struct bt_store *store, const struct bt_chunk *chunks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!content_there(store, &chunks[i].digest))
			return false;
	return true;
}

static bool page_there(struct bt_store *store, const struct bt_digest *id)
{
	const struct bt_page *page;
	struct bt_error damage = {0};

	if (bt_page_get(store, id, &page, &damage))
		return false;
	bool there = page->kind == BT_PAGE_CHUNKS && chunks_there(store, page->chunks, page->count);
	bt_page_put(store, page);
	return there;
}

bool bt_snap_contents_there(struct bt_store *store, const struct bt_entry *file)
{
	const struct bt_extra *extra = file->extra;

	for (uint32_t i = 0; extra && i < extra->chunk_page_count; i++)
		if (!page_there(store, &extra->chunk_pages[i].digest))
			return false;
	if (extra && extra->chunk_page_count > 0)
		return true;
	if (extra && extra->has_chunks)
		return chunks_there(store, extra->chunks, extra->chunk_count);
	return file->size == 0 || (file->has_digest && content_there(store, &file->digest));
}
