/* SPDX-License-Identifier: MIT */
#include "watch/names.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 64 };

static size_t home(const struct bt_names *names, const void *owner, const void *text, size_t length)
{
	const struct bt_seed seed = {names->seed.a ^ (uintptr_t)owner, names->seed.b};

	return (size_t)bt_seeded_hash(&seed, text, length) & (names->size - 1);
}

static bool is_same(const struct bt_name *name, const void *owner, const void *text, size_t length)
{
	return name->owner == owner && name->length == length && memcmp(name->text, text, length) == 0;
}

/* Where it is, or where it would stand. */
static size_t seek(const struct bt_names *names, const void *owner, const void *text, size_t length)
{
	size_t at = home(names, owner, text, length);

	while (names->slots[at] && !is_same(names->slots[at], owner, text, length))
		at = (at + 1) & (names->size - 1);
	return at;
}

struct bt_name *bt_names_find(const struct bt_names *names, const void *owner, const void *text, size_t length)
{
	return names->count > 0 ? names->slots[seek(names, owner, text, length)] : NULL;
}

static bool grow(struct bt_names *names)
{
	struct bt_names larger = {
		.size = names->size > 0 ? 2 * names->size : FIRST_SIZE, .count = names->count, .seed = bt_seed()};

	larger.slots = calloc(larger.size, sizeof(struct bt_name *));
	if (!larger.slots)
		return false;
	for (size_t i = 0; i < names->size; i++) {
		struct bt_name *name = names->slots[i];

		if (name)
			larger.slots[seek(&larger, name->owner, name->text, name->length)] = name;
	}
	free(names->slots);
	*names = larger;
	return true;
}

struct bt_name *bt_names_add(struct bt_names *names, const void *owner, const void *text, size_t length)
{
	if (2 * (names->count + 1) > names->size && !grow(names))
		return NULL;
	size_t at = seek(names, owner, text, length);
	if (names->slots[at])
		return names->slots[at];
	struct bt_name *name = calloc(1, sizeof(*name) + length + 1);
	if (!name)
		return NULL;
	name->owner = owner;
	name->length = (uint16_t)length;
	memcpy(name->text, text, length);
	names->slots[at] = name;
	names->count++;
	return name;
}

void bt_names_remove(struct bt_names *names, struct bt_name *name)
{
	size_t mask = names->size - 1, gap = seek(names, name->owner, name->text, name->length);

	for (size_t i = (gap + 1) & mask; names->slots[i]; i = (i + 1) & mask) {
		const struct bt_name *next = names->slots[i];
		size_t wanted = home(names, next->owner, next->text, next->length);

		if (((i - wanted) & mask) < ((i - gap) & mask))
			continue;
		names->slots[gap] = names->slots[i];
		gap = i;
	}
	names->slots[gap] = NULL;
	names->count--;
	free(name);
}

void bt_names_clear(struct bt_names *names)
{
	for (size_t i = 0; i < names->size; i++)
		free(names->slots[i]);
	free(names->slots);
	*names = (struct bt_names){0};
}
