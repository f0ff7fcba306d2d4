/* SPDX-License-Identifier: MIT */
/* Snapshots of what programs give. */
#include "codec/chunker.h"
#include "snapshot_world.h"

/* Gives the bytes in pieces of that size, and then fails if it is to. */
struct giver {
	struct bt_stream stream;
	const unsigned char *data;
	size_t size, piece, at;
	int failure;
	unsigned reads_after_end;
	bool ended;
};

static int64_t give(void *arg, void *data, size_t size)
{
	struct giver *giver = arg;
	size_t part = giver->size - giver->at;

	giver->reads_after_end += giver->ended;
	part = part < size ? part : size;
	part = part < giver->piece ? part : giver->piece;
	if (part)
		memcpy(data, giver->data + giver->at, part);
	giver->at += part;
	giver->ended = part == 0;
	return part == 0 && giver->failure ? giver->failure : (int64_t)part;
}

static struct giver make_giver(const char *name, const unsigned char *data, size_t size, size_t piece)
{
	return (struct giver){
		.stream = {sizeof(struct bt_stream), name, give, NULL}, .data = data, .size = size, .piece = piece};
}

static int take(struct world *world, struct giver *givers, size_t count)
{
	const struct bt_stream *streams[4];

	for (size_t i = 0; i < count; i++) {
		givers[i].at = 0;
		givers[i].ended = false;
		givers[i].stream.arg = &givers[i];
		streams[i] = &givers[i].stream;
	}
	world->options.as = "/command";
	world->options.streams = streams;
	world->options.stream_count = count;
	int r = world_take(world);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(givers[i].reads_after_end, 0);
	return r;
}

static void assert_gives(struct world *world, const struct giver *giver)
{
	struct looked looked = look_up(world, giver->stream.name);
	char path[256];

	assert_non_null(looked.entry);
	assert_int_equal(looked.entry->size, giver->size);
	assert_int_equal(looked.entry->mode, 0600);
	snprintf(path, sizeof(path), "%s/given", world->base);
	write_file(path, giver->data, giver->size);
	compare_content(world->store, path, looked.entry);
	drop_entry(world, &looked);
}

/* Of all sizes around those at which something else happens, in pieces of other ones. */
static void test_sizes(void **state)
{
	static const size_t sizes[] = {0,
				       1,
				       BT_CHUNK_MAX - 1,
				       BT_CHUNK_MAX,
				       BT_CHUNK_MAX + 1,
				       2 * BT_CHUNK_MAX - 1,
				       2 * BT_CHUNK_MAX,
				       2 * BT_CHUNK_MAX + 1,
				       9 * MIB + 3};
	static const size_t pieces[] = {4093, 65536, 8 * MIB};
	unsigned char *data = noise(10 * MIB, 1);
	struct world world;

	world_begin(&world);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		for (size_t j = 0; j < sizeof(pieces) / sizeof(*pieces); j++) {
			struct giver giver = make_giver("x", data, sizes[i], pieces[j]);

			world.options.threads = j + 1;
			assert_int_equal(take(&world, &giver, 1), 0);
			assert_int_equal(world.result.files, 1);
			assert_int_equal(world.result.directory_size, sizes[i]);
			assert_gives(&world, &giver);
		}
	free(data);
	world_end(&world);
}

/* Where pieces end has nothing to do with where chunks do, nor with characters. */
static void test_characters(void **state)
{
	size_t size = 3 * MIB;
	unsigned char *data = malloc(size);
	struct world world;

	for (size_t i = 0; i < size; i++)
		data[i] = (unsigned char)"\xf0\x9f\x98\x80"[i % 4];
	world_begin(&world);
	struct giver giver = make_giver("\xf0\x9f\x98\x80", data, size - 1, 4097);
	assert_int_equal(take(&world, &giver, 1), 0);
	assert_gives(&world, &giver);
	free(data);
	world_end(&world);
}

/* More chunks than stand in an entry, and in a page. */
static void test_many_chunks(void **state)
{
	size_t size = 160 * MIB;
	unsigned char *data = calloc(1, size);
	struct world world;

	world_begin(&world);
	for (size_t i = 0; i < size; i += 100003)
		data[i] = (unsigned char)(i >> 8);
	struct giver giver = make_giver("x", data, size, MIB);
	assert_int_equal(take(&world, &giver, 1), 0);
	struct looked looked = look_up(&world, "x");
	assert_true(looked.entry->extra->chunk_page_count > 0);
	drop_entry(&world, &looked);
	assert_gives(&world, &giver);
	free(data);
	world_end(&world);
}

