/* SPDX-License-Identifier: MIT */
/* Other file systems below, and directories that move while they are first looked at. */
#include "watch_pair.h"

#include "watch/private.h"
#include <sched.h>
#include <sys/inotify.h>
#include <sys/mount.h>

static void mounts_below(void **state)
{
	struct pair pair;

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		skip();
	pair_begin(&pair, BT_WATCH_BEST);
	assert_int_equal(mount("tmpfs", at(&pair, "source/d1/sub"), "tmpfs", 0, NULL), 0);
	put(at(&pair, "source/d1/sub/there"), "there");
	step(&pair, BT_DOUBT_MOUNTS);
	put(at(&pair, "source/d1/sub/there"), "more");
	step(&pair, BT_DOUBT_NONE);
	assert_int_equal(pair.watched.changed, 1);
	assert_int_equal(umount(at(&pair, "source/d1/sub")), 0);
	step(&pair, BT_DOUBT_MOUNTS);
	pair_end(&pair);
}

/* A subvolume of btrfs is a file system of its own, too, but no mount: so is one that is in no list of mounts. */

static bool mounts_hidden;

int __real_bt_watch_mounts(int root, char **ret_mounts);
int __wrap_bt_watch_mounts(int root, char **ret_mounts);

int __wrap_bt_watch_mounts(int root, char **ret_mounts)
{
	int r = __real_bt_watch_mounts(root, ret_mounts);

	if (mounts_hidden && !r && *ret_mounts)
		**ret_mounts = '\0';
	return r;
}

static void subvolumes_below(void **state)
{
	struct pair pair;

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		skip();
	mounts_hidden = true;
	pair_begin_at(&pair, BT_WATCH_INOTIFY, memory);
	assert_int_equal(mount("tmpfs", at(&pair, "source/d1/sub"), "tmpfs", 0, NULL), 0);
	dir(at(&pair, "source/d1/sub/in"));
	step(&pair, BT_DOUBT_FIRST);
	for (int i = 0; i < 2; i++) {
		put(at(&pair, "source/d1/sub/in/there"), "there");
		step(&pair, BT_DOUBT_NONE);
		assert_int_equal(pair.watched.created + pair.watched.changed, 1);
	}
	assert_int_equal(rename(at(&pair, "source/d1"), at(&pair, "source/d2/d1")), 0);
	step(&pair, BT_DOUBT_NONE);
	put(at(&pair, "source/d2/d1/sub/in/there"), "there");
	step(&pair, BT_DOUBT_NONE);
	assert_int_equal(pair.watched.changed, 1);
	assert_int_equal(umount(at(&pair, "source/d2/d1/sub")), 0);
	pair_end(&pair);
	mounts_hidden = false;
}

static void another_file_system(void **state)
{
	static const enum bt_doubt doubts[] = {BT_DOUBT_FIRST, BT_DOUBT_FOREIGN, BT_DOUBT_FOREIGN};
	struct bt_watch *watch;

	assert_int_equal(bt_watch_start("/proc/sys/fs", NULL, BT_WATCH_BEST, &watch, NULL), 0);
	for (int i = 0; i < 3; i++) {
		struct bt_changes *changes;

		assert_int_equal(bt_watch_take(watch, i == 2, &changes, NULL), 0);
		assert_int_equal(changes->doubt, doubts[i]);
		memcpy(changes->again->snapshot, "it", sizeof("it"));
		bt_watch_give_back(watch, changes);
	}
	assert_int_equal(bt_watch_kind(watch), BT_WATCH_BEST);
	bt_watch_stop(watch);
}

/* Moved while it is first looked at. */

static struct pair *moving;

int __real_inotify_add_watch(int fd, const char *path, uint32_t mask);
int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask);

/* Between the watch of d0 and its listing d0 becomes d0/sub, which is what is found in it, too. */
int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	struct pair *pair = moving;
	char target[PATH_MAX] = "";
	int id = __real_inotify_add_watch(fd, path, mask);

	if (pair && readlink(path, target, sizeof(target) - 1) > 0 && strstr(target, "/source/d0")) {
		moving = NULL;
		assert_int_equal(rename(at(pair, "source/d0"), at(pair, "outside/d0")), 0);
		dir(at(pair, "source/d0"));
		assert_int_equal(rename(at(pair, "outside/d0"), at(pair, "source/d0/sub")), 0);
	}
	return id;
}

static void moved_below_itself(void **state)
{
	struct pair pair;

	pair_begin_at(&pair, BT_WATCH_INOTIFY, memory);
	moving = &pair;
	take_watched(&pair, false); /* not compared: it comes right behind the changes */
	assert_null(moving);
	step(&pair, BT_DOUBT_LOST);
	step(&pair, BT_DOUBT_NONE);
	pair_end(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_file_system),
		cmocka_unit_test(mounts_below),
		cmocka_unit_test(subvolumes_below),
		cmocka_unit_test(moved_below_itself),
	};

	return cmocka_run_group_tests(tests, pair_alone, NULL);
}
