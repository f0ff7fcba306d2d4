/* SPDX-License-Identifier: MIT */
/* Files that lie compressed: what is written comes back from any offset, and nothing else is taken for such a file. */
#include "codec/seekable.h"
#include "store/rest.h"
#include "store_samples.h"
#include <errno.h>
#include <pthread.h>
#include <zstd.h>

#define NAME "file.json.zst"

struct world {
	struct sample sample;
	struct bt_rest rest;
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	world->sample = sample_new();
	assert_int_equal(bt_rest_init(&world->rest), 0);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	bt_rest_destroy(&world->rest);
	sample_free(&world->sample);
	free(world);
	return 0;
}

/* Writes the text in parts of this size. */
static uint64_t write_text(const struct world *world, const unsigned char *text, size_t size, size_t part)
{
	struct bt_upload *upload;

	assert_int_equal(bt_rest_upload(sample_upload(world->sample.dirfd), &upload, NULL), 0);
	assert_true(bt_is_rest_upload(upload));
	for (size_t done = 0; done < size; done += part)
		assert_int_equal(bt_upload_write(upload, text + done, part < size - done ? part : size - done), 0);
	unlinkat(world->sample.dirfd, NAME, 0);
	assert_int_equal(bt_upload_publish(upload, NAME, NULL), 0);
	uint64_t stored = bt_rest_upload_size(upload);
	assert_int_equal(bt_upload_write(upload, "x", 1), -EINVAL);
	bt_upload_close(upload);
	return stored;
}

static int open_text(struct world *world, bool loosely, struct bt_object **ret_object, struct bt_error *error)
{
	struct bt_object *stored;
	int fd = openat(world->sample.dirfd, NAME, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(bt_object_of_fd(fd, NAME, &stored, NULL), 0);
	return bt_rest_open(&world->rest, stored, NAME, loosely, ret_object, error);
}

/* Reads all of it and compares it with the digest in it. */
static int prove(struct bt_object *object, unsigned char *data, struct bt_error *error)
{
	struct bt_rest_proof proof;
	size_t size = bt_object_size(object);
	int r = bt_rest_proof_begin(&proof, object, NAME, error);

	for (size_t at = 0; at < size && !r; at += 1000) {
		size_t part = size - at < 1000 ? size - at : 1000;
		ssize_t n = bt_object_pread(object, data + at, part, at);

		if (n < 0)
			r = bt_rest_failed(object, NAME, part, at, (int)-n, error);
		else
			assert_int_equal(n, part);
		if (!r)
			r = bt_rest_proof_to(&proof, at + part, error);
	}
	if (!r)
		r = bt_rest_proof_finish(&proof, error);
	bt_rest_proof_end(&proof);
	return r;
}

static void check_same(struct world *world, const unsigned char *text, size_t size)
{
	struct bt_object *object;
	unsigned char *data = malloc(size + 1);

	assert_non_null(data);
	assert_int_equal(open_text(world, false, &object, NULL), 0);
	assert_true(bt_is_rest(object));
	assert_int_equal(bt_object_size(object), size);
	assert_int_equal(bt_object_pread(object, data, size + 1, 0), size);
	assert_memory_equal(data, text, size);
	for (size_t i = 0; i < 200; i++) {
		size_t at = bt_mix64(i) % size, length = bt_mix64(i + 1000) % 70000;
		ssize_t wanted = (ssize_t)(length < size - at ? length : size - at);

		assert_int_equal(bt_object_pread(object, data, length, at), wanted);
		assert_memory_equal(data, text + at, wanted);
		assert_int_equal(bt_object_pread_at_once(object, data, length, at), wanted);
		assert_memory_equal(data, text + at, wanted);
	}
	assert_int_equal(bt_object_pread(object, data, 1, size), 0);
	assert_int_equal(prove(object, data, NULL), 0);
	bt_object_close(object);
	free(data);
}

/* Any decoder of zstd gives the text back. */
static void check_stream(const struct world *world, const unsigned char *text, size_t size)
{
	size_t length;
	unsigned char *file = sample_read(world->sample.dirfd, NAME, &length), *plain = malloc(size + 1);

	assert_non_null(plain);
	assert_int_equal(ZSTD_decompress(plain, size + 1, file, length), size);
	assert_memory_equal(plain, text, size);
	free(plain);
	free(file);
}

static void test_what_is_written_is_read(void **state)
{
	static const size_t sizes[] = {1,      2,      4095,   4096,   4097,   32768,  32769,	40000,
				       262144, 266239, 266240, 266241, 270336, 300000, 1000000, 3000001};
	struct world *world = *state;
	unsigned char *text = sample_bytes(7, 3000001);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		uint64_t stored = write_text(world, text, sizes[i], 1 + bt_mix64(i) % 300000);
		struct stat status;

		assert_int_equal(fstatat(world->sample.dirfd, NAME, &status, 0), 0);
		assert_int_equal(status.st_size, stored);
		check_same(world, text, sizes[i]);
		check_stream(world, text, sizes[i]);
	}
	free(text);
}

