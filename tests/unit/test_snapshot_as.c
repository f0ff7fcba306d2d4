/* SPDX-License-Identifier: MIT */
/* Snapshots of a target that is read somewhere else. */
#include "snapshot_world.h"

static const char *target(struct world *world)
{
	static char text[256];
	struct bt_snapshot *snapshot = world_snapshot(world, world->result.name);

	snprintf(text, sizeof(text), "%s", bt_snapshot_info(snapshot)->target);
	bt_snapshot_close(snapshot);
	return text;
}

static void test_recorded(void **state)
{
	struct world world;
	char first[64];

	world_begin(&world);
	put_text(&world, "a", "a");
	age();
	world.options.as = "/somewhere/else";
	world_snap(&world);
	assert_string_equal(target(&world), "/somewhere/else");
	assert_string_equal(world.result.parent, "");
	strcpy(first, world.result.name);
	world_snap(&world);
	assert_string_equal(world.result.parent, first);
	assert_int_equal(world.result.unchanged, 1);
	world.options.as = NULL;
	world_snap(&world);
	assert_string_equal(world.result.parent, "");
	assert_string_equal(target(&world), world.source);
	world_compare(&world);
	world_end(&world);
}

static void test_refused(void **state)
{
	static const char *const wrong[] = {"",	    "a",   "//",    "/a/", "/a//b",  "/.",
					    "/a/.", "/..", "/../a", "a/b", "/a/../b"};
	static const char *const right[] = {"/", "/a", "/a/b", "/..a", "/a/.b", "/a/b..", "/.../a"};
	struct world world;
	char *long_one = malloc(PATH_MAX + 1);

	world_begin(&world);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		world.options.as = wrong[i];
		assert_int_equal(world_take(&world), BT_E_INVALID);
	}
	memset(long_one, 'a', PATH_MAX);
	long_one[0] = '/';
	long_one[PATH_MAX] = 0;
	world.options.as = long_one;
	assert_int_equal(world_take(&world), BT_E_INVALID);
	long_one[PATH_MAX - 1] = 0;
	assert_int_equal(world_take(&world), 0);
	for (size_t i = 0; i < sizeof(right) / sizeof(*right); i++) {
		world.options.as = right[i];
		assert_int_equal(world_take(&world), 0);
		assert_string_equal(target(&world), right[i]);
	}
	free(long_one);
	world_end(&world);
}

/* The file with other bytes and another inode, of which nothing else tells. */
static void replace(struct world *world, const char *name, const char *text)
{
	struct stat before;
	char path[512];

	snprintf(path, sizeof(path), "%s", in_source(world, name));
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(rename(path, in_source(world, "old")), 0);
	put_text(world, name, text);
	assert_int_equal(unlink(in_source(world, "old")), 0);
	assert_int_equal(chmod(path, before.st_mode & 07777), 0);
	assert_int_equal(utimensat(AT_FDCWD, path, (struct timespec[]){before.st_atim, before.st_mtim}, 0), 0);
}

static void assert_text(struct world *world, const char *name, const char *text)
{
	struct looked looked = look_up(world, name);
	struct bt_hasher *hasher = bt_hasher_new();
	struct bt_digest digest;

	assert_int_equal(bt_hasher_digest(hasher, text, strlen(text), &digest), 0);
	bt_hasher_free(hasher);
	assert_memory_equal(&looked.entry->digest, &digest, sizeof(digest));
	drop_entry(world, &looked);
}

static void test_trust(void **state)
{
	static const struct timespec long_ago[] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	struct world world;

	world_begin(&world);
	put_text(&world, "a", "before");
	put_text(&world, "young", "before");
	assert_int_equal(utimensat(AT_FDCWD, in_source(&world, "a"), long_ago, 0), 0);
	age();
	world_snap(&world);
	replace(&world, "a", "after!");
	world.options.trust_mtime_size = true;
	age();
	world_snap(&world);
	assert_text(&world, "a", "before");
	assert_int_equal(world.result.unchanged, 2);
	/* The trust is not handed on. */
	world.options.trust_mtime_size = false;
	world_snap(&world);
	assert_text(&world, "a", "after!");
	replace(&world, "a", "before");
	world.options.trust_mtime_size = world.options.force = true;
	world_snap(&world);
	assert_text(&world, "a", "before");
	world_end(&world);
}

/* A file that was written at the time of the parent may have been written once more. */
static void test_too_young(void **state)
{
	struct world world;

	world_begin(&world);
	put_text(&world, "a", "before");
	world_snap(&world);
	replace(&world, "a", "after!");
	world.options.trust_mtime_size = true;
	world_snap(&world);
	assert_text(&world, "a", "after!");
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_trust),
		cmocka_unit_test(test_too_young),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
