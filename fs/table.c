/* SPDX-License-Identifier: MIT */
#include "table.h"
#include "hash.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/auxv.h>

void *table_at(const struct table *table, uint32_t number)
{
	return number < table->count ? table->records + (size_t)number * table->record_size : NULL;
}

uint64_t table_seed(void)
{
	const void *random = (const void *)(uintptr_t)getauxval(AT_RANDOM); /* NOLINT(performance-no-int-to-ptr) */
	uint64_t value = 0;

	if (random)
		memcpy(&value, random, sizeof(value));
	return hash_add(HASH_SEED, value);
}

static bool is_at(const struct table *table, uint32_t number, const void *key)
{
	const void *record = table_at(table, number);

	return memcmp(record, key, table->key_size) == 0 && (!table->is_same || table->is_same(record, key));
}

/* The slot of the key, or the empty slot where it belongs. */
static uint32_t *slot_of(const struct table *table, const void *key)
{
	size_t mask = table->slot_count - 1;
	size_t at = (size_t)hash_bytes(table->seed, key, table->key_size) & mask;

	while (table->slots[at] != 0 && !is_at(table, table->slots[at] - 1, key))
		at = (at + 1) & mask;
	return table->slots + at;
}

bool table_find(const struct table *table, const void *key, uint32_t *ret_number)
{
	if (table->count == 0)
		return false;
	const uint32_t *slot = slot_of(table, key);
	if (*slot == 0)
		return false;
	*ret_number = *slot - 1;
	return true;
}

static int grow_records(struct table *table)
{
	size_t capacity = table->capacity ? table->capacity + table->capacity / 2 : 64;

	if (capacity >= UINT32_MAX / 2)
		return ENOMEM;
	void *records = realloc(table->records, capacity * table->record_size);
	if (!records)
		return ENOMEM;
	table->records = records;
	table->capacity = capacity;
	return 0;
}

static int grow_slots(struct table *table)
{
	size_t slot_count = table->slot_count ? table->slot_count * 2 : 128;
	uint32_t *old = table->slots, *slots = calloc(slot_count, sizeof(*slots));

	if (!slots)
		return ENOMEM;
	table->seed = table_seed();
	table->slots = slots;
	table->slot_count = slot_count;
	for (uint32_t i = 0; i < table->count; i++)
		*slot_of(table, table_at(table, i)) = i + 1;
	free(old);
	return 0;
}

int table_add(struct table *table, const void *record, uint32_t *ret_number)
{
	if (table_find(table, record, ret_number))
		return 0;
	if (table->count == table->capacity && grow_records(table) != 0)
		return ENOMEM;
	if (table->count >= table->slot_count / 4 * 3 && grow_slots(table) != 0)
		return ENOMEM;
	memcpy(table->records + table->count * table->record_size, record, table->record_size);
	*slot_of(table, record) = (uint32_t)table->count + 1;
	*ret_number = (uint32_t)table->count++;
	return 0;
}

void table_free(struct table *table)
{
	free(table->records);
	free(table->slots);
	table->records = NULL;
	table->slots = NULL;
	table->count = table->capacity = table->slot_count = 0;
}
