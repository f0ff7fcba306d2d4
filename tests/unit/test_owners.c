/* SPDX-License-Identifier: MIT */
/* The names of users and groups: which are looked up, where they are kept, and what is no page of names. The users and
 * groups of the machine are made up. */
#include "base/account.h"
#include "model/document.h"
#include "model/owners.h"
#include "snapshot/owners.h"
#include "snapshot_world.h"
#include "store/file.h"
#include "view/mark.h"
#include "view/pages.h"
#include "view_scene.h"
#include <backuptool/check.h>
#include <time.h>

static unsigned lookups;
static int64_t late; /* seconds that the clock is ahead */
static int64_t slow; /* that each look-up takes */
static enum { ALL, NONE, ODD, LONG } known;

bool __wrap_bt_account_name(enum bt_owner_kind kind, uint32_t id, char name[BT_ACCOUNT_SIZE]);
int __real_clock_gettime(clockid_t clock, struct timespec *ret_time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time);

bool __wrap_bt_account_name(enum bt_owner_kind kind, uint32_t id, char name[BT_ACCOUNT_SIZE])
{
	lookups++;
	late += slow;
	if (known == NONE || (known == ODD && id % 2 == 0))
		return false;
	if (known == LONG)
		memset(name, '"', BT_ACCOUNT_SIZE - 1);
	snprintf(name + (known == LONG ? 200 : 0), 40, "%s-%u", kind == BT_OWNER_USER ? "user" : "group", id);
	return true;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	int r = __real_clock_gettime(clock, ret_time);

	ret_time->tv_sec += clock == CLOCK_MONOTONIC ? late : 0;
	return r;
}

static int reset(void **state)
{
	lookups = 0;
	late = slow = 0;
	known = ALL;
	return 0;
}

static int add(struct bt_snap_owners *owners, uint32_t uid, uint32_t gid)
{
	return bt_snap_owners_add(owners, &(struct bt_entry){.uid = uid, .gid = gid});
}

/* The page is what its reader takes, and has these texts in order. */
static void expect_written(struct bt_snap_owners *owners, const char *users, const char *groups)
{
	struct bt_error error = {0};
	struct bt_buf line = {0}, expected = {0};
	struct bt_page *page;
	size_t weight;

	assert_int_equal(bt_snap_owners_write(owners, NULL, &line), 0);
	bt_buf_append(&expected, "{\"users\":[", 10);
	bt_buf_append(&expected, users, strlen(users));
	bt_buf_append(&expected, "],\"groups\":[", 12);
	bt_buf_append(&expected, groups, strlen(groups));
	bt_buf_append(&expected, "]}", 2);
	assert_int_equal(line.length, expected.length);
	assert_memory_equal(line.data, expected.data, line.length);
	assert_int_equal(bt_page_parse((char *)line.data, line.length, 0, &page, &weight, &error), 0);
	bt_page_free(page);
	bt_buf_free(&line);
	bt_buf_free(&expected);
	bt_snap_owners_free(owners);
}

static void test_each_is_looked_up_once(void **state)
{
	static const unsigned char acl[] = "\2\0\0\0\2\0\4\0\7\0\0\0\10\0\4\0\10\0\0\0\4\0\4\0\377\377\377\377";
	const struct bt_xattr xattr = {"system.posix_acl_access", acl, 23, 28};
	const struct bt_extra extra = {.xattrs = &xattr, .xattr_count = 1};
	struct bt_snap_owners owners = {0};

	for (int i = 0; i < 10; i++)
		assert_int_equal(add(&owners, 1000 + (uint32_t)i % 2, 5), 0);
	assert_int_equal(add(&owners, 3, UINT32_MAX), 0);
	assert_int_equal(bt_snap_owners_add(&owners, &(struct bt_entry){.uid = 3, .gid = 5, .extra = &extra}), 0);
	expect_written(&owners, "[3,\"user-3\"],[7,\"user-7\"],[1000,\"user-1000\"],[1001,\"user-1001\"]",
		       "[5,\"group-5\"],[8,\"group-8\"]");
	assert_int_equal(lookups, 6);
	known = ODD;
	assert_int_equal(add(&owners, 2, 4), 0);
	assert_int_equal(add(&owners, 3, 6), 0);
	expect_written(&owners, "[3,\"user-3\"]", "");
}

