/* SPDX-License-Identifier: MIT */
/* Files that change while they are read. */
#include "snapshot_hooked.h"

static void open_victim(struct hooked *hooked, const char *name)
{
	hooked->fd = open(in_source(&hooked->world, name), O_RDWR | O_APPEND | O_CLOEXEC);
	assert_true(hooked->fd >= 0);
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
		hooked_begin(&hooked);
		put_noise(&hooked.world, "log", 6 * MIB, 1);
		open_victim(&hooked, "log");
		assert_int_equal(hooked_take(&hooked, always[i]), BT_E_INCOMPLETE);
		check_torn(&hooked, "log");
		/* When it is quiet again, all is well, and what it was before does not matter. */
		age();
		world_snap(&hooked.world);
		world_compare(&hooked.world);
		hooked_end(&hooked);
	}
}

static void test_changed_once(void **state)
{
	static void (*const once[])(struct hooked * hooked) = {append_once, shrink_once, empty_once};
	struct hooked hooked;

	for (unsigned i = 0; i < 3; i++) {
		hooked_begin(&hooked);
		put_noise(&hooked.world, "log", 6 * MIB, 1);
		put_text(&hooked.world, "zzz", "behind it");
		open_victim(&hooked, "log");
		assert_int_equal(hooked_take(&hooked, once[i]), 0);
		world_compare(&hooked.world);
		hooked_end(&hooked);
	}
}

static void test_shrinking_sparse(void **state)
{
	struct hooked hooked;
	unsigned char *data = noise(3 * MIB, 3);

	hooked_begin(&hooked);
	int fd = open(in_source(&hooked.world, "image"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, 64 * MIB), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pwrite(fd, data, 3 * MIB, (off_t)((16 * i + 4) * MIB)), 3 * MIB);
	close(fd);
	open_victim(&hooked, "image");
	assert_int_equal(hooked_take(&hooked, shrink_always), BT_E_INCOMPLETE);
	check_torn(&hooked, "image");
	world_snap(&hooked.world);
	world_compare(&hooked.world);
	hooked_end(&hooked);
	free(data);
}

/* Reads of one file as a test wants them: what the engine calls is linked to this. */
static struct {
	ino_t inode; /* 0: none */
	unsigned reads;
	size_t bytes;
	int writer;   /* writes a byte after each read, >= 0 */
	bool all;     /* and all over the file, so that no chunk of it is what it was */
	off_t from;   /* but only after reads from here on */
	size_t limit; /* it ends here, whatever its size, > 0 */
} victim;

ssize_t __real_pread64(int fd, void *data, size_t length, off_t offset);
ssize_t __wrap_pread64(int fd, void *data, size_t length, off_t offset);

static void write_later(void)
{
	const struct timespec times[2] = {{0, UTIME_OMIT}, {1500000000 + victim.reads, 0}};

	struct stat st;

	assert_int_equal(pwrite(victim.writer, &victim.reads, 1, victim.reads), 1);
	assert_int_equal(fstat(victim.writer, &st), 0);
	for (off_t at = 0; victim.all && at < st.st_size; at += 64 << 10)
		assert_int_equal(pwrite(victim.writer, &victim.reads, sizeof(victim.reads), at), sizeof(victim.reads));
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
	victim.bytes += got > 0 ? (size_t)got : 0;
	if (victim.writer >= 0 && offset >= victim.from)
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
	victim.bytes = 0;
	victim.writer = -1;
	victim.all = false;
	victim.from = 0;
	victim.limit = 0;
}

/* A small file under a writer that never rests is torn in the end, and that is said. */
static void test_torn_small(void **state)
{
	struct hooked hooked;

	hooked_begin(&hooked);
	put_noise(&hooked.world, "small", 400000, 1);
	choose_victim(&hooked, "small");
	assert_int_equal(fcntl(hooked.fd, F_SETFL, 0), 0);
	victim.writer = hooked.fd;
	int r = hooked_take(&hooked, NULL);
	victim.inode = 0;
	assert_int_equal(r, BT_E_INCOMPLETE);
	assert_in_range(victim.reads, 3, 4);
	check_torn(&hooked, "small");
	assert_string_equal(hooked.world.problem.detail, "changed while it was read");
	hooked_end(&hooked);
}

/* What never rests costs its size and little more, and at most twice its size if it seems to rest for long. */
static void test_torn_bounded(void **state)
{
	static const struct {
		off_t from;
		size_t most;
	} cases[] = {{0, (40 + 24) * MIB},
		     {10 * MIB, (80 + 24) * MIB},
		     {30 * MIB, (80 + 24) * MIB},
		     {39 * MIB, (80 + 24) * MIB}};
	struct hooked hooked;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		hooked_begin(&hooked);
		put_noise(&hooked.world, "image", 40 * MIB, 1);
		choose_victim(&hooked, "image");
		assert_int_equal(fcntl(hooked.fd, F_SETFL, 0), 0);
		victim.writer = hooked.fd;
		victim.all = true;
		victim.from = cases[i].from;
		int r = hooked_take(&hooked, NULL);
		victim.inode = 0;
		assert_int_equal(r, BT_E_INCOMPLETE);
		assert_in_range(victim.bytes, 40 * MIB, cases[i].most);
		assert_in_range(hooked.world.result.new_bytes, 40 * MIB, cases[i].most);
		check_torn(&hooked, "image");
		assert_string_equal(hooked.world.problem.detail, "changed while it was read");
		hooked_end(&hooked);
	}
}

/* Some of the kernel's own files say 4096 and give a line: that is no change, and reading again does not help. */
static void test_brief(void **state)
{
	static const size_t sizes[] = {4096, 700000, 6 * MIB};
	struct hooked hooked;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		hooked_begin(&hooked);
		put_noise(&hooked.world, "attribute", sizes[i], 1);
		choose_victim(&hooked, "attribute");
		victim.limit = 100;
		int r = hooked_take(&hooked, NULL);
		victim.inode = 0;
		assert_int_equal(r, BT_E_INCOMPLETE);
		assert_int_equal(victim.reads, 2); /* the line, and its end */
		assert_string_equal(hooked.world.problem.detail, "gave fewer bytes than its size");
		check_torn(&hooked, "attribute");
		struct looked looked = look_up(&hooked.world, "attribute");
		assert_int_equal(looked.entry->size, 100);
		drop_entry(&hooked.world, &looked);
		hooked_end(&hooked);
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

	hooked_begin(&hooked);
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
	assert_int_equal(hooked_take(&hooked, replace_all), BT_E_INCOMPLETE);
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
	hooked_end(&hooked);
}

int main(void)
{
	/* The one about memory comes first: its child's peak counts what the others would leave in this process. */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_torn_large),	 cmocka_unit_test(test_changed_once),
		cmocka_unit_test(test_shrinking_sparse), cmocka_unit_test(test_torn_small),
		cmocka_unit_test(test_torn_bounded),	 cmocka_unit_test(test_brief),
		cmocka_unit_test(test_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
