/* SPDX-License-Identifier: MIT */
/* The directories of versions/ that were looked up, by number: their paths, and what the kernel knows of them. Numbers
 * and names stay valid. Thread-safe, and never waits for a directory to be put together. */
#ifndef FS_VERSIONS_PLACES_H
#define FS_VERSIONS_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct places;
/* Makes the table with the top, number 0. A place is its parent and its name. The seed, best a random one, keeps others
 * from choosing names that make the search slow. */
int places_new(uint64_t seed, struct places **ret_places);
void places_free(struct places *places);

int places_add(struct places *places, uint32_t parent, const char *name, uint32_t *ret_number);
bool places_find(struct places *places, uint32_t parent, const char *name, uint32_t *ret_number);
struct place_path {
	const char *name;
	uint32_t parent;
};
bool places_at(struct places *places, uint32_t number, struct place_path *ret_path); /* false: no such place */

/* Adds lookups of a place (negative: forgotten by the kernel); notes that the kernel was told of a version in it. While
 * the kernel knows a place with versions, one of them may be open. */
void places_looked(struct places *places, uint32_t number, long lookups);
void places_told(struct places *places, uint32_t number, const char *version);
bool places_any_told(struct places *places);
/* The last such place below *number, which becomes its number, with the versions' names, each with its NUL (free).
 * False: no more. */
struct place_told {
	struct place_path path;
	char *names;
	size_t size;
};
bool places_told_below(struct places *places, uint32_t *number, struct place_told *ret_told);
/* Notes that the kernel asked for the list of a place. The first such place from *number on, which becomes its number;
 * the note is dropped. */
void places_listed(struct places *places, uint32_t number);
bool places_take_listed(struct places *places, uint32_t *number);
uint32_t places_count(struct places *places);

#endif
