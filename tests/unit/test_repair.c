/* SPDX-License-Identifier: MIT */
#include "base/lock.h"
#include "snapshot_world.h"
#include <backuptool/check.h>
#include <backuptool/prune.h>
#include <backuptool/restore.h>
#include <malloc.h>

/* Sanitized, a smaller sample must do. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STRIDE 1511
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STRIDE 1511
#endif
#endif
#ifndef STRIDE
#define STRIDE 97
#endif

struct seen {
	unsigned found, done, lost;
	char text[16384]; /* a line for each thing done, and for each path lost */
};

static void add(struct seen *seen, const char *text)
{
	size_t used = strlen(seen->text);

	assert_true(used + strlen(text) < sizeof(seen->text));
	strcpy(seen->text + used, text);
}

static void note_found(void *arg, const struct bt_finding *finding)
{
	struct seen *seen = arg;

	seen->found++;
}

static void note_done(void *arg, const struct bt_repair *repair)
{
	static const char *const words[] = {"rewritten", "aside", "renamed"};
	struct seen *seen = arg;
	char line[512];

	seen->done++;
	snprintf(line, sizeof(line), "%s %s %s\n", words[repair->action], repair->file, repair->to ? repair->to : "-");
	add(seen, line);
}

static void note_lost(void *arg, const struct bt_hurt *hurt)
{
	struct seen *seen = arg;
	char line[512];

	seen->lost++;
	snprintf(line, sizeof(line), "lost %s:%s\n", hurt->snapshot, hurt->path ? hurt->path : "*");
	add(seen, line);
}

/* A repair of the store opened anew. */
static int repair(struct world *world, bool dry_run, struct seen *seen, struct bt_repair_result *result)
{
	const struct bt_repair_options options = {.size = sizeof(options),
						  .dry_run = dry_run,
						  .threads = 1,
						  .arg = seen,
						  .found = note_found,
						  .done = note_done,
						  .lost = note_lost};
	struct bt_store *store;

	*seen = (struct seen){0};
	world->error = (struct bt_error){0};
	assert_int_equal(bt_store_open(world->store_path, NULL, &store, &world->error), 0);
	int r = bt_repair(store, &options, NULL, NULL, result, &world->error);
	bt_store_close(store);
	assert_int_equal(result->lost, seen->lost);
	assert_int_equal(result->rewritten + result->aside + result->renamed, seen->done);
	return r;
}

static void note_findings(void *arg, const struct bt_finding *finding)
{
	struct seen *seen = arg;

	seen->found++;
	add(seen, bt_reason_name(finding->error->reason));
	for (size_t i = 0; i < finding->hurt_count; i++) {
		add(seen, " ");
		add(seen, finding->hurts[i].snapshot);
		add(seen, ":");
		add(seen, finding->hurts[i].path ? finding->hurts[i].path : "*");
	}
	add(seen, "\n");
}

static unsigned check(struct world *world, struct seen *seen)
{
	const struct bt_check_options serial = {.size = sizeof(serial), .threads = 1};
	struct bt_store *store;

	*seen = (struct seen){0};
	world->error = (struct bt_error){0};
	assert_int_equal(bt_store_open(world->store_path, NULL, &store, &world->error), 0);
	int r = bt_check(store, &serial, note_findings, seen, NULL, NULL, &world->error);
	bt_store_close(store);
	assert_int_equal(r, seen->found ? BT_E_DAMAGED : 0);
	return seen->found;
}

static const char *in_store(const struct world *world, const char *name)
{
	static char paths[4][512];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", world->store_path, name);
	return path;
}

/* A store's files in memory, to begin with them again and again. */
struct kept {
	char names[3][64];
	unsigned char *data[3];
	size_t size[3];
	struct timespec mtime[3];
};

static unsigned char *slurp(const char *path, size_t *ret_size)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	unsigned char *data = malloc((size_t)st.st_size + 1);
	assert_int_equal(read(fd, data, (size_t)st.st_size), st.st_size);
	close(fd);
	*ret_size = (size_t)st.st_size;
	return data;
}

static void put_back(const struct world *world, const struct kept *kept)
{
	remove_tree(world->store_path);
	assert_int_equal(mkdir(world->store_path, 0700), 0);
	assert_int_equal(mkdir(in_store(world, "contents"), 0700), 0);
	for (int i = 0; i < 3; i++) {
		const struct timespec times[2] = {kept->mtime[i], kept->mtime[i]};

		write_file(in_store(world, kept->names[i]), kept->data[i], kept->size[i]);
		assert_int_equal(utimensat(AT_FDCWD, in_store(world, kept->names[i]), times, 0), 0);
	}
}

