/* SPDX-License-Identifier: MIT */
#include "model/document.h"
#include "model/page.h"
#include "store_samples.h"
#include <backuptool/view.h>
#include <errno.h>
#include <pthread.h>

#define SNAPSHOT "snapshot_2026-11-22T10-30-00Z.json"

/* A store that is being made: one writer for everything, then an open store. */
struct scene {
	struct sample sample;
	struct bt_writer *writer;
	struct bt_store *store;
};

static struct scene scene_new(void)
{
	struct scene scene = {.sample = sample_new()};
	scene.writer = sample_writer(scene.sample.dirfd, SNAPSHOT_HEADER);
	return scene;
}

static void scene_seal(struct scene *scene)
{
	sample_seal(scene->writer, "{}", SNAPSHOT);
	bt_writer_free(scene->writer);
	scene->writer = NULL;
	assert_int_equal(bt_store_open(scene->sample.path, NULL, &scene->store, NULL), 0);
}

static void scene_free(struct scene *scene)
{
	bt_store_close(scene->store);
	sample_free(&scene->sample);
}

static int emit(void *arg, const char *line, size_t length, struct bt_digest *ret_id)
{
	*ret_id = sample_digest(line, length);
	return bt_writer_page(arg, line, length, ret_id, NULL);
}

static struct bt_entry file_entry(const char *name)
{
	return (struct bt_entry){.name = name,
				 .name_length = (uint16_t)strlen(name),
				 .type = BT_FILE,
				 .mode = 0644,
				 .uid = 1000,
				 .gid = 1000,
				 .size = 0,
				 .digest = sample_digest("", 0),
				 .has_digest = true};
}

static struct bt_entry dir_entry(const char *name, const struct bt_digest *tree)
{
	struct bt_entry entry = file_entry(name);
	entry.type = BT_DIR;
	entry.digest = *tree;
	return entry;
}

/* A directory of files named f000000, f000002 … */
static struct bt_digest make_directory(struct scene *scene, size_t count)
{
	struct bt_page_builder builder = {.arg = scene->writer, .emit = emit};
	struct bt_digest tree;
	for (size_t i = 0; i < count; i++) {
		char name[32];
		snprintf(name, sizeof(name), "f%06zu", i * 2);
		struct bt_entry entry = file_entry(name);
		entry.mtime.seconds = (int64_t)i;
		assert_int_equal(bt_page_builder_add(&builder, &entry), 0);
	}
	assert_int_equal(bt_page_builder_finish(&builder, &tree), 0);
	bt_page_builder_free(&builder);
	return tree;
}

static void check_directory(struct bt_store *store, const struct bt_digest *tree, size_t count)
{
	struct bt_dir dir;
	const struct bt_entry *entry;
	char name[32];
	size_t seen = 0;
	assert_int_equal(bt_dir_start(&dir, store, tree, NULL), 0);
	for (;; seen++) {
		assert_int_equal(bt_dir_next(&dir, &entry, NULL), 0);
		if (!entry)
			break;
		snprintf(name, sizeof(name), "f%06zu", seen * 2);
		assert_string_equal(entry->name, name);
		assert_int_equal(entry->mtime.seconds, seen);
	}
	assert_int_equal(seen, count);
	assert_int_equal(bt_dir_next(&dir, &entry, NULL), 0);
	assert_null(entry);
	bt_dir_end(&dir);
	bt_dir_end(&dir);
	for (size_t i = 0; i<2 * count + 3; i += count> 1000 ? 97 : 1) {
		const struct bt_page *page;
		snprintf(name, sizeof(name), "f%06zu", i);
		int r = bt_dir_lookup(store, tree, name, strlen(name), &page, &entry, NULL);
		assert_int_equal(r, i % 2 || i >= 2 * count ? BT_E_NOT_FOUND : 0);
		if (!r) {
			assert_int_equal(entry->mtime.seconds, i / 2);
			bt_page_put(store, page);
		}
	}
	const struct bt_page *page;
	assert_int_equal(bt_dir_lookup(store, tree, "a", 1, &page, &entry, NULL), BT_E_NOT_FOUND);
	assert_int_equal(bt_dir_lookup(store, tree, "z", 1, &page, &entry, NULL), BT_E_NOT_FOUND);
}

