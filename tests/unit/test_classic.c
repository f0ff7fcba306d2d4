/* SPDX-License-Identifier: MIT */
/* Version 1 files as they should be. */
#include "classic_derived.h"
#include <fcntl.h>
#include <time.h>

static char *data_path(const char *name)
{
	char *path = NULL, *here = strdup(__FILE__);

	*strrchr(here, '/') = 0;
	assert_true(asprintf(&path, "%s/../data/classic/%s", here, name) > 0);
	free(here);
	return path;
}

/* The manifest's lines that begin with the snapshot's name, without it. */
static char *manifest_of(const char *snapshot)
{
	char *path = data_path("manifest.txt"), *line = NULL;
	size_t size = 0;
	ssize_t length;
	struct bt_buf out = {0};
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	for (length = getline(&line, &size, file); length > 0; length = getline(&line, &size, file)) {
		size_t skip = strlen(snapshot) + 1;

		if (strncmp(line, snapshot, skip - 1) == 0)
			bt_buf_append(&out, line + skip, (size_t)length - skip);
	}
	bt_buf_append(&out, "", 1);
	fclose(file);
	free(line);
	free(path);
	return (char *)out.data;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted by lines, in place. */
static size_t sort_lines(char *text, char ***ret_lines)
{
	char **lines = NULL;
	size_t count = 0;

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		lines = reallocarray(lines, count + 1, sizeof(*lines));
		lines[count++] = line;
	}
	qsort(lines, count, sizeof(*lines), compare_lines);
	*ret_lines = lines;
	return count;
}

static bool detect(int fd)
{
	struct bt_object *object;

	assert_int_equal(bt_object_of_fd(dup(fd), "old.json", &object, NULL), 0);
	bool is_classic = bt_is_classic(object);
	bt_object_close(object);
	return is_classic;
}

static void test_examples(void **state)
{
	static const char *const names[] = {"snapshot_2026-11-22T11-38-24.json", "snapshot_2026-11-22T11-38-44.json",
					    "snapshot_2026-11-22T11-38-45.json"};

	for (size_t i = 0; i < 3; i++) {
		char *path = data_path(names[i]), **found, **wanted;
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		assert_true(fd >= 0);
		assert_true(detect(fd));
		struct derived derived = derive_fd(fd);
		char *text = listing(&derived), *manifest = manifest_of(names[i]);
		size_t count = sort_lines(text, &found);
		assert_true(count > 30);
		assert_int_equal(count, sort_lines(manifest, &wanted));
		for (size_t k = 0; k < count; k++)
			assert_string_equal(found[k], wanted[k]);
		assert_int_equal(derived.info.files, count);
		assert_int_equal(derived.info.created, count);
		assert_int_equal(derived.info.errors, 0);
		assert_true(derived.info.classic);
		assert_true(bt_file_verify(derived.file, &derived.error) == 0);
		free(found);
		free(wanted);
		free(text);
		free(manifest);
		free(path);
		drop(&derived);
	}
}

static void test_trees(void **state)
{
	assert_listing(WITH(HELLO("docs/a") "," EMPTY("docs/b/c")), "docs", HELLO_DIGEST " a\n" EMPTY_DIGEST " b/c\n");
	assert_listing(WITH(HELLO("../d/a") "," HELLO("../d/b")), "../d", HELLO_DIGEST " a\n" HELLO_DIGEST " b\n");
	assert_listing(WITH(HELLO("/a") "," HELLO("/b/c")), "/", HELLO_DIGEST " a\n" HELLO_DIGEST " b/c\n");
	assert_listing(WITH(HELLO("a") "," HELLO("b/c")), ".", HELLO_DIGEST " a\n" HELLO_DIGEST " b/c\n");
	assert_listing(WITH(HELLO("./a") "," HELLO("./b/c")), ".", HELLO_DIGEST " a\n" HELLO_DIGEST " b/c\n");
	assert_listing(WITH(HELLO("x//y/a") "," HELLO("x//y/b")), "x//y", HELLO_DIGEST " a\n" HELLO_DIGEST " b\n");
	assert_listing(WITH(HELLO("/home/me/only.txt")), "/home/me", HELLO_DIGEST " only.txt\n");
	assert_listing(WITH(""), ".", "");
	/* A common beginning of names is no common directory. */
	assert_listing(WITH(HELLO("d/ab") "," HELLO("d/ac")), "d", HELLO_DIGEST " ab\n" HELLO_DIGEST " ac\n");
	/* Names that sort between a directory's name and its slash. */
	assert_listing(WITH(HELLO("d/a-b") "," HELLO("d/a/x") "," HELLO("d/a.b/x") "," HELLO("d/a0")), "d",
		       HELLO_DIGEST " a/x\n" HELLO_DIGEST " a-b\n" HELLO_DIGEST " a.b/x\n" HELLO_DIGEST " a0\n");
	assert_listing(WITH(HELLO("a/b/c/d/e") "," HELLO("a/b/c2/d/e") "," HELLO("a/b/c/d2")), "a/b",
		       HELLO_DIGEST " c/d/e\n" HELLO_DIGEST " c/d2\n" HELLO_DIGEST " c2/d/e\n");
}

/* Directories of equal contents are one page. */
static void test_equal_directories(void **state)
{
	struct derived derived = derive(WITH(HELLO("a/x/f") "," HELLO("b/x/f") "," HELLO("c/x/f") "," HELLO("c/g")));

	assert_int_equal(derived.result, 0);
	assert_int_equal(derived.page_count, 4); /* x, a and b, c, the root */
	drop(&derived);
}

struct patience {
	unsigned asked, most;
};

static bool is_over(void *arg)
{
	struct patience *patience = arg;

	return patience->asked++ >= patience->most;
}