/* A table that was read, or NULL: one snapshot has all of it. */
static struct bt_owners *names_of(struct world *world)
{
	struct bt_snapshot *snapshot = world_snapshot(world, world->result.name);
	struct bt_owners *names;

	assert_int_equal(bt_owners_open(world->store, snapshot, &names, &world->error), 0);
	bt_snapshot_close(snapshot);
	return names;
}

static struct bt_digest names_id(struct world *world)
{
	struct bt_snapshot *snapshot = world_snapshot(world, world->result.name);
	struct bt_digest id = bt_snapshot_info(snapshot)->names;

	assert_true(bt_snapshot_info(snapshot)->has_names);
	bt_snapshot_close(snapshot);
	return id;
}

static void expect_own_name(struct world *world)
{
	struct bt_owners *names = names_of(world);
	const struct bt_owner_name *list;
	char expected[32];

	snprintf(expected, sizeof(expected), "user-%u", geteuid());
	assert_string_equal(bt_owners_find(names, BT_OWNER_USER, geteuid()), expected);
	assert_null(bt_owners_find(names, BT_OWNER_USER, geteuid() + 1));
	snprintf(expected, sizeof(expected), "group-%u", getegid());
	assert_string_equal(bt_owners_find(names, BT_OWNER_GROUP, getegid()), expected);
	assert_int_equal(bt_owners_list(names, BT_OWNER_GROUP, &list), 1);
	assert_int_equal(list->id, getegid());
	bt_owners_close(names);
}

static void test_who_is_not_known(void **state)
{
	struct world world;
	struct bt_snap_owners owners = {0};
	struct bt_buf line = {0};
	struct bt_snapshot *snapshot;

	world_begin(&world);
	put_text(&world, "a", "1");
	known = NONE;
	world_snap(&world);
	snapshot = world_snapshot(&world, world.result.name);
	assert_false(bt_snapshot_info(snapshot)->has_names);
	bt_snapshot_close(snapshot);
	struct bt_owners *names = names_of(&world);
	assert_null(bt_owners_find(names, BT_OWNER_USER, geteuid()));
	assert_null(bt_owners_find(NULL, BT_OWNER_USER, geteuid()));
	bt_owners_close(names);
	known = ALL;
	world_snap(&world);
	expect_own_name(&world);
	/* a user who was removed since keeps the name */
	known = NONE;
	world_snap(&world);
	expect_own_name(&world);
	names = names_of(&world);
	assert_int_equal(bt_snap_owners_join(&owners, names), 0);
	assert_int_equal(add(&owners, geteuid() + 1, getegid()), 0);
	assert_int_equal(bt_snap_owners_write(&owners, names, &line), 0);
	assert_int_equal(owners.ids[BT_OWNER_USER].length, 2 * sizeof(uint32_t));
	assert_int_equal(owners.ids[BT_OWNER_GROUP].length, sizeof(uint32_t));
	bt_buf_free(&line);
	bt_snap_owners_free(&owners);
	bt_owners_close(names);
	world_end(&world);
}

/* A directory service that does not answer holds a snapshot up for so long, and no longer. */
static void test_slow_lookups(void **state)
{
	struct bt_snap_owners owners = {0};

	slow = 4;
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(add(&owners, i, i), 0);
	expect_written(&owners, "[0,\"user-0\"],[1,\"user-1\"],[2,\"user-2\"]", "");
	assert_int_equal(lookups, 3);
}