static void test_directories(void **state)
{
	static const size_t counts[] = {0, 1, 2, 512, 513, 5000, 100000};
	struct bt_digest trees[7];
	struct scene scene = scene_new();
	for (size_t i = 0; i < 7; i++)
		trees[i] = make_directory(&scene, counts[i]);
	scene_seal(&scene);
	for (size_t i = 0; i < 7; i++)
		check_directory(scene.store, &trees[i], counts[i]);
	scene_free(&scene);
}

static struct bt_digest put_entries(struct scene *scene, const struct bt_entry *entries, size_t count)
{
	struct bt_page_builder builder = {.arg = scene->writer, .emit = emit};
	struct bt_digest tree;
	for (size_t i = 0; i < count; i++)
		assert_int_equal(bt_page_builder_add(&builder, &entries[i]), 0);
	assert_int_equal(bt_page_builder_finish(&builder, &tree), 0);
	bt_page_builder_free(&builder);
	return tree;
}

static void assert_path(struct scene *scene, const struct bt_entry *root, const char *path, const char *name)
{
	const struct bt_page *page;
	const struct bt_entry *entry;
	struct bt_error error = {0};
	int r = bt_path_lookup(scene->store, root, path, &page, &entry, &error);
	assert_int_equal(r, name ? 0 : BT_E_NOT_FOUND);
	if (name) {
		assert_string_equal(entry->name, name);
		bt_page_put(scene->store, page);
	}
}

static void test_paths(void **state)
{
	struct scene scene = scene_new();
	struct bt_entry leaf = file_entry("leaf.txt");
	struct bt_digest tree = put_entries(&scene, &leaf, 1);
	struct bt_entry link = {.name = "link", .name_length = 4, .type = BT_SYMLINK};
	struct bt_extra extra = {.target = "docs", .target_length = 4};
	link.extra = &extra;
	struct bt_entry entries[] = {dir_entry("docs", &tree), file_entry("file"), link};
	tree = put_entries(&scene, entries, 3);
	struct bt_entry root = dir_entry("", &tree);
	scene_seal(&scene);
	assert_path(&scene, &root, "", "");
	assert_path(&scene, &root, "/", "");
	assert_path(&scene, &root, "./.", "");
	assert_path(&scene, &root, "docs", "docs");
	assert_path(&scene, &root, "/docs/", "docs");
	assert_path(&scene, &root, "docs//./leaf.txt", "leaf.txt");
	assert_path(&scene, &root, "docs/leaf.txt/x", NULL);
	assert_path(&scene, &root, "link", "link");
	assert_path(&scene, &root, "link/leaf.txt", NULL);
	assert_path(&scene, &root, "docs/..", NULL);
	assert_path(&scene, &root, ".docs", NULL);
	assert_path(&scene, &root, "none", NULL);
	scene_free(&scene);
}

