/* SPDX-License-Identifier: MIT */
/* A store that one thread refreshes while others look into it, and snapshots come and go. */
#include "snapshot_world.h"
#include <backuptool/select.h>
#include <internal/policy.h>
#include <internal/store.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#define READERS 3
#define ROUNDS	60
#define KEPT	2 /* snapshots, when others are removed */

struct scene {
	struct world *world;
	struct bt_store *store; /* the shared one */
	atomic_bool stop;
	atomic_uint rosters, reads, failures;
};

static bool is_older(const char *name, const char *other)
{
	int64_t seconds[2];
	unsigned clash[2];

	return bt_snapshot_name_parse(name, &seconds[0], &clash[0]) == 0 &&
	       bt_snapshot_name_parse(other, &seconds[1], &clash[1]) == 0 &&
	       (seconds[0] < seconds[1] || (seconds[0] == seconds[1] && clash[0] < clash[1]));
}

/* Each is compared with what it was, after others had time to replace it. */
static void look_at_roster(struct scene *scene)
{
	const struct bt_roster *roster = bt_roster_get(scene->store), *again;
	char names[64][NAME_MAX + 1];
	uint32_t numbers[64];
	bool good = roster->count > 0 && roster->count <= 64;

	for (size_t i = 0; good && i < roster->count; i++) {
		snprintf(names[i], sizeof(names[i]), "%s", roster->names[i]);
		numbers[i] = roster->numbers[i];
		good = i == 0 || is_older(names[i - 1], names[i]);
	}
	for (int i = 0; i < 20; i++) {
		sched_yield();
		again = bt_roster_get(scene->store);
		good &= again->count > 0;
		bt_roster_put(again);
	}
	for (size_t i = 0; good && i < roster->count; i++)
		good = strcmp(names[i], roster->names[i]) == 0 && numbers[i] == roster->numbers[i];
	bt_roster_put(roster);
	scene->rosters++;
	scene->failures += !good;
}

/* What the file of a snapshot says, or a bt_code. */
static int read_text(struct bt_store *store, const struct bt_snapshot *snapshot, const char *path, char text[64])
{
	const struct bt_page *page;
	const struct bt_entry *entry;
	struct bt_error error = {0};
	size_t length = 0;
	int r = bt_path_lookup(store, &bt_snapshot_info(snapshot)->root, path, &page, &entry, &error);

	if (r)
		return r;
	r = bt_entry_pread(store, entry, text, 63, 0, &length, &error);
	text[length] = '\0';
	bt_page_put(store, page);
	return r;
}

/* The two files of a snapshot say the same. */
static int read_snapshot(struct scene *scene, const char *name)
{
	struct bt_snapshot *snapshot;
	char first[64] = "", second[64] = "";
	int r = bt_snapshot_open(scene->store, name, &snapshot, NULL);

	if (r)
		return r;
	r = read_text(scene->store, snapshot, "a.txt", first);
	if (!r)
		r = read_text(scene->store, snapshot, "d/b.txt", second);
	bt_snapshot_close(snapshot);
	scene->failures += !r && (!*first || strcmp(first, second) != 0);
	return r;
}

static bool is_there(const struct scene *scene, const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", scene->world->store_path, name);
	return access(path, F_OK) == 0;
}

/* As the mount does: again as long as a refresh finds something new. One that was removed need not be readable. */
static void look_into(struct scene *scene, const char *name)
{
	unsigned before, version = bt_store_version(scene->store);
	int r;

	do {
		before = version;
		r = read_snapshot(scene, name);
		if (r && bt_store_version(scene->store) == before)
			bt_store_refresh(scene->store, NULL);
		version = bt_store_version(scene->store);
	} while (r && version != before);
	scene->reads += !r;
	scene->failures += r && is_there(scene, name);
}

static void refresh_once(struct scene *scene)
{
	bt_store_doubt(scene->store);
	scene->failures += bt_store_refresh(scene->store, NULL) != 0;
}

static void *look(void *arg)
{
	struct scene *scene = arg;

	for (unsigned i = 0; !scene->stop; i++) {
		const struct bt_scope scope = {.size = sizeof(scope), .now = time(NULL) + 1000};
		struct bt_choice choice = {.size = sizeof(choice)};

		look_at_roster(scene);
		if (bt_select(scene->store, i % 2 ? "latest" : "latest~1", &scope, &choice, NULL) == 0)
			look_into(scene, choice.name);
		if (i % 8 == 0)
			refresh_once(scene);
	}
	return NULL;
}

static void *refresh(void *arg)
{
	struct scene *scene = arg;

	for (unsigned i = 0; !scene->stop; i++) {
		refresh_once(scene);
		if (i % 3 == 0)
			bt_store_hold(scene->store);
		if (i % 7 == 0 && bt_store_holds_removed(scene->store))
			bt_store_release(scene->store);
	}
	return NULL;
}

static void test_refreshed_while_others_look(void **state)
{
	struct world world;
	struct scene scene = {.world = &world};
	pthread_t threads[READERS + 1];

	world_begin(&world);
	put_dir(&world, "d");
	for (unsigned i = 0; i < KEPT; i++)
		world_round(&world, i);
	scene.store = open_another(&world, 0);
	for (unsigned i = 0; i < READERS + 1; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, i ? look : refresh, &scene), 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		world_round(&world, KEPT + i);
		if (i % 3 == 2)
			world_remove_but(&world, KEPT);
	}
	while (scene.reads < 10 * READERS)
		usleep(1000);
	scene.stop = true;
	for (unsigned i = 0; i < READERS + 1; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(scene.failures, 0);
	assert_int_not_equal(scene.rosters, 0);
	bt_store_close(scene.store);
	world_end(&world);
}

/* It stays as it was, and so do the names of those that are gone. */
static void test_a_roster_outlives_a_refresh(void **state)
{
	struct world world;

	world_begin(&world);
	put_dir(&world, "d");
	for (unsigned i = 0; i < KEPT + 1; i++)
		world_round(&world, i);
	struct bt_store *store = open_another(&world, 0);
	const struct bt_roster *before = bt_roster_get(store), *after;
	assert_int_equal(before->count, KEPT + 1);
	world_remove_but(&world, KEPT);
	assert_int_equal(bt_store_refresh(store, NULL), 0);
	after = bt_roster_get(store);
	assert_int_equal(after->count, KEPT);
	assert_int_equal(before->count, KEPT + 1);
	assert_string_equal(before->names[1], after->names[0]);
	assert_int_equal(before->numbers[1], after->numbers[0]);
	assert_false(is_there(&(struct scene){.world = &world}, before->names[0]));
	assert_string_equal(bt_store_snapshot_name(store, KEPT - 1), after->names[KEPT - 1]);
	assert_null(bt_store_snapshot_name(store, KEPT));
	bt_roster_put(before);
	bt_roster_put(after);
	bt_store_close(store);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_roster_outlives_a_refresh),
		cmocka_unit_test(test_refreshed_while_others_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
