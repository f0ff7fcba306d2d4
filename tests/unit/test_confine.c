/* SPDX-License-Identifier: MIT */
/* What a confined process can still do: each case in a child, which cannot go back. */
#include "kernel.h"
#include <backuptool/confine.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

enum verdict { FINE, WRONG, NOT_CONFINED };

/* Three directories with a file each, held open. */
struct places {
	char top[64];
	int readable, writable, other;
};

static int open_place(const char *top, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	assert_int_equal(mkdir(path, 0700), 0);
	int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	int file = openat(dir, "file", O_WRONLY | O_CREAT, 0600);
	assert_true(file >= 0);
	assert_int_equal(write(file, "x", 1), 1);
	assert_int_equal(fchmod(file, 0700), 0);
	close(file);
	assert_int_equal(mkdirat(dir, "empty", 0700), 0);
	(void)!mknodat(dir, "device", S_IFCHR | 0600, makedev(1, 5)); /* only root can */
	return dir;
}

static int setup(void **state)
{
	struct places *places = calloc(1, sizeof(*places));

	strcpy(places->top, "/tmp/test_confine_XXXXXX");
	assert_non_null(mkdtemp(places->top));
	places->readable = open_place(places->top, "readable");
	places->writable = open_place(places->top, "writable");
	places->other = open_place(places->top, "other");
	*state = places;
	return 0;
}

static int teardown(void **state)
{
	struct places *places = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", places->top);
	assert_int_equal(system(command), 0);
	close(places->readable);
	close(places->writable);
	close(places->other);
	free(places);
	return 0;
}

static bool opens(int dir, const char *name, int flags)
{
	int fd = openat(dir, name, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool is_barred(int dir, const char *name, int flags)
{
	errno = 0;
	return !opens(dir, name, flags) && errno == EACCES;
}

static bool reads_only(const struct places *places)
{
	return opens(places->readable, "file", O_RDONLY) && opens(places->readable, ".", O_RDONLY | O_DIRECTORY) &&
	       is_barred(places->readable, "file", O_WRONLY) &&
	       is_barred(places->readable, "new", O_WRONLY | O_CREAT) && unlinkat(places->readable, "file", 0) != 0;
}

static bool writes(const struct places *places)
{
	return opens(places->writable, "new", O_WRONLY | O_CREAT) && opens(places->writable, "new", O_RDONLY) &&
	       opens(places->writable, "new", O_WRONLY | O_TRUNC) && mkdirat(places->writable, "sub", 0700) == 0 &&
	       renameat(places->writable, "new", places->writable, "sub/moved") == 0 &&
	       symlinkat("x", places->writable, "link") == 0 && unlinkat(places->writable, "sub/moved", 0) == 0;
}

static bool has_nothing_else(const struct places *places)
{
	return is_barred(places->other, "file", O_RDONLY) && is_barred(places->other, "file", O_WRONLY) &&
	       is_barred(places->other, ".", O_RDONLY | O_DIRECTORY) && is_barred(AT_FDCWD, "/etc/passwd", O_RDONLY) &&
	       renameat(places->writable, "file", places->other, "out") != 0 && execl("/bin/true", "true", NULL) != 0;
}

/* Nothing of any kind is made there, or removed, or cut. */
static bool is_unchangeable(const struct places *places, const char *name, int dir)
{
	static const mode_t kinds[] = {S_IFREG, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK};
	char path[128];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (mknodat(dir, "new", kinds[i] | 0600, makedev(1, 5)) == 0 || errno != EACCES)
			return false;
	if (mkdirat(dir, "new", 0700) == 0 || errno != EACCES || symlinkat("x", dir, "new") == 0 || errno != EACCES ||
	    unlinkat(dir, "file", 0) == 0 || errno != EACCES || unlinkat(dir, "empty", AT_REMOVEDIR) == 0 ||
	    errno != EACCES)
		return false;
	snprintf(path, sizeof(path), "%s/%s/file", places->top, name);
	return kernel_landlock() < 3 || (truncate(path, 0) != 0 && errno == EACCES);
}

static bool changes_nothing_else(const struct places *places)
{
	return is_unchangeable(places, "readable", places->readable) && is_unchangeable(places, "other", places->other);
}

/* As if it were a program: it is none, so that only a refusal to look gives EACCES. */
static bool runs(int dir)
{
	char name[] = "file";
	char *const arguments[] = {name, NULL}, *const environment[] = {NULL};

	errno = 0;
	return execveat(dir, name, arguments, environment, 0) == 0 || errno != EACCES;
}

static bool runs_nothing(const struct places *places)
{
	return !runs(places->readable) && !runs(places->writable) && !runs(places->other);
}

/* What only a device has, whoever may read and write it. */
static bool controls(int dir)
{
	struct termios state;
	int fd = openat(dir, "device", O_RDONLY | O_CLOEXEC);
	bool barred = fd < 0 || (ioctl(fd, TCGETS, &state) != 0 && errno == EACCES);

	if (fd >= 0)
		close(fd);
	return !barred;
}

static bool controls_nothing(const struct places *places)
{
	return kernel_landlock() < 5 || (!controls(places->readable) && !controls(places->writable));
}

static enum verdict confine(const struct places *places, bool (*holds)(const struct places *))
{
	const struct bt_confinement limits = {
		.readable = &places->readable, .readable_count = 1, .writable = &places->writable, .writable_count = 1};
	struct bt_error error = {0};
	bool confined = false;

	if (bt_confine(&limits, &confined, &error) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return WRONG;
	if (!confined)
		return NOT_CONFINED;
	return holds(places) ? FINE : WRONG;
}

static void expect(const struct places *places, bool (*holds)(const struct places *))
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(confine(places, holds));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NOT_CONFINED && !kernel_confines())
		skip();
	assert_int_equal(WEXITSTATUS(status), FINE);
}

static void test_reads(void **state)
{
	expect(*state, reads_only);
}

static void test_writes(void **state)
{
	expect(*state, writes);
}

static void test_the_rest(void **state)
{
	expect(*state, has_nothing_else);
}

static void test_changes(void **state)
{
	expect(*state, changes_nothing_else);
}

static void test_programs(void **state)
{
	if (!runs(((struct places *)*state)->readable))
		skip(); /* nor could anybody else */
	expect(*state, runs_nothing);
}

static void test_devices(void **state)
{
	expect(*state, controls_nothing);
}

/* A descriptor that is no directory at all is an error, and says so. */
static bool refuses_nonsense(const struct places *places)
{
	int nothing = -1;
	struct bt_error error = {0};

	return bt_confine(&(struct bt_confinement){.readable = &nothing, .readable_count = 1}, NULL, &error) ==
		       BT_E_SYSTEM &&
	       error.sys == EBADF;
}

static void test_nonsense(void **state)
{
	expect(*state, refuses_nonsense);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_rest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_programs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_devices, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nonsense, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