static void test_snapshot(void **state)
{
	struct scene scene = {.sample = sample_new()};
	static const char *const tags[] = {"a", "b"};
	struct bt_digest tree = sample_digest("{\"entries\":[]}", 14);
	struct bt_snapshot_info info = {.time = {1795343400, 123456789},
					.host = "h",
					.target = "/home/me",
					.tags = tags,
					.tag_count = 2,
					.root = dir_entry("", &tree),
					.directories = 1};
	struct bt_buf header = {0}, summary = {0};
	struct bt_snapshot *snapshot;
	struct stat st;
	assert_int_equal(bt_header_write(&header, &info), 0);
	assert_int_equal(bt_summary_write(&summary, &info), 0);
	assert_int_equal(bt_writer_new(scene.sample.dirfd, &header, &scene.writer, NULL), 0);
	sample_page(scene.writer, "{\"entries\":[]}");
	assert_int_equal(bt_writer_seal(scene.writer, &summary, SNAPSHOT, NULL), 0);
	bt_writer_free(scene.writer);
	bt_buf_free(&header);
	bt_buf_free(&summary);
	assert_int_equal(bt_store_open(scene.sample.path, NULL, &scene.store, NULL), 0);
	assert_int_equal(fstatat(scene.sample.dirfd, SNAPSHOT, &st, 0), 0);
	assert_int_equal(bt_snapshot_open(scene.store, SNAPSHOT, &snapshot, NULL), 0);
	const struct bt_snapshot_info *read = bt_snapshot_info(snapshot);
	assert_string_equal(read->name, SNAPSHOT);
	assert_string_equal(read->target, "/home/me");
	assert_int_equal(read->tag_count, 2);
	assert_int_equal(read->file_size, st.st_size);
	assert_false(read->classic);
	assert_true(bt_digest_equal(&read->root.digest, &tree));
	check_directory(scene.store, &read->root.digest, 0);
	bt_snapshot_close(snapshot);
	struct bt_error error = {0};
	assert_int_equal(bt_snapshot_open(scene.store, "snapshot_2020-11-22T10-30-00Z.json", &snapshot, &error),
			 BT_E_NOT_FOUND);
	/* Removed after the directory was listed: that is no failure of the disk. */
	bt_store_close(scene.store);
	assert_int_equal(bt_store_open(scene.sample.path, NULL, &scene.store, NULL), 0);
	assert_int_equal(unlinkat(scene.sample.dirfd, SNAPSHOT, 0), 0);
	error = (struct bt_error){0};
	assert_int_equal(bt_snapshot_open(scene.store, SNAPSHOT, &snapshot, &error), BT_E_NOT_FOUND);
	assert_int_equal(error.code, BT_E_NOT_FOUND);
	scene_free(&scene);
}

/* ---- data ---- */

/* Ranges of every kind, compared with what the file holds. */
static void check_data(struct bt_store *store, const struct bt_entry *file, const unsigned char *expected)
{
	size_t size = (size_t)file->size, got;
	unsigned char *data = malloc(size + 100);
	struct bt_error error = {0};
	assert_int_equal(bt_entry_pread(store, file, data, size + 100, 0, &got, &error), 0);
	assert_int_equal(got, size);
	assert_memory_equal(data, expected, size);
	for (uint64_t i = 0; i < 300; i++) {
		uint64_t offset = bt_mix64(i) % (size + 2), length = bt_mix64(i + 1000) % (i % 3 ? 50 : size + 1);
		size_t left = offset < size ? size - (size_t)offset : 0;
		assert_int_equal(bt_entry_pread(store, file, data, (size_t)length, offset, &got, NULL), 0);
		assert_int_equal(got, length < left ? length : left);
		assert_memory_equal(data, expected + (offset < size ? offset : 0), got);
	}
	for (uint64_t offset = 0; offset < size;) {
		struct bt_slice slice;
		assert_int_equal(bt_slice_start(store, file, offset, &slice, NULL), 0);
		assert_true(slice.length > 0 && slice.length <= size - offset);
		if (slice.data)
			assert_memory_equal(slice.data, expected + offset, (size_t)slice.length);
		for (uint64_t i = 0; i < slice.length && !slice.data; i++)
			assert_int_equal(expected[offset + i], 0);
		offset += slice.length;
		bt_slice_end(store, &slice);
	}
	struct bt_slice slice;
	assert_int_equal(bt_slice_start(store, file, file->size, &slice, NULL), 0);
	assert_int_equal(slice.length, 0);
	assert_null(slice.data);
	bt_slice_end(store, &slice);
	assert_int_equal(bt_slice_start(store, file, UINT64_MAX, &slice, NULL), 0);
	assert_int_equal(slice.length, 0);
	free(data);
}

