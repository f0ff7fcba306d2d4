/* SPDX-License-Identifier: MIT */
/* A file is published whole and durable, or not at all. */
#include "publish_faults.h"

#include "base/io.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The file is durable before it has its name, and the name before anybody is told; else there is no name. */
static void test_durable(void **state)
{
	const struct place *place = *state;

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(commit_with(begins[i], place->fd, 0, 0), 0);
		assert_int_equal(syncs.count, 2);
		assert_true(!syncs.calls[0].directory && !syncs.calls[0].named);
		assert_true(syncs.calls[1].directory && syncs.calls[1].named);
		assert_content(place->fd, "final", "content");
		assert_int_equal(unlinkat(place->fd, "final", 0), 0);
		assert_int_equal(commit_with(begins[i], place->fd, EIO, 0), BT_E_SYSTEM);
		assert_int_equal(entries(place->fd, false), 0);
		assert_int_equal(commit_with(begins[i], place->fd, 0, EIO), BT_E_SYSTEM);
		assert_int_equal(entries(place->fd, false), 0);
		for (size_t k = 0; k < 3; k++) { /* it cannot be synced */
			assert_int_equal(commit_with(begins[i], place->fd, 0, (int[]){EINVAL, EOPNOTSUPP, ENOSYS}[k]),
					 0);
			assert_int_equal(unlinkat(place->fd, "final", 0), 0);
		}
	}
}

static void test_commit(void **state)
{
	struct place *place = *state;

	for (size_t i = 0; i < 2; i++) {
		struct bt_publish publish = begin_with(begins[i], place->fd, "new");
		char byte;
		struct stat st;

		assert_int_equal(faccessat(place->fd, "a", F_OK, 0), -1);
		assert_int_equal(bt_publish_commit(&publish, "a", NULL), 0);
		assert_content(place->fd, "a", "new");
		assert_int_equal(fstatat(place->fd, "a", &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(st.st_mode, S_IFREG | 0600);
		assert_int_equal(st.st_nlink, 1);
		assert_int_equal(bt_pread_some(publish.fd, &byte, 1, 1), 1); /* still open */
		assert_int_equal(byte, 'e');
		close(publish.fd);
		assert_int_equal(entries(place->fd, true), 1);
	}
}

static void test_name_taken(void **state)
{
	struct place *place = *state;

	for (size_t i = 0; i < 2; i++) {
		struct bt_publish first = begin_with(begins[i], place->fd, "first");

		assert_int_equal(bt_publish_commit(&first, "a", NULL), 0);
		close(first.fd);
		assert_int_equal(symlinkat("nowhere", place->fd, "link"), 0);
		assert_int_equal(mkdirat(place->fd, "dir", 0700), 0);

		struct bt_publish second = begin_with(begins[i], place->fd, "second");
		struct bt_error error = {0};
		assert_int_equal(bt_publish_commit(&second, "a", &error), BT_E_EXISTS);
		assert_int_equal(error.code, BT_E_EXISTS);
		assert_string_equal(error.file, "a");
		assert_int_equal(bt_publish_commit(&second, "link", NULL), BT_E_EXISTS);
		assert_int_equal(bt_publish_commit(&second, "dir", NULL), BT_E_EXISTS);
		assert_content(place->fd, "a", "first");
		assert_int_equal(bt_publish_commit(&second, "b", NULL), 0);
		assert_content(place->fd, "b", "second");
		close(second.fd);
		assert_int_equal(entries(place->fd, true), 4);
	}
}

static void test_abort(void **state)
{
	struct place *place = *state;

	for (size_t i = 0; i < 2; i++) {
		struct bt_publish publish = begin_with(begins[i], place->fd, "x");

		assert_int_equal(entries(place->fd, false), i); /* only the second way has a name */
		assert_int_equal(publish.temp[0] != 0, i);
		bt_publish_abort(&publish);
		assert_int_equal(publish.fd, -1);
		assert_int_equal(entries(place->fd, false), 0);
	}
}

static void test_replace(void **state)
{
	struct place *place = *state;

	for (size_t i = 0; i < 2; i++) {
		for (int n = 0; n < 3; n++) {
			char content[] = {(char)('0' + n), 0};
			struct bt_publish publish = begin_with(begins[i], place->fd, content);

			assert_int_equal(bt_publish_replace(&publish, "a", NULL), 0);
			assert_content(place->fd, "a", content);
			bt_publish_abort(&publish); /* only closes now */
			assert_int_equal(entries(place->fd, false), 1);
		}
		assert_int_equal(mkdirat(place->fd, "dir", 0700), 0);
		struct bt_publish publish = begin_with(begins[i], place->fd, "x");
		assert_int_equal(bt_publish_replace(&publish, "dir", NULL), BT_E_SYSTEM);
		bt_publish_abort(&publish);
		assert_int_equal(entries(place->fd, true), 2);
	}
}

static void test_link_instead_of_rename(void **state)
{
	struct place *place = *state;

	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < 3; k++) { /* links, none, none of the kernel's knowledge */
			fail_rename = i ? ENOSYS : EINVAL;
			fail_link = (int[]){0, EPERM, ENOSYS}[k];
			struct bt_publish publish = begin_with(bt_publish_begin_named, place->fd, "one");
			assert_int_equal(bt_publish_commit(&publish, "a", NULL), 0);
			assert_content(place->fd, "a", "one");
			assert_int_equal(entries(place->fd, false), 1);
			close(publish.fd);
			publish = begin_with(bt_publish_begin_named, place->fd, "two");
			assert_int_equal(bt_publish_commit(&publish, "a", NULL), BT_E_EXISTS);
			assert_content(place->fd, "a", "one");
			bt_publish_abort(&publish);
			assert_int_equal(entries(place->fd, true), 1);
		}
	}
	fail_rename = fail_link = 0;
}

