/* SPDX-License-Identifier: MIT */
#include "kernel.h"
#include "snapshot_world.h"
#include "store/store.h"
#include <backuptool/check.h>
#include <backuptool/prune.h>

#define KIB ((size_t)1 << 10)

/* What happens beside a prune whenever it asks whether to go on. */
struct beside {
	struct world *world;
	bool (*act)(struct beside *beside); /* true: cancel */
	unsigned asked, cancel_at;
	bool done;
	int lock;
};

static bool ask(void *arg)
{
	struct beside *beside = arg;

	beside->asked++;
	return beside->act && !beside->done && beside->act(beside);
}

static size_t volumes(struct world *world)
{
	return count_in_store(world, "contents", ".json");
}

static int64_t bytes_in(const char *directory)
{
	char **names, path[512];
	size_t count = list_names(directory, &names);
	struct stat status;
	int64_t bytes = 0;

	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		assert_int_equal(lstat(path, &status), 0);
		bytes += S_ISREG(status.st_mode) ? status.st_size : 0;
		free(names[i]);
	}
	free(names);
	return bytes;
}

/* Without what can be made again. */
static int64_t store_bytes(struct world *world)
{
	char contents[512];

	snprintf(contents, sizeof(contents), "%s/contents", world->store_path);
	return bytes_in(world->store_path) + (access(contents, F_OK) == 0 ? bytes_in(contents) : 0);
}

/* The path of the only or the largest file in contents/. */
static const char *largest_volume(struct world *world, uint64_t *ret_size)
{
	static char path[512];
	char directory[256], one[400], **names;
	size_t count;

	*ret_size = 0;
	snprintf(directory, sizeof(directory), "%s/contents", world->store_path);
	count = list_names(directory, &names);
	for (size_t i = 0; i < count; i++) {
		snprintf(one, sizeof(one), "%s/%s", directory, names[i]);
		if (size_of(AT_FDCWD, one) > *ret_size) {
			*ret_size = size_of(AT_FDCWD, one);
			snprintf(path, sizeof(path), "%s", one);
		}
		free(names[i]);
	}
	free(names);
	return path;
}

/* Removes all snapshots but the newest ones. */
static int prune_with(struct world *world, size_t keep, const struct bt_prune_options *options, struct beside *beside,
		      struct bt_prune_result *ret_result)
{
	const struct bt_observer observer = {.arg = beside, .cancelled = ask};
	struct bt_store *store = open_another(world, 60000);
	size_t count = bt_store_snapshot_count(store);
	const char *names[16];
	int r;

	assert_in_range(count, keep, 16);
	for (size_t i = 0; i < count - keep; i++)
		names[i] = bt_store_snapshot_name(store, i);
	world->error = (struct bt_error){0};
	if (ret_result)
		*ret_result = (struct bt_prune_result){.size = sizeof(*ret_result)};
	r = bt_prune(store, names, count - keep, options, beside ? &observer : NULL, ret_result, &world->error);
	bt_store_close(store);
	return r;
}

/* A dry run says what is done then, and changes nothing. The last snapshot stays whole. */
static struct bt_prune_result prune(struct world *world, size_t keep, struct bt_prune_options options)
{
	struct bt_prune_result would, did;
	size_t before = volumes(world);

	options.size = sizeof(options);
	options.dry_run = true;
	assert_int_equal(prune_with(world, keep, &options, NULL, &would), 0);
	assert_int_equal(volumes(world), before);
	options.dry_run = false;
	assert_int_equal(prune_with(world, keep, &options, NULL, &did), 0);
	assert_int_equal(would.removed, did.removed);
	assert_int_equal(would.files_deleted, did.files_deleted);
	assert_int_equal(would.files_moved, did.files_moved);
	assert_int_equal(would.files_rewritten, did.files_rewritten);
	/* How well the rest packs, and how long the lists are, shows only once it is written. */
	assert_in_range(would.freed_bytes - did.freed_bytes + 16384 + did.freed_bytes / 50, 0,
			2 * (16384 + did.freed_bytes / 50));
	assert_int_equal(would.dead_bytes, did.dead_bytes);
	world_compare(world);
	return did;
}

