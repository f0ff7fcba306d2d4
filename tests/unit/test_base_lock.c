/* SPDX-License-Identifier: MIT */
/* Locks, and plain input and output. */
#include "publish_place.h"

#include "base/lock.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

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

/* It becomes the exclusive one where nobody else has it, and the shared one again. */
static void test_lock_is_raised(void **state)
{
	struct place *place = *state;
	int a = -1, b = -1;

	assert_int_equal(take(place, BT_LOCK_RAISABLE, 0, &a), 0);
	assert_int_equal(take(place, BT_LOCK_SHARED, 0, &b), 0);
	assert_int_equal(bt_lock_again(a, BT_LOCK_EXCLUSIVE), -EAGAIN);
	assert_int_equal(bt_lock_again(b, BT_LOCK_EXCLUSIVE), -EBADF);
	close(b);
	assert_int_equal(bt_lock_again(a, BT_LOCK_EXCLUSIVE), 0);
	assert_int_equal(take(place, BT_LOCK_SHARED, 0, &b), BT_E_LOCKED);
	assert_int_equal(bt_lock_again(a, BT_LOCK_SHARED), 0);
	assert_int_equal(take(place, BT_LOCK_SHARED, 0, &b), 0);
	close(a);
	close(b);
	if (geteuid() == 0)
		return;
	assert_int_equal(fchmodat(place->fd, "lock", 0400, 0), 0);
	assert_int_equal(take(place, BT_LOCK_RAISABLE, 0, &a), 0);
	assert_int_equal(bt_lock_again(a, BT_LOCK_EXCLUSIVE), -EBADF);
	close(a);
}

static void test_lock_is_no_link(void **state)
{
	struct place *place = *state;
	struct bt_error error = {0};
	int fd = -1;

	assert_int_equal(symlinkat("elsewhere", place->fd, "link"), 0);
	assert_int_equal(bt_lock_take(place->fd, "link", BT_LOCK_SHARED, &(struct bt_lock_wait){0}, &fd, &error),
			 BT_E_UNSUPPORTED);
	assert_non_null(strstr(error.detail, "it is not a file"));
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
	return r ? NULL : arg;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(test_lock_kinds),	IN_PLACE(test_lock_is_raised),
		IN_PLACE(test_lock_is_no_link), IN_PLACE(test_lock_dies_with_its_process),
		IN_PLACE(test_lock_waits),	cmocka_unit_test(test_short_transfers),
		IN_PLACE(test_positions),
	};

	return cmocka_run_group_tests_name("publish", tests, NULL, NULL);
}
