/* SPDX-License-Identifier: MIT */
/* Publishing, locks and plain input and output. */
#include "base/io.h"
#include "base/lock.h"
#include "base/made.h"
#include "base/publish.h"
#include "model/volume.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
	char path[64];
	int fd;
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	strcpy(place->path, "/tmp/bt-test-XXXXXX");
	if (!mkdtemp(place->path))
		return -1;
	place->fd = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = place;
	return place->fd < 0 ? -1 : 0;
}

/* Counts the entries, and removes them when asked to. */
static int entries(int dirfd, bool remove)
{
	DIR *directory = fdopendir(openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	int count = 0;

	for (struct dirent *entry; (entry = readdir(directory));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		count++;
		if (remove && unlinkat(dirfd, entry->d_name, 0) < 0)
			unlinkat(dirfd, entry->d_name, AT_REMOVEDIR);
	}
	closedir(directory);
	return count;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	entries(place->fd, true);
	close(place->fd);
	rmdir(place->path);
	free(place);
	return 0;
}

static void assert_content(int dirfd, const char *name, const char *content)
{
	char data[64] = {0};
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(bt_read_some(fd, data, sizeof(data) - 1), strlen(content));
	assert_string_equal(data, content);
	close(fd);
}

/* Every fsync of the code under test comes by here (-Wl,--wrap=fsync). */
static struct {
	struct {
		bool directory, named; /* what is synced; "final" was there already */
	} calls[2];		       /* the last two */
	unsigned count;
	int dirfd;
	int fail_file, fail_directory; /* an errno, or 0 */
} syncs;

int __real_fsync(int fd); /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): --wrap wants it */
int __wrap_fsync(int fd); /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

int __wrap_fsync(int fd)
{
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	bool directory = S_ISDIR(st.st_mode);
	int fail = directory ? syncs.fail_directory : syncs.fail_file;
	syncs.calls[syncs.count % 2].directory = directory;
	syncs.calls[syncs.count++ % 2].named = faccessat(syncs.dirfd, "final", F_OK, 0) == 0;
	errno = fail;
	return fail ? -1 : __real_fsync(fd);
}

/* So do linkat, where that which gives an unnamed file its name has flags, renameat2 and getrandom. */
static int fail_link, fail_unnamed, fail_rename, fail_random; /* an errno, or 0 */

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
int __real_linkat(int from, const char *path, int to, const char *name, int flags);
int __wrap_linkat(int from, const char *path, int to, const char *name, int flags);
int __real_renameat2(int from, const char *path, int to, const char *name, unsigned flags);
int __wrap_renameat2(int from, const char *path, int to, const char *name, unsigned flags);
ssize_t __real_getrandom(void *data, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *data, size_t size, unsigned flags);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

int __wrap_linkat(int from, const char *path, int to, const char *name, int flags)
{
	errno = flags ? fail_unnamed : fail_link;
	return errno ? -1 : __real_linkat(from, path, to, name, flags);
}

int __wrap_renameat2(int from, const char *path, int to, const char *name, unsigned flags)
{
	errno = fail_rename;
	return fail_rename ? -1 : __real_renameat2(from, path, to, name, flags);
}

ssize_t __wrap_getrandom(void *data, size_t size, unsigned flags)
{
	errno = fail_random;
	return fail_random ? -1 : __real_getrandom(data, size, flags);
}

typedef int begin_function(struct bt_publish *publish, int dirfd, struct bt_error *error);
static begin_function *const begins[] = {bt_publish_begin, bt_publish_begin_named};

static struct bt_publish begin_with(begin_function *begin, int dirfd, const char *content)
{
	struct bt_publish publish = {0};

	assert_int_equal(begin(&publish, dirfd, NULL), 0);
	assert_int_equal(bt_write_all(publish.fd, content, strlen(content)), 0);
	return publish;
}