static void put_away(struct world *world, const char *name)
{
	assert_int_equal(unlink(in_source(world, name)), 0);
}

/* Two snapshots, the older of which has something that is needed and something that is not. */
static void take_two(struct world *world, size_t live, size_t dead)
{
	put_noise(world, "live", live, 1);
	put_noise(world, "dead", dead, 2);
	world_snap(world);
	put_away(world, "dead");
	world_snap(world);
}

static void test_below_the_threshold(void **state)
{
	struct world *world = *state;
	struct bt_prune_result result;

	take_two(world, 10 * MIB, 2 * MIB);
	result = prune(world, 1, (struct bt_prune_options){0});
	assert_int_equal(result.files_moved, 1);
	assert_int_equal(result.files_rewritten, 0);
	assert_int_equal(result.freed_bytes, 0);
	assert_in_range(result.dead_bytes, 2 * MIB, 3 * MIB);
	result = prune(world, 1, (struct bt_prune_options){.dead_percent = 100});
	assert_in_range(result.dead_bytes, 2 * MIB, 3 * MIB);
	result = prune(world, 1, (struct bt_prune_options){.dead_percent = 10});
	assert_int_equal(result.files_rewritten, 1);
	assert_int_equal(result.dead_bytes, 0);
	assert_in_range(result.freed_bytes, 2 * MIB, 3 * MIB);
}

static void test_above_the_threshold(void **state)
{
	struct world *world = *state;
	uint64_t size;

	take_two(world, 10 * MIB, 5 * MIB);
	assert_in_range(prune(world, 1, (struct bt_prune_options){0}).freed_bytes, 5 * MIB, 7 * MIB);
	largest_volume(world, &size);
	assert_in_range(size, 13 * MIB, 14 * MIB);
}

/* Of a small volume less dead weight is enough. */
static void test_small_volume(void **state)
{
	struct world *world = *state;

	take_two(world, 1000 * KIB, 150 * KIB);
	assert_int_equal(prune(world, 1, (struct bt_prune_options){0}).files_rewritten, 1);
}

static void test_so_much_at_a_time(void **state)
{
	struct world *world = *state;
	uint64_t size;

	for (unsigned i = 0; i < 3; i++) {
		char name[] = {'a', (char)('0' + i), 0};

		put_noise(world, name, MIB, 10 + i);
		put_noise(world, "dead", MIB, 20 + i);
		world_snap(world);
	}
	put_away(world, "dead");
	world_snap(world);
	assert_int_equal(prune(world, 1, (struct bt_prune_options){.volume_size = 3 * MIB}).files_rewritten, 3);
	assert_int_equal(volumes(world), 2);
	largest_volume(world, &size);
	assert_in_range(size, 2 * MIB, 3 * MIB);
}

/* How many blocks of the file at path are in text, and how many are not. */
static void count_blocks(const char *path, const char *text, unsigned *ret_same, unsigned *ret_other)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	assert_non_null(file);
	*ret_same = *ret_other = 0;
	for (length = getline(&line, &room, file); length > 0; length = getline(&line, &room, file)) {
		if (strncmp(line, "{\"zstd\"", 7) != 0)
			continue;
		*strrchr(line, '}') = 0; /* behind the last one is no comma */
		*(strstr(text, line) ? ret_same : ret_other) += 1;
	}
	free(line);
	fclose(file);
}

static char *read_text(const char *path)
{
	size_t size = size_of(AT_FDCWD, path);
	char *text = calloc(1, size + 1);
	FILE *file = fopen(path, "re");

	assert_true(text && file && fread(text, 1, size, file) == size);
	fclose(file);
	return text;
}

