/* SPDX-License-Identifier: MIT */
/* What a snapshot holds, and what the next one does with it. Races and failures are in test_snapshot_hard.c. */
#include "snapshot_world.h"

#include "store/store.h"
#include <pthread.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#define MIB ((size_t)1 << 20)

static void put_sparse(struct world *world, const char *name)
{
	int fd = open(in_source(world, name), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	unsigned char *data = noise(3 * MIB, 77);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 40 * MIB), 0);
	assert_int_equal(pwrite(fd, data, 4096, 8 * MIB), 4096);
	assert_int_equal(pwrite(fd, data, 3 * MIB, 20 * MIB), 3 * MIB);
	assert_int_equal(close(fd), 0);
	free(data);
}

static void put_socket(struct world *world, const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", in_source(world, name));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

static void set_mtime(const char *path, int64_t seconds, long nanoseconds)
{
	const struct timespec times[2] = {{0, UTIME_OMIT}, {seconds, nanoseconds}};

	assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static void put_all_kinds(struct world *world)
{
	static const size_t sizes[] = {0,      1,	4095,	      100000,	  512 << 10, (512 << 10) + 1,
				       700000, 1500000, 3 * MIB + 17, 9 * MIB + 1};
	char name[300];

	umask(022);
	put_dir(world, "sizes");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		snprintf(name, sizeof(name), "sizes/%zu", sizes[i]);
		put_noise(world, name, sizes[i], i);
	}
	put_dir(world, "empty");
	put_dir(world, "a");
	put_dir(world, "a/b");
	put_text(world, "a/b/deep.txt", "deep");
	put_text(world, "a.txt", "between a and a/ in another order");
	put_text(world, "na\xefve", "a name in Latin-1");
	put_text(world, "line\nbreak \"and\" \\", "x");
	memset(name, 'n', 255);
	name[255] = 0;
	put_text(world, name, "the longest name");
	assert_int_equal(symlink("a/b/deep.txt", in_source(world, "link")), 0);
	assert_int_equal(symlink("\xff\xfe nowhere", in_source(world, "dangling")), 0);
	assert_int_equal(mkfifo(in_source(world, "fifo"), 0600), 0);
	put_socket(world, "socket");
	if (geteuid() == 0) {
		assert_int_equal(mknod(in_source(world, "null"), S_IFCHR | 0666, makedev(1, 3)), 0);
		assert_int_equal(mknod(in_source(world, "disk"), S_IFBLK | 0660, makedev(259, 1000000)), 0);
		assert_int_equal(chown(in_source(world, "a.txt"), 12345, 4294967294), 0);
	}
	put_sparse(world, "sparse");
	assert_int_equal(truncate(in_source(world, "a/hole"), 0), -1);
	put_text(world, "a/hole", "");
	assert_int_equal(truncate(in_source(world, "a/hole"), 30000), 0);
	put_text(world, "one", "hard links");
	assert_int_equal(link(in_source(world, "one"), in_source(world, "two")), 0);
	assert_int_equal(link(in_source(world, "one"), in_source(world, "a/three")), 0);
	assert_int_equal(link(in_source(world, "sizes/1500000"), in_source(world, "sizes/z")), 0);
	assert_int_equal(chmod(in_source(world, "one"), 06751), 0);
	assert_int_equal(chmod(in_source(world, "empty"), 01777), 0);
	set_mtime(in_source(world, "a/b/deep.txt"), -1234567, 999999999);
	set_mtime(in_source(world, "link"), 5000000000, 1);
	lsetxattr(in_source(world, "a.txt"), "user.zebra", "z", 1, 0);
	lsetxattr(in_source(world, "a.txt"), "user.apple", "\0\1\2", 3, 0);
	lsetxattr(in_source(world, "a"), "user.empty", "", 0, 0);
	lsetxattr(in_source(world, "link"), "trusted.of a link", "t", 1, 0);
}

static void test_round_trip(void **state)
{
	struct world world;

	world_begin_at(&world, "/tmp");
	put_all_kinds(&world);
	age();
	for (unsigned threads = 1; threads <= 3; threads++) {
		world.options.threads = threads;
		world.options.force = true;
		world_snap(&world);
		world_compare(&world);
	}
	struct looked looked = look_up(&world, "a.txt");
	assert_non_null(looked.entry);
	assert_int_equal(looked.entry->extra ? looked.entry->extra->xattr_count : 0,
			 lgetxattr(in_source(&world, "a.txt"), "user.zebra", NULL, 0) == 1 ? 2 : 0);
	drop_entry(&world, &looked);
	/* The same from the parent's entries, of which all are safe by now. */
	world.options.force = false;
	world_snap(&world);
	assert_int_equal(world.result.created + world.result.changed, 0);
	world_compare(&world);
	world_end(&world);
}

static void test_empty_target(void **state)
{
	struct world world;

	world_begin(&world);
	world_snap(&world);
	assert_int_equal(world.result.files, 0);
	assert_int_equal(world.result.directories, 1);
	world_compare(&world);
	world_end(&world);
}

static void test_deep_and_wide(void **state)
{
	enum { DEPTH = 400, WIDTH = 3000 };
	struct world world;
	char name[64];

	world_begin(&world);
	put_dir(&world, "wide");
	for (unsigned i = 0; i < WIDTH; i++) {
		snprintf(name, sizeof(name), "wide/%u", i * 7919 % 100003);
		put_text(&world, name, name);
	}
	int fd = open(world.source, O_PATH | O_CLOEXEC);
	for (unsigned i = 0; i < DEPTH; i++) {
		assert_int_equal(mkdirat(fd, "d", 0755), 0);
		int below = openat(fd, "d", O_PATH | O_CLOEXEC);
		close(fd);
		fd = below;
	}
	close(fd);
	world_snap(&world);
	assert_int_equal(world.result.files, WIDTH);
	assert_int_equal(world.result.directories, DEPTH + 2);
	world_compare(&world);
	/* One file more in the wide directory: one leaf and the index page over it. */
	age();
	world_snap(&world);
	put_text(&world, "wide/one more", "x");
	world_snap(&world);
	assert_int_equal(world.result.created, 1);
	assert_true(snapshot_size(&world) < 300000);
	world_compare(&world);
	world_end(&world);
}

static void test_sparse(void **state)
{
	struct world world;
	struct stat st;

	world_begin(&world);
	put_sparse(&world, "sparse");
	assert_int_equal(stat(in_source(&world, "sparse"), &st), 0);
	if ((size_t)st.st_blocks * 512 >= 30 * MIB) {
		world_end(&world);
		print_message("no sparse files here\n");
		skip();
	}
	world_snap(&world);
	assert_true(world.result.new_bytes <= 3 * MIB + 8192);
	struct looked looked = look_up(&world, "sparse");
	const struct bt_extra *extra = looked.entry->extra;
	assert_true(extra->has_chunks);
	assert_int_equal(extra->hole_count, 3);
	assert_int_equal(extra->holes[0].offset, 0);
	assert_int_equal(extra->holes[0].length, 8 * MIB);
	assert_int_equal(extra->holes[2].offset, 23 * MIB);
	assert_int_equal(extra->holes[2].length, 17 * MIB);
	drop_entry(&world, &looked);
	world_compare(&world);
	world_end(&world);
}

/* Events of opening something else than a directory, in all that was watched. */
static unsigned count_opened(int notify)
{
	_Alignas(struct inotify_event) char buffer[16384];
	unsigned count = 0;
	ssize_t got;

	while ((got = read(notify, buffer, sizeof(buffer))) > 0)
		for (ssize_t at = 0; at < got;) {
			const struct inotify_event *event = (const struct inotify_event *)(buffer + at);

			count += !(event->mask & IN_ISDIR);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	return count;
}

static void test_unchanged(void **state)
{
	struct world world;
	int notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	world_begin(&world);
	put_all_kinds(&world);
	age();
	world_snap(&world);
	uint64_t files = world.result.files;
	assert_true(inotify_add_watch(notify, world.source, IN_OPEN | IN_ACCESS) >= 0);
	assert_true(inotify_add_watch(notify, in_source(&world, "sizes"), IN_OPEN | IN_ACCESS) >= 0);
	assert_true(inotify_add_watch(notify, in_source(&world, "a/b"), IN_OPEN | IN_ACCESS) >= 0);
	world_snap(&world);
	assert_int_equal(world.result.unchanged, files);
	assert_int_equal(world.result.created + world.result.changed, 0);
	assert_int_equal(world.result.new_bytes, 0);
	assert_int_equal(count_opened(notify), 0);
	assert_true(snapshot_size(&world) < 2048);
	/* The witness sees what is opened. */
	world.options.force = true;
	world_snap(&world);
	assert_int_equal(world.result.unchanged, files);
	assert_true(count_opened(notify) > 10);
	close(notify);
	world_end(&world);
}

static void test_changes(void **state)
{
	struct world world;
	struct looked looked;

	world_begin(&world);
	put_dir(&world, "d");
	put_text(&world, "d/changed", "before");
	put_text(&world, "d/deleted", "x");
	put_text(&world, "d/mode", "x");
	put_text(&world, "d/rewritten", "the same");
	put_text(&world, "d/stays", "stays");
	put_text(&world, "d/type", "file");
	age();
	world_snap(&world);
	assert_int_equal(world.result.created, 6);
	put_text(&world, "d/changed", "after!");
	put_text(&world, "d/new", "new");
	assert_int_equal(chmod(in_source(&world, "d/mode"), 0600), 0);
	assert_int_equal(unlink(in_source(&world, "d/deleted")), 0);
	assert_int_equal(unlink(in_source(&world, "d/type")), 0);
	put_dir(&world, "d/type");
	put_text(&world, "d/type/below", "x");
	age();
	world_snap(&world);
	assert_int_equal(world.result.created, 2);
	assert_int_equal(world.result.changed, 2);
	assert_int_equal(world.result.unchanged, 2);
	assert_string_not_equal(world.result.parent, "");
	world_compare(&world);
	looked = look_up(&world, "d/deleted");
	assert_null(looked.entry);
	drop_entry(&world, &looked);
	world_end(&world);
}

static bool has_stat(struct world *world, const char *path)
{
	struct looked looked = look_up(world, path);
	bool has = looked.entry && looked.entry->has_stat;

	drop_entry(world, &looked);
	return has;
}

static void test_racy(void **state)
{
	struct world world;
	struct timespec now;

	world_begin(&world);
	put_text(&world, "old", "x");
	put_text(&world, "coarse", "x");
	put_text(&world, "future", "x");
	clock_gettime(CLOCK_REALTIME, &now);
	set_mtime(in_source(&world, "coarse"), now.tv_sec, 0);
	set_mtime(in_source(&world, "future"), now.tv_sec + 100000, 5);
	age();
	/* ctime within the clock's tick of the snapshot; a busy machine may need more than one go at it. */
	for (int tries = 0; tries == 0 || (tries < 50 && has_stat(&world, "young")); tries++) {
		put_text(&world, "young", "aaaa");
		world_snap(&world);
	}
	assert_true(has_stat(&world, "old"));
	assert_false(has_stat(&world, "coarse"));
	assert_false(has_stat(&world, "future"));
	assert_false(has_stat(&world, "young"));
	age();
	world_snap(&world);
	assert_int_equal(world.result.unchanged, 4);
	assert_true(has_stat(&world, "young"));
	assert_true(has_stat(&world, "old"));
	world_end(&world);
}

/* A change that leaves size and times alike is found after a snapshot in the same tick. */
static void test_racy_change(void **state)
{
	struct world world;
	struct timespec times[2] = {{0, UTIME_OMIT}, {1700000000, 5}};

	world_begin(&world);
	for (unsigned i = 0; i < 20; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%04u", i);
		put_text(&world, "file", text);
		assert_int_equal(utimensat(AT_FDCWD, in_source(&world, "file"), times, 0), 0);
		world_snap(&world);
		world_compare(&world);
	}
	world_end(&world);
}

static void test_skip(void **state)
{
	struct world world;
	char first[64];

	world_begin_at(&world, "/tmp");
	put_dir(&world, "d");
	put_text(&world, "d/a", "a");
	put_text(&world, "d/b", "b");
	world.options.skip_if_unchanged = true;
	world_snap(&world);
	assert_false(world.result.skipped);
	strcpy(first, world.result.name);
	/* Young files are read again, and found to be the same. */
	world_snap(&world);
	assert_true(world.result.skipped);
	assert_string_equal(world.result.name, first);
	assert_int_equal(count_in_store(&world, "", ".json"), 1);
	assert_int_equal(chmod(in_source(&world, "d"), 0700), 0);
	world_snap(&world);
	assert_false(world.result.skipped);
	assert_int_equal(unlink(in_source(&world, "d/a")), 0);
	world_snap(&world);
	assert_false(world.result.skipped);
	world_snap(&world);
	assert_true(world.result.skipped);
	assert_int_equal(lsetxattr(in_source(&world, "d"), "user.x", "1", 1, 0), 0);
	world_snap(&world);
	assert_false(world.result.skipped);
	world_compare(&world);
	assert_int_equal(count_in_store(&world, "", ".json"), 4);
	world_end(&world);
}

/* Deleted without a trace in the directory's time. */
static void test_skip_deleted(void **state)
{
	static const char *const names[] = {"d/a", "d/c"};
	struct world world;

	world_begin(&world);
	world.options.skip_if_unchanged = true;
	put_dir(&world, "d");
	put_text(&world, "d/a", "a");
	put_text(&world, "d/b", "b");
	put_text(&world, "d/c", "c");
	set_mtime(in_source(&world, "d"), 1600000000, 5);
	world_snap(&world);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(unlink(in_source(&world, names[i])), 0);
		set_mtime(in_source(&world, "d"), 1600000000, 5);
		world_snap(&world);
		assert_false(world.result.skipped);
		world_compare(&world);
		world_snap(&world);
		assert_true(world.result.skipped);
	}
	world_end(&world);
}

static void test_dedup(void **state)
{
	struct world world;

	world_begin(&world);
	put_noise(&world, "one", 3 * MIB, 1);
	put_noise(&world, "same", 3 * MIB, 1);
	put_noise(&world, "small", 5000, 2);
	put_noise(&world, "small same", 5000, 2);
	world_snap(&world);
	assert_int_equal(world.result.new_bytes, 3 * MIB + 5000);
	put_noise(&world, "third", 3 * MIB, 1);
	put_noise(&world, "third small", 5000, 2);
	world_snap(&world);
	assert_int_equal(world.result.new_bytes, 0);
	assert_int_equal(world.result.created, 2);
	world_compare(&world);
	world_end(&world);
}

static void test_insertion(void **state)
{
	struct world world;
	unsigned char *data = noise(21 * MIB, 9), *inserted = noise(MIB, 10);

	world_begin(&world);
	write_file(in_source(&world, "image"), data, 20 * MIB);
	world_snap(&world);
	assert_int_equal(world.result.new_bytes, 20 * MIB);
	memmove(data + 8 * MIB, data + 7 * MIB, 13 * MIB);
	memcpy(data + 7 * MIB, inserted, MIB);
	write_file(in_source(&world, "image"), data, 21 * MIB);
	world_snap(&world);
	assert_int_equal(world.result.changed, 1);
	assert_true(world.result.new_bytes >= MIB && world.result.new_bytes <= 5 * MIB);
	world_compare(&world);
	free(data);
	free(inserted);
	world_end(&world);
}

/* More chunks than an entry lists itself. */
static void test_chunk_pages(void **state)
{
	struct world world;
	struct looked looked;

	world_begin(&world);
	put_noise(&world, "image", 90 * MIB, 3);
	age();
	world_snap(&world);
	looked = look_up(&world, "image");
	assert_true(looked.entry->extra->chunk_page_count >= 1);
	assert_false(looked.entry->extra->has_chunks);
	drop_entry(&world, &looked);
	world_compare(&world);
	world_snap(&world);
	assert_int_equal(world.result.unchanged, 1);
	assert_int_equal(world.result.new_bytes, 0);
	assert_true(snapshot_size(&world) < 2048);
	world_end(&world);
}

static void fill_for_volumes(struct world *world)
{
	char name[32];

	for (unsigned i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "f%02u", i);
		put_noise(world, name, 200000, 100 + i);
	}
	put_noise(world, "large", 6 * MIB, 5);
}