/* It can be ended wherever it asks. */
static void test_cancelled(void **state)
{
	static const char json[] = WITH(HELLO("a/f") "," HELLO("b/c/f"));
	int r = BT_E_CANCELLED;
	unsigned most;

	for (most = 0; r == BT_E_CANCELLED; most++) {
		struct patience patience = {.most = most};
		struct bt_observer observer = {.arg = &patience, .cancelled = is_over};
		struct bt_error error = {0};
		int source = memory_file(json, sizeof(json) - 1), out = memory_file("", 0);

		r = bt_classic_derive(source, "old.json", out, &observer, &error);
		assert_int_equal(r, error.code);
		close(source);
		close(out);
	}
	assert_int_equal(r, 0);
	assert_in_range(most, 6, 12);
}

static void test_names(void **state)
{
	assert_listing(WITH(HELLO("\\udcff\\udc80") "," HELLO("\\ud83d\\ude00") "," HELLO("\\u00e9\\/x")), ".",
		       HELLO_DIGEST " \xc3\xa9/x\n" HELLO_DIGEST " \xf0\x9f\x98\x80\n" HELLO_DIGEST " \xff\x80\n");
	assert_listing(WITH(HELLO("a\\\"\\\\\\b\\f\\r\\t\\u000a\xc3\xa9") "," HELLO("\\uDCC3x")), ".",
		       HELLO_DIGEST " a\"\\\b\f\r\t\n\xc3\xa9\n" HELLO_DIGEST " \xc3x\n");
}

static void test_order_and_space(void **state)
{
	static const char *const same[] = {
		WITH(HELLO("d/a") "," EMPTY("d/b")),
		"{" CONTENTS "," SIZES ",\"files\":{" EMPTY("d/b") "," HELLO("d/a") "}," STAMP "}",
		" \t\r\n{ \"more\" : [ 1 , -2.5e+3 , true , false , null , \"\\u0000\\n\" , { } , [ ] , {\"a\":[{}]} ] "
		",\n"
		"\"files\":{ " HELLO("d/a") " , \n" EMPTY("d/\\u0062") " } , " STAMP " , " CONTENTS " } \n\n",
	};
	struct bt_digest first = {0};

	for (size_t i = 0; i < 3; i++) {
		struct derived derived = derive(same[i]);

		assert_int_equal(derived.result, 0);
		assert_int_equal(derived.info.time.seconds, 1733047200);
		assert_int_equal(derived.info.directory_size, 5);
		assert_int_equal(derived.info.stored_size, 8);
		assert_int_equal(derived.info.directories, 1);
		assert_string_equal(derived.info.host, "");
		assert_int_equal(derived.info.root.mode, 0755);
		if (i)
			assert_memory_equal(&first, &derived.info.root.digest, sizeof(first));
		first = derived.info.root.digest;
		drop(&derived);
	}
}

static void test_detect(void **state)
{
	static const struct {
		const char *text;
		bool classic;
	} cases[] = {
		{"{\"timestamp\"", true},
		{"{\n    \"timestamp\"", true},
		{" {\"files\"", true},
		{"{\"format\":\"backuptool\",\"version\":2", false},
		{"{\"version\":2", false},
		{"", false},
		{"{", false},
		{"{}", false},
		{"[1]", false},
		{"\xef\xbb\xbf{\"files\"", false},
		{"hello", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int fd = memory_file(cases[i].text, strlen(cases[i].text));

		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(detect(fd), cases[i].classic);
		assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
		close(fd);
	}
}

static void test_many_names(void **state)
{
	struct bt_buf json = {0};
	char line[160];
	size_t count = 5000;

	bt_buf_append(&json, "{" STAMP "," CONTENTS ",\"files\":{", strlen("{" STAMP "," CONTENTS ",\"files\":{"));
	for (size_t i = 0; i < count; i++) {
		/* In no order, in three directories. */
		size_t k = i * 3847 % count;
		int length =
			snprintf(line, sizeof(line), "%s\"r/%zu/f%zu\":\"" HELLO_DIGEST "\"", i ? "," : "", k % 3, k);

		bt_buf_append(&json, line, (size_t)length);
	}
	bt_buf_append(&json, "}}", 3);
	struct derived derived = derive((const char *)json.data);
	char *found = listing(&derived);
	size_t lines = 0;
	for (const char *at = found; (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, count);
	assert_int_equal(derived.info.directories, 4);
	free(found);
	drop(&derived);
	bt_buf_free(&json);
}

static void test_deep(void **state)
{
	struct bt_buf json = {0};

	bt_buf_append(&json, "{" STAMP "," CONTENTS ",\"files\":{\"f\":\"" HELLO_DIGEST "\",\"",
		      strlen("{" STAMP "," CONTENTS ",\"files\":{\"f\":\"" HELLO_DIGEST "\",\""));
	for (int i = 0; i < 3000; i++)
		bt_buf_append(&json, "dd/", 3);
	bt_buf_append(&json, "x\":\"" HELLO_DIGEST "\"}}", strlen("x\":\"" HELLO_DIGEST "\"}}") + 1);
	struct derived derived = derive((const char *)json.data);
	assert_int_equal(derived.result, 0);
	assert_int_equal(derived.info.directories, 3001);
	assert_int_equal(derived.page_count, 3001);
	drop(&derived);
	bt_buf_free(&json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),  cmocka_unit_test(test_trees),
		cmocka_unit_test(test_names),	  cmocka_unit_test(test_order_and_space),
		cmocka_unit_test(test_detect),	  cmocka_unit_test(test_many_names),
		cmocka_unit_test(test_deep),	  cmocka_unit_test(test_equal_directories),
		cmocka_unit_test(test_cancelled),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