static int commit_with(begin_function *begin, int dirfd, int fail_file, int fail_directory)
{
	syncs.count = 0;
	syncs.dirfd = dirfd;
	struct bt_publish publish = begin_with(begin, dirfd, "content");
	syncs.fail_file = fail_file;
	syncs.fail_directory = fail_directory;
	int r = bt_publish_commit(&publish, "final", NULL);
	syncs.fail_file = syncs.fail_directory = 0;
	bt_publish_abort(&publish);
	return r;
}

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

static void *take_names(void *arg)
{
	const struct place *place = arg;
	size_t taken = 0;

	for (int i = 0; i < 200; i++) {
		struct bt_publish publish = begin_with(bt_publish_begin_named, place->fd, "content");
		char name[16];
		snprintf(name, sizeof(name), "name%d", i);
		int r = bt_publish_commit(&publish, name, NULL);
		assert_true(r == 0 || r == BT_E_EXISTS);
		taken += r == 0;
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
	assert_int_equal(bt_make_directory(place->fd, "dir", false), -EEXIST);
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

/* ---- lock ---- */

static int take(struct place *place, enum bt_lock_kind kind, int wait_ms, int *fd)
{
	struct bt_error error = {0};
	int r = bt_lock_take(place->fd, "lock", kind, &(struct bt_lock_wait){.ms = wait_ms}, fd, &error);

	assert_int_equal(error.code, r);
	return r;
}

static void test_lock_kinds(void **state)
{
	int a = -1, b = -1, c = -1;

	assert_int_equal(take(*state, BT_LOCK_SHARED, 0, &a), 0);
	assert_int_equal(take(*state, BT_LOCK_SHARED, 0, &b), 0);
	assert_int_equal(take(*state, BT_LOCK_EXCLUSIVE, 0, &c), BT_E_LOCKED);
	assert_int_equal(take(*state, BT_LOCK_EXCLUSIVE, 30, &c), BT_E_LOCKED);
	assert_int_equal(c, -1);
	close(a);
	close(b);
	assert_int_equal(take(*state, BT_LOCK_EXCLUSIVE, 0, &c), 0);
	assert_int_equal(take(*state, BT_LOCK_EXCLUSIVE, 0, &a), BT_E_LOCKED);
	assert_int_equal(take(*state, BT_LOCK_SHARED, 0, &a), BT_E_LOCKED);
	close(c);
	assert_int_equal(take(*state, BT_LOCK_SHARED, -1, &a), 0);
	close(a);

	struct stat st;
	assert_int_equal(fstatat(((struct place *)*state)->fd, "lock", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
}

static void test_lock_is_no_link(void **state)
{
	struct place *place = *state;
	struct bt_error error = {0};
	int fd = -1;

	assert_int_equal(symlinkat("elsewhere", place->fd, "link"), 0);
	assert_int_equal(bt_lock_take(place->fd, "link", BT_LOCK_SHARED, &(struct bt_lock_wait){0}, &fd, &error),
			 BT_E_SYSTEM);
	assert_int_equal(error.sys, ELOOP);
	assert_int_equal(fd, -1);
}

static void test_lock_dies_with_its_process(void **state)
{
	int ready[2], fd = -1;
	char byte;

	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		if (take(*state, BT_LOCK_EXCLUSIVE, 0, &fd) == 0 && write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(take(*state, BT_LOCK_SHARED, 0, &fd), BT_E_LOCKED);
	kill(child, SIGKILL);
	assert_int_equal(take(*state, BT_LOCK_SHARED, 60000, &fd), 0);
	waitpid(child, NULL, 0);
	close(ready[0]);
	close(fd);
}

static void on_alarm(int signal)
{
}

struct holder {
	pthread_t waiter;
	int fd;
};

static void *interrupt_then_release(void *arg)
{
	struct holder *holder = arg;

	for (int i = 0; i < 5; i++) {
		usleep(2000);
		pthread_kill(holder->waiter, SIGALRM);
	}
	usleep(2000);
	close(holder->fd);
	return NULL;
}

/* Waiting ends when the holder lets go, and signals do not end it before. */
static void check_wait(struct place *place, int wait_ms)
{
	struct holder holder = {pthread_self(), -1};
	int fd = -1;
	pthread_t thread;

	assert_int_equal(take(place, BT_LOCK_SHARED, 0, &holder.fd), 0);
	assert_int_equal(pthread_create(&thread, NULL, interrupt_then_release, &holder), 0);
	assert_int_equal(take(place, BT_LOCK_EXCLUSIVE, wait_ms, &fd), 0);
	pthread_join(thread, NULL);
	close(fd);
}

static void test_lock_waits(void **state)
{
	struct sigaction action = {.sa_handler = on_alarm}, before; /* without SA_RESTART */

	sigaction(SIGALRM, &action, &before);
	check_wait(*state, 60000);
	check_wait(*state, -1);
	sigaction(SIGALRM, &before, NULL);
}

/* ---- io ---- */

enum { LARGE = 1 << 20 };

static void *write_large(void *arg)
{
	static unsigned char data[LARGE];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 31 >> 3);
	int r = bt_write_all(*(int *)arg, data, sizeof(data));
	close(*(int *)arg);
	return r == 0 ? arg : NULL;
}

static void test_short_transfers(void **state)
{
	static unsigned char data[LARGE + 10];
	pthread_t thread;
	void *ok;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(pthread_create(&thread, NULL, write_large, &ends[1]), 0);
	assert_int_equal(bt_read_some(ends[0], data, sizeof(data)), LARGE); /* the pipe gives 64 KiB at most */
	pthread_join(thread, &ok);
	assert_non_null(ok);
	for (size_t i = 0; i < LARGE; i++)
		assert_int_equal(data[i], (unsigned char)(i * 31 >> 3));
	close(ends[0]);
}

static void test_positions(void **state)
{
	struct place *place = *state;
	int fd = bt_openat(place->fd, "f", O_RDWR | O_CREAT, 0600);
	char data[8] = {0};

	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(bt_pwrite_all(fd, "abcdef", 6, 3), 0);
	assert_int_equal(bt_pread_some(fd, data, 8, 5), 4);
	assert_memory_equal(data, "cdef", 4);
	assert_int_equal(bt_pread_some(fd, data, 8, 9), 0);
	assert_int_equal(bt_pread_some(fd, data, 8, UINT64_MAX - 3), -EINVAL);
	assert_int_equal(bt_pread_some(fd, data, 8, INT64_MAX), -EINVAL);
	assert_int_equal(bt_pwrite_all(fd, data, 8, INT64_MAX), -EFBIG);
	errno = ENOTTY;
	bt_close(&fd);
	assert_int_equal(fd, -1);
	bt_close(&fd);
	assert_int_equal(errno, ENOTTY);
	assert_int_equal(bt_openat(place->fd, "missing", O_RDONLY, 0), -ENOENT);
	assert_int_equal(bt_read_some(-1, data, 1), -EBADF);
	assert_int_equal(bt_write_all(-1, data, 1), -EBADF);
	assert_int_equal(bt_pread_some(-1, data, 1, 0), -EBADF);
	assert_int_equal(bt_pwrite_all(-1, data, 1, 0), -EBADF);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(test_durable),
		IN_PLACE(test_commit),
		IN_PLACE(test_name_taken),
		IN_PLACE(test_abort),
		IN_PLACE(test_replace),
		IN_PLACE(test_link_instead_of_rename),
		IN_PLACE(test_one_gets_the_name),
		IN_PLACE(test_unnamed_without_links),
		IN_PLACE(test_umask),
		IN_PLACE(test_owner),
		IN_PLACE(test_no_random_numbers),
		IN_PLACE(test_nowhere_to_write),
		IN_PLACE(test_twin),
		IN_PLACE(test_sweep),
		IN_PLACE(test_sweep_of_what_is_written),
		IN_PLACE(test_lock_kinds),
		IN_PLACE(test_lock_is_no_link),
		IN_PLACE(test_lock_dies_with_its_process),
		IN_PLACE(test_lock_waits),
		cmocka_unit_test(test_short_transfers),
		IN_PLACE(test_positions),
	};

	return cmocka_run_group_tests_name("publish", tests, NULL, NULL);
}
