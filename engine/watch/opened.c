/* SPDX-License-Identifier: MIT */
/*
 * Writes through a mapping raise no event until the file is closed, which is when the last mapping is gone. So every
 * file that is opened is remembered, and asked at each take whether anybody has it open for writing: the kernel
 * refuses a lease for reading then. Counting events of opening and closing would not do: equal ones become one.
 */
#include "base/io.h"
#include "watch/private.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ASKED: the event that asking has raised is on its way. DONE: nobody has it open for writing. */
enum { ASKED = 1, DONE = 2 };

int bt_watch_opened(struct bt_watch *watch, const void *directory, const char *name)
{
	size_t length = strlen(name);
	struct bt_name *file = bt_names_find(&watch->opened, directory, name, length);

	if (file) {
		file->flags &= file->flags & ASKED ? ~ASKED : ~DONE;
		return 0;
	}
	if (watch->opened.table.count >= BT_WATCH_MEMORY) {
		bt_watch_doubt(watch, BT_DOUBT_OVERFLOW);
		return 0;
	}
	return bt_names_add(&watch->opened, directory, name, length) ? 0 : BT_E_NOMEM;
}

/* Whether somebody may have it open for writing. */
static bool being_written(int root, const char *path)
{
	struct stat status;
	int fd;

	if (fstatat(root, path, &status, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(status.st_mode))
		return false;
	fd = bt_openat(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_NOATIME, 0);
	if (fd == -EPERM)
		fd = bt_openat(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return fd != -ENOENT;
	/* A writer that opens the file now waits until the lease is given up by the close. The signal that announces
	 * it is ignored. */
	bool refused = fcntl(fd, F_SETSIG, SIGURG) < 0 || fcntl(fd, F_SETLEASE, F_RDLCK) < 0;
	close(fd);
	return refused;
}

static int ask(struct bt_watch *watch, struct bt_name *file, struct bt_buf *path, struct bt_changes *changes)
{
	int r = watch->source->path(watch, file->owner, path);

	if (r == BT_E_NOT_FOUND) {
		file->flags |= DONE;
		return 0;
	}
	size_t directory = path->length;
	if (!r && directory > 0)
		r = bt_buf_append(path, "/", 1);
	if (!r)
		r = bt_buf_append(path, file->text, file->length + (size_t)1);
	if (r)
		return r;
	if (being_written(watch->root, (char *)path->data)) {
		path->data[directory] = '\0';
		return bt_changes_add(changes, (char *)path->data, false);
	}
	file->flags |= DONE | (watch->source->kind == BT_WATCH_INOTIFY ? ASKED : 0);
	return 0;
}

int bt_watch_ask_opened(struct bt_watch *watch, struct bt_changes *changes)
{
	struct bt_buf path = {0};
	struct bt_name *file;
	size_t at = 0;
	int r = 0;

	for (file = bt_names_next(&watch->opened, &at); file && !r; file = bt_names_next(&watch->opened, &at))
		r = ask(watch, file, &path, changes);
	bt_buf_free(&path);
	return r;
}

void bt_watch_forget_asked(struct bt_watch *watch)
{
	struct bt_name *file;
	size_t at = 0;

	for (file = bt_names_next(&watch->opened, &at); file; file = bt_names_next(&watch->opened, &at))
		if (file->flags & DONE) {
			bt_names_remove(&watch->opened, file);
			at--;
		}
}
