/* SPDX-License-Identifier: MIT */
/* Contents and pages into new files of a store. */
#include "pack/pack.h"
#include "store_opened.h"
#include <errno.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

struct world {
	struct sample sample;
	struct bt_store *store;
	struct bt_voice voice;
	struct bt_buffers buffers;
	struct bt_pack *pack;
};

static struct bt_pack_options options_of(struct world *world, unsigned threads)
{
	return (struct bt_pack_options){
		.store = world->store, .threads = threads, .voice = &world->voice, .buffers = &world->buffers};
}

static void open_world(struct world *world)
{
	*world = (struct world){.sample = sample_new()};
	world->store = open_store(&world->sample);
	bt_voice_init(&world->voice, NULL, NULL);
	bt_buffers_init(&world->buffers, BT_BUFFERS_MAPPED, 8 * MIB);
}

static void close_world(struct world *world)
{
	bt_pack_free(world->pack);
	bt_buffers_destroy(&world->buffers);
	bt_voice_free(&world->voice);
	bt_store_close(world->store);
	sample_free(&world->sample);
}

static void move(struct world *world, uint64_t seed, size_t size)
{
	const struct bt_held content = {sample_content_digest(seed, size), (uint32_t)size};
	unsigned char *data = sample_bytes(seed, size);

	assert_int_equal(bt_pack_moved(world->pack, &content, data, NULL), 0);
	free(data);
}

static int try_keep(struct world *world, uint64_t seed, size_t size, struct bt_error *error)
{
	const struct bt_held content = {sample_content_digest(seed, size), (uint32_t)size};
	unsigned char *data = sample_bytes(seed, size);
	int r = bt_pack_content(world->pack, &content, data, BT_PACK_ALONE, error);

	free(data);
	return r;
}

static void keep(struct world *world, uint64_t seed, size_t size)
{
	assert_int_equal(try_keep(world, seed, size, NULL), 0);
}

/* What no block with others has room for is one of its own. */
static void fill_volume(unsigned threads)
{
	static const char line[] = "{\"entries\":[]}";
	const struct bt_digest id = sample_digest(line, strlen(line));
	bool has = false;
	struct world world;

	open_world(&world);
	const struct bt_pack_options options = options_of(&world, threads);
	assert_int_equal(bt_pack_new(&options, &world.pack, NULL), 0);
	for (uint64_t seed = 1; seed <= 3; seed++)
		move(&world, seed, 1000);
	move(&world, 4, 7 * MIB + 512 * KIB);
	move(&world, 5, 700 * KIB);
	move(&world, 6, 900 * KIB);
	assert_int_equal(bt_pack_moved_page(world.pack, line, strlen(line), &id, NULL), 0);
	assert_int_equal(bt_pack_flush(world.pack, NULL), 0);
	assert_int_equal(bt_store_file_count(world.store), 0);
	assert_int_equal(bt_pack_seal(world.pack, NULL), 0);
	assert_int_equal(bt_store_file_count(world.store), 1);
	assert_int_equal(bt_pack_counts(world.pack)->written, bt_store_file_id(world.store, 0)->size);
	for (uint64_t seed = 1; seed <= 3; seed++)
		assert_content(world.store, seed, 1000);
	assert_content(world.store, 4, 7 * MIB + 512 * KIB);
	assert_content(world.store, 5, 700 * KIB);
	assert_content(world.store, 6, 900 * KIB);
	assert_int_equal(bt_store_has(world.store, &id, true, &has, NULL), 0);
	assert_true(has);
	close_world(&world);
}

static void test_a_volume(void **state)
{
	fill_volume(0);
	fill_volume(4);
}

