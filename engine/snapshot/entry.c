/* SPDX-License-Identifier: MIT */
#include "snapshot/entry.h"

#include "base/bytes.h"
#include "model/page.h"
#include <string.h>
#include <time.h>

#define BILLION	     1000000000
#define FINE_SLACK   50000000	/* ns: several ticks of a kernel's clock */
#define COARSE_SLACK 2000000000 /* ns: for file systems that keep no fraction */

static bool safely_older(const struct bt_time *time, const struct bt_time *read_at)
{
	int64_t slack = time->nanoseconds != 0 ? FINE_SLACK : COARSE_SLACK, gap;

	if (__builtin_sub_overflow(read_at->seconds, time->seconds, &gap))
		return time->seconds < 0;
	if (gap > 10 || gap < 0)
		return gap > 0;
	return gap * BILLION + (int64_t)read_at->nanoseconds - (int64_t)time->nanoseconds >= slack;
}

void bt_snap_stamp(struct bt_entry *entry, const struct bt_found *seen, const struct bt_time *read_at)
{
	if (!safely_older(&seen->ctime, read_at) || !safely_older(&seen->mtime, read_at))
		return;
	entry->stat = bt_found_fingerprint(seen);
	entry->has_stat = true;
}

void bt_snap_now(struct bt_time *ret_time)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	*ret_time = (struct bt_time){now.tv_sec, (uint32_t)now.tv_nsec};
}

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
	*extra = copy;
	return 0;
}

static int write_bare(struct bt_buf *out, const struct bt_entry *entry)
{
	struct bt_entry bare = *entry;

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
	int result = write_bare(a, one);

	if (result == 0)
		result = write_bare(b, other);
	if (result == 0)
		*ret_same = a->length == b->length && memcmp(a->data, b->data, a->length) == 0;
	return result;
}
