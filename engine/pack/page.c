/* SPDX-License-Identifier: MIT */
#include "pack/inside.h"

#include "base/bytes.h"
#include "base/fail.h"
#include <internal/view.h>
#include <stdlib.h>
#include <string.h>

/* Recently written pages, by the first bytes of their ids. Most pages that come twice in one run are empty directories.
 * A forgotten page is written again, which does no harm. */
enum { RECENT = 16384 };

int bt_pack_pages_new(struct bt_pack *pack)
{
	pack->page_hasher = bt_hasher_new();
	pack->recent = calloc(RECENT, sizeof(*pack->recent));
	return pack->page_hasher && pack->recent ? 0 : BT_E_NOMEM;
}

static struct bt_digest *recent_slot(struct bt_pack *pack, const struct bt_digest *id)
{
	uint32_t hash;

	memcpy(&hash, id->bytes, sizeof(hash));
	return &pack->recent[hash % RECENT];
}

int bt_pack_proves_page(struct bt_store *store, const struct bt_digest *id, bool *ret_sound)
{
	struct bt_error damage = {0};
	const struct bt_page *page;
	int r = bt_page_get(store, id, &page, &damage);

	if (!r)
		bt_page_put(store, page);
	*ret_sound = !r;
	return r == BT_E_NOMEM ? r : 0;
}

/* Whether a file of the store has the page, intact: a page that the new snapshot relies on is read. */
static int is_in_store(struct bt_pack *pack, const struct bt_digest *known, const struct bt_digest *id, bool *ret_there,
		       struct bt_error *error)
{
	bool is_known = known && bt_digest_equal(known, id), has = false;
	int r = bt_store_has(pack->store, id, true, &has, error);

	*ret_there = has;
	if (is_known && !r)
		pack->counts.healed |= !has;
	if (is_known || !has)
		return r;
	r = bt_pack_proves_page(pack->store, id, ret_there);
	pack->counts.healed |= !*ret_there;
	return r;
}

int bt_pack_page(struct bt_pack *pack, const struct bt_digest *known, const char *line, size_t length,
		 struct bt_digest *ret_id, struct bt_error *error)
{
	bool there;
	int r = bt_hasher_digest(pack->page_hasher, line, length, ret_id);

	if (r || pack->dry)
		return r;
	struct bt_digest *slot = recent_slot(pack, ret_id);
	if (bt_digest_equal(slot, ret_id))
		return 0;
	r = is_in_store(pack, known, ret_id, &there, error);
	if (!r && !there)
		r = bt_pack_moved_page(pack, line, length, ret_id, error);
	if (!r)
		*slot = *ret_id;
	return r;
}