/* Every block fills a file, which the index knows at once. The names do not depend on the number of threads. */
static void fill_volumes(unsigned threads, char names[3][64])
{
	const struct bt_snapshot_info info = {.host = "h", .target = "/t", .time = {1700000000, 5}};
	struct world world;

	open_world(&world);
	struct bt_pack_options options = options_of(&world, threads);
	options.info = &info;
	options.volume_size = 1;
	assert_int_equal(bt_pack_new(&options, &world.pack, NULL), 0);
	for (int round = 0; round < 2; round++) {
		for (uint64_t seed = 1; seed <= 3; seed++)
			keep(&world, seed, 200 * KIB);
		keep(&world, 9, 0);
		assert_int_equal(bt_pack_flush(world.pack, NULL), 0);
		assert_int_equal(bt_pack_counts(world.pack)->new_bytes, 600 * KIB);
		assert_int_equal(bt_store_file_count(world.store), 3);
	}
	for (uint32_t i = 0; i < 3; i++) {
		assert_content(world.store, i + 1, 200 * KIB);
		snprintf(names[i], 64, "%s", bt_store_file_id(world.store, i)->name);
	}
	close_world(&world);
}

static void test_volumes(void **state)
{
	char names[2][3][64];

	fill_volumes(0, names[0]);
	fill_volumes(4, names[1]);
	assert_memory_equal(names[0][0], names[1][0], 37);
	assert_memory_equal(names[0][1], names[1][1], 37);
	assert_memory_equal(names[0][2], names[1][2], 37);
	assert_string_not_equal(names[0][0], names[0][1]);
}

static void test_dry(void **state)
{
	struct world world;

	open_world(&world);
	struct bt_pack_options options = options_of(&world, 0);
	options.dry = true;
	assert_int_equal(bt_pack_new(&options, &world.pack, NULL), 0);
	for (int round = 0; round < 2; round++)
		keep(&world, 1, 200 * KIB);
	assert_int_equal(bt_pack_flush(world.pack, NULL), 0);
	assert_int_equal(bt_pack_seal(world.pack, NULL), 0);
	assert_int_equal(bt_pack_counts(world.pack)->new_bytes, 200 * KIB);
	assert_int_equal(bt_store_file_count(world.store), 0);
	close_world(&world);
}

/* A failure in another thread is what the next call hands on. */
static void test_first_failure(void **state)
{
	const struct bt_error first = {.code = BT_E_SYSTEM, .sys = ENOSPC};
	struct bt_error error = {0};
	struct world world;

	open_world(&world);
	const struct bt_pack_options options = options_of(&world, 2);
	assert_int_equal(bt_pack_new(&options, &world.pack, NULL), 0);
	bt_voice_fail(&world.voice, BT_E_SYSTEM, &first);
	move(&world, 1, 1000);
	assert_int_equal(bt_pack_flush(world.pack, &error), BT_E_SYSTEM);
	assert_int_equal(error.sys, ENOSPC);
	close_world(&world);
}

static bool names_are_taken;
int __real_bt_volume_seal(struct bt_store *store, struct bt_writer *writer, const char *name, struct bt_error *error);
int __wrap_bt_volume_seal(struct bt_store *store, struct bt_writer *writer, const char *name, struct bt_error *error);

int __wrap_bt_volume_seal(struct bt_store *store, struct bt_writer *writer, const char *name, struct bt_error *error)
{
	return names_are_taken ? BT_E_EXISTS : __real_bt_volume_seal(store, writer, name, error);
}

/* A volume that gets no name is not there, and no snapshot may rely on it. */
static void test_no_name_is_free(void **state)
{
	const struct bt_snapshot_info info = {.host = "h", .target = "/t"};
	struct bt_error error = {0};
	struct world world;

	open_world(&world);
	struct bt_pack_options options = options_of(&world, 0);
	options.info = &info;
	options.volume_size = 1;
	assert_int_equal(bt_pack_new(&options, &world.pack, NULL), 0);
	names_are_taken = true;
	assert_int_equal(try_keep(&world, 1, 200 * KIB, &error), BT_E_EXISTS);
	names_are_taken = false;
	assert_int_equal(error.code, BT_E_EXISTS);
	assert_int_equal(bt_store_file_count(world.store), 0);
	close_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_volume),
		cmocka_unit_test(test_volumes),
		cmocka_unit_test(test_dry),
		cmocka_unit_test(test_first_failure),
		cmocka_unit_test(test_no_name_is_free),
	};

	return cmocka_run_group_tests_name("pack", tests, NULL, NULL);
}
