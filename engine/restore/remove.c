/* SPDX-License-Identifier: MIT */
#include "base/io.h"
#include "base/listing.h"
#include "base/path_room.h"
#include "base/vec.h"
#include "restore/boundary.h"
#include "restore/place.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* This needs O_PATH: a directory that its owner may not read cannot be opened otherwise. */
static int permit(int dirfd, const char *name)
{
	char path[32];
	struct stat status;
	int r = -EACCES, fd = bt_openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);

	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fstat(fd, &status) == 0 && status.st_uid == geteuid() && chmod(path, (status.st_mode & 07777) | 0700) == 0)
		r = 0;
	bt_close(&fd);
	return r;
}

int bt_open_directory(int dirfd, const char *name)
{
	int fd = bt_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

	if (fd == -EACCES && permit(dirfd, name) == 0)
		fd = bt_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	return fd;
}

int bt_list_names(int fd, struct bt_buf *names)
{
	struct bt_listing listing;
	const char *name;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0); /* the position is shared with fd */
	bool full = false;

	bt_listing_take(&listing, copy < 0 ? -errno : copy);
	for (name = bt_listing_next(&listing); !full && name; name = bt_listing_next(&listing))
		full = bt_buf_append(names, name, strlen(name) + 1);
	int r = bt_listing_end(&listing);
	return full ? -ENOMEM : r;
}

/* A directory that is being emptied. Only the lowest one is open. The way back is "..", which must be the directory
 * that it was. */
struct emptied {
	struct bt_buf names;
	size_t next;	   /* in names */
	size_t path_bytes; /* length of its path from the top of what is removed */
	dev_t dev;
	ino_t ino;
	struct bt_markers markers;
	struct bt_within within;
	const struct bt_ignore *above; /* what is its own in the patterns of within lies over this */
	bool left;		       /* something in it stays */
	bool whole;		       /* it is selected itself */
};

struct work {
	struct bt_removal *removal;
	const char *name; /* what is removed */
	struct emptied *levels;
	size_t depth, capacity;
	struct bt_path_room room;
	int fd;	    /* of the last level */
	int failed; /* of the first entry that failed */
	bool left;
};

enum { REMOVED, NOT_EMPTY, STAYS };

static int note(struct work *work, int r)
{
	if (r < 0 && !work->failed)
		work->failed = r;
	return r;
}

static const char *name_in(const struct emptied *level)
{
	return (const char *)level->names.data + level->next;
}

/* The path of the present entry: the names of all levels after that of the top. */
static int put_path(const struct work *work, const char *top, struct bt_buf *path)
{
	int failed = bt_buf_append(path, top, strlen(top));

	for (size_t i = 0; !failed && i < work->depth; i++) {
		const char *name = name_in(&work->levels[i]);

		failed = bt_buf_append(path, "/", 1) || bt_buf_append(path, name, strlen(name));
	}
	return failed || bt_buf_append(path, "", 1);
}

/* Notes that the present entry stays. */
static int note_left(struct work *work)
{
	const struct bt_removal *removal = work->removal;
	struct bt_buf path = {0};
	int failed = put_path(work, work->name, &path);

	if (removal->left)
		removal->left(removal->arg, failed ? work->name : (const char *)path.data);
	bt_buf_free(&path);
	*(work->depth ? &work->levels[work->depth - 1].left : &work->left) = true;
	return REMOVED;
}

/* The length of the path from the top to the present entry of the level before this depth. */
static size_t path_bytes_of(const struct work *work, size_t depth)
{
	if (!depth)
		return strlen(work->name);
	const struct emptied *level = &work->levels[depth - 1];
	return level->path_bytes + 1 + strlen(name_in(level));
}

static const struct bt_within *within_above(const struct work *work)
{
	return work->depth > 1 ? &work->levels[work->depth - 2].within : &work->removal->within;
}

/* The length of the path of the last level with a slash after it, as the rules know it. */
static size_t skip_of(const struct work *work)
{
	return strlen(work->removal->path) - strlen(work->name) + work->levels[work->depth - 1].path_bytes + 1;
}

/* Reads what is in the directory of the last level for the rules. What patterns leave out that cannot be read is not
 * known, so then nothing goes. */
