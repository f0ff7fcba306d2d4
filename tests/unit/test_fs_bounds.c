/* SPDX-License-Identifier: MIT */
/* What the driver can still touch when it serves: in a child, which cannot go back. */
#include "bounds.h"
#include "kernel.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum verdict { FINE, WRONG, NOT_CONFINED };

static char top[] = "/tmp/test_fs_bounds_XXXXXX";

static int make_store(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	assert_int_equal(mkdir(path, 0700), 0);
	int store = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(store >= 0);
	close(openat(store, "snapshot.json", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	return store;
}

static bool opens(int dir, const char *name, int flags)
{
	int fd = openat(dir, name, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static enum verdict look(int store, int other)
{
	struct bt_error error = {0};
	time_t now = 1700000000;
	bool zones = access("/usr/share/zoneinfo/Asia/Tokyo", R_OK) == 0;

	if (bounds_confine(store, &error) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return WRONG;
	if (opens(AT_FDCWD, "/etc/passwd", O_RDONLY))
		return NOT_CONFINED;
	bool rest = opens(other, "snapshot.json", O_RDONLY) || opens(store, "snapshot.json", O_WRONLY) ||
		    opens(store, "new", O_WRONLY | O_CREAT) || unlinkat(store, "snapshot.json", 0) == 0;
	bool needed = opens(store, "snapshot.json", O_RDONLY) && opens(store, ".", O_RDONLY | O_DIRECTORY) &&
		      opens(store, "cache/derived", O_WRONLY | O_CREAT) && unlinkat(store, "cache/derived", 0) == 0;
	setenv("TZ", "Asia/Tokyo", 1);
	bool local = !zones || localtime(&now)->tm_gmtoff == 9 * 3600;
	return !rest && needed && local ? FINE : WRONG;
}

static void only_the_store(void **state)
{
	int store = make_store("store"), other = make_store("other"), status;
	pid_t child = fork();

	if (child == 0)
		_exit(look(store, other));
	assert_int_equal(waitpid(child, &status, 0), child);
	close(store);
	close(other);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NOT_CONFINED && !kernel_confines())
		skip();
	assert_int_equal(WEXITSTATUS(status), FINE);
}

static void caches_share_what_is_allowed(void **state)
{
	assert_int_equal(bounds_blocks_cache(0), 16 << 20);
	assert_int_equal(bounds_blocks_cache(1), 8 << 20);
	assert_int_equal(bounds_blocks_cache(100 << 20), 84 << 20);
}

static int set_up(void **state)
{
	return mkdtemp(top) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf '%s'", top);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_store),
		cmocka_unit_test(caches_share_what_is_allowed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