/* count contents of different sizes, and what they are one after the other. */
static unsigned char *put_chunks(struct scene *scene, struct bt_chunk *chunks, size_t count, size_t *ret_size)
{
	unsigned char *all = malloc(count * 200);
	size_t size = 0;
	for (size_t i = 0; i < count; i++) {
		size_t own = 1 + i * 37 % 150;
		unsigned char *data = sample_bytes(i, own);
		memcpy(all + size, data, own);
		struct bt_held held = {sample_digest(data, own), (uint32_t)own};
		chunks[i] = (struct bt_chunk){held.digest, own};
		if (i == 0 || !bt_digest_equal(&chunks[i].digest, &chunks[i - 1].digest))
			sample_block(scene->writer, data, own, &held, 1);
		size += own;
		free(data);
	}
	*ret_size = size;
	return all;
}

static bool is_decoded(struct bt_store *store, const struct bt_entry *file, uint64_t offset)
{
	struct bt_error error = {0};
	struct bt_slice slice;
	int r = bt_slice_start_decoded(store, file, offset, &slice, &error);
	assert_int_equal(error.code, 0);
	if (r) {
		assert_int_equal(r, BT_E_NOT_FOUND);
		return false;
	}
	bt_slice_end(store, &slice);
	return true;
}

static void test_one_content(void **state)
{
	struct scene scene = scene_new();
	sample_contents(scene.writer, 1, 5, 1000);
	scene_seal(&scene);
	for (uint64_t seed = 1; seed <= 5; seed++) {
		unsigned char *data = sample_bytes(seed, 1000);
		struct bt_entry file = file_entry("f");
		uint64_t stored;
		file.size = 1000;
		file.digest = sample_digest(data, 1000);
		assert_int_equal(is_decoded(scene.store, &file, 5), seed > 1);
		bt_entry_prefetch(scene.store, &file, 10);
		assert_true(is_decoded(scene.store, &file, 5));
		check_data(scene.store, &file, data);
		assert_int_equal(bt_entry_stored(scene.store, &file, &stored, NULL), 0);
		assert_true(stored > 0 && stored < 2000);
		free(data);
	}
	struct bt_entry empty = file_entry("f");
	check_data(scene.store, &empty, (const unsigned char *)"");
	assert_true(is_decoded(scene.store, &empty, 0));
	scene_free(&scene);
}

static void test_chunks(void **state)
{
	struct scene scene = scene_new();
	struct bt_chunk chunks[64];
	struct bt_extra extra = {.chunks = chunks, .chunk_count = 64, .has_chunks = true};
	struct bt_entry file = file_entry("f");
	size_t size;
	unsigned char *data = put_chunks(&scene, chunks, 64, &size);
	scene_seal(&scene);
	file.size = size;
	file.extra = &extra;
	check_data(scene.store, &file, data);
	uint64_t stored;
	assert_int_equal(bt_entry_stored(scene.store, &file, &stored, NULL), 0);
	assert_true(stored >= size);
	free(data);
	scene_free(&scene);
}

static struct bt_digest put_chunk_page(struct scene *scene, const struct bt_chunk *chunks, size_t count)
{
	struct bt_buf line = {0};
	assert_int_equal(bt_chunk_page_write(&line, chunks, count), 0);
	struct bt_digest id;
	assert_int_equal(emit(scene->writer, (const char *)line.data, line.length, &id), 0);
	bt_buf_free(&line);
	return id;
}

static uint64_t sum_of(const struct bt_chunk *chunks, size_t count)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += chunks[i].size;
	return sum;
}

