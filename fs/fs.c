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

bool fs_retry(struct fs *fs, const struct bt_error *error)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	long last = atomic_load(&fs->retried);
	if (!is_gone(error) || last == now.tv_sec || !atomic_compare_exchange_strong(&fs->retried, &last, now.tv_sec) ||
	    !loop_pause())
		return false;
	pthread_rwlock_wrlock(&fs->lock);
	int code = bt_store_refresh(fs->store, NULL);
	pthread_rwlock_unlock(&fs->lock);
	loop_resume();
	return code == 0;
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
