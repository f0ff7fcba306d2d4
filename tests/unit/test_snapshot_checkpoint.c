/* SPDX-License-Identifier: MIT */
/* What a first snapshot keeps that is interrupted, and on its way. */
#include "snapshot_world.h"

#include "store/store.h"

/* Answers one question in its own way, or each of them from there on. */
struct asked {
	struct world world; /* first: the observer's arg */
	enum bt_course course;
	unsigned calls, at;
	bool always;
};

static enum bt_course answer(void *arg)
{
	struct asked *asked = arg;
	unsigned call = ++asked->calls;

	return asked->at && (call == asked->at || (asked->always && call > asked->at)) ? asked->course : BT_COURSE_ON;
}

static void begin(struct asked *asked)
{
	*asked = (struct asked){0};
	world_begin(&asked->world);
	asked->world.observer.size = sizeof(asked->world.observer);
	asked->world.observer.arg = asked;
	asked->world.observer.course = answer;
	asked->world.options.volume_size = MIB / 2;
}

static int take(struct asked *asked, enum bt_course course, unsigned at)
{
	asked->calls = 0;
	asked->course = course;
	asked->at = at;
	asked->always = course == BT_COURSE_END;
	return world_take(&asked->world);
}

static void put_tree(struct world *world)
{
	put_dir(world, "a");
	put_dir(world, "a/deep");
	put_text(world, "a/deep/one", "one");
	put_text(world, "a/text", "some text");
	put_dir(world, "b");
	put_noise(world, "b/large", 3 * MIB, 7);
	assert_int_equal(link(in_source(world, "a/text"), in_source(world, "b/linked")), 0);
	put_noise(world, "b/noise", 40000, 8);
	assert_int_equal(symlink("a/text", in_source(world, "c")), 0);
	put_text(world, "d", "the last one");
}

static size_t listed(struct world *world)
{
	world_open_store(world);
	return bt_store_snapshot_count(world->store);
}

static bool is_partial(struct world *world, const char *name)
{
	struct bt_snapshot *snapshot = world_snapshot(world, name);
	bool partial = bt_snapshot_info(snapshot)->partial;

	bt_snapshot_close(snapshot);
	return partial;
}

/* All that it has is as it is in the source; gives the number of entries. */
static uint64_t compare_part(struct world *world, const char *path, const struct bt_entry *entry)
{
	const struct bt_entry *child;
	struct bt_dir *dir;
	uint64_t count = 1;

	assert_int_equal(bt_dir_new(world->store, &entry->digest, &dir, NULL), 0);
	for (;;) {
		char below[PATH_MAX];

		assert_int_equal(bt_dir_next(dir, &child, NULL), 0);
		if (!child)
			break;
		assert_in_range(snprintf(below, sizeof(below), "%s/%s", path, child->name), 1, sizeof(below) - 1);
		assert_int_equal(access(below, F_OK), 0);
		if (child->type == BT_FILE)
			compare_content(world->store, below, child);
		count += child->type == BT_DIR ? compare_part(world, below, child) : 1;
	}
	bt_dir_free(dir);
	return count;
}

static void compare_partial(struct world *world, const char *name)
{
	struct bt_snapshot *snapshot = world_snapshot(world, name);
	const struct bt_snapshot_info *info = bt_snapshot_info(snapshot);

	assert_true(info->partial);
	assert_int_equal(compare_part(world, world->source, &info->root),
			 info->files + info->directories + info->others);
	bt_snapshot_close(snapshot);
}

static unsigned count_questions(void)
{
	struct asked asked;

	begin(&asked);
	put_tree(&asked.world);
	assert_int_equal(take(&asked, BT_COURSE_ON, 0), 0);
	unsigned questions = asked.calls;
	world_end(&asked.world);
	return questions;
}

/* Wherever it ends, what it has is whole, and the next run goes on from there. */
static void test_end(void **state)
{
	unsigned questions = count_questions(), kept = 0;

	assert_true(questions > 12);
	for (unsigned at = 1; at <= questions; at++) {
		struct asked asked;
		struct world *world = &asked.world;
		char name[64];

		begin(&asked);
		put_tree(world);
		age();
		assert_int_equal(take(&asked, BT_COURSE_END, at), BT_E_CANCELLED);
		memcpy(name, world->result.name, sizeof(name));
		assert_int_equal(world->result.partial, *name != 0);
		assert_int_equal(listed(world), world->result.partial);
		uint64_t had = world->result.files;
		if (*name)
			compare_partial(world, name);
		assert_int_equal(take(&asked, BT_COURSE_ON, 0), 0);
		assert_false(world->result.partial);
		assert_string_equal(world->result.parent, name);
		assert_int_equal(world->result.removed, 0);
		assert_int_equal(world->result.unchanged, *name ? had : 0);
		world_compare(world);
		assert_int_equal(listed(world), 1);
		kept += *name != 0;
		world_end(world);
	}
	assert_true(kept > questions / 2);
}

