/* SPDX-License-Identifier: MIT */
#include "store_samples.h"
#include <errno.h>

#define ID_FILE "{\"format\":\"backuptool\",\"id\":\"00112233445566778899aabbccddeeff\",\"more\":1}"

static void assert_store(const struct sample *sample, int expected, const char *mark)
{
	struct bt_store *store = NULL;
	int code = bt_store_open_with(sample->path, NULL, NULL, &store, NULL);

	bt_store_close(store);
	if (code != expected)
		fail_msg("%s: %d", mark, code);
}

static int open_with_id(const struct sample *sample, const char *id, bool create, int *ret_sys)
{
	const struct bt_store_options options = {.size = sizeof(options), .create = create, .id = id};
	struct bt_store *store = NULL;
	struct bt_error error = {0};
	int code = bt_store_open_with(sample->path, &options, NULL, &store, &error);

	bt_store_close(store);
	*ret_sys = error.sys;
	return code;
}

static void test_identity(void **state)
{
	static const char other[] = "00112233445566778899aabbccddeeff";
	const struct bt_store_options create = {.size = sizeof(create), .create = true};
	struct sample sample = sample_new();
	struct bt_store *store, *again;
	char id[BT_STORE_ID_SIZE];
	int sys;

	assert_int_equal(open_with_id(&sample, other, true, &sys), BT_E_NO_STORE);
	assert_int_equal(sys, 0);
	assert_int_equal(faccessat(sample.dirfd, "id", F_OK, 0), -1);
	assert_int_equal(bt_store_open_with(sample.path, &create, NULL, &store, NULL), 0);
	assert_true(bt_store_made(store));
	assert_int_equal(strlen(bt_store_id(store)), BT_STORE_ID_SIZE - 1);
	snprintf(id, sizeof(id), "%s", bt_store_id(store));
	assert_int_equal(bt_store_open_with(sample.path, &create, NULL, &again, NULL), 0);
	assert_false(bt_store_made(again));
	assert_string_equal(bt_store_id(again), id);
	bt_store_close(again);
	bt_store_close(store);
	assert_int_equal(open_with_id(&sample, id, true, &sys), 0);
	assert_int_equal(open_with_id(&sample, id, false, &sys), 0);
	assert_int_equal(open_with_id(&sample, other, true, &sys), BT_E_NO_STORE);
	assert_int_equal(sys, ESTALE);
	sample_free(&sample);
}

/* A file of that name may be anything. */
static void test_no_identity(void **state)
{
	static const char *const texts[] = {
		"",
		"id",
		"{\"format\":\"backuptool\",\"id\":\"00112233445566778899aabbccddeef\"}",
		"{\"format\":\"backuptool\",\"id\":\"00112233445566778899aabbccddeeff0\"}",
		"{\"format\":\"backuptool\",\"id\":\"00112233445566778899AABBCCDDEEFF\"}",
		"{\"format\":\"backuptool\",\"id\":\"00112233445566778899aabbccddeeff",
	};
	const struct bt_store_options create = {.size = sizeof(create), .create = true};
	struct sample sample = sample_new();
	struct bt_store *store;
	int sys;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		sample_write(sample.dirfd, "id", texts[i], strlen(texts[i]));
		assert_store(&sample, BT_E_NO_STORE, texts[i]);
		assert_int_equal(bt_store_open_with(sample.path, &create, NULL, &store, NULL), 0);
		assert_string_equal(bt_store_id(store), "");
		bt_store_close(store);
		assert_int_equal(open_with_id(&sample, "00112233445566778899aabbccddeeff", false, &sys), BT_E_DAMAGED);
		assert_int_equal(unlinkat(sample.dirfd, "id", 0), 0);
	}
	assert_int_equal(symlinkat("elsewhere", sample.dirfd, "id"), 0);
	sample_write(sample.dirfd, "elsewhere", ID_FILE, strlen(ID_FILE));
	assert_store(&sample, BT_E_NO_STORE, "symlink");
	assert_int_equal(unlinkat(sample.dirfd, "id", 0), 0);
	assert_int_equal(mkfifoat(sample.dirfd, "id", 0600), 0);
	assert_store(&sample, BT_E_NO_STORE, "fifo");
	assert_int_equal(unlinkat(sample.dirfd, "id", 0), 0);
	sample_write(sample.dirfd, "id", ID_FILE, strlen(ID_FILE));
	assert_store(&sample, 0, "id");
	assert_int_equal(open_with_id(&sample, "00112233445566778899aabbccddeeff", false, &sys), 0);
	sample_free(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_no_identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
