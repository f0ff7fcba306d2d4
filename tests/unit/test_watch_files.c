/* SPDX-License-Identifier: MIT */
/* Changes that no directory tells of, and what is looked at again without any. */
#include "watch_pair.h"
#include <ctype.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>

/* The next snapshot, which may be of everything. */
static void take_and_compare(struct pair *pair)
{
	settle();
	take_watched(pair, false);
	compare(pair);
}

/* Hard links. */

static void links(enum bt_watch_kind kind)
{
	struct pair pair;

	pair_begin(&pair, kind);
	/* The other name lies where nothing else happened. */
	assert_int_equal(link(at(&pair, "source/d1/f1"), at(&pair, "source/d2/linked")), 0);
	take_and_compare(&pair);
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

/* The next snapshot that is not of everything tells of the write. */
static void step_mapped(struct pair *pair, const struct mapper *mapper, char byte)
{
	int tries = 100;

	do {
		write_mapped(mapper, tries % 2 ? toupper(byte) : byte);
		take_and_compare(pair);
	} while (pair->watched.doubt == BT_DOUBT_OVERFLOW && --tries);
	assert_int_equal(pair->watched.doubt, BT_DOUBT_NONE);
	assert_int_equal(pair->watched.changed, 1);
}

static void mapped(enum bt_watch_kind kind)
{
	struct pair pair;
	struct mapper mapper;
	int status;

	signal(SIGPIPE, SIG_IGN);
	pair_begin_in(&pair, kind, "/var/tmp"); /* in memory no time tells of such writes, and /tmp may be there */
	pid_t child = map_elsewhere(at(&pair, "source/d1/sub/f1"), &mapper);
	take_and_compare(&pair);
	take_and_compare(&pair);
	for (char byte = 'a'; byte < 'e'; byte++) {
		step_mapped(&pair, &mapper, byte);
		if (byte == 'b')
			assert_int_equal(rename(at(&pair, "source/d1"), at(&pair, "source/e1")), 0);
		if (byte == 'b')
			take_and_compare(&pair);
	}
	close(mapper.bytes);
	close(mapper.ready);
	waitpid(child, &status, 0);
	take_and_compare(&pair);
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

/* Whether a file that nobody touched has one. */
static bool is_born(struct pair *pair)
{
	pair->world.result = pair->watched;
	struct looked looked = look_up(&pair->world, "d3/sub/f2");
	bool born = looked.entry->extra && looked.entry->extra->has_btime;

	drop_entry(&pair->world, &looked);
	return born;
}

/* All entries get birth times, or lose them, where the changes alone would leave them to the parent. */
static void birth_times_are_for_all(void **state)
{
	static const char *many[10000];
	struct pair pair;
	struct statx status;

	for (int i = 0; i < 10000; i++)
		many[i] = "rule";
	pair_begin(&pair, BT_WATCH_BEST);
	assert_int_equal(statx(AT_FDCWD, at(&pair, "source/d3/sub/f2"), 0, STATX_BTIME, &status), 0);
	bool can = status.stx_mask & STATX_BTIME;

	for (int i = 0; i < 4; i++) {
		pair.world.options.birth_times = i % 2 == 0;
		pair.world.options.exclude = many;
		pair.world.options.exclude_count = i / 2 * 10000; /* then the header has no options */
		put(at(&pair, "source/d1/f1"), i % 2 ? "a" : "b");
		step(&pair, can || i < 3 ? BT_DOUBT_DUE : BT_DOUBT_NONE);
		assert_int_equal(is_born(&pair), can && i % 2 == 0);
		put(at(&pair, "source/d1/f1"), i % 2 ? "aa" : "bb");
		step(&pair, BT_DOUBT_NONE);
		assert_int_equal(is_born(&pair), can && i % 2 == 0);
	}
	pair_end(&pair);
}

/* Other rules than the parent's are about directories in which nothing changed, too; and some are never followed. */
static void changed_rules_are_for_all(void **state)
{
	static const char *const patterns[] = {"f2"}, *const include[] = {"f1", "f2"}, *const names[] = {".ignore"};
	struct pair pair;

	pair_begin(&pair, BT_WATCH_BEST);
	pair.world.options.exclude = patterns;
	pair.world.options.exclude_count = 1;
	step(&pair, BT_DOUBT_DUE);
	put(at(&pair, "source/d1/f1"), "a");
	step(&pair, BT_DOUBT_NONE);
	pair.world.options.exclude_count = 0;
	pair.world.options.include = include;
	pair.world.options.include_count = 2;
	step(&pair, BT_DOUBT_DUE);
	dir(at(&pair, "source/way"));
	dir(at(&pair, "source/way/to"));
	step(&pair, BT_DOUBT_NONE);
	put(at(&pair, "source/way/to/f1"), "taken");
	step(&pair, BT_DOUBT_NONE);
	assert_int_equal(unlink(at(&pair, "source/way/to/f1")), 0);
	step(&pair, BT_DOUBT_NONE);
	pair.world.options.include_count = 0;
	pair.world.options.ignore_files = names;
	pair.world.options.ignore_file_count = 1;
	put(at(&pair, "source/.ignore"), "f2\n");
	step(&pair, BT_DOUBT_DUE);
	put(at(&pair, "source/.ignore"), "# f2\n");
	step(&pair, BT_DOUBT_DUE);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_by_fanotify),
		cmocka_unit_test(links_by_inotify),
		cmocka_unit_test(mapped_by_fanotify),
		cmocka_unit_test(mapped_by_inotify),
		cmocka_unit_test(looked_at_again),
		cmocka_unit_test(rules_hold),
		cmocka_unit_test(birth_times_are_for_all),
		cmocka_unit_test(changed_rules_are_for_all),
		cmocka_unit_test(unchanged_ones_are_skipped),
	};

	return cmocka_run_group_tests(tests, pair_alone, NULL);
}
