/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/io.h"
#include "base/publish.h"
#include "restore/backup.h"
#include "restore/meta.h"
#include "restore/run.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define TRIES  8
#define PREFIX ".backuptool-"
#define DIGITS 16

void bt_temp_name(struct bt_restore_run *run, char name[BT_TEMP_SIZE])
{
	uint64_t number = run->seed ^ bt_mix64(run->seed + atomic_fetch_add(&run->temps, 1));

	snprintf(name, BT_TEMP_SIZE, PREFIX "%016llx", (unsigned long long)number);
}

int bt_temp_open(struct bt_restore_run *run, int dirfd, char name[BT_TEMP_SIZE])
{
	int fd = -EEXIST;

	for (int i = 0; fd == -EEXIST && i < TRIES; i++) {
		bt_temp_name(run, name);
		fd = bt_openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	}
	return fd;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_temp_name(const char *name)
{
	size_t length = strlen(PREFIX);

	if (strncmp(name, PREFIX, length) != 0)
		return false;
	while (is_hex(name[length]))
		length++;
	return name[length] == '\0' && length == strlen(PREFIX) + DIGITS;
}

static void remove_temps(int dirfd, const struct bt_buf *names)
{
	for (size_t at = 0; at < names->length;) {
		const char *name = (const char *)names->data + at;

		if (is_temp_name(name))
			(void)!unlinkat(dirfd, name, 0);
		at += strlen(name) + 1;
	}
}

/* The names are read under the exclusive lock: so no living restore owns one of them. */
void bt_temp_sweep(int dirfd)
{
	struct bt_buf names = {0};

	if (flock(dirfd, LOCK_EX | LOCK_NB) == 0 && bt_list_names(dirfd, &names) == 0)
		remove_temps(dirfd, &names);
	(void)!flock(dirfd, LOCK_SH | LOCK_NB);
	bt_buf_free(&names);
}

static int replace(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_arrival *arrival)
{
	for (int i = 0; i < TRIES; i++) {
		if (renameat(dirfd, arrival->temp, dirfd, arrival->name) == 0)
			return 0;
		if (errno != EISDIR && errno != ENOTEMPTY && errno != EEXIST)
			return -errno;
		int r = bt_extras_clear(run, place, dirfd, arrival->name);
		if (r)
			return r;
	}
	return -EISDIR;
}

/* Whether what has the name by now is to stay, since it is not older. */
static bool is_to_stay(const struct bt_restore_run *run, int dirfd, const struct bt_arrival *arrival)
{
	struct stat status;

	return run->options.overwrite == BT_OVERWRITE_IF_NEWER &&
	       fstatat(dirfd, arrival->name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       bt_mtime_compare(arrival->entry, &status) <= 0;
}

static int install_as(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_arrival *arrival)
{
	if (run->options.overwrite == BT_OVERWRITE_NEVER) {
		int r = bt_rename_new(dirfd, arrival->temp, dirfd, arrival->name);

		return r == -EEXIST ? 1 : r;
	}
	if (is_to_stay(run, dirfd, arrival))
		return 1;
	if (run->options.backup && !arrival->same)
		return bt_backup_install(run, place, dirfd, arrival->temp, arrival->name);
	return replace(run, place, dirfd, arrival);
}

int bt_temp_install(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_arrival *arrival)
{
	int r = install_as(run, place, dirfd, arrival);

	if (r)
		(void)!unlinkat(dirfd, arrival->temp, 0);
	return r;
}
