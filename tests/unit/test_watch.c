/* SPDX-License-Identifier: MIT */
/* Snapshots of what changed are the same as those of everything. */
#include "snapshot_world.h"

#include "watch/private.h"
#include <backuptool/watch.h>
#include <sched.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>

/* Takes each snapshot twice: after the watcher into world.store, and of everything into another store. */
struct pair {
	struct world world;
	struct bt_store *whole;
	struct bt_watch *watch;
	struct bt_snapshot_result watched, walked;
	uint64_t chance;
};

static void settle(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 65000000}, NULL);
}

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

static const char *at(struct pair *pair, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A path below the world's directory; four of them live at a time. */
static const char *at(struct pair *pair, const char *format, ...)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];
	va_list arguments;
	int length = snprintf(path, sizeof(paths[0]), "%s/", pair->world.base);

	va_start(arguments, format);
	vsnprintf(path + length, sizeof(paths[0]) - (size_t)length, format, arguments);
	va_end(arguments);
	return path;
}

static bool try_put(const char *path, const char *text)
{
	FILE *file = fopen(path, "a");

	if (!file)
		return false;
	fputs(text, file);
	return fclose(file) == 0;
}

static void put(const char *path, const char *text)
{
	assert_true(try_put(path, text));
}

static void dir(const char *path)
{
	mkdir(path, 0755);
}

/* In memory if there is such a place: durable writing is what takes longest. */
static const char memory[] = "/dev/shm";

static void pair_begin_at(struct pair *pair, enum bt_watch_kind kind, const char *where)
{
	const struct bt_store_options options = {.create = true};

	*pair = (struct pair){.chance = 1};
	world_begin_at(&pair->world, access(where, W_OK) == 0 ? where : "/tmp");
	assert_int_equal(bt_store_open(at(pair, "whole"), &options, &pair->whole, NULL), 0);
	assert_int_equal(bt_watch_start(pair->world.source, pair->world.store, kind, &pair->watch, NULL), 0);
	for (int i = 0; i < 6; i++) {
		dir(at(pair, "source/d%d", i));
		dir(at(pair, "source/d%d/sub", i));
		for (int j = 0; j < 4; j++) {
			put(at(pair, "source/d%d/f%d", i, j), "first");
			put(at(pair, "source/d%d/sub/f%d", i, j), "first");
		}
	}
	dir(at(pair, "outside"));
}

static void pair_end(struct pair *pair)
{
	bt_watch_stop(pair->watch);
	bt_store_close(pair->whole);
	world_end(&pair->world);
}

static struct bt_digest root_of(struct bt_store *store, const char *name)
{
	struct bt_snapshot *snapshot;
	struct bt_digest digest;

	assert_int_equal(bt_store_refresh(store, NULL), 0);
	assert_int_equal(bt_snapshot_open(store, name, &snapshot, NULL), 0);
	digest = bt_snapshot_info(snapshot)->root.digest;
	bt_snapshot_close(snapshot);
	return digest;
}

static void take_watched(struct pair *pair, bool full)
{
	struct bt_snapshot_options options = pair->world.options;
	struct bt_error error = {0};

	assert_int_equal(bt_watch_take(pair->watch, full, &options.changes, &error), 0);
	int code = bt_snapshot_take(pair->world.store, pair->world.source, &options, NULL, &pair->watched, &error);
	assert_true(code == 0 || code == BT_E_INCOMPLETE);
	bt_watch_give_back(pair->watch, options.changes);
}

static void compare(struct pair *pair)
{
	struct bt_digest watched, walked;
	struct bt_error error = {0};
	int code = bt_snapshot_take(pair->whole, pair->world.source, &pair->world.options, NULL, &pair->walked, &error);

	assert_true(code == 0 || code == BT_E_INCOMPLETE);
	watched = root_of(pair->world.store, pair->watched.name);
	walked = root_of(pair->whole, pair->walked.name);
	assert_memory_equal(&watched, &walked, sizeof(walked));
	assert_int_equal(pair->watched.files, pair->walked.files);
	assert_int_equal(pair->watched.directories, pair->walked.directories);
	assert_int_equal(pair->watched.others, pair->walked.others);
	assert_int_equal(pair->watched.directory_size, pair->walked.directory_size);
	assert_int_equal(pair->watched.errors, pair->walked.errors);
	assert_int_equal(pair->watched.unchanged + pair->watched.changed + pair->watched.created, pair->watched.files);
}

