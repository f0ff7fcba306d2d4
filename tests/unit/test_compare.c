/* SPDX-License-Identifier: MIT */
#include "snapshot_world.h"
#include "view/bounds.h"

#include <backuptool/compare.h>
#include <backuptool/walk.h>

static const char letters[] = "+-MTU";

struct heard {
	char text[8192];
	struct bt_compare_result result;
	bool cancel;
	unsigned problems;
};

static void hear(void *arg, const struct bt_change *change)
{
	struct heard *heard = arg;
	size_t used = strlen(heard->text);

	snprintf(heard->text + used, sizeof(heard->text) - used, "%c%s ", letters[change->kind], change->path);
	assert_int_equal(!change->before, change->kind == BT_CHANGE_ADDED);
	assert_int_equal(!change->after, change->kind == BT_CHANGE_REMOVED);
}

static bool cancelled(void *arg)
{
	return ((struct heard *)arg)->cancel;
}

static void problem(void *arg, const char *path, const struct bt_error *error)
{
	((struct heard *)arg)->problems++;
}

static struct bt_snapshot *open_snapshot(struct world *world, size_t back)
{
	struct bt_snapshot *snapshot;
	size_t count = bt_store_snapshot_count(world->store);
	struct bt_error error = {0};

	assert_int_equal(bt_snapshot_open(world->store, bt_store_snapshot_name(world->store, count - 1 - back),
					  &snapshot, &error),
			 0);
	return snapshot;
}

/* Compares the last two snapshots, or with live the last one and the directory. */
static int compare(struct world *world, bool live, struct heard *heard)
{
	const struct bt_observer observer = {.arg = heard, .cancelled = cancelled, .problem = problem};
	const struct bt_compare_call call = {hear, heard, &observer};
	const struct bt_live now = {.size = sizeof(now), .path = world->source};
	struct bt_snapshot *old, *new = NULL;
	struct bt_error error = {0};
	int r;

	heard->result.size = sizeof(heard->result);
	world_open_store(world);
	old = open_snapshot(world, live ? 0 : 1);
	const struct bt_side before = {world->store, bt_snapshot_info(old), &bt_snapshot_info(old)->root};
	if (live) {
		r = bt_compare_live(&before, &now, &call, &heard->result, &error);
	} else {
		new = open_snapshot(world, 0);
		const struct bt_side after = {world->store, bt_snapshot_info(new), &bt_snapshot_info(new)->root};
		r = bt_compare(&before, &after, &call, &heard->result, &error);
	}
	assert_int_equal(r, error.code);
	bt_snapshot_close(old);
	bt_snapshot_close(new);
	return r;
}

static void change_everything(struct world *world)
{
	put_text(world, "grown", "more than before");
	put_dir(world, "new");
	put_text(world, "new/inside", "x");
	assert_int_equal(chmod(in_source(world, "mode"), 0600), 0);
	assert_int_equal(unlink(in_source(world, "gone/inside")), 0);
	assert_int_equal(rmdir(in_source(world, "gone")), 0);
	assert_int_equal(unlink(in_source(world, "type")), 0);
	put_dir(world, "type");
	put_text(world, "type/inside", "x");
	assert_int_equal(unlink(in_source(world, "link")), 0);
	assert_int_equal(symlink("elsewhere", in_source(world, "link")), 0);
}

static void make_before(struct world *world)
{
	static const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};

	put_text(world, "grown", "before");
	put_text(world, "mode", "x");
	put_dir(world, "gone");
	put_text(world, "gone/inside", "12345");
	put_text(world, "type", "a file");
	put_dir(world, "same");
	put_text(world, "same/inside", "x");
	put_text(world, "touched", "same");
	assert_int_equal(utimensat(AT_FDCWD, in_source(world, "touched"), old, 0), 0);
	put_text(world, "sneaky", "0123456789");
	assert_int_equal(utimensat(AT_FDCWD, in_source(world, "sneaky"), old, 0), 0);
	assert_int_equal(symlink("somewhere", in_source(world, "link")), 0);
	age();
}

/* Other bytes with the size and the time of before. */
static void be_sneaky(struct world *world)
{
	static const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};

	put_text(world, "sneaky", "9876543210");
	assert_int_equal(utimensat(AT_FDCWD, in_source(world, "sneaky"), old, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, in_source(world, "touched"), NULL, 0), 0);
}

#define ALL "-gone -gone/inside Mgrown Mlink Umode +new +new/inside Msneaky Utouched Ttype +type/inside "

static void test_both_ways_say_the_same(void **state)
{
	struct world world;
	struct heard live = {0}, stored = {0}, none = {0};

	world_begin(&world);
	make_before(&world);
	world_snap(&world);
	assert_int_equal(compare(&world, true, &none), 0);
	assert_string_equal(none.text, "");
	change_everything(&world);
	be_sneaky(&world);
	assert_int_equal(compare(&world, true, &live), 0);
	assert_string_equal(live.text, ALL);
	world_snap(&world);
	assert_int_equal(compare(&world, false, &stored), 0);
	assert_string_equal(stored.text, ALL);
	assert_memory_equal(&live.result, &stored.result, sizeof(live.result));
	assert_int_equal(stored.result.counts[BT_CHANGE_ADDED], 3);
	assert_int_equal(stored.result.added_bytes, 10 + 1 + 1);
	assert_int_equal(stored.result.removed_bytes, 5 + 6);
	world_end(&world);
}