static int see_rules(struct work *work, int fd)
{
	const struct bt_exclusion *exclusion = work->removal->exclusion;
	struct emptied *level = &work->levels[work->depth - 1];
	const char *unread;

	for (size_t at = 0; at < level->names.length;) {
		const char *name = (const char *)level->names.data + at;

		bt_markers_see(exclusion, fd, name, &level->markers);
		at += strlen(name) + 1;
	}
	level->within = *within_above(work);
	level->within.inside |= level->whole;
	level->above = level->within.ignore;
	int r = exclusion->ignore_files.count ? bt_ignore_read(&exclusion->ignore_files, fd, skip_of(work),
							       level->above, &level->within.ignore, &unread)
					      : 0;
	return r < 0 ? -ENOMEM : -r;
}

static void drop_level(struct work *work)
{
	struct emptied *level = &work->levels[--work->depth];

	bt_ignore_free(level->within.ignore, level->above);
	bt_buf_free(&level->names);
}

static int add_level(struct work *work, int fd, const struct stat *status, bool whole)
{
	if (bt_vec_room(work->levels, work->depth, work->capacity))
		return -ENOMEM;
	struct emptied *level = &work->levels[work->depth++];
	*level = (struct emptied){.path_bytes = path_bytes_of(work, work->depth - 1),
				  .dev = status->st_dev,
				  .ino = status->st_ino,
				  .left = !whole,
				  .whole = whole};
	int r = bt_list_names(fd, &level->names);
	if (!r && work->removal->exclusion)
		r = see_rules(work, fd);
	if (r)
		drop_level(work);
	return r;
}

static int check_level(const struct work *work, int dirfd, int fd, struct stat *ret_status)
{
	struct stat above;

	if (fstat(dirfd, &above) || fstat(fd, ret_status))
		return -errno;
	if (bt_is_boundary(fd, "", above.st_dev))
		return -EXDEV; /* a file system was mounted there just now */
	return bt_guard_level(work->removal->guard, ret_status) ? -EBUSY : 0;
}

/* Opens the directory name of dirfd as a new level. */
static int descend(struct work *work, int dirfd, const char *name, bool whole)
{
	struct stat status;
	bool dry = work->removal->dry;

	if (!bt_path_room_take(&work->room, path_bytes_of(work, work->depth)))
		return -ENAMETOOLONG;
	int fd = dry ? bt_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0) : bt_open_directory(dirfd, name);
	if (fd < 0)
		return fd;
	int r = check_level(work, dirfd, fd, &status);
	if (!r && !dry && (status.st_mode & 0700) != 0700 && status.st_uid == geteuid())
		(void)!fchmod(fd, (status.st_mode & 07777) | 0700);
	if (!r)
		r = add_level(work, fd, &status, whole);
	if (r) {
		bt_close(&fd);
		return r;
	}
	if (work->depth > 1)
		bt_close(&work->fd);
	work->fd = fd;
	return 0;
}

