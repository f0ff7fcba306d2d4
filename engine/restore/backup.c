/* SPDX-License-Identifier: MIT */
#include "restore/backup.h"
#include "base/publish.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_NAMES 10000
#define TRIES	   8

struct backup {
	struct bt_restore_run *run;
	const struct bt_place *place;
	int dirfd;
	const char *path; /* of what gets another name */
	const char *name; /* the end of that */
	unsigned number;  /* of the name that is tried */
	char to[NAME_MAX + 1];
};

static struct backup begin(struct bt_restore_run *run, const struct bt_place *place, int dirfd, const char *path)
{
	const char *slash = strrchr(path, '/');

	return (struct backup){
		.run = run, .place = place, .dirfd = dirfd, .path = path, .name = slash ? slash + 1 : path};
}

/* A name that would be too long loses its end. */
static bool next_name(struct backup *backup)
{
	char number[16] = "";
	const char *name = backup->name, *suffix = backup->run->options.backup;

	if (++backup->number > MOST_NAMES)
		return false;
	if (backup->number > 1)
		snprintf(number, sizeof(number), ".%u", backup->number);
	size_t length = strlen(name), room = NAME_MAX - strlen(suffix) - strlen(number);
	if (length > room) {
		length = room;
		while (length > 1 && ((unsigned char)name[length] & 0xc0) == 0x80)
			length--;
	}
	snprintf(backup->to, sizeof(backup->to), "%.*s%s%s", (int)length, name, suffix, number);
	return true;
}

static void tell(const struct backup *backup)
{
	char *path = NULL;

	if (asprintf(&path, "%.*s%s", (int)(backup->name - backup->path), backup->path, backup->to) < 0)
		path = NULL;
	bt_tell_kept(&backup->run->tell, backup->place, path ? path : backup->to);
	free(path);
}

static bool is_directory(int dirfd, const char *name)
{
	struct stat status;

	return fstatat(dirfd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

/* Some file systems can rename without replacing only what can have a second link. A directory replaces nothing but an
 * empty one. */
static int rename_new(int dirfd, const char *from, const char *to)
{
	struct stat status;
	int r = bt_rename_new(dirfd, from, dirfd, to);

	if (!r || r == -EEXIST || r == -ENOENT || !is_directory(dirfd, from))
		return r;
	if (fstatat(dirfd, to, &status, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return renameat(dirfd, from, dirfd, to) ? -errno : 0;
}

/* Gives from the next free name. */
static int move(struct backup *backup, const char *from)
{
	int r = -EEXIST;

	while (r == -EEXIST && next_name(backup))
		r = rename_new(backup->dirfd, from, backup->to);
	if (!r)
		tell(backup);
	return r;
}

static int would_move(struct backup *backup)
{
	struct stat status;

	if (fstatat(backup->dirfd, backup->name, &status, AT_SYMLINK_NOFOLLOW))
		return -errno;
	while (next_name(backup))
		if (fstatat(backup->dirfd, backup->to, &status, AT_SYMLINK_NOFOLLOW)) {
			tell(backup);
			return 0;
		}
	return -EEXIST;
}

int bt_backup_move(struct bt_restore_run *run, const struct bt_place *place, int dirfd, const char *path)
{
	struct backup backup = begin(run, place, dirfd, path);

	return run->options.dry_run ? would_move(&backup) : move(&backup, backup.name);
}

static int add_link(struct backup *backup)
{
	int r = -EEXIST;

	while (r == -EEXIST && next_name(backup))
		r = linkat(backup->dirfd, backup->name, backup->dirfd, backup->to, 0) ? -errno : 0;
	return r;
}

static bool same_file(int dirfd, const char *one, const char *other)
{
	struct stat a, b;

	return fstatat(dirfd, one, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(dirfd, other, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int swap(const struct backup *backup, const char *temp)
{
	return renameat2(backup->dirfd, temp, backup->dirfd, backup->name, RENAME_EXCHANGE) ? -errno : 0;
}

/* What is at the name has a second one by now. Both names change hands at once, so that one can look at what the first
 * one had: if somebody was faster, that is kept, too. */
static int exchange(struct backup *backup, const char *temp)
{
	int r = swap(backup, temp);

	if (r == -EINVAL || r == -ENOSYS || r == -EOPNOTSUPP)
		r = renameat(backup->dirfd, temp, backup->dirfd, backup->name) ? -errno : 0;
	else if (!r && same_file(backup->dirfd, temp, backup->to))
		(void)!unlinkat(backup->dirfd, temp, 0);
	else if (!r) {
		tell(backup);
		r = move(backup, temp);
		if (r)
			(void)!swap(backup, temp);
		return r;
	}
	if (!r)
		tell(backup);
	else
		(void)!unlinkat(backup->dirfd, backup->to, 0);
	return r;
}

/* -EAGAIN: the name is free now. */
static int replace(struct bt_restore_run *run, struct bt_place *place, int dirfd, const char *temp, const char *name)
{
	struct backup backup = begin(run, place, dirfd, name);
	bool directory = is_directory(dirfd, name);
	int r = directory ? bt_extras_clear(run, place, dirfd, name) : add_link(&backup);

	if (!r && !directory)
		return exchange(&backup, temp);
	if (r && r != -ENOENT && !directory)
		r = bt_backup_move(run, place, dirfd, name);
	return r && r != -ENOENT ? r : -EAGAIN;
}

int bt_backup_install(struct bt_restore_run *run, struct bt_place *place, int dirfd, const char *temp, const char *name)
{
	int r = -EEXIST;

	for (int i = 0; i < TRIES && (r == -EEXIST || r == -EAGAIN || r == -ENOENT); i++) {
		r = bt_rename_new(dirfd, temp, dirfd, name);
		if (r == -EEXIST)
			r = replace(run, place, dirfd, temp, name);
	}
	return r;
}

/* "a.txt.old", also with a number: "a.txt.old.2". */
static bool is_backup(const char *name, const char *suffix)
{
	size_t length = strlen(name), wanted = strlen(suffix), end = length;

	while (end > 0 && name[end - 1] >= '0' && name[end - 1] <= '9')
		end--;
	if (end < length && end > 0 && name[end - 1] == '.' && end - 1 > wanted &&
	    memcmp(name + end - 1 - wanted, suffix, wanted) == 0)
		return true;
	return length > wanted && strcmp(name + length - wanted, suffix) == 0;
}

bool bt_backup_is_kept(const struct bt_restore_run *run, const char *name)
{
	const char *suffix = run->options.backup;

	if (!run->options.keep_backups)
		return false;
	return strstr(name, BT_BACKUP_MARK) || (suffix && is_backup(name, suffix));
}
