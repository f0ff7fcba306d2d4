/* SPDX-License-Identifier: MIT */
/* Snapshots by one who may not read, in a store that fails, beside others, with little memory. */
#include "kernel.h"
#include "snapshot_hooked.h"
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <zstd.h>

static void test_unreadable(void **state)
{
	struct hooked hooked;
	struct world *world = &hooked.world;
	bool root = geteuid() == 0;
	struct looked looked;

	hooked_begin(&hooked);
	put_text(world, "file", "x");
	put_noise(world, "large", MIB, 1);
	put_dir(world, "dir");
	put_text(world, "dir/below", "x");
	put_text(world, "readable", "x");
	assert_int_equal(chmod(in_source(world, "file"), 0), 0);
	assert_int_equal(chmod(in_source(world, "large"), 0), 0);
	assert_int_equal(chmod(in_source(world, "dir"), 0), 0);
	if (root) {
		char contents[512];

		snprintf(contents, sizeof(contents), "%s/contents", world->store_path);
		assert_int_equal(chmod(world->base, 0755), 0);
		bt_store_close(world->store);
		world->store = NULL;
		assert_int_equal(chown(world->store_path, 65534, 65534), 0);
		assert_int_equal(chown(contents, 65534, 65534), 0);
		assert_int_equal(seteuid(65534), 0);
		world_open_store(world);
	}
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(hooked_take(&hooked, NULL), BT_E_INCOMPLETE);
		assert_int_equal(world->result.errors, 3);
		assert_int_equal(world->problems, 3);
		assert_int_equal(world->problem.sys, EACCES);
		looked = look_up(world, "dir");
		assert_string_equal(looked.entry->extra->error, "EACCES");
		drop_entry(world, &looked);
		looked = look_up(world, "large");
		assert_string_equal(looked.entry->extra->error, "EACCES");
		assert_int_equal(looked.entry->size, MIB);
		drop_entry(world, &looked);
		looked = look_up(world, "readable");
		check_readable(world, looked.entry);
		drop_entry(world, &looked);
	}
	if (root)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod(in_source(world, "file"), 0600), 0);
	assert_int_equal(chmod(in_source(world, "large"), 0600), 0);
	assert_int_equal(chmod(in_source(world, "dir"), 0700), 0);
	world_open_store(world);
	world_snap(world);
	world_compare(world);
	hooked_end(&hooked);
}

static size_t count_fds(void)
{
	char **names;
	size_t count = list_names("/proc/self/fd", &names);

	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return count;
}

static void check_nothing_left(struct world *world)
{
	assert_int_equal(count_in_store(world, "", ".json"), 0);
	char **names, path[256];

	snprintf(path, sizeof(path), "%s", world->store_path);
	size_t count = list_names(path, &names);
	for (size_t i = 0; i < count; i++) {
		assert_null(strstr(names[i], ".tmp-"));
		free(names[i]);
	}
	free(names);
}

static void put_many(struct world *world)
{
	char name[64];

	for (unsigned d = 0; d < 10; d++) {
		snprintf(name, sizeof(name), "d%u", d);
		put_dir(world, name);
		for (unsigned i = 0; i < 10; i++) {
			snprintf(name, sizeof(name), "d%u/f%u", d, i);
			put_noise(world, name, 100000, 100 * d + i);
		}
	}
}

static uint64_t size_of_volumes(const struct world *world)
{
	char path[256], **names;
	struct stat status;
	uint64_t size = 0;

	snprintf(path, sizeof(path), "%s/contents", world->store_path);
	size_t count = list_names(path, &names);
	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/contents/%s", world->store_path, names[i]);
		assert_int_equal(stat(path, &status), 0);
		size += (uint64_t)status.st_size;
		free(names[i]);
	}
	free(names);
	return size;
}

/* Stopped after so many questions: nothing remains but volumes, whose size is told, and those are not written again. */
static void test_cancelled(void **state)
{
	struct hooked hooked;
	uint64_t kept = 0;

	hooked_begin(&hooked);
	put_many(&hooked.world);
	hooked.world.options.volume_size = MIB;
	hooked.world.options.threads = 2;
	assert_int_equal(hooked_take(&hooked, NULL), 0);
	unsigned calls = hooked.calls;
	for (unsigned i = 1; i <= 8; i++) {
		world_end(&hooked.world);
		hooked_begin(&hooked);
		put_many(&hooked.world);
		hooked.world.options.volume_size = MIB;
		hooked.world.options.threads = i % 2 + 1;
		hooked.cancel_at = i == 8 ? calls - 1 : calls * i / 8;
		size_t fds = count_fds();
		assert_int_equal(hooked_take(&hooked, NULL), BT_E_CANCELLED);
		assert_true(count_fds() <= fds + 8); /* the store's own: its directories, segments of its index */
		check_nothing_left(&hooked.world);
		assert_int_equal(hooked.world.result.written_bytes, size_of_volumes(&hooked.world));
		hooked.cancel_at = 0;
		world_snap(&hooked.world);
		kept += 10000000 - hooked.world.result.new_bytes;
		world_compare(&hooked.world);
	}
	assert_true(kept >= 4000000);
	hooked_end(&hooked);
}

static void *take_one(void *arg)
{
	struct world *world = arg;

	world_take(world);
	return NULL;
}

