/* SPDX-License-Identifier: MIT */
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

static struct bt_digest digest_of(uint64_t number)
{
	struct bt_digest digest;
	for (size_t i = 0; i < 4; i++) {
		uint64_t part = bt_mix64(number * 4 + i);
		memcpy(digest.bytes + 8 * i, &part, 8);
	}
	return digest;
}

static void add_fake(struct fake *fake, unsigned count)
{
	size_t i = fake->count++;
	snprintf(fake->names[i], sizeof(fake->names[i]), "file-%zu", i);
	fake->counts[i] = count;
	fake->files[i] = (struct bt_covered){fake->names[i], 1000 + count, {1700000000 + (int64_t)i, 5}, (uint32_t)i};
}

static int visit_one(const struct fake *fake, uint32_t file, const struct bt_index_visitor *visitor)
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

static int visit(void *arg, uint32_t file, const struct bt_index_visitor *visitor, struct bt_error *error)
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

static void damaged(void *arg, uint32_t file, const struct bt_error *error)
{
	struct fake *fake = arg;
	fake->damaged++;
	assert_int_equal(file, fake->broken);
}

static struct bt_index *open_index(struct fake *fake, int cachefd, bool read_only)
{
	struct bt_index *index;
	struct bt_index_source source = {fake, fake->files, fake->count, cachefd, read_only, visit, damaged};
	fake->visits = 0;
	assert_int_equal(bt_index_new(&index), 0);
	assert_int_equal(bt_index_update(index, &source, NULL), 0);
	return index;
}

static void assert_found(struct bt_index *index, const struct fake *fake, uint32_t file)
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

static void assert_lost(struct bt_index *index, const struct fake *fake, uint32_t file)
{
	struct bt_location location;
	for (unsigned i = 0; i < fake->counts[file]; i++) {
		struct bt_digest digest = digest_of((uint64_t)file * 100000 + i);
		assert_int_equal(bt_index_find(index, &digest, false, &location, 1), 0);
	}
}

