/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "export/parts.h"
#include <stdlib.h>

/* The first free slot, or that of the digest. */
static size_t find_slot(const struct bt_digests *set, const struct bt_digest *digest)
{
	size_t slot = (size_t)bt_hash_bytes(digest, sizeof(*digest), (uintptr_t)set->slots) & (set->capacity - 1);
	while (set->used[slot] && !bt_digest_equal(&set->slots[slot], digest))
		slot = (slot + 1) & (set->capacity - 1);
	return slot;
}

static void put(struct bt_digests *set, const struct bt_digest *digest)
{
	size_t slot = find_slot(set, digest);
	set->slots[slot] = *digest;
	set->used[slot] = 1;
	set->count++;
}

static int grow(struct bt_digests *set)
{
	struct bt_digests larger = {.capacity = set->capacity ? 2 * set->capacity : 256};
	larger.slots = calloc(larger.capacity, sizeof(*larger.slots));
	larger.used = calloc(larger.capacity, 1);
	if (!larger.slots || !larger.used) {
		bt_digests_free(&larger);
		return BT_E_NOMEM;
	}
	for (size_t i = 0; i < set->capacity; i++) {
		if (set->used[i])
			put(&larger, &set->slots[i]);
	}
	bt_digests_free(set);
	*set = larger;
	return 0;
}

int bt_digests_add(struct bt_digests *set, const struct bt_digest *digest, bool *ret_new)
{
	if (set->count >= set->capacity / 2 && grow(set))
		return BT_E_NOMEM;
	*ret_new = !set->used[find_slot(set, digest)];
	if (*ret_new)
		put(set, digest);
	return 0;
}

void bt_digests_free(struct bt_digests *set)
{
	free(set->slots);
	free(set->used);
	*set = (struct bt_digests){0};
}