/* Two at a time into one store. */
static void test_side_by_side(void **state)
{
	struct world one, other;
	pthread_t threads[2];

	world_begin(&one);
	world_begin(&other);
	put_many(&one);
	put_many(&other);
	put_text(&other, "only here", "x");
	snprintf(other.store_path, sizeof(other.store_path), "%s", one.store_path);
	world_open_store(&other);
	one.options.volume_size = other.options.volume_size = MIB;
	assert_int_equal(pthread_create(&threads[0], NULL, take_one, &one), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, take_one, &other), 0);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	assert_int_equal(one.error.code, 0);
	assert_int_equal(other.error.code, 0);
	assert_string_not_equal(one.result.name, other.result.name);
	world_compare(&one);
	world_compare(&other);
	world_end(&other);
	world_end(&one);
}

/* In a child: what it did is told by its status. */
enum { CHILD_OK, CHILD_WRONG, CHILD_CANNOT };

static int run_child(int (*body)(struct world *world, size_t parameter), struct world *world, size_t parameter)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(body(world, parameter));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static bool any_left(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *record;
	bool any = false;

	for (record = dir ? readdir(dir) : NULL; record; record = readdir(dir))
		any |= strstr(record->d_name, ".json") || strstr(record->d_name, ".tmp-");
	if (dir)
		closedir(dir);
	return any;
}

static int fill_disk(struct world *world, size_t kib)
{
	const struct bt_store_options options = {.size = sizeof(options), .create = true};
	struct bt_error error = {0};
	char size[32];

	snprintf(size, sizeof(size), "size=%zuk", kib);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", world->store_path, "tmpfs", 0, size) < 0)
		return CHILD_CANNOT;
	bt_store_close(world->store);
	if (bt_store_open(world->store_path, &options, &world->store, &error) != 0)
		return CHILD_WRONG;
	int r = bt_snapshot_take(world->store, world->source, &world->options, &world->observer, &world->result,
				 &error);
	if (r != BT_E_SYSTEM || error.sys != ENOSPC || any_left(world->store_path))
		return CHILD_WRONG;
	bt_store_close(world->store);
	/* And the disk is as free as it was: what fits can be stored. */
	if (kib < 512)
		return CHILD_OK;
	char below[160];
	snprintf(below, sizeof(below), "%s/d0", world->source);
	error = (struct bt_error){0};
	if (bt_store_open(world->store_path, &options, &world->store, &error) != 0)
		return CHILD_WRONG;
	world->options.exclude_count = 0;
	r = bt_snapshot_take(world->store, below, &world->options, &world->observer, &world->result, &error);
	bt_store_close(world->store);
	return !r || kib < 2048 ? CHILD_OK : CHILD_WRONG;
}

static void test_full_disk(void **state)
{
	static const size_t kib[] = {16, 100, 700, 2048, 5000, 9000};
	struct world world;

	world_begin(&world);
	put_many(&world);
	for (size_t i = 0; i < sizeof(kib) / sizeof(*kib); i++) {
		world.options.threads = (unsigned)i % 2 + 1;
		int status = run_child(fill_disk, &world, kib[i]);

		if (status == CHILD_CANNOT) {
			world_end(&world);
			print_message("no private mounts here: a full disk was not tried\n");
			skip();
		}
		assert_int_equal(status, CHILD_OK);
	}
	world_end(&world);
}

static int measure_memory(struct world *world, size_t limit_kib)
{
	struct rusage usage;
	struct bt_error error = {0};

	if (bt_snapshot_take(world->store, world->source, &world->options, &world->observer, &world->result, &error) !=
	    0)
		return CHILD_WRONG;
	getrusage(RUSAGE_SELF, &usage);
	if ((size_t)usage.ru_maxrss <= limit_kib)
		return CHILD_OK;
	print_error("%u threads: peak %ld KiB\n", world->options.threads, usage.ru_maxrss);
	return CHILD_WRONG;
}

/* What zstd keeps for a thread that makes usual blocks. */
static size_t zstd_context_kib(void)
{
	unsigned char *data = noise(2 * MIB, 1), *frame = malloc(ZSTD_compressBound(2 * MIB));
	ZSTD_CCtx *context = ZSTD_createCCtx();

	assert_non_null(frame);
	assert_false(ZSTD_isError(
		ZSTD_compressCCtx(context, frame, ZSTD_compressBound(2 * MIB), data, 2 * MIB, ZSTD_CLEVEL_DEFAULT)));
	size_t size = ZSTD_sizeof_CCtx(context);
	ZSTD_freeCCtx(context);
	free(frame);
	free(data);
	return (size >> 10) + 1;
}

/* 64 MiB beyond zstd's own, however many processors there are. */
static void test_memory(void **state)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip();
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
	skip();
#endif
#endif
	static const unsigned threads[] = {2, 8, 32};
	const size_t context = zstd_context_kib();
	struct world world;
	char name[32];

	if (kernel_emulated())
		skip();
	world_begin(&world);
	put_noise(&world, "large", 120 * MIB, 1);
	put_dir(&world, "many");
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "many/%u", i);
		put_noise(&world, name, 3000, i);
	}
	for (size_t i = 0; i < sizeof(threads) / sizeof(*threads); i++) {
		bt_store_close(world.store);
		world.store = NULL;
		remove_tree(world.store_path);
		world_open_store(&world);
		world.options.threads = threads[i];
		assert_int_equal(run_child(measure_memory, &world, (64 << 10) + threads[i] * context), CHILD_OK);
	}
	world_end(&world);
}

int main(void)
{
	/* The one about memory comes first: its child's peak counts what the others would leave in this process. */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),	  cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_cancelled), cmocka_unit_test(test_side_by_side),
		cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