static void test_volumes(void **state)
{
	struct world world;
	char path[256], **names;

	world_begin(&world);
	world.options.volume_size = MIB;
	fill_for_volumes(&world);
	age();
	world_snap(&world);
	size_t volumes = count_in_store(&world, "contents", ".json");
	assert_true(volumes >= 5);
	world_compare(&world);
	snprintf(path, sizeof(path), "%s/contents", world.store_path);
	assert_int_equal(list_names(path, &names), volumes);
	uint64_t sum = snapshot_size(&world);
	for (size_t i = 0; i < volumes; i++) {
		snprintf(path, sizeof(path), "%s/contents/%s", world.store_path, names[i]);
		assert_int_equal(strlen(names[i]), 32 + 5);
		assert_true(size_of(AT_FDCWD, path) < 8 * MIB);
		sum += size_of(AT_FDCWD, path);
	}
	assert_int_equal(sum, world.result.written_bytes);
	/* A lost volume is made up for: whose contents are missing is read again. */
	snprintf(path, sizeof(path), "%s/contents/%s", world.store_path, names[volumes / 2]);
	assert_int_equal(unlink(path), 0);
	world_open_store(&world);
	world.options.skip_if_unchanged = true;
	world_snap(&world);
	assert_false(world.result.skipped);
	assert_int_equal(world.result.unchanged, 41);
	assert_true(world.result.new_bytes > 0 && world.result.new_bytes < 8 * MIB);
	world_compare(&world);
	for (size_t i = 0; i < volumes; i++)
		free(names[i]);
	free(names);
	world_end(&world);
}

