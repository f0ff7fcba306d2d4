/* SPDX-License-Identifier: MIT */
#include <backuptool/watch.h>

#include "base/fail.h"
#include "base/io.h"
#include "store/store.h"
#include "watch/private.h"
#include <errno.h>
#include <fcntl.h>
#include <internal/watch.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Events gather for so long before they are read: the kernel makes one of those that are equal. */
enum { GATHER_MS = 20 };

static void end_source(struct bt_watch *watch)
{
	if (watch->source && watch->events >= 0)
		watch->source->close(watch);
	bt_close(&watch->events);
	watch->source = NULL;
	bt_names_clear(&watch->opened);
}

void bt_watch_doubt(struct bt_watch *watch, enum bt_doubt doubt)
{
	if (watch->doubt == BT_DOUBT_NONE)
		watch->doubt = doubt;
}

size_t bt_watch_queued(const struct bt_watch *watch)
{
	int size = 0;

	return ioctl(watch->events, FIONREAD, &size) == 0 && size > 0 ? (size_t)size : 0;
}

bool bt_watch_goes_on(const struct bt_watch *watch)
{
	return watch->doubt == BT_DOUBT_NONE && !watch->ending;
}

int bt_watch_changed(struct bt_watch *watch, const char *path, bool all)
{
	if (watch->pending->names.table.count < BT_WATCH_MEMORY)
		return bt_changes_add(watch->pending, path, all);
	bt_watch_doubt(watch, BT_DOUBT_OVERFLOW);
	return 0;
}

static void drain_source(struct bt_watch *watch)
{
	if (watch->events < 0)
		return;
	if (watch->source->drain(watch) != 0)
		bt_watch_doubt(watch, BT_DOUBT_LOST);
	if (watch->doubt != BT_DOUBT_NONE)
		end_source(watch);
}

static void wake(struct bt_watch *watch)
{
	(void)!eventfd_write(watch->wake, 1);
}

static void *listen_on(void *arg)
{
	struct bt_watch *watch = arg;
	struct pollfd fds[2] = {{.fd = watch->wake, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
	eventfd_t count;
	bool ending = false;

	while (!ending) {
		poll(fds, 2, -1);
		if (fds[0].revents)
			(void)!eventfd_read(watch->wake, &count);
		pthread_mutex_lock(&watch->lock);
		drain_source(watch);
		fds[1].fd = watch->events;
		ending = watch->ending;
		pthread_mutex_unlock(&watch->lock);
		if (!ending)
			poll(fds, 1, GATHER_MS);
	}
	return NULL;
}

/* Beginning. */

static bool start_thread(struct bt_watch *watch)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	watch->running = pthread_create(&watch->thread, NULL, listen_on, watch) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return watch->running;
}

int bt_watch_start(const char *target, struct bt_store *store, enum bt_watch_kind kind, struct bt_watch **ret_watch,
		   struct bt_error *error)
{
	struct bt_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	pthread_mutex_init(&watch->lock, NULL);
	watch->root = watch->events = -1;
	watch->wanted = kind;
	watch->takes = 1;
	if (store)
		bt_store_inode(store, &watch->skip_dev, &watch->skip_ino);
	watch->target = realpath(target, NULL);
	int failed = watch->target ? 0 : errno;
	watch->pending = bt_changes_new();
	watch->records = malloc(BT_WATCH_RECORDS);
	watch->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!failed && watch->wake < 0)
		failed = errno;
	if (!failed && (!watch->pending || !watch->records || !start_thread(watch)))
		failed = ENOMEM;
	if (!failed) {
		*ret_watch = watch;
		return 0;
	}
	bt_watch_stop(watch);
	return bt_fail_sys(error, failed, target, "watch the directory");
}

void bt_watch_stop(struct bt_watch *watch)
{
	if (!watch)
		return;
	if (watch->running) {
		watch->ending = true;
		wake(watch);
		pthread_join(watch->thread, NULL);
	}
	end_source(watch);
	bt_close(&watch->root);
	bt_close(&watch->wake);
	bt_changes_free(watch->pending);
	bt_changes_free(watch->again);
	free(watch->records);
	free(watch->mounts);
	free(watch->target);
	pthread_mutex_destroy(&watch->lock);
	free(watch);
}

enum bt_watch_kind bt_watch_kind(struct bt_watch *watch)
{
	pthread_mutex_lock(&watch->lock);
	enum bt_watch_kind kind = watch->events >= 0 ? watch->source->kind : BT_WATCH_BEST;
	pthread_mutex_unlock(&watch->lock);
	return kind;
}

/* Whether the target is still what is watched; opens it when not. */
static bool look_at_root(struct bt_watch *watch)
{
	struct stat status;
	int fd = bt_openat(AT_FDCWD, watch->target, O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0);
	bool known = fd >= 0 && fstat(fd, &status) == 0;

	if (known && watch->root >= 0 && status.st_dev == watch->dev && status.st_ino == watch->ino) {
		close(fd);
		return true;
	}
	end_source(watch);
	bt_close(&watch->root);
	if (!known) {
		bt_close(&fd);
		return false;
	}
	watch->root = fd;
	watch->dev = status.st_dev;
	watch->ino = status.st_ino;
	return false;
}

