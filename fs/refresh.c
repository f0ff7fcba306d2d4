/* SPDX-License-Identifier: MIT */
#include "refresh.h"
#include "gone.h"
#include "look.h"
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

#define POLL_MS	    1000 /* to look again without a watch, or after a failure */
#define GONE_MS_MAX 64000
#define SETTLE_MS   20 /* one change often brings several events: those after the first are waited for */

struct refresh {
	struct fs *fs;
	pthread_t thread;
	const char *store;
	int watch, stop; /* watch -1: look again and again */
	bool failed;	 /* to look at the store the last time */
	bool empty;	 /* no snapshots: the directory may be gone next, of which no event tells */
	int gone_ms;	 /* how long to wait until removed files are let go, if nobody uses them; -1: there are none */
	int64_t gone_at; /* when they are looked at next */
};

#define EVENTS (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_ATTRIB | IN_ONLYDIR)

/* contents/ may come later; to watch it twice is to watch it once. */
static void watch_contents(const struct refresh *refresh)
{
	char path[PATH_MAX];
	if (refresh->watch >= 0 && snprintf(path, sizeof(path), "%s/contents", refresh->store) < (int)sizeof(path))
		inotify_add_watch(refresh->watch, path, EVENTS | IN_DONT_FOLLOW);
}

static int open_watch(const struct fs *fs, const char *store)
{
	if (bt_watch_foreign(fs->store_fd)) /* where other machines write, no event comes */
		return -1;
	int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch < 0)
		return -1;
	if (inotify_add_watch(watch, store, EVENTS | IN_MOVE_SELF) >= 0)
		return watch;
	close(watch);
	return -1;
}

/* Names stay while the mount lives. The kernel is told without the lock, which its answer may wait for. */
static void tell_of(struct fs *fs, uint32_t serial)
{
	pthread_rwlock_rdlock(&fs->lock);
	const char *name = root_file_name(fs, serial);
	size_t length = root_name_length(fs, serial);
	pthread_rwlock_unlock(&fs->lock);
	fuse_lowlevel_notify_inval_entry(fs->session, FUSE_ROOT_ID, name, length);
}

static void tell_kernel(struct fs *fs, const struct root_change *change)
{
	for (size_t i = 0; i < change->count; i++)
		tell_of(fs, change->serials[i]);
	fuse_lowlevel_notify_inval_entry(fs->session, FUSE_ROOT_ID, "latest", strlen("latest"));
	fuse_lowlevel_notify_inval_inode(fs->session, FUSE_ROOT_ID, 0, 0);
	versions_tell(fs);
}

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void note_gone(struct refresh *refresh)
{
	int64_t soon = now_ms() + POLL_MS;
	if (refresh->gone_at > soon)
		refresh->gone_at = soon;
	refresh->gone_ms = POLL_MS;
}

/* What changed since, whoever saw it. With the lock for writing. */
static struct root_change take_news(struct fs *fs)
{
	struct root_change news = fs->news;
	fs->news = (struct root_change){0};
	return news;
}

/* What is mounted is the directory, not what its name leads to. */
static void check_place(const struct refresh *refresh)
{
	struct stat own, there;
	char shown[640], text[sizeof(shown) + 128];
	if (fstat(refresh->fs->store_fd, &own) != 0)
		return;
	int result = stat(refresh->store, &there);
	if (result == 0 ? there.st_dev == own.st_dev && there.st_ino == own.st_ino : errno != ENOENT)
		return;
	bt_error_escape(refresh->store, shown, sizeof(shown));
	snprintf(text, sizeof(text), "%s: the store was removed, or is elsewhere now: please unmount, and mount again",
		 shown);
	log_text(&refresh->fs->log, text);
}

