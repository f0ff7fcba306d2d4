/* SPDX-License-Identifier: MIT */
/* Snapshots that are made anew without some paths are those that would have been taken without them. */
#include "base/bytes.h"
#include "snapshot_world.h"
#include "store/store.h"
#include <backuptool/rewrite.h>

struct lists {
	const char *const *exclude;
	size_t count;
};

/* Each test's rewrite in a store of its own, as another program would do it. */
struct act {
	struct bt_store *store;
	struct bt_rewrite_run *run;
	struct bt_rewrite_result result;
	struct bt_rewrite_loss loss;
	struct bt_error error;
};

static void begin(struct world *world, struct act *act, const struct bt_rewrite_options *options)
{
	*act = (struct act){.store = open_another(world, 0)};
	assert_int_equal(bt_rewrite_begin(act->store, options, NULL, &act->run, &act->error), 0);
}

static int rewrite(struct act *act, const char *name)
{
	act->result = (struct bt_rewrite_result){.size = sizeof(act->result)};
	return bt_rewrite_snapshot(act->run, name, &act->result, &act->error);
}

static void end(struct act *act)
{
	bt_rewrite_end(act->run);
	bt_store_close(act->store);
}

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Directories of up to a few hundred entries, some of them below others, with names that patterns mean. */
static void grow(struct world *world, const char *directory, uint32_t *seed, unsigned depth)
{
	static const unsigned counts[] = {0, 3, 40, 90, 300};
	unsigned count = counts[next(seed) % 5];

	for (unsigned i = 0; i < count; i++) {
		char name[512], text[32];
		unsigned kind = next(seed) % 12;

		snprintf(name, sizeof(name), "%s/%s%u", directory, kind < 2 ? "x" : "f", i);
		snprintf(text, sizeof(text), "%u", next(seed) % 50);
		if (kind != 5) {
			put_text(world, name, text);
			continue;
		}
		if (depth == 3)
			continue;
		put_dir(world, name);
		grow(world, name, seed, depth + 1);
	}
}

static void take_without(struct world *world, const struct lists *lists)
{
	world->options.exclude = lists->exclude;
	world->options.exclude_count = lists->count;
	world_snap(world);
	world->options.exclude = NULL;
	world->options.exclude_count = 0;
}

static void compare(struct world *world, struct bt_store *store, const char *made, const char *taken)
{
	struct bt_snapshot *snapshots[2];

	assert_int_equal(bt_snapshot_open(store, made, &snapshots[0], NULL), 0);
	assert_int_equal(bt_snapshot_open(store, taken, &snapshots[1], NULL), 0);
	const struct bt_snapshot_info *a = bt_snapshot_info(snapshots[0]), *b = bt_snapshot_info(snapshots[1]);
	assert_true(bt_digest_equal(&a->root.digest, &b->root.digest));
	assert_int_equal(a->files, b->files);
	assert_int_equal(a->directories, b->directories);
	assert_int_equal(a->others, b->others);
	assert_int_equal(a->directory_size, b->directory_size);
	assert_int_equal(a->created + a->changed + a->unchanged, a->files);
	assert_int_equal(a->left_out, b->left_out);
	assert_int_equal(a->rule_count, b->rule_count);
	bt_snapshot_close(snapshots[0]);
	bt_snapshot_close(snapshots[1]);
}

static void check_random(struct world *world, uint32_t seed, const struct lists *lists)
{
	const struct bt_rewrite_options options = {
		.size = sizeof(options), .exclude = lists->exclude, .exclude_count = lists->count, .empty = true};
	char whole[64], name[32];
	struct act act;

	snprintf(name, sizeof(name), "top%u", seed);
	put_dir(world, name);
	put_text(world, "kept", "kept");
	grow(world, name, &seed, 0);
	age();
	world_snap(world);
	memcpy(whole, world->result.name, sizeof(whole));
	take_without(world, lists);
	begin(world, &act, &options);
	assert_int_equal(rewrite(&act, whole), 0);
	assert_true(act.result.changes && act.result.entries >= act.result.matches && act.result.matches);
	bt_rewrite_end(act.run);
	act.run = NULL;
	compare(world, act.store, act.result.name, world->result.name);
	end(&act);
}

static void test_random_trees(void **state)
{
	static const char *const names[] = {"x*"}, *const anchored[] = {"/top*/f1*", "!/top*/f12"},
				 *const directories[] = {"f?/", "**/x1*", "f2[0-9]*"};
	static const struct lists all[] = {{names, 1}, {anchored, 2}, {directories, 3}};

	for (uint32_t i = 0; i < 3; i++)
		check_random(*state, 7 + i, &all[i % 3]);
}