static void snap_into(struct world *world, const char *store, unsigned threads)
{
	const struct bt_time time = {1700000000, 123456789};

	snprintf(world->store_path, sizeof(world->store_path), "%s/%s", world->base, store);
	world_open_store(world);
	world->options.time = &time;
	world->options.threads = threads;
	world_snap(world);
	world->options.time = NULL;
}

static void compare_files(const char *one, const char *other)
{
	int fd[2] = {open(one, O_RDONLY | O_CLOEXEC), open(other, O_RDONLY | O_CLOEXEC)};
	char *data[2] = {malloc(MIB), malloc(MIB)};
	ssize_t got[2];

	assert_true(fd[0] >= 0 && fd[1] >= 0);
	do {
		for (unsigned i = 0; i < 2; i++)
			got[i] = read(fd[i], data[i], MIB);
		assert_int_equal(got[0], got[1]);
		assert_memory_equal(data[0], data[1], (size_t)got[0]);
	} while (got[0] > 0);
	for (unsigned i = 0; i < 2; i++) {
		close(fd[i]);
		free(data[i]);
	}
}

static size_t compare_directories(struct world *world, const char *one, const char *other, const char *below)
{
	char **names, dir[160], paths[2][512];

	snprintf(dir, sizeof(dir), "%s/%s/%s", world->base, one, below);
	size_t count = list_names(dir, &names), compared = 0;
	for (size_t i = 0; i < count; i++) {
		if (strstr(names[i], ".json")) {
			snprintf(paths[0], sizeof(paths[0]), "%s/%s/%s/%s", world->base, one, below, names[i]);
			snprintf(paths[1], sizeof(paths[1]), "%s/%s/%s/%s", world->base, other, below, names[i]);
			compare_files(paths[0], paths[1]);
			compared++;
		}
		free(names[i]);
	}
	free(names);
	return compared;
}

