/* SPDX-License-Identifier: MIT */
/* Opens a directory of the output, which may exist already, or makes it. */
#include "base/fail.h"
#include "base/io.h"
#include "base/made.h"
#include "restore/backup.h"
#include "restore/boundary.h"
#include "restore/meta.h"
#include "restore/run.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define TRIES 8

enum found {
	EXISTED,	/* fd */
	CREATED,	/* fd */
	ABSENT,		/* a dry run does not make it */
	SEALED,		/* a dry run may not open it; a restore would change its mode first */
	KEPT,		/* something else than a directory, which is to stay */
	STORE,		/* the store's directory, or a file of the store */
	OTHER_FS,	/* another file system, which the snapshot did not enter */
	SNAPSHOT_MOUNT, /* mounted snapshots, which cannot be written to */
	FAILED,		/* sys and what */
};

struct opened {
	enum found found;
	int fd, sys;
	const char *what;
};

static struct opened failed(int r, const char *what)
{
	return (struct opened){.found = FAILED, .fd = -1, .sys = -r, .what = what};
}

static struct opened make_directory(const struct bt_restore_run *run, int dirfd, const char *name)
{
	if (run->options.dry_run)
		return (struct opened){.found = ABSENT, .fd = -1};
	int made = bt_make_directory(dirfd, name, 0700, false);
	if (made)
		return failed(made, "make the directory");
	int fd = bt_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	return fd < 0 ? failed(fd, "make the directory") : (struct opened){.found = CREATED, .fd = fd};
}

/* Whether the store's directory, or a file of it, is at the name of the directory. */
static bool is_of_store(const struct bt_restore_run *run, const struct bt_place *parent, int dirfd, const char *name)
{
	struct stat status;

	if (fstatat(dirfd, name, &status, AT_SYMLINK_NOFOLLOW))
		return false;
	if (S_ISDIR(status.st_mode))
		return !run->guard.loose && bt_guard_level(&run->guard, &status) == 1;
	return bt_guard_keeps(&run->guard, &parent->before, name, &status);
}

static bool is_empty_entry(struct bt_restore_run *run, const struct bt_entry *entry)
{
	const struct bt_entry *first = NULL;
	struct bt_error error = {0};
	struct bt_dir *dir;

	if (bt_dir_new(run->store, &entry->digest, &dir, &error))
		return false;
	bool empty = bt_dir_next(dir, &first, &error) == 0 && !first;
	bt_dir_free(dir);
	return empty;
}

