/* SPDX-License-Identifier: MIT */
/* A store in a directory of a file system. */
#include "backend/directory_inside.h"
#include "base/fail.h"
#include "base/io.h"
#include "base/listing.h"
#include "base/made.h"
#include "base/publish.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LOCK_NAME "lock"

/* If the mtime of a directory is older than this when it is read, any later change gives another mtime: file systems do
 * not count more coarsely. */
#define SETTLE_SECONDS 3

/* A directory, and its state when it was last read. */
struct directory {
	int fd;
	struct timespec changed;
	bool settled; /* a later change would have given another time */
};

struct local {
	struct bt_backend backend;
	char *path;
	bool made;
	uid_t owner, user; /* of the directory; of this process */
	bool lasting;	   /* as in bt_stored_of */
	pthread_mutex_t lock;
	struct directory areas[BT_AREAS];
	struct bt_fds *fds;
};

static const char *const names[] = {
	[BT_AREA_TOP] = NULL,
	[BT_AREA_CONTENTS] = BT_CONTENTS_DIR,
	[BT_AREA_DAMAGED] = BT_DAMAGED_DIR,
	[BT_AREA_STATE] = BT_STATE_DIR,
};

static struct local *local_of(const struct bt_backend *backend)
{
	return (struct local *)(uintptr_t)backend;
}

static int top(const struct local *local)
{
	return local->areas[BT_AREA_TOP].fd;
}