/* The next snapshot, for which this is the reason to look at everything. */
static void step(struct pair *pair, enum bt_doubt doubt)
{
	settle();
	take_watched(pair, false);
	assert_string_equal(bt_doubt_name(pair->watched.doubt), bt_doubt_name(doubt));
	assert_int_equal(pair->watched.followed, doubt == BT_DOUBT_NONE);
	compare(pair);
}

static void pair_begin_in(struct pair *pair, enum bt_watch_kind kind, const char *where)
{
	pair_begin_at(pair, kind, where);
	step(pair, BT_DOUBT_FIRST);
	if (bt_watch_kind(pair->watch) == BT_WATCH_BEST) {
		pair_end(pair);
		skip();
	}
	step(pair, BT_DOUBT_NONE);
	assert_int_equal(pair->watched.changed + pair->watched.created, 0);
}

static void pair_begin(struct pair *pair, enum bt_watch_kind kind)
{
	pair_begin_in(pair, kind, memory);
}

/* Each change alone. */

typedef void change(struct pair *pair);

static void c_write(struct pair *pair)
{
	put(at(pair, "source/d1/f1"), "more");
	assert_int_equal(pair->watched.created, 0);
}
static void c_truncate(struct pair *pair)
{
	assert_int_equal(truncate(at(pair, "source/d1/sub/f1"), 2), 0);
}
static void c_chmod(struct pair *pair)
{
	assert_int_equal(chmod(at(pair, "source/d1/f2"), 0600), 0);
}
static void c_chmod_directory(struct pair *pair)
{
	assert_int_equal(chmod(at(pair, "source/d1/sub"), 0700), 0);
}
static void c_chmod_root(struct pair *pair)
{
	assert_int_equal(chmod(pair->world.source, 0711), 0);
}
static void c_chown(struct pair *pair)
{
	assert_int_equal(chown(at(pair, "source/d1/f2"), geteuid() == 0 ? 7 : geteuid(), (gid_t)-1), 0);
}
static void c_xattr(struct pair *pair)
{
	/* A file system in memory has them since Linux 6.6. */
	assert_true(setxattr(at(pair, "source/d2/f2"), "user.colour", "red", 3, 0) == 0 || errno == ENOTSUP);
}
static void c_times(struct pair *pair)
{
	const struct timespec times[2] = {{1000, 5}, {1000, 7}};

	assert_int_equal(utimensat(AT_FDCWD, at(pair, "source/d2/sub/f3"), times, 0), 0);
}
static void c_unlink(struct pair *pair)
{
	assert_int_equal(unlink(at(pair, "source/d3/f3")), 0);
}
static void c_create(struct pair *pair)
{
	put(at(pair, "source/d3/new"), "new");
	put(at(pair, "source/new"), "new");
}
static void c_rename(struct pair *pair)
{
	assert_int_equal(rename(at(pair, "source/d3/f1"), at(pair, "source/d4/sub/moved")), 0);
}
static void c_replace(struct pair *pair)
{
	put(at(pair, "source/d4/draft"), "other");
	assert_int_equal(rename(at(pair, "source/d4/draft"), at(pair, "source/d4/f1")), 0);
}
static void c_exchange(struct pair *pair)
{
	assert_int_equal(renameat2(AT_FDCWD, at(pair, "source/d4/sub"), AT_FDCWD, at(pair, "source/d5/sub"), 2), 0);
}
static void c_symlink(struct pair *pair)
{
	assert_int_equal(symlink("f1", at(pair, "source/d4/link")), 0);
}
static void c_symlink_changed(struct pair *pair)
{
	assert_int_equal(unlink(at(pair, "source/d4/link")), 0);
	assert_int_equal(symlink("f2", at(pair, "source/d4/link")), 0);
}
static void c_fifo(struct pair *pair)
{
	assert_int_equal(mkfifo(at(pair, "source/d0/fifo"), 0600), 0);
}
static void c_move_directory(struct pair *pair)
{
	assert_int_equal(rename(at(pair, "source/d0"), at(pair, "source/d1/sub/d0")), 0);
}
static void c_write_in_moved(struct pair *pair)
{
	put(at(pair, "source/d1/sub/d0/sub/f1"), "more");
}
static void c_move_out(struct pair *pair)
{
	assert_int_equal(rename(at(pair, "source/d1/sub/d0"), at(pair, "outside/d0")), 0);
	put(at(pair, "outside/d0/sub/f2"), "while outside");
}
static void c_move_in(struct pair *pair)
{
	put(at(pair, "outside/d0/sub/f3"), "while outside");
	assert_int_equal(rename(at(pair, "outside/d0"), at(pair, "source/d2/d0")), 0);
}
static void c_out_and_in(struct pair *pair)
{
	assert_int_equal(rename(at(pair, "source/d2/d0"), at(pair, "outside/d0")), 0);
	settle();
	put(at(pair, "outside/d0/sub/f1"), "out");
	assert_int_equal(rename(at(pair, "outside/d0"), at(pair, "source/d2/d0")), 0);
	put(at(pair, "source/d2/d0/sub/f0"), "in");
}
static void c_rename_above(struct pair *pair)
{
	put(at(pair, "source/d2/d0/sub/f0"), "before");
	assert_int_equal(rename(at(pair, "source/d2"), at(pair, "source/e2")), 0);
	put(at(pair, "source/e2/sub/f0"), "after");
}
static void c_deep(struct pair *pair)
{
	char path[512];
	int length = snprintf(path, sizeof(path), "%s", at(pair, "source/e2/deep"));

	for (int i = 0; i < 40; i++) {
		dir(path);
		length += snprintf(path + length, sizeof(path) - (size_t)length, "/%d", i);
	}
	put(path, "down there");
}
static void c_in_deep(struct pair *pair)
{
	put(at(pair, "source/e2/deep/0/1/2/3/4/5/6/7/8/9/f"), "half way");
}
static void c_remove_tree(struct pair *pair)
{
	remove_tree(at(pair, "source/e2/deep"));
	remove_tree(at(pair, "source/d5/sub"));
}
static void c_again(struct pair *pair)
{
	dir(at(pair, "source/d5/sub"));
	dir(at(pair, "source/d5/sub/sub"));
	put(at(pair, "source/d5/sub/sub/f"), "again");
}
static void c_many(struct pair *pair)
{
	for (int i = 0; i < 300; i++) {
		dir(at(pair, "source/many%d", i));
		put(at(pair, "source/many%d/f", i), "f");
	}
}
static void c_in_many(struct pair *pair)
{
	for (int i = 0; i < 300; i += 3)
		put(at(pair, "source/many%d/f", i), "more");
	for (int i = 1; i < 300; i += 3)
		remove_tree(at(pair, "source/many%d", i));
}
static void c_to_file(struct pair *pair)
{
	remove_tree(at(pair, "source/many0"));
	put(at(pair, "source/many0"), "a file now");
	unlink(at(pair, "source/d3/f0"));
	dir(at(pair, "source/d3/f0"));
	put(at(pair, "source/d3/f0/f"), "a directory now");
}
static void c_the_last(struct pair *pair)
{
	put(at(pair, "source/d3/sub/f1"), "and nothing else");
}