static void update(struct refresh *refresh)
{
	struct fs *fs = refresh->fs;
	struct bt_error error = {0};
	uint32_t single;
	pthread_rwlock_wrlock(&fs->lock);
	int code = look_again(fs, &error);
	struct root_change news = take_news(fs);
	if (bt_store_holds_removed(fs->store))
		note_gone(refresh);
	refresh->empty = bt_store_snapshot_count(fs->store) == 0;
	pthread_rwlock_unlock(&fs->lock);
	refresh->failed = code != 0;
	if (code)
		log_error(&fs->log, "looking at the store again", &error);
	if (news.count > 0 && !root_is_single(fs, &single))
		tell_kernel(fs, &news);
	free(news.serials);
	pthread_rwlock_rdlock(&fs->lock);
	bt_store_hold(fs->store);
	pthread_rwlock_unlock(&fs->lock);
	check_place(refresh);
}

/* Empties the queue; whether any event concerns a file of the store, or contents/. */
static bool drain(int watch)
{
	_Alignas(struct inotify_event) char events[4096];
	bool any = false;
	ssize_t length;
	while ((length = read(watch, events, sizeof(events))) > 0) {
		for (ssize_t at = 0; at < length;) {
			const struct inotify_event *event = (const void *)(events + at);
			const char *end = event->len ? strstr(event->name, ".json") : NULL;
			any |= (event->mask & (IN_Q_OVERFLOW | IN_ISDIR | IN_MOVE_SELF)) ||
			       (end && end[strlen(".json")] == '\0');
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	}
	return any;
}

static void release(struct refresh *refresh)
{
	bool done = gone_release(refresh->fs);
	refresh->gone_ms = done ? -1 : refresh->gone_ms < GONE_MS_MAX ? refresh->gone_ms * 2 : GONE_MS_MAX;
	refresh->gone_at = now_ms() + refresh->gone_ms;
}

/* How long to wait for an event. Without a watch the store is looked at each time, which costs little when nothing has
 * changed: the time of a directory does not change when a file in it is modified in place. */
static int patience(const struct refresh *refresh)
{
	if (refresh->watch < 0 || refresh->failed || refresh->empty)
		return POLL_MS;
	if (refresh->gone_ms < 0)
		return -1;
	int64_t left = refresh->gone_at - now_ms();
	return left < 0 ? 0 : (int)left;
}

static void *follow(void *arg)
{
	struct refresh *refresh = arg;
	struct pollfd fds[] = {{.fd = refresh->stop, .events = POLLIN}, {.fd = refresh->watch, .events = POLLIN}};
	watch_contents(refresh);
	update(refresh); /* for what came between the first look and the watch */
	for (;;) {
		int ready = poll(fds, 2, patience(refresh));
		if (fds[0].revents)
			return NULL;
		if (ready < 0 && errno != EINTR)
			return NULL;
		if (ready > 0 && fds[1].revents) {
			if (drain(refresh->watch)) {
				watch_contents(refresh);
				bt_store_doubt(refresh->fs->store);
				update(refresh);
			}
			if (poll(fds, 1, SETTLE_MS) > 0)
				return NULL;
		} else if (refresh->watch < 0 || refresh->failed || refresh->empty) {
			update(refresh);
		}
		if (refresh->gone_ms >= 0 && now_ms() >= refresh->gone_at)
			release(refresh);
	}
}

int refresh_start(struct fs *fs, const char *store, struct refresh **ret_refresh)
{
	struct refresh *refresh = calloc(1, sizeof(*refresh));
	if (!refresh)
		return ENOMEM;
	*refresh = (struct refresh){.fs = fs, .store = store, .stop = eventfd(0, EFD_CLOEXEC), .gone_ms = -1};
	refresh->watch = open_watch(fs, store);
	if (refresh->stop < 0 || pthread_create(&refresh->thread, NULL, follow, refresh) != 0) {
		close(refresh->stop);
		close(refresh->watch);
		free(refresh);
		return EAGAIN;
	}
	*ret_refresh = refresh;
	return 0;
}

void refresh_stop(struct refresh *refresh)
{
	uint64_t one = 1;
	if (!refresh)
		return;
	ssize_t written = write(refresh->stop, &one, sizeof(one));
	(void)written; /* eight bytes always fit */
	pthread_join(refresh->thread, NULL);
	close(refresh->stop);
	if (refresh->watch >= 0)
		close(refresh->watch);
	free(refresh);
}
