/* SPDX-License-Identifier: MIT */
#include "watch_pair.h"

#include "base/bytes.h"
#include <sched.h>
#include <sys/mount.h>

void settle(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 65000000}, NULL);
}

bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

const char *at(struct pair *pair, const char *format, ...)
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

bool try_put(const char *path, const char *text)
{
	FILE *file = fopen(path, "a");

	if (!file)
		return false;
	fputs(text, file);
	return fclose(file) == 0;
}

void put(const char *path, const char *text)
{
	assert_true(try_put(path, text));
}

void dir(const char *path)
{
	mkdir(path, 0755);
}

const char memory[] = "/dev/shm";

int pair_alone(void **state)
{
	if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("tmpfs", memory, "tmpfs", 0, NULL) < 0)
		assert_int_equal(errno, EPERM);
	return 0;
}

void pair_begin_at(struct pair *pair, enum bt_watch_kind kind, const char *where)
{
	const struct bt_store_options options = {.size = sizeof(options), .create = true};

	*pair = (struct pair){.chance = 1, .watched.size = sizeof(pair->watched), .walked.size = sizeof(pair->walked)};
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
	/* Somebody who occurs where most snapshots do not look; in a user namespace there may be nobody else. */
	if (geteuid() == 0 && chown(at(pair, "source/d5/sub/f3"), 1, 2))
		assert_int_equal(errno, EINVAL);
	dir(at(pair, "outside"));
}

void pair_end(struct pair *pair)
{
	bt_watch_stop(pair->watch);
	bt_store_close(pair->whole);
	world_end(&pair->world);
}

/* The ids of the tree and of the page of names, as one text. */
static void roots_of(struct bt_store *store, const char *name, char text[130])
{
	struct bt_snapshot *snapshot;

	assert_int_equal(bt_store_refresh(store, NULL), 0);
	assert_int_equal(bt_snapshot_open(store, name, &snapshot, NULL), 0);
	bt_digest_text(&bt_snapshot_info(snapshot)->root.digest, text);
	bt_digest_text(&bt_snapshot_info(snapshot)->names, text + 64);
	bt_snapshot_close(snapshot);
}

void take_watched(struct pair *pair, bool full)
{
	struct bt_snapshot_options options = pair->world.options;
	struct bt_error error = {0};

	assert_int_equal(bt_watch_take(pair->watch, full, &options.changes, &error), 0);
	int code = bt_snapshot_take(pair->world.store, pair->world.source, &options, NULL, &pair->watched, &error);
	assert_true(code == 0 || code == BT_E_INCOMPLETE);
	bt_watch_give_back(pair->watch, options.changes);
}

void compare(struct pair *pair)
{
	char watched[130], walked[130];
	struct bt_error error = {0};
	int code = bt_snapshot_take(pair->whole, pair->world.source, &pair->world.options, NULL, &pair->walked, &error);

	assert_true(code == 0 || code == BT_E_INCOMPLETE);
	roots_of(pair->world.store, pair->watched.name, watched);
	roots_of(pair->whole, pair->walked.name, walked);
	assert_string_equal(watched, walked);
	assert_int_equal(pair->watched.files, pair->walked.files);
	assert_int_equal(pair->watched.directories, pair->walked.directories);
	assert_int_equal(pair->watched.others, pair->walked.others);
	assert_int_equal(pair->watched.directory_size, pair->walked.directory_size);
	assert_int_equal(pair->watched.errors, pair->walked.errors);
	assert_int_equal(pair->watched.unchanged + pair->watched.changed + pair->watched.created, pair->watched.files);
}

void step(struct pair *pair, enum bt_doubt doubt)
{
	settle();
	take_watched(pair, false);
	assert_string_equal(bt_doubt_name(pair->watched.doubt), bt_doubt_name(doubt));
	assert_int_equal(pair->watched.followed, doubt == BT_DOUBT_NONE);
	compare(pair);
}

void pair_begin_in(struct pair *pair, enum bt_watch_kind kind, const char *where)
{
	pair_begin_at(pair, kind, where);
	step(pair, BT_DOUBT_FIRST);
	if (bt_watch_kind(pair->watch) == BT_WATCH_BEST) {
		pair_end(pair);
		skip();
	}
}

void pair_begin(struct pair *pair, enum bt_watch_kind kind)
{
	pair_begin_in(pair, kind, memory);
	step(pair, BT_DOUBT_NONE);
	assert_int_equal(pair->watched.changed + pair->watched.created, 0);
}

void c_write(struct pair *pair)
{
	put(at(pair, "source/d1/f1"), "more");
	assert_int_equal(pair->watched.created, 0);
}

void c_truncate(struct pair *pair)
{
	assert_int_equal(truncate(at(pair, "source/d1/sub/f1"), 2), 0);
}