static void each_change(enum bt_watch_kind kind)
{
	static change *const changes[] = {
		c_write,      c_truncate,	c_chmod,	  c_chmod_directory, c_chmod_root,
		c_chown,      c_xattr,		c_times,	  c_unlink,	     c_create,
		c_rename,     c_replace,	c_exchange,	  c_symlink,	     c_symlink_changed,
		c_fifo,	      c_move_directory, c_write_in_moved, c_move_out,	     c_move_in,
		c_out_and_in, c_rename_above,	c_deep,		  c_in_deep,	     c_remove_tree,
		c_again,      c_many,		c_in_many,	  c_to_file,	     c_the_last,
	};
	struct pair pair;

	pair_begin(&pair, kind);
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		changes[i](&pair);
		step(&pair, BT_DOUBT_NONE);
	}
	pair_end(&pair);
}

static void each_change_by_fanotify(void **state)
{
	each_change(BT_WATCH_FANOTIFY);
}

static void each_change_by_inotify(void **state)
{
	each_change(BT_WATCH_INOTIFY);
}

/* Many at once, by chance. */

static unsigned chance(struct pair *pair, unsigned below)
{
	pair->chance = pair->chance * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(pair->chance >> 33) % below;
}

static const char *any(struct pair *pair)
{
	static const char *const forms[] = {"source/d%u/f%u", "source/d%u/sub/f%u", "source/d%u/sub/d%u", "source/d%u",
					    "outside/d%u",    "source/d%u/d%u",	    "source/d%u/d%u/f1"};
	static char path[4][512];
	static unsigned next;
	char relative[64], *place = path[next++ % 4];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
	snprintf(relative, sizeof(relative), forms[chance(pair, 7)], chance(pair, 6), chance(pair, 5));
#pragma GCC diagnostic pop
	snprintf(place, sizeof(path[0]), "%s/%s", pair->world.base, relative);
	return place;
}