/* fd or -errno */
static int open_below(const struct local *local, const char *name, bool create)
{
	int fd = bt_openat(top(local), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

	if (fd != -ENOENT || local->backend.read_only || !create)
		return fd;
	/* a file published in it is only as durable as the name of the directory */
	return bt_open_subdirectory(top(local), name);
}

/* Whether the open directory still has the name: another store may have taken its place. */
static bool still_has_name(const struct local *local, enum bt_area area)
{
	struct stat open, named;

	return local->areas[area].fd >= 0 && !fstat(local->areas[area].fd, &open) &&
	       !fstatat(top(local), names[area], &named, AT_SYMLINK_NOFOLLOW) && open.st_dev == named.st_dev &&
	       open.st_ino == named.st_ino;
}

/* Other threads may be using the old descriptor: the new directory takes over its number. */
static int open_again(const struct local *local, enum bt_area area, bool create)
{
	int fd = open_below(local, names[area], create), before = local->areas[area].fd;

	if (fd < 0 || before < 0)
		return fd;
	int r = dup3(fd, before, O_CLOEXEC);
	r = r < 0 ? -errno : r;
	bt_close(&fd);
	return r;
}

/* The directory that has the name now: fd or -errno. */
static int area_fd(struct local *local, enum bt_area area, bool create)
{
	struct directory *directory = &local->areas[area];

	if (area == BT_AREA_TOP)
		return directory->fd;
	pthread_mutex_lock(&local->lock);
	int fd = directory->fd;
	if (!still_has_name(local, area)) {
		fd = open_again(local, area, create);
		if (fd >= 0)
			directory->fd = fd;
		directory->settled = false;
	}
	pthread_mutex_unlock(&local->lock);
	return fd;
}

/* Without its files, much would seem to be lost; and a repair does not mend a link to another disk. */
static int fail_area(const struct local *local, enum bt_area area, int sys, struct bt_error *error)
{
	char what[160];

	if (area == BT_AREA_DAMAGED)
		return bt_fail_sys(error, sys, names[area], "make the directory");
	if (sys != ENOTDIR)
		return bt_fail_sys(error, sys, names[area], "open");
	snprintf(what, sizeof(what),
		 "it is %s, not a directory, so what the store has there is out of reach; put the directory in its "
		 "place, or remove it to go on without",
		 bt_kind_name(top(local), names[area]));
	return bt_fail(error, BT_E_UNSUPPORTED, names[area], what);
}

static int reach_area(struct bt_backend *backend, enum bt_area area, struct bt_error *error)
{
	int fd = area_fd(local_of(backend), area, true);

	return fd < 0 ? fail_area(local_of(backend), area, -fd, error) : 0;
}

static int find_area(struct bt_backend *backend, enum bt_area area)
{
	int fd = area_fd(local_of(backend), area, false);

	return fd < 0 ? fd : 0;
}

static int local_fd(struct bt_backend *backend, enum bt_area area)
{
	int fd = area_fd(local_of(backend), area, false);

	return fd < 0 ? -1 : fd;
}

static bool is_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static struct bt_stamp stamp_of(const struct stat *status, bool lasting)
{
	const uint64_t identity[] = {lasting ? status->st_dev : 0, lasting ? status->st_ino : 0};
	const int64_t touched[] = {status->st_ctim.tv_sec, status->st_ctim.tv_nsec};
	struct bt_stamp stamp;

	_Static_assert(sizeof(stamp.identity) == sizeof(identity) && sizeof(stamp.touched) == sizeof(touched),
		       "a stamp has no byte that is not set");
	memcpy(stamp.identity, identity, sizeof(identity));
	memcpy(stamp.touched, touched, sizeof(touched));
	return stamp;
}

struct bt_stored bt_stored_of(const struct stat *status, bool lasting)
{
	bool is_file = S_ISREG(status->st_mode);

	return (struct bt_stored){.size = is_file ? (uint64_t)status->st_size : 0,
				  .mtime = {status->st_mtim.tv_sec, (uint32_t)status->st_mtim.tv_nsec},
				  .stamp = stamp_of(status, lasting),
				  .is_file = is_file};
}

/* 0 or -errno */
static int look_in(const struct local *local, int dirfd, const char *name, struct bt_stored *ret_stored)
{
	struct stat status;

	if (fstatat(dirfd, name, &status, AT_SYMLINK_NOFOLLOW))
		return -errno;
	*ret_stored = bt_stored_of(&status, local->lasting);
	ret_stored->trusted = status.st_uid == local->user || status.st_uid == 0 || status.st_uid == local->owner;
	return 0;
}

static int look(struct bt_backend *backend, enum bt_area area, const char *name, struct bt_stored *ret_stored)
{
	int fd = area_fd(local_of(backend), area, false);

	return fd < 0 ? fd : look_in(local_of(backend), fd, name, ret_stored);
}

static int list_one(const struct local *local, int dirfd, const char *name, const struct bt_list_visitor *visitor,
		    struct bt_error *error)
{
	struct bt_stored stored;

	if (!visitor->wanted(visitor->arg, name))
		return 0;
	int sys = look_in(local, dirfd, name, &stored);
	if (sys)
		return sys == -ENOENT ? 0 : bt_fail_sys(error, -sys, name, "look at");
	return visitor->take(visitor->arg, name, &stored);
}

static int list(struct bt_backend *backend, enum bt_area area, const struct bt_list_visitor *visitor,
		struct bt_error *error)
{
	const struct local *local = local_of(backend);
	struct bt_listing listing;
	int fd = area_fd(local_of(backend), area, false), r = 0;

	if (fd < 0)
		return fail_area(local, area, -fd, error);
	bt_listing_begin(&listing, fd);
	for (const char *name; !r && (name = bt_listing_next(&listing));)
		r = list_one(local, fd, name, visitor, error);
	int listed = bt_listing_end(&listing);
	if (r)
		return r;
	return listed ? bt_listing_fail(error, listed, names[area] ? names[area] : local->path) : 0;
}

/* The mtime as the server has it: a network file system may remember an old one. */
static bool look_when_changed(int fd, struct timespec *ret_changed)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_MTIME, &st))
		return false;
	*ret_changed = (struct timespec){st.stx_mtime.tv_sec, st.stx_mtime.tv_nsec};
	return true;
}

static bool has_changed(struct directory *directory)
{
	struct timespec changed, now;

	if (!look_when_changed(directory->fd, &changed))
		return true;
	clock_gettime(CLOCK_REALTIME, &now);
	bool same = directory->settled && is_time(&directory->changed, &changed);
	directory->changed = changed;
	directory->settled = changed.tv_sec < now.tv_sec - SETTLE_SECONDS;
	return !same;
}

static bool changed(struct bt_backend *backend)
{
	struct local *local = local_of(backend);
	bool has_contents = area_fd(local, BT_AREA_CONTENTS, false) >= 0;
	bool top_changed = has_changed(&local->areas[BT_AREA_TOP]);

	return (has_contents && has_changed(&local->areas[BT_AREA_CONTENTS])) || top_changed;
}

static struct bt_time area_time(const struct bt_backend *backend, enum bt_area area)
{
	struct stat status;