static void test_deterministic(void **state)
{
	static const unsigned threads[] = {2, 4, 0, 2};
	struct world world;
	char store[16];

	world_begin(&world);
	put_all_kinds(&world);
	fill_for_volumes(&world);
	set_mtime(world.source, 1600000000, 7);
	age();
	world.options.volume_size = 2 * MIB;
	snap_into(&world, "serial", 1);
	for (unsigned i = 0; i < 4; i++) {
		snprintf(store, sizeof(store), "s%u", i);
		snap_into(&world, store, threads[i]);
		assert_int_equal(compare_directories(&world, "serial", store, "."), 1);
		assert_true(compare_directories(&world, "serial", store, "contents") >= 2);
	}
	world_end(&world);
}

static void test_dry_run(void **state)
{
	struct world world;

	world_begin(&world);
	put_noise(&world, "a", 700000, 1);
	put_noise(&world, "b", 1000, 2);
	put_noise(&world, "same as b", 1000, 2);
	world.options.dry_run = true;
	world_snap(&world);
	assert_string_equal(world.result.name, "");
	assert_int_equal(world.result.created, 3);
	assert_int_equal(world.result.new_bytes, 701000);
	assert_int_equal(world.result.written_bytes, 0);
	assert_int_equal(count_in_store(&world, "", ".json"), 0);
	assert_int_equal(count_in_store(&world, "contents", ".json"), 0);
	world_end(&world);
}