/* A run with checkpoints gives what one without them gives. */
static void test_checkpoint(void **state)
{
	unsigned questions = count_questions();

	for (unsigned at = 1; at <= questions; at++) {
		struct asked asked;
		struct world *world = &asked.world;

		begin(&asked);
		put_tree(world);
		assert_int_equal(take(&asked, BT_COURSE_CHECKPOINT, at), 0);
		assert_false(world->result.partial);
		assert_string_equal(world->result.parent, "");
		assert_int_equal(world->result.created, 6);
		assert_int_equal(world->result.unchanged + world->result.changed, 0);
		world_compare(world);
		assert_int_equal(listed(world), 1);
		assert_false(is_partial(world, world->result.name));
		world_end(world);
	}
}

/* One after the other; a directory of several pages is cut in many ways. */
static void test_many_checkpoints(void **state)
{
	struct asked asked;
	struct world *world = &asked.world;

	begin(&asked);
	put_dir(world, "many");
	for (unsigned i = 0; i < 3000; i++) {
		char name[32], text[32];

		snprintf(name, sizeof(name), "many/%05u", i);
		snprintf(text, sizeof(text), "text %u", i % 700);
		put_text(world, name, text);
	}
	for (unsigned at = 40; at < 3000; at += 97) {
		assert_int_equal(take(&asked, BT_COURSE_END, at), BT_E_CANCELLED);
		if (world->result.partial)
			compare_partial(world, world->result.name);
		assert_true(listed(world) <= 1);
	}
	assert_int_equal(take(&asked, BT_COURSE_ON, 0), 0);
	assert_int_equal(world->result.unchanged + world->result.created, 3000);
	world_compare(world);
	assert_int_equal(listed(world), 1);
	world_end(world);
}

/* Asked at each question, once it has begun. */
static enum bt_course always(void *arg)
{
	struct asked *asked = arg;

	return ++asked->calls % 3 ? BT_COURSE_ON : BT_COURSE_CHECKPOINT;
}

static void test_checkpoint_each_time(void **state)
{
	struct asked asked;
	struct world *world = &asked.world;
	int64_t seconds = 1700000000;

	begin(&asked);
	put_tree(world);
	world->observer.course = always;
	world->options.time = &(struct bt_time){.seconds = seconds};
	world_snap(world);
	/* The last one has the highest number, so that it is the newest of its second. */
	assert_non_null(strstr(world->result.name, "Z-"));
	world_compare(world);
	assert_int_equal(listed(world), 1);
	world_end(world);
}

/* A run that ends before it has reached what the one before had changes nothing. */
static void test_nothing_more(void **state)
{
	struct asked asked;
	struct world *world = &asked.world;
	char name[64];

	begin(&asked);
	put_tree(world);
	age();
	assert_int_equal(take(&asked, BT_COURSE_END, count_questions() - 1), BT_E_CANCELLED);
	memcpy(name, world->result.name, sizeof(name));
	assert_true(world->result.partial && *name);
	for (unsigned at = 1; at < 6; at++) {
		assert_int_equal(take(&asked, BT_COURSE_END, at), BT_E_CANCELLED);
		assert_true(world->result.partial);
		assert_string_equal(world->result.name, name);
		assert_int_equal(listed(world), 1);
	}
	world_end(world);
}

/* Of a large file that is being read nothing is listed, but its pieces need not be stored again. */
static void test_large_file(void **state)
{
	struct asked asked;
	struct world *world = &asked.world;

	begin(&asked);
	put_text(world, "a", "small");
	put_noise(world, "b", 12 * MIB, 3);
	/* Questions before a, before b, and one for each piece. */
	assert_int_equal(take(&asked, BT_COURSE_END, 12), BT_E_CANCELLED);
	assert_true(world->result.partial);
	assert_int_equal(world->result.files, 1);
	uint64_t stored = world->result.new_bytes;
	assert_in_range(stored, 3 * MIB, 11 * MIB);
	compare_partial(world, world->result.name);
	assert_int_equal(take(&asked, BT_COURSE_ON, 0), 0);
	assert_int_equal(world->result.new_bytes, 12 * MIB + strlen("small") - stored);
	world_compare(world);
	world_end(world);
}

/* Nor when it is the only one. */
static void test_only_file(void **state)
{
	struct asked asked;
	struct world *world = &asked.world;

	begin(&asked);
	world->options.volume_size = 0;
	put_noise(world, "b", 12 * MIB, 3);
	assert_int_equal(take(&asked, BT_COURSE_END, 10), BT_E_CANCELLED);
	assert_true(world->result.partial);
	assert_int_equal(world->result.files, 0);
	uint64_t stored = world->result.new_bytes;
	assert_in_range(stored, 3 * MIB, 11 * MIB);
	compare_partial(world, world->result.name);
	assert_int_equal(take(&asked, BT_COURSE_ON, 0), 0);
	assert_int_equal(world->result.new_bytes, 12 * MIB - stored);
	world_compare(world);
	world_end(world);
}