	if (fstatat(top(local_of(backend)), names[area] ? names[area] : ".", &status, AT_SYMLINK_NOFOLLOW))
		return (struct bt_time){0};
	return (struct bt_time){status.st_mtim.tv_sec, (uint32_t)status.st_mtim.tv_nsec};
}

/* By its path from the top, so that the directory that has the name at this moment is used. */
static int open_object(struct bt_backend *backend, const struct bt_backend_name *name, const struct bt_stored *listed,
		       struct bt_object **ret_object, struct bt_error *error)
{
	struct local *local = local_of(backend);
	char path[BT_BACKEND_PATH_SIZE];

	bt_backend_path(path, name);
	int sys = bt_fds_open(local->fds, top(local), path, listed, ret_object);
	if (sys == -ESTALE && listed)
		return bt_fail_damaged(error, BT_R_CHANGED, path, BT_NO_OFFSET);
	return sys ? bt_fail_open(error, -sys, top(local), path) : 0;
}

static int create(struct bt_backend *backend, enum bt_area area, struct bt_upload **ret_upload, struct bt_error *error)
{
	int fd = area_fd(local_of(backend), area, true);

	if (fd < 0)
		return fail_area(local_of(backend), area, -fd, error);
	return bt_upload_to_directory(fd, ret_upload, error);
}

static int move(struct bt_backend *backend, const struct bt_backend_name *from, const struct bt_backend_name *to)
{
	int from_fd = area_fd(local_of(backend), from->area, false), to_fd = area_fd(local_of(backend), to->area, true);

	if (from_fd < 0 || to_fd < 0)
		return from_fd < 0 ? from_fd : to_fd;
	return bt_rename_new(from_fd, from->name, to_fd, to->name);
}

static int twin(struct bt_backend *backend, const struct bt_backend_name *from, const struct bt_backend_name *to,
		struct bt_error *error)
{
	struct local *local = local_of(backend);
	int from_fd = area_fd(local, from->area, false), to_fd = area_fd(local, to->area, true);

	if (from_fd < 0)
		return fail_area(local, from->area, -from_fd, error);
	if (to_fd < 0)
		return fail_area(local, to->area, -to_fd, error);
	return bt_publish_twin(from_fd, from->name, to_fd, to->name, error);
}

static int replace(struct bt_backend *backend, const struct bt_backend_name *from, const char *name,
		   struct bt_error *error)
{
	int fd = area_fd(local_of(backend), from->area, false);

	if (fd < 0)
		return fail_area(local_of(backend), from->area, -fd, error);
	if (!renameat(fd, from->name, fd, name))
		return 0;
	return bt_publish_failed(from->name, errno, name, "replace", error);
}

static int remove_name(struct bt_backend *backend, const struct bt_backend_name *name)
{
	int fd = area_fd(local_of(backend), name->area, false);

	if (fd < 0)
		return fd;
	return unlinkat(fd, name->name, 0) ? -errno : 0;
}

static int settle(struct bt_backend *backend, enum bt_area area)
{
	int fd = area_fd(local_of(backend), area, false);

	return fd < 0 ? fd : bt_sync_directory(fd);
}

/* Only a repair writes to damaged/, and only one at a time. */
static void sweep(struct bt_backend *backend, bool alone)
{
	for (int area = BT_AREA_TOP; area < BT_AREAS; area++) {
		bool wanted = alone || area != BT_AREA_DAMAGED;
		int fd = wanted ? area_fd(local_of(backend), (enum bt_area)area, false) : -1;

		if (fd >= 0)
			bt_publish_sweep(fd, alone);
	}
}

static int lock(struct bt_backend *backend, enum bt_lock_kind kind, const struct bt_lock_wait *wait, int *ret_fd,
		struct bt_error *error)
{
	return bt_lock_take(top(local_of(backend)), LOCK_NAME, kind, wait, ret_fd, error);
}

static int claim(struct bt_backend *backend, uint64_t number, int *ret_fd, struct bt_error *error)
{
	return bt_lock_claim(top(local_of(backend)), LOCK_NAME, number, ret_fd, error);
}

static int lock_again(struct bt_backend *backend, int fd, enum bt_lock_kind kind)
{
	return bt_lock_again(fd, kind);
}