/* A frame never stands for more than 256 times its bytes, and the reader refuses one that does. */
static void test_what_repeats_is_compressed_within_bounds(void **state)
{
	enum { SIZE = 3 << 20 };
	struct world *world = *state;
	unsigned char *text = calloc(1, SIZE);

	assert_non_null(text);
	uint64_t stored = write_text(world, text, SIZE, 65536);
	assert_in_range(stored, SIZE / 256, SIZE / 100);
	check_same(world, text, SIZE);
	for (size_t i = 0; i < SIZE; i++)
		text[i] = (unsigned char)('a' + bt_mix64(i % 77) % 26);
	stored = write_text(world, text, SIZE, 65536);
	assert_in_range(stored, SIZE / 256, SIZE / 20);
	check_same(world, text, SIZE);
	free(text);
}

/* Opens and reads all of a damaged file; the text may be right nevertheless. */
static int try_file(struct world *world, struct bt_error *error)
{
	struct bt_object *object;
	int r = open_text(world, false, &object, error);

	if (r)
		return r;
	unsigned char *data = malloc(bt_object_size(object) + 1);
	assert_non_null(data);
	r = prove(object, data, error);
	free(data);
	bt_object_close(object);
	return r;
}

static void test_every_changed_byte_is_found(void **state)
{
	struct world *world = *state;
	unsigned char *text = sample_bytes(3, 40000);
	size_t length;

	/* three frames; what repeats itself can be compressed in many ways */
	for (size_t i = 800; i < 39500; i++)
		text[i] = text[i % 3];
	write_text(world, text, 40000, 40000);
	unsigned char *file = sample_read(world->sample.dirfd, NAME, &length);
	for (size_t i = 0; i < length; i++) {
		static const unsigned char flips[] = {0x01, 0x10, 0x80, 0xff};
		struct bt_error error = {0};

		file[i] ^= flips[i % 4];
		sample_write(world->sample.dirfd, NAME, file, length);
		assert_int_equal(try_file(world, &error), BT_E_DAMAGED);
		assert_true(error.offset <= length && error.reason);
		assert_string_equal(error.file, NAME);
		file[i] ^= flips[i % 4];
	}
	free(file);
	free(text);
}

static void test_a_file_that_is_cut_is_refused(void **state)
{
	struct world *world = *state;
	unsigned char *text = sample_bytes(3, 40000);
	size_t length;

	write_text(world, text, 40000, 40000);
	unsigned char *file = sample_read(world->sample.dirfd, NAME, &length);
	for (size_t left = 0; left < length; left += left < 100 || length - left < 200 ? 1 : 97) {
		struct bt_error error = {0};

		sample_write(world->sample.dirfd, NAME, file, left);
		assert_int_equal(try_file(world, &error), BT_E_DAMAGED);
		assert_int_equal(error.reason, BT_R_BAD_SEEK_TABLE);
	}
	file = realloc(file, length + 1);
	assert_non_null(file);
	file[length] = 0;
	sample_write(world->sample.dirfd, NAME, file, length + 1);
	assert_int_equal(try_file(world, NULL), BT_E_DAMAGED);
	free(file);
	free(text);
}

/* A file of these frames, with whatever table. */
struct forged {
	unsigned char bytes[1 << 16];
	size_t length;
};

static void add(struct forged *forged, const void *data, size_t length)
{
	assert_true(length <= sizeof(forged->bytes) - forged->length);
	memcpy(forged->bytes + forged->length, data, length);
	forged->length += length;
}

static void add32(struct forged *forged, uint32_t value)
{
	const unsigned char bytes[4] = {(unsigned char)value, (unsigned char)(value >> 8), (unsigned char)(value >> 16),
					(unsigned char)(value >> 24)};

	add(forged, bytes, sizeof(bytes));
}

