/* SPDX-License-Identifier: MIT */
#include "snapshot_world.h"

#include "base/bytes.h"
#include "codec/base64.h"
#include <backuptool/export.h>
#include <cJSON.h>

#define NAME "snapshot_2024-12-01T10-00-00.json"

struct exported {
	struct world world, copy; /* copy: a store with nothing but the export */
	char path[256];
	uint64_t left_out;
	struct bt_error error;
	unsigned problems;
	char problem_paths[256]; /* a line each */
	bool cancel;
};

static void note_problem(void *arg, const char *path, const struct bt_error *error)
{
	struct exported *exported = arg;

	exported->problems++;
	size_t length = strlen(exported->problem_paths);
	snprintf(exported->problem_paths + length, sizeof(exported->problem_paths) - length, "%s\n", path);
}

static bool note_cancelled(void *arg)
{
	return ((struct exported *)arg)->cancel;
}

static void begin(struct exported *exported)
{
	*exported = (struct exported){0};
	world_begin(&exported->world);
	world_begin(&exported->copy);
	snprintf(exported->path, sizeof(exported->path), "%s/" NAME, exported->copy.store_path);
}

static void end(struct exported *exported)
{
	world_end(&exported->world);
	world_end(&exported->copy);
}

static int export_now(struct exported *exported)
{
	const struct bt_observer observer = {.arg = exported, .problem = note_problem, .cancelled = note_cancelled};
	struct bt_snapshot *snapshot = world_snapshot(&exported->world, exported->world.result.name);

	exported->error = (struct bt_error){0};
	int r = bt_export_classic(exported->world.store, snapshot, exported->path, false, &observer,
				  &exported->left_out, &exported->error);
	bt_snapshot_close(snapshot);
	assert_int_equal(r, exported->error.code);
	return r;
}

static struct bt_snapshot *open_copy(struct exported *exported)
{
	struct bt_snapshot *snapshot;
	struct bt_error error = {0};
	int r;

	world_open_store(&exported->copy);
	r = bt_snapshot_open(exported->copy.store, NAME, &snapshot, &error);
	if (r) {
		char text[640];

		bt_error_text(&error, text, sizeof(text));
		fail_msg("%s", text);
	}
	return snapshot;
}

static char *read_text(const char *path)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &status), 0);
	char *text = malloc((size_t)status.st_size + 1);
	assert_int_equal(read(fd, text, (size_t)status.st_size), status.st_size);
	text[status.st_size] = 0;
	close(fd);
	return text;
}

/* Every file of the source under prefix has the right digest, and its content is there once. */
static void check_file(struct exported *exported, const cJSON *document, const char *name)
{
	char path[300];

	snprintf(path, sizeof(path), "source/%s", name);
	const cJSON *digest =
		cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(document, "files"), path);
	assert_true(cJSON_IsString(digest));
	const cJSON *content = cJSON_GetObjectItemCaseSensitive(
		cJSON_GetObjectItemCaseSensitive(document, "file_contents"), digest->valuestring);
	assert_true(cJSON_IsString(content));
	char *wanted = read_text(in_source(&exported->world, name));
	struct stat status;
	assert_int_equal(stat(in_source(&exported->world, name), &status), 0);
	size_t length = strlen(content->valuestring), size;
	unsigned char *data = malloc(length + 4);
	assert_true(bt_base64_decode(data, &size, content->valuestring, length, NULL));
	assert_int_equal(size, status.st_size);
	assert_memory_equal(data, wanted, size);
	struct bt_hasher *hasher = bt_hasher_new();
	struct bt_digest found;
	char text[65];
	bt_hasher_digest(hasher, data, size, &found);
	bt_digest_text(&found, text);
	assert_string_equal(text, digest->valuestring);
	bt_hasher_free(hasher);
	free(data);
	free(wanted);
}

