/* SPDX-License-Identifier: MIT */
/* Snapshots of a tree that changes meanwhile, in a store that fails, by one who may not read. What changes does so from
 * within the observer, which is asked often whether to go on: so nothing depends on how fast anything is. */
#include "snapshot_world.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <zstd.h>

#define MIB ((size_t)1 << 20)

struct hooked {
	struct world world; /* first: the observer's arg */
	unsigned calls, cancel_at;
	void (*hook)(struct hooked *hooked);
	int fd;
};

static bool ask(void *arg)
{
	struct hooked *hooked = arg;

	hooked->calls++;
	if (hooked->hook)
		hooked->hook(hooked);
	return hooked->cancel_at > 0 && hooked->calls >= hooked->cancel_at;
}

static void begin(struct hooked *hooked)
{
	memset(hooked, 0, sizeof(*hooked));
	world_begin(&hooked->world);
	hooked->world.observer.cancelled = ask;
	hooked->world.options.threads = 1;
	hooked->fd = -1;
}

static int take(struct hooked *hooked, void (*hook)(struct hooked *hooked))
{
	hooked->calls = 0;
	hooked->hook = hook;
	int result = world_take(&hooked->world);
	hooked->hook = NULL;
	return result;
}

static void end(struct hooked *hooked)
{
	if (hooked->fd >= 0)
		close(hooked->fd);
	world_end(&hooked->world);
}

static void open_victim(struct hooked *hooked, const char *name)
{
	hooked->fd = open(in_source(&hooked->world, name), O_RDWR | O_APPEND | O_CLOEXEC);
	assert_true(hooked->fd >= 0);
}

/* All its bytes can be read, and are what its digest says. */
static void check_readable(struct world *world, const struct bt_entry *entry)
{
	unsigned char *data = malloc(entry->size + 1);
	struct bt_hasher *hasher = bt_hasher_new();
	struct bt_digest digest;
	struct bt_error error = {0};
	size_t got;

	assert_int_equal(bt_entry_pread(world->store, entry, data, entry->size, 0, &got, &error), 0);
	assert_int_equal(got, entry->size);
	assert_true(entry->has_digest);
	assert_int_equal(bt_hasher_digest(hasher, data, got, &digest), 0);
	assert_memory_equal(&digest, &entry->digest, sizeof(digest));
	bt_hasher_free(hasher);
	free(data);
}

static void check_torn(struct hooked *hooked, const char *name)
{
	struct looked looked = look_up(&hooked->world, name);

	assert_non_null(looked.entry);
	assert_true(looked.entry->extra && looked.entry->extra->torn);
	assert_false(looked.entry->has_stat);
	check_readable(&hooked->world, looked.entry);
	drop_entry(&hooked->world, &looked);
	assert_int_equal(hooked->world.result.errors, 1);
	assert_int_equal(hooked->world.problems, 1);
	assert_string_equal(hooked->world.problem_path, name);
}

static void append_always(struct hooked *hooked)
{
	assert_int_equal(write(hooked->fd, "more", 4), 4);
}

static void append_once(struct hooked *hooked)
{
	if (hooked->calls == 4)
		append_always(hooked);
}

static void shrink_always(struct hooked *hooked)
{
	off_t size = lseek(hooked->fd, 0, SEEK_END);

	if (size > 100000)
		assert_int_equal(ftruncate(hooked->fd, size - 100000), 0);
}

static void shrink_once(struct hooked *hooked)
{
	if (hooked->calls == 4)
		assert_int_equal(ftruncate(hooked->fd, 2 * MIB + 5), 0);
}

static void empty_once(struct hooked *hooked)
{
	if (hooked->calls == 4)
		assert_int_equal(ftruncate(hooked->fd, 0), 0);
}