static void test_attributes(void **state)
{
	struct world world;
	struct heard live = {0}, stored = {0};

	world_begin_at(&world, "/tmp");
	put_text(&world, "file", "x");
	if (setxattr(in_source(&world, "file"), "user.a", "1", 1, 0)) {
		world_end(&world);
		skip();
	}
	age();
	world_snap(&world);
	assert_int_equal(setxattr(in_source(&world, "file"), "user.a", "2", 1, 0), 0);
	assert_int_equal(compare(&world, true, &live), 0);
	assert_string_equal(live.text, "Ufile ");
	world_snap(&world);
	assert_int_equal(compare(&world, false, &stored), 0);
	assert_string_equal(stored.text, "Ufile ");
	world_end(&world);
}

/* Directories so deep and so large that neither stack nor a path of the kernel would do. */
static void test_deep_and_wide(void **state)
{
	enum { LEVELS = 1500, WIDE = 2000 };
	struct world world;
	struct heard heard = {0};
	char name[32];

	world_begin(&world);
	put_dir(&world, "wide");
	for (int i = 0; i < WIDE; i++) {
		snprintf(name, sizeof(name), "wide/%d", i);
		put_text(&world, name, "");
	}
	int fd = open(world.source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < LEVELS; i++) {
		assert_int_equal(mkdirat(fd, "long-enough", 0755), 0);
		int next = openat(fd, "long-enough", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = next;
		assert_true(fd >= 0);
	}
	age();
	world_snap(&world);
	int file = openat(fd, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(file >= 0);
	close(file);
	put_text(&world, "wide/1500", "x");
	struct heard live = {0};
	assert_int_equal(compare(&world, true, &live), 0);
	assert_int_equal(live.result.counts[BT_CHANGE_ADDED], 1);
	assert_int_equal(live.result.counts[BT_CHANGE_CONTENT], 1);
	world_snap(&world);
	assert_int_equal(compare(&world, false, &heard), 0);
	assert_memory_equal(&live.result, &heard.result, sizeof(heard.result));
	close(fd);
	/* nftw would need as many descriptors or longer paths */
	char command[256];
	snprintf(command, sizeof(command), "rm -rf '%s/long-enough'", world.source);
	assert_int_equal(system(command), 0);
	world_end(&world);
}

static void test_unreadable_and_cancelled(void **state)
{
	struct world world;
	struct heard heard = {.cancel = true};

	world_begin(&world);
	put_dir(&world, "dir");
	put_text(&world, "dir/file", "x");
	age();
	world_snap(&world);
	assert_int_equal(compare(&world, true, &heard), BT_E_CANCELLED);
	if (geteuid() != 0) {
		struct heard locked = {0};

		assert_int_equal(chmod(in_source(&world, "dir"), 0), 0);
		assert_int_equal(compare(&world, true, &locked), BT_E_INCOMPLETE);
		assert_string_equal(locked.text, "Udir ");
		assert_int_equal(locked.problems, 1);
		assert_int_equal(chmod(in_source(&world, "dir"), 0755), 0);
	}
	world_end(&world);
}

/* The walk gives each directory before what is in it, and passes over what is to be skipped. */
static void test_walk(void **state)
{
	struct world world;
	struct bt_walk *walk;
	struct bt_walk_step step;
	struct bt_error error = {0};
	char text[512] = "";

	world_begin(&world);
	make_before(&world);
	world_snap(&world);
	world_open_store(&world);
	struct bt_snapshot *snapshot = open_snapshot(&world, 0);
	assert_int_equal(
		bt_walk_new(world.store, bt_snapshot_info(snapshot), &bt_snapshot_info(snapshot)->root, &walk, &error),
		0);
	while (bt_walk_next(walk, &step, &error) == 0 && step.entry) {
		strcat(strcat(text, step.path), " ");
		if (strcmp(step.path, "same") == 0)
			bt_walk_skip(walk);
	}
	assert_int_equal(error.code, 0);
	assert_string_equal(text, "gone gone/inside grown link mode same sneaky touched type ");
	bt_walk_free(walk);
	bt_snapshot_close(snapshot);
	world_end(&world);
}

/* What a summary says is believed up to what the store makes possible; paths may be as long as what is found is many.
 */
static void test_bounds(void **state)
{
	struct bt_error error = {0};
	struct world world;

	world_begin(&world);
	make_before(&world);
	world_snap(&world);
	struct bt_snapshot_info info = {.name = "name", .files = 2, .directories = 1};
	struct bt_bounds bounds = bt_bounds_of(world.store, &info);
	for (int i = 0; i < 3; i++)
		assert_int_equal(bt_bounds_take(&bounds, 4096, &error), 0);
	assert_int_equal(bt_bounds_take(&bounds, 0, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_BAD_SIZE);
	info.files = 100000;
	bounds = bt_bounds_of(world.store, &info);
	uint64_t sum = 0;
	error = (struct bt_error){0};
	while (bt_bounds_take(&bounds, 1 << 20, &error) == 0)
		sum += 1 << 20;
	assert_int_equal(error.code, BT_E_INCOMPLETE);
	assert_non_null(strstr(error.detail, "name a directory further down"));
	assert_in_range(sum, 1 << 30, (1 << 30) + (1 << 24)); /* and some KiB for each entry, however many are stated */
	for (info.others = (uint64_t)1 << 40; info.others; info.others = info.others == UINT64_MAX ? 0 : UINT64_MAX) {
		bounds = bt_bounds_of(world.store, &info);
		assert_int_equal(bt_bounds_take(&bounds, 0, NULL), BT_E_DAMAGED);
	}
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways_say_the_same),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_deep_and_wide),
		cmocka_unit_test(test_unreadable_and_cancelled),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
