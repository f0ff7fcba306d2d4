/* SPDX-License-Identifier: MIT */
#include "watch/names.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_name(const struct bt_seed *seed, const void *key)
{
	const struct bt_name *name = key;
	const struct bt_seed own = {seed->a ^ (uintptr_t)name->owner, seed->b};

	return bt_seeded_hash(&own, name->text, name->length);
}

static bool is_same(const void *key, const void *other)
{
	const struct bt_name *a = key, *b = other;

	return a->owner == b->owner && a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

static const struct bt_table_kind kind = {hash_name, is_same};

struct bt_name *bt_names_find(const struct bt_names *names, const void *owner, const void *text, size_t length)
{
	const struct bt_name wanted = {.owner = owner, .text = text, .length = (uint16_t)length};

	return bt_table_find_key(&names->table, &wanted);
}

struct bt_name *bt_names_add(struct bt_names *names, const void *owner, const void *text, size_t length)
{
	struct bt_name *name = bt_names_find(names, owner, text, length);
	char *copy;

	if (name)
		return name;
	name = calloc(1, sizeof(*name) + length + 1);
	if (!name)
		return NULL;
	copy = memcpy(name + 1, text, length);
	*name = (struct bt_name){.owner = owner, .text = copy, .length = (uint16_t)length};
	names->table.kind = &kind;
	if (!bt_table_add(&names->table, name))
		return name;
	free(name);
	return NULL;
}

struct bt_name *bt_names_next(const struct bt_names *names, size_t *at)
{
	return bt_table_next(&names->table, at);
}

void bt_names_remove(struct bt_names *names, struct bt_name *name)
{
	bt_table_remove(&names->table, name);
	free(name);
}

void bt_names_clear(struct bt_names *names)
{
	size_t at = 0;

	for (struct bt_name *name = bt_names_next(names, &at); name; name = bt_names_next(names, &at))
		free(name);
	bt_table_free(&names->table);
}