/* One frame of 100 bytes, the frame of the digest, and a table with this one entry before that of the digest. */
static void forge(struct forged *forged, uint32_t stored, uint32_t plain, uint32_t entries)
{
	static const unsigned char text[100];
	struct bt_compressor *compressor = bt_compressor_new(3);
	unsigned char frame[300];
	size_t size = 0;
	struct bt_digest digest;

	assert_int_equal(bt_compress(compressor, text, sizeof(text), frame, &size), 0);
	digest = sample_digest(frame, size);
	forged->length = 0;
	add(forged, frame, size);
	add32(forged, 0x184D2A5D);
	add32(forged, 32);
	add(forged, digest.bytes, 32);
	add32(forged, 0x184D2A5E);
	add32(forged, 2 * 8 + 9);
	add32(forged, stored ? stored : (uint32_t)size);
	add32(forged, plain);
	add32(forged, 40);
	add32(forged, 0);
	add32(forged, entries);
	add(forged, "", 1);
	add32(forged, 0x8F92EAB1);
	bt_compressor_free(compressor);
}

static void check_forged(struct world *world, struct forged *forged, int code, enum bt_reason reason)
{
	struct bt_error error = {0};

	sample_write(world->sample.dirfd, NAME, forged->bytes, forged->length);
	assert_int_equal(try_file(world, &error), code);
	assert_int_equal(error.reason, reason);
}

static void test_a_table_that_lies_is_refused(void **state)
{
	static const struct {
		uint32_t stored, plain, entries;
		enum bt_reason reason;
	} rows[] = {
		{0, 100, 2, BT_R_NONE},
		{0, 101, 2, BT_R_FRAME_SIZE},
		{0, 99, 2, BT_R_FRAME_SIZE},
		{0, 0, 2, BT_R_BAD_SEEK_TABLE},
		{0, 1 << 20, 2, BT_R_BAD_SEEK_TABLE},
		{0, UINT32_MAX, 2, BT_R_BAD_SEEK_TABLE},
		{1, 100, 2, BT_R_BAD_SEEK_TABLE},
		{20, 100, 2, BT_R_BAD_SEEK_TABLE},
		{UINT32_MAX, 1 << 20, 2, BT_R_BAD_SEEK_TABLE},
		{0, 100, 0, BT_R_BAD_SEEK_TABLE},
		{0, 100, 1, BT_R_BAD_SEEK_TABLE},
		{0, 100, 3, BT_R_BAD_SEEK_TABLE},
		{0, 100, 1 << 28, BT_R_BAD_SEEK_TABLE},
		{0, 100, UINT32_MAX, BT_R_BAD_SEEK_TABLE},
	};
	struct forged forged;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		forge(&forged, rows[i].stored, rows[i].plain, rows[i].entries);
		check_forged(*state, &forged, rows[i].reason ? BT_E_DAMAGED : 0, rows[i].reason);
	}
}

/* The largest number of frames in a file with holes: it is refused at the first entry. */
static void test_a_table_of_zeros_costs_nothing(void **state)
{
	struct world *world = *state;
	const unsigned char footer[9] = {0, 0, 0, 8, 0, 0xb1, 0xea, 0x92, 0x8f};
	const unsigned char head[8] = {0x5e, 0x2a, 0x4d, 0x18, 9, 0, 0, 0x40};
	const off_t table = 1000;
	int fd = openat(world->sample.dirfd, NAME, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct bt_error error = {0};

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, head, sizeof(head), table), sizeof(head));
	assert_int_equal(pwrite(fd, footer, sizeof(footer), table + 8 + ((off_t)8 << 27)), sizeof(footer));
	close(fd);
	assert_int_equal(try_file(world, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_BAD_SEEK_TABLE);
	assert_int_equal(error.offset, table + 8);
}