/* Compressed at another level than prune does. */
static void test_blocks_are_copied_as_text(void **state)
{
	struct world *world = *state;
	unsigned same, other;
	uint64_t size;
	char path[256], *text, *numbers = malloc(4 * MIB), *end = numbers;

	for (unsigned i = 0; end < numbers + 3 * MIB; i++)
		end += sprintf(end, "%u\n", i);
	write_file(in_source(world, "live"), numbers, (size_t)(end - numbers));
	put_noise(world, "zzz", 3 * MIB, 1);
	world->options.level = 9;
	world_snap(world);
	snprintf(path, sizeof(path), "%s/%s", world->store_path, world->result.name);
	text = read_text(path);
	put_away(world, "zzz");
	world_snap(world);
	assert_int_equal(prune(world, 1, (struct bt_prune_options){0}).files_rewritten, 1);
	count_blocks(largest_volume(world, &size), text, &same, &other);
	assert_true(same >= 2);
	assert_in_range(other, 0, 1); /* that in which the one file follows the other */
	free(text);
	free(numbers);
}

/* A few bytes do not keep the block that they are in. */
static void test_mostly_dead_blocks_are_packed_anew(void **state)
{
	struct world *world = *state;
	uint64_t size;
	char name[16];

	for (unsigned i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "file%02u", i);
		put_noise(world, name, 20 * KIB, i);
	}
	world_snap(world);
	for (unsigned i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "file%02u", i);
		if (i % 20)
			put_away(world, name);
	}
	world_snap(world);
	prune(world, 1, (struct bt_prune_options){0});
	largest_volume(world, &size);
	assert_in_range(size, 40 * KIB, 60 * KIB);
}

static void test_small_volumes_are_gathered(void **state)
{
	struct world *world = *state;
	char name[16];

	for (unsigned i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "file%u", i);
		put_noise(world, name, 20 * KIB, i);
		world_snap(world);
	}
	prune(world, 4, (struct bt_prune_options){0});
	assert_int_equal(volumes(world), 6);
	prune(world, 1, (struct bt_prune_options){0});
	assert_int_equal(volumes(world), 1);
}

/* Nothing is known about what is in it: it stays as it is, and all else is done. */
static void test_damaged_volume(void **state)
{
	struct world *world = *state;
	const struct bt_prune_options never = {.size = sizeof(never), .dead_percent = 100};
	struct bt_prune_result result;
	uint64_t size;
	char path[512];
	int fd;

	take_two(world, MIB, MIB);
	assert_int_equal(prune_with(world, 1, &never, NULL, NULL), 0);
	snprintf(path, sizeof(path), "%s", largest_volume(world, &size));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "~", 1, (off_t)size - 100), 1); /* one of the digests at the end */
	close(fd);
	put_noise(world, "more", MIB, 5);
	world_snap(world);
	assert_int_equal(prune_with(world, 1, NULL, NULL, &result), 0);
	assert_int_equal(result.removed, 1);
	assert_int_equal(access(path, F_OK), 0);
}

/* While a volume is copied, what it has and nobody needed is needed again. */
static bool take_another(struct beside *beside)
{
	struct world *world = beside->world;
	struct bt_store *store;

	if (volumes(world) == 0)
		return false; /* not yet retired */
	beside->done = true;
	put_noise(world, "dead", MIB, 2);
	store = open_another(world, 0);
	world->error = (struct bt_error){0};
	assert_int_equal(bt_snapshot_take(store, world->source, &world->options, NULL, &world->result, &world->error),
			 0);
	assert_true(world->result.stored_bytes < MIB / 2);
	bt_store_close(store);
	return false;
}

static void test_snapshot_beside(void **state)
{
	struct world *world = *state;
	struct beside beside = {.world = world, .act = take_another};

	take_two(world, MIB, MIB);
	assert_int_equal(prune_with(world, 1, NULL, &beside, NULL), 0);
	assert_true(beside.done);
	world_compare(world);
}

/*
 * As an old program without the lock for those that prune, or a person, would do it: the new volume is deleted before
 * the old one is. The lock is held so that there is time for it.
 */