static void change_something(struct pair *pair)
{
	const struct timespec times[2] = {{chance(pair, 1000), 1}, {chance(pair, 1000), 2}};
	const char *path = any(pair);

	switch (chance(pair, 12)) {
	case 0:
	case 1:
		try_put(path, "more"); /* it may be a directory */
		break;
	case 2:
		(void)!truncate(path, chance(pair, 9));
		break;
	case 3:
		chmod(path, 0700 | chance(pair, 64));
		break;
	case 4:
		utimensat(AT_FDCWD, path, times, 0);
		break;
	case 5:
		remove_tree(path);
		break;
	case 6:
		dir(path);
		break;
	case 7:
		renameat2(AT_FDCWD, path, AT_FDCWD, any(pair), 2);
		break;
	case 8:
		(void)!symlink("anywhere", path);
		break;
	case 9:
		setxattr(path, "user.n", "value", chance(pair, 5), 0);
		break;
	default:
		rename(path, any(pair));
	}
}

static void by_chance(enum bt_watch_kind kind)
{
	struct pair pair;

	pair_begin(&pair, kind);
	for (unsigned round = 0; round < 30; round++) {
		for (unsigned i = chance(&pair, 25); i > 0; i--)
			change_something(&pair);
		step(&pair, BT_DOUBT_NONE);
	}
	pair_end(&pair);
}

static void many_by_fanotify(void **state)
{
	by_chance(BT_WATCH_FANOTIFY);
}

static void many_by_inotify(void **state)
{
	by_chance(BT_WATCH_INOTIFY);
}

/* Hard links. */

static void links(enum bt_watch_kind kind)
{
	struct pair pair;

	pair_begin(&pair, kind);
	/* The other name lies where nothing else happened. */
	assert_int_equal(link(at(&pair, "source/d1/f1"), at(&pair, "source/d2/linked")), 0);
	settle();
	take_watched(&pair, false);
	compare(&pair);
	/* Written through one name, read through both. */
	put(at(&pair, "source/d2/linked"), "through the new name");
	step(&pair, BT_DOUBT_NONE);
	put(at(&pair, "source/d1/f1"), "through the old name");
	step(&pair, BT_DOUBT_NONE);
	/* Both names in one directory are no riddle. */
	put(at(&pair, "source/d3/one"), "one");
	assert_int_equal(link(at(&pair, "source/d3/one"), at(&pair, "source/d3/two")), 0);
	step(&pair, BT_DOUBT_NONE);
	assert_int_equal(rename(at(&pair, "source/d2/linked"), at(&pair, "source/d4/linked")), 0);
	step(&pair, BT_DOUBT_NONE);
	assert_int_equal(unlink(at(&pair, "source/d1/f1")), 0);
	step(&pair, BT_DOUBT_NONE);
	/* A name outside. */
	put(at(&pair, "outside/far"), "far");
	assert_int_equal(link(at(&pair, "outside/far"), at(&pair, "source/d5/near")), 0);
	step(&pair, BT_DOUBT_LINKS);
	step(&pair, BT_DOUBT_NONE);
	pair_end(&pair);
}

static void links_by_fanotify(void **state)
{
	links(BT_WATCH_FANOTIFY);
}

static void links_by_inotify(void **state)
{
	links(BT_WATCH_INOTIFY);
}

/* Writes through a mapping. */

struct mapper {
	int bytes, ready;
};