static size_t count_segments(int cachefd)
{
	int fd = openat(cachefd, ".", O_RDONLY | O_DIRECTORY);
	DIR *directory = fdopendir(fd);
	size_t count = 0;
	for (struct dirent *entry; (entry = readdir(directory));)
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

static struct fake *fake_new(void)
{
	struct fake *fake = calloc(1, sizeof(*fake));
	fake->broken = UINT32_MAX;
	return fake;
}

static void test_many_records(void **state)
{
	struct sample sample = sample_new();
	struct fake *fake = fake_new();
	add_fake(fake, 60000);
	add_fake(fake, 1);
	add_fake(fake, 0);
	add_fake(fake, 30000);
	add_fake(fake, 10000);
	for (int round = 0; round < 3; round++) {
		struct bt_index *index = open_index(fake, sample.dirfd, round == 2);
		assert_int_equal(fake->visits, round ? 0 : 5);
		assert_int_equal(bt_index_records(index), 100006);
		assert_int_equal(bt_index_doubt(index), round > 0);
		for (uint32_t i = 0; i < 5; i++)
			assert_found(index, fake, i);
		struct bt_location location;
		for (uint64_t i = 0; i < 1000; i++) {
			struct bt_digest digest = digest_of(50000000 + i);
			assert_int_equal(bt_index_find(index, &digest, false, &location, 1), 0);
		}
		bt_index_free(index);
	}
	free(fake);
	sample_free(&sample);
}

static void test_empty(void **state)
{
	struct fake *fake = fake_new();
	struct bt_index *index = open_index(fake, -1, false);
	struct bt_digest digest = digest_of(1);
	struct bt_location location;
	assert_int_equal(bt_index_find(index, &digest, false, &location, 1), 0);
	assert_int_equal(bt_index_records(index), 0);
	bt_index_free(index);
	free(fake);
}

static void test_without_cache(void **state)
{
	struct sample sample = sample_new();
	struct fake *fake = fake_new();
	add_fake(fake, 5000);
	add_fake(fake, 3000);
	struct bt_index *index = open_index(fake, -1, false);
	assert_int_equal(fake->visits, 2);
	assert_found(index, fake, 0);
	assert_found(index, fake, 1);
	bt_index_free(index);
	index = open_index(fake, sample.dirfd, true);
	assert_found(index, fake, 0);
	assert_found(index, fake, 1);
	assert_int_equal(count_segments(sample.dirfd), 0);
	bt_index_free(index);
	free(fake);
	sample_free(&sample);
}

static int visit_added(void *arg, const struct bt_index_visitor *visitor)
{
	const struct fake *fake = arg;
	return visit_one(fake, (uint32_t)fake->count - 1, visitor);
}

/* Many small additions stay few segments, and all is found, here and by the next to open. */
static void test_add_and_merge(void **state)
{
	struct sample sample = sample_new();
	struct fake *fake = fake_new();
	struct bt_index *index = open_index(fake, sample.dirfd, false);
	for (unsigned i = 0; i < 200; i++) {
		add_fake(fake, i % 50);
		assert_int_equal(bt_index_add(index, sample.dirfd, &fake->files[i], visit_added, fake, NULL), 0);
		assert_true(bt_index_segments(index) <= 10);
	}
	/* a second time changes nothing */
	uint64_t records = bt_index_records(index);
	assert_int_equal(bt_index_add(index, sample.dirfd, &fake->files[199], visit_added, fake, NULL), 0);
	assert_int_equal(bt_index_records(index), records);
	assert_int_equal(count_segments(sample.dirfd), bt_index_segments(index));
	for (uint32_t i = 0; i < 200; i++)
		assert_found(index, fake, i);
	bt_index_free(index);
	index = open_index(fake, sample.dirfd, false);
	assert_int_equal(fake->visits, 0);
	assert_int_equal(bt_index_records(index), records);
	for (uint32_t i = 0; i < 200; i++)
		assert_found(index, fake, i);
	bt_index_free(index);
	free(fake);
	sample_free(&sample);
}

/* Takes file i out of the list. */
static void remove_fake(struct fake *fake, size_t i)
{
	memmove(&fake->files[i], &fake->files[i + 1], (fake->count - i - 1) * sizeof(fake->files[0]));
	fake->count--;
}

static void test_removed_and_changed(void **state)
{
	struct sample sample = sample_new();
	struct fake *fake = fake_new();
	add_fake(fake, 1000);
	add_fake(fake, 40000);
	add_fake(fake, 2000);
	bt_index_free(open_index(fake, sample.dirfd, false));
	remove_fake(fake, 1);
	struct bt_index *index = open_index(fake, sample.dirfd, true);
	assert_int_equal(fake->visits, 0);
	assert_int_equal(bt_index_records(index), 3002);
	assert_found(index, fake, 0);
	assert_lost(index, fake, 1);
	assert_found(index, fake, 2);
	bt_index_free(index);
	/* most of the segment is dead: it is written again without */
	bt_index_free(open_index(fake, sample.dirfd, false));
	index = open_index(fake, sample.dirfd, false);
	assert_int_equal(fake->visits, 0);
	assert_int_equal(count_segments(sample.dirfd), 1);
	assert_found(index, fake, 2);
	bt_index_free(index);
	/* another file under the same name */
	fake->files[0].mtime.nanoseconds++;
	index = open_index(fake, sample.dirfd, false);
	assert_int_equal(fake->visits, 1);
	assert_found(index, fake, 0);
	assert_int_equal(bt_index_records(index), 3002);
	/* all gone, while it is open */
	struct bt_index_source source = {fake, fake->files, 0, sample.dirfd, false, visit, damaged};
	assert_int_equal(bt_index_update(index, &source, NULL), 0);
	assert_int_equal(bt_index_records(index), 0);
	assert_int_equal(count_segments(sample.dirfd), 0);
	bt_index_free(index);
	free(fake);
	sample_free(&sample);
}

static void test_unreadable_file(void **state)
{
	struct sample sample = sample_new();
	struct fake *fake = fake_new();
	add_fake(fake, 10);
	add_fake(fake, 20);
	add_fake(fake, 30);
	fake->broken = 1;
	for (int round = 0; round < 2; round++) {
		struct bt_index *index = open_index(fake, sample.dirfd, false);
		assert_int_equal(fake->visits, round ? 1 : 3);
		assert_int_equal(fake->damaged, round + 1);
		assert_found(index, fake, 0);
		assert_lost(index, fake, 1);
		assert_found(index, fake, 2);
		bt_index_free(index);
	}
	free(fake);
	sample_free(&sample);
}

/* Two writers that did not see each other cover the same files. */
static void test_overlapping_segments(void **state)
{
	struct sample sample = sample_new(), other = sample_new();
	struct fake *fake = fake_new();
	add_fake(fake, 100);
	add_fake(fake, 300);
	bt_index_free(open_index(fake, sample.dirfd, false));
	remove_fake(fake, 1);
	fake->count = 1;
	bt_index_free(open_index(fake, other.dirfd, false));
	DIR *directory = fdopendir(dup(other.dirfd));
	for (struct dirent *entry; (entry = readdir(directory));) {
		if (entry->d_name[0] != '.')
			assert_int_equal(renameat(other.dirfd, entry->d_name, sample.dirfd, entry->d_name), 0);
	}
	closedir(directory);
	assert_int_equal(count_segments(sample.dirfd), 2);
	fake->count = 0;
	add_fake(fake, 100);
	add_fake(fake, 300);
	struct bt_index *index = open_index(fake, sample.dirfd, false);
	assert_int_equal(fake->visits, 0);
	assert_int_equal(bt_index_records(index), 402);
	assert_int_equal(count_segments(sample.dirfd), 1);
	assert_found(index, fake, 0);
	assert_found(index, fake, 1);
	bt_index_free(index);
	free(fake);
	sample_free(&sample);
	sample_free(&other);
}

static int visit_same(void *arg, uint32_t file, const struct bt_index_visitor *visitor, struct bt_error *error)
{
	struct bt_block block = {.at = file, .length = 4, .size = 3};
	struct bt_digest digest = digest_of(1);
	return visitor->content(visitor->arg, &block, &digest, 0, 3);
}

static void test_all_places(void **state)
{
	struct fake *fake = fake_new();
	struct bt_index *index;
	for (int i = 0; i < 100; i++)
		add_fake(fake, 0);
	struct bt_index_source source = {fake, fake->files, fake->count, -1, false, visit_same, damaged};
	assert_int_equal(bt_index_new(&index), 0);
	assert_int_equal(bt_index_update(index, &source, NULL), 0);
	struct bt_digest digest = digest_of(1);
	struct bt_location locations[8];
	assert_int_equal(bt_index_find(index, &digest, false, locations, 8), 8);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(locations[i].block.at, locations[i].file);
		for (int k = 0; k < i; k++)
			assert_int_not_equal(locations[i].file, locations[k].file);
	}
	bt_index_free(index);
	free(fake);
}

