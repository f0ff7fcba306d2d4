/* SPDX-License-Identifier: MIT */
#include "fs.h"
#include "bounds.h"
#include "loop.h"
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool is_gone(const struct bt_error *error)
{
	return error->sys == ENOENT || error->sys == ESTALE || error->reason == BT_R_MISSING_PAGE ||
	       error->reason == BT_R_MISSING_CONTENT || error->reason == BT_R_CHANGED;
}

static long now_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* With the lock for writing. */
static void look_once_more(struct fs *fs, unsigned version, const struct bt_error *error)
{
	if (bt_store_version(fs->store) != version)
		return;
	if (error->reason == BT_R_CHANGED)
		bt_store_doubt(fs->store);
	if (bt_store_refresh(fs->store, NULL) != 0 || bt_store_version(fs->store) == version)
		atomic_store(&fs->missed, now_seconds());
}

/* Also when it may not look itself it waits for whoever is about to: the lock lets these go first. */
bool fs_retry(struct fs *fs, unsigned *version, const struct bt_error *error)
{
	if (!is_gone(error) || !loop_pause())
		return false;
	if (atomic_load(&fs->missed) != now_seconds()) {
		pthread_rwlock_wrlock(&fs->lock);
		look_once_more(fs, *version, error);
		pthread_rwlock_unlock(&fs->lock);
	}
	loop_resume();
	unsigned before = *version;
	*version = bt_store_version(fs->store);
	return *version != before;
}

static void tell(int *fd, const char *text)
{
	if (*fd < 0)
		return;
	ssize_t written = write(*fd, text, strlen(text));
	(void)written; /* whoever waited is gone, or the kernel does not want it */
	close(*fd);
	*fd = -1;
}

/* The kernel's answer to the first request takes what it read ahead before down to its default, so that comes first. */
void fs_answers(struct fs *fs)
{
	fs->answers = true;
	tell(&fs->read_ahead_fd, BOUNDS_READ_AHEAD_KB);
	tell(&fs->ready_fd, "1");
}

void fs_stop_waiting(struct fs *fs)
{
	if (fs->ready_fd >= 0)
		close(fs->ready_fd);
	fs->ready_fd = -1;
}

int fs_errno(struct fs *fs, const char *where, int code, const struct bt_error *error)
{
	switch (code) {
	case BT_E_NOT_FOUND:
		return ENOENT;
	case BT_E_NOMEM:
		return ENOMEM;
	default:
		log_error(&fs->log, where, error);
		return EIO;
	}
}