static void test_same_again(void **state)
{
	unsigned char *data = noise(20 * MIB, 2);
	struct world world;
	char first[64];

	world_begin(&world);
	struct giver givers[] = {make_giver("b", data, 20 * MIB, MIB), make_giver("a", data, 5, 1)};
	assert_int_equal(take(&world, givers, 2), 0);
	assert_int_equal(world.result.created, 2);
	strcpy(first, world.result.name);
	struct looked looked = look_up(&world, "a");
	struct bt_time time = looked.entry->mtime;
	drop_entry(&world, &looked);
	age();
	/* A snapshot of the same has the same pages, and is left out if it may be. */
	assert_int_equal(take(&world, givers, 2), 0);
	assert_int_equal(world.result.unchanged, 2);
	assert_int_equal(world.result.new_bytes, 0);
	assert_string_equal(world.result.parent, first);
	looked = look_up(&world, "a");
	assert_memory_equal(&looked.entry->mtime, &time, sizeof(time));
	assert_true(bt_snapshot_info(looked.snapshot)->streams);
	drop_entry(&world, &looked);
	world.options.skip_if_unchanged = true;
	assert_int_equal(take(&world, givers, 2), 0);
	assert_true(world.result.skipped);
	/* Another one of them, with a time of its own. */
	givers[1].size = 6;
	assert_int_equal(take(&world, givers, 2), 0);
	assert_false(world.result.skipped);
	assert_int_equal(world.result.changed, 1);
	assert_int_equal(world.result.unchanged, 1);
	looked = look_up(&world, "a");
	assert_true(looked.entry->mtime.seconds > time.seconds || looked.entry->mtime.nanoseconds != time.nanoseconds);
	drop_entry(&world, &looked);
	/* One of them is gone. */
	assert_int_equal(take(&world, givers, 1), 0);
	assert_int_equal(world.result.removed, 1);
	free(data);
	world_end(&world);
}

/* Whatever it gave before: there is no snapshot, and the next run is none the worse for it. */
static void test_failure_in_the_middle(void **state)
{
	static const size_t sizes[] = {0, 5, 3 * MIB, 12 * MIB};
	unsigned char *data = noise(12 * MIB, 3);
	struct world world;

	world_begin(&world);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		for (unsigned threads = 1; threads < 4; threads += 2) {
			struct giver givers[] = {make_giver("a", data, 3, 1), make_giver("b", data, sizes[i], MIB),
						 make_giver("c", data, 3, 1)};

			world.options.threads = threads;
			givers[1].failure = -EIO;
			assert_int_equal(take(&world, givers, 3), BT_E_SYSTEM);
			assert_int_equal(world.error.sys, EIO);
			assert_string_equal(world.error.file, "b");
			assert_int_equal(givers[2].at, 0);
			givers[1].failure = -ECANCELED;
			assert_int_equal(take(&world, givers, 3), BT_E_CANCELLED);
			givers[1].failure = INT32_MAX; /* more than there is room for */
			assert_int_equal(take(&world, givers, 3), BT_E_SYSTEM);
			assert_int_equal(world.error.sys, EINVAL);
		}
	assert_int_equal(count_in_store(&world, "", ".json"), 0);
	struct giver giver = make_giver("b", data, 12 * MIB, MIB);
	assert_int_equal(take(&world, &giver, 1), 0);
	assert_gives(&world, &giver);
	free(data);
	world_end(&world);
}

static bool cancel_now(void *arg)
{
	return true;
}

static void test_cancelled(void **state)
{
	unsigned char byte = 1;
	struct world world;

	world_begin(&world);
	struct giver giver = make_giver("a", &byte, 1, 1);
	world.observer.cancelled = cancel_now;
	assert_int_equal(take(&world, &giver, 1), BT_E_CANCELLED);
	world_end(&world);
}

static void test_refused(void **state)
{
	static const char *const names[] = {"", ".", "..", "a/b", NULL};
	struct world world;

	world_begin(&world);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct giver giver = make_giver(names[i], NULL, 0, 1);

		assert_int_equal(take(&world, &giver, 1), BT_E_INVALID);
	}
	struct giver givers[] = {make_giver("a", NULL, 0, 1), make_giver("a", NULL, 0, 1)};
	assert_int_equal(take(&world, givers, 2), BT_E_INVALID);
	givers[0].stream.size = 0;
	assert_int_equal(take(&world, givers, 1), BT_E_INVALID);
	givers[0].stream.size = sizeof(struct bt_stream);
	world.options.one_file_system = true;
	assert_int_equal(take(&world, givers, 1), BT_E_INVALID);
	world.options.one_file_system = false;
	world.options.exclude_larger_than = 1;
	assert_int_equal(take(&world, givers, 1), BT_E_INVALID);
	world.options.exclude_larger_than = 0;
	world.options.paths = (const char *const[]){"a"};
	world.options.path_count = 1;
	assert_int_equal(take(&world, givers, 1), BT_E_INVALID);
	world.options.paths = NULL;
	world.options.path_count = 0;
	assert_int_equal(take(&world, givers, 1), 0);
	world.options.as = NULL;
	assert_int_equal(world_take(&world), BT_E_INVALID);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_many_chunks),
		cmocka_unit_test(test_same_again),
		cmocka_unit_test(test_failure_in_the_middle),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
