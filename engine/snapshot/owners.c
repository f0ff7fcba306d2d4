/* SPDX-License-Identifier: MIT */
#include "snapshot/owners.h"

#include "base/account.h"
#include "model/owners.h"
#include "store/file.h"
#include <stdlib.h>
#include <string.h>

/* What a name takes in the page besides its bytes, each of which may be escaped. */
enum { FRAME_BYTES = 32, ESCAPED = 2 };

void bt_snap_owners_free(struct bt_snap_owners *owners)
{
	bt_digest_set_free(&owners->seen);
	for (int kind = 0; kind < BT_OWNER_KINDS; kind++)
		bt_buf_free(&owners->ids[kind]);
}

/* Numbers beyond what a page can hold are left out. */
static int add_owner(struct bt_snap_owners *owners, enum bt_owner_kind kind, uint32_t id)
{
	struct bt_buf *ids = &owners->ids[kind];

	if ((ids->length && owners->last[kind] == id) || id == UINT32_MAX)
		return 0;
	if (ids->length / sizeof(id) >= BT_OWNER_NAMES_MAX)
		return 0;
	int r = bt_digest_set_add_key(&owners->seen, (struct bt_table_key){id, (uint64_t)kind + 1});
	if (r > 0)
		r = bt_buf_append(ids, &id, sizeof(id));
	owners->last[kind] = id;
	return r;
}

static int add_acl(struct bt_snap_owners *owners, const struct bt_xattr *xattr)
{
	size_t length = bt_acl_length(xattr);
	enum bt_owner_kind kind;
	uint32_t id;
	int r = 0;

	for (size_t i = 0; i < length && !r; i++)
		if (bt_acl_owner(xattr, i, &kind, &id))
			r = add_owner(owners, kind, id);
	return r;
}

int bt_snap_owners_add(struct bt_snap_owners *owners, const struct bt_entry *entry)
{
	int r = add_owner(owners, BT_OWNER_USER, entry->uid);

	if (!r)
		r = add_owner(owners, BT_OWNER_GROUP, entry->gid);
	for (uint32_t i = 0; !r && entry->extra && i < entry->extra->xattr_count; i++)
		r = add_acl(owners, &entry->extra->xattrs[i]);
	return r;
}

int bt_snap_owners_join(struct bt_snap_owners *owners, const struct bt_owners *parent)
{
	int r = 0;

	for (enum bt_owner_kind kind = 0; kind < BT_OWNER_KINDS; kind++) {
		const struct bt_owner_name *list = NULL;
		size_t count = bt_owners_list(parent, kind, &list);

		for (size_t i = 0; i < count && !r; i++)
			r = add_owner(owners, kind, list[i].id);
	}
	return r;
}

/* The names being found. */
struct search {
	const struct bt_owners *parent;
	int64_t end; /* from then on nothing is looked up */
	size_t room; /* bytes that the page may still take */
	struct bt_arena arena;
};

static int by_id(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* NULL: none, or none that the page can hold. */
static const char *find_name(struct search *search, enum bt_owner_kind kind, uint32_t id, char room[BT_ACCOUNT_SIZE])
{
	const char *name = bt_account_in_time(search->end) && bt_account_name(kind, id, room) ? room : NULL;

	if (name && !bt_owner_name_valid(name, strlen(name)))
		return NULL;
	return name ? name : bt_owners_find(search->parent, kind, id);
}

static int add_name(struct search *search, uint32_t id, const char *name, struct bt_buf *list)
{
	size_t length = strlen(name), size = FRAME_BYTES + ESCAPED * length;

	if (size > search->room)
		return 0;
	search->room -= size;
	const struct bt_owner_name found = {id, bt_arena_copy(&search->arena, name, length)};
	return found.name ? bt_buf_append(list, &found, sizeof(found)) : BT_E_NOMEM;
}

static int find_names(struct search *search, enum bt_owner_kind kind, struct bt_buf *ids, struct bt_buf *list)
{
	size_t count = ids->length / sizeof(uint32_t);
	int r = 0;

	if (count)
		qsort(ids->data, count, sizeof(uint32_t), by_id);
	for (size_t i = 0; i < count && !r; i++) {
		char room[BT_ACCOUNT_SIZE];
		uint32_t id;

		memcpy(&id, ids->data + i * sizeof(id), sizeof(id));
		const char *name = find_name(search, kind, id, room);
		r = name ? add_name(search, id, name, list) : 0;
	}
	return r;
}

int bt_snap_owners_write(struct bt_snap_owners *owners, const struct bt_owners *parent, struct bt_buf *out)
{
	struct search search = {.parent = parent, .end = bt_account_deadline(), .room = BT_PAGE_MAX - FRAME_BYTES};
	struct bt_buf lists[BT_OWNER_KINDS] = {{0}};
	struct bt_owner_names names = {0};
	int r = 0;

	for (enum bt_owner_kind kind = 0; kind < BT_OWNER_KINDS && !r; kind++) {
		r = find_names(&search, kind, &owners->ids[kind], &lists[kind]);
		names.lists[kind] = (const void *)lists[kind].data;
		names.counts[kind] = lists[kind].length / sizeof(struct bt_owner_name);
	}
	if (!r && names.counts[BT_OWNER_USER] + names.counts[BT_OWNER_GROUP])
		r = bt_owner_names_write(out, &names);
	for (int kind = 0; kind < BT_OWNER_KINDS; kind++)
		bt_buf_free(&lists[kind]);
	bt_arena_free(&search.arena);
	return r;
}