/* What removing it would give; nothing is removed. */
static int look_at_one(struct work *work, int dirfd, const char *name)
{
	struct stat status;

	if (fstatat(dirfd, name, &status, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? REMOVED : -errno;
	if (S_ISDIR(status.st_mode))
		return NOT_EMPTY;
	work->removal->removed++;
	return REMOVED;
}

/* The same for what is not removed, but set aside. */
static int set_one_aside(struct work *work, int dirfd, const char *name)
{
	const struct bt_removal *removal = work->removal;
	struct bt_buf path = {0};
	struct stat status;

	if (fstatat(dirfd, name, &status, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? REMOVED : -errno;
	if (S_ISDIR(status.st_mode))
		return NOT_EMPTY;
	int r = put_path(work, work->name, &path) ? -ENOMEM
						  : removal->aside(removal->arg, dirfd, (const char *)path.data);
	bt_buf_free(&path);
	return r && r != -ENOENT ? r : REMOVED;
}

static int unlink_one(struct work *work, int dirfd, const char *name, int flags)
{
	if (unlinkat(dirfd, name, flags) == 0)
		work->removal->removed++;
	else if (errno != ENOENT)
		return -errno;
	return REMOVED;
}

/* REMOVED, NOT_EMPTY if it is a directory to go into, STAYS, or -errno. dev: of dirfd. */
static int remove_one(struct work *work, int dirfd, dev_t dev, const char *name)
{
	if ((work->removal->dry || work->removal->aside) && bt_is_boundary(dirfd, name, dev))
		return STAYS;
	if (work->removal->aside)
		return set_one_aside(work, dirfd, name);
	if (work->removal->dry)
		return look_at_one(work, dirfd, name);
	int first = unlink_one(work, dirfd, name, 0);
	if (first == REMOVED)
		return REMOVED;
	if (bt_is_boundary(dirfd, name, dev)) /* a file can be a mount point, too */
		return STAYS;
	if (first != -EISDIR && first != -EPERM)
		return first;
	int second = unlink_one(work, dirfd, name, AT_REMOVEDIR);
	if (second == -ENOTEMPTY || second == -EEXIST)
		return NOT_EMPTY;
	return second == -ENOTDIR ? first : second;
}

/* Removes a directory that was emptied, unless something in it stayed. */
static void remove_emptied(struct work *work, int dirfd, const char *name, bool left)
{
	if (left || work->removal->aside)
		*(work->depth ? &work->levels[work->depth - 1].left : &work->left) = true;
	else if (work->removal->dry)
		work->removal->removed++;
	else
		note(work, unlink_one(work, dirfd, name, AT_REMOVEDIR));
}

/* Goes back to the directory above, and removes the emptied one there. */
static int ascend(struct work *work, int dirfd)
{
	struct stat status;
	bool left = work->levels[work->depth - 1].left;

	drop_level(work);
	if (!work->depth) {
		bt_close(&work->fd);
		remove_emptied(work, dirfd, work->name, left);
		return 0;
	}
	struct emptied *level = &work->levels[work->depth - 1];
	int up = bt_openat(work->fd, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	bt_close(&work->fd);
	work->fd = up;
	if (up < 0)
		return up;
	if (fstat(up, &status) || status.st_dev != level->dev || status.st_ino != level->ino)
		return -ESTALE;
	remove_emptied(work, up, name_in(level), left);
	level->next += strlen(name_in(level)) + 1;
	return 0;
}

/* A directory that a dry run may not open, but a removal could, since the caller owns it. */
static bool is_sealed(const struct work *work, int r, int dirfd, const char *name)
{
	struct stat status;

	return work->removal->dry && r == -EACCES && fstatat(dirfd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       status.st_uid == geteuid();
}

/* What goes of the present entry of the last level: enum bt_pick, or -ENOMEM. */
static int pick_present(const struct work *work)
{
	const struct bt_removal *removal = work->removal;
	const struct emptied *level = &work->levels[work->depth - 1];
	struct bt_spot spot = {.name = name_in(level),
			       .dirfd = work->fd,
			       .whole = level->whole,
			       .markers = &level->markers,
			       .within = &level->within};
	struct bt_buf path = {0};
	struct stat status;

	if (!removal->pick)
		return BT_PICK_WHOLE;
	spot.directory = fstatat(work->fd, spot.name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
	if (removal->path && put_path(work, removal->path, &path)) {
		bt_buf_free(&path);
		return -ENOMEM;
	}
	spot.path = (const char *)path.data;
	int picked = (int)removal->pick(removal->arg, &spot);
	bt_buf_free(&path);
	return picked;
}

/* 1: a new level was opened; 0: done; or -errno. */
static int remove_next(struct work *work, int dirfd, dev_t dev, const char *name, bool whole)
{
	int r = whole ? remove_one(work, dirfd, dev, name) : bt_is_boundary(dirfd, name, dev) ? STAYS : NOT_EMPTY;

	if (r == STAYS)
		return note_left(work);
	if (r != NOT_EMPTY)
		return note(work, r);
	r = descend(work, dirfd, name, whole);
	if (!r)
		return 1;
	if (is_sealed(work, r, dirfd, name)) {
		work->removal->removed++;
		return 0;
	}
	return note(work, r);
}

static int go_on(struct work *work, int dirfd)
{
	struct emptied *level = &work->levels[work->depth - 1];

	if (level->next >= level->names.length)
		return ascend(work, dirfd);
	size_t depth = work->depth, length = strlen(name_in(level));
	int picked = pick_present(work), r = picked < 0 ? picked : 0;
	if (picked != BT_PICK_WHOLE)
		level->left = true;
	if (picked > BT_PICK_NONE)
		r = remove_next(work, work->fd, level->dev, name_in(level), picked == BT_PICK_WHOLE);
	if (r <= 0)
		work->levels[depth - 1].next += length + 1;
	return r == -ENOMEM ? r : 0;
}

int bt_remove_tree(struct bt_removal *removal, int dirfd, const char *name)
{
	struct work work = {.removal = removal, .name = name, .room = {BT_PATH_ROOM_FIRST}, .fd = -1};
	struct stat above;
	int r = fstat(dirfd, &above) ? -errno : remove_next(&work, dirfd, above.st_dev, name, !removal->below);

	if (r > 0)
		r = 0;
	while (!r && work.depth)
		r = go_on(&work, dirfd);
	while (work.depth)
		drop_level(&work);
	bt_close(&work.fd);
	free(work.levels);
	if (work.failed || r)
		return work.failed ? work.failed : r;
	return work.left;
}