/* In a process of its own: maps the file, and writes each byte that it is given into it. */
static pid_t map_elsewhere(const char *path, struct mapper *ret_mapper)
{
	int pipes[2], ready[2];
	char byte;

	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		int fd = open(path, O_RDWR);
		char *bytes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		close(fd);
		close(pipes[1]);
		close(ready[0]);
		while (write(ready[1], "r", 1) == 1 && read(pipes[0], &byte, 1) == 1) {
			bytes[0] = byte;
			msync(bytes, 4096, MS_SYNC);
		}
		_exit(0);
	}
	close(pipes[0]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	*ret_mapper = (struct mapper){pipes[1], ready[0]};
	return child;
}

/* Comes back when it is written. */
static void write_mapped(const struct mapper *mapper, char byte)
{
	assert_int_equal(write(mapper->bytes, &byte, 1), 1);
	assert_int_equal(read(mapper->ready, &byte, 1), 1);
}

static void mapped(enum bt_watch_kind kind)
{
	struct pair pair;
	struct mapper mapper;
	int status;

	signal(SIGPIPE, SIG_IGN);
	pair_begin_in(&pair, kind, "/tmp"); /* in memory no time tells of such writes */
	pid_t child = map_elsewhere(at(&pair, "source/d1/sub/f1"), &mapper);
	step(&pair, BT_DOUBT_NONE);
	step(&pair, BT_DOUBT_NONE);
	for (char byte = 'a'; byte < 'e'; byte++) {
		write_mapped(&mapper, byte);
		step(&pair, BT_DOUBT_NONE);
		assert_int_equal(pair.watched.changed, 1);
		if (byte == 'b')
			assert_int_equal(rename(at(&pair, "source/d1"), at(&pair, "source/e1")), 0);
		if (byte == 'b')
			step(&pair, BT_DOUBT_NONE);
	}
	close(mapper.bytes);
	close(mapper.ready);
	waitpid(child, &status, 0);
	step(&pair, BT_DOUBT_NONE);
	pair_end(&pair);
}

static void mapped_by_fanotify(void **state)
{
	mapped(BT_WATCH_FANOTIFY);
}

static void mapped_by_inotify(void **state)
{
	mapped(BT_WATCH_INOTIFY);
}

/* Doubts. */

/* In a user namespace of its own, where the limit concerns nobody else; there is no way back. */
static bool limit_watches(const char *count)
{
	char map[32];

	snprintf(map, sizeof(map), "0 %u 1", geteuid());
	return unshare(CLONE_NEWUSER) == 0 && write_text("/proc/self/uid_map", map) &&
	       write_text("/proc/sys/user/max_inotify_watches", count);
}

static void watches_run_out(void **state)
{
	struct pair pair;

	if (!limit_watches("8"))
		skip();
	pair_begin_at(&pair, BT_WATCH_BEST, memory);
	step(&pair, BT_DOUBT_FIRST);
	step(&pair, BT_DOUBT_LIMIT);
	assert_true(write_text("/proc/sys/user/max_inotify_watches", "1000"));
	step(&pair, BT_DOUBT_LIMIT); /* not tried at each run */
	settle();
	take_watched(&pair, true);
	assert_int_equal(pair.watched.doubt, BT_DOUBT_LIMIT);
	compare(&pair);
	c_write(&pair);
	step(&pair, BT_DOUBT_NONE);
	pair_end(&pair);
}

/* Directories of which the last has a longer path than there are. */
static const char level[] = "one of so many directories that nobody can say in one call where the last is";
enum { LEVELS = PATH_MAX / sizeof(level) + 2 };

static int make_levels(const char *top)
{
	int at = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; i < LEVELS; i++) {
		assert_int_equal(mkdirat(at, level, 0755), 0);
		int below = openat(at, level, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		close(at);
		at = below;
	}
	assert_true(at >= 0);
	return at;
}

static void remove_levels(int at)
{
	unlinkat(at, "file", 0);
	for (int i = 0; i < LEVELS; i++) {
		int above = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		close(at);
		assert_int_equal(unlinkat(above, level, AT_REMOVEDIR), 0);
		at = above;
	}
	close(at);
}