static bool take_copy_away(struct beside *beside)
{
	struct world *world = beside->world;
	char directory[256], **names;
	struct bt_store *store;

	if (volumes(world) == 0)
		return false;
	if (beside->lock < 0) {
		store = open_another(world, 0);
		assert_int_equal(bt_store_lock(store, BT_LOCK_SHARED, NULL, &beside->lock, NULL), 0);
		bt_store_close(store);
	}
	if (volumes(world) == 1)
		return false;
	snprintf(directory, sizeof(directory), "%s/contents", world->store_path);
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t count = list_names(directory, &names), newest = 0;
	for (size_t i = 1; i < count; i++) {
		struct stat one, other;

		assert_int_equal(fstatat(fd, names[i], &one, 0), 0);
		assert_int_equal(fstatat(fd, names[newest], &other, 0), 0);
		if (one.st_size < other.st_size)
			newest = i;
	}
	assert_int_equal(unlinkat(fd, names[newest], 0), 0);
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
	close(fd);
	close(beside->lock);
	beside->done = true;
	return false;
}

static void test_what_is_counted_on_goes(void **state)
{
	struct world *world = *state;
	struct beside beside = {.world = world, .act = take_copy_away, .lock = -1};

	take_two(world, MIB, MIB);
	assert_int_equal(prune_with(world, 1, NULL, &beside, NULL), 0);
	assert_true(beside.done);
	assert_int_equal(volumes(world), 1);
	world_compare(world);
}

static bool cancel(struct beside *beside)
{
	return beside->asked >= beside->cancel_at;
}

static void test_cancelled_anywhere(void **state)
{
	struct world *world = *state;
	struct beside beside = {.act = cancel};
	struct bt_prune_result did;
	int r = BT_E_CANCELLED;

	take_two(world, MIB, 3 * MIB);
	while (r) {
		int64_t before = store_bytes(world);

		beside = (struct beside){.act = cancel, .cancel_at = beside.cancel_at + 1};
		r = prune_with(world, 1, NULL, &beside, &did);
		assert_in_range(did.files_deleted + did.files_rewritten, 0, 3);
		assert_int_equal(did.freed_bytes, before - store_bytes(world));
		assert_true(!r || r == BT_E_CANCELLED);
		assert_int_equal(count_in_store(world, "contents", ".tmp"), 0);
		world_compare(world);
	}
	assert_in_range(beside.cancel_at, 5, 1000);
	assert_int_equal(volumes(world), 1);
}

static void test_one_at_a_time(void **state)
{
	struct world *world = *state;
	struct bt_prune_result result = {.size = sizeof(result), .removed = 7};
	struct bt_store *store;
	const char *name;
	int lock;

	take_two(world, MIB, MIB);
	store = open_another(world, 0);
	name = bt_store_snapshot_name(store, 0);
	assert_int_equal(bt_store_lock(store, BT_LOCK_PRUNER, NULL, &lock, NULL), 0);
	assert_int_equal(bt_prune(store, &name, 1, NULL, NULL, &result, &world->error), BT_E_LOCKED);
	assert_string_equal(world->error.file, "lock");
	assert_non_null(strstr(world->error.detail, kernel_emulated() ? " (process " : "test_prune (process "));
	assert_int_equal(result.removed, 0);
	assert_int_equal(bt_prune(store, &name, 1,
				  &(struct bt_prune_options){.size = sizeof(struct bt_prune_options), .dry_run = true},
				  NULL, &result, NULL),
			 0);
	assert_int_equal(result.removed, 1);
	world_snap(world);
	close(lock);
	bt_store_close(store);
	assert_int_equal(prune_with(world, 2, NULL, NULL, &result), 0);
	assert_int_equal(result.removed, 1);
}