/* Two snapshots and a volume; the second snapshot needs all three files. All pages know what unchanged means. */
static void make_small(struct world *world, struct kept *kept)
{
	char oldest[64], **names;

	world_begin(world);
	put_text(world, "a.txt", "in the volume");
	put_dir(world, "below");
	put_text(world, "below/b.txt", "in the volume, too");
	put_noise(world, "below/large", 300000, 5);
	age();
	world_snap(world);
	snprintf(oldest, sizeof(oldest), "%s", world->result.name);
	put_text(world, "c.txt", "in the first");
	age();
	world_snap(world);
	snprintf(kept->names[0], sizeof(kept->names[0]), "%s", world->result.name);
	put_text(world, "d.txt", "in the second");
	age();
	world_snap(world);
	snprintf(kept->names[1], sizeof(kept->names[1]), "%s", world->result.name);
	assert_int_equal(bt_store_refresh(world->store, NULL), 0);
	const char *removed = oldest;
	assert_int_equal(bt_prune(world->store, &removed, 1, NULL, NULL, NULL, &world->error), 0);
	bt_store_close(world->store);
	world->store = NULL;
	assert_int_equal(list_names(in_store(world, "contents"), &names), 1);
	snprintf(kept->names[2], sizeof(kept->names[2]), "contents/%.50s", names[0]);
	free(names[0]);
	free(names);
	for (int i = 0; i < 3; i++) {
		struct stat st;

		assert_int_equal(stat(in_store(world, kept->names[i]), &st), 0);
		kept->mtime[i] = st.st_mtim;
		kept->data[i] = slurp(in_store(world, kept->names[i]), &kept->size[i]);
	}
}

static void free_small(struct world *world, struct kept *kept)
{
	for (int i = 0; i < 3; i++)
		free(kept->data[i]);
	world_end(world);
}

static void ignore_problem(void *arg, const char *path, const struct bt_error *error)
{
}

/* How many of both snapshots' regular files come back right; none may come back wrong. */
static unsigned count_right(struct world *world, const struct kept *kept)
{
	static const char *const paths[] = {"a.txt", "below/b.txt", "below/large", "c.txt", "d.txt"};
	const struct bt_observer observer = {.problem = ignore_problem};
	struct bt_store *store;
	unsigned right = 0;

	assert_int_equal(bt_store_open(world->store_path, NULL, &store, NULL), 0);
	for (int i = 0; i < 2; i++) {
		struct bt_snapshot *snapshot;
		char output[128], path[256];

		if (bt_snapshot_open(store, kept->names[i], &snapshot, NULL))
			continue;
		snprintf(output, sizeof(output), "%s/output", world->base);
		bt_restore(store, snapshot, output, NULL, &observer, NULL, NULL);
		bt_snapshot_close(snapshot);
		for (size_t k = 0; k < 5; k++) {
			size_t sizes[2];

			snprintf(path, sizeof(path), "%s/%s", output, paths[k]);
			if (access(path, F_OK))
				continue;
			unsigned char *one = slurp(path, &sizes[0]),
				      *two = slurp(in_source(world, paths[k]), &sizes[1]);
			assert_int_equal(sizes[0], sizes[1]);
			assert_memory_equal(one, two, sizes[0]);
			free(one);
			free(two);
			right++;
		}
		remove_tree(output);
	}
	bt_store_close(store);
	return right;
}

static void snap_again(struct world *world)
{
	world_open_store(world);
	world_snap(world);
	bt_store_close(world->store);
	world->store = NULL;
}

static bool same_bytes(const struct world *world, const char *name, const unsigned char *data, size_t size)
{
	size_t found;
	unsigned char *bytes = slurp(in_store(world, name), &found);
	bool same = found == size && !memcmp(bytes, data, size);

	free(bytes);
	return same;
}

/* The store after damage and repair: nothing damaged is left in it, what was damaged is still there, aside, no more is
 * lost than was; and with the next snapshot all is whole again, but for pages and snapshots that only that file had. */