static void test_names_and_tags(void **state)
{
	static const char *const tags[] = {"b", "a", "b"}, *const bad[] = {"a\nb"};
	const struct bt_time time = {1700000000, 5};
	struct world world;

	world_begin(&world);
	world.options.time = &time;
	world.options.tags = tags;
	world.options.tag_count = 3;
	world_snap(&world);
	assert_string_equal(world.result.name, "snapshot_2023-11-14T22-13-20Z.json");
	world_snap(&world);
	assert_string_equal(world.result.name, "snapshot_2023-11-14T22-13-20Z-1.json");
	assert_string_equal(world.result.parent, "snapshot_2023-11-14T22-13-20Z.json");
	world_snap(&world);
	assert_string_equal(world.result.name, "snapshot_2023-11-14T22-13-20Z-2.json");
	struct bt_snapshot *snapshot = world_snapshot(&world, world.result.name);
	const struct bt_snapshot_info *info = bt_snapshot_info(snapshot);
	assert_int_equal(info->time.seconds, time.seconds);
	assert_int_equal(info->time.nanoseconds, time.nanoseconds);
	assert_int_equal(info->tag_count, 2);
	assert_string_equal(info->tags[0], "a");
	assert_string_equal(info->tags[1], "b");
	assert_string_equal(info->target, world.source);
	assert_string_equal(info->parent, "snapshot_2023-11-14T22-13-20Z-1.json");
	bt_snapshot_close(snapshot);
	world.options.tags = bad;
	world.options.tag_count = 1;
	assert_int_equal(world_take(&world), BT_E_INVALID);
	world.options.tag_count = 0;
	world.options.level = BT_COMPRESSION_MAX + 1;
	assert_int_equal(world_take(&world), BT_E_INVALID);
	assert_int_equal(count_in_store(&world, "", ".json"), 3);
	world_end(&world);
}

