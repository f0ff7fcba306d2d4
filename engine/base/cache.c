/* SPDX-License-Identifier: MIT */
#include "base/cache.h"

#include "base/fail.h"
#include "base/invariant.h"
#include <pthread.h>
#include <stdlib.h>

enum { PINNED, IDLE };

/* A load under way. The last of the loader and those who wait for it frees it. */
struct flight {
	struct bt_table_key key;
	struct flight *next;
	struct bt_cached *value;
	struct bt_error error;
	unsigned users;
	int result;
	bool landed;
};

struct bt_cache {
	struct bt_cache_options options;
	pthread_mutex_t lock;
	pthread_cond_t landed;
	struct flight *flights;
	struct flight *spare; /* for the next load */
	struct bt_table values;
	size_t weight;			   /* of all values */
	struct bt_cached *newest, *oldest; /* the idle ones */
};

static struct flight *find_flight(const struct bt_cache *cache, const struct bt_table_key *key)
{
	struct flight *flight = cache->flights;

	while (flight && (flight->key.a != key->a || flight->key.b != key->b))
		flight = flight->next;
	return flight;
}

static void make_idle(struct bt_cache *cache, struct bt_cached *value)
{
	value->state = IDLE;
	value->newer = NULL;
	value->older = cache->newest;
	if (cache->newest)
		cache->newest->newer = value;
	else
		cache->oldest = value;
	cache->newest = value;
}

static void leave_idle(struct bt_cache *cache, struct bt_cached *value)
{
	if (value->newer)
		value->newer->older = value->older;
	else
		cache->newest = value->older;
	if (value->older)
		value->older->newer = value->newer;
	else
		cache->oldest = value->newer;
	value->state = PINNED;
}

/* The idle values are chained in both directions, all others are pinned, and the weights add up. With the lock held. */
static void check_cache(const struct bt_cache *cache)
{
#ifdef BT_INVARIANTS
	size_t at = 0, idle = 0, listed = 0, weight = 0;
	const struct bt_cached *value, *newer = NULL;

	if (!bt_invariants_due(cache->values.count))
		return;
	for (value = bt_table_next(&cache->values, &at); value; value = bt_table_next(&cache->values, &at)) {
		bt_invariant((value->state == IDLE) == (value->pins == 0));
		idle += value->state == IDLE;
		weight += value->weight;
	}
	for (value = cache->newest; value; newer = value, value = value->older, listed++)
		bt_invariant(value->state == IDLE && value->newer == newer);
	bt_invariant(cache->oldest == newer && listed == idle && weight == cache->weight);
#endif
}

/* Takes out what is over the budget, chained by older, to be freed without the lock. */
static struct bt_cached *evict(struct bt_cache *cache)
{
	struct bt_cached *evicted = NULL;

	while (cache->weight > cache->options.budget && cache->oldest) {
		struct bt_cached *value = cache->oldest;

		leave_idle(cache, value);
		bt_table_remove(&cache->values, value);
		cache->weight -= value->weight;
		value->older = evicted;
		evicted = value;
	}
	return evicted;
}

static void free_chain(struct bt_cache *cache, struct bt_cached *value)
{
	for (struct bt_cached *next; value; value = next) {
		next = value->older;
		cache->options.free(value);
	}
}

static void pin_value(struct bt_cache *cache, struct bt_cached *value)
{
	if (value->state == IDLE)
		leave_idle(cache, value);
	value->pins++;
}

static int wait_for(struct bt_cache *cache, struct flight *flight, struct bt_cached **ret_value, struct bt_error *error)
{
	while (!flight->landed)
		pthread_cond_wait(&cache->landed, &cache->lock);
	int r = flight->result;
	if (!r)
		*ret_value = flight->value; /* land has pinned it for each user */
	bt_error_pass(error, &flight->error, r);
	if (--flight->users == 0) {
		free(cache->spare);
		cache->spare = flight;
	}
	return r;
}

static void unlist_flight(struct bt_cache *cache, struct flight *flight)
{
	struct flight **link = &cache->flights;

	while (*link != flight)
		link = &(*link)->next;
	*link = flight->next;
}

static int add_loaded(struct bt_cache *cache, const struct flight *flight, size_t weight, struct bt_error *error)
{
	struct bt_cached *value = flight->value;

	value->key = flight->key;
	value->weight = weight;
	value->pins = flight->users;
	value->state = PINNED;
	value->newer = value->older = NULL;
	if (bt_table_add(&cache->values, value)) {
		cache->options.free(value);
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	}
	cache->weight += weight;
	return 0;
}