static void put_sparse_at(struct world *world, const char *name, off_t at, size_t size)
{
	unsigned char *data = noise(size, 9);
	int fd = open(in_source(world, name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_int_equal(pwrite(fd, data, size, at), size);
	assert_int_equal(ftruncate(fd, at + (off_t)size + 70001), 0);
	close(fd);
	free(data);
}

static const char *const files[] = {"a.txt",
				    "docs/again",
				    "docs/b \"q\" \\ \t\n",
				    "docs/empty",
				    "docs/\xe6\x97\xa5",
				    "docs/\xf0\x9f\x98\x80",
				    "large",
				    "middle",
				    "sparse"};

static void fill(struct world *world)
{
	put_dir(world, "docs");
	put_dir(world, "nothing");
	put_dir(world, "only-link");
	put_text(world, files[0], "hello");
	put_text(world, files[1], "hello");
	put_text(world, files[2], "b");
	put_text(world, files[3], "");
	put_text(world, files[4], "day");
	put_text(world, files[5], "smile");
	put_noise(world, files[6], (9 << 20) + 1, 5);
	put_noise(world, files[7], (2 << 20) + 2, 6);
	put_sparse_at(world, files[8], 1 << 20, 65537);
	assert_int_equal(symlink("x", in_source(world, "only-link/x")), 0);
	assert_int_equal(mkfifo(in_source(world, "fifo"), 0600), 0);
}

static void test_document(void **state)
{
	struct exported exported;

	begin(&exported);
	fill(&exported.world);
	world_snap(&exported.world);
	assert_int_equal(export_now(&exported), 0);
	assert_int_equal(exported.left_out, 3);
	char *text = read_text(exported.path);
	cJSON *document = cJSON_ParseWithLengthOpts(text, strlen(text) + 1, NULL, true);
	assert_non_null(document);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		check_file(&exported, document, files[i]);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(document, "files")), 9);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(document, "file_contents")), 8);
	double size = 5 + 5 + 1 + 3 + 5 + (9 << 20) + 1 + (2 << 20) + 2 + (1 << 20) + 65537 + 70001;
	assert_true(cJSON_GetObjectItemCaseSensitive(document, "directory_size")->valuedouble == size);
	assert_true(cJSON_GetObjectItemCaseSensitive(document, "snapshot_size")->valuedouble == size);
	assert_int_equal(strlen(cJSON_GetObjectItemCaseSensitive(document, "timestamp")->valuestring), 19);
	for (const char *at = text; *at; at++)
		assert_true((unsigned char)*at < 0x80);
	cJSON_Delete(document);
	free(text);
	end(&exported);
}

/* What is left of a tree is the same in the original layout, read back by the mount's own functions. */
static void compare_files(struct exported *exported, const struct bt_entry *from, const struct bt_entry *to,
			  unsigned *count)
{
	struct bt_dir *dir;
	const struct bt_entry *entry, *found;
	const struct bt_page *page;
	struct bt_error error = {0};

	assert_int_equal(bt_dir_new(exported->world.store, &from->digest, &dir, &error), 0);
	for (;;) {
		assert_int_equal(bt_dir_next(dir, &entry, &error), 0);
		if (!entry)
			break;
		if (entry->type != BT_FILE && entry->type != BT_DIR)
			continue;
		int r = bt_dir_lookup(exported->copy.store, &to->digest, entry->name, entry->name_length, &page, &found,
				      &error);
		if (r && entry->type == BT_DIR) {
			error = (struct bt_error){0};
			continue; /* had no files */
		}
		assert_int_equal(r, 0);
		assert_int_equal(found->type, entry->type);
		if (entry->type == BT_DIR) {
			compare_files(exported, entry, found, count);
		} else {
			assert_int_equal(found->size, entry->size);
			assert_memory_equal(&found->digest, &entry->digest, sizeof(entry->digest));
			++*count;
		}
		bt_page_put(exported->copy.store, page);
	}
	bt_dir_free(dir);
}

