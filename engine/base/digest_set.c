/* SPDX-License-Identifier: MIT */
#include "base/digest_set.h"
#include <backuptool/error.h>
#include <stdlib.h>
#include <string.h>

static struct bt_digest_key key_of(const struct bt_digest *digest)
{
	struct bt_digest_key key;

	memcpy(&key, digest->bytes, sizeof(key));
	key.a |= !key.a && !key.b; /* {0, 0} marks a free slot */
	return key;
}

static bool is_free(const struct bt_digest_key *slot)
{
	return !slot->a && !slot->b;
}

static size_t home_of(const struct bt_digest_set *set, const struct bt_digest_key *key)
{
	return bt_seeded_hash(&set->seed, key, sizeof(*key)) & (set->capacity - 1);
}

static struct bt_digest_key *slot_of(const struct bt_digest_set *set, const struct bt_digest_key *key)
{
	size_t mask = set->capacity - 1, at = home_of(set, key);

	while (!is_free(&set->slots[at]) && (set->slots[at].a != key->a || set->slots[at].b != key->b))
		at = (at + 1) & mask;
	return &set->slots[at];
}

static int grow(struct bt_digest_set *set)
{
	struct bt_digest_set larger = {
		.capacity = set->capacity ? set->capacity * 2 : 1024, .count = set->count, .seed = bt_seed()};

	larger.slots = calloc(larger.capacity, sizeof(*larger.slots));
	if (!larger.slots)
		return BT_E_NOMEM;
	for (size_t i = 0; i < set->capacity; i++)
		if (!is_free(&set->slots[i]))
			*slot_of(&larger, &set->slots[i]) = set->slots[i];
	free(set->slots);
	*set = larger;
	return 0;
}

static int add_key(struct bt_digest_set *set, const struct bt_digest_key *key)
{
	struct bt_digest_key *slot;

	if (set->count * 3 >= set->capacity * 2 && grow(set))
		return BT_E_NOMEM;
	slot = slot_of(set, key);
	if (!is_free(slot))
		return 0;
	*slot = *key;
	set->count++;
	return 1;
}

int bt_digest_set_add(struct bt_digest_set *set, const struct bt_digest *digest)
{
	const struct bt_digest_key key = key_of(digest);

	return add_key(set, &key);
}

int bt_digest_set_join(struct bt_digest_set *set, const struct bt_digest_set *other)
{
	int r = 0;

	for (size_t i = 0; i < other->capacity && r >= 0; i++)
		if (!is_free(&other->slots[i]))
			r = add_key(set, &other->slots[i]);
	return r < 0 ? r : 0;
}

/* Those after the gap that would not be found any more are moved into it. */
static void close_gap(struct bt_digest_set *set, size_t gap)
{
	size_t mask = set->capacity - 1;

	for (size_t i = (gap + 1) & mask; !is_free(&set->slots[i]); i = (i + 1) & mask) {
		size_t home = home_of(set, &set->slots[i]);

		if (((i - home) & mask) < ((i - gap) & mask))
			continue;
		set->slots[gap] = set->slots[i];
		gap = i;
	}
	set->slots[gap] = (struct bt_digest_key){0};
}

void bt_digest_set_remove(struct bt_digest_set *set, const struct bt_digest *digest)
{
	const struct bt_digest_key key = key_of(digest);

	if (!set->capacity)
		return;
	struct bt_digest_key *slot = slot_of(set, &key);
	if (is_free(slot))
		return;
	close_gap(set, (size_t)(slot - set->slots));
	set->count--;
}

bool bt_digest_set_has(const struct bt_digest_set *set, const struct bt_digest *digest)
{
	struct bt_digest_key key = key_of(digest), *slot;

	if (!set->capacity)
		return false;
	slot = slot_of(set, &key);
	return !is_free(slot);
}

void bt_digest_set_free(struct bt_digest_set *set)
{
	free(set->slots);
	*set = (struct bt_digest_set){0};
}
