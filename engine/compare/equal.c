/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "compare/run.h"
#include <string.h>

static bool same_chunks(const struct bt_chunk *a, uint32_t a_count, const struct bt_chunk *b, uint32_t b_count)
{
	if (a_count != b_count)
		return false;
	for (uint32_t i = 0; i < a_count; i++)
		if (a[i].size != b[i].size || !bt_digest_equal(&a[i].digest, &b[i].digest))
			return false;
	return true;
}

static bool same_holes(const struct bt_extra *a, const struct bt_extra *b)
{
	if (a->hole_count != b->hole_count)
		return false;
	for (uint32_t i = 0; i < a->hole_count; i++)
		if (a->holes[i].offset != b->holes[i].offset || a->holes[i].length != b->holes[i].length)
			return false;
	return true;
}

/* For a file without a digest of the whole: it could not be read, or is nearly all holes. */
static bool same_pieces(const struct bt_extra *a, const struct bt_extra *b)
{
	if (!a || !b || a->error || b->error)
		return a && b && a->error && b->error;
	return same_chunks(a->chunks, a->chunk_count, b->chunks, b->chunk_count) &&
	       same_chunks(a->chunk_pages, a->chunk_page_count, b->chunk_pages, b->chunk_page_count) &&
	       same_holes(a, b);
}

static bool same_target(const struct bt_extra *a, const struct bt_extra *b)
{
	if (!a || !b || !a->target || !b->target)
		return (a ? a->target : NULL) == (b ? b->target : NULL);
	return a->target_length == b->target_length && memcmp(a->target, b->target, a->target_length) == 0;
}

bool bt_same_content(const struct bt_entry *before, const struct bt_entry *after)
{
	const struct bt_extra *a = before->extra, *b = after->extra;

	switch (before->type) {
	case BT_FILE:
		if (before->size != after->size)
			return false;
		if (before->has_digest && after->has_digest)
			return bt_digest_equal(&before->digest, &after->digest);
		return same_pieces(a, b);
	case BT_SYMLINK:
		return same_target(a, b);
	case BT_CHARDEV:
	case BT_BLOCKDEV:
		return a && b && a->dev_major == b->dev_major && a->dev_minor == b->dev_minor;
	default:
		return true;
	}
}

bool bt_same_metadata(const struct bt_entry *before, const struct bt_entry *after)
{
	if (before->mode != after->mode || before->uid != after->uid || before->gid != after->gid)
		return false;
	/* The mtime of a directory changes when names come or go, which are reported themselves. */
	return before->type == BT_DIR || bt_time_equal(&before->mtime, &after->mtime);
}

bool bt_same_xattrs(const struct bt_entry *before, const struct bt_entry *after)
{
	const struct bt_extra *a = before->extra, *b = after->extra;
	uint32_t count = a ? a->xattr_count : 0;

	if ((a ? a->flags : 0) != (b ? b->flags : 0) || (a ? a->project : 0) != (b ? b->project : 0))
		return false;
	if (count != (b ? b->xattr_count : 0))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		const struct bt_xattr *x = &a->xattrs[i], *y = &b->xattrs[i];

		if (x->name_length != y->name_length || x->value_length != y->value_length ||
		    memcmp(x->name, y->name, x->name_length) || memcmp(x->value, y->value, x->value_length))
			return false;
	}
	return true;
}