static void test_round_trip(void **state)
{
	struct exported exported;
	unsigned count = 0;
	char path[256];

	begin(&exported);
	fill(&exported.world);
	put_text(&exported.world, "docs/\xff\xfe\xe6\x97 raw", "raw");
	put_text(&exported.world, "docs/\xed\xa0\x80 surrogate", "raw");
	world_snap(&exported.world);
	assert_int_equal(export_now(&exported), 0);
	struct bt_snapshot *copy = open_copy(&exported);
	const struct bt_snapshot_info *info = bt_snapshot_info(copy);
	struct bt_snapshot *original = world_snapshot(&exported.world, exported.world.result.name);
	assert_string_equal(info->target, "source");
	assert_true(info->classic);
	assert_int_equal(info->files, 11);
	assert_int_equal(info->errors, 0);
	/* To the second, in the zone of this process. */
	assert_int_equal(info->time.seconds, bt_snapshot_info(original)->time.seconds);
	compare_files(&exported, &bt_snapshot_info(original)->root, &info->root, &count);
	assert_int_equal(count, 11);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		const struct bt_page *page;
		const struct bt_entry *entry;
		struct bt_error error = {0};

		assert_int_equal(bt_path_lookup(exported.copy.store, &info->root, files[i], &page, &entry, &error), 0);
		snprintf(path, sizeof(path), "%s/%s", exported.world.source, files[i]);
		compare_content(exported.copy.store, path, entry);
		bt_page_put(exported.copy.store, page);
	}
	bt_snapshot_close(original);
	/* And once more: an export of the export is the same, but for the time it is told in. */
	char again[200];
	snprintf(again, sizeof(again), "%s/again.json", exported.copy.base);
	assert_int_equal(bt_export_classic(exported.copy.store, copy, again, false, NULL, NULL, NULL), 0);
	char *one = read_text(exported.path), *two = read_text(again);
	assert_string_equal(one, two);
	free(one);
	free(two);
	bt_snapshot_close(copy);
	end(&exported);
}

static void test_exists(void **state)
{
	struct exported exported;

	begin(&exported);
	put_text(&exported.world, "a", "a");
	world_snap(&exported.world);
	write_file(exported.path, "mine", 4);
	assert_int_equal(export_now(&exported), BT_E_EXISTS);
	char *text = read_text(exported.path);
	assert_string_equal(text, "mine");
	free(text);
	snprintf(exported.path, sizeof(exported.path), "%s/none/x.json", exported.copy.base);
	assert_int_equal(export_now(&exported), BT_E_SYSTEM);
	assert_int_equal(exported.error.sys, ENOENT);
	snprintf(exported.path, sizeof(exported.path), "%s/", exported.copy.base);
	assert_int_equal(export_now(&exported), BT_E_INVALID);
	end(&exported);
}

static void test_empty(void **state)
{
	struct exported exported;

	begin(&exported);
	world_snap(&exported.world);
	assert_int_equal(export_now(&exported), 0);
	assert_int_equal(exported.left_out, 1);
	struct bt_snapshot *copy = open_copy(&exported);
	assert_int_equal(bt_snapshot_info(copy)->files, 0);
	bt_snapshot_close(copy);
	end(&exported);
}

static void test_cancelled(void **state)
{
	struct exported exported;
	char **names;

	begin(&exported);
	put_text(&exported.world, "a", "a");
	world_snap(&exported.world);
	exported.cancel = true;
	snprintf(exported.path, sizeof(exported.path), "%s/x.json", exported.copy.source);
	assert_int_equal(export_now(&exported), BT_E_CANCELLED);
	assert_int_equal(list_names(exported.copy.source, &names), 0);
	free(names);
	end(&exported);
}

/* A content that cannot be read is left out, and each of its files is named; what was written of it before is taken
 * back. */
static void test_damaged(void **state)
{
	struct exported exported;
	char path[256];
	unsigned char byte;

	begin(&exported);
	put_noise(&exported.world, "a", 1 << 20, 1);
	put_noise(&exported.world, "b", 12 << 20, 2);
	put_noise(&exported.world, "b2", 12 << 20, 2);
	put_noise(&exported.world, "c", 1 << 20, 3);
	world_snap(&exported.world);
	snprintf(path, sizeof(path), "%s/%s", exported.world.store_path, exported.world.result.name);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, &byte, 1, 14 << 20), 1);
	byte = byte == 'A' ? 'B' : 'A';
	assert_int_equal(pwrite(fd, &byte, 1, 14 << 20), 1);
	close(fd);
	world_open_store(&exported.world);
	assert_int_equal(export_now(&exported), BT_E_INCOMPLETE);
	assert_int_equal(exported.problems, 2);
	assert_string_equal(exported.problem_paths, "source/b\nsource/b2\n");
	struct bt_snapshot *copy = open_copy(&exported);
	const struct bt_snapshot_info *info = bt_snapshot_info(copy);
	assert_int_equal(info->files, 4);
	assert_int_equal(info->errors, 2);
	assert_int_equal(info->directory_size, 2 << 20);
	bt_snapshot_close(copy);
	end(&exported);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document), cmocka_unit_test(test_round_trip), cmocka_unit_test(test_exists),
		cmocka_unit_test(test_empty),	 cmocka_unit_test(test_cancelled),  cmocka_unit_test(test_damaged),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
