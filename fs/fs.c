/* SPDX-License-Identifier: MIT */
#include "fs.h"
#include "bounds.h"
#include "loop.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void fs_begin(struct fs *fs)
{
	pthread_mutex_init(&fs->leadership, NULL);
	pthread_mutex_init(&fs->look.looking, NULL);
	pthread_mutex_init(&fs->look.lock, NULL);
}

void fs_end(struct fs *fs)
{
	pthread_mutex_destroy(&fs->leadership);
	pthread_mutex_destroy(&fs->look.looking);
	pthread_mutex_destroy(&fs->look.lock);
	free(fs->look.news.serials);
}

static void tell(int *fd, const char *text)
{
	if (*fd < 0)
		return;
	ssize_t written = write(*fd, text, strlen(text));
	(void)written; /* the waiting program has ended, or the kernel refuses the value */
	close(*fd);
	*fd = -1;
}

/* When the kernel handles the answer to its first request, it resets how far it reads ahead, so that answer comes
 * first. */
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