static void test_more_than_a_page_holds(void **state)
{
	struct bt_snap_owners owners = {0};
	struct bt_buf line = {0};
	struct bt_error error = {0};
	struct bt_page *page;
	size_t weight;

	known = LONG;
	for (uint32_t i = 0; i < BT_OWNER_NAMES_MAX + 10; i++)
		assert_int_equal(add(&owners, i * 3, i), 0);
	assert_int_equal(bt_snap_owners_write(&owners, NULL, &line), 0);
	assert_true(line.length <= BT_PAGE_MAX && line.length > BT_PAGE_MAX / 2);
	assert_int_equal(bt_page_parse((char *)line.data, line.length, 0, &page, &weight, &error), 0);
	bt_page_free(page);
	bt_buf_clear(&line);
	known = ALL;
	assert_int_equal(bt_snap_owners_write(&owners, NULL, &line), 0);
	assert_int_equal(bt_page_parse((char *)line.data, line.length, 0, &page, &weight, &error), 0);
	assert_int_equal(page->names->counts[BT_OWNER_USER], BT_OWNER_NAMES_MAX);
	assert_int_equal(page->names->counts[BT_OWNER_GROUP], BT_OWNER_NAMES_MAX);
	bt_page_free(page);
	bt_buf_free(&line);
	bt_snap_owners_free(&owners);
}

static size_t count_pages(struct world *world)
{
	struct bt_check_result result = {.size = sizeof(result)};

	assert_int_equal(bt_store_refresh(world->store, NULL), 0);
	assert_int_equal(bt_check(world->store, NULL, NULL, NULL, NULL, &result, &world->error), 0);
	return result.pages;
}

/* In each snapshot, in the store once, and there as long as a snapshot needs it. */
static void test_kept(void **state)
{
	const char *const tags[] = {"a"};
	struct world world;

	world_begin(&world);
	put_text(&world, "a", "1");
	world_snap(&world);
	const struct bt_digest first = names_id(&world);
	assert_int_equal(count_pages(&world), 2);
	world_snap(&world);
	assert_int_equal(count_pages(&world), 2);
	put_text(&world, "b", "2");
	world_snap(&world);
	assert_int_equal(count_pages(&world), 3);
	const struct bt_digest last = names_id(&world);
	assert_true(bt_digest_equal(&first, &last));
	world_remove_but(&world, 1);
	expect_own_name(&world);
	assert_int_equal(count_pages(&world), 2);
	retag_beside(&world, &(struct bt_tag_change){.add = tags, .add_count = 1});
	expect_own_name(&world);
	world.options.dry_run = true;
	lookups = 0;
	assert_int_equal(world_take(&world), 0);
	assert_int_equal(lookups, 0);
	world_end(&world);
}

static void put(struct bt_buf *line, const char *text)
{
	assert_int_equal(bt_buf_append(line, text, strlen(text)), 0);
}

#define NAME_50	 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
#define NAME_255 NAME_50 NAME_50 NAME_50 NAME_50 NAME_50 "12345"

