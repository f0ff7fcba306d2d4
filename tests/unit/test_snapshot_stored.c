/* SPDX-License-Identifier: MIT */
/* How contents lie in the store: once, in chunks, in volumes, always in the same way. */
#include "snapshot_kinds.h"

static void test_dedup(void **state)
{
	struct world world;

	world_begin(&world);
	put_noise(&world, "one", 3 * MIB, 1);
	put_noise(&world, "same", 3 * MIB, 1);
	put_noise(&world, "small", 5000, 2);
	put_noise(&world, "small same", 5000, 2);
	world_snap(&world);
	assert_int_equal(world.result.new_bytes, 3 * MIB + 5000);
	put_noise(&world, "third", 3 * MIB, 1);
	put_noise(&world, "third small", 5000, 2);
	world_snap(&world);
	assert_int_equal(world.result.new_bytes, 0);
	assert_int_equal(world.result.created, 2);
	world_compare(&world);
	world_end(&world);
}

static void test_insertion(void **state)
{
	struct world world;
	unsigned char *data = noise(21 * MIB, 9), *inserted = noise(MIB, 10);

	world_begin(&world);
	write_file(in_source(&world, "image"), data, 20 * MIB);
	world_snap(&world);
	assert_int_equal(world.result.new_bytes, 20 * MIB);
	memmove(data + 8 * MIB, data + 7 * MIB, 13 * MIB);
	memcpy(data + 7 * MIB, inserted, MIB);
	write_file(in_source(&world, "image"), data, 21 * MIB);
	world_snap(&world);
	assert_int_equal(world.result.changed, 1);
	assert_true(world.result.new_bytes >= MIB && world.result.new_bytes <= 5 * MIB);
	world_compare(&world);
	free(data);
	free(inserted);
	world_end(&world);
}

/* More chunks than an entry lists itself. */
static void test_chunk_pages(void **state)
{
	struct world world;
	struct looked looked;

	world_begin(&world);
	put_noise(&world, "image", 90 * MIB, 3);
	age();
	world_snap(&world);
	looked = look_up(&world, "image");
	assert_true(looked.entry->extra->chunk_page_count >= 1);
	assert_false(looked.entry->extra->has_chunks);
	drop_entry(&world, &looked);
	world_compare(&world);
	world_snap(&world);
	assert_int_equal(world.result.unchanged, 1);
	assert_int_equal(world.result.new_bytes, 0);
	assert_true(snapshot_size(&world) < 2048);
	world_end(&world);
}

static void fill_for_volumes(struct world *world)
{
	char name[32];

	for (unsigned i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "f%02u", i);
		put_noise(world, name, 200000, 100 + i);
	}
	put_noise(world, "large", 6 * MIB, 5);
}

static void test_volumes(void **state)
{
	struct world world;
	char path[256], **names;

	world_begin(&world);
	world.options.volume_size = MIB;
	fill_for_volumes(&world);
	age();
	world_snap(&world);
	size_t volumes = count_in_store(&world, "contents", ".json");
	assert_true(volumes >= 5);
	world_compare(&world);
	snprintf(path, sizeof(path), "%s/contents", world.store_path);
	assert_int_equal(list_names(path, &names), volumes);
	uint64_t sum = snapshot_size(&world);
	for (size_t i = 0; i < volumes; i++) {
		snprintf(path, sizeof(path), "%s/contents/%s", world.store_path, names[i]);
		assert_int_equal(strlen(names[i]), 32 + 5);
		assert_true(size_of(AT_FDCWD, path) < 8 * MIB);
		sum += size_of(AT_FDCWD, path);
	}
	assert_int_equal(sum, world.result.written_bytes);
	/* A lost volume is made up for: whose contents are missing is read again. */
	snprintf(path, sizeof(path), "%s/contents/%s", world.store_path, names[volumes / 2]);
	assert_int_equal(unlink(path), 0);
	world_open_store(&world);
	world.options.skip_if_unchanged = true;
	world_snap(&world);
	assert_false(world.result.skipped);
	assert_int_equal(world.result.unchanged, 41);
	assert_true(world.result.new_bytes > 0 && world.result.new_bytes < 8 * MIB);
	world_compare(&world);
	for (size_t i = 0; i < volumes; i++)
		free(names[i]);
	free(names);
	world_end(&world);
}

static void snap_into(struct world *world, const char *store, unsigned threads)
{
	const struct bt_time time = {1700000000, 123456789};

	snprintf(world->store_path, sizeof(world->store_path), "%s/%s", world->base, store);
	world_open_store(world);
	world->options.time = &time;
	world->options.threads = threads;
	world_snap(world);
	world->options.time = NULL;
}

static void compare_files(const char *one, const char *other)
{
	int fd[2] = {open(one, O_RDONLY | O_CLOEXEC), open(other, O_RDONLY | O_CLOEXEC)};
	char *data[2] = {malloc(MIB), malloc(MIB)};
	ssize_t got[2];

	assert_true(fd[0] >= 0 && fd[1] >= 0);
	do {
		for (unsigned i = 0; i < 2; i++)
			got[i] = read(fd[i], data[i], MIB);
		assert_int_equal(got[0], got[1]);
		assert_memory_equal(data[0], data[1], (size_t)got[0]);
	} while (got[0] > 0);
	for (unsigned i = 0; i < 2; i++) {
		close(fd[i]);
		free(data[i]);
	}
}

static size_t compare_directories(struct world *world, const char *one, const char *other, const char *below)
{
	char **names, dir[160], paths[2][512];

	snprintf(dir, sizeof(dir), "%s/%s/%s", world->base, one, below);
	size_t count = list_names(dir, &names), compared = 0;
	for (size_t i = 0; i < count; i++) {
		if (strstr(names[i], ".json")) {
			snprintf(paths[0], sizeof(paths[0]), "%s/%s/%s/%s", world->base, one, below, names[i]);
			snprintf(paths[1], sizeof(paths[1]), "%s/%s/%s/%s", world->base, other, below, names[i]);
			compare_files(paths[0], paths[1]);
			compared++;
		}
		free(names[i]);
	}
	free(names);
	return compared;
}

static void test_deterministic(void **state)
{
	static const unsigned threads[] = {2, 4, 0, 2};
	struct world world;
	char store[16];

	world_begin(&world);
	put_all_kinds(&world);
	fill_for_volumes(&world);
	set_mtime(world.source, 1600000000, 7);
	age();
	world.options.volume_size = 2 * MIB;
	snap_into(&world, "serial", 1);
	for (unsigned i = 0; i < 4; i++) {
		snprintf(store, sizeof(store), "s%u", i);
		snap_into(&world, store, threads[i]);
		assert_int_equal(compare_directories(&world, "serial", store, "."), 1);
		assert_true(compare_directories(&world, "serial", store, "contents") >= 2);
	}
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dedup),	      cmocka_unit_test(test_insertion),
		cmocka_unit_test(test_chunk_pages),   cmocka_unit_test(test_volumes),
		cmocka_unit_test(test_deterministic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