/* With a damaged frame the other parts can be read; with a damaged table all of them. */
static void test_what_is_whole_can_be_salvaged(void **state)
{
	enum { SIZE = 1000000 };
	struct world *world = *state;
	unsigned char *text = sample_bytes(5, SIZE), *data = malloc(SIZE);
	struct bt_object *object;
	size_t length;

	assert_non_null(data);
	write_text(world, text, SIZE, SIZE);
	unsigned char *file = sample_read(world->sample.dirfd, NAME, &length);
	file[length / 2] ^= 1;
	sample_write(world->sample.dirfd, NAME, file, length);
	assert_int_equal(open_text(world, true, &object, NULL), 0);
	size_t lost = 0;
	for (uint64_t at = 0, end; at < SIZE; at = end) {
		end = bt_rest_part_end(object, at);
		ssize_t n = bt_object_pread(object, data, (size_t)(end - at), at);

		assert_true(n == -EBADMSG || n == (ssize_t)(end - at));
		lost += n < 0;
		if (n > 0)
			assert_memory_equal(data, text + at, n);
	}
	assert_int_equal(lost, 1);
	bt_object_close(object);

	file[length / 2] ^= 1;
	sample_write(world->sample.dirfd, NAME, file, length - 1);
	assert_int_equal(open_text(world, false, &object, NULL), BT_E_DAMAGED);
	assert_int_equal(open_text(world, true, &object, NULL), 0);
	assert_int_equal(bt_object_size(object), SIZE);
	assert_int_equal(bt_object_pread(object, data, SIZE, 0), SIZE);
	assert_memory_equal(data, text, SIZE);
	uint64_t first = bt_rest_part_end(object, 0);
	bt_object_close(object);

	/* What does not even look like a frame stands for one byte, which cannot be read. */
	file[0] ^= 1;
	sample_write(world->sample.dirfd, NAME, file, length - 1);
	assert_int_equal(open_text(world, true, &object, NULL), 0);
	assert_int_equal(bt_rest_part_end(object, 0), 1);
	assert_int_equal(bt_object_pread(object, data, 1, 0), -EBADMSG);
	assert_int_equal(bt_object_pread(object, data, SIZE, 1), (ssize_t)(SIZE - first));
	assert_memory_equal(data, text + first, SIZE - first);
	bt_object_close(object);
	free(file);
	free(data);
	free(text);
}

/* Beginnings of frames everywhere, none of which is one: the search ends nevertheless. */
static void test_a_search_is_bounded(void **state)
{
	enum { SIZE = 2 << 20 };
	static const unsigned char begin[] = {0x28, 0xb5, 0x2f, 0xfd, 0xa4, 0, 0, 0x10, 0, 0, 0, 0x80};
	struct world *world = *state;
	unsigned char *file = calloc(1, SIZE);
	struct bt_object *object;

	assert_non_null(file);
	for (size_t i = 0; i + sizeof(begin) <= SIZE / 2; i += sizeof(begin))
		memcpy(file + i, begin, sizeof(begin));
	sample_write(world->sample.dirfd, NAME, file, SIZE);
	assert_int_equal(open_text(world, true, &object, NULL), 0);
	assert_int_equal(bt_object_size(object), 0);
	bt_object_close(object);
	free(file);
}

struct reader {
	struct bt_object *object;
	const unsigned char *text;
	size_t size, wrong;
	uint64_t seed;
};

static void *read_around(void *arg)
{
	struct reader *reader = arg;
	unsigned char data[5000];

	for (size_t i = 0; i < 500; i++) {
		size_t at = bt_mix64(reader->seed + i) % (reader->size - sizeof(data));

		reader->wrong += bt_object_pread(reader->object, data, sizeof(data), at) != sizeof(data) ||
				 memcmp(data, reader->text + at, sizeof(data)) != 0;
	}
	return NULL;
}

static void test_threads_share_the_frames(void **state)
{
	enum { SIZE = 12 << 20, THREADS = 4 };
	struct world *world = *state;
	unsigned char *text = sample_bytes(9, SIZE);
	struct reader readers[THREADS];
	pthread_t threads[THREADS];
	struct bt_object *object;

	write_text(world, text, SIZE, 1 << 20);
	assert_int_equal(open_text(world, false, &object, NULL), 0);
	for (size_t i = 0; i < THREADS; i++) {
		readers[i] = (struct reader){object, text, SIZE, 0, i * 1000};
		assert_int_equal(pthread_create(&threads[i], NULL, read_around, &readers[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(readers[i].wrong, 0);
	}
	assert_true(bt_cache_weight(world->rest.frames) <= 9 << 20);
	bt_object_close(object);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_is_written_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_repeats_is_compressed_within_bounds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_every_changed_byte_is_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_file_that_is_cut_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_table_that_lies_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_table_of_zeros_costs_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_whole_can_be_salvaged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_search_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_threads_share_the_frames, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