static void expect_mended(struct world *world, const struct kept *kept, int file, const unsigned char *damaged,
			  size_t size)
{
	struct seen seen, after;
	struct bt_repair_result result = {.size = sizeof(result)};
	unsigned before = count_right(world, kept);
	const char *last = strrchr(kept->names[file], '/');
	char aside[128];

	int r = repair(world, false, &seen, &result);
	if (!seen.found || seen.done != 1 || r != (seen.lost || result.snapshots_lost ? BT_E_INCOMPLETE : 0))
		fail_msg("%u findings, result %d:\n%s", seen.found, r, seen.text);
	snprintf(aside, sizeof(aside), "damaged/%s", last ? last + 1 : kept->names[file]);
	assert_true(same_bytes(world, aside, damaged, size));
	check(world, &after);
	if (strstr(after.text, "mismatch") || strstr(after.text, "bad-") || !after.found != !seen.lost)
		fail_msg("after repair:\n%sfindings:\n%s", seen.text, after.text);
	assert_true(count_right(world, kept) >= before);
	snap_again(world);
	check(world, &after);
	for (char *line = strtok(after.text, "\n"); line; line = strtok(NULL, "\n")) {
		/* the root's page of a snapshot is in no other */
		char *colon = strrchr(line, ':');

		if (strncmp(line, "missing-page ", 13) || !colon || colon[1])
			fail_msg("after the next snapshot: %s\nrepair:\n%s", line, seen.text);
	}
}

static void test_flips(void **state)
{
	struct world world;
	struct kept kept;

	make_small(&world, &kept);
	for (int file = 0; file < 3; file++) {
		size_t size = kept.size[file], bits = size * 8;
		unsigned char *data = kept.data[file];

		/* most of the volume is one block of noise */
		for (size_t bit = 0; bit < bits;
		     bit += (size_t)STRIDE * (size > 100000 && bit / 8 > 2000 && bit / 8 < size - 4000 ? 1000 : 1)) {
			data[bit / 8] ^= (unsigned char)(1 << bit % 8);
			put_back(&world, &kept);
			expect_mended(&world, &kept, file, data, size);
			data[bit / 8] ^= (unsigned char)(1 << bit % 8);
		}
	}
	free_small(&world, &kept);
}

static void test_truncations(void **state)
{
	struct world world;
	struct kept kept;

	make_small(&world, &kept);
	for (int file = 0; file < 3; file++) {
		size_t size = kept.size[file];

		for (size_t at = 0; at < size; at += at < size - 4000 && at > 4000 ? 50000 : STRIDE * 3) {
			kept.size[file] = at;
			put_back(&world, &kept);
			expect_mended(&world, &kept, file, kept.data[file], at);
		}
		kept.size[file] = size;
	}
	free_small(&world, &kept);
}

/* Lists and end are damaged, blocks and pages are not: all of it is found again. */
static void test_lists_lost(void **state)
{
	static const char *const places[] = {"\"contents\":[", "\"tree_index\":[", "\"index_sha256\":\"",
					     "\"open_sha256\":\""};
	struct world world;
	struct kept kept;
	struct seen seen;
	struct bt_repair_result result = {.size = sizeof(result)};

	make_small(&world, &kept);
	for (size_t i = 0; i < 4; i++) {
		unsigned char *at = memmem(kept.data[2], kept.size[2], places[i], strlen(places[i]));

		assert_non_null(at);
		at += strlen(places[i]) - 3;
		*at ^= 1;
		put_back(&world, &kept);
		assert_int_equal(repair(&world, false, &seen, &result), 0);
		assert_int_equal(result.aside, 1);
		assert_int_equal(check(&world, &seen), 0);
		assert_int_equal(count_right(&world, &kept), 9);
		*at ^= 1;
	}
	free_small(&world, &kept);
}

/* The end of the line before an intact summary: the snapshot stays. */
static void test_summary_after_damage(void **state)
{
	struct world world;
	struct kept kept;
	struct seen seen;
	struct bt_repair_result result = {.size = sizeof(result)};

	make_small(&world, &kept);
	char *at = memmem(kept.data[0], kept.size[0], "\n\"summary\":", 11);
	*at ^= 1;
	put_back(&world, &kept);
	assert_int_equal(repair(&world, false, &seen, &result), 0);
	assert_int_equal(check(&world, &seen), 0);
	free_small(&world, &kept);
}

/* A kill leaves a second name in damaged/ and a new volume: the next repair ends it. Names there are never taken away.
 */
