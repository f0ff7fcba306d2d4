/* SPDX-License-Identifier: MIT */
/* Whose a published file is, what it is called, and what sweeps up after those that were not. */
#include "publish_faults.h"

#include "base/io.h"
#include "base/lock.h"
#include "base/made.h"
#include "store/store.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void test_umask(void **state)
{
	struct place *place = *state;
	struct stat st;
	mode_t before = umask(0777);

	for (size_t i = 0; i < 2; i++) {
		struct bt_publish publish = begin_with(begins[i], place->fd, "x");

		assert_int_equal(bt_publish_commit(&publish, "a", NULL), 0);
		close(publish.fd);
		assert_int_equal(fstatat(place->fd, "a", &st, 0), 0);
		assert_int_equal(st.st_mode, S_IFREG | 0600);
		assert_int_equal(unlinkat(place->fd, "a", 0), 0);
	}
	int fd = bt_open_subdirectory(place->fd, "dir");
	umask(before);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	close(fd);
	assert_int_equal(bt_make_directory(place->fd, "dir", 0700, false), -EEXIST);
	assert_int_equal(entries(place->fd, true), 1);
}

/* What root makes in somebody's store is his; a file that root makes elsewhere is root's. */
static void test_owner(void **state)
{
	struct place *place = *state;
	struct bt_publish publish;
	struct stat st;
	int lock, dir;

	if (geteuid() != 0)
		skip();
	assert_int_equal(fchown(place->fd, 1234, 2345), 0);
	dir = bt_open_subdirectory(place->fd, "dir");
	assert_int_equal(fstat(dir, &st), 0);
	assert_true(st.st_uid == 1234 && st.st_gid == 2345);
	for (size_t i = 0; i < 3; i++) {
		fail_unnamed = i == 2 ? EPERM : 0;
		assert_int_equal((i ? bt_publish_begin_in_store : bt_publish_begin)(&publish, dir, NULL), 0);
		assert_int_equal(bt_publish_commit(&publish, "a", NULL), 0);
		close(publish.fd);
		assert_int_equal(fstatat(dir, "a", &st, 0), 0);
		assert_true(st.st_uid == (i ? 1234 : 0));
		assert_true(st.st_gid == (i ? 2345 : 0));
		assert_int_equal(unlinkat(dir, "a", 0), 0);
	}
	fail_unnamed = 0;
	assert_int_equal(bt_lock_take(place->fd, "lock", BT_LOCK_SHARED, &(struct bt_lock_wait){0}, &lock, NULL), 0);
	assert_int_equal(fstat(lock, &st), 0);
	assert_true(st.st_uid == 1234 && st.st_gid == 2345);
	close(lock);
	/* what was there before is not given away */
	assert_int_equal(fchownat(place->fd, "lock", 0, 0, 0), 0);
	assert_int_equal(bt_lock_take(place->fd, "lock", BT_LOCK_SHARED, &(struct bt_lock_wait){0}, &lock, NULL), 0);
	assert_int_equal(fstat(lock, &st), 0);
	assert_int_equal(st.st_uid, 0);
	close(lock);
	close(dir);
	assert_int_equal(fchown(place->fd, 0, 0), 0);
}

static void test_no_random_numbers(void **state)
{
	struct bt_error error = {0};
	char name[48], again[48];

	fail_random = ENOSYS;
	assert_int_equal(bt_volume_name(name, &error), BT_E_SYSTEM);
	assert_int_equal(error.sys, ENOSYS);
	fail_random = 0;
	assert_int_equal(bt_volume_name(name, NULL), 0);
	assert_int_equal(bt_volume_name(again, NULL), 0);
	assert_string_not_equal(name, again);
}

static bool equal_files(int dirfd, const char *one, const char *two)
{
	unsigned char data[2][1024];
	int fds[2] = {openat(dirfd, one, O_RDONLY | O_CLOEXEC), openat(dirfd, two, O_RDONLY | O_CLOEXEC)};
	bool equal = fds[0] >= 0 && fds[1] >= 0;
	ssize_t n = 1;

	while (equal && n > 0) {
		n = bt_read_some(fds[0], data[0], sizeof(data[0]));
		equal = bt_read_some(fds[1], data[1], sizeof(data[1])) == n && !memcmp(data[0], data[1], (size_t)n);
	}
	close(fds[0]);
	close(fds[1]);
	return equal;
}

