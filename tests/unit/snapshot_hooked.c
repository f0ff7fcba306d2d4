/* SPDX-License-Identifier: MIT */
#include "snapshot_hooked.h"

static bool ask(void *arg)
{
	struct hooked *hooked = arg;

	hooked->calls++;
	if (hooked->hook)
		hooked->hook(hooked);
	return hooked->cancel_at > 0 && hooked->calls >= hooked->cancel_at;
}

void hooked_begin(struct hooked *hooked)
{
	memset(hooked, 0, sizeof(*hooked));
	world_begin(&hooked->world);
	hooked->world.options.birth_times = true;
	hooked->world.observer.cancelled = ask;
	hooked->world.options.threads = 1;
	hooked->fd = -1;
}

int hooked_take(struct hooked *hooked, void (*hook)(struct hooked *hooked))
{
	hooked->calls = 0;
	hooked->hook = hook;
	int r = world_take(&hooked->world);
	hooked->hook = NULL;
	return r;
}

void hooked_end(struct hooked *hooked)
{
	if (hooked->fd >= 0)
		close(hooked->fd);
	world_end(&hooked->world);
}

void check_readable(struct world *world, const struct bt_entry *entry)
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