static void write_in(int dirfd, const char *text)
{
	int fd = openat(dirfd, "file", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void beyond_all_paths(enum bt_watch_kind kind)
{
	struct pair pair;

	pair_begin(&pair, kind);
	int elsewhere = make_levels(at(&pair, "outside"));
	step(&pair, BT_DOUBT_NONE);
	write_in(elsewhere, "not to be saved");
	step(&pair, BT_DOUBT_NONE);
	int below = make_levels(at(&pair, "source"));
	write_in(below, "to be saved");
	step(&pair, BT_DOUBT_LIMIT);
	write_in(below, "to be saved again");
	step(&pair, BT_DOUBT_LIMIT);
	assert_int_equal(pair.watched.changed, 1);
	remove_levels(below);
	remove_levels(elsewhere);
	pair_end(&pair);
}

static void beyond_all_paths_by_fanotify(void **state)
{
	beyond_all_paths(BT_WATCH_FANOTIFY);
}

static void beyond_all_paths_by_inotify(void **state)
{
	beyond_all_paths(BT_WATCH_INOTIFY);
}

/* While nobody reads the queue. */
static void too_much_at_once(struct pair *pair)
{
	unsigned long limit = 0;
	FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "r");

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu", &limit), 1);
	fclose(file);
	if (limit > 100000) {
		pair_end(pair);
		skip();
	}
	pthread_mutex_lock(&pair->watch->lock);
	for (unsigned long i = 0; i < limit + 10; i++)
		dir(at(pair, "source/d1/n%lu", i));
	for (unsigned long i = 0; i < limit + 10; i++)
		rmdir(at(pair, "source/d1/n%lu", i));
	pthread_mutex_unlock(&pair->watch->lock);
}

static void overflow(enum bt_watch_kind kind)
{
	struct pair pair;

	pair_begin(&pair, kind);
	too_much_at_once(&pair);
	step(&pair, BT_DOUBT_OVERFLOW);
	c_truncate(&pair);
	step(&pair, BT_DOUBT_NONE);
	assert_int_equal(pair.watched.changed, 1);
	pair_end(&pair);
}

static void overflow_of_fanotify(void **state)
{
	overflow(BT_WATCH_FANOTIFY);
}

static void overflow_of_inotify(void **state)
{
	overflow(BT_WATCH_INOTIFY);
}

static void a_full_walk_when_it_is_due(void **state)
{
	struct pair pair;

	pair_begin(&pair, BT_WATCH_INOTIFY);
	settle();
	take_watched(&pair, true);
	assert_int_equal(pair.watched.doubt, BT_DOUBT_DUE);
	compare(&pair);
	c_write(&pair);
	step(&pair, BT_DOUBT_NONE);
	pair_end(&pair);
}

static void another_snapshot_between(void **state)
{
	struct pair pair;

	pair_begin(&pair, BT_WATCH_INOTIFY);
	c_write(&pair);
	settle();
	assert_int_equal(bt_snapshot_take(pair.world.store, pair.world.source, NULL, NULL, NULL, NULL), 0);
	step(&pair, BT_DOUBT_PARENT);
	c_truncate(&pair);
	step(&pair, BT_DOUBT_NONE);
	pair_end(&pair);
}

/* What a repair has moved aside the last snapshot may have needed. */
static void a_repair_between(void **state)
{
	struct pair pair;

	pair_begin(&pair, BT_WATCH_INOTIFY);
	dir(at(&pair, "store/damaged"));
	step(&pair, BT_DOUBT_DAMAGE);
	step(&pair, BT_DOUBT_NONE);
	put(at(&pair, "store/damaged/snapshot_2026-01-01T00-00-00Z.json"), "");
	step(&pair, BT_DOUBT_DAMAGE);
	c_truncate(&pair);
	step(&pair, BT_DOUBT_NONE);
	pair_end(&pair);
}

static void a_run_that_failed(void **state)
{
	struct bt_changes *changes;
	struct pair pair;

	pair_begin(&pair, BT_WATCH_INOTIFY);
	c_write(&pair);
	settle();
	assert_int_equal(bt_watch_take(pair.watch, false, &changes, NULL), 0);
	bt_watch_give_back(pair.watch, changes);
	step(&pair, BT_DOUBT_FAILED);
	step(&pair, BT_DOUBT_NONE);
	pair_end(&pair);
}

static void another_root(void **state)
{
	struct pair pair;

	pair_begin(&pair, BT_WATCH_BEST);
	assert_int_equal(rename(pair.world.source, at(&pair, "away")), 0);
	dir(pair.world.source);
	put(at(&pair, "source/f"), "f");
	step(&pair, BT_DOUBT_ROOT);
	put(at(&pair, "source/g"), "g");
	step(&pair, BT_DOUBT_NONE);
	pair_end(&pair);
}

static void mounts_below(void **state)
{
	struct pair pair;

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		skip();
	pair_begin(&pair, BT_WATCH_BEST);
	assert_int_equal(mount("tmpfs", at(&pair, "source/d1/sub"), "tmpfs", 0, NULL), 0);
	put(at(&pair, "source/d1/sub/there"), "there");
	step(&pair, BT_DOUBT_MOUNTS);
	put(at(&pair, "source/d1/sub/there"), "more");
	step(&pair, BT_DOUBT_NONE);
	assert_int_equal(pair.watched.changed, 1);
	assert_int_equal(umount(at(&pair, "source/d1/sub")), 0);
	step(&pair, BT_DOUBT_MOUNTS);
	pair_end(&pair);
}

/* A subvolume of btrfs is a file system of its own, too, but no mount: so is one that is in no list of mounts. */

static bool mounts_hidden;

int __real_bt_watch_mounts(int root, char **ret_mounts);
int __wrap_bt_watch_mounts(int root, char **ret_mounts);

int __wrap_bt_watch_mounts(int root, char **ret_mounts)
{
	int result = __real_bt_watch_mounts(root, ret_mounts);

	if (mounts_hidden && result == 0 && *ret_mounts)
		**ret_mounts = '\0';
	return result;
}

static void subvolumes_below(void **state)
{
	struct pair pair;

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		skip();
	mounts_hidden = true;
	pair_begin_at(&pair, BT_WATCH_INOTIFY, memory);
	assert_int_equal(mount("tmpfs", at(&pair, "source/d1/sub"), "tmpfs", 0, NULL), 0);
	dir(at(&pair, "source/d1/sub/in"));
	step(&pair, BT_DOUBT_FIRST);
	for (int i = 0; i < 2; i++) {
		put(at(&pair, "source/d1/sub/in/there"), "there");
		step(&pair, BT_DOUBT_NONE);
		assert_int_equal(pair.watched.created + pair.watched.changed, 1);
	}
	assert_int_equal(rename(at(&pair, "source/d1"), at(&pair, "source/d2/d1")), 0);
	step(&pair, BT_DOUBT_NONE);
	put(at(&pair, "source/d2/d1/sub/in/there"), "there");
	step(&pair, BT_DOUBT_NONE);
	assert_int_equal(pair.watched.changed, 1);
	assert_int_equal(umount(at(&pair, "source/d2/d1/sub")), 0);
	pair_end(&pair);
	mounts_hidden = false;
}

static void another_file_system(void **state)
{
	static const enum bt_doubt doubts[] = {BT_DOUBT_FIRST, BT_DOUBT_FOREIGN, BT_DOUBT_FOREIGN};
	struct bt_watch *watch;

	assert_int_equal(bt_watch_start("/proc/sys/fs", NULL, BT_WATCH_BEST, &watch, NULL), 0);
	for (int i = 0; i < 3; i++) {
		struct bt_changes *changes;

		assert_int_equal(bt_watch_take(watch, i == 2, &changes, NULL), 0);
		assert_int_equal(changes->doubt, doubts[i]);
		memcpy(changes->again->snapshot, "it", sizeof("it"));
		bt_watch_give_back(watch, changes);
	}
	assert_int_equal(bt_watch_kind(watch), BT_WATCH_BEST);
	bt_watch_stop(watch);
}

/* What was too young to be told from a later state, and what could not be read. */
static void looked_at_again(void **state)
{
	struct pair pair;

	pair_begin(&pair, BT_WATCH_BEST);
	put(at(&pair, "source/d1/f1"), "young");
	take_watched(&pair, false);
	assert_int_equal(pair.watched.doubt, BT_DOUBT_NONE);
	step(&pair, BT_DOUBT_NONE); /* with its fingerprint, as compare() finds */
	pair_end(&pair);
}

static void rules_hold(void **state)
{
	static const char *const patterns[] = {"*.tmp"}, *const markers[] = {".nobackup"};
	struct pair pair;

	pair_begin_at(&pair, BT_WATCH_BEST, memory);
	pair.world.options.exclude = patterns;
	pair.world.options.exclude_count = 1;
	pair.world.options.exclude_if_present = markers;
	pair.world.options.exclude_if_present_count = 1;
	pair.world.options.exclude_caches = true;
	step(&pair, BT_DOUBT_FIRST);
	put(at(&pair, "source/d1/a.tmp"), "a");
	dir(at(&pair, "source/d1/b.tmp"));
	put(at(&pair, "source/d1/b.tmp/f"), "f");
	step(&pair, BT_DOUBT_NONE);
	put(at(&pair, "source/d2/.nobackup"), "");
	put(at(&pair, "source/d3/CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55");
	step(&pair, BT_DOUBT_NONE);
	put(at(&pair, "source/d2/sub/f1"), "left out");
	step(&pair, BT_DOUBT_NONE);
	assert_int_equal(unlink(at(&pair, "source/d2/.nobackup")), 0);
	assert_int_equal(truncate(at(&pair, "source/d3/CACHEDIR.TAG"), 5), 0);
	step(&pair, BT_DOUBT_NONE);
	pair_end(&pair);
}

static void unchanged_ones_are_skipped(void **state)
{
	struct pair pair;

	pair_begin(&pair, BT_WATCH_BEST);
	pair.world.options.skip_if_unchanged = true;
	settle();
	take_watched(&pair, false);
	assert_true(pair.watched.skipped);
	assert_true(pair.watched.followed);
	c_write(&pair);
	settle();
	take_watched(&pair, false);
	assert_false(pair.watched.skipped);
	assert_true(pair.watched.followed);
	compare(&pair);
	pair_end(&pair);
}

/* Moved while it is first looked at. */

static struct pair *moving;

int __real_inotify_add_watch(int fd, const char *path, uint32_t mask);
int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask);

/* Between the watch of d0 and its listing d0 becomes d0/sub, which is what is found in it, too. */
int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	struct pair *pair = moving;
	char target[PATH_MAX] = "";
	int id = __real_inotify_add_watch(fd, path, mask);

	if (pair && readlink(path, target, sizeof(target) - 1) > 0 && strstr(target, "/source/d0")) {
		moving = NULL;
		assert_int_equal(rename(at(pair, "source/d0"), at(pair, "outside/d0")), 0);
		dir(at(pair, "source/d0"));
		assert_int_equal(rename(at(pair, "outside/d0"), at(pair, "source/d0/sub")), 0);
	}
	return id;
}