static void test_again(void **state)
{
	struct world world;
	struct kept kept;
	struct seen seen;
	struct bt_repair_result result = {.size = sizeof(result)};
	char aside[128];
	const char *name;

	make_small(&world, &kept);
	name = strrchr(kept.names[2], '/') + 1;
	kept.data[2][kept.size[2] / 2] ^= 1;
	put_back(&world, &kept);
	assert_int_equal(mkdir(in_store(&world, "damaged"), 0700), 0);
	snprintf(aside, sizeof(aside), "damaged/%s", name);
	assert_int_equal(link(in_store(&world, kept.names[2]), in_store(&world, aside)), 0);
	write_file(in_store(&world, ".tmp-repaired"), "x", 1);
	assert_int_equal(repair(&world, false, &seen, &result), BT_E_INCOMPLETE);
	assert_true(same_bytes(&world, aside, kept.data[2], kept.size[2]));
	assert_int_equal(repair(&world, false, &seen, &result), BT_E_INCOMPLETE); /* there is nothing more to do */
	assert_int_equal(seen.done, 0);
	/* the same file once more, with other damage */
	kept.data[2][kept.size[2] / 2] ^= 3;
	put_back(&world, &kept);
	assert_int_equal(mkdir(in_store(&world, "damaged"), 0700), 0);
	write_file(in_store(&world, aside), "taken", 5);
	assert_int_equal(repair(&world, false, &seen, &result), BT_E_INCOMPLETE);
	assert_true(same_bytes(&world, aside, (const unsigned char *)"taken", 5));
	snprintf(aside, sizeof(aside), "damaged/%s.1", name);
	assert_true(same_bytes(&world, aside, kept.data[2], kept.size[2]));
	free_small(&world, &kept);
}

static void test_dry_run(void **state)
{
	struct world world;
	struct kept kept;
	struct seen seen;
	struct bt_repair_result result = {.size = sizeof(result)};
	char expected[256];

	make_small(&world, &kept);
	assert_int_equal(repair(&world, true, &seen, &result), 0);
	assert_int_equal(repair(&world, false, &seen, &result), 0);
	assert_int_equal(seen.done, 0);
	assert_int_not_equal(access(in_store(&world, "damaged"), F_OK), 0);
	kept.data[0][20] ^= 1;
	kept.data[2][kept.size[2] / 2] ^= 1;
	put_back(&world, &kept);
	assert_int_equal(repair(&world, true, &seen, &result), BT_E_DAMAGED);
	snprintf(expected, sizeof(expected), "aside %s -\naside %s -\n", kept.names[0], kept.names[2]);
	char swapped[256];
	snprintf(swapped, sizeof(swapped), "aside %s -\naside %s -\n", kept.names[2], kept.names[0]);
	assert_true(!strncmp(seen.text, expected, strlen(expected)) || !strncmp(seen.text, swapped, strlen(swapped)));
	uint64_t most = result.lost;
	assert_int_not_equal(most, 0);
	assert_int_equal(result.snapshots_lost, 1);
	assert_int_not_equal(access(in_store(&world, "damaged"), F_OK), 0);
	for (int i = 0; i < 3; i++)
		assert_true(same_bytes(&world, kept.names[i], kept.data[i], kept.size[i]));
	assert_int_equal(repair(&world, false, &seen, &result), BT_E_INCOMPLETE);
	assert_true(result.lost <= most);
	free_small(&world, &kept);
}

/* Two snapshots have each other's names. */
static void test_exchanged(void **state)
{
	char first[64], second[64];
	struct world world;
	struct seen seen;
	struct bt_repair_result result = {.size = sizeof(result)};

	world_begin(&world);
	put_text(&world, "a", "1");
	world_snap(&world);
	snprintf(first, sizeof(first), "%s", world.result.name);
	usleep(1100000);
	put_text(&world, "b", "2");
	world_snap(&world);
	snprintf(second, sizeof(second), "%s", world.result.name);
	assert_int_equal(rename(in_store(&world, first), in_store(&world, "aside")), 0);
	assert_int_equal(rename(in_store(&world, second), in_store(&world, first)), 0);
	assert_int_equal(rename(in_store(&world, "aside"), in_store(&world, second)), 0);
	assert_int_equal(repair(&world, false, &seen, &result), 0);
	assert_int_equal(result.renamed, 2);
	assert_int_equal(check(&world, &seen), 0);
	assert_int_equal(repair(&world, false, &seen, &result), 0);
	assert_int_equal(result.renamed, 0);
	world_end(&world);
}

