/* SPDX-License-Identifier: MIT */
#include "snapshot_world.h"
#include <internal/state.h>

/* A file system of that size, which has the store and what others put there. */
static struct {
	uint64_t total, others;
	uint64_t grows; /* by this whenever it is asked */
	bool unknown;
	unsigned asked;
} disk;

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
void __real_bt_store_room(struct bt_store *store, struct bt_room *ret_room);
void __wrap_bt_store_room(struct bt_store *store, struct bt_room *ret_room);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

void __wrap_bt_store_room(struct bt_store *store, struct bt_room *ret_room)
{
	__real_bt_store_room(store, ret_room);
	disk.others += disk.asked++ ? disk.grows : 0;
	ret_room->total = disk.unknown ? 0 : disk.total;
	ret_room->free = disk.unknown || ret_room->bytes + disk.others > disk.total
				 ? 0
				 : disk.total - disk.others - ret_room->bytes;
}

#define PIECE	  100000
#define STORED	  133333 /* of a piece, nearly */
#define SNAPSHOTS 6

/* Snapshots of which each but the last has a file of its own, and all have one in common. */
static void begin(struct world *world)
{
	char name[16];

	memset(&disk, 0, sizeof(disk));
	disk.total = 10 * MIB;
	world_begin(world);
	put_noise(world, "common", PIECE, 99);
	for (unsigned i = 0; i < SNAPSHOTS; i++) {
		snprintf(name, sizeof(name), "own-%u", i);
		put_noise(world, name, PIECE, i + 1);
		world_snap(world);
		if (i + 1 < SNAPSHOTS)
			unlink(in_source(world, name));
	}
	world_open_store(world);
}

static uint64_t free_now(struct world *world)
{
	struct bt_room room;

	disk.asked = 0;
	__wrap_bt_store_room(world->store, &room);
	disk.asked = 0;
	return room.free;
}

struct call {
	struct bt_room_wish wish;
	struct bt_prune_options options;
	size_t count; /* of names, the oldest first; 0: all but the newest */
	struct bt_observer *observer;
	struct bt_room_result room;
	struct bt_prune_result done;
};

static int prune(struct world *world, struct call *call)
{
	const char *names[SNAPSHOTS];
	size_t count = call->count ? call->count : SNAPSHOTS - 1;

	world_open_store(world);
	call->wish.size = sizeof(call->wish);
	call->options.size = sizeof(call->options);
	call->room.size = sizeof(call->room);
	call->done.size = sizeof(call->done);
	for (size_t i = 0; i < count; i++)
		names[i] = bt_store_snapshot_name(world->store, i);
	call->wish.names = names;
	call->wish.name_count = count;
	world->error = (struct bt_error){0};
	return bt_prune_for_room(world->store, &call->wish, &call->options, call->observer, &call->room, &call->done,
				 &world->error);
}

static size_t snapshots(struct world *world)
{
	world_open_store(world);
	return bt_store_snapshot_count(world->store);
}

static void test_no_more_than_it_takes(void **state)
{
	struct world world;

	begin(&world);
	struct call enough = {.wish.keep_free = free_now(&world)};
	assert_int_equal(prune(&world, &enough), 0);
	assert_int_equal(enough.room.gone, 0);
	assert_int_equal(snapshots(&world), SNAPSHOTS);
	struct call dry = {.wish.keep_free = free_now(&world) + 2 * STORED - 1000, .options.dry_run = true}, real = dry;
	assert_int_equal(prune(&world, &dry), 0);
	assert_int_equal(dry.room.gone, 2);
	assert_int_equal(snapshots(&world), SNAPSHOTS);
	real.options.dry_run = false;
	char *third = strdup(bt_store_snapshot_name(world.store, 2));
	assert_int_equal(prune(&world, &real), 0);
	assert_int_equal(real.room.gone, 2);
	assert_int_equal(real.room.end, BT_ROOM_REACHED);
	assert_in_range(real.room.free, real.wish.keep_free, real.wish.keep_free + STORED);
	assert_in_range(dry.room.free, real.room.free - 2000, real.room.free + 2000);
	assert_int_equal(snapshots(&world), SNAPSHOTS - 2);
	assert_string_equal(bt_store_snapshot_name(world.store, 0), third);
	free(third);
	world_end(&world);
}

static void test_a_share_and_a_largest_size(void **state)
{
	struct world world;
	struct bt_room room;

	begin(&world);
	__real_bt_store_room(world.store, &room);
	struct call most = {.wish.max_store = room.bytes - STORED / 2};
	assert_int_equal(prune(&world, &most), 0);
	assert_int_equal(most.room.gone, 1);
	assert_true(most.room.store <= most.wish.max_store);
	disk.others = disk.total / 2 - most.room.store; /* half is free */
	struct call share = {.wish.keep_free_percent = 51, .count = 4};
	assert_int_equal(prune(&world, &share), 0);
	assert_int_equal(share.room.wanted_free, disk.total / 100 * 51 + disk.total % 100 * 51 / 100);
	assert_int_equal(share.room.gone, 1);
	world_end(&world);
}

static void test_given_names_go_first(void **state)
{
	struct world world;

	begin(&world);
	struct call given = {.wish = {.keep_free = 1, .given = 2}};
	assert_int_equal(prune(&world, &given), 0);
	assert_int_equal(given.room.gone, 2);
	assert_int_equal(given.done.removed, 2);
	assert_int_equal(snapshots(&world), SNAPSHOTS - 2);
	world_end(&world);
}

