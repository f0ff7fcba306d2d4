/* SPDX-License-Identifier: MIT */
#include "restore/flags.h"
#include "base/io.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define LAST (FS_IMMUTABLE_FL | FS_APPEND_FL) /* nothing else can be set after these */

static uint32_t wanted_flags(const struct bt_entry *entry)
{
	return entry->extra ? entry->extra->flags : 0;
}

static uint32_t wanted_project(const struct bt_entry *entry)
{
	return entry->extra ? entry->extra->project : 0;
}

static bool get(int fd, uint32_t *ret_flags)
{
	unsigned int flags = 0;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return false;
	*ret_flags = flags;
	return true;
}

static bool set(int fd, uint32_t flags)
{
	unsigned int value = flags;

	return ioctl(fd, FS_IOC_SETFLAGS, &value) == 0;
}

void bt_inode_begin(int fd, const struct bt_entry *entry)
{
	uint32_t wanted = wanted_flags(entry) & ~(uint32_t)LAST, now;

	if (wanted && get(fd, &now))
		set(fd, (now & ~BT_INODE_FLAGS) | wanted);
}

/* A file system that refuses all flags together may take some of them. */
static bool set_each(int fd, uint32_t now, uint32_t wanted)
{
	bool all = true;

	for (uint32_t bit = 1; bit; bit <<= 1) {
		if (!(bit & BT_INODE_FLAGS & (now ^ wanted) & ~(uint32_t)LAST))
			continue;
		if (set(fd, now ^ bit))
			now ^= bit;
		else
			all = false;
	}
	if (!((now ^ wanted) & LAST))
		return all;
	return set(fd, (now & ~(uint32_t)LAST) | (wanted & LAST)) && all;
}

static bool set_flags(int fd, const struct bt_entry *entry, bool renamed)
{
	uint32_t wanted = wanted_flags(entry) & ~(renamed ? (uint32_t)LAST : 0), now;

	if (!wanted_flags(entry))
		return true;
	if (!get(fd, &now))
		return !wanted;
	wanted |= now & ~BT_INODE_FLAGS;
	return now == wanted || set(fd, wanted) || set_each(fd, now, wanted);
}

static bool set_project(int fd, const struct bt_entry *entry)
{
	struct fsxattr now = {0};
	uint32_t wanted = wanted_project(entry);

	if (!wanted)
		return true;
	if (ioctl(fd, FS_IOC_FSGETXATTR, &now) < 0)
		return false;
	if (now.fsx_projid == wanted)
		return true;
	now.fsx_projid = wanted;
	return ioctl(fd, FS_IOC_FSSETXATTR, &now) == 0;
}

bool bt_inode_set(int fd, const struct bt_entry *entry, bool renamed)
{
	bool project = set_project(fd, entry);

	return set_flags(fd, entry, renamed) && project;
}

bool bt_inode_seal(int dirfd, const struct bt_entry *entry)
{
	uint32_t last = wanted_flags(entry) & LAST, now;

	if (!last)
		return true;
	if (entry->extra->links > 1)
		return false;
	int fd = bt_openat(dirfd, entry->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return false;
	bool done = get(fd, &now) && set(fd, now | last);
	bt_close(&fd);
	return done;
}

bool bt_inode_equal(int dirfd, const char *name, const struct bt_entry *entry)
{
	uint32_t flags = wanted_flags(entry), project = wanted_project(entry), now = 0;
	struct fsxattr attributes = {0};

	if (!flags && !project)
		return true;
	int fd = bt_openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return false;
	bool equal = (!flags || get(fd, &now)) && (now & BT_INODE_FLAGS) == flags;
	if (equal && project)
		equal = ioctl(fd, FS_IOC_FSGETXATTR, &attributes) == 0 && attributes.fsx_projid == project;
	bt_close(&fd);
	return equal;
}

bool bt_inode_forbids(int dirfd, const char *name)
{
	struct statx stat;

	return statx(dirfd, name, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, STATX_TYPE, &stat) == 0 &&
	       (stat.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND));
}

bool bt_inode_refused(int dirfd, const char *name, int sys)
{
	return (sys == EPERM || sys == EACCES) && (bt_inode_forbids(dirfd, name) || bt_inode_forbids(dirfd, ""));
}
