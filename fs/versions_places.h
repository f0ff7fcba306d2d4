/* SPDX-License-Identifier: MIT */
/*
 * The directories of versions/ that were looked up, by number: their paths, and what the kernel knows of them. Numbers
 * and names stay. Thread-safe, and quick also while a directory is put together.
 */
#ifndef FS_VERSIONS_PLACES_H
#define FS_VERSIONS_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct places;
/* With the top, number 0. A place is its parent and name; the seed, best a random one, only keeps others
 * from choosing names that make the search slow. */
int places_new(uint64_t seed, struct places **ret_places);
void places_free(struct places *places);

int places_add(struct places *places, uint32_t parent, const char *name, uint32_t *ret_number);
bool places_find(struct places *places, uint32_t parent, const char *name, uint32_t *ret_number);
struct place_path {
	const char *name;
	uint32_t parent;
};
bool places_at(struct places *places, uint32_t number, struct place_path *ret_path); /* false: there is none */

/* The kernel was told of a place, or (less than 0) has forgotten it; it was told of a version in it. As long as it
 * knows a place with versions, somebody may have one open. */
void places_looked(struct places *places, uint32_t number, long lookups);
void places_told(struct places *places, uint32_t number, const char *version);
bool places_any_told(struct places *places);
/* The last such place below *number, which becomes its number; the versions' names, each with its NUL (free). False if
 * there is none. */
struct place_told {
	struct place_path path;
	char *names;
	size_t size;
};
bool places_told_below(struct places *places, uint32_t *number, struct place_told *ret_told);
/* Its list was asked for. The first such place from *number on, which becomes its number; it no longer counts as one.
 */
void places_listed(struct places *places, uint32_t number);
bool places_take_listed(struct places *places, uint32_t *number);
uint32_t places_count(struct places *places);

#endif
