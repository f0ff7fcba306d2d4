/* SPDX-License-Identifier: MIT */
/*
 * Nothing that could not be looked at counts as gone: network file systems list names that they then deny, and
 * automounts fail. What a second reading of the directory does not list is gone. A reading serves all that failed
 * before it, and those after it as long as the directory did not change, so a directory full of such names costs one
 * reading.
 */
#include "base/bytes.h"
#include "base/io.h"
#include "scan/private.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define READINGS_MAX 64 /* of a directory that changes all the time: after them what was listed counts as there */
#define CLOCKS_SLACK 2	/* s: a change so shortly before may not be the last of its time stamp */

enum answer { ANSWER_GONE, ANSWER_LISTED, ANSWER_ASK_ABOVE };

uint64_t bt_scan_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

bool bt_scan_not_found(int error)
{
	return error == ENOENT || error == ESTALE;
}

void bt_scan_forget_again(struct bt_scan_private *node)
{
	free(node->again);
	node->again = NULL;
}

/* By name, which the listing is sorted by. */
static const struct bt_found *find_by_name(const struct bt_scan_dir *dir, const char *name, size_t length)
{
	size_t low = 0, high = dir->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct bt_found *found = &dir->found[middle];
		int order = bt_name_compare(found->name, found->name_length, name, length);

		if (order == 0)
			return found;
		*(order < 0 ? &low : &high) = order < 0 ? middle + 1 : middle;
	}
	return NULL;
}

static void mark(const struct bt_scan_dir *dir, const struct bt_scan_scratch *scratch, struct bt_scan_again *again)
{
	for (size_t i = 0; i < scratch->count; i++) {
		const struct bt_scan_key *key = &scratch->keys[i];
		const struct bt_found *found = find_by_name(dir, bt_scan_name(scratch, key), key->length);

		if (found)
			again->listed[found - dir->found] = true;
	}
}

/* 0 or an errno. The directory is opened once more: descriptors that others have of it stand somewhere in its list. */
static int read_again(struct bt_scan *scan, const struct bt_scan_dir *dir, int dirfd, struct bt_scan_again *again)
{
	struct bt_scan_scratch scratch = {0};
	int fd = bt_scan_open_directory(scan, dirfd, ".", dir->self.uid);
	int r = fd < 0 ? -fd : bt_scan_gather(scan, fd, &scratch);

	bt_close(&fd);
	if (!r)
		mark(dir, &scratch, again);
	bt_scan_scratch_free(&scratch);
	return r < 0 ? EIO : r;
}

static bool still_true(const struct bt_scan_again *again, const struct bt_found *now, uint64_t since)
{
	if (again->began >= since || again->readings >= READINGS_MAX)
		return true;
	return bt_time_equal(&again->mtime, &now->mtime) && bt_time_equal(&again->ctime, &now->ctime) &&
	       again->looked.seconds - now->mtime.seconds > CLOCKS_SLACK &&
	       again->looked.seconds - now->ctime.seconds > CLOCKS_SLACK;
}

/* The reading to be relied on; NULL on out of memory. Under the lock. */
static const struct bt_scan_again *reading(struct bt_scan *scan, struct bt_scan_private *node, int fd,
					   const struct bt_found *now, uint64_t since)
{
	struct bt_scan_again *again = node->again;
	struct timespec clock;

	if (again && still_true(again, now, since))
		return again;
	if (!again)
		again = node->again = calloc(1, sizeof(*again) + node->dir.count);
	if (!again)
		return NULL;
	clock_gettime(CLOCK_REALTIME, &clock);
	*again = (struct bt_scan_again){
		.began = bt_scan_now(),
		.mtime = now->mtime,
		.ctime = now->ctime,
		.looked = {clock.tv_sec, 0},
		.readings = again->readings + 1,
	};
	memset(again->listed, 0, node->dir.count);
	again->error = read_again(scan, &node->dir, fd, again);
	return again;
}

static enum answer ask_open(struct bt_scan *scan, struct bt_scan_private *node, int fd, const struct bt_found *found,
			    uint64_t since)
{
	const struct bt_scan_again *again;
	struct bt_found now;
	struct statx status;
	enum answer answer = ANSWER_LISTED;

	/* What the kernel remembers of a network's directory may be older than the question. */
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &status) < 0)
		return bt_scan_not_found(errno) ? ANSWER_ASK_ABOVE : ANSWER_LISTED;
	bt_scan_fill(scan, &now, &status);
	pthread_mutex_lock(&scan->again_lock);
	again = reading(scan, node, fd, &now, since);
	if (again && bt_scan_not_found(again->error)) /* it was removed itself, with all that was in it */
		answer = now.links == 0 ? ANSWER_GONE : ANSWER_ASK_ABOVE;
	else if (again && again->error == 0 && found && !again->listed[found - node->dir.found])
		answer = ANSWER_GONE;
	pthread_mutex_unlock(&scan->again_lock);
	return answer;
}

static enum answer ask(struct bt_scan *scan, struct bt_scan_dir *dir, const struct bt_found *name, uint64_t since)
{
	int fd = bt_scan_fd_get(scan, dir);
	enum answer answer;

	if (fd < 0)
		return bt_scan_not_found(-fd) ? ANSWER_ASK_ABOVE : ANSWER_LISTED;
	answer = ask_open(scan, dir->private, fd, find_by_name(dir, name->name, name->name_length), since);
	bt_scan_fd_put(scan, dir);
	return answer;
}

bool bt_scan_listed(struct bt_scan *scan, struct bt_scan_dir *dir, const struct bt_found *found, uint64_t since)
{
	const struct bt_found *name = found;

	for (; dir; name = &dir->self, dir = dir->parent) {
		enum answer answer = ask(scan, dir, name, since);

		if (answer != ANSWER_ASK_ABOVE)
			return answer == ANSWER_LISTED;
	}
	return true;
}
