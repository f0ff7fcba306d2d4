/* SPDX-License-Identifier: MIT */
/* The snapshots as a refresh found them. */
#include "base/invariant.h"
#include "store/store_inside.h"
#include <internal/policy.h>
#include <stdlib.h>
#include <string.h>

struct roster {
	struct bt_roster shown; /* first: what others have of it */
	atomic_uint users;
	const char *names[];
};

/* Sorted by time; equal times by clash number, then name. */
static int by_time(const struct bt_slot *x, const struct bt_slot *y)
{
	if (x->seconds != y->seconds)
		return x->seconds < y->seconds ? -1 : 1;
	if (x->clash != y->clash)
		return x->clash < y->clash ? -1 : 1;
	return strcmp(x->id.name, y->id.name);
}

static int compare_numbers(const void *a, const void *b, void *arg)
{
	const struct bt_store *store = arg;
	const struct bt_slot *x = bt_slot(store, *(const uint32_t *)a), *y = bt_slot(store, *(const uint32_t *)b);
	int order = by_time(x, y);

	/* of two files of one snapshot the plain one comes first */
	return order ? order : x->id.at_rest - y->id.at_rest;
}

static bool is_listed(const struct bt_slot *slot)
{
	return slot->id.snapshot && !slot->id.gone;
}

/* Of two files with the name of one snapshot only the first counts. */
static void leave_out_seconds(struct bt_store *store, struct roster *roster, uint32_t *numbers)
{
	size_t count = 0;

	for (size_t i = 0; i < roster->shown.count; i++)
		if (!count || strcmp(bt_slot(store, numbers[i])->id.name, bt_slot(store, numbers[count - 1])->id.name))
			numbers[count++] = numbers[i];
	roster->shown.count = count;
}

static struct roster *roster_new(struct bt_store *store, uint32_t slots)
{
	size_t count = 0;

	for (uint32_t i = 0; i < slots; i++)
		count += is_listed(bt_slot(store, i));
	struct roster *roster = calloc(1, sizeof(*roster) + count * (sizeof(*roster->names) + sizeof(uint32_t)));
	if (!roster)
		return NULL;
	uint32_t *numbers = (uint32_t *)(roster->names + count);
	roster->shown = (struct bt_roster){.names = roster->names, .numbers = numbers};
	for (uint32_t i = 0; i < slots && roster->shown.count < count; i++)
		if (is_listed(bt_slot(store, i)))
			numbers[roster->shown.count++] = i;
	qsort_r(numbers, count, sizeof(*numbers), compare_numbers, store);
	leave_out_seconds(store, roster, numbers);
	for (size_t i = 0; i < roster->shown.count; i++)
		roster->names[i] = bt_slot(store, numbers[i])->id.name;
	atomic_init(&roster->users, 1);
	return roster;
}

/* Slots know their numbers and the roster is in order. */
static void check_roster(struct bt_store *store, const struct bt_roster *roster, uint32_t slots)
{
#ifdef BT_INVARIANTS
	for (uint32_t i = 0; i < slots; i++) {
		const struct bt_slot *slot = bt_slot(store, i);
		size_t length = strlen(slot->path), own = strlen(slot->id.stored);

		bt_invariant(slot->id.ordinal == i && own <= length &&
			     !strcmp(slot->path + length - own, slot->id.stored) &&
			     !strncmp(slot->id.stored, slot->id.name, strlen(slot->id.name)));
	}
	for (size_t i = 0; i < roster->count; i++)
		bt_invariant(roster->numbers[i] < slots && is_listed(bt_slot(store, roster->numbers[i])) &&
			     (!i || compare_numbers(&roster->numbers[i - 1], &roster->numbers[i], store) < 0));
#endif
}

int bt_roster_publish(struct bt_store *store, uint32_t slots)
{
	struct roster *roster = roster_new(store, slots);

	if (!roster)
		return BT_E_NOMEM;
	check_roster(store, &roster->shown, slots);
	pthread_mutex_lock(&store->lock);
	const struct bt_roster *before = store->roster;
	store->roster = &roster->shown;
	pthread_mutex_unlock(&store->lock);
	bt_roster_put(before);
	return 0;
}

const struct bt_roster *bt_roster_get(struct bt_store *store)
{
	pthread_mutex_lock(&store->lock);
	const struct bt_roster *roster = store->roster;
	atomic_fetch_add(&((struct roster *)(uintptr_t)roster)->users, 1);
	pthread_mutex_unlock(&store->lock);
	return roster;
}

void bt_roster_put(const struct bt_roster *shown)
{
	struct roster *roster = (struct roster *)(uintptr_t)shown;

	if (roster && atomic_fetch_sub(&roster->users, 1) == 1)
		free(roster);
}

size_t bt_store_snapshot_count(struct bt_store *store)
{
	const struct bt_roster *roster = bt_roster_get(store);
	size_t count = roster->count;

	bt_roster_put(roster);
	return count;
}

const char *bt_store_snapshot_name(struct bt_store *store, size_t index)
{
	const struct bt_roster *roster = bt_roster_get(store);
	const char *name = index < roster->count ? roster->names[index] : NULL;

	bt_roster_put(roster);
	return name;
}

uint32_t bt_store_snapshot_number(struct bt_store *store, size_t index)
{
	const struct bt_roster *roster = bt_roster_get(store);
	uint32_t number = index < roster->count ? roster->numbers[index] : UINT32_MAX;

	bt_roster_put(roster);
	return number;
}

static bool find_listed(struct bt_store *store, const struct bt_slot *key, uint32_t *ret_ordinal)
{
	const struct bt_roster *roster = bt_roster_get(store);
	bool found = false;

	for (size_t lo = 0, hi = roster->count; lo < hi && !found;) {
		size_t middle = lo + (hi - lo) / 2;
		int order = by_time(key, bt_slot(store, roster->numbers[middle]));

		found = !order;
		if (found)
			*ret_ordinal = roster->numbers[middle];
		else if (order < 0)
			hi = middle;
		else
			lo = middle + 1;
	}
	bt_roster_put(roster);
	return found;
}

/* Files that this process made since the last refresh come first. */
int bt_store_file_named(struct bt_store *store, const char *text, uint32_t *ret_ordinal)
{
	char name[BT_STORED_SIZE];
	struct bt_slot key = {.id = {.name = name}};

	if (!bt_known_name(name, text) || bt_snapshot_name_parse(name, &key.seconds, &key.clash))
		return BT_E_NOT_FOUND;
	for (uint32_t i = (uint32_t)bt_store_file_count(store); i-- > atomic_load(&store->listed);) {
		const struct bt_slot *slot = bt_slot(store, i);

		if (is_listed(slot) && !strcmp(slot->id.name, name)) {
			*ret_ordinal = i;
			return 0;
		}
	}
	return find_listed(store, &key, ret_ordinal) ? 0 : BT_E_NOT_FOUND;
}
