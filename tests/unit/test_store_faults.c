/* SPDX-License-Identifier: MIT */
/* What changes a store, on a back end on which each of its calls fails once: before it was done, after it was done, and
 * as the last one before the power went. Whatever happens, each snapshot listed is whole, and none is gone. */
#include "memory_backend.h"
#include "snapshot_world.h"
#include "store/store.h"
#include <backuptool/check.h>

enum { SNAPSHOTS = 4, CUTS = 5 };

static struct world world;
static struct memory *base;
static char names[SNAPSHOTS][64];
static struct bt_stamp spoiled; /* the damaged file */

struct change {
	const char *name;
	int (*make)(struct bt_store *store, struct bt_error *error);
	unsigned removed; /* the bit of each snapshot that it removes */
	void (*spoil)(struct memory *memory);
};

static int take(struct bt_store *store, struct bt_error *error)
{
	struct bt_snapshot_result result = {.size = sizeof(result)};

	return bt_snapshot_take(store, world.source, &world.options, NULL, &result, error);
}

static bool is_listed(struct bt_store *store, const char *name)
{
	const struct bt_roster *roster = bt_roster_get(store);
	bool listed = false;

	for (size_t i = 0; i < roster->count; i++)
		listed |= !strcmp(roster->names[i], name);
	bt_roster_put(roster);
	return listed;
}

static int prune(struct bt_store *store, struct bt_error *error)
{
	const struct bt_prune_options options = {.size = sizeof(options), .dead_percent = 1};
	const char *name = names[1];

	return bt_prune(store, &name, is_listed(store, name), &options, NULL, NULL, error);
}

static int tag(struct bt_store *store, struct bt_error *error)
{
	const char *const tags[] = {"kept"};
	const struct bt_tag_change change = {.add = tags, .add_count = 1};

	return bt_snapshot_retag(store, names[2], &change, NULL, error);
}

static int repair(struct bt_store *store, struct bt_error *error)
{
	const struct bt_repair_options options = {.size = sizeof(options), .threads = 1};
	int r = bt_repair(store, &options, NULL, NULL, NULL, error);

	return r == BT_E_INCOMPLETE ? 0 : r;
}

/* What begins a list of a snapshot: nothing is lost by it. */
static void spoil_snapshot(struct memory *memory)
{
	spoiled = memory_spoil(memory, BT_AREA_TOP, names[2], "\"trees\":[", 0);
}

static const struct change all[] = {{"snapshot", take, 0, NULL},
				    {"prune", prune, 1 << 1, NULL},
				    {"tag", tag, 0, NULL},
				    {"repair", repair, 0, spoil_snapshot}};

static struct bt_store *open_on(struct memory *memory)
{
	const struct bt_store_options options = {.size = sizeof(options), .create = true};
	struct bt_store *store;
	struct bt_error error = {0};

	assert_int_equal(bt_store_open(memory_path(memory), &options, &store, &error), 0);
	return store;
}

static void assert_clean(struct bt_store *store)
{
	const struct bt_check_options options = {.size = sizeof(options), .threads = 1};
	struct bt_check_result result = {.size = sizeof(result)};
	struct bt_error error = {0};

	assert_int_equal(bt_check(store, &options, NULL, NULL, NULL, &result, &error), 0);
	assert_true(result.complete);
}

/* As it is found: what was there is there, and the change can be made, or made again. */
static void assert_whole(struct memory *memory, const struct change *change)
{
	struct bt_error error = {0};
	struct bt_store *store = open_on(memory);

	for (unsigned i = 1; i < SNAPSHOTS; i++)
		assert_true(change->removed & 1 << i || is_listed(store, names[i]));
	if (change->spoil)
		assert_true(memory_has(memory, &spoiled));
	else
		assert_clean(store);
	assert_int_equal(change->make(store, &error), 0);
	assert_int_equal(bt_store_refresh(store, &error), 0);
	for (unsigned i = 1; i < SNAPSHOTS; i++)
		assert_int_equal(is_listed(store, names[i]), !(change->removed & 1 << i));
	assert_clean(store);
	if (change->spoil)
		assert_true(memory_has(memory, &spoiled));
	bt_store_close(store);
}

static void assert_whole_after_cut(struct memory *memory, const struct change *change)
{
	for (unsigned which = 0; which < CUTS; which++) {
		struct memory *found = memory_copy(memory);

		memory_power_on(found, which);
		assert_whole(found, change);
		memory_free(found);
	}
}

