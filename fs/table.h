/* SPDX-License-Identifier: MIT */
/* Numbered records of one size, found by their first bytes, the key. Not locked. Zero-initialise, but for the sizes. If
 * keys are hashes, is_same compares what was hashed. */
#ifndef FS_TABLE_H
#define FS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table {
	size_t record_size, key_size;
	bool (*is_same)(const void *record, const void *key); /* NULL: equal keys are enough */
	unsigned char *records;
	uint32_t *slots; /* record number + 1, or 0 */
	size_t count, capacity, slot_count;
	uint64_t seed; /* keys come from outside */
};

/* A seed of the process that authors of keys cannot know; the kernel made it when the program began. */
uint64_t table_seed(void);
bool table_find(const struct table *table, const void *key, uint32_t *ret_number);
int table_add(struct table *table, const void *record, uint32_t *ret_number); /* an existing record keeps its number */
void *table_at(const struct table *table, uint32_t number); /* NULL: no such record; valid until the next add */
void table_free(struct table *table);

#endif
