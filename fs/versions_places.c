/* SPDX-License-Identifier: MIT */
#include "versions_places.h"
#include "hash.h"
#include "table.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct place {
	uint64_t key; /* hash of parent and name, which are compared, too */
	char *name, *told;
	size_t told_size;
	long lookups; /* lookups that the kernel has not forgotten */
	uint32_t parent;
	bool listed;
};

struct places {
	pthread_mutex_t lock;
	struct table table;
	uint64_t seed;
};

static bool is_same(const void *record, const void *key)
{
	const struct place *a = record, *b = key;

	return a->name && b->name && a->parent == b->parent && /* the top has no name */
	       strcmp(a->name, b->name) == 0;
}

int places_new(uint64_t seed, struct places **ret_places)
{
	struct places *places = calloc(1, sizeof(*places));

	if (!places)
		return ENOMEM;
	places->seed = seed;
	pthread_mutex_init(&places->lock, NULL);
	places->table =
		(struct table){.record_size = sizeof(struct place), .key_size = sizeof(uint64_t), .is_same = is_same};
	uint32_t number;
	if (table_add(&places->table, &(struct place){0}, &number) != 0) {
		places_free(places);
		return ENOMEM;
	}
	*ret_places = places;
	return 0;
}

void places_free(struct places *places)
{
	if (!places)
		return;
	for (uint32_t i = 0; i < places->table.count; i++) {
		struct place *place = table_at(&places->table, i);

		free(place->name);
		free(place->told);
	}
	table_free(&places->table);
	pthread_mutex_destroy(&places->lock);
	free(places);
}

static uint64_t key_of(const struct places *places, uint32_t parent, const char *name)
{
	return hash_bytes(hash_add(places->seed, parent), name, strlen(name));
}

int places_add(struct places *places, uint32_t parent, const char *name, uint32_t *ret_number)
{
	struct place place = {.key = key_of(places, parent, name), .parent = parent, .name = strdup(name)};

	pthread_mutex_lock(&places->lock);
	size_t before = places->table.count;
	int r = place.name ? table_add(&places->table, &place, ret_number) : ENOMEM;
	bool added = places->table.count > before;
	pthread_mutex_unlock(&places->lock);
	if (!added)
		free(place.name);
	return r;
}

bool places_find(struct places *places, uint32_t parent, const char *name, uint32_t *ret_number)
{
	const struct place key = {
		.key = key_of(places, parent, name), .name = (char *)(uintptr_t)name, .parent = parent};

	pthread_mutex_lock(&places->lock);
	bool found = table_find(&places->table, &key, ret_number);
	pthread_mutex_unlock(&places->lock);
	return found;
}

bool places_at(struct places *places, uint32_t number, struct place_path *ret_path)
{
	pthread_mutex_lock(&places->lock);
	const struct place *place = table_at(&places->table, number);
	if (place)
		*ret_path = (struct place_path){.name = place->name, .parent = place->parent};
	pthread_mutex_unlock(&places->lock);
	return place;
}

uint32_t places_count(struct places *places)
{
	pthread_mutex_lock(&places->lock);
	uint32_t count = (uint32_t)places->table.count;
	pthread_mutex_unlock(&places->lock);
	return count;
}

void places_looked(struct places *places, uint32_t number, long lookups)
{
	pthread_mutex_lock(&places->lock);
	struct place *place = table_at(&places->table, number);
	if (place)
		place->lookups += lookups;
	if (place && place->lookups <= 0) {
		free(place->told);
		place->told = NULL;
		place->told_size = 0;
	}
	pthread_mutex_unlock(&places->lock);
}

static bool is_told(const struct place *place, const char *version)
{
	for (size_t at = 0; at < place->told_size; at += strlen(place->told + at) + 1)
		if (strcmp(place->told + at, version) == 0)
			return true;
	return false;
}

/* If memory for its name runs out, the kernel may keep a version a little longer. */
void places_told(struct places *places, uint32_t number, const char *version)
{
	size_t length = strlen(version) + 1;

	pthread_mutex_lock(&places->lock);
	struct place *place = table_at(&places->table, number);
	char *told = place && !is_told(place, version) ? realloc(place->told, place->told_size + length) : NULL;
	if (told) {
		memcpy(told + place->told_size, version, length);
		place->told = told;
		place->told_size += length;
	}
	pthread_mutex_unlock(&places->lock);
}

void places_listed(struct places *places, uint32_t number)
{
	pthread_mutex_lock(&places->lock);
	struct place *place = table_at(&places->table, number);
	if (place)
		place->listed = true;
	pthread_mutex_unlock(&places->lock);
}

bool places_take_listed(struct places *places, uint32_t *number)
{
	pthread_mutex_lock(&places->lock);
	struct place *place = table_at(&places->table, *number);
	while (place && !place->listed)
		place = table_at(&places->table, ++*number);
	if (place)
		place->listed = false;
	pthread_mutex_unlock(&places->lock);
	return place;
}

static bool told_below(const struct places *places, uint32_t *number)
{
	while (*number > 0)
		if (((const struct place *)table_at(&places->table, --*number))->told)
			return true;
	return false;
}

bool places_any_told(struct places *places)
{
	pthread_mutex_lock(&places->lock);
	uint32_t number = (uint32_t)places->table.count;
	bool any = told_below(places, &number);
	pthread_mutex_unlock(&places->lock);
	return any;
}

bool places_told_below(struct places *places, uint32_t *number, struct place_told *ret_told)
{
	pthread_mutex_lock(&places->lock);
	bool found = told_below(places, number);
	if (found) {
		const struct place *place = table_at(&places->table, *number);

		*ret_told = (struct place_told){.path = {.name = place->name, .parent = place->parent},
						.names = malloc(place->told_size)};
		if (ret_told->names) {
			memcpy(ret_told->names, place->told, place->told_size);
			ret_told->size = place->told_size;
		}
	}
	pthread_mutex_unlock(&places->lock);
	return found;
}