static void test_torn_large(void **state)
{
	static void (*const always[])(struct hooked * hooked) = {append_always, shrink_always};
	struct hooked hooked;

	for (unsigned i = 0; i < 2; i++) {
		begin(&hooked);
		put_noise(&hooked.world, "log", 6 * MIB, 1);
		open_victim(&hooked, "log");
		assert_int_equal(take(&hooked, always[i]), BT_E_INCOMPLETE);
		check_torn(&hooked, "log");
		/* When it is quiet again, all is well, and what it was before does not matter. */
		age();
		world_snap(&hooked.world);
		world_compare(&hooked.world);
		end(&hooked);
	}
}

static void test_changed_once(void **state)
{
	static void (*const once[])(struct hooked * hooked) = {append_once, shrink_once, empty_once};
	struct hooked hooked;

	for (unsigned i = 0; i < 3; i++) {
		begin(&hooked);
		put_noise(&hooked.world, "log", 6 * MIB, 1);
		put_text(&hooked.world, "zzz", "behind it");
		open_victim(&hooked, "log");
		assert_int_equal(take(&hooked, once[i]), 0);
		world_compare(&hooked.world);
		end(&hooked);
	}
}

static void test_shrinking_sparse(void **state)
{
	struct hooked hooked;
	unsigned char *data = noise(3 * MIB, 3);

	begin(&hooked);
	int fd = open(in_source(&hooked.world, "image"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, 64 * MIB), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pwrite(fd, data, 3 * MIB, (off_t)((16 * i + 4) * MIB)), 3 * MIB);
	close(fd);
	open_victim(&hooked, "image");
	assert_int_equal(take(&hooked, shrink_always), BT_E_INCOMPLETE);
	check_torn(&hooked, "image");
	world_snap(&hooked.world);
	world_compare(&hooked.world);
	end(&hooked);
	free(data);
}

/* Reads of one file as a test wants them: what the engine calls is linked to this. */
static struct {
	ino_t inode; /* 0: none */
	unsigned reads;
	int writer;   /* writes a byte after each read, >= 0 */
	size_t limit; /* it ends here, whatever its size, > 0 */
} victim;

ssize_t __real_pread64(int fd, void *data, size_t length, off_t offset);
ssize_t __wrap_pread64(int fd, void *data, size_t length, off_t offset);

static void write_later(void)
{
	const struct timespec times[2] = {{0, UTIME_OMIT}, {1500000000 + victim.reads, 0}};

	assert_int_equal(pwrite(victim.writer, &victim.reads, 1, victim.reads), 1);
	assert_int_equal(futimens(victim.writer, times), 0);
}

ssize_t __wrap_pread64(int fd, void *data, size_t length, off_t offset)
{
	struct stat st;

	if (victim.inode == 0 || fstat(fd, &st) < 0 || st.st_ino != victim.inode)
		return __real_pread64(fd, data, length, offset);
	victim.reads++;
	if (victim.limit > 0 && (size_t)offset + length > victim.limit)
		length = (size_t)offset < victim.limit ? victim.limit - (size_t)offset : 0;
	ssize_t got = __real_pread64(fd, data, length, offset);
	if (victim.writer >= 0)
		write_later();
	return got;
}

static void choose_victim(struct hooked *hooked, const char *name)
{
	struct stat st;

	open_victim(hooked, name);
	assert_int_equal(fstat(hooked->fd, &st), 0);
	victim.inode = st.st_ino;
	victim.reads = 0;
	victim.writer = -1;
	victim.limit = 0;
}

/* A small file under a writer that never rests is torn in the end, and that is said. */
static void test_torn_small(void **state)
{
	struct hooked hooked;

	begin(&hooked);
	put_noise(&hooked.world, "small", 400000, 1);
	choose_victim(&hooked, "small");
	assert_int_equal(fcntl(hooked.fd, F_SETFL, 0), 0);
	victim.writer = hooked.fd;
	int result = take(&hooked, NULL);
	victim.inode = 0;
	assert_int_equal(result, BT_E_INCOMPLETE);
	assert_in_range(victim.reads, 3, 4);
	check_torn(&hooked, "small");
	assert_string_equal(hooked.world.problem.detail, "changed while it was read");
	end(&hooked);
}

