/* SPDX-License-Identifier: MIT */
/* Before one of two copies goes, the other one is read. */
#include "snapshot_world.h"
#include "store/store.h"
#include <backuptool/check.h>
#include <backuptool/prune.h>

/* What the snapshot holds is in contents/, too. */
static void add_twin(struct world *world, const char *name)
{
	char to[512], from[1400];

	snprintf(to, sizeof(to), "%s/contents", world->store_path);
	assert_true(mkdir(to, 0700) == 0 || errno == EEXIST);
	snprintf(to, sizeof(to), "%s/contents/%s.json", world->store_path, name);
	snprintf(from, sizeof(from), "cp '%s/%s' '%s'", world->store_path, world->result.name, to);
	assert_int_equal(system(from), 0);
}

/* One character of a content's frame. */
static void damage_snapshot(struct world *world)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", world->store_path, world->result.name);
	file = fopen(path, "r+");
	assert_non_null(file);
	assert_int_equal(fseek(file, 5000, SEEK_SET), 0);
	int byte = fgetc(file);
	assert_int_equal(fseek(file, 5000, SEEK_SET), 0);
	fputc(byte == 'A' ? 'B' : 'A', file);
	assert_int_equal(fclose(file), 0);
}

/* How often it was asked whether to go on, with the lock to be had by others. */
struct beside {
	struct world *world;
	size_t asked, free, problems;
	char path[256];
};

static bool ask(void *arg)
{
	struct beside *beside = arg;
	struct bt_store *store = open_another(beside->world, 0);
	int lock;

	beside->asked++;
	if (bt_store_lock(store, BT_LOCK_SHARED, NULL, &lock, NULL) == 0) {
		beside->free++;
		close(lock);
	}
	bt_store_close(store);
	return false;
}

static void note_problem(void *arg, const char *path, const struct bt_error *error)
{
	struct beside *beside = arg;

	beside->problems++;
	snprintf(beside->path, sizeof(beside->path), "%s", path);
	assert_int_equal(error->code, BT_E_DAMAGED);
	assert_string_equal(error->file, beside->world->result.name);
}

static int prune(struct world *world, struct beside *beside, struct bt_prune_result *result)
{
	const struct bt_observer observer = {.arg = beside, .cancelled = ask, .problem = note_problem};
	struct bt_store *store = open_another(world, 0);

	*beside = (struct beside){.world = world};
	world->error = (struct bt_error){0};
	int r = bt_prune(store, NULL, 0, NULL, &observer, result, &world->error);
	bt_store_close(store);
	return r;
}

/* Nobody has to wait meanwhile. */
static void test_copies_are_read_without_the_lock(void **state)
{
	struct world *world = *state;
	struct bt_prune_result result = {.size = sizeof(result)};
	struct beside beside;

	for (uint64_t i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%d", (int)i);
		put_noise(world, name, 1000 + i, i);
	}
	world_snap(world);
	add_twin(world, "00000000000000000000000000000001");
	add_twin(world, "00000000000000000000000000000002");
	assert_int_equal(prune(world, &beside, &result), 0);
	assert_int_equal(result.files_deleted, 2);
	assert_in_range(result.proven, 105, 112); /* once, whoever asks: contents, leaves and a page over them */
	assert_true(beside.free >= result.proven);
	assert_in_range(beside.asked - beside.free, 1, 20);
	assert_false(result.kept);
	world_compare(world);
}

/* A damaged snapshot, of which there are so many sound twins. */
static void take_with_twins(struct world *world, int count)
{
	put_noise(world, "file", 100000, 1);
	world_snap(world);
	for (int i = 1; i <= count; i++) {
		char name[40];

		snprintf(name, sizeof(name), "%032d", i);
		add_twin(world, name);
	}
	damage_snapshot(world);
}

static void test_an_unsound_copy_keeps_the_other_one(void **state)
{
	struct world *world = *state;
	struct bt_prune_result result = {.size = sizeof(result)};
	struct beside beside;

	take_with_twins(world, 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(prune(world, &beside, &result), BT_E_INCOMPLETE);
		assert_true(result.kept);
		assert_int_equal(result.files_deleted, 0);
		assert_int_equal(beside.problems, 1);
		assert_string_equal(beside.path, "contents/00000000000000000000000000000001.json");
		world_open_store(world);
		world_compare(world);
	}
}

static void test_of_two_sound_copies_one_stays(void **state)
{
	struct world *world = *state;
	struct bt_prune_result result = {.size = sizeof(result)};
	struct beside beside;

	take_with_twins(world, 2);
	assert_int_equal(prune(world, &beside, &result), BT_E_INCOMPLETE);
	assert_int_equal(result.files_deleted, 1);
	assert_int_equal(count_in_store(world, "contents", ".json"), 1);
	world_open_store(world);
	world_compare(world);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		EACH(test_copies_are_read_without_the_lock),
		EACH(test_an_unsound_copy_keeps_the_other_one),
		EACH(test_of_two_sound_copies_one_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
