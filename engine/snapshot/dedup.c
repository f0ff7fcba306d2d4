/* SPDX-License-Identifier: MIT */
#include "snapshot/dedup.h"

#include "base/bytes.h"
#include "base/seed.h"
#include <backuptool/error.h>
#include <pthread.h>
#include <stdlib.h>

/* Open addressing with linear probing. A free slot is all zeros, a digest that nothing has. */
struct bt_snap_dedup {
	pthread_mutex_t lock;
	struct bt_digest *slots;
	size_t mask, count;
	struct bt_seed seed; /* anybody can look for contents whose digests begin alike */
};

enum { FIRST_SLOTS = 1024 };

static const struct bt_digest nothing;

struct bt_snap_dedup *bt_snap_dedup_new(void)
{
	struct bt_snap_dedup *dedup = calloc(1, sizeof(*dedup));

	if (!dedup)
		return NULL;
	dedup->slots = calloc(FIRST_SLOTS, sizeof(*dedup->slots));
	if (!dedup->slots) {
		free(dedup);
		return NULL;
	}
	dedup->mask = FIRST_SLOTS - 1;
	dedup->seed = bt_seed();
	pthread_mutex_init(&dedup->lock, NULL);
	return dedup;
}

void bt_snap_dedup_free(struct bt_snap_dedup *dedup)
{
	if (!dedup)
		return;
	pthread_mutex_destroy(&dedup->lock);
	free(dedup->slots);
	free(dedup);
}

static size_t home(const struct bt_snap_dedup *dedup, const struct bt_digest *digest)
{
	return (size_t)bt_seeded_hash(&dedup->seed, digest, sizeof(*digest)) & dedup->mask;
}

static bool is_free(const struct bt_digest *slot)
{
	return bt_digest_equal(slot, &nothing);
}

/* Its slot, or the free one where it belongs. */
static size_t find(const struct bt_snap_dedup *dedup, const struct bt_digest *digest)
{
	size_t i = home(dedup, digest);

	while (!is_free(&dedup->slots[i]) && !bt_digest_equal(&dedup->slots[i], digest))
		i = (i + 1) & dedup->mask;
	return i;
}

static int grow(struct bt_snap_dedup *dedup)
{
	struct bt_digest *old = dedup->slots;
	size_t old_mask = dedup->mask;
	struct bt_digest *slots = calloc(2 * (old_mask + 1), sizeof(*slots));

	if (!slots)
		return BT_E_NOMEM;
	dedup->slots = slots;
	dedup->mask = 2 * old_mask + 1;
	for (size_t i = 0; i <= old_mask; i++)
		if (!is_free(&old[i]))
			slots[find(dedup, &old[i])] = old[i];
	free(old);
	return 0;
}

bool bt_snap_dedup_has(struct bt_snap_dedup *dedup, const struct bt_digest *digest)
{
	pthread_mutex_lock(&dedup->lock);
	bool has = !is_free(&dedup->slots[find(dedup, digest)]);
	pthread_mutex_unlock(&dedup->lock);
	return has;
}

static int add(struct bt_snap_dedup *dedup, const struct bt_digest *digest)
{
	if (4 * (dedup->count + 1) > 3 * (dedup->mask + 1) && grow(dedup) != 0)
		return BT_E_NOMEM;
	size_t i = find(dedup, digest);
	if (is_free(&dedup->slots[i])) {
		dedup->slots[i] = *digest;
		dedup->count++;
	}
	return 0;
}

int bt_snap_dedup_add(struct bt_snap_dedup *dedup, const struct bt_digest *digest)
{
	pthread_mutex_lock(&dedup->lock);
	int result = add(dedup, digest);
	pthread_mutex_unlock(&dedup->lock);
	return result;
}

/* Moves those behind a freed slot forward that would not be found any more. */
static void close_gap(struct bt_snap_dedup *dedup, size_t gap)
{
	for (size_t i = (gap + 1) & dedup->mask; !is_free(&dedup->slots[i]); i = (i + 1) & dedup->mask) {
		size_t wanted = home(dedup, &dedup->slots[i]);

		if (((i - wanted) & dedup->mask) < ((i - gap) & dedup->mask))
			continue;
		dedup->slots[gap] = dedup->slots[i];
		gap = i;
	}
	dedup->slots[gap] = nothing;
}

void bt_snap_dedup_remove(struct bt_snap_dedup *dedup, const struct bt_digest *digest)
{
	pthread_mutex_lock(&dedup->lock);
	size_t i = find(dedup, digest);
	if (!is_free(&dedup->slots[i])) {
		close_gap(dedup, i);
		dedup->count--;
	}
	pthread_mutex_unlock(&dedup->lock);
}
