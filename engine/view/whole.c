/* SPDX-License-Identifier: MIT */
/* The digests of files that lie in several contents. */
#include "base/bytes.h"
#include "base/fail.h"
#include "codec/hash.h"
#include <internal/view.h>
#include <stdlib.h>
#include <string.h>

struct bt_whole {
	struct bt_hasher *hasher;
	struct bt_digest digest; /* as the entry states it */
};

static bool has_much_to_hash(const struct bt_extra *extra)
{
	return extra->hole_count && extra->hole_sums[extra->hole_count - 1] > BT_WHOLE_HOLES;
}

static bool has_one_in_pieces(const struct bt_entry *file)
{
	const struct bt_extra *extra = file->extra;

	return file->type == BT_FILE && file->has_digest && extra && (extra->has_chunks || extra->chunk_page_count);
}

bool bt_whole_is_unproven(const struct bt_entry *file)
{
	return has_one_in_pieces(file) && has_much_to_hash(file->extra);
}

int bt_whole_begin(const struct bt_entry *file, struct bt_whole **ret_whole, struct bt_error *error)
{
	struct bt_whole *whole = NULL;

	if (has_one_in_pieces(file) && !has_much_to_hash(file->extra)) {
		whole = calloc(1, sizeof(*whole));
		if (whole)
			whole->hasher = bt_hasher_new();
		if (!whole || !whole->hasher) {
			free(whole);
			return bt_fail(error, BT_E_NOMEM, NULL, "hash");
		}
		bt_hasher_start(whole->hasher);
		whole->digest = file->digest;
	}
	*ret_whole = whole;
	return 0;
}

void bt_whole_add(struct bt_whole *whole, const void *data, uint64_t length)
{
	static const unsigned char zeros[16384];

	if (!whole)
		return;
	if (data) {
		bt_hasher_add(whole->hasher, data, length);
		return;
	}
	while (length) {
		size_t part = length < sizeof(zeros) ? (size_t)length : sizeof(zeros);

		bt_hasher_add(whole->hasher, zeros, part);
		length -= part;
	}
}

int bt_whole_end(struct bt_whole *whole, struct bt_error *error)
{
	static const char detail[] = "every content is right, but together they are another file";
	struct bt_digest digest;

	if (!whole)
		return 0;
	if (bt_hasher_finish(whole->hasher, &digest))
		return bt_fail(error, BT_E_NOMEM, NULL, "hash");
	if (bt_digest_equal(&digest, &whole->digest))
		return 0;
	bt_fail_damaged(error, BT_R_DIGEST_MISMATCH, NULL, BT_NO_OFFSET);
	if (error)
		memcpy(error->detail, detail, sizeof(detail));
	return BT_E_DAMAGED;
}

void bt_whole_free(struct bt_whole *whole)
{
	if (!whole)
		return;
	bt_hasher_free(whole->hasher);
	free(whole);
}