/* Digests that all begin alike, as no honest file has them: all in one bucket, and found all the same. */
static struct bt_digest digest_alike(unsigned number)
{
	struct bt_digest digest = digest_of(number);
	memset(digest.bytes, 7, 4);
	return digest;
}

static int visit_alike(void *arg, uint32_t file, const struct bt_index_visitor *visitor, struct bt_error *error)
{
	int r = 0;
	for (unsigned i = 0; i < 90000 && !r; i++) {
		struct bt_block block = {.at = i, .length = 4, .size = 3};
		struct bt_digest digest = digest_alike(i);
		r = visitor->content(visitor->arg, &block, &digest, 0, 3);
	}
	return r;
}

static void test_one_bucket(void **state)
{
	struct sample sample = sample_new();
	struct fake *fake = fake_new();
	for (int i = 0; i < 4; i++)
		add_fake(fake, 90000);
	for (int round = 0; round < 2; round++) {
		struct bt_index *index;
		struct bt_index_source source = {fake,	fake->files, 1,	     round ? sample.dirfd : -1,
						 false, visit_alike, damaged};
		assert_int_equal(bt_index_new(&index), 0);
		assert_int_equal(bt_index_update(index, &source, NULL), 0);
		for (unsigned i = 0; i < 90000; i += 11) {
			struct bt_digest digest = digest_alike(i);
			struct bt_location location;
			assert_int_equal(bt_index_find(index, &digest, false, &location, 1), 1);
			assert_int_equal(location.block.at, i);
		}
		bt_index_free(index);
	}
	free(fake);
	sample_free(&sample);
}