static bool look_at_mounts(struct bt_watch *watch)
{
	char *mounts;
	bool same = bt_watch_mounts(watch->root, &mounts) == 0 && mounts && watch->mounts &&
		    bt_watch_same_mounts(mounts, watch->mounts);

	free(watch->mounts);
	watch->mounts = mounts;
	return same;
}

static int try_source(struct bt_watch *watch, const struct bt_watch_source *source)
{
	if (watch->wanted != BT_WATCH_BEST && watch->wanted != source->kind)
		return BT_E_UNSUPPORTED;
	watch->source = source;
	int r = source->open(watch);
	if (!r && watch->doubt == BT_DOUBT_NONE)
		return 0;
	source->close(watch);
	bt_close(&watch->events);
	watch->source = NULL;
	return r;
}

/* What prevents it becomes the doubt, until the next time. */
static void choose_source(struct bt_watch *watch)
{
	int r = BT_E_UNSUPPORTED;

	if (watch->root < 0 || !watch->mounts)
		bt_watch_doubt(watch, BT_DOUBT_LOST);
	else if (bt_watch_foreign(watch->root))
		bt_watch_doubt(watch, BT_DOUBT_FOREIGN);
	else
		r = try_source(watch, &bt_watch_fanotify);
	if (r == BT_E_UNSUPPORTED && watch->doubt == BT_DOUBT_NONE)
		r = try_source(watch, &bt_watch_inotify);
	if (r)
		bt_watch_doubt(watch, r == BT_E_UNSUPPORTED ? BT_DOUBT_LIMIT : BT_DOUBT_LOST);
}

/* Taking. */

/* What is wrong before anything is read; the first reason found is told. */
static enum bt_doubt look(struct bt_watch *watch)
{
	bool begun = watch->root >= 0;

	if (!look_at_root(watch)) {
		free(watch->mounts);
		watch->mounts = NULL;
		look_at_mounts(watch);
		return begun ? BT_DOUBT_ROOT : BT_DOUBT_FIRST;
	}
	if (!look_at_mounts(watch))
		return BT_DOUBT_MOUNTS;
	drain_source(watch);
	return watch->doubt;
}

/* Something that will not go away soon is not tried at every run. */
static bool worth_trying(enum bt_doubt doubt, bool full)
{
	return full || (doubt != BT_DOUBT_LIMIT && doubt != BT_DOUBT_FOREIGN);
}

/* Before the walk: what happens from now on is in the next take. */
static enum bt_doubt begin_anew(struct bt_watch *watch, enum bt_doubt doubt, bool full)
{
	if (!worth_trying(doubt, full))
		return doubt;
	end_source(watch);
	watch->doubt = BT_DOUBT_NONE;
	choose_source(watch);
	return doubt != BT_DOUBT_NONE ? doubt : watch->doubt;
}

static int collect(struct bt_watch *watch, struct bt_changes *changes)
{
	int r = bt_watch_ask_opened(watch, changes);

	drain_source(watch);
	bt_watch_forget_asked(watch);
	if (!r)
		r = bt_watch_add_mounts(watch->mounts, changes);
	if (!r && watch->source && watch->source->add_always)
		r = watch->source->add_always(watch, changes);
	return r;
}

static int follow(struct bt_watch *watch, struct bt_changes *changes)
{
	const struct bt_changes *again = watch->again;
	int r;

	if (!again) {
		changes->doubt = BT_DOUBT_FAILED;
		return 0;
	}
	memcpy(changes->snapshot, again->snapshot, sizeof(changes->snapshot));
	changes->tree = again->tree;
	changes->repaired = again->repaired;
	r = bt_changes_merge(changes, again);
	bt_changes_free(watch->again);
	watch->again = NULL;
	return r;
}

static int take_changes(struct bt_watch *watch, bool full, struct bt_changes *next, struct bt_changes **ret_changes)
{
	enum bt_doubt doubt = look(watch);
	struct bt_changes *changes = watch->pending;
	int r = 0;

	if (doubt == BT_DOUBT_NONE && watch->events >= 0) {
		r = collect(watch, changes);
		doubt = watch->doubt;
	}
	watch->pending = next;
	watch->takes++;
	if (watch->events < 0 || doubt != BT_DOUBT_NONE)
		doubt = begin_anew(watch, doubt, full);
	if (!r)
		r = follow(watch, changes);
	if (doubt != BT_DOUBT_NONE)
		changes->doubt = doubt;
	else if (full && changes->doubt == BT_DOUBT_NONE)
		changes->doubt = BT_DOUBT_DUE;
	*ret_changes = changes;
	return r;
}

int bt_watch_take(struct bt_watch *watch, bool full, struct bt_changes **ret_changes, struct bt_error *error)
{
	struct bt_changes *next = bt_changes_new(), *changes;

	if (!next)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	pthread_mutex_lock(&watch->lock);
	int r = take_changes(watch, full, next, &changes);
	pthread_mutex_unlock(&watch->lock);
	wake(watch);
	if (!r) {
		*ret_changes = changes;
		return 0;
	}
	bt_changes_free(changes);
	return bt_fail(error, r, NULL, NULL);
}

void bt_watch_give_back(struct bt_watch *watch, struct bt_changes *changes)
{
	if (!changes)
		return;
	pthread_mutex_lock(&watch->lock);
	if (changes->again->snapshot[0]) {
		bt_changes_free(watch->again);
		watch->again = changes->again;
		changes->again = NULL;
	}
	pthread_mutex_unlock(&watch->lock);
	bt_changes_free(changes);
}
