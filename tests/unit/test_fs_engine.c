/* SPDX-License-Identifier: MIT */
/* What the engine does for the mount: the block behind another, what lies before a slice. */
#include "store_samples.h"
#include <internal/store.h>
#include <internal/view.h>

#define SIZE 700

static struct bt_entry file_of(uint64_t seed)
{
	return (struct bt_entry){.name = "f",
				 .name_length = 1,
				 .type = BT_FILE,
				 .size = SIZE,
				 .has_digest = true,
				 .digest = sample_content_digest(seed, SIZE)};
}

static bool is_decoded(struct bt_store *store, uint64_t seed)
{
	struct bt_entry file = file_of(seed);
	struct bt_slice slice;

	if (bt_slice_start(store, &file, 0, BT_SLICE_DECODED, &slice, NULL) != 0)
		return false;
	bt_slice_end(store, &slice);
	return true;
}

/* Blocks of the contents 1–3, 4–6, 7–9 in one file, 10 in another. */
static struct bt_store *make_store(struct sample *sample)
{
	struct bt_store *store;

	*sample = sample_new();
	int contents = sample_contents_dir(sample);
	struct bt_writer *writer = sample_writer(contents, VOLUME_HEADER);
	for (uint64_t from = 1; from < 10; from += 3)
		sample_contents(writer, from, 3, SIZE);
	sample_seal(writer, "{}", "00000000000000000000000000000001.json");
	bt_writer_free(writer);
	writer = sample_writer(contents, VOLUME_HEADER);
	sample_contents(writer, 10, 1, SIZE);
	sample_seal(writer, "{}", "00000000000000000000000000000002.json");
	bt_writer_free(writer);
	close(contents);
	assert_int_equal(bt_store_open(sample->path, NULL, &store, NULL), 0);
	return store;
}

static void the_block_behind_is_decoded(void **state)
{
	struct sample sample;
	struct bt_store *store = make_store(&sample);
	struct bt_readahead *readahead;

	assert_int_equal(bt_readahead_new(store, &readahead), 0);
	struct bt_entry file = file_of(2), last = file_of(8), none = file_of(99), empty = {.type = BT_FILE};
	bt_readahead_next(readahead, &file);
	assert_false(is_decoded(store, 2));
	assert_true(is_decoded(store, 4));
	assert_true(is_decoded(store, 6));
	assert_false(is_decoded(store, 7));
	bt_readahead_next(readahead, &last); /* behind the last there is nothing, least of all another file's */
	bt_readahead_next(readahead, &none);
	bt_readahead_next(readahead, &empty);
	assert_false(is_decoded(store, 7));
	assert_false(is_decoded(store, 10));
	bt_readahead_free(readahead);
	bt_store_close(store);
	sample_free(&sample);
}

static void slices_know_what_lies_before_them(void **state)
{
	struct sample sample;
	struct bt_store *store = make_store(&sample);
	struct bt_chunk chunks[] = {{sample_content_digest(1, SIZE), SIZE}, {sample_content_digest(2, SIZE), SIZE}};
	struct bt_extent hole = {.offset = SIZE + 100, .length = 50};
	struct bt_extra extra = {.chunks = chunks,
				 .chunk_count = 2,
				 .has_chunks = true,
				 .holes = &hole,
				 .hole_sums = &hole.length,
				 .hole_count = 1};
	struct bt_entry file = {.name = "f", .name_length = 1, .type = BT_FILE, .size = 2 * SIZE + 50, .extra = &extra};
	static const struct {
		uint64_t offset, before;
	} cases[] = {{0, 0},	      {300, 300},      {SIZE, 0},	 {SIZE + 99, 99},
		     {SIZE + 120, 0}, {SIZE + 150, 0}, {SIZE + 250, 100}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct bt_slice slice;

		assert_int_equal(bt_slice_start(store, &file, cases[i].offset, 0, &slice, NULL), 0);
		assert_int_equal(slice.before, cases[i].before);
		assert_true((!slice.data) == (!slice.block));
		bt_slice_end(store, &slice);
	}
	bt_store_close(store);
	sample_free(&sample);
}

/* A block of two contents, of which the lists say that it holds two others of the same sizes. */
static void write_as(struct bt_writer *writer, uint64_t seed, uint64_t said)
{
	unsigned char *data = malloc((size_t)2 * SIZE);
	struct bt_held held[2];

	for (uint64_t i = 0; i < 2; i++) {
		unsigned char *one = sample_bytes(seed + i, SIZE);

		memcpy(data + i * SIZE, one, SIZE);
		held[i] = (struct bt_held){sample_content_digest(said + i, SIZE), SIZE};
		free(one);
	}
	sample_block(writer, data, (size_t)2 * SIZE, held, 2);
	free(data);
}

static void assert_refused(struct bt_store *store, uint64_t seed)
{
	struct bt_entry file = file_of(seed);
	struct bt_slice slice;
	struct bt_error error = {0};

	assert_int_equal(bt_slice_start(store, &file, 0, 0, &slice, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_DIGEST_MISMATCH);
	assert_false(is_decoded(store, seed)); /* though its block is */
}

/* Every digest of the files is right, all frames are sound, and two blocks have changed places. */
static void other_contents_are_never_handed_out(void **state)
{
	for (int always = 0; always < 2; always++) {
		struct sample sample = sample_new();
		struct bt_store_options options = {.size = sizeof(options), .verify_always = always};
		struct bt_store *store;
		int contents = sample_contents_dir(&sample);
		struct bt_writer *writer = sample_writer(contents, VOLUME_HEADER);

		write_as(writer, 1, 3);
		write_as(writer, 3, 1);
		write_as(writer, 5, 5);
		sample_seal(writer, "{}", "00000000000000000000000000000001.json");
		bt_writer_free(writer);
		close(contents);
		assert_int_equal(bt_store_open(sample.path, &options, &store, NULL), 0);
		for (uint64_t seed = 1; seed < 5; seed++)
			assert_refused(store, seed);
		struct bt_entry sound = file_of(5);
		struct bt_slice slice;
		assert_int_equal(bt_slice_start(store, &sound, 0, 0, &slice, NULL), 0);
		bt_slice_end(store, &slice);
		assert_true(is_decoded(store, 6));
		bt_store_close(store);
		sample_free(&sample);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_block_behind_is_decoded),
		cmocka_unit_test(slices_know_what_lies_before_them),
		cmocka_unit_test(other_contents_are_never_handed_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
