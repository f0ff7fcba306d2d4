/* SPDX-License-Identifier: MIT */
/* Numbered records of one size, found by the bytes that each begins with. Not locked. Zero-initialise with the sizes.
 * Where those bytes are only a hash, is_same compares what they are a hash of.
 */
#ifndef FS_TABLE_H
#define FS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table {
	size_t record_size, key_size;
	bool (*is_same)(const void *record, const void *key); /* NULL: equal bytes are enough */
	unsigned char *records;
	uint32_t *slots; /* record number + 1, or 0 */
	size_t count, capacity, slot_count;
	uint64_t seed; /* keys come from outside */
};

/* The process's own, which nobody knows who makes keys; the kernel made it when the program began. */
uint64_t table_seed(void);
bool table_find(const struct table *table, const void *key, uint32_t *ret_number);
int table_add(struct table *table, const void *record, uint32_t *ret_number); /* the old number if it is there */
void *table_at(const struct table *table, uint32_t number); /* NULL if there is none; until the next add */
void table_free(struct table *table);

#endif
