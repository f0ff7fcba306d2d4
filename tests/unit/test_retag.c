/* SPDX-License-Identifier: MIT */
/* Tags that are set and taken away. */
#include "snapshot_world.h"
#include "store/store.h"
#include <backuptool/prune.h>

static void test_tags_that_are_there(void **state)
{
	struct world *world = *state;
	const char *const tags[] = {"a", "b"};
	const struct bt_tag_change both = {.add = tags, .add_count = 2};
	const struct bt_tag_change one = {.remove = tags, .remove_count = 1};
	struct bt_store *store;
	struct stat before, after;
	char path[256];
	int lock;

	world_snap(world);
	snprintf(path, sizeof(path), "%s/%s", world->store_path, world->result.name);
	store = open_another(world, 0);
	assert_int_equal(bt_snapshot_retag(store, world->result.name, &both, NULL, NULL), 0);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(bt_store_lock(store, BT_LOCK_SHARED, NULL, &lock, NULL), 0);
	assert_int_equal(bt_snapshot_retag(store, world->result.name, &both, NULL, NULL), 0);
	assert_int_equal(bt_snapshot_retag(store, world->result.name, &one, NULL, NULL), BT_E_LOCKED);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	close(lock);
	bt_store_close(store);
}

static void check_tags(struct world *world, const char *name, const char *const *tags, size_t count)
{
	struct bt_store *store = open_another(world, 0);
	struct bt_snapshot *snapshot;

	assert_int_equal(bt_snapshot_open(store, name, &snapshot, NULL), 0);
	assert_int_equal(bt_snapshot_info(snapshot)->tag_count, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(bt_snapshot_info(snapshot)->tags[i], tags[i]);
	bt_snapshot_close(snapshot);
	bt_store_close(store);
}

/* What one does is not undone by another that looked before. */
static void test_tags_of_two(void **state)
{
	struct world *world = *state;
	const char *const tags[] = {"a", "b", "c"};
	const struct bt_tag_change first = {.add = tags + 1, .add_count = 2};
	const struct bt_tag_change second = {.add = tags, .add_count = 1, .remove = tags + 2, .remove_count = 1};
	struct bt_snapshot *looked;
	struct bt_store *slow;
	const char *name;

	world_snap(world);
	slow = open_another(world, 0);
	name = bt_store_snapshot_name(slow, 0);
	assert_int_equal(bt_snapshot_open(slow, name, &looked, NULL), 0);
	retag_beside(world, &first);
	assert_int_equal(bt_snapshot_retag(slow, name, &second, NULL, NULL), 0);
	check_tags(world, world->result.name, tags, 2);
	bt_snapshot_close(looked);
	bt_store_close(slow);
	world_compare(world);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		EACH(test_tags_that_are_there),
		EACH(test_tags_of_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