static void test_excluded(void **state)
{
	static const char *const patterns[] = {"*.o", "!keep.o"}, *const markers[] = {".nobackup"};
	struct world world;

	world_begin(&world);
	put_text(&world, "a.o", "x");
	put_text(&world, "keep.o", "x");
	put_dir(&world, "out");
	put_text(&world, "out/.nobackup", "");
	put_text(&world, "out/large", "x");
	world.options.exclude = patterns;
	world.options.exclude_count = 2;
	world.options.exclude_if_present = markers;
	world.options.exclude_if_present_count = 1;
	world_snap(&world);
	assert_true(world.result.left_out >= 2);
	struct looked looked = look_up(&world, "a.o");
	assert_null(looked.entry);
	drop_entry(&world, &looked);
	looked = look_up(&world, "keep.o");
	assert_non_null(looked.entry);
	drop_entry(&world, &looked);
	looked = look_up(&world, "out/large");
	assert_null(looked.entry);
	drop_entry(&world, &looked);
	looked = look_up(&world, "out");
	assert_non_null(looked.entry);
	drop_entry(&world, &looked);
	world_end(&world);
}

static void test_store_inside(void **state)
{
	struct world world;

	world_begin(&world);
	snprintf(world.store_path, sizeof(world.store_path), "%s/backups", world.source);
	world_open_store(&world);
	put_text(&world, "a", "a");
	world_snap(&world);
	world_snap(&world);
	struct looked looked = look_up(&world, "backups");
	assert_null(looked.entry);
	drop_entry(&world, &looked);
	assert_int_equal(world.result.files, 1);
	world_end(&world);
}