/* A store that stays open has seen what is lost since, and remembers it: the next snapshot writes it again. */
static void test_healed_by_an_open_store(void **state)
{
	struct world world;
	struct seen seen;
	struct bt_repair_result result = {.size = sizeof(result)};
	size_t size;

	world_begin(&world);
	world.options.skip_if_unchanged = true;
	put_text(&world, "a", "a");
	put_dir(&world, "d");
	put_dir(&world, "d/e");
	put_text(&world, "d/e/unique", "b");
	age();
	world_snap(&world);
	char *path = strdup(in_store(&world, world.result.name));
	world_snap(&world);
	assert_true(world.result.skipped);
	unsigned char *data = slurp(path, &size);
	unsigned char *name = memmem(data, size, "unique", 6);
	assert_non_null(name);
	*name = 'U';
	write_file(path, data, size);
	assert_int_equal(repair(&world, false, &seen, &result), BT_E_INCOMPLETE);
	assert_int_not_equal(check(&world, &seen), 0);
	world_snap(&world);
	assert_false(world.result.skipped);
	assert_int_equal(check(&world, &seen), 0);
	free(path);
	free(data);
	world_end(&world);
}

/* What cannot be read for want of rights is no damage, and nobody moves it. */
static void test_forbidden(void **state)
{
	struct world world;
	struct kept kept;
	struct seen seen;
	struct bt_repair_result result = {.size = sizeof(result)};

	make_small(&world, &kept);
	kept.data[0][20] ^= 1;
	put_back(&world, &kept);
	if (geteuid() == 0) { /* root may read everything, but no file that is none */
		assert_int_equal(chown(world.store_path, 65534, 65534), 0);
		assert_int_equal(chown(in_store(&world, "contents"), 65534, 65534), 0);
		for (int i = 0; i < 3; i++)
			assert_int_equal(chown(in_store(&world, kept.names[i]), 65534, 65534), 0);
		assert_int_equal(chmod(world.base, 0755), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	assert_int_equal(chmod(in_store(&world, kept.names[2]), 0), 0);
	int r = repair(&world, false, &seen, &result);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(r, BT_E_SYSTEM);
	assert_int_equal(world.error.sys, EACCES);
	assert_int_equal(seen.done, 0);
	assert_true(same_bytes(&world, kept.names[0], kept.data[0], kept.size[0]));
	free_small(&world, &kept);
}

/* A reader shares the store's first byte and nothing else. */
static void test_in_use(void **state)
{
	struct world world;
	struct kept kept;
	struct seen seen;
	struct bt_repair_result result = {.size = sizeof(result)};

	make_small(&world, &kept);
	kept.data[0][20] ^= 1;
	put_back(&world, &kept);
	int dirfd = open(world.store_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), lock;
	assert_int_equal(bt_lock_take(dirfd, "lock", BT_LOCK_SHARED, &(struct bt_lock_wait){0}, &lock, NULL), 0);
	assert_int_equal(repair(&world, false, &seen, &result), BT_E_LOCKED);
	assert_int_equal(seen.found, 0);
	close(lock);
	close(dirfd);
	assert_int_equal(repair(&world, false, &seen, &result), BT_E_INCOMPLETE);
	free_small(&world, &kept);
}

/* damaged/ leads out of the store: nothing is put there, and what is damaged stays where it is. */
static void test_damaged_is_a_link(void **state)
{
	struct world world;
	struct kept kept;
	struct seen seen;
	struct bt_repair_result result = {.size = sizeof(result)};
	char outside[128];

	make_small(&world, &kept);
	kept.data[0][20] ^= 1;
	put_back(&world, &kept);
	snprintf(outside, sizeof(outside), "%s/outside", world.base);
	assert_int_equal(mkdir(outside, 0700), 0);
	assert_int_equal(symlink(outside, in_store(&world, "damaged")), 0);
	assert_int_equal(repair(&world, false, &seen, &result), BT_E_SYSTEM);
	assert_string_equal(world.error.file, "damaged");
	assert_int_equal(rmdir(outside), 0); /* empty */
	assert_true(same_bytes(&world, kept.names[0], kept.data[0], kept.size[0]));
	free_small(&world, &kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flips),
		cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_lists_lost),
		cmocka_unit_test(test_summary_after_damage),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_dry_run),
		cmocka_unit_test(test_healed_by_an_open_store),
		cmocka_unit_test(test_exchanged),
		cmocka_unit_test(test_forbidden),
		cmocka_unit_test(test_in_use),
		cmocka_unit_test(test_damaged_is_a_link),
	};

	mallopt(M_MMAP_THRESHOLD, 64 << 20);
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