/* With the lock held: the value gets a pin for the loader and one for each that waits. */
static void land(struct bt_cache *cache, struct flight *flight, size_t weight)
{
	unlist_flight(cache, flight);
	if (!flight->result)
		flight->result = add_loaded(cache, flight, weight, &flight->error);
	flight->landed = true;
	pthread_cond_broadcast(&cache->landed);
}

/* NULL: out of memory. */
static struct flight *take_off(struct bt_cache *cache, const struct bt_table_key *key)
{
	struct flight *flight = cache->spare ? cache->spare : malloc(sizeof(*flight));

	cache->spare = NULL;
	if (!flight)
		return NULL;
	*flight = (struct flight){.key = *key, .next = cache->flights};
	cache->flights = flight;
	return flight;
}

int bt_cache_get(struct bt_cache *cache, const struct bt_table_key *key, const void *hint, struct bt_cached **ret_value,
		 struct bt_error *error)
{
	struct bt_cached *evicted = NULL, *value;
	struct flight *flight;
	size_t weight = 0;
	bool loads;
	int r = 0;

	pthread_mutex_lock(&cache->lock);
	value = bt_table_find(&cache->values, *key);
	flight = value ? NULL : find_flight(cache, key);
	loads = !value && !flight;
	if (loads)
		flight = take_off(cache, key);
	if (value) {
		pin_value(cache, value);
		*ret_value = value;
	} else if (!flight) {
		r = bt_fail(error, BT_E_NOMEM, NULL, NULL);
	} else {
		flight->users++;
		if (loads) {
			pthread_mutex_unlock(&cache->lock);
			flight->result = cache->options.load(cache->options.arg, key, hint, &flight->value, &weight,
							     &flight->error);
			pthread_mutex_lock(&cache->lock);
			land(cache, flight, weight);
		}
		r = wait_for(cache, flight, ret_value, error);
		evicted = loads ? evict(cache) : NULL;
	}
	check_cache(cache);
	pthread_mutex_unlock(&cache->lock);
	free_chain(cache, evicted);
	return r;
}

struct bt_cached *bt_cache_get_loaded(struct bt_cache *cache, const struct bt_table_key *key)
{
	pthread_mutex_lock(&cache->lock);
	struct bt_cached *value = bt_table_find(&cache->values, *key);
	if (value)
		pin_value(cache, value);
	check_cache(cache);
	pthread_mutex_unlock(&cache->lock);
	return value;
}

bool bt_cache_has(struct bt_cache *cache, const struct bt_table_key *key)
{
	pthread_mutex_lock(&cache->lock);
	bool there = bt_table_find(&cache->values, *key) || find_flight(cache, key);
	pthread_mutex_unlock(&cache->lock);
	return there;
}

void bt_cache_put(struct bt_cache *cache, struct bt_cached *value)
{
	struct bt_cached *evicted = NULL;

	pthread_mutex_lock(&cache->lock);
	if (--value->pins == 0) {
		make_idle(cache, value);
		evicted = evict(cache);
	}
	check_cache(cache);
	pthread_mutex_unlock(&cache->lock);
	free_chain(cache, evicted);
}

void bt_cache_drop(struct bt_cache *cache, struct bt_cached *value)
{
	pthread_mutex_lock(&cache->lock);
	bool last = --value->pins == 0;
	if (last) {
		bt_table_remove(&cache->values, value);
		cache->weight -= value->weight;
	}
	check_cache(cache);
	pthread_mutex_unlock(&cache->lock);
	if (last)
		cache->options.free(value);
}

size_t bt_cache_weight(struct bt_cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	size_t weight = cache->weight;
	pthread_mutex_unlock(&cache->lock);
	return weight;
}

int bt_cache_new(const struct bt_cache_options *options, struct bt_cache **ret_cache)
{
	struct bt_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return BT_E_NOMEM;
	cache->options = *options;
	pthread_mutex_init(&cache->lock, NULL);
	pthread_cond_init(&cache->landed, NULL);
	*ret_cache = cache;
	return 0;
}

void bt_cache_free(struct bt_cache *cache)
{
	if (!cache)
		return;
	free_chain(cache, cache->newest); /* nothing is pinned */
	pthread_cond_destroy(&cache->landed);
	pthread_mutex_destroy(&cache->lock);
	bt_table_free(&cache->values);
	free(cache->spare);
	free(cache);
}