static void name_of_segment(int cachefd, char name[64])
{
	DIR *directory = fdopendir(openat(cachefd, ".", O_RDONLY | O_DIRECTORY));
	name[0] = 0;
	for (struct dirent *entry; (entry = readdir(directory));) {
		if (entry->d_name[0] != '.')
			snprintf(name, 64, "%.60s", entry->d_name);
	}
	closedir(directory);
}

/* Any byte, and any length: the segment is not used. */
static void test_corrupt_segment(void **state)
{
	struct sample sample = sample_new();
	struct fake *fake = fake_new();
	char name[64];
	size_t size;
	add_fake(fake, 40);
	add_fake(fake, 20);
	bt_index_free(open_index(fake, sample.dirfd, false));
	name_of_segment(sample.dirfd, name);
	unsigned char *data = sample_read(sample.dirfd, name, &size);
	for (size_t i = 0; i < size; i++) {
		data[i] ^= 0x10;
		sample_write(sample.dirfd, name, data, size);
		data[i] ^= 0x10;
		struct bt_index *index = open_index(fake, sample.dirfd, true);
		assert_int_equal(fake->visits, 2);
		assert_found(index, fake, 0);
		bt_index_free(index);
	}
	for (size_t length = 0; length < size; length += 7) {
		sample_write(sample.dirfd, name, data, length);
		struct bt_index *index = open_index(fake, sample.dirfd, true);
		assert_int_equal(fake->visits, 2);
		assert_found(index, fake, 1);
		bt_index_free(index);
	}
	/* a writer removes what is of no use */
	bt_index_free(open_index(fake, sample.dirfd, false));
	assert_int_equal(count_segments(sample.dirfd), 1);
	bt_index_free(open_index(fake, sample.dirfd, false));
	assert_int_equal(fake->visits, 0);
	free(data);
	free(fake);
	sample_free(&sample);
}

/* A segment lies in cache/ itself. */
static void test_segment_is_no_link(void **state)
{
	struct sample sample = sample_new(), outside = sample_new();
	struct fake *fake = fake_new();
	char name[64], path[160];
	add_fake(fake, 40);
	bt_index_free(open_index(fake, sample.dirfd, false));
	name_of_segment(sample.dirfd, name);
	assert_int_equal(renameat(sample.dirfd, name, outside.dirfd, name), 0);
	snprintf(path, sizeof(path), "%s/%s", outside.path, name);
	assert_int_equal(symlinkat(path, sample.dirfd, name), 0);
	struct bt_index *index = open_index(fake, sample.dirfd, true);
	assert_int_equal(fake->visits, 1);
	assert_found(index, fake, 0);
	bt_index_free(index);
	free(fake);
	sample_free(&sample);
	sample_free(&outside);
}

/* A large segment that is cut short while it is in use: misses, no signal. */
static void test_segment_cut_in_use(void **state)
{
	struct sample sample = sample_new();
	struct fake *fake = fake_new();
	char name[64];
	for (int i = 0; i < 4; i++)
		add_fake(fake, 90000);
	struct bt_index *index = open_index(fake, sample.dirfd, false);
	name_of_segment(sample.dirfd, name);
	int fd = openat(sample.dirfd, name, O_WRONLY);
	assert_int_equal(ftruncate(fd, 100), 0);
	close(fd);
	struct bt_digest digest = digest_of(5);
	struct bt_location location;
	assert_int_equal(bt_index_find(index, &digest, false, &location, 1), 0);
	struct bt_index_source source = {fake, fake->files, fake->count, sample.dirfd, false, visit, damaged};
	assert_int_equal(bt_index_rebuild(index, &source, bt_index_doubt(index), NULL), 0);
	assert_found(index, fake, 0);
	bt_index_free(index);
	free(fake);
	sample_free(&sample);
}

struct looking {
	struct fake *fake;
	struct bt_index *index;
	unsigned fail_at; /* this visit ends in BT_E_NOMEM, if any */
};

