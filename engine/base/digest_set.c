/* SPDX-License-Identifier: MIT */
#include "base/digest_set.h"
#include "base/invariant.h"
#include <backuptool/error.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct bt_table_key) == 16, "a key has no gaps: it is hashed as bytes");

enum { FIRST_ROOM = 16 };

/* All bytes of the digest count: with much work one can make two contents whose digests begin with the same 16. To make
 * two with one key one would have to know the factors, which are odd, so that no bit is lost. */
static struct bt_table_key key_of(const struct bt_digest_set *set, const struct bt_digest *digest)
{
	uint64_t words[4];
	struct bt_table_key key;

	memcpy(words, digest->bytes, sizeof(words));
	key.a = words[0] ^ words[2] * (set->seed.a | 1);
	key.b = words[1] ^ words[3] * (set->seed.b | 1);
	key.a |= !key.a && !key.b; /* {0, 0} marks a free slot */
	return key;
}

static bool is_free(const struct bt_table_key *slot)
{
	return !slot->a && !slot->b;
}

static size_t home_of_key(const struct bt_digest_set *set, const struct bt_table_key *key)
{
	return (size_t)bt_seeded_hash(&set->seed, key, sizeof(*key)) & (set->room - 1);
}

/* The slot of the key, or the free slot where it belongs. */
static struct bt_table_key *slot_of(const struct bt_digest_set *set, const struct bt_table_key *key)
{
	size_t mask = set->room - 1, at = home_of_key(set, key);

	while (!is_free(&set->slots[at]) && (set->slots[at].a != key->a || set->slots[at].b != key->b))
		at = (at + 1) & mask;
	return &set->slots[at];
}

/* Each key is found, in its slot. */
static void check_set(const struct bt_digest_set *set)
{
#ifdef BT_INVARIANTS
	size_t count = 0;

	if (!bt_invariants_due(set->count))
		return;
	bt_invariant(set->room > set->count && !(set->room & (set->room - 1)));
	for (size_t i = 0; i < set->room; i++) {
		bt_invariant(is_free(&set->slots[i]) || slot_of(set, &set->slots[i]) == &set->slots[i]);
		count += !is_free(&set->slots[i]);
	}
	bt_invariant(count == set->count);
#endif
}

static int grow_set(struct bt_digest_set *set)
{
	struct bt_digest_set larger = {
		.room = set->room ? set->room * 2 : FIRST_ROOM, .count = set->count, .seed = bt_seed()};

	larger.slots = calloc(larger.room, sizeof(*larger.slots));
	if (!larger.slots)
		return BT_E_NOMEM;
	for (size_t i = 0; i < set->room; i++)
		if (!is_free(&set->slots[i]))
			*slot_of(&larger, &set->slots[i]) = set->slots[i];
	free(set->slots);
	*set = larger;
	return 0;
}

static int make_room(struct bt_digest_set *set)
{
	return set->count * 3 >= set->room * 2 ? grow_set(set) : 0;
}

int bt_digest_set_add_key(struct bt_digest_set *set, struct bt_table_key key)
{
	struct bt_table_key *slot;

	if (make_room(set))
		return BT_E_NOMEM;
	slot = slot_of(set, &key);
	if (!is_free(slot))
		return 0;
	*slot = key;
	set->count++;
	check_set(set);
	return 1;
}

bool bt_digest_set_has_key(const struct bt_digest_set *set, struct bt_table_key key)
{
	return set->count && !is_free(slot_of(set, &key));
}

int bt_digest_set_add(struct bt_digest_set *set, const struct bt_digest *digest)
{
	/* The first room brings the seed. */
	return make_room(set) ? BT_E_NOMEM : bt_digest_set_add_key(set, key_of(set, digest));
}

bool bt_digest_set_has(const struct bt_digest_set *set, const struct bt_digest *digest)
{
	return set->count && bt_digest_set_has_key(set, key_of(set, digest));
}

/* Keys after the gap that could not be found across it move into it. */
void bt_digest_set_remove(struct bt_digest_set *set, const struct bt_digest *digest)
{
	const struct bt_table_key key = key_of(set, digest);
	size_t mask = set->room - 1, gap;

	if (!bt_digest_set_has_key(set, key))
		return;
	gap = (size_t)(slot_of(set, &key) - set->slots);
	for (size_t i = (gap + 1) & mask; !is_free(&set->slots[i]); i = (i + 1) & mask) {
		if (((i - home_of_key(set, &set->slots[i])) & mask) < ((i - gap) & mask))
			continue;
		set->slots[gap] = set->slots[i];
		gap = i;
	}
	set->slots[gap] = (struct bt_table_key){0};
	set->count--;
	check_set(set);
}

/* Both have the seed of the process. */
int bt_digest_set_join(struct bt_digest_set *set, const struct bt_digest_set *other)
{
	int r = 0;

	for (size_t i = 0; i < other->room && r >= 0; i++)
		if (!is_free(&other->slots[i]))
			r = bt_digest_set_add_key(set, other->slots[i]);
	return r < 0 ? r : 0;
}

void bt_digest_set_free(struct bt_digest_set *set)
{
	free(set->slots);
	*set = (struct bt_digest_set){0};
}
