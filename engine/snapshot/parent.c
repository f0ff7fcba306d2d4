/* SPDX-License-Identifier: MIT */
#include "snapshot/parent.h"

#include "store/store.h"
#include <backuptool/policy.h>
#include <string.h>

/* The names of version 1 carry local time, without zone. Opening one would mean reading all of it. */
static bool may_be_parent(const char *name)
{
	const char *z = strrchr(name, 'Z');

	return z && (strcmp(z, "Z.json") == 0 || z[1] == '-');
}

static bool fits(struct bt_store *store, const struct bt_snapshot_info *info, const char *host, const char *target)
{
	const struct bt_page *page;
	struct bt_error damage = {0};

	if (info->classic || strcmp(info->host, host) != 0 || strcmp(info->target, target) != 0)
		return false;
	if (bt_page_get(store, &info->root.digest, &page, &damage) != 0)
		return false;
	bt_page_put(store, page);
	return true;
}

static bool is_later(const char *name, int64_t now)
{
	int64_t seconds;
	unsigned clash;

	return bt_snapshot_name_parse(name, &seconds, &clash) == 0 && seconds > now;
}

/* The newest of those that are later than now, or of those that are not. */
static int find(const struct bt_snap_run *run, const char *host, const char *target, bool later,
		struct bt_snapshot **ret_parent)
{
	struct bt_store *store = run->store;

	for (size_t i = bt_store_snapshot_count(store); i-- > 0;) {
		const char *name = bt_store_snapshot_name(store, i);
		struct bt_snapshot *snapshot;
		struct bt_error damage = {0};

		if (!may_be_parent(name) || is_later(name, run->time.seconds) != later)
			continue;
		int result = bt_snapshot_open(store, name, &snapshot, &damage);
		if (result == BT_E_NOMEM)
			return result;
		if (result != 0)
			continue;
		if (fits(store, bt_snapshot_info(snapshot), host, target)) {
			*ret_parent = snapshot;
			return 0;
		}
		bt_snapshot_close(snapshot);
	}
	*ret_parent = NULL;
	return 0;
}

/* One that was taken while the clock was wrong, in the future, would stay the newest until then. */
int bt_snap_parent_find(const struct bt_snap_run *run, const char *host, const char *target,
			struct bt_snapshot **ret_parent)
{
	int result = find(run, host, target, false, ret_parent);

	return result == 0 && !*ret_parent ? find(run, host, target, true, ret_parent) : result;
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

	if (bt_page_get(store, id, &page, &damage) != 0)
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