/* Some of the kernel's own files say 4096 and give a line: that is no change, and reading again does not help. */
static void test_brief(void **state)
{
	static const size_t sizes[] = {4096, 700000, 6 * MIB};
	struct hooked hooked;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		begin(&hooked);
		put_noise(&hooked.world, "attribute", sizes[i], 1);
		choose_victim(&hooked, "attribute");
		victim.limit = 100;
		int result = take(&hooked, NULL);
		victim.inode = 0;
		assert_int_equal(result, BT_E_INCOMPLETE);
		assert_int_equal(victim.reads, 2); /* the line, and its end */
		assert_string_equal(hooked.world.problem.detail, "gave fewer bytes than its size");
		check_torn(&hooked, "attribute");
		struct looked looked = look_up(&hooked.world, "attribute");
		assert_int_equal(looked.entry->size, 100);
		drop_entry(&hooked.world, &looked);
		end(&hooked);
	}
}

/* Listed, and something else by the time it is read. */
static void replace_all(struct hooked *hooked)
{
	struct world *world = &hooked->world;

	if (hooked->calls != 1)
		return;
	assert_int_equal(unlink(in_source(world, "b gone")), 0);
	assert_int_equal(unlink(in_source(world, "c fifo")), 0);
	assert_int_equal(mkfifo(in_source(world, "c fifo"), 0600), 0);
	assert_int_equal(unlink(in_source(world, "d link")), 0);
	assert_int_equal(symlink("b gone", in_source(world, "d link")), 0);
	assert_int_equal(unlink(in_source(world, "e dir")), 0);
	put_dir(world, "e dir");
	put_noise(world, "f large", 5 * MIB, 8);
	put_text(world, "g small", "small");
	assert_int_equal(unlink(in_source(world, "h other")), 0);
	put_text(world, "h other", "another inode");
	remove_tree(in_source(world, "i dir"));
	assert_int_equal(unlink(in_source(world, "j link")), 0);
	put_text(world, "j link", "a file");
	assert_int_equal(unlink(in_source(world, "k large")), 0);
	assert_int_equal(unlink(in_source(world, "l one")), 0);
}

static void test_replaced(void **state)
{
	static const char *const gone[] = {"b gone", "i dir", "k large", "l one"};
	struct hooked hooked;
	struct world *world = &hooked.world;
	struct looked looked;

	begin(&hooked);
	put_text(world, "a", "stays");
	put_text(world, "b gone", "x");
	put_text(world, "c fifo", "x");
	put_text(world, "d link", "x");
	put_text(world, "e dir", "x");
	put_text(world, "f large", "x");
	put_noise(world, "g small", 2 * MIB, 9);
	put_text(world, "h other", "x");
	put_dir(world, "i dir");
	put_text(world, "i dir/x", "x");
	assert_int_equal(symlink("x", in_source(world, "j link")), 0);
	put_noise(world, "k large", 2 * MIB, 9);
	put_text(world, "l one", "two names, of which the first goes");
	assert_int_equal(link(in_source(world, "l one"), in_source(world, "m two")), 0);
	assert_int_equal(take(&hooked, replace_all), BT_E_INCOMPLETE);
	/* A file that is a directory by now is there, but not what is in it. */
	assert_int_equal(world->problems, 1);
	assert_int_equal(world->result.errors, 1);
	assert_int_equal(world->result.vanished, 4);
	for (size_t i = 0; i < sizeof(gone) / sizeof(*gone); i++) {
		looked = look_up(world, gone[i]);
		assert_null(looked.entry);
		drop_entry(world, &looked);
	}
	looked = look_up(world, "m two");
	assert_int_equal(looked.entry->size, 34);
	check_readable(world, looked.entry);
	drop_entry(world, &looked);
	looked = look_up(world, "e dir");
	assert_int_equal(looked.entry->type, BT_DIR);
	assert_string_equal(looked.entry->extra->error, "EISDIR");
	drop_entry(world, &looked);
	/* Of what is there the snapshot is true. */
	struct compared compared = {0};
	struct bt_snapshot *snapshot = world_snapshot(world, world->result.name);
	compare_tree(world->store, world->source, &bt_snapshot_info(snapshot)->root, &compared);
	bt_snapshot_close(snapshot);
	world_snap(world);
	world_compare(world);
	end(&hooked);
}