static bool claimed(struct bt_backend *backend, uint64_t number, char *holder)
{
	return bt_lock_claimed(top(local_of(backend)), LOCK_NAME, number, holder);
}

static void close_directory(struct bt_backend *backend, bool undo)
{
	struct local *local = local_of(backend);

	if (undo && local->made)
		rmdir(local->path);
	for (size_t i = 0; i < sizeof(local->areas) / sizeof(*local->areas); i++)
		bt_close(&local->areas[i].fd);
	bt_fds_free(local->fds);
	pthread_mutex_destroy(&local->lock);
	free(local->path);
	free(local);
}

static const struct bt_backend_ops directory_ops = {
	.close = close_directory,
	.look = look,
	.find = find_area,
	.reach = reach_area,
	.list = list,
	.changed = changed,
	.area_time = area_time,
	.open = open_object,
	.create = create,
	.move = move,
	.twin = twin,
	.replace = replace,
	.remove = remove_name,
	.settle = settle,
	.sweep = sweep,
	.lock = lock,
	.claim = claim,
	.lock_again = lock_again,
	.claimed = claimed,
	.local_fd = local_fd,
};

static void sync_parent(int dirfd)
{
	int fd = bt_openat(dirfd, "..", O_RDONLY | O_DIRECTORY, 0);

	if (fd >= 0)
		bt_sync_directory(fd);
	bt_close(&fd);
}

static int make_top(struct local *local, struct bt_error *error)
{
	int r = bt_make_directory(AT_FDCWD, local->path, 0700, false);

	local->made = !r;
	if (r == -ENOENT)
		return bt_backend_missing(local->path, ENOENT, error);
	return r < 0 && r != -EEXIST ? bt_fail_sys(error, -r, local->path, "create the store") : 0;
}

/* These make the numbers up, and forget them when memory is short. */
static bool numbers_last(int fd)
{
	static const uint32_t forgetful[] = {
		FUSE_SUPER_MAGIC, MSDOS_SUPER_MAGIC, EXFAT_SUPER_MAGIC, CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC,
	};
	struct statfs fs;

	for (size_t i = 0; i < sizeof(forgetful) / sizeof(*forgetful); i++)
		if (fstatfs(fd, &fs) || (uint32_t)fs.f_type == forgetful[i])
			return false;
	return true;
}

static int open_top(struct local *local, struct bt_error *error)
{
	struct statvfs fs;
	struct stat status;
	int fd = bt_openat(AT_FDCWD, local->path, O_RDONLY | O_DIRECTORY, 0);

	if (fd == -ENOENT || fd == -ENOTDIR)
		return bt_backend_missing(local->path, fd == -ENOTDIR ? ENOTDIR : 0, error);
	if (fd < 0)
		return bt_fail_sys(error, -fd, local->path, "open the store");
	local->areas[BT_AREA_TOP].fd = fd;
	local->user = local->owner = geteuid();
	if (!fstat(fd, &status))
		local->owner = status.st_uid;
	if (local->made)
		sync_parent(fd);
	local->lasting = numbers_last(fd);
	if (!fstatvfs(fd, &fs) && fs.f_flag & ST_RDONLY)
		local->backend.read_only = true;
	return 0;
}

int bt_directory_open(const char *path, const struct bt_backend_options *options, struct bt_backend **ret_backend,
		      struct bt_error *error)
{
	struct local *local = calloc(1, sizeof(*local));

	if (!local)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	for (size_t i = 0; i < sizeof(local->areas) / sizeof(*local->areas); i++)
		local->areas[i].fd = -1;
	local->backend = (struct bt_backend){.ops = &directory_ops, .read_only = options->read_only};
	pthread_mutex_init(&local->lock, NULL);
	local->path = strdup(path);
	int r = local->path ? 0 : bt_fail(error, BT_E_NOMEM, NULL, NULL);
	if (!r && options->make)
		r = make_top(local, error);
	if (!r)
		r = open_top(local, error);
	if (!r && bt_fds_new(options->open_files, local->lasting, &local->fds))
		r = bt_fail(error, BT_E_NOMEM, NULL, NULL);
	if (r) {
		close_directory(&local->backend, true);
		return r;
	}
	local->backend.open_limit = bt_fds_limit(local->fds);
	*ret_backend = &local->backend;
	return 0;
}
