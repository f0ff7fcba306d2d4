/* SPDX-License-Identifier: MIT */
/* Files of another format, derived when the store is opened. */
#include "store_opened.h"

#define BEGINNING "{\"old\":\""

/* The version 1 file of these tests is this beginning and the Base64 of a content of 30 bytes. */
static int fake_derive(int fd, const char *name, int out, const struct bt_observer *observer, struct bt_error *error)
{
	static const char sections[] = ",\n\"blocks\":[\n],\n\"contents\":[\n";
	char text[4096], hex[65];
	struct bt_digest digest = sample_content_digest(5, 30), sum;
	struct bt_hasher *hasher = bt_hasher_new();

	bt_digest_text(&digest, hex);
	const char *tail = strstr(VOLUME_HEADER, "\"volume\"") + 8;
	int n = snprintf(text, sizeof(text), "%.*s\"classic\"%s%s",
			 (int)(strstr(VOLUME_HEADER, "\"volume\"") - VOLUME_HEADER), VOLUME_HEADER, tail, sections);
	int blocks = n - (int)strlen(sections) + 2, contents = blocks + 14;
	n += snprintf(text + n, sizeof(text) - (size_t)n,
		      "{\"at\":8,\"length\":40,\"size\":30,\"holds\":[[\"%s\",30]]}\n],\n", hex);
	int trees = n;
	n += snprintf(text + n, sizeof(text) - (size_t)n, "\"trees\":[\n],\n");
	int index = n;
	n += snprintf(text + n, sizeof(text) - (size_t)n, "\"tree_index\":[\n],\n");
	int summary = n;
	bt_hasher_start(hasher);
	bt_hasher_add(hasher, text + contents, (size_t)(trees - contents));
	bt_hasher_add(hasher, text + index, (size_t)(summary - index));
	bt_hasher_finish(hasher, &sum);
	bt_digest_text(&sum, hex);
	n += snprintf(
		text + n, sizeof(text) - (size_t)n,
		"\"summary\":{},\n\"end\":{\"blocks\":%d,\"contents\":%d,\"trees\":%d,\"tree_index\":%d,\"summary\":%d,"
		"\"index_sha256\":\"%s\",",
		blocks, contents, trees, index, summary, hex);
	bt_hasher_start(hasher);
	bt_hasher_add(hasher, text, (size_t)blocks);
	bt_hasher_add(hasher, text + summary, (size_t)(n - summary));
	bt_hasher_finish(hasher, &sum);
	bt_digest_text(&sum, hex);
	n += snprintf(text + n, sizeof(text) - (size_t)n, "\"open_sha256\":\"%s\"}}\n", hex);
	bt_hasher_free(hasher);
	return write(out, text, (size_t)n) == n ? 0 : BT_E_SYSTEM;
}

static const struct bt_store_readers fake_readers = {.derive = fake_derive};

static void write_old(const struct sample *sample)
{
	char text[sizeof(BEGINNING) + 40] = BEGINNING;
	unsigned char *data = sample_bytes(5, 30);

	bt_base64_encode(text + strlen(BEGINNING), data, 30);
	free(data);
	sample_write(sample->dirfd, SNAPSHOT, text, strlen(text));
}

static size_t count_cached(const struct sample *sample, const char *pattern)
{
	char command[256];
	size_t count = 0;

	snprintf(command, sizeof(command), "ls %s/cache 2>/dev/null | grep -c '%s'", sample->path, pattern);
	FILE *pipe = popen(command, "r");
	assert_int_equal(fscanf(pipe, "%zu", &count), 1);
	pclose(pipe);
	return count;
}

static void test_derived_file(void **state)
{
	struct sample sample = sample_new();
	struct bt_store *store;
	struct bt_file *file;

	write_old(&sample);
	struct bt_store_options read_only = {.size = sizeof(read_only), .read_only = true};
	assert_int_equal(bt_store_open_with(sample.path, &read_only, &fake_readers, &store, NULL), 0);
	assert_content(store, 5, 30);
	bt_store_close(store);
	assert_int_equal(faccessat(sample.dirfd, "cache", F_OK, 0), -1);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(bt_store_open_with(sample.path, NULL, &fake_readers, &store, NULL), 0);
		assert_content(store, 5, 30);
		assert_int_equal(bt_store_file(store, 0, &file, NULL), 0);
		assert_int_equal(bt_file_kind(file), BT_KIND_CLASSIC);
		assert_int_equal(bt_file_verify(file, NULL), 0);
		assert_int_equal(bt_store_damaged_count(store), 0);
		bt_store_close(store);
		assert_int_equal(count_cached(&sample, "classic-"), 1);
	}
	/* what is in the cache may be anything */
	char command[256];
	snprintf(command, sizeof(command), "for f in %s/cache/*; do echo nonsense > $f; done", sample.path);
	assert_int_equal(system(command), 0);
	assert_int_equal(bt_store_open_with(sample.path, NULL, &fake_readers, &store, NULL), 0);
	assert_content(store, 5, 30);
	bt_store_close(store);
	/* nor may it lie elsewhere */
	snprintf(command, sizeof(command), "cd %s/cache && for f in *; do mv $f .. && ln -s ../$f $f; done",
		 sample.path);
	assert_int_equal(system(command), 0);
	assert_int_equal(bt_store_open_with(sample.path, NULL, &fake_readers, &store, NULL), 0);
	assert_content(store, 5, 30);
	bt_store_close(store);
	snprintf(command, sizeof(command), "test -z \"$(find %s/cache -name 'classic-*' -type l)\"", sample.path);
	assert_int_equal(system(command), 0);
	/* without knowing version 1 the file is one that cannot be read */
	store = open_store(&sample);
	assert_int_equal(bt_store_survey(store, NULL), 0);
	assert_int_equal(bt_store_damaged_count(store), 1);
	bt_store_close(store);
	sample_free(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_derived_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
