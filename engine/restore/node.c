/* SPDX-License-Identifier: MIT */
#include "base/io.h"
#include "restore/meta.h"
#include "restore/run.h"
#include "source/describe.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define TRIES 8

static int make(int dirfd, const char *name, const struct bt_entry *entry)
{
	dev_t rdev = 0;

	if (entry->type == BT_SYMLINK)
		return symlinkat(entry->extra->target, dirfd, name) ? -errno : 0;
	if (entry->type == BT_CHARDEV || entry->type == BT_BLOCKDEV)
		rdev = makedev(entry->extra->dev_major, entry->extra->dev_minor);
	return mknodat(dirfd, name, bt_type_format(entry->type) | 0600, rdev) ? -errno : 0;
}

/* A descriptor of the node that was just made, unless another program has replaced it. */
static int open_made(int dirfd, const char *name, const struct bt_entry *entry, struct stat *ret_status)
{
	int fd = bt_openat(dirfd, name, O_PATH | O_NOFOLLOW, 0);

	if (fd < 0)
		return fd;
	if (fstat(fd, ret_status) || (ret_status->st_mode & S_IFMT) != bt_type_format(entry->type) ||
	    ret_status->st_nlink != 1 || ret_status->st_uid != geteuid()) {
		bt_close(&fd);
		return -ESTALE;
	}
	return fd;
}

static int make_temp(struct bt_restore_run *run, int dirfd, const struct bt_entry *entry, char temp[BT_TEMP_SIZE])
{
	int r = -EEXIST;

	for (int i = 0; r == -EEXIST && i < TRIES; i++) {
		bt_temp_name(run, temp);
		r = make(dirfd, temp, entry);
	}
	return r;
}

int bt_restore_node(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_entry *entry,
		    struct stat *ret_status)
{
	char temp[BT_TEMP_SIZE];
	bool device = entry->type == BT_CHARDEV || entry->type == BT_BLOCKDEV;
	int r = make_temp(run, dirfd, entry, temp);

	if (r == -EPERM && device) {
		bt_tell_lack(&run->tell, BT_LACK_DEVICE, place, entry->name);
		return -1;
	}
	if (r) {
		bt_tell_not_created(run, place, dirfd, entry->name, r);
		return -1;
	}
	int fd = open_made(dirfd, temp, entry, ret_status);
	if (fd < 0) {
		bt_tell_sys(&run->tell, place, entry->name, -fd, "create");
		return -1;
	}
	bt_meta_apply(run, place, entry->name, fd, entry, BT_META_PATH | (place->default_acl ? BT_META_STRIP : 0));
	bt_close(&fd);
	r = bt_temp_install(run, place, dirfd,
			    &(struct bt_arrival){temp, entry->name, entry, bt_restore_same_node(dirfd, entry)});
	if (r < 0)
		bt_tell_not_installed(run, place, dirfd, entry->name, r);
	return r < 0 ? -1 : r;
}
