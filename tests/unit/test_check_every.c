/* SPDX-License-Identifier: MIT */
/* No bit of a store can change, and none can go missing at a file's end, without check telling in which file. */
#include "check_world.h"
#include <malloc.h>

/* Sanitized, a sample must do. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STRIDE 61
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STRIDE 61
#endif
#endif
#ifndef STRIDE
#define STRIDE 1
#endif

/* Whether a finding is about that file, and does not only tell that the file's snapshot is hurt by it. */
static bool tells_of(const struct seen *seen, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = seen->text; *line; line += *line == '\n')
		if (!strncmp(line, name, length) && (line[length] == ' ' || !strncmp(line + length, ".zst ", 5)))
			return true;
		else
			line = strchrnul(line, '\n');
	return false;
}

/* Bits of a file, one at a time. */
static void flip_some(struct world *world, const char *name, unsigned stride, bool read_only)
{
	int fd = open_in_store(world, name);
	uint64_t size = lseek(fd, 0, SEEK_END) > 0 ? (uint64_t)lseek(fd, 0, SEEK_END) : 0;
	struct bt_check_result result = {.size = sizeof(result)};
	struct seen seen;

	assert_true(size > 0);
	for (uint64_t bit = 0; bit < size * 8; bit += stride) {
		unsigned char byte = get_byte(fd, bit / 8);

		put_byte(fd, bit / 8, byte ^ (unsigned char)(1 << bit % 8));
		if (!check_with(world, read_only, NULL, &seen, &result))
			fail_msg("bit %llu of %s was not found", (unsigned long long)bit, name);
		if (!tells_of(&seen, name))
			fail_msg("bit %llu of %s: %s", (unsigned long long)bit, name, seen.text);
		put_byte(fd, bit / 8, byte);
	}
	close(fd);
	assert_int_equal(check_with(world, read_only, NULL, &seen, &result), 0);
}

enum { FILES = 3 };

/* Three files are open at once: a check must tell of each, so that a third of the checks does. */
struct trio {
	char (*names)[64];
	int fds[FILES];
	uint64_t sizes[FILES], longest;
};

static struct trio open_trio(struct world *world, char names[FILES][64])
{
	struct trio trio = {.names = names};

	for (size_t i = 0; i < FILES; i++) {
		trio.fds[i] = open_in_store(world, names[i]);
		trio.sizes[i] = (uint64_t)lseek(trio.fds[i], 0, SEEK_END);
		assert_in_range(trio.sizes[i], 1, 16384);
		trio.longest = trio.sizes[i] > trio.longest ? trio.sizes[i] : trio.longest;
	}
	return trio;
}

static void close_trio(struct world *world, const struct trio *trio)
{
	struct seen seen;

	for (size_t i = 0; i < FILES; i++)
		close(trio->fds[i]);
	assert_int_equal(check(world, NULL, &seen), 0);
}

static void flip_bit_of_each(const struct trio *trio, uint64_t bit)
{
	for (size_t i = 0; i < FILES; i++)
		if (bit / 8 < trio->sizes[i])
			put_byte(trio->fds[i], bit / 8,
				 get_byte(trio->fds[i], bit / 8) ^ (unsigned char)(1 << bit % 8));
}

static void test_every_bit(void **state)
{
	char names[FILES][64];
	struct world world;
	struct seen seen;

	make_small(&world, names[0], names[1], names[2]);
	struct trio trio = open_trio(&world, names);
	for (uint64_t bit = 0; bit < trio.longest * 8; bit += STRIDE) {
		flip_bit_of_each(&trio, bit);
		check(&world, NULL, &seen);
		for (size_t i = 0; i < FILES; i++)
			if (bit / 8 < trio.sizes[i] && !tells_of(&seen, names[i]))
				fail_msg("bit %llu of %s: %s", (unsigned long long)bit, names[i], seen.text);
		flip_bit_of_each(&trio, bit);
	}
	close_trio(&world, &trio);
	for (size_t i = 0; i < FILES; i++) {
		/* where nothing else is damaged */
		flip_some(&world, names[i], 13 * STRIDE, true);
		/* with an index in cache/ that seems to know the file */
		flip_some(&world, names[i], 193 * STRIDE, false);
	}
	world_end(&world);
}

static void cut_some(struct world *world, const char *name, unsigned stride)
{
	unsigned char data[16384];
	struct seen seen;
	int fd = open_in_store(world, name);
	ssize_t size = pread(fd, data, sizeof(data), 0);

	assert_true(size > 0 && (size_t)size < sizeof(data));
	for (ssize_t at = size - 1; at >= 0; at -= stride) {
		assert_int_equal(ftruncate(fd, at), 0);
		if (!check(world, NULL, &seen) || !tells_of(&seen, name))
			fail_msg("%s cut to %zd: %s", name, at, seen.text);
	}
	assert_int_equal(pwrite(fd, data, (size_t)size, 0), size);
	close(fd);
	assert_int_equal(check(world, NULL, &seen), 0);
}

static void test_every_truncation(void **state)
{
	char names[FILES][64];
	unsigned char data[FILES][16384];
	struct world world;
	struct seen seen;

	make_small(&world, names[0], names[1], names[2]);
	struct trio trio = open_trio(&world, names);
	for (size_t i = 0; i < FILES; i++)
		assert_int_equal(pread(trio.fds[i], data[i], sizeof(data[i]), 0), trio.sizes[i]);
	for (uint64_t missing = 1; missing <= trio.longest; missing += STRIDE) {
		for (size_t i = 0; i < FILES; i++)
			if (missing <= trio.sizes[i])
				assert_int_equal(ftruncate(trio.fds[i], (off_t)(trio.sizes[i] - missing)), 0);
		check(&world, NULL, &seen);
		for (size_t i = 0; i < FILES; i++)
			if (missing <= trio.sizes[i] && !tells_of(&seen, names[i]))
				fail_msg("%s without %llu: %s", names[i], (unsigned long long)missing, seen.text);
	}
	for (size_t i = 0; i < FILES; i++)
		assert_int_equal(pwrite(trio.fds[i], data[i], trio.sizes[i], 0), trio.sizes[i]);
	close_trio(&world, &trio);
	for (size_t i = 0; i < FILES; i++)
		cut_some(&world, names[i], 13 * STRIDE);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_every_truncation),
	};

	/* thousands of checks need the same buffers */
	mallopt(M_MMAP_THRESHOLD, 64 << 20);
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
