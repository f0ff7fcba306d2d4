/* SPDX-License-Identifier: MIT */
#include "base/table.h"
#include "base/invariant.h"
#include <backuptool/error.h>
#include <stdlib.h>

static size_t home_of_element(const struct bt_table *table, const void *key)
{
	uint64_t hash = table->kind ? table->kind->hash(&table->seed, key)
				    : bt_seeded_hash(&table->seed, key, sizeof(struct bt_table_key));

	return (size_t)hash & (table->room - 1);
}

static bool is_same(const struct bt_table *table, const void *element, const void *key)
{
	const struct bt_table_key *there = element, *wanted = key;

	return table->kind ? table->kind->same(element, key) : there->a == wanted->a && there->b == wanted->b;
}

/* The slot of the element with this key, or the free slot where it belongs. */
static size_t find_slot(const struct bt_table *table, const void *key)
{
	size_t at = home_of_element(table, key);

	while (table->slots[at] && !is_same(table, table->slots[at], key))
		at = (at + 1) & (table->room - 1);
	return at;
}

/* Each element is found, in its slot. */
static void check_table(const struct bt_table *table)
{
#ifdef BT_INVARIANTS
	size_t count = 0;

	if (!bt_invariants_due(table->count))
		return;
	bt_invariant(table->room > table->count && !(table->room & (table->room - 1)));
	for (size_t i = 0; i < table->room; i++) {
		bt_invariant(!table->slots[i] || find_slot(table, table->slots[i]) == i);
		count += !!table->slots[i];
	}
	bt_invariant(count == table->count);
#endif
}

static int grow_table(struct bt_table *table)
{
	struct bt_table larger = {.kind = table->kind,
				  .room = table->room ? 2 * table->room : 64,
				  .count = table->count,
				  .seed = bt_seed()};

	larger.slots = calloc(larger.room, sizeof(void *));
	if (!larger.slots)
		return BT_E_NOMEM;
	for (size_t i = 0; i < table->room; i++)
		if (table->slots[i])
			larger.slots[find_slot(&larger, table->slots[i])] = table->slots[i];
	free(table->slots);
	*table = larger;
	return 0;
}

void *bt_table_find_key(const struct bt_table *table, const void *key)
{
	return table->count ? table->slots[find_slot(table, key)] : NULL;
}

int bt_table_add(struct bt_table *table, void *element)
{
	/* Without memory a table only becomes slower, as long as one slot stays free. */
	if (2 * (table->count + 1) > table->room && grow_table(table) && table->count + 1 >= table->room)
		return BT_E_NOMEM;
	table->slots[find_slot(table, element)] = element;
	table->count++;
	check_table(table);
	return 0;
}

void bt_table_remove(struct bt_table *table, const void *element)
{
	size_t mask = table->room - 1, gap = find_slot(table, element);

	/* Elements after it that could not be found across the gap move into it. */
	for (size_t i = (gap + 1) & mask; table->slots[i]; i = (i + 1) & mask) {
		if (((i - home_of_element(table, table->slots[i])) & mask) < ((i - gap) & mask))
			continue;
		table->slots[gap] = table->slots[i];
		gap = i;
	}
	table->slots[gap] = NULL;
	table->count--;
	check_table(table);
}

void *bt_table_next(const struct bt_table *table, size_t *at)
{
	while (*at < table->room) {
		void *element = table->slots[(*at)++];

		if (element)
			return element;
	}
	return NULL;
}

void bt_table_free(struct bt_table *table)
{
	free(table->slots);
	*table = (struct bt_table){.kind = table->kind};
}
