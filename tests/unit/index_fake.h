/* SPDX-License-Identifier: MIT */
/* An index over files that exist only here, for the tests of the index. */
#ifndef TESTS_INDEX_FAKE_H
#define TESTS_INDEX_FAKE_H

#include "store/index.h"
#include "store_samples.h"
#include <dirent.h>

/* Files that exist only here: file i holds the contents i * 100000 … + count and one page. */
struct fake {
	struct bt_covered files[256];
	char names[256][32];
	unsigned counts[256];
	size_t count;
	unsigned visits;
	unsigned damaged; /* reported */
	uint32_t broken;  /* this file cannot be read, unless UINT32_MAX */
};

static inline struct bt_digest digest_of(uint64_t number)
{
	struct bt_digest digest;

	for (size_t i = 0; i < 4; i++) {
		uint64_t part = bt_mix64(number * 4 + i);

		memcpy(digest.bytes + 8 * i, &part, 8);
	}
	return digest;
}

static inline void add_fake(struct fake *fake, unsigned count)
{
	size_t i = fake->count++;

	snprintf(fake->names[i], sizeof(fake->names[i]), "file-%zu", i);
	fake->counts[i] = count;
	fake->files[i] = (struct bt_covered){fake->names[i], 1000 + count, {1700000000 + (int64_t)i, 5}, (uint32_t)i};
}

static inline int visit_one(const struct fake *fake, uint32_t file, const struct bt_index_visitor *visitor)
{
	uint64_t first = (uint64_t)file * 100000;

	for (unsigned i = 0; i < fake->counts[file]; i++) {
		struct bt_block block = {.at = 9000000000 + i, .length = 400, .size = 300, .plain = file == 3};
		struct bt_digest digest = digest_of(first + i);
		int r = visitor->content(visitor->arg, &block, &digest, i % 300, 1);

		if (r)
			return r;
	}
	struct bt_digest id = digest_of(first + 99999);
	return visitor->page(visitor->arg, &id, 77 + file, 55);
}

static inline int visit(void *arg, uint32_t file, const struct bt_index_visitor *visitor, struct bt_error *error)
{
	struct fake *fake = arg;

	fake->visits++;
	int r = visit_one(fake, file, visitor);
	if (!r && file == fake->broken) {
		error->code = BT_E_DAMAGED;
		return BT_E_DAMAGED;
	}
	return r;
}

static inline void damaged(void *arg, uint32_t file, const struct bt_error *error)
{
	struct fake *fake = arg;

	fake->damaged++;
	assert_int_equal(file, fake->broken);
}

static inline struct bt_index *open_index(struct fake *fake, int cachefd, bool read_only)
{
	struct bt_index *index;
	struct bt_index_source source = {fake, fake->files, fake->count, cachefd, read_only, visit, damaged};

	fake->visits = 0;
	assert_int_equal(bt_index_new(&index), 0);
	assert_int_equal(bt_index_update(index, &source, NULL), 0);
	return index;
}

static inline void assert_found(struct bt_index *index, const struct fake *fake, uint32_t file)
{
	struct bt_location location;
	uint64_t first = (uint64_t)file * 100000;

	for (unsigned i = 0; i < fake->counts[file]; i++) {
		struct bt_digest digest = digest_of(first + i);

		assert_int_equal(bt_index_find(index, &digest, false, &location, 1), 1);
		assert_int_equal(location.file, file);
		assert_int_equal(location.block.at, 9000000000 + i);
		assert_int_equal(location.block.length, 400);
		assert_int_equal(location.block.size, 300);
		assert_int_equal(location.block.plain, file == 3);
		assert_int_equal(location.offset, i % 300);
		assert_int_equal(location.size, 1);
		assert_false(location.page);
	}
	struct bt_digest id = digest_of(first + 99999);
	assert_int_equal(bt_index_find(index, &id, false, &location, 1), 0);
	assert_int_equal(bt_index_find(index, &id, true, &location, 1), 1);
	assert_int_equal(location.file, file);
	assert_int_equal(location.block.at, 77 + file);
	assert_int_equal(location.block.length, 55);
	assert_true(location.page);
}

static inline void assert_lost(struct bt_index *index, const struct fake *fake, uint32_t file)
{
	struct bt_location location;

	for (unsigned i = 0; i < fake->counts[file]; i++) {
		struct bt_digest digest = digest_of((uint64_t)file * 100000 + i);

		assert_int_equal(bt_index_find(index, &digest, false, &location, 1), 0);
	}
}

static inline size_t count_segments(int cachefd)
{
	int fd = openat(cachefd, ".", O_RDONLY | O_DIRECTORY);
	DIR *directory = fdopendir(fd);
	size_t count = 0;

	for (struct dirent *entry; (entry = readdir(directory));)
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

static inline struct fake *fake_new(void)
{
	struct fake *fake = calloc(1, sizeof(*fake));

	fake->broken = UINT32_MAX;
	return fake;
}

#endif