/* A hard link, or a copy where there are none. */
static void test_twin(void **state)
{
	static const int without_links[] = {0, EPERM, EOPNOTSUPP, EIO};
	struct place *place = *state;
	struct stat one, two;
	int fd = openat(place->fd, "one", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	for (uint32_t i = 0; i < 300000; i++) /* more than is copied at a time */
		assert_int_equal(bt_write_all(fd, &i, sizeof(i)), 0);
	close(fd);
	for (size_t i = 0; i < sizeof(without_links) / sizeof(without_links[0]); i++) {
		fail_link = without_links[i];
		assert_int_equal(bt_publish_twin(place->fd, "one", place->fd, "two", NULL), 0);
		assert_int_equal(bt_publish_twin(place->fd, "one", place->fd, "two", NULL), BT_E_EXISTS);
		assert_int_equal(fstatat(place->fd, "one", &one, 0), 0);
		assert_int_equal(fstatat(place->fd, "two", &two, 0), 0);
		assert_int_equal(one.st_ino == two.st_ino, !fail_link);
		assert_true(equal_files(place->fd, "one", "two"));
		assert_int_equal(unlinkat(place->fd, "two", 0), 0);
	}
	fail_link = EACCES;
	assert_int_equal(bt_publish_twin(place->fd, "one", place->fd, "two", NULL), BT_E_SYSTEM);
	fail_link = 0;
	assert_int_equal(entries(place->fd, false), 1);
}

static void test_nowhere_to_write(void **state)
{
	int proc = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct bt_publish publish = {.fd = 77};
	struct bt_error error = {0};

	assert_int_equal(bt_publish_begin(&publish, proc, &error), BT_E_SYSTEM);
	assert_int_not_equal(error.sys, 0);
	assert_int_equal(publish.fd, 77);
	close(proc);
}

static void set_age(int fd, time_t age)
{
	struct timespec times[2] = {{.tv_sec = time(NULL) - age}, {.tv_sec = time(NULL) - age}};

	assert_int_equal(futimens(fd, times), 0);
}

static void make_old(int dirfd, const char *name, time_t age)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	set_age(fd, age);
	close(fd);
}

static void test_sweep(void **state)
{
	static const char *const kept[] = {".tmp-0123456789abcdef0", ".tmp-0123456789abcde", ".tmp-0123456789abcdeF",
					   "tmp-00123456789abcdef",  ".tmp-retagge",	     ".tmp-",
					   "snapshot.json"};
	const int others = sizeof(kept) / sizeof(kept[0]) + 1;
	const struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	struct place *place = *state;

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		make_old(place->fd, kept[i], 1000000);
	make_old(place->fd, ".tmp-0123456789abcdef", 25 * 3600);
	make_old(place->fd, ".tmp-fedcba9876543210", 23 * 3600);
	make_old(place->fd, ".tmp-retagged", 25 * 3600);
	make_old(place->fd, ".tmp-repaired", 23 * 3600);
	assert_int_equal(symlinkat("x", place->fd, ".tmp-aaaaaaaaaaaaaaaa"), 0); /* not one of ours */
	assert_int_equal(utimensat(place->fd, ".tmp-aaaaaaaaaaaaaaaa", old, AT_SYMLINK_NOFOLLOW), 0);
	bt_publish_sweep(place->fd, false);
	assert_int_equal(faccessat(place->fd, ".tmp-0123456789abcdef", F_OK, 0), -1);
	assert_int_equal(faccessat(place->fd, ".tmp-fedcba9876543210", F_OK, 0), 0);
	assert_int_equal(faccessat(place->fd, ".tmp-retagged", F_OK, 0), -1);
	assert_int_equal(entries(place->fd, false), others + 2);
	bt_publish_sweep(place->fd, true);
	assert_int_equal(entries(place->fd, false), others);
	bt_publish_sweep(-1, false);
}

/* However long nothing was added to it. */
static void test_sweep_of_what_is_written(void **state)
{
	struct place *place = *state;
	struct bt_publish publish = begin_with(bt_publish_begin_named, place->fd, "x");

	for (int alone = 0; alone < 2; alone++) {
		set_age(publish.fd, 1000000);
		bt_publish_sweep(place->fd, alone);
		assert_int_equal(entries(place->fd, false), 1);
	}
	assert_int_equal(bt_publish_commit(&publish, "a", NULL), 0);
	close(publish.fd);
	publish = begin_with(bt_publish_begin_named, place->fd, "y");
	set_age(publish.fd, 1000000);
	close(publish.fd); /* as a killed program leaves it */
	bt_publish_sweep(place->fd, false);
	assert_int_equal(entries(place->fd, false), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(test_umask),
		IN_PLACE(test_owner),
		IN_PLACE(test_no_random_numbers),
		IN_PLACE(test_nowhere_to_write),
		IN_PLACE(test_twin),
		IN_PLACE(test_sweep),
		IN_PLACE(test_sweep_of_what_is_written),
	};

	return cmocka_run_group_tests_name("publish", tests, NULL, NULL);
}