static int visit_and_look(void *arg, uint32_t file, const struct bt_index_visitor *visitor, struct bt_error *error)
{
	struct looking *looking = arg;
	for (uint32_t i = 0; i < looking->fake->count; i++)
		assert_found(looking->index, looking->fake, i);
	if (looking->fail_at && looking->fake->visits + 1 == looking->fail_at)
		return BT_E_NOMEM;
	return visit(looking->fake, file, visitor, error);
}

/* Nobody finds less while it is built anew, nor when that fails. */
static void test_rebuild_is_not_seen(void **state)
{
	struct sample sample = sample_new();
	struct fake *fake = fake_new();
	add_fake(fake, 100);
	add_fake(fake, 50);
	add_fake(fake, 7);
	bt_index_free(open_index(fake, sample.dirfd, false));
	struct bt_index *index = open_index(fake, sample.dirfd, false);
	struct looking looking = {fake, index, 2};
	struct bt_index_source source = {&looking, fake->files,	   fake->count, sample.dirfd,
					 false,	   visit_and_look, damaged};
	unsigned doubt = bt_index_doubt(index);
	assert_int_not_equal(doubt, 0);
	assert_int_equal(bt_index_rebuild(index, &source, doubt, NULL), BT_E_NOMEM);
	assert_int_equal(bt_index_doubt(index), doubt);
	looking.fail_at = 0;
	assert_int_equal(bt_index_rebuild(index, &source, doubt, NULL), 0);
	assert_int_equal(bt_index_doubt(index), 0);
	assert_int_equal(bt_index_rebuild(index, &source, doubt, NULL), 0); /* somebody did */
	assert_int_equal(fake->visits, 4);
	assert_int_equal(count_segments(sample.dirfd), bt_index_segments(index));
	for (uint32_t i = 0; i < 3; i++)
		assert_found(index, fake, i);
	bt_index_free(index);
	free(fake);
	sample_free(&sample);
}

/* The store's cure for records that lie: every byte of one after the other, and all contents still come out. */
static void test_store_recovers(void **state)
{
	struct sample sample = sample_new();
	struct bt_store *store;
	char name[64];
	size_t size;
	sample_volume(&sample, "00112233445566778899aabbccddeeff.json", 0, 20);
	mkdirat(sample.dirfd, "cache", 0700);
	int cachefd = openat(sample.dirfd, "cache", O_RDONLY | O_DIRECTORY);
	assert_int_equal(bt_store_open_with(sample.path, NULL, NULL, &store, NULL), 0);
	assert_int_equal(bt_store_survey(store, NULL), 0);
	bt_store_close(store);
	name_of_segment(cachefd, name);
	unsigned char *data = sample_read(cachefd, name, &size);
	for (size_t i = 48; i < 48 + 20 * 60; i += 7) {
		data[i] ^= (unsigned char)(1 << i % 8);
		sample_write(cachefd, name, data, size);
		data[i] ^= (unsigned char)(1 << i % 8);
		assert_int_equal(bt_store_open_with(sample.path, NULL, NULL, &store, NULL), 0);
		for (uint64_t k = 0; k < 20; k++) {
			unsigned char *bytes = sample_bytes(k, 8);
			struct bt_digest digest = sample_digest(bytes, 8);
			struct bt_pin pin;
			assert_int_equal(bt_store_pin(store, &digest, 8, 0, &pin, NULL), 0);
			assert_memory_equal(pin.data, bytes, 8);
			bt_store_unpin(store, &pin);
			free(bytes);
		}
		bt_store_close(store);
	}
	free(data);
	close(cachefd);
	sample_free(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_records),	     cmocka_unit_test(test_empty),
		cmocka_unit_test(test_without_cache),	     cmocka_unit_test(test_add_and_merge),
		cmocka_unit_test(test_removed_and_changed),  cmocka_unit_test(test_unreadable_file),
		cmocka_unit_test(test_overlapping_segments), cmocka_unit_test(test_all_places),
		cmocka_unit_test(test_one_bucket),	     cmocka_unit_test(test_corrupt_segment),
		cmocka_unit_test(test_segment_cut_in_use),   cmocka_unit_test(test_rebuild_is_not_seen),
		cmocka_unit_test(test_store_recovers),	     cmocka_unit_test(test_segment_is_no_link),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