static void test_unreadable(void **state)
{
	struct hooked hooked;
	struct world *world = &hooked.world;
	bool root = geteuid() == 0;
	struct looked looked;

	begin(&hooked);
	put_text(world, "file", "x");
	put_noise(world, "large", MIB, 1);
	put_dir(world, "dir");
	put_text(world, "dir/below", "x");
	put_text(world, "readable", "x");
	assert_int_equal(chmod(in_source(world, "file"), 0), 0);
	assert_int_equal(chmod(in_source(world, "large"), 0), 0);
	assert_int_equal(chmod(in_source(world, "dir"), 0), 0);
	if (root) {
		assert_int_equal(chmod(world->base, 0755), 0);
		bt_store_close(world->store);
		world->store = NULL;
		assert_int_equal(chown(world->store_path, 65534, 65534), 0);
		assert_int_equal(seteuid(65534), 0);
		world_open_store(world);
	}
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(take(&hooked, NULL), BT_E_INCOMPLETE);
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
	end(&hooked);
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

/* Stopped after so many questions: nothing remains but volumes, and those are not written again. */
static void test_cancelled(void **state)
{
	struct hooked hooked;
	uint64_t kept = 0;

	begin(&hooked);
	put_many(&hooked.world);
	hooked.world.options.volume_size = MIB;
	hooked.world.options.threads = 2;
	assert_int_equal(take(&hooked, NULL), 0);
	unsigned calls = hooked.calls;
	for (unsigned i = 1; i <= 8; i++) {
		world_end(&hooked.world);
		begin(&hooked);
		put_many(&hooked.world);
		hooked.world.options.volume_size = MIB;
		hooked.world.options.threads = i % 2 + 1;
		hooked.cancel_at = i == 8 ? calls - 1 : calls * i / 8;
		size_t fds = count_fds();
		assert_int_equal(take(&hooked, NULL), BT_E_CANCELLED);
		assert_true(count_fds() <= fds + 8); /* the store's own: its directories, segments of its index */
		check_nothing_left(&hooked.world);
		hooked.cancel_at = 0;
		world_snap(&hooked.world);
		kept += 10000000 - hooked.world.result.new_bytes;
		world_compare(&hooked.world);
	}
	assert_true(kept >= 4000000);
	end(&hooked);
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

	while (dir && (record = readdir(dir)))
		any |= strstr(record->d_name, ".json") || strstr(record->d_name, ".tmp-");
	if (dir)
		closedir(dir);
	return any;
}

static int fill_disk(struct world *world, size_t kib)
{
	const struct bt_store_options options = {.create = true};
	struct bt_error error = {0};
	char size[32];

	snprintf(size, sizeof(size), "size=%zuk", kib);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", world->store_path, "tmpfs", 0, size) < 0)
		return CHILD_CANNOT;
	bt_store_close(world->store);
	if (bt_store_open(world->store_path, &options, &world->store, &error) != 0)
		return CHILD_WRONG;
	int result = bt_snapshot_take(world->store, world->source, &world->options, &world->observer, &world->result,
				      &error);
	if (result != BT_E_SYSTEM || error.sys != ENOSPC || any_left(world->store_path))
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
	result = bt_snapshot_take(world->store, below, &world->options, &world->observer, &world->result, &error);
	bt_store_close(world->store);
	return result == 0 || kib < 2048 ? CHILD_OK : CHILD_WRONG;
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
		cmocka_unit_test(test_memory),	     cmocka_unit_test(test_torn_large),
		cmocka_unit_test(test_changed_once), cmocka_unit_test(test_shrinking_sparse),
		cmocka_unit_test(test_torn_small),   cmocka_unit_test(test_brief),
		cmocka_unit_test(test_replaced),     cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_cancelled),    cmocka_unit_test(test_side_by_side),
		cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