static void moved_below_itself(void **state)
{
	struct pair pair;

	pair_begin_at(&pair, BT_WATCH_INOTIFY, memory);
	moving = &pair;
	take_watched(&pair, false); /* not compared: it comes right behind the changes */
	assert_null(moving);
	step(&pair, BT_DOUBT_LOST);
	step(&pair, BT_DOUBT_NONE);
	pair_end(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_change_by_fanotify),
		cmocka_unit_test(each_change_by_inotify),
		cmocka_unit_test(many_by_fanotify),
		cmocka_unit_test(many_by_inotify),
		cmocka_unit_test(links_by_fanotify),
		cmocka_unit_test(links_by_inotify),
		cmocka_unit_test(mapped_by_fanotify),
		cmocka_unit_test(mapped_by_inotify),
		cmocka_unit_test(beyond_all_paths_by_fanotify),
		cmocka_unit_test(beyond_all_paths_by_inotify),
		cmocka_unit_test(overflow_of_fanotify),
		cmocka_unit_test(overflow_of_inotify),
		cmocka_unit_test(a_full_walk_when_it_is_due),
		cmocka_unit_test(another_snapshot_between),
		cmocka_unit_test(a_repair_between),
		cmocka_unit_test(a_run_that_failed),
		cmocka_unit_test(another_root),
		cmocka_unit_test(another_file_system),
		cmocka_unit_test(looked_at_again),
		cmocka_unit_test(rules_hold),
		cmocka_unit_test(unchanged_ones_are_skipped),
		cmocka_unit_test(mounts_below),
		cmocka_unit_test(subvolumes_below),
		cmocka_unit_test(watches_run_out),
		cmocka_unit_test(moved_below_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