static void test_chunk_pages(void **state)
{
	struct scene scene = scene_new();
	struct bt_chunk chunks[300], pages[3];
	struct bt_extra extra = {.chunk_pages = pages, .chunk_page_count = 3};
	struct bt_entry file = file_entry("f");
	static const size_t cuts[] = {0, 1, 120, 300};
	size_t size;
	unsigned char *data = put_chunks(&scene, chunks, 300, &size);
	for (size_t i = 0; i < 3; i++) {
		size_t count = cuts[i + 1] - cuts[i];
		pages[i].digest = put_chunk_page(&scene, chunks + cuts[i], count);
		pages[i].size = sum_of(chunks + cuts[i], count);
	}
	scene_seal(&scene);
	file.size = size;
	file.extra = &extra;
	check_data(scene.store, &file, data);
	uint64_t stored;
	assert_int_equal(bt_entry_stored(scene.store, &file, &stored, NULL), 0);
	assert_true(stored >= size);
	/* the entry says one more than the page has */
	struct bt_error error = {0};
	struct bt_slice slice;
	pages[1].size++;
	file.size++;
	assert_int_equal(bt_slice_start(scene.store, &file, 10, &slice, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_BAD_SIZE);
	assert_string_equal(error.file, SNAPSHOT);
	free(data);
	scene_free(&scene);
}

static void test_holes(void **state)
{
	struct scene scene = scene_new();
	struct bt_chunk chunks[20];
	size_t data_size, size = 0, done = 0;
	unsigned char *data = put_chunks(&scene, chunks, 20, &data_size);
	scene_seal(&scene);
	struct bt_extent holes[] = {{0, 10}, {15, 1}, {100, 400}, {600, 5}, {900, 70}};
	const uint64_t sums[] = {10, 11, 411, 416, 486};
	/* the data with the holes put in */
	unsigned char *expected = calloc(1, data_size + 1000);
	for (size_t i = 0; i < 5; i++) {
		size_t part = (size_t)holes[i].offset - size;
		memcpy(expected + size, data + done, part);
		done += part;
		size = (size_t)(holes[i].offset + holes[i].length);
	}
	memcpy(expected + size, data + done, data_size - done);
	size += data_size - done;
	struct bt_extra extra = {.chunks = chunks,
				 .chunk_count = 20,
				 .has_chunks = true,
				 .holes = holes,
				 .hole_sums = sums,
				 .hole_count = 5};
	struct bt_entry file = file_entry("f");
	file.size = size;
	file.extra = &extra;
	check_data(scene.store, &file, expected);
	/* one hole at the end as well, and a file that is nothing else */
	struct bt_extent only = {0, 1000};
	struct bt_extra empty = {.has_chunks = true, .holes = &only, .hole_sums = &only.length, .hole_count = 1};
	file.size = 1000;
	file.extra = &empty;
	memset(expected, 0, 1000);
	check_data(scene.store, &file, expected);
	only.length = (uint64_t)1 << 62;
	file.size = (uint64_t)1 << 62;
	struct bt_slice slice;
	assert_int_equal(bt_slice_start(scene.store, &file, 5, &slice, NULL), 0);
	assert_null(slice.data);
	assert_int_equal(slice.length, ((uint64_t)1 << 62) - 5);
	free(expected);
	free(data);
	scene_free(&scene);
}

static void assert_unreadable(struct scene *scene, const struct bt_entry *file, enum bt_code code,
			      enum bt_reason reason)
{
	struct bt_error error = {0};
	char byte = 'x';
	size_t got = 77;
	assert_int_equal(bt_entry_pread(scene->store, file, &byte, 1, 0, &got, &error), code);
	assert_string_equal(bt_reason_name(error.reason), bt_reason_name(reason));
	assert_int_equal(got, 77);
	assert_int_equal(byte, 'x');
}

static void test_wrong_entries(void **state)
{
	struct scene scene = scene_new();
	sample_contents(scene.writer, 1, 1, 100);
	scene_seal(&scene);
	struct bt_entry file = file_entry("f");
	file.digest = sample_content_digest(1, 100);
	file.size = 101;
	assert_unreadable(&scene, &file, BT_E_DAMAGED, BT_R_BAD_SIZE);
	file.size = 99;
	assert_unreadable(&scene, &file, BT_E_DAMAGED, BT_R_BAD_SIZE);
	file.size = 100;
	file.digest.bytes[0] ^= 1;
	assert_unreadable(&scene, &file, BT_E_DAMAGED, BT_R_MISSING_CONTENT);
	struct bt_extra extra = {.error = "EACCES"};
	file.extra = &extra;
	assert_unreadable(&scene, &file, BT_E_INCOMPLETE, BT_R_NONE);
	struct bt_digest none = {{0}};
	struct bt_entry directory = dir_entry("d", &none);
	assert_unreadable(&scene, &directory, BT_E_INVALID, BT_R_NONE);
	/* chunks that end before the file does */
	struct bt_chunk chunk = {sample_content_digest(1, 100), 100};
	struct bt_extra one = {.chunks = &chunk, .chunk_count = 1, .has_chunks = true};
	file.extra = &one;
	file.size = 200;
	char data[200];
	struct bt_error error = {0};
	assert_int_equal(bt_entry_pread(scene.store, &file, data, 200, 0, NULL, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_BAD_SIZE);
	scene_free(&scene);
}

/* ---- pages that lie ---- */

#define LEAF(name)                                                                                                     \
	"{\"entries\":[{\"name\":\"" name "\",\"type\":\"fifo\",\"mode\":\"0644\",\"uid\":0,\"gid\":0,\"mtime\":"      \
	"[0,0]}]}"

struct lie {
	const char *first, *second; /* names that the index page states */
	unsigned entries;	    /* that it states for the second leaf */
	enum bt_reason reason;
};

static struct bt_digest put_index_page(struct scene *scene, const struct lie *lie, const struct bt_digest leaves[2])
{
	char ids[2][65], line[1024];
	bt_digest_text(&leaves[0], ids[0]);
	bt_digest_text(&leaves[1], ids[1]);
	snprintf(line, sizeof(line),
		 "{\"pages\":[{\"name\":\"%s\",\"entries\":1,\"tree\":\"%s\"},{\"name\":\"%s\",\"entries\":%u,"
		 "\"tree\":\"%s\"}]}",
		 lie->first, ids[0], lie->second, lie->entries, ids[1]);
	return sample_page(scene->writer, line);
}

static int walk(struct bt_store *store, const struct bt_digest *tree, struct bt_error *error)
{
	struct bt_dir dir;
	const struct bt_entry *entry = NULL;
	int r = bt_dir_start(&dir, store, tree, error);
	if (r)
		return r;
	do
		r = bt_dir_next(&dir, &entry, error);
	while (!r && entry);
	bt_dir_end(&dir);
	return r;
}

static void test_lying_index_pages(void **state)
{
	static const struct lie lies[] = {
		{"b", "d", 1, BT_R_NONE},     {"b", "d", 2, BT_R_BAD_SIZE},  {"b", "c", 1, BT_R_UNSORTED},
		{"a", "d", 1, BT_R_UNSORTED}, {"b", "bb", 1, BT_R_UNSORTED},
	};
	struct scene scene = scene_new();
	struct bt_digest leaves[2] = {sample_page(scene.writer, LEAF("b")), sample_page(scene.writer, LEAF("d"))};
	struct bt_digest swapped[2] = {leaves[1], leaves[0]}, trees[6];
	for (size_t i = 0; i < 5; i++)
		trees[i] = put_index_page(&scene, &lies[i], leaves);
	trees[5] = put_index_page(&scene, &lies[0], swapped);
	/* an index page of index pages, and one that is a chunk page */
	struct bt_digest nested[2] = {trees[0], leaves[1]};
	struct bt_digest nest = put_index_page(&scene, &lies[0], nested);
	struct bt_chunk chunk = {leaves[0], 5};
	struct bt_digest chunks = put_chunk_page(&scene, &chunk, 1);
	scene_seal(&scene);
	for (size_t i = 0; i < 6; i++) {
		struct bt_error error = {0};
		enum bt_reason reason = i < 5 ? lies[i].reason : BT_R_UNSORTED;
		assert_int_equal(walk(scene.store, &trees[i], &error), reason ? BT_E_DAMAGED : 0);
		assert_string_equal(bt_reason_name(error.reason), bt_reason_name(reason));
		if (reason)
			assert_string_equal(error.file, SNAPSHOT);
	}
	struct bt_error error = {0};
	assert_int_equal(walk(scene.store, &nest, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_BAD_TYPE);
	error = (struct bt_error){0};
	assert_int_equal(walk(scene.store, &chunks, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_BAD_TYPE);
	const struct bt_page *page;
	const struct bt_entry *entry;
	error = (struct bt_error){0};
	assert_int_equal(bt_dir_lookup(scene.store, &trees[1], "d", 1, &page, &entry, &error), BT_E_DAMAGED);
	scene_free(&scene);
}

static void test_bad_page(void **state)
{
	struct scene scene = scene_new();
	struct bt_digest nonsense = sample_page(scene.writer, "{\"entries\":[{]}");
	struct bt_digest good = sample_page(scene.writer, "{\"entries\":[]}");
	scene_seal(&scene);
	const struct bt_page *page;
	struct bt_location location;
	struct bt_error error = {0};
	assert_int_equal(bt_store_find(scene.store, &nonsense, true, &location, NULL), 0);
	assert_int_equal(bt_page_get(scene.store, &nonsense, &page, &error), BT_E_DAMAGED);
	assert_string_equal(error.file, SNAPSHOT);
	assert_true(error.offset >= location.block.at && error.offset <= location.block.at + location.block.length);
	/* half of the id is not the id */
	assert_int_equal(bt_page_get(scene.store, &good, &page, NULL), 0);
	struct bt_digest other = good;
	const struct bt_page *none;
	other.bytes[31] ^= 1;
	error = (struct bt_error){0};
	assert_int_equal(bt_page_get(scene.store, &other, &none, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_MISSING_PAGE);
	bt_page_ref(scene.store, page);
	bt_page_put(scene.store, page);
	assert_int_equal(page->count, 0);
	bt_page_put(scene.store, page);
	bt_page_put(scene.store, NULL);
	scene_free(&scene);
}

/* ---- threads ---- */

struct walker {
	struct bt_store *store;
	const struct bt_digest *tree;
	const struct bt_entry *file;
	const unsigned char *data;
	int failures;
};

static void *walk_and_read(void *arg)
{
	struct walker *walker = arg;
	unsigned char buffer[500];
	for (uint64_t i = 0; i < 30; i++) {
		uint64_t offset = bt_mix64(i) % walker->file->size;
		size_t got;
		walker->failures += walk(walker->store, walker->tree, NULL) != 0;
		if (bt_entry_pread(walker->store, walker->file, buffer, 500, offset, &got, NULL))
			walker->failures++;
		else
			walker->failures += memcmp(buffer, walker->data + offset, got) != 0;
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct scene scene = scene_new();
	struct bt_chunk chunks[64];
	struct bt_extra extra = {.chunks = chunks, .chunk_count = 64, .has_chunks = true};
	struct bt_entry file = file_entry("f");
	size_t size;
	unsigned char *data = put_chunks(&scene, chunks, 64, &size);
	struct bt_digest tree = make_directory(&scene, 2000);
	scene_seal(&scene);
	file.size = size;
	file.extra = &extra;
	struct walker walkers[4];
	pthread_t threads[4];
	for (int i = 0; i < 4; i++) {
		walkers[i] = (struct walker){scene.store, &tree, &file, data, 0};
		assert_int_equal(pthread_create(&threads[i], NULL, walk_and_read, &walkers[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(walkers[i].failures, 0);
	}
	free(data);
	scene_free(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_directories),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_snapshot),
		cmocka_unit_test(test_one_content),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_chunk_pages),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_wrong_entries),
		cmocka_unit_test(test_lying_index_pages),
		cmocka_unit_test(test_bad_page),
		cmocka_unit_test(test_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
