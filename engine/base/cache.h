/* SPDX-License-Identifier: MIT */
/*
 * A cache of decoded values with a byte budget. The least recently used value leaves first. Single flight: if several
 * threads ask for a key that is not there, one loads it and the others wait. No lock is held while loading. A failed
 * load is not kept.
 */
#ifndef BT_BASE_CACHE_H
#define BT_BASE_CACHE_H

#include "base/table.h"
#include <backuptool/error.h>

struct bt_cache;
struct bt_cached {		 /* first member of the caller's struct; its members belong to the cache */
	struct bt_table_key key; /* may come from outside: the table is seeded */
	size_t weight;
	unsigned pins;
	int state;
	struct bt_cached *newer, *older;
};

struct bt_cache_options {
	size_t budget;
	/* Makes the value and sets *ret_weight. */
	int (*load)(void *arg, const struct bt_table_key *key, const void *hint, struct bt_cached **ret_value,
		    size_t *ret_weight, struct bt_error *error);
	void (*free)(struct bt_cached *value);
	void *arg;
};

int bt_cache_new(const struct bt_cache_options *options, struct bt_cache **ret_cache);
void bt_cache_free(struct bt_cache *cache); /* nothing may be pinned; NULL is fine */
/* Pins the value until bt_cache_put; pinned values do not leave, and may exceed the budget. hint is passed to load. */
int bt_cache_get(struct bt_cache *cache, const struct bt_table_key *key, const void *hint, struct bt_cached **ret_value,
		 struct bt_error *error);
/* The same, but only if the value is loaded; otherwise NULL. */
struct bt_cached *bt_cache_get_loaded(struct bt_cache *cache, const struct bt_table_key *key);
bool bt_cache_has(struct bt_cache *cache, const struct bt_table_key *key); /* loaded or being loaded */
void bt_cache_put(struct bt_cache *cache, struct bt_cached *value);
/* The same for a value that is hardly wanted again: it leaves at once, unless others have pinned it. */
void bt_cache_drop(struct bt_cache *cache, struct bt_cached *value);
size_t bt_cache_weight(struct bt_cache *cache);

#endif