/* Both were to leave one, each another. */
static void test_nothing_would_be_left(void **state)
{
	struct world *world = *state;
	struct bt_store *slow;
	const char *name;

	take_two(world, MIB, MIB);
	slow = open_another(world, 0);
	name = bt_store_snapshot_name(slow, 1);
	assert_int_equal(prune_with(world, 1, NULL, NULL, NULL), 0);
	world->error = (struct bt_error){0};
	assert_int_equal(bt_prune(slow, &name, 1, NULL, NULL, NULL, &world->error), BT_E_NOT_FOUND);
	bt_store_close(slow);
	world_compare(world);
}

/* A store that stays open reads on from files that others have removed; no snapshot may count on them. */
static void test_what_comes_back(void **state)
{
	struct world *world = *state;
	struct bt_prune_result result;

	put_text(world, "a", "a");
	put_dir(world, "d");
	world_snap(world);
	put_noise(world, "x", 4000, 1);
	put_noise(world, "d/y", 3 * MIB, 2);
	world_snap(world);
	assert_int_equal(rename(in_source(world, "x"), in_source(world, "../x")), 0);
	assert_int_equal(rename(in_source(world, "d/y"), in_source(world, "../y")), 0);
	world_snap(world);
	assert_int_equal(prune_with(world, 1, NULL, NULL, &result), 0);
	world_snap(world);
	assert_int_equal(rename(in_source(world, "../x"), in_source(world, "x")), 0);
	assert_int_equal(rename(in_source(world, "../y"), in_source(world, "d/y")), 0);
	world_snap(world);
	assert_int_equal(world->result.new_bytes, 4000 + 3 * MIB);
	world_compare(world);
}

/* A snapshot that is to go gets a tag while the prune waits for the lock. */
static bool tag_what_goes(struct beside *beside)
{
	const char *const tags[] = {"keep"};
	struct world *world = beside->world;
	struct bt_store *store = open_another(world, 0);
	int r;

	close(beside->lock);
	r = bt_snapshot_retag(store, bt_store_snapshot_name(store, 0),
			      &(struct bt_tag_change){.add = tags, .add_count = 1}, NULL, NULL);
	beside->done = !r;
	if (r) { /* it does not wait yet */
		assert_int_equal(r, BT_E_LOCKED);
		assert_int_equal(bt_store_lock(store, BT_LOCK_SHARED, NULL, &beside->lock, NULL), 0);
	}
	bt_store_close(store);
	return false;
}

static void test_tagged_while_it_waits(void **state)
{
	struct world *world = *state;
	struct beside beside = {.world = world, .act = tag_what_goes};
	struct bt_prune_result result;
	struct bt_store *store;

	take_two(world, MIB, MIB);
	put_noise(world, "more", MIB, 9);
	world_snap(world);
	store = open_another(world, 0);
	assert_int_equal(bt_store_lock(store, BT_LOCK_SHARED, NULL, &beside.lock, NULL), 0);
	assert_int_equal(prune_with(world, 1, NULL, &beside, &result), BT_E_INCOMPLETE);
	assert_true(beside.done);
	assert_int_equal(result.removed, 1);
	assert_int_equal(result.replaced, 1);
	assert_string_equal(world->error.file, bt_store_snapshot_name(store, 0));
	bt_store_close(store);
	assert_int_equal(count_in_store(world, ".", ".json"), 2);
	store = open_another(world, 0);
	assert_int_equal(bt_check(store, NULL, NULL, NULL, NULL, NULL, NULL), 0);
	bt_store_close(store);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		EACH(test_below_the_threshold),
		EACH(test_above_the_threshold),
		EACH(test_small_volume),
		EACH(test_so_much_at_a_time),
		EACH(test_blocks_are_copied_as_text),
		EACH(test_mostly_dead_blocks_are_packed_anew),
		EACH(test_small_volumes_are_gathered),
		EACH(test_damaged_volume),
		EACH(test_snapshot_beside),
		EACH(test_what_is_counted_on_goes),
		EACH(test_cancelled_anywhere),
		EACH(test_one_at_a_time),
		EACH(test_nothing_would_be_left),
		EACH(test_what_comes_back),
		EACH(test_tagged_while_it_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