/* Tags, a pin and an end of its use are for the complete one; who gives them to a partial one keeps it. */
static void test_kept(void **state)
{
	const char *tag = "mine";
	struct asked asked;
	struct world *world = &asked.world;
	const struct bt_tag_change pin = {.pin = true};

	begin(&asked);
	put_tree(world);
	world->options.tags = &tag;
	world->options.tag_count = 1;
	world->options.pinned = true;
	world->options.expires = &(struct bt_time){.seconds = INT64_C(4000000000)};
	world->options.description = "a description";
	assert_int_equal(take(&asked, BT_COURSE_END, 6), BT_E_CANCELLED);
	struct bt_snapshot *snapshot = world_snapshot(world, world->result.name);
	const struct bt_snapshot_info *info = bt_snapshot_info(snapshot);
	assert_true(info->partial && !info->pinned && !info->has_expires && info->tag_count == 0);
	assert_string_equal(info->description, "a description");
	bt_snapshot_close(snapshot);
	retag_beside(world, &pin);
	assert_int_equal(take(&asked, BT_COURSE_ON, 0), 0);
	snapshot = world_snapshot(world, world->result.name);
	info = bt_snapshot_info(snapshot);
	assert_true(!info->partial && info->pinned && info->has_expires && info->tag_count == 1);
	bt_snapshot_close(snapshot);
	assert_int_equal(listed(world), 2);
	world_compare(world);
	world_end(world);
}

/* Whoever reads meanwhile keeps the list as it is. A run that has nothing to add still takes a snapshot. */
static void test_reader(void **state)
{
	struct asked asked;
	struct world *world = &asked.world;
	int lock;

	begin(&asked);
	put_tree(world);
	world->options.skip_if_unchanged = true;
	age();
	/* Nothing shows that there was more. */
	const struct timespec times[2] = {{1600000000, 0}, {1600000000, 0}};
	assert_int_equal(utimensat(AT_FDCWD, world->source, times, 0), 0);
	assert_int_equal(take(&asked, BT_COURSE_END, count_questions() - 1), BT_E_CANCELLED);
	assert_int_equal(unlink(in_source(world, "d")), 0);
	assert_int_equal(utimensat(AT_FDCWD, world->source, times, 0), 0);
	struct bt_store *reader = open_another(world, 0);
	assert_int_equal(bt_store_lock(reader, BT_LOCK_SHARED, NULL, &lock, NULL), 0);
	assert_int_equal(take(&asked, BT_COURSE_ON, 0), 0);
	assert_false(world->result.skipped);
	close(lock);
	bt_store_close(reader);
	assert_int_equal(listed(world), 2);
	world_compare(world);
	assert_int_equal(take(&asked, BT_COURSE_END, 1), 0); /* nobody is asked any more */
	assert_true(world->result.skipped);
	assert_int_equal(asked.calls, 0);
	world_end(world);
}

static bool cancelled(void *arg)
{
	struct asked *asked = arg;

	return ++asked->calls >= asked->at;
}

/* A caller that is not asked gets nothing partial, nor does one whose directory has a complete snapshot. */
static void test_cancelled(void **state)
{
	struct asked asked;
	struct world *world = &asked.world;

	begin(&asked);
	put_tree(world);
	world->observer.course = NULL;
	world->observer.cancelled = cancelled;
	assert_int_equal(take(&asked, BT_COURSE_ON, 8), BT_E_CANCELLED);
	assert_false(world->result.partial);
	assert_int_equal(listed(world), 0);
	world->observer.course = answer;
	world->observer.cancelled = NULL;
	assert_int_equal(take(&asked, BT_COURSE_ON, 0), 0);
	world->observer.cancelled = cancelled;
	put_noise(world, "a/new", MIB, 33);
	assert_int_equal(take(&asked, BT_COURSE_END, 8), BT_E_CANCELLED);
	assert_false(world->result.partial);
	assert_string_equal(world->result.name, "");
	assert_int_equal(listed(world), 1);
	world_end(world);
}

/* With both, a cancelled one is one that ends. */
static void test_both(void **state)
{
	struct asked asked;
	struct world *world = &asked.world;

	begin(&asked);
	put_tree(world);
	world->observer.cancelled = cancelled;
	assert_int_equal(take(&asked, BT_COURSE_ON, 14), BT_E_CANCELLED);
	assert_true(world->result.partial);
	compare_partial(world, world->result.name);
	world_end(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_checkpoint),
		cmocka_unit_test(test_many_checkpoints),
		cmocka_unit_test(test_checkpoint_each_time),
		cmocka_unit_test(test_nothing_more),
		cmocka_unit_test(test_large_file),
		cmocka_unit_test(test_only_file),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_reader),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
