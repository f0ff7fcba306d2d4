/* SPDX-License-Identifier: MIT */
/* Changes while a snapshot is taken, from the questions whether it is to end. */
#ifndef BT_TESTS_SNAPSHOT_HOOKED_H
#define BT_TESTS_SNAPSHOT_HOOKED_H

#include "snapshot_world.h"

struct hooked {
	struct world world; /* first: the observer's arg */
	unsigned calls, cancel_at;
	void (*hook)(struct hooked *hooked);
	int fd;
};

static inline bool ask(void *arg)
{
	struct hooked *hooked = arg;

	hooked->calls++;
	if (hooked->hook)
		hooked->hook(hooked);
	return hooked->cancel_at > 0 && hooked->calls >= hooked->cancel_at;
}

static inline void begin(struct hooked *hooked)
{
	memset(hooked, 0, sizeof(*hooked));
	world_begin(&hooked->world);
	hooked->world.observer.cancelled = ask;
	hooked->world.options.threads = 1;
	hooked->fd = -1;
}

static inline int take(struct hooked *hooked, void (*hook)(struct hooked *hooked))
{
	hooked->calls = 0;
	hooked->hook = hook;
	int result = world_take(&hooked->world);
	hooked->hook = NULL;
	return result;
}

static inline void end(struct hooked *hooked)
{
	if (hooked->fd >= 0)
		close(hooked->fd);
	world_end(&hooked->world);
}

/* All its bytes can be read, and are what its digest says. */
static inline void check_readable(struct world *world, const struct bt_entry *entry)
{
	unsigned char *data = malloc(entry->size + 1);
	struct bt_hasher *hasher = bt_hasher_new();
	struct bt_digest digest;
	struct bt_error error = {0};
	size_t got;

	assert_int_equal(bt_entry_pread(world->store, entry, data, entry->size, 0, &got, &error), 0);
	assert_int_equal(got, entry->size);
	assert_true(entry->has_digest);
	assert_int_equal(bt_hasher_digest(hasher, data, got, &digest), 0);
	assert_memory_equal(&digest, &entry->digest, sizeof(digest));
	bt_hasher_free(hasher);
	free(data);
}

#endif