static void test_link_and_no_unlink(void **state)
{
	struct place *place = *state;

	fail_rename = EINVAL;
	for (size_t i = 0; i < 2; i++) {
		struct bt_publish publish = begin_with(bt_publish_begin_named, place->fd, "one");

		fail_unlink = i ? ENOENT : EIO; /* the temporary name stays; others took it away */
		assert_int_equal(bt_publish_commit(&publish, "a", NULL), i ? 0 : BT_E_SYSTEM);
		assert_int_equal(entries(place->fd, false), 1);
		bt_publish_abort(&publish);
		assert_int_equal(entries(place->fd, true), i);
	}
	fail_rename = 0;
}

static void *take_names(void *arg)
{
	const struct place *place = arg;
	size_t taken = 0;

	for (int i = 0; i < 200; i++) {
		struct bt_publish publish = begin_with(bt_publish_begin_named, place->fd, "content");
		char name[16];

		snprintf(name, sizeof(name), "name%d", i);
		int r = bt_publish_commit(&publish, name, NULL);
		assert_true(!r || r == BT_E_EXISTS);
		taken += !r;
		bt_publish_abort(&publish);
	}
	return (void *)taken;
}

/* Of several that want one name, one gets it, also where there are no links and every rename replaces. */
static void test_one_gets_the_name(void **state)
{
	struct place *place = *state;
	pthread_t threads[4];
	size_t taken = 0;

	fail_rename = EINVAL;
	fail_link = EPERM;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_names, place), 0);
	for (size_t i = 0; i < 4; i++) {
		void *result;

		assert_int_equal(pthread_join(threads[i], &result), 0);
		taken += (size_t)result;
	}
	fail_rename = fail_link = 0;
	assert_int_equal(entries(place->fd, true), taken);
	assert_true(taken <= 200 && taken > 0);
}

/* What has no name is copied to what has one. */
static void test_unnamed_without_links(void **state)
{
	struct place *place = *state;

	for (size_t k = 0; k < 2; k++) {
		struct bt_publish publish = begin_with(bt_publish_begin, place->fd, "content");
		struct stat st;

		fail_unnamed = fail_link = EPERM;
		fail_rename = k ? EINVAL : 0;
		assert_int_equal(bt_publish_commit(&publish, "a", NULL), 0);
		assert_content(place->fd, "a", "content");
		assert_int_equal(fstat(publish.fd, &st), 0);
		assert_int_equal(st.st_nlink, 1);
		assert_int_equal(st.st_mode & 07777, 0600);
		close(publish.fd);
		publish = begin_with(bt_publish_begin, place->fd, "other");
		assert_int_equal(bt_publish_commit(&publish, "a", NULL), BT_E_EXISTS);
		assert_int_equal(bt_publish_commit(&publish, "b", NULL), 0);
		assert_content(place->fd, "a", "content");
		assert_content(place->fd, "b", "other");
		close(publish.fd);
		assert_int_equal(entries(place->fd, true), 2);
	}
	fail_unnamed = fail_link = fail_rename = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(test_durable),
		IN_PLACE(test_commit),
		IN_PLACE(test_name_taken),
		IN_PLACE(test_abort),
		IN_PLACE(test_replace),
		IN_PLACE(test_link_instead_of_rename),
		IN_PLACE(test_link_and_no_unlink),
		IN_PLACE(test_one_gets_the_name),
		IN_PLACE(test_unnamed_without_links),
	};

	return cmocka_run_group_tests_name("publish", tests, NULL, NULL);
}
