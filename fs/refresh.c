/* SPDX-License-Identifier: MIT */
#include "refresh.h"
#include "root.h"
#include "versions.h"
#include "xattr.h"
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#define POLL_MS	  1000 /* to look again without a watch, or after a failure, and whether removed files are in use */
#define SETTLE_MS 20   /* one change often brings several events */

struct refresh {
	struct fs *fs;
	pthread_t thread;
	const char *store;
	int watch, stop; /* watch -1: look again and again */
	bool failed;	 /* to look at the store the last time */
	bool holds_gone; /* files that were removed, for those who read them */
};

/* Where other machines write, no event comes. */
static bool is_remote(int fd)
{
	struct statfs fs;
	if (fstatfs(fd, &fs) != 0)
		return true;
	switch ((unsigned long)fs.f_type & 0xffffffff) {
	case NFS_SUPER_MAGIC:
	case SMB_SUPER_MAGIC:
	case 0xff534d42: /* cifs */
	case 0xfe534d42: /* smb2 */
	case V9FS_MAGIC:
	case FUSE_SUPER_MAGIC:
	case CEPH_SUPER_MAGIC:
	case AFS_SUPER_MAGIC:
		return true;
	default:
		return false;
	}
}

#define EVENTS (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_ONLYDIR)

/* contents/ may come later; to watch it twice is to watch it once. */
static void watch_contents(const struct refresh *refresh)
{
	char path[PATH_MAX];
	if (refresh->watch >= 0 && snprintf(path, sizeof(path), "%s/contents", refresh->store) < (int)sizeof(path))
		inotify_add_watch(refresh->watch, path, EVENTS);
}

static int open_watch(const struct fs *fs, const char *store)
{
	if (is_remote(fs->store_fd))
		return -1;
	int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch < 0)
		return -1;
	if (inotify_add_watch(watch, store, EVENTS) >= 0)
		return watch;
	close(watch);
	return -1;
}

static void tell_kernel(struct fs *fs, const struct root_change *change)
{
	for (size_t i = 0; i < change->count; i++)
		fuse_lowlevel_notify_inval_entry(fs->session, FUSE_ROOT_ID, root_file_name(fs, change->serials[i]),
						 root_name_length(fs, change->serials[i]));
	fuse_lowlevel_notify_inval_entry(fs->session, FUSE_ROOT_ID, "latest", strlen("latest"));
	fuse_lowlevel_notify_inval_inode(fs->session, FUSE_ROOT_ID, 0, 0);
}

/* Names and serials stay while the mount lives and only this thread adds some, so the kernel is told without the lock,
 * which its answer may wait for. */
static void update(struct refresh *refresh)
{
	struct fs *fs = refresh->fs;
	struct root_change change = {0};
	struct bt_error error = {0};
	uint32_t single;
	pthread_rwlock_wrlock(&fs->lock);
	int code = bt_store_refresh(fs->store, &error);
	int result = code ? 0 : root_update(fs, &change);
	if (fs->versions && change.count > 0)
		versions_outdate(fs);
	for (size_t i = 0; i < change.count; i++) {
		if (root_is_gone(fs, change.serials[i]))
			refresh->holds_gone = true;
		else
			xattr_new_snapshot(fs, change.serials[i]);
	}
	pthread_rwlock_unlock(&fs->lock);
	refresh->failed = code || result;
	if (code)
		log_error(&fs->log, "looking at the store again", &error);
	if (result)
		log_text(&fs->log, "looking at the store again: out of memory");
	if (change.count > 0 && !root_is_single(fs, &single))
		tell_kernel(fs, &change);
	free(change.serials);
	pthread_rwlock_rdlock(&fs->lock);
	bt_store_hold(fs->store);
	pthread_rwlock_unlock(&fs->lock);
}

/* Space that was freed is to be free, once nobody is inside of what was removed. A file in versions/ may come from any
 * snapshot. */
static void release(struct refresh *refresh)
{
	struct fs *fs = refresh->fs;
	if (!refresh->holds_gone || fs->versions)
		return;
	pthread_rwlock_wrlock(&fs->lock);
	if (!root_needs_gone(fs)) {
		bt_store_release(fs->store);
		refresh->holds_gone = false;
	}
	pthread_rwlock_unlock(&fs->lock);
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
			any |= (event->mask & IN_Q_OVERFLOW) || (event->mask & IN_ISDIR) ||
			       (end && end[strlen(".json")] == '\0');
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	}
	return any;
}

/* Without a watch each time, which costs little when nothing has changed: of a file that is written anew in its place
 * the directory tells nothing. */
static void look_again(struct refresh *refresh)
{
	if (refresh->watch < 0 || refresh->failed)
		update(refresh);
	release(refresh);
}

static void *follow(void *arg)
{
	struct refresh *refresh = arg;
	struct pollfd fds[] = {{.fd = refresh->stop, .events = POLLIN}, {.fd = refresh->watch, .events = POLLIN}};
	watch_contents(refresh);
	update(refresh); /* for what came between the first look and the watch */
	for (;;) {
		bool again = refresh->watch < 0 || refresh->failed || refresh->holds_gone;
		int ready = poll(fds, 2, again ? POLL_MS : -1);
		if (fds[0].revents)
			return NULL;
		if (ready < 0 && errno != EINTR)
			return NULL;
		if (ready > 0 && fds[1].revents) {
			if (poll(fds, 1, SETTLE_MS) > 0)
				return NULL;
			if (drain(refresh->watch)) {
				watch_contents(refresh);
				update(refresh);
			}
		} else if (ready == 0) {
			look_again(refresh);
		}
	}
}

int refresh_start(struct fs *fs, const char *store, struct refresh **ret_refresh)
{
	struct refresh *refresh = calloc(1, sizeof(*refresh));
	if (!refresh)
		return ENOMEM;
	*refresh = (struct refresh){.fs = fs, .store = store, .stop = eventfd(0, EFD_CLOEXEC)};
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
