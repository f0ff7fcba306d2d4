/* SPDX-License-Identifier: MIT */
/* Snapshots of what changed are the same as those of everything: each change alone, and many at once. */
#include "watch_pair.h"

/* Each change alone. */

typedef void change(struct pair *pair);

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_change_by_fanotify),
		cmocka_unit_test(each_change_by_inotify),
		cmocka_unit_test(many_by_fanotify),
		cmocka_unit_test(many_by_inotify),
	};

	return cmocka_run_group_tests(tests, pair_alone, NULL);
}