/* Whether the call of the plan came. A cut is of interest where another change came before it. */
static bool strike(const struct change *change, const struct memory_plan *plan, uint64_t *seen)
{
	struct memory *memory = memory_copy(base);
	struct bt_error error = {0};

	if (change->spoil)
		change->spoil(memory);
	struct bt_store *store = open_on(memory);
	memory_set_plan(memory, plan);
	change->make(store, &error);
	bt_store_close(store);
	bool struck = memory_struck(memory), cut = struck && plan->fault == MEMORY_CUT;
	if (cut && memory_changes(memory) != *seen) {
		*seen = memory_changes(memory);
		assert_whole_after_cut(memory, change);
	} else if (!cut) {
		memory_set_plan(memory, &(struct memory_plan){0});
		assert_whole(memory, change);
	}
	memory_free(memory);
	return struck;
}

static void test_each_call(void **state)
{
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		unsigned nth = 0;
		uint64_t seen = 0;

		for (bool struck = true; struck;) {
			nth++;
			for (enum memory_fault fault = MEMORY_FAILS; fault <= MEMORY_CUT; fault++) {
				const struct memory_plan plan = {MEMORY_ANY, nth, fault, EIO, 0};

				struck = strike(&all[i], &plan, &seen);
			}
		}
		assert_true(nth >= 20);
	}
}

/* Lists that do not tell yet of the last changes, or tell of what is gone. */
static void test_lagging_lists(void **state)
{
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		for (unsigned lag = 1; lag < 6; lag++) {
			const struct memory_plan plan = {MEMORY_ANY, 0, MEMORY_FAILS, 0, lag};

			strike(&all[i], &plan, NULL);
		}
	}
}

static size_t count_segments(const char *path)
{
	char **found;
	size_t count = list_names(path, &found), segments = 0;

	for (size_t i = 0; i < count; i++) {
		segments += !strncmp(found[i], "index-", 6);
		free(found[i]);
	}
	free(found);
	return segments;
}

/* The index of a store that is in no directory is kept where the caller wants it, and used from there. */
static void test_cache_directory(void **state)
{
	char path[128];
	struct bt_store_options options = {.size = sizeof(options), .cache_directory = path};
	unsigned reads[2];

	snprintf(path, sizeof(path), "%s/cache", world.base);
	for (int i = 0; i < 2; i++) {
		struct memory *memory = memory_copy(base);
		struct bt_store *store;

		assert_int_equal(bt_store_open(memory_path(memory), &options, &store, NULL), 0);
		assert_int_equal(bt_store_survey(store, NULL), 0);
		reads[i] = memory_calls(memory, MEMORY_READ);
		bt_store_close(store);
		memory_free(memory);
		assert_int_equal(count_segments(path), 1);
	}
	/* of files that lie compressed all is in the frames that were read for opening them */
	assert_true(reads[1] < reads[0] + !!getenv("BT_TEST_AT_REST"));
}

static void snap(unsigned number)
{
	world_snap(&world);
	snprintf(names[number], sizeof(names[number]), "%s", world.result.name);
}

/* Three snapshots, of which the last two need each other's files and a volume. */
static int build(void **state)
{
	world_begin(&world);
	base = memory_new();
	snprintf(world.store_path, sizeof(world.store_path), "%s", memory_path(base));
	world.options.threads = 1;
	world_open_store(&world);
	put_noise(&world, "large", 100000, 1);
	put_text(&world, "a", "in the volume");
	put_dir(&world, "below");
	put_text(&world, "below/b", "in the volume, too");
	age();
	snap(0);
	put_noise(&world, "other", 50000, 2);
	put_text(&world, "kept", "in the first, and in those after it");
	snap(1);
	put_text(&world, "c", "in the second");
	assert_int_equal(unlink(in_source(&world, "other")), 0);
	snap(2);
	put_noise(&world, "third", 30000, 3);
	snap(3);
	const char *first = names[0];
	assert_int_equal(bt_store_refresh(world.store, NULL), 0);
	assert_int_equal(bt_prune(world.store, &first, 1, NULL, NULL, NULL, &world.error), 0);
	put_text(&world, "d", "in the next");
	bt_store_close(world.store);
	world.store = NULL;
	return 0;
}

static int end(void **state)
{
	memory_free(base);
	world_end(&world);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_call),
		cmocka_unit_test(test_lagging_lists),
		cmocka_unit_test(test_cache_directory),
	};

	return cmocka_run_group_tests(tests, build, end);
}
