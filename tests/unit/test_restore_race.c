/* SPDX-License-Identifier: MIT */
/* Somebody changes the target while it is restored to: nothing outside of it may change. */
#include "kernel.h"
#include "restore_world.h"
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define ROUNDS 12

/* Swaps directories of the target with symlinks that lead out, until it is killed. */
static void attack(const struct back *back)
{
	static const char *const names[] = {"a", "a/b", "a/b/c", "file", "a/file", "links"};
	char outside[300], own[300], aside[320];

	snprintf(outside, sizeof(outside), "%s/outside", back->world.base);
	for (unsigned turn = 0;; turn++) {
		snprintf(own, sizeof(own), "%s/%s", back->output, names[turn % 6]);
		snprintf(aside, sizeof(aside), "%s.aside", own);
		if (turn % 12 < 6) {
			if (rename(own, aside) == 0 && symlink(outside, own) != 0)
				rename(aside, own);
		} else {
			unlink(own);
			rename(aside, own);
		}
		if (turn % 16 == 0)
			sched_yield();
	}
}

static void put_outside(const struct back *back)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/outside", back->world.base);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/outside/kept", back->world.base);
	write_file(path, "kept", 4);
	set_times(path, 1000, 0);
	snprintf(path, sizeof(path), "%s/outside", back->world.base);
	set_times(path, 1000, 0);
}

static void expect_untouched(const struct back *back)
{
	char path[400], **names;
	struct stat status;

	snprintf(path, sizeof(path), "%s/outside", back->world.base);
	assert_int_equal(list_names(path, &names), 1);
	assert_string_equal(names[0], "kept");
	free(names[0]);
	free(names);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0755);
	assert_int_equal(status.st_mtim.tv_sec, 1000);
	snprintf(path, sizeof(path), "%s/outside/kept", back->world.base);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mtim.tv_sec, 1000);
	assert_int_equal(status.st_size, 4);
	assert_int_equal(status.st_nlink, 1);
}

static void put_source(struct back *back)
{
	struct world *world = &back->world;
	char name[64];

	put_dir(world, "a");
	put_dir(world, "a/b");
	put_dir(world, "a/b/c");
	put_dir(world, "links");
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "a/b/c/f%d", i);
		put_text(world, name, name);
	}
	put_text(world, "kept", "not kept");
	put_text(world, "a/kept", "not kept");
	put_text(world, "a/b/kept", "not kept");
	put_text(world, "file", "1");
	put_text(world, "a/file", "2");
	put_noise(world, "a/large", 9 * MEGA, 3);
	put_link(back, "a/file", "links/one");
	put_link(back, "a/file", "links/two");
	put_symlink(back, "/etc", "links/etc");
	assert_int_equal(chmod(in_source(world, "a/b"), 0700), 0);
}

static void race(struct back *back, bool delete_extra, enum bt_overwrite overwrite, const char *backup)
{
	const struct bt_observer quiet = {0};
	const struct bt_restore_options options = {.size = sizeof(options),
						   .delete_extra = delete_extra,
						   .overwrite = overwrite,
						   .backup = backup,
						   .threads = 2};
	struct bt_snapshot *snapshot;
	struct bt_error error = {0};
	pid_t attacker = fork();

	assert_true(attacker >= 0);
	if (!attacker) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		attack(back);
	}
	assert_int_equal(bt_snapshot_open(back->world.store, back->world.result.name, &snapshot, &error), 0);
	bt_restore(back->world.store, snapshot, back->output, &options, &quiet, NULL, NULL);
	bt_snapshot_close(snapshot);
	kill(attacker, SIGKILL);
	assert_int_equal(waitpid(attacker, NULL, 0), attacker);
	expect_untouched(back);
}

static int give_away(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	return lchown(path, 65534, 65534);
}

static void test_swapped_for_symlinks(void **state)
{
	struct back back;

	back_begin(&back);
	put_source(&back);
	world_snap(&back.world);
	put_outside(&back);
	for (int round = 0; round < ROUNDS; round++) {
		if (round == ROUNDS / 2 && geteuid() == 0) { /* from here on as an ordinary user */
			nftw(back.world.base, give_away, 64, FTW_PHYS);
			nftw(back.output, give_away, 64, FTW_PHYS);
			assert_int_equal(seteuid(65534), 0);
		}
		race(&back, round % 2, round % 3 ? BT_OVERWRITE_ALWAYS : BT_OVERWRITE_IF_CHANGED,
		     round % 4 > 1 ? ".old" : NULL);
	}
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	back_end(&back);
}

/* In a child, since it stays so. What it finds is its exit status. */
static int confined(struct back *back)
{
	const struct bt_restore_options options = {.size = sizeof(options), .confine = true, .threads = 0};
	struct bt_snapshot *snapshot;
	char path[400];

	if (bt_snapshot_open(back->world.store, back->world.result.name, &snapshot, NULL) ||
	    bt_restore(back->world.store, snapshot, back->output, &options, NULL, NULL, NULL))
		return 1;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 2;
	snprintf(path, sizeof(path), "%s/more", back->output);
	if (open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0)
		return 3;
	if (open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0)
		return 4; /* which is right only where nothing else can be */
	snprintf(path, sizeof(path), "%s/new", back->world.store_path);
	if (open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0)
		return 5;
	snprintf(path, sizeof(path), "%s/%s", back->world.store_path, back->world.result.name);
	if (open(path, O_WRONLY | O_CLOEXEC) >= 0 || unlink(path) == 0)
		return 6;
	return open(path, O_RDONLY | O_CLOEXEC) < 0 ? 7 : 0;
}

static void test_confined(void **state)
{
	struct back back;
	int status;

	if (geteuid() != 0)
		skip();
	back_begin(&back);
	put_everything(&back);
	world_snap(&back.world);
	snprintf(back.output, sizeof(back.output), "%s/again", back.world.base);
	/* with derived data yet to be made */
	char cache[400];
	snprintf(cache, sizeof(cache), "%s/cache", back.world.store_path);
	bt_store_close(back.world.store);
	back.world.store = NULL;
	remove_tree(cache);
	world_open_store(&back.world);
	pid_t child = fork();
	assert_true(child >= 0);
	if (!child)
		_exit(confined(&back));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 4 || kernel_confines())
		assert_int_equal(WEXITSTATUS(status), 0);
	char **names;
	size_t count = list_names(cache, &names);
	assert_true(count > 0); /* it could be written */
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
	char more[400];
	snprintf(more, sizeof(more), "%s/more", back.output);
	unlink(more);
	set_times(back.output, 1700000000, 5);
	same_as_source(&back);
	back_end(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_swapped_for_symlinks),
		cmocka_unit_test(test_confined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