static void *take_it(void *arg)
{
	world_take(arg);
	return NULL;
}

/* What waited for others is named after the time when it could begin. */
static void test_time_after_wait(void **state)
{
	const struct bt_store_options patient = {.lock_wait_ms = -1};
	struct world world;
	pthread_t thread;
	int lock;
	struct timespec before, now;

	world_begin(&world);
	put_text(&world, "a", "a");
	assert_int_equal(bt_store_lock(world.store, BT_LOCK_EXCLUSIVE, NULL, &lock, &world.error), 0);
	bt_store_close(world.store);
	assert_int_equal(bt_store_open(world.store_path, &patient, &world.store, &world.error), 0);
	assert_int_equal(pthread_create(&thread, NULL, take_it, &world), 0);
	clock_gettime(CLOCK_REALTIME, &before);
	do {
		usleep(50000);
		clock_gettime(CLOCK_REALTIME, &now);
	} while (now.tv_sec < before.tv_sec + 2);
	close(lock);
	pthread_join(thread, NULL);
	assert_int_equal(world.error.code, 0);
	struct bt_snapshot *snapshot = world_snapshot(&world, world.result.name);
	assert_true(bt_snapshot_info(snapshot)->time.seconds >= now.tv_sec);
	bt_snapshot_close(snapshot);
	world_end(&world);
}

/* Through a link, by another path: the target is the same. Another target's snapshot is no parent. */
static void test_target(void **state)
{
	struct world world;
	char source[80];

	world_begin(&world);
	snprintf(source, sizeof(source), "%.79s", world.source);
	put_text(&world, "a", "a");
	world_snap(&world);
	put_dir(&world, "below");
	snprintf(world.source, sizeof(world.source), "%s/below", source);
	world_snap(&world);
	assert_string_equal(world.result.parent, "");
	snprintf(world.source, sizeof(world.source), "%s/link", world.base);
	assert_int_equal(symlink(source, world.source), 0);
	world_snap(&world);
	assert_string_not_equal(world.result.parent, "");
	assert_int_equal(world.result.unchanged, 1);
	snprintf(world.source, sizeof(world.source), "%s/a", source);
	assert_int_equal(world_take(&world), BT_E_SYSTEM);
	assert_int_equal(world.error.sys, ENOTDIR);
	snprintf(world.source, sizeof(world.source), "%s/missing", source);
	assert_int_equal(world_take(&world), BT_E_SYSTEM);
	assert_int_equal(world.error.sys, ENOENT);
	world_end(&world);
}