/* Far into a very large directory leaves are twice as large. */
static void test_a_very_large_directory(void **state)
{
	static const char *const one[] = {"/large/n00007"}, *const many[] = {"n*3"};
	static const struct lists lists[] = {{one, 1}, {many, 1}};
	struct world *world = *state;

	put_dir(world, "large");
	for (unsigned i = 0; i < 6000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "large/n%05u", i);
		put_text(world, name, "");
	}
	age();
	for (size_t i = 0; i < 2; i++)
		check_random(world, 100 + (uint32_t)i, &lists[i]);
}

static const char *const secret[] = {"/secret"};
static const struct bt_rewrite_options without_secret = {
	.size = sizeof(without_secret), .exclude = secret, .exclude_count = 1};

static void plant(struct world *world)
{
	put_dir(world, "secret");
	put_noise(world, "secret/large", 3 * MIB, 5);
	put_text(world, "secret/small", "this must go");
	put_text(world, "docs", "this stays");
	age();
}

static void prune(struct act *act, const char *name, struct bt_prune_result *result)
{
	const struct bt_prune_options how = {
		.size = sizeof(how), .purge = act->loss.digests, .purge_count = act->loss.digest_count};

	*result = (struct bt_prune_result){.size = sizeof(*result)};
	assert_int_equal(bt_prune(act->store, &name, 1, &how, NULL, result, &act->error), 0);
}

/* In whatever file of the store. */
static bool is_somewhere(struct bt_store *store, const struct bt_digest *digest)
{
	struct bt_location place;

	return !bt_store_find(store, digest, false, &place, NULL) || !bt_store_find(store, digest, true, &place, NULL);
}

static void test_what_goes_is_nowhere_afterwards(void **state)
{
	struct world *world = *state;
	struct bt_rewrite_options dry = without_secret;
	struct bt_prune_result pruned;
	char whole[64];
	struct act act, real;

	plant(world);
	world_snap(world);
	memcpy(whole, world->result.name, sizeof(whole));
	dry.dry_run = true;
	begin(world, &act, &dry);
	assert_int_equal(rewrite(&act, whole), 0);
	assert_string_equal(act.result.name, "");
	assert_int_equal(act.result.entries, 3);
	act.loss.size = sizeof(act.loss);
	assert_int_equal(bt_rewrite_loss(act.run, &act.loss, &act.error), 0);
	assert_int_equal(act.loss.bytes, 3 * MIB + 12);
	assert_int_equal(act.loss.kept_bytes, 0);
	assert_int_equal(act.loss.name_count, 0);
	begin(world, &real, &without_secret);
	assert_int_equal(rewrite(&real, whole), 0);
	end(&real);
	bt_store_refresh(act.store, NULL);
	real = act;
	struct bt_digest *digests = calloc(act.loss.digest_count, sizeof(*digests));
	assert_non_null(digests);
	memcpy(digests, act.loss.digests, act.loss.digest_count * sizeof(*digests));
	bt_rewrite_end(act.run);
	act.run = NULL;
	act.loss.digests = digests;
	prune(&act, whole, &pruned);
	assert_int_equal(pruned.removed, 1);
	assert_int_equal(pruned.purge_left, 0);
	bt_store_close(act.store);
	act.store = open_another(world, 0);
	for (size_t i = 0; i < act.loss.digest_count; i++)
		assert_false(is_somewhere(act.store, &digests[i]));
	assert_int_equal(bt_store_snapshot_count(act.store), 1);
	free(digests);
	bt_store_close(act.store);
}

static void test_others_that_have_it_are_named(void **state)
{
	struct world *world = *state;
	struct bt_rewrite_options dry = without_secret;
	char first[64], second[64];
	struct act act;

	plant(world);
	world_snap(world);
	memcpy(first, world->result.name, sizeof(first));
	put_text(world, "docs", "changed");
	world_snap(world);
	memcpy(second, world->result.name, sizeof(second));
	put_text(world, "docs", "this must go"); /* as secret/small says it */
	remove_tree(in_source(world, "secret"));
	world_snap(world);
	dry.dry_run = true;
	begin(world, &act, &dry);
	assert_int_equal(rewrite(&act, first), 0);
	act.loss.size = sizeof(act.loss);
	assert_int_equal(bt_rewrite_loss(act.run, &act.loss, &act.error), 0);
	assert_int_equal(act.loss.name_count, 2);
	assert_string_equal(act.loss.names[0], second);
	assert_string_equal(act.loss.names[1], world->result.name);
	assert_int_equal(act.loss.kept_bytes, act.loss.bytes);
	assert_int_equal(rewrite(&act, second), 0);
	assert_int_equal(rewrite(&act, world->result.name), 0);
	assert_false(act.result.changes);
	assert_int_equal(bt_rewrite_loss(act.run, &act.loss, &act.error), 0);
	assert_int_equal(act.loss.name_count, 1);
	assert_string_equal(act.loss.names[0], world->result.name);
	assert_int_equal(act.loss.kept_bytes, 12);
	end(&act);
}

