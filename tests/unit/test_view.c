/* SPDX-License-Identifier: MIT */
/* Snapshots, directories and paths, and pages that lie. */
#include "view_scene.h"

#include "model/document.h"
#include "view/walk.h"
#include <internal/view.h>
#include <pthread.h>

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
	struct bt_dir *dir;
	const struct bt_entry *entry;
	char name[32];
	size_t seen = 0;

	assert_int_equal(bt_dir_new(store, tree, &dir, NULL), 0);
	for (;; seen++) {
		assert_int_equal(bt_dir_next(dir, &entry, NULL), 0);
		if (!entry)
			break;
		snprintf(name, sizeof(name), "f%06zu", seen * 2);
		assert_string_equal(entry->name, name);
		assert_int_equal(entry->mtime.seconds, seen);
	}
	assert_int_equal(seen, count);
	assert_int_equal(bt_dir_next(dir, &entry, NULL), 0);
	assert_null(entry);
	bt_dir_free(dir);
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

/* Going on after a name or an index, forwards and backwards over the leaves. */
static void check_cursor(struct bt_store *store, const struct bt_digest *tree, size_t count)
{
	struct bt_dir *dir;
	const struct bt_entry *entry;
	char name[32];

	assert_int_equal(bt_dir_new(store, tree, &dir, NULL), 0);
	assert_int_equal(bt_dir_count(dir), count);
	for (size_t step = 0; step < 300; step++) {
		size_t index = count ? step * 7919 % count : 0;

		snprintf(name, sizeof(name), "f%06zu", index * 2);
		int r = step % 2 ? bt_dir_at(dir, index, &entry, NULL)
				 : bt_dir_find(dir, name, strlen(name), &entry, NULL);
		assert_int_equal(r, count ? 0 : BT_E_NOT_FOUND);
		for (size_t i = index; i < count && i < index + 3; i++) {
			struct bt_dir_place place = bt_dir_here(dir);

			assert_int_equal(entry->mtime.seconds, i);
			assert_ptr_equal(&place.page->entries[place.index], entry);
			assert_int_equal(place.base + place.index, i);
			assert_int_equal(bt_dir_next(dir, &entry, NULL), 0);
		}
	}
	assert_int_equal(bt_dir_at(dir, count, &entry, NULL), BT_E_NOT_FOUND);
	assert_int_equal(bt_dir_at(dir, UINT64_MAX, &entry, NULL), BT_E_NOT_FOUND);
	assert_int_equal(bt_dir_find(dir, "f000001", 7, &entry, NULL), BT_E_NOT_FOUND);
	bt_dir_free(dir);
	bt_dir_free(NULL);
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
	for (size_t i = 0; i < 7; i++)
		check_cursor(scene.store, &trees[i], counts[i]);
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

/* What a walk with ends gives: entries by their paths, and of each directory at its end how many entries it had. */
static void check_steps(struct bt_walk *walk, const char *const *steps)
{
	struct bt_walk_step step;
	struct bt_error error;

	do {
		unsigned *level;
		char text[64];

		error = (struct bt_error){0};
		int r = bt_walk_next(walk, &step, &error);
		level = bt_walk_level(walk);
		if (r)
			snprintf(text, sizeof(text), "%s: %s", step.path, bt_reason_name(error.reason));
		else if (step.entry)
			snprintf(text, sizeof(text), "%s", step.path);
		else
			snprintf(text, sizeof(text), "end %u", level ? *level : 0);
		assert_string_equal(text, *steps);
		assert_int_equal(step.path_length, strlen(step.path));
		if (step.entry) {
			assert_string_equal(bt_walk_page(walk)->entries[*level].name, step.entry->name);
			++*level;
		}
		if (step.entry && step.entry->type == BT_DIR)
			assert_int_equal(*(unsigned *)bt_walk_below(walk), 0);
		if (step.entry && strcmp(step.entry->name, "skipped") == 0)
			bt_walk_skip(walk);
	} while (*++steps);
	assert_null(step.entry);
	assert_null(bt_walk_level(walk));
}

static void test_walk(void **state)
{
	static const char *const all[] = {
		"a",   "a/file", "end 1", "bad",   "bad: missing-page", "c", "c/sub", "c/sub/a", "end 1",
		"c/x", "end 2",	 "e",	  "end 0", "skipped",		"z", "end 6", "end 0",	 NULL};
	struct scene scene = scene_new();
	struct bt_entry file = file_entry("file"), a = file_entry("a");
	struct bt_digest none = sample_digest("?", 1), one = put_entries(&scene, &file, 1),
			 empty = put_entries(&scene, NULL, 0), sub = put_entries(&scene, &a, 1);
	struct bt_entry below[] = {dir_entry("sub", &sub), file_entry("x")};
	struct bt_digest c = put_entries(&scene, below, 2);
	struct bt_entry entries[] = {dir_entry("a", &one),   dir_entry("bad", &none),	 dir_entry("c", &c),
				     dir_entry("e", &empty), dir_entry("skipped", &one), file_entry("z")};
	struct bt_digest tree = put_entries(&scene, entries, 6);
	struct bt_entry root = dir_entry("", &tree);
	struct bt_walk_options options = {.level_size = sizeof(unsigned), .ends = true};
	struct bt_walk *walk;

	scene_seal(&scene);
	assert_int_equal(bt_walk_begin(scene.store, &options, &root, &walk, NULL), 0);
	check_steps(walk, all);
	bt_walk_free(walk);
	scene_free(&scene);
}

/* No more than the bounds allow, although paths are not counted; and nothing of them is made. */
static void test_walk_bounds(void **state)
{
	struct scene scene = scene_new();
	struct bt_entry files[] = {file_entry("a"), file_entry("b"), file_entry("c")};
	struct bt_digest tree = put_entries(&scene, files, 3);
	struct bt_entry root = dir_entry("", &tree);
	struct bt_bounds bounds = {.name = SNAPSHOT, .entries = 2};
	struct bt_walk_options options = {.bounds = &bounds, .pathless = true};
	struct bt_walk_step step;
	struct bt_error error = {0};
	struct bt_walk *walk;

	scene_seal(&scene);
	assert_int_equal(bt_walk_begin(scene.store, &options, &root, &walk, NULL), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(bt_walk_next(walk, &step, &error), 0);
		assert_string_equal(step.entry->name, files[i].name);
		assert_int_equal(step.path_length, 0);
	}
	assert_int_equal(bt_walk_next(walk, &step, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_BAD_SIZE);
	assert_int_equal(bt_walk_next(walk, &step, &error), 0);
	assert_null(step.entry);
	bt_walk_free(walk);
	assert_int_equal(bt_walk_begin(scene.store, &options, &files[0], &walk, NULL), 0);
	assert_int_equal(bt_walk_next(walk, &step, &error), 0);
	assert_null(step.entry);
	bt_walk_free(walk);
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
	assert_int_equal(bt_writer_new(sample_upload(scene.sample.dirfd), &header, &scene.writer, NULL), 0);
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
	assert_string_equal(error.detail, "there is no snapshot of this name");
	scene_free(&scene);
}

#define FIFO(name) "{\"name\":\"" name "\",\"type\":\"fifo\",\"mode\":\"0644\",\"uid\":0,\"gid\":0,\"mtime\":[0,0]}"
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
	struct bt_dir *dir;
	const struct bt_entry *entry = NULL;
	int r = bt_dir_new(store, tree, &dir, error);

	if (r)
		return r;
	do
		r = bt_dir_next(dir, &entry, error);
	while (!r && entry);
	bt_dir_free(dir);
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
	/* one over a chunk page, and one that is a chunk page */
	struct bt_chunk chunk = {leaves[0], 5};
	struct bt_digest chunks = put_chunk_page(&scene, &chunk, 1);
	struct bt_digest nested[2] = {leaves[0], chunks}, nest = put_index_page(&scene, &lies[0], nested);
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
		cmocka_unit_test(test_directories), cmocka_unit_test(test_paths),
		cmocka_unit_test(test_snapshot),    cmocka_unit_test(test_lying_index_pages),
		cmocka_unit_test(test_bad_page),    cmocka_unit_test(test_threads),
		cmocka_unit_test(test_walk),	    cmocka_unit_test(test_walk_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