/* ~ is where the reason is found. */
static const struct {
	const char *text;
	enum bt_reason reason;
} hostile_names[] = {
	{"{\"users\":[],\"groups\":[~]}", BT_R_BAD_SIZE},
	{"{\"users\":[[0,\"root\"]]~}", BT_R_MISSING_KEY},
	{"{~\"groups\":[[0,\"root\"]]}", BT_R_MISSING_KEY},
	{"{\"users\":[[0,\"root\"]],\"groups\":[],~\"more\":[]}", BT_R_UNKNOWN_KEY},
	{"{\"users\":[[0,\"root\"]],\"groups\":[],~\"users\":[]}", BT_R_DUPLICATE_KEY},
	{"{\"users\":~null,\"groups\":[]}", BT_R_WRONG_TYPE},
	{"{\"users\":[~0],\"groups\":[]}", BT_R_WRONG_TYPE},
	{"{\"users\":[[0~]],\"groups\":[]}", BT_R_NOT_JSON},
	{"{\"users\":[[0,\"root\"~,1]],\"groups\":[]}", BT_R_NOT_JSON},
	{"{\"users\":[[~\"0\",\"root\"]],\"groups\":[]}", BT_R_BAD_NUMBER},
	{"{\"users\":[[~4294967295,\"root\"]],\"groups\":[]}", BT_R_BAD_OWNER},
	{"{\"users\":[[~-1,\"root\"]],\"groups\":[]}", BT_R_BAD_NUMBER},
	{"{\"users\":[[0,~null]],\"groups\":[]}", BT_R_WRONG_TYPE},
	{"{\"users\":[[0,~\"\"]],\"groups\":[]}", BT_R_BAD_NAME},
	{"{\"users\":[[0,~\"a\\u0000\"]],\"groups\":[]}", BT_R_BAD_NAME},
	{"{\"users\":[[0,~\"a\\u000a\"]],\"groups\":[]}", BT_R_BAD_NAME},
	{"{\"users\":[],\"groups\":[[0,~\"" NAME_255 "x\"]]}", BT_R_BAD_NAME},
	{"{\"users\":[[0,\"a~\xff\"]],\"groups\":[]}", BT_R_BAD_UTF8},
	{"{\"users\":[[1,\"a\"],~[0,\"b\"]],\"groups\":[]}", BT_R_UNSORTED},
	{"{\"users\":[],\"groups\":[[1,\"a\"],~[1,\"b\"]]}", BT_R_DUPLICATE_NAME},
};

static void test_hostile_names(void **state)
{
	for (size_t i = 0; i < sizeof(hostile_names) / sizeof(*hostile_names); i++) {
		const char *place = strchr(hostile_names[i].text, '~');
		size_t before = (size_t)(place - hostile_names[i].text), weight;
		struct bt_error error = {0};
		struct bt_buf line = {0};
		struct bt_page *page;

		put(&line, hostile_names[i].text);
		memmove(line.data + before, line.data + before + 1, strlen(place + 1));
		assert_int_equal(bt_page_parse((char *)line.data, line.length - 1, 0, &page, &weight, &error),
				 BT_E_DAMAGED);
		if (error.reason != hostile_names[i].reason || error.offset != before)
			fail_msg("%s: %s at %d", hostile_names[i].text, bt_reason_name(error.reason),
				 (int)error.offset);
		bt_buf_free(&line);
	}
}

/* As many as may be of each kind, and one more. */
static void test_names_have_limits(void **state)
{
	for (unsigned over = 0; over < 2; over++) {
		struct bt_error error = {0};
		struct bt_buf line = {0};
		struct bt_page *page;
		size_t weight;

		put(&line, "{\"users\":[],\"groups\":[[0,\"a\"]");
		for (unsigned i = 1; i < BT_OWNER_NAMES_MAX + over; i++) {
			char pair[32];

			snprintf(pair, sizeof(pair), ",[%u,\"a\"]", i);
			put(&line, pair);
		}
		put(&line, "]}");
		int r = bt_page_parse((char *)line.data, line.length, 0, &page, &weight, &error);
		assert_int_equal(r, over ? BT_E_DAMAGED : 0);
		assert_int_equal(error.reason, over ? BT_R_TOO_LARGE : BT_R_NONE);
		if (!r)
			bt_page_free(page);
		bt_buf_free(&line);
	}
}