static void test_a_second_run_finds_what_the_first_one_made(void **state)
{
	struct world *world = *state;
	char made[64], first[64], second[64];
	struct bt_snapshot *snapshot;
	struct act act;

	plant(world);
	world_snap(world);
	memcpy(first, world->result.name, sizeof(first));
	put_text(world, "docs", "changed");
	world_snap(world);
	memcpy(second, world->result.name, sizeof(second));
	begin(world, &act, &without_secret);
	assert_int_equal(rewrite(&act, first), 0);
	memcpy(made, act.result.name, sizeof(made));
	assert_int_equal(rewrite(&act, second), 0);
	assert_int_equal(bt_store_refresh(act.store, NULL), 0);
	assert_int_equal(bt_snapshot_open(act.store, act.result.name, &snapshot, NULL), 0);
	assert_string_equal(bt_snapshot_info(snapshot)->parent, made);
	assert_string_equal(bt_snapshot_info(snapshot)->rewritten, second);
	bt_snapshot_close(snapshot);
	end(&act);
	for (int i = 0; i < 2; i++) { /* without the first one, the new name of the parent is not known */
		begin(world, &act, &without_secret);
		if (!i) {
			assert_int_equal(rewrite(&act, first), 0);
			assert_true(act.result.present);
			assert_string_equal(act.result.name, made);
		}
		assert_int_equal(rewrite(&act, second), 0);
		assert_true(act.result.present);
		assert_int_equal(rewrite(&act, made), 0);
		assert_true(!act.result.changes && act.result.was_rewritten);
		end(&act);
	}
	assert_int_equal(count_in_store(world, ".", ".json"), 4);
}

static void test_identity(void **state)
{
	struct world *world = *state;
	const struct bt_time time = {1000000000, 0};
	const struct bt_rewrite_options options = {
		.size = sizeof(options), .host = "other", .target = "/elsewhere", .time = &time};
	struct bt_rewrite_options wrong = {.size = sizeof(wrong), .target = "relative"};
	struct bt_snapshot *snapshot;
	struct act act;

	plant(world);
	world_snap(world);
	begin(world, &act, &options);
	assert_int_equal(rewrite(&act, world->result.name), 0);
	assert_string_equal(act.result.name, "snapshot_2001-09-09T01-46-40Z.json");
	assert_int_equal(act.result.entries, 0);
	assert_int_equal(bt_store_refresh(act.store, NULL), 0);
	assert_int_equal(bt_snapshot_open(act.store, act.result.name, &snapshot, NULL), 0);
	const struct bt_snapshot_info *info = bt_snapshot_info(snapshot);
	assert_string_equal(info->host, "other");
	assert_string_equal(info->target, "/elsewhere");
	assert_int_equal(info->files, 3);
	assert_true(info->file_size < 2000);
	bt_snapshot_close(snapshot);
	bt_rewrite_end(act.run);
	assert_int_equal(bt_rewrite_begin(act.store, &wrong, NULL, &act.run, NULL), BT_E_INVALID);
	wrong = (struct bt_rewrite_options){.size = sizeof(wrong), .host = "\xff"};
	assert_int_equal(bt_rewrite_begin(act.store, &wrong, NULL, &act.run, NULL), BT_E_INVALID);
	act.run = NULL;
	end(&act);
}

static void test_nothing_left_is_refused(void **state)
{
	static const char *const all[] = {"*"};
	const struct bt_rewrite_options options = {.size = sizeof(options), .exclude = all, .exclude_count = 1};
	struct world *world = *state;
	struct act act;

	plant(world);
	world_snap(world);
	begin(world, &act, &options);
	assert_int_equal(rewrite(&act, world->result.name), BT_E_INVALID);
	assert_true(act.result.empties);
	end(&act);
	assert_int_equal(count_in_store(world, ".", ".json"), 1);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		EACH(test_random_trees),
		EACH(test_a_very_large_directory),
		EACH(test_what_goes_is_nowhere_afterwards),
		EACH(test_others_that_have_it_are_named),
		EACH(test_a_second_run_finds_what_the_first_one_made),
		EACH(test_identity),
		EACH(test_nothing_left_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