/* What is unneeded in files goes before a snapshot does. */
static void test_unneeded_data_first(void **state)
{
	struct bt_prune_options never = {.size = sizeof(never), .dead_percent = 100};
	struct bt_prune_result done = {.size = sizeof(done)};
	struct world world;

	begin(&world);
	const char *oldest = bt_store_snapshot_name(world.store, 0);
	assert_int_equal(bt_prune(world.store, &oldest, 1, &never, NULL, &done, &world.error), 0);
	assert_in_range(done.dead_bytes, STORED / 2, STORED * 2);
	struct call call = {.wish.keep_free = free_now(&world) + done.dead_bytes / 2, .count = 4};
	assert_int_equal(prune(&world, &call), 0);
	assert_int_equal(call.room.gone, 0);
	assert_int_equal(snapshots(&world), SNAPSHOTS - 1);
	world_end(&world);
}

static void test_it_cannot_be_reached(void **state)
{
	struct world world;

	begin(&world);
	struct call call = {.wish.keep_free = disk.total};
	assert_int_equal(prune(&world, &call), BT_E_INCOMPLETE);
	assert_int_equal(call.room.end, BT_ROOM_NOTHING_LEFT);
	assert_int_equal(call.room.gone, SNAPSHOTS - 1);
	assert_int_equal(snapshots(&world), 1);
	world_end(&world);
}

static void test_no_figure_is_no_reason(void **state)
{
	struct world world;

	begin(&world);
	disk.unknown = true;
	struct call call = {.wish = {.keep_free = 1, .given = 1}};
	assert_int_equal(prune(&world, &call), BT_E_SYSTEM);
	assert_int_equal(snapshots(&world), SNAPSHOTS);
	struct call wrong = {.wish.keep_free_percent = 100};
	assert_int_equal(prune(&world, &wrong), BT_E_INVALID);
	struct call size_only = {.wish.max_store = UINT64_C(1) << 40};
	assert_int_equal(prune(&world, &size_only), 0);
	world_end(&world);
}

/* Others fill the disk as fast as it is emptied; they were there once before it began. */
static void test_others_take_the_room(void **state)
{
	struct world world;

	begin(&world);
	struct call call = {.wish.keep_free = free_now(&world) + STORED / 2};
	disk.grows = 2 * STORED;
	assert_int_equal(prune(&world, &call), BT_E_INCOMPLETE);
	assert_int_equal(call.room.end, BT_ROOM_TAKEN);
	assert_int_equal(call.room.gone, 3);
	assert_int_equal(snapshots(&world), SNAPSHOTS - 3);
	world_end(&world);
}

struct beside {
	struct world *world;
	unsigned asked, cancel_at;
	bool done;
};

static bool ask(void *arg)
{
	struct beside *beside = arg;

	return ++beside->asked == beside->cancel_at;
}

/* Wherever it is ended, the newest snapshots are whole, and the next call goes on. */
static void test_ended_anywhere(void **state)
{
	for (unsigned at = 1; at < 60; at += 7) {
		struct world world;
		struct beside beside = {.cancel_at = at};
		struct bt_observer observer = {.size = sizeof(observer), .cancelled = ask, .arg = &beside};

		begin(&world);
		struct call call = {.wish.keep_free = free_now(&world) + 3 * STORED - 1000, .observer = &observer};
		int r = prune(&world, &call);
		assert_true(!r || r == BT_E_CANCELLED);
		call.observer = NULL;
		call.count = snapshots(&world) - 1;
		assert_int_equal(prune(&world, &call), 0);
		assert_in_range(snapshots(&world), SNAPSHOTS - 4, SNAPSHOTS - 3);
		world_compare(&world);
		world_end(&world);
	}
}

static bool pin_second(void *arg)
{
	struct beside *beside = arg;
	const struct bt_tag_change change = {.pin = true};
	struct bt_store *store;
	struct bt_error error = {0};

	if (beside->done || ++beside->asked < beside->cancel_at)
		return false;
	beside->done = true;
	store = open_another(beside->world, 0);
	/* refused while a step has the store for itself */
	if (bt_snapshot_retag(store, bt_store_snapshot_name(store, 1), &change, NULL, &error))
		beside->done = false;
	bt_store_close(store);
	return false;
}

static void test_what_is_pinned_meanwhile_stays(void **state)
{
	struct world world;
	struct beside beside = {.world = &world, .cancel_at = 1};
	struct bt_observer observer = {.size = sizeof(observer), .cancelled = pin_second, .arg = &beside};

	begin(&world);
	char *name = strdup(bt_store_snapshot_name(world.store, 1));
	struct call call = {.wish.keep_free = disk.total, .observer = &observer};
	assert_int_equal(prune(&world, &call), BT_E_INCOMPLETE);
	assert_true(beside.done);
	assert_int_equal(snapshots(&world), 2);
	assert_string_equal(bt_store_snapshot_name(world.store, 0), name);
	free(name);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_more_than_it_takes),
		cmocka_unit_test(test_a_share_and_a_largest_size),
		cmocka_unit_test(test_given_names_go_first),
		cmocka_unit_test(test_unneeded_data_first),
		cmocka_unit_test(test_it_cannot_be_reached),
		cmocka_unit_test(test_no_figure_is_no_reason),
		cmocka_unit_test(test_others_take_the_room),
		cmocka_unit_test(test_ended_anywhere),
		cmocka_unit_test(test_what_is_pinned_meanwhile_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