/* That names are lost keeps no prune from knowing what is needed; that their page is needed as something else does. */
static void test_prune_without_names(void **state)
{
	struct scene scene = {.sample = sample_new()};
	struct bt_digest gone = {{1}}, empty = sample_digest("{\"entries\":[]}", 14);
	struct bt_mark mark = {0};
	struct bt_error error = {0};

	for (int lost = 0; lost < 2; lost++) {
		struct bt_snapshot_info info = {.time = {1795343400, 0},
						.host = "h",
						.target = "/",
						.root = dir_entry("", lost ? &gone : &empty),
						.directories = 1,
						.has_names = true,
						.names = gone};
		struct bt_buf header = {0}, summary = {0};

		assert_int_equal(bt_header_write(&header, &info), 0);
		assert_int_equal(bt_summary_write(&summary, &info), 0);
		assert_int_equal(bt_writer_new(sample_upload(scene.sample.dirfd), &header, &scene.writer, NULL), 0);
		sample_page(scene.writer, "{\"entries\":[]}");
		assert_int_equal(bt_writer_seal(scene.writer, &summary,
						lost ? "snapshot_2026-11-22T10-30-00Z-1.json" : SNAPSHOT, NULL),
				 0);
		bt_writer_free(scene.writer);
		bt_buf_free(&header);
		bt_buf_free(&summary);
	}
	assert_int_equal(bt_store_open(scene.sample.path, NULL, &scene.store, NULL), 0);
	mark.store = scene.store;
	assert_int_equal(bt_mark_snapshot(&mark, SNAPSHOT, &error), 0);
	assert_int_equal(mark.pages.count, 1);
	assert_int_equal(bt_mark_snapshot(&mark, "snapshot_2026-11-22T10-30-00Z-1.json", &error), BT_E_DAMAGED);
	bt_mark_free(&mark);
	scene_free(&scene);
}

/* A page in the place of one of another kind. */
static void test_another_kind_of_page(void **state)
{
	struct scene scene = scene_new();
	struct bt_digest names = sample_page(scene.writer, "{\"users\":[[0,\"root\"]],\"groups\":[]}");
	struct bt_digest leaf = sample_page(scene.writer, "{\"entries\":[]}");
	const struct bt_chunk stated = {names, 1};
	const struct bt_page *page;
	struct bt_error error = {0};
	struct bt_dir *dir;

	scene_seal(&scene);
	assert_int_equal(bt_dir_new(scene.store, &names, &dir, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_BAD_TYPE);
	error = (struct bt_error){0};
	assert_int_equal(bt_chunk_page_get(scene.store, &stated, &page, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_BAD_TYPE);
	error = (struct bt_error){0};
	assert_int_equal(bt_page_get_kind(scene.store, &leaf, BT_PAGE_NAMES, &page, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_BAD_TYPE);
	assert_int_equal(bt_page_get_kind(scene.store, &names, BT_PAGE_NAMES, &page, &error), 0);
	bt_page_put(scene.store, page);
	scene_free(&scene);
}

static int count_page(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length)
{
	++*(unsigned *)arg;
	return 0;
}

/* A file that ends before its lists still has its pages, of names, too. */
static void test_found_without_lists(void **state)
{
	struct scene scene = scene_new();
	unsigned pages = 0;
	const struct bt_index_visitor visitor = {.arg = &pages, .page = count_page};
	struct bt_object *object;
	struct bt_file *file;
	size_t size;

	sample_page(scene.writer, "{\"users\":[],\"groups\":[[0,\"root\"]]}");
	sample_page(scene.writer, "{\"entries\":[]}");
	scene_seal(&scene);
	unsigned char *data = sample_read(scene.sample.dirfd, SNAPSHOT, &size);
	unsigned char *lists = memmem(data, size, "\"tree_index\"", 12);
	assert_non_null(lists);
	sample_write(scene.sample.dirfd, "cut", data, (size_t)(lists - data));
	int fd = openat(scene.sample.dirfd, "cut", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(bt_object_of_fd(fd, "cut", &object, NULL), 0);
	assert_int_equal(bt_file_open_loosely(object, "cut", &file, NULL), 0);
	assert_int_equal(bt_file_visit_loosely(file, &visitor, NULL), 0);
	assert_int_equal(pages, 2);
	bt_file_free(file);
	free(data);
	scene_free(&scene);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup(test, reset)
	const struct CMUnitTest tests[] = {
		EACH(test_each_is_looked_up_once), EACH(test_who_is_not_known),	   EACH(test_slow_lookups),
		EACH(test_more_than_a_page_holds), EACH(test_hostile_names),	   EACH(test_names_have_limits),
		EACH(test_found_without_lists),	   EACH(test_prune_without_names), EACH(test_kept),
		EACH(test_another_kind_of_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