static bool is_directory(int dirfd, const char *name)
{
	struct stat status;

	return fstatat(dirfd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

/* A boundary, now or when the snapshot was taken, of which the snapshot has no contents: so it does not say what
 * belongs there. */
static bool is_left(struct bt_restore_run *run, const struct bt_place *parent, int dirfd, const struct bt_entry *entry)
{
	const struct bt_extra *extra = entry->extra;

	if (extra && extra->error)
		return false;
	if (bt_is_boundary(dirfd, entry->name, parent->before.st_dev))
		return (extra && extra->boundary) || is_empty_entry(run, entry);
	return extra && extra->boundary && is_directory(dirfd, entry->name);
}

/* A dry run does not change modes. */
static struct opened open_there(const struct bt_restore_run *run, int dirfd, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
	struct stat status;
	int fd = run->options.dry_run ? bt_openat(dirfd, name, flags, 0) : bt_open_directory(dirfd, name);

	if (fd >= 0)
		return (struct opened){.found = EXISTED, .fd = fd};
	if (fd == -EACCES && run->options.dry_run && fstatat(dirfd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	    status.st_uid == geteuid())
		return (struct opened){.found = SEALED, .fd = -1};
	return failed(fd, "open the directory");
}

/* Makes way: 0 or -errno. */
static int clear_away(struct bt_restore_run *run, const struct bt_place *parent, int dirfd, const char *name)
{
	int r = 0;

	if (run->options.backup)
		r = bt_backup_move(run, parent, dirfd, name);
	else if (!run->options.dry_run && unlinkat(dirfd, name, 0))
		r = -errno;
	return r == -ENOENT ? 0 : r;
}

/* Something else than a directory is there. */
static struct opened replace(struct bt_restore_run *run, const struct bt_place *parent, int dirfd,
			     const struct bt_entry *entry)
{
	struct stat status;

	if (run->options.overwrite == BT_OVERWRITE_NEVER ||
	    (run->options.overwrite == BT_OVERWRITE_IF_NEWER &&
	     fstatat(dirfd, entry->name, &status, AT_SYMLINK_NOFOLLOW) == 0 && bt_mtime_compare(entry, &status) <= 0))
		return (struct opened){.found = KEPT, .fd = -1};
	int r = clear_away(run, parent, dirfd, entry->name);
	return r ? failed(r, "replace what is there") : make_directory(run, dirfd, entry->name);
}

static struct opened open_or_make(struct bt_restore_run *run, struct bt_place *parent, int dirfd,
				  const struct bt_entry *entry)
{
	const char *name = entry->name;
	struct opened opened = {.found = SEALED, .fd = -1};

	if (parent->sealed)
		return opened;
	if (dirfd < 0 || parent->fresh)
		return make_directory(run, dirfd, name);
	if (is_left(run, parent, dirfd, entry))
		return (struct opened){.found = OTHER_FS, .fd = -1};
	if (bt_is_boundary(dirfd, name, parent->before.st_dev) && bt_is_snapshot_mount(&run->mounts, dirfd, name))
		return (struct opened){.found = SNAPSHOT_MOUNT, .fd = -1};
	if (is_of_store(run, parent, dirfd, name))
		return (struct opened){.found = STORE, .fd = -1};
	for (int i = 0; i < TRIES; i++) {
		opened = open_there(run, dirfd, name);
		if (opened.found == FAILED && (opened.sys == ENOTDIR || opened.sys == ELOOP))
			opened = replace(run, parent, dirfd, entry);
		else if (opened.found == FAILED && opened.sys == ENOENT)
			opened = make_directory(run, dirfd, name);
		if (opened.found != FAILED || opened.sys != EEXIST)
			break;
	}
	return opened;
}

static struct bt_place *no_place(struct bt_restore_run *run)
{
	bt_voice_fail(&run->tell.voice, BT_E_NOMEM, NULL);
	return NULL;
}

static void tell_sealed(struct bt_restore_run *run, struct bt_place *place, int dirfd)
{
	struct bt_error error = {0};

	if (dirfd < 0 || fstatat(dirfd, place->name, &place->before, AT_SYMLINK_NOFOLLOW))
		return; /* the directory above was reported */
	bt_fail(&error, BT_E_INCOMPLETE, NULL,
		"a dry run may not open it and cannot compare what is in it; a restore makes it accessible first");
	bt_tell_more(&run->tell, place, NULL, &error);
}

static struct bt_place *new_place(struct bt_restore_run *run, struct bt_place *parent, int dirfd, const char *name,
				  const struct opened *opened)
{
	struct bt_place *place = bt_place_new(&run->places, parent, name, opened->fd);

	if (!place)
		return no_place(run);
	place->fresh = opened->found == CREATED || opened->found == ABSENT;
	place->sealed = opened->found == SEALED;
	mode_t mode = place->before.st_mode;
	if (place->sealed)
		tell_sealed(run, place, dirfd);
	else if (opened->found == EXISTED && !run->options.dry_run && (mode & 0700) != 0700 &&
		 place->before.st_uid == geteuid())
		(void)!fchmod(opened->fd, (mode & 07777) | 0700);
	return place;
}

static struct bt_place *enter_in(struct bt_restore_run *run, struct bt_place *parent, int dirfd,
				 const struct bt_entry *entry)
{
	const struct opened opened = open_or_make(run, parent, dirfd, entry);

	switch (opened.found) {
	case FAILED:
		bt_tell_unwritten_sys(&run->tell, parent, entry->name, opened.sys, opened.what);
		return NULL;
	case STORE:
		bt_tell_store_in_the_way(run, parent, dirfd, entry->name);
		return NULL;
	case OTHER_FS:
		bt_tell_left(&run->tell, parent, entry->name);
		return NULL;
	case SNAPSHOT_MOUNT:
		bt_tell_not_installed(run, parent, dirfd, entry->name, -EBUSY);
		return NULL;
	case KEPT:
		bt_tell_done(&run->tell, BT_EVENT_UNCHANGED, parent, entry->name, entry);
		return NULL;
	default:
		return new_place(run, parent, dirfd, entry->name, &opened);
	}
}

struct bt_place *bt_restore_enter(struct bt_restore_run *run, struct bt_place *parent, const struct bt_entry *entry)
{
	if (parent->absent)
		return enter_in(run, parent, -1, entry);
	int dirfd = bt_place_get(&run->places, parent);
	if (dirfd < 0) {
		bt_tell_sys(&run->tell, parent, entry->name, -dirfd, "open its directory");
		return NULL;
	}
	struct bt_place *place = enter_in(run, parent, dirfd, entry);
	bt_place_put(&run->places, parent);
	return place;
}