static void spoil(struct world *world, const char *name, off_t from_end)
{
	char path[256], byte;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", world->store_path, name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(lseek(fd, -from_end, SEEK_END) > 0);
	assert_int_equal(read(fd, &byte, 1), 1);
	byte ^= 1;
	assert_true(lseek(fd, -1, SEEK_CUR) > 0);
	assert_int_equal(write(fd, &byte, 1), 1);
	close(fd);
}

static void test_damaged_parent(void **state)
{
	struct world world;
	char first[64], second[64];

	world_begin(&world);
	put_text(&world, "a", "a");
	age();
	world_snap(&world);
	strcpy(first, world.result.name);
	put_text(&world, "b", "b");
	world_snap(&world);
	strcpy(second, world.result.name);
	/* In its summary: it does not open, so the one before is the parent. */
	spoil(&world, second, 1000);
	world_open_store(&world);
	world_snap(&world);
	assert_string_equal(world.result.parent, first);
	assert_int_equal(world.result.unchanged, 1);
	world_compare(&world);
	world_end(&world);
}

/* A page of the parent that is damaged is written again, though an unchanged one would not be. */
static void test_damaged_page(void **state)
{
	struct world world;
	char path[256], *text;
	size_t size;

	world_begin(&world);
	put_dir(&world, "d");
	put_text(&world, "d/unmistakable", "a");
	age();
	world_snap(&world);
	snprintf(path, sizeof(path), "%s/%s", world.store_path, world.result.name);
	size = (size_t)size_of(AT_FDCWD, path);
	text = malloc(size);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(read(fd, text, size), size);
	char *at = memmem(text, size, "unmistakable", 12);
	assert_non_null(at);
	assert_int_equal(pwrite(fd, "U", 1, at - text), 1);
	close(fd);
	free(text);
	world_open_store(&world);
	world.options.skip_if_unchanged = true;
	world_snap(&world);
	assert_false(world.result.skipped);
	world_compare(&world);
	world_end(&world);
}

static void count_entry(void *arg, enum bt_event event, const char *path)
{
	((unsigned *)arg)[event]++;
}

static void test_observer(void **state)
{
	struct world world;
	unsigned events[8] = {0};
	static const char *const patterns[] = {"*.o"};

	world_begin(&world);
	world.observer = (struct bt_observer){.arg = events, .entry = count_entry};
	world.options.exclude = patterns;
	world.options.exclude_count = 1;
	put_text(&world, "a", "a");
	put_text(&world, "b", "b");
	put_text(&world, "c.o", "c");
	world_snap(&world);
	assert_int_equal(events[BT_EVENT_NEW], 2);
	assert_int_equal(events[BT_EVENT_EXCLUDED], 1);
	put_text(&world, "a", "A");
	world_snap(&world);
	assert_int_equal(events[BT_EVENT_CHANGED], 1);
	assert_int_equal(events[BT_EVENT_UNCHANGED], 1);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_empty_target),
		cmocka_unit_test(test_deep_and_wide),  cmocka_unit_test(test_sparse),
		cmocka_unit_test(test_unchanged),      cmocka_unit_test(test_changes),
		cmocka_unit_test(test_racy),	       cmocka_unit_test(test_racy_change),
		cmocka_unit_test(test_skip),	       cmocka_unit_test(test_skip_deleted),
		cmocka_unit_test(test_dedup),	       cmocka_unit_test(test_insertion),
		cmocka_unit_test(test_chunk_pages),    cmocka_unit_test(test_volumes),
		cmocka_unit_test(test_deterministic),  cmocka_unit_test(test_dry_run),
		cmocka_unit_test(test_names_and_tags), cmocka_unit_test(test_excluded),
		cmocka_unit_test(test_store_inside),   cmocka_unit_test(test_target),
		cmocka_unit_test(test_damaged_parent), cmocka_unit_test(test_damaged_page),
		cmocka_unit_test(test_observer),       cmocka_unit_test(test_time_after_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
