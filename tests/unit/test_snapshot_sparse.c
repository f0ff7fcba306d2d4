/* SPDX-License-Identifier: MIT */
/* What a file costs is bounded by what is in it, whatever its size. */
#include "snapshot_hooked.h"

#define GIB ((off_t)1 << 30)

/* What the engine calls is linked to this. */
static size_t bytes_read;
static int cutter = -1; /* >= 0: the file is cut off while it is read, and has its size again before the next look */
static off_t cut;

ssize_t __real_pread64(int fd, void *data, size_t length, off_t offset);
ssize_t __wrap_pread64(int fd, void *data, size_t length, off_t offset);

ssize_t __wrap_pread64(int fd, void *data, size_t length, off_t offset)
{
	if (cutter >= 0 && offset + (off_t)length >= cut)
		assert_int_equal(ftruncate(cutter, cut), 0);
	ssize_t got = __real_pread64(fd, data, length, offset);
	if (cutter >= 0 && got < (ssize_t)length) {
		assert_int_equal(ftruncate(cutter, 3 * GIB), 0);
		cut -= 4 * (off_t)MIB;
	}
	bytes_read += got > 0 ? (size_t)got : 0;
	return got;
}

static int make(struct world *world, const char *name, off_t size)
{
	int fd = open(in_source(world, name), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	return fd;
}

static void put_data(int fd, off_t at, size_t size)
{
	unsigned char *data = noise(size, 7);

	assert_int_equal(pwrite(fd, data, size, at), size);
	free(data);
}

/* Whole digests that nobody needs are left out rather than computed from zeros without end. */
static void test_digests(void **state)
{
	static const struct {
		const char *name;
		off_t hole;
		size_t data;
		bool digest;
	} cases[] = {{"hole", 60 * GIB, 0, false},
		     {"image", 3 * GIB, 6 * MIB, false},
		     {"just", GIB, 6 * MIB, true},
		     {"small", 64 * MIB, MIB, true}};
	struct hooked hooked;
	struct world *world = &hooked.world;

	hooked_begin(&hooked);
	for (size_t i = 0; i < 4; i++) {
		int fd = make(world, cases[i].name, cases[i].hole + (off_t)cases[i].data);

		if (cases[i].data)
			put_data(fd, cases[i].hole / 2, cases[i].data);
		close(fd);
	}
	for (unsigned turn = 0; turn < 2; turn++) {
		bytes_read = 0;
		assert_int_equal(hooked_take(&hooked, NULL), 0);
		assert_in_range(bytes_read, 13 * MIB, 20 * MIB);
		for (size_t i = 0; i < 4; i++) {
			struct looked looked = look_up(world, cases[i].name);

			assert_int_equal(looked.entry->has_digest, cases[i].digest);
			assert_int_equal(looked.entry->size, cases[i].hole + (off_t)cases[i].data);
			drop_entry(world, &looked);
			assert_int_equal(utimensat(AT_FDCWD, in_source(world, cases[i].name), NULL, 0), 0);
		}
		assert_int_equal(world->result.changed, turn ? 4 : 0);
	}
	hooked_end(&hooked);
}

/* An entry has room for so many holes: it is the longest that are kept. */
static void test_many_holes(void **state)
{
	enum { COUNT = 66000, PART = 4096 };
	struct hooked hooked;
	struct world *world = &hooked.world;
	char page[PART];

	hooked_begin(&hooked);
	memset(page, 'x', sizeof(page));
	int fd = make(world, "image", 2 * (off_t)COUNT * PART + 8 * GIB);
	for (off_t i = 0; i < COUNT; i++)
		assert_int_equal(pwrite(fd, page, PART, (2 * i + 1) * PART), PART);
	close(fd);
	bytes_read = 0;
	assert_int_equal(hooked_take(&hooked, NULL), 0);
	struct looked looked = look_up(world, "image");
	const struct bt_extra *extra = looked.entry->extra;
	assert_int_equal(extra->hole_count, 65536);
	assert_int_equal(extra->holes[65535].length, 8 * GIB);
	assert_in_range(bytes_read, (size_t)COUNT * PART, (size_t)COUNT * PART + 4 * MIB);
	for (uint32_t i = 0; i < 1000; i++) {
		char got[2];
		struct bt_error error = {0};
		uint64_t at = (uint64_t)i * 131 * PART / 2;

		assert_int_equal(bt_entry_pread(world->store, looked.entry, got, 1, at, NULL, &error), 0);
		assert_int_equal(got[0], at / PART % 2 ? 'x' : 0);
	}
	drop_entry(world, &looked);
	hooked_end(&hooked);
}

/* Nearly all holes when it was begun, and few of them in the end: what came out can be read. */
static void test_shrinks_to_its_data(void **state)
{
	struct hooked hooked;
	struct world *world = &hooked.world;

	hooked_begin(&hooked);
	int fd = make(world, "image", 3 * GIB);
	put_data(fd, 2 * (off_t)MIB, 30 * MIB);
	cutter = fd;
	cut = 24 * (off_t)MIB;
	int r = hooked_take(&hooked, NULL);
	cutter = -1;
	close(fd);
	assert_int_equal(r, BT_E_INCOMPLETE);
	struct looked looked = look_up(world, "image");
	unsigned char *data = malloc(looked.entry->size);
	struct bt_error error = {0};
	assert_true(looked.entry->extra && looked.entry->extra->torn);
	assert_false(looked.entry->has_digest);
	assert_true(looked.entry->size < 30 * MIB);
	assert_int_equal(bt_entry_pread(world->store, looked.entry, data, looked.entry->size, 0, NULL, &error), 0);
	free(data);
	drop_entry(world, &looked);
	hooked_end(&hooked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digests),
		cmocka_unit_test(test_many_holes),
		cmocka_unit_test(test_shrinks_to_its_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
