/* SPDX-License-Identifier: MIT */
#include "follow.h"
#include "groups.h"
#include "look.h"
#include "ops.h"
#include "removed.h"
#include "root.h"
#include "versions.h"
#include <errno.h>
#include <internal/text.h>
#include <internal/watch.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define POLL_MS	       1000 /* interval of looks without a watch, or after a failure */
#define REMOVED_MS_MAX 64000
#define SETTLE_MS      20 /* one change often gives several events: waits for those after the first */

struct follow {
	struct fs *fs;
	pthread_t thread;
	const char *store;
	int watch, stop;    /* watch -1: looks at intervals */
	bool failed;	    /* the last look at the store failed */
	bool empty;	    /* no snapshots: the directory itself may go next, for which no event comes */
	int removed_ms;	    /* time until removed files are let go if they have no users; -1: there are none */
	int64_t removed_at; /* when they are looked at next */
};

#define EVENTS (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_ATTRIB | IN_ONLYDIR)

/* contents/ may be made later; a second watch of it is the first one again. */
static void watch_contents(const struct follow *follow)
{
	char path[PATH_MAX];

	if (follow->watch >= 0 && snprintf(path, sizeof(path), "%s/contents", follow->store) < (int)sizeof(path))
		inotify_add_watch(follow->watch, path, EVENTS | IN_DONT_FOLLOW);
}

static int open_watch(const struct fs *fs, const char *store)
{
	if (bt_watch_foreign(fs->store_fd)) /* other machines' writes cause no events */
		return -1;
	int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch < 0)
		return -1;
	if (inotify_add_watch(watch, store, EVENTS | IN_MOVE_SELF) >= 0)
		return watch;
	close(watch);
	return -1;
}

static void tell_list(struct fs *fs, fuse_ino_t list)
{
	fuse_lowlevel_notify_inval_entry(fs->session, list, "latest", strlen("latest"));
	fuse_lowlevel_notify_inval_inode(fs->session, list, 0, 0);
}

static void tell_kernel(struct fs *fs, const struct root_change *change)
{
	for (size_t i = 0; i < change->count; i++) {
		fuse_ino_t list = fs->groups ? top_group_node(root_group(fs, change->serials[i])) : FUSE_ROOT_ID;

		fuse_lowlevel_notify_inval_entry(fs->session, list, root_file_name(fs, change->serials[i]),
						 root_name_length(fs, change->serials[i]));
	}
	tell_list(fs, FUSE_ROOT_ID);
	for (uint32_t i = 0; fs->groups && i < groups_count(fs->groups); i++)
		tell_list(fs, top_group_node(i));
	versions_tell(fs);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void note_removed(struct follow *follow)
{
	int64_t soon = now_ms() + POLL_MS;

	if (follow->removed_at > soon)
		follow->removed_at = soon;
	follow->removed_ms = POLL_MS;
}

/* The mount is of the directory, not of what its name leads to now. */
static void check_place(const struct follow *follow)
{
	struct stat own, there;
	char shown[640], text[sizeof(shown) + 128];

	if (fstat(follow->fs->store_fd, &own) != 0)
		return;
	int r = stat(follow->store, &there);
	if (!r ? there.st_dev == own.st_dev && there.st_ino == own.st_ino : errno != ENOENT)
		return;
	bt_error_escape(follow->store, shown, sizeof(shown));
	snprintf(text, sizeof(text), "%s: the store was removed, or is elsewhere now: please unmount, and mount again",
		 shown);
	log_text(&follow->fs->log, text);
}

static void update(struct follow *follow)
{
	struct fs *fs = follow->fs;
	struct bt_error error = {0};
	struct root_change news;
	uint32_t single;
	int code = look_again(fs, &news, &error);

	if (bt_store_holds_removed(fs->store))
		note_removed(follow);
	follow->empty = bt_store_snapshot_count(fs->store) == 0;
	follow->failed = code != 0;
	if (code)
		log_error(&fs->log, "looking at the store again", &error);
	if (news.count > 0 && !root_is_single(fs, &single))
		tell_kernel(fs, &news);
	free(news.serials);
	bt_store_hold(fs->store);
	check_place(follow);
}

/* Empties the queue. True if an event concerns a file of the store, or contents/. */
static bool drain(int watch)
{
	_Alignas(struct inotify_event) char events[4096];
	bool any = false;
	ssize_t length = read(watch, events, sizeof(events));

	for (; length > 0; length = read(watch, events, sizeof(events))) {
		for (ssize_t at = 0; at < length;) {
			const struct inotify_event *event = (const void *)(events + at);
			const char *end = event->len ? strstr(event->name, ".json") : NULL;

			any |= (event->mask & (IN_Q_OVERFLOW | IN_ISDIR | IN_MOVE_SELF)) ||
			       (end && (!strcmp(end, ".json") || !strcmp(end, ".json.zst")));
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	}
	return any;
}

static void release(struct follow *follow)
{
	bool done = removed_release(follow->fs);

	follow->removed_ms = done ? -1 : follow->removed_ms < REMOVED_MS_MAX ? follow->removed_ms * 2 : REMOVED_MS_MAX;
	follow->removed_at = now_ms() + follow->removed_ms;
}

/* The time to wait for an event. Without a watch the store is looked at each time, which costs little if nothing
 * changed: a directory keeps its times when a file in it is modified in place. */
static int patience(const struct follow *follow)
{
	if (follow->watch < 0 || follow->failed || follow->empty)
		return POLL_MS;
	if (follow->removed_ms < 0)
		return -1;
	int64_t left = follow->removed_at - now_ms();
	return left < 0 ? 0 : (int)left;
}

static void *run(void *arg)
{
	struct follow *follow = arg;
	struct pollfd fds[] = {{.fd = follow->stop, .events = POLLIN}, {.fd = follow->watch, .events = POLLIN}};

	watch_contents(follow);
	update(follow); /* for changes between the first look and the watch */
	for (;;) {
		int ready = poll(fds, 2, patience(follow));

		if (fds[0].revents)
			return NULL;
		if (ready < 0 && errno != EINTR)
			return NULL;
		if (ready > 0 && fds[1].revents) {
			if (drain(follow->watch)) {
				watch_contents(follow);
				bt_store_doubt(follow->fs->store);
				update(follow);
			}
			if (poll(fds, 1, SETTLE_MS) > 0)
				return NULL;
		} else if (follow->watch < 0 || follow->failed || follow->empty) {
			update(follow);
		}
		if (follow->removed_ms >= 0 && now_ms() >= follow->removed_at)
			release(follow);
	}
}

int follow_start(struct fs *fs, const char *store, struct follow **ret_follow)
{
	struct follow *follow = calloc(1, sizeof(*follow));

	if (!follow)
		return ENOMEM;
	*follow = (struct follow){.fs = fs, .store = store, .stop = eventfd(0, EFD_CLOEXEC), .removed_ms = -1};
	follow->watch = open_watch(fs, store);
	if (follow->stop < 0 || pthread_create(&follow->thread, NULL, run, follow) != 0) {
		close(follow->stop);
		close(follow->watch);
		free(follow);
		return EAGAIN;
	}
	*ret_follow = follow;
	return 0;
}

void follow_stop(struct follow *follow)
{
	uint64_t one = 1;

	if (!follow)
		return;
	ssize_t written = write(follow->stop, &one, sizeof(one));
	(void)written; /* eight bytes always fit */
	pthread_join(follow->thread, NULL);
	close(follow->stop);
	if (follow->watch >= 0)
		close(follow->watch);
	free(follow);
}
