/* SPDX-License-Identifier: MIT */
#include "snapshot/entry.h"

#include "model/page.h"
#include <string.h>

static const void *copy_list(struct bt_arena *arena, const void *list, size_t count, size_t size, bool *failed)
{
	if (!list || count == 0)
		return NULL;
	void *copy = bt_arena_copy(arena, list, count * size);

	*failed |= !copy;
	return copy;
}

static const struct bt_xattr *copy_xattrs(struct bt_arena *arena, const struct bt_extra *from, bool *failed)
{
	const struct bt_xattr *list = copy_list(arena, from->xattrs, from->xattr_count, sizeof(*list), failed);
	struct bt_xattr *copy = (struct bt_xattr *)list;

	for (uint32_t i = 0; copy && i < from->xattr_count; i++) {
		copy[i].name = bt_arena_copy(arena, copy[i].name, copy[i].name_length);
		copy[i].value = bt_arena_copy(arena, copy[i].value, copy[i].value_length);
		*failed |= !copy[i].name || !copy[i].value;
	}
	return copy;
}

static int copy_extra(struct bt_arena *arena, const struct bt_extra *from, struct bt_extra *to)
{
	bool failed = false;

	*to = *from;
	to->chunks = copy_list(arena, from->chunks, from->chunk_count, sizeof(*from->chunks), &failed);
	to->chunk_pages =
		copy_list(arena, from->chunk_pages, from->chunk_page_count, sizeof(*from->chunk_pages), &failed);
	to->holes = copy_list(arena, from->holes, from->hole_count, sizeof(*from->holes), &failed);
	to->hole_sums = NULL;
	to->xattrs = copy_xattrs(arena, from, &failed);
	to->target = from->target ? copy_list(arena, from->target, (size_t)from->target_length + 1, 1, &failed) : NULL;
	to->boundary = from->boundary ? copy_list(arena, from->boundary, strlen(from->boundary) + 1, 1, &failed) : NULL;
	to->further = from->further ? copy_list(arena, from->further, strlen(from->further) + 1, 1, &failed) : NULL;
	to->error = from->error ? copy_list(arena, from->error, strlen(from->error) + 1, 1, &failed) : NULL;
	return failed ? BT_E_NOMEM : 0;
}

int bt_snap_entry_copy(struct bt_arena *arena, const struct bt_entry *entry, struct bt_entry *ret_copy)
{
	struct bt_entry copy = *entry;

	copy.name = bt_arena_copy(arena, entry->name, entry->name_length);
	copy.extra = NULL;
	if (!copy.name)
		return BT_E_NOMEM;
	if (entry->extra) {
		struct bt_extra *extra = bt_found_extra(arena, &copy);

		if (!extra || copy_extra(arena, entry->extra, extra) != 0)
			return BT_E_NOMEM;
	}
	*ret_copy = copy;
	return 0;
}

int bt_snap_take_over(struct bt_arena *arena, const struct bt_entry *from, struct bt_entry *to)
{
	to->digest = from->digest;
	to->has_digest = from->has_digest;
	if (!from->extra)
		return 0;
	struct bt_extra *extra = bt_found_extra(arena, to), copy;

	if (!extra || copy_extra(arena, from->extra, &copy) != 0)
		return BT_E_NOMEM;
	copy.dev_major = extra->dev_major;
	copy.dev_minor = extra->dev_minor;
	copy.inode = extra->inode;
	copy.links = extra->links;
	copy.dev = extra->dev;
	copy.btime = extra->btime;
	copy.has_btime = extra->has_btime;
	*extra = copy;
	return 0;
}

/* Without what is no difference between two entries. */
static int write_bare(struct bt_buf *out, const struct bt_entry *entry)
{
	struct bt_entry bare = *entry;
	struct bt_extra extra;

	if (entry->extra) {
		extra = *entry->extra;
		extra.further = NULL;
		extra.has_btime = false;
		bare.extra = &extra;
	}
	bare.name = "";
	bare.name_length = 0;
	bare.has_stat = false;
	if (bare.type == BT_DIR)
		memset(&bare.digest, 0, sizeof(bare.digest));
	out->length = 0;
	return bt_entry_write(out, &bare);
}

int bt_snap_entry_same(struct bt_buf *a, struct bt_buf *b, const struct bt_entry *one, const struct bt_entry *other,
		       bool *ret_same)
{
	int r = write_bare(a, one);

	if (!r)
		r = write_bare(b, other);
	if (!r)
		*ret_same = a->length == b->length && memcmp(a->data, b->data, a->length) == 0;
	return r;
}
