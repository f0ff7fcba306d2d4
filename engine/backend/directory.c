/* SPDX-License-Identifier: MIT */
/* A store in a directory of a file system. */
#include "backend/backend.h"
#include "base/fail.h"
#include "base/io.h"
#include "base/listing.h"
#include "base/made.h"
#include "base/publish.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LOCK_NAME "lock"
#define CACHE_DIR "cache"

/* A directory whose time is older than this when it is read has settled: file systems do not count finer than this. */
#define SETTLE_SECONDS 3

/* A directory, and what was seen of it when it was read last. */
struct directory {
	int fd;
	struct timespec changed;
	bool settled; /* a later change would have given another time */
};

struct bt_backend {
	char *path;
	bool made, read_only;
	dev_t dev;
	ino_t inode;
	uid_t owner, user; /* of the directory; who opened it */
	pthread_mutex_t lock;
	struct directory areas[BT_AREA_DAMAGED + 1];
	int cachefd;
	bool cache_tried;
};

static const char *const names[] = {
	[BT_AREA_TOP] = NULL, [BT_AREA_CONTENTS] = BT_CONTENTS_DIR, [BT_AREA_DAMAGED] = BT_DAMAGED_DIR};

int bt_backend_missing(const char *path, int sys, struct bt_error *error)
{
	bool first = error && !error->code;
	int code = bt_fail(error, BT_E_NO_STORE, path, NULL);
	if (first)
		error->sys = sys;
	return code;
}

static void sync_parent(int dirfd)
{
	int fd = bt_openat(dirfd, "..", O_RDONLY | O_DIRECTORY, 0);
	if (fd >= 0)
		bt_sync_directory(fd);
	bt_close(&fd);
}

static int make(struct bt_backend *backend, struct bt_error *error)
{
	int r = bt_make_directory(AT_FDCWD, backend->path, 0700, false);
	backend->made = r == 0;
	if (r == -ENOENT)
		return bt_backend_missing(backend->path, ENOENT, error);
	return r < 0 && r != -EEXIST ? bt_fail_sys(error, -r, backend->path, "create the store") : 0;
}

static int open_top(struct bt_backend *backend, struct bt_error *error)
{
	struct statvfs fs;
	struct stat status;
	int fd = bt_openat(AT_FDCWD, backend->path, O_RDONLY | O_DIRECTORY, 0);
	if (fd == -ENOENT || fd == -ENOTDIR)
		return bt_backend_missing(backend->path, fd == -ENOTDIR ? ENOTDIR : 0, error);
	if (fd < 0)
		return bt_fail_sys(error, -fd, backend->path, "open the store");
	backend->areas[BT_AREA_TOP].fd = fd;
	backend->user = backend->owner = geteuid();
	if (!fstat(fd, &status)) {
		backend->owner = status.st_uid;
		backend->dev = status.st_dev;
		backend->inode = status.st_ino;
	}
	if (backend->made)
		sync_parent(fd);
	if (!fstatvfs(fd, &fs) && fs.f_flag & ST_RDONLY)
		backend->read_only = true;
	return 0;
}

int bt_backend_open(const char *path, bool may_make, bool read_only, struct bt_backend **ret_backend,
		    struct bt_error *error)
{
	struct bt_backend *backend = calloc(1, sizeof(*backend));
	if (!backend)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	for (size_t i = 0; i < sizeof(backend->areas) / sizeof(*backend->areas); i++)
		backend->areas[i].fd = -1;
	backend->cachefd = -1;
	backend->read_only = read_only;
	pthread_mutex_init(&backend->lock, NULL);
	backend->path = strdup(path);
	int r = backend->path ? 0 : bt_fail(error, BT_E_NOMEM, NULL, NULL);
	if (!r && may_make)
		r = make(backend, error);
	if (!r)
		r = open_top(backend, error);
	if (r)
		bt_backend_close(backend, true);
	else
		*ret_backend = backend;
	return r;
}

void bt_backend_close(struct bt_backend *backend, bool undo)
{
	if (!backend)
		return;
	if (undo && backend->made)
		rmdir(backend->path);
	for (size_t i = 0; i < sizeof(backend->areas) / sizeof(*backend->areas); i++)
		bt_close(&backend->areas[i].fd);
	bt_close(&backend->cachefd);
	pthread_mutex_destroy(&backend->lock);
	free(backend->path);
	free(backend);
}

bool bt_backend_read_only(const struct bt_backend *backend)
{
	return backend->read_only;
}

static int top(const struct bt_backend *backend)
{
	return backend->areas[BT_AREA_TOP].fd;
}

bool bt_backend_marked(const struct bt_backend *backend)
{
	struct stat status;
	return (!fstatat(top(backend), LOCK_NAME, &status, AT_SYMLINK_NOFOLLOW) && S_ISREG(status.st_mode)) ||
	       (!fstatat(top(backend), BT_CONTENTS_DIR, &status, AT_SYMLINK_NOFOLLOW) && S_ISDIR(status.st_mode));
}

/* fd or -errno */
static int open_below(const struct bt_backend *backend, const char *name, bool create)
{
	int fd = bt_openat(top(backend), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd != -ENOENT || backend->read_only || !create)
		return fd;
	/* what is published in it is only as durable as its own name */
	return bt_open_subdirectory(top(backend), name);
}

/* Whether the directory that is open still has the name: a store may be replaced by another one in its place. */
static bool still_has_name(const struct bt_backend *backend, enum bt_area area)
{
	struct stat open, named;
	return backend->areas[area].fd >= 0 && !fstat(backend->areas[area].fd, &open) &&
	       !fstatat(top(backend), names[area], &named, AT_SYMLINK_NOFOLLOW) && open.st_dev == named.st_dev &&
	       open.st_ino == named.st_ino;
}

/* A directory that was made anew takes the number of the one before, which others may be using. */
static int open_again(const struct bt_backend *backend, enum bt_area area, bool create)
{
	int fd = open_below(backend, names[area], create), before = backend->areas[area].fd;
	if (fd < 0 || before < 0)
		return fd;
	int r = dup3(fd, before, O_CLOEXEC);
	r = r < 0 ? -errno : r;
	bt_close(&fd);
	return r;
}

/* The directory that has the name now: fd or -errno. */
static int area_fd(struct bt_backend *backend, enum bt_area area, bool create)
{
	struct directory *directory = &backend->areas[area];
	if (area == BT_AREA_TOP)
		return directory->fd;
	pthread_mutex_lock(&backend->lock);
	int fd = directory->fd;
	if (!still_has_name(backend, area)) {
		fd = open_again(backend, area, create);
		if (fd >= 0)
			directory->fd = fd;
		directory->settled = false;
	}
	pthread_mutex_unlock(&backend->lock);
	return fd;
}

/* Without what is in it, much would seem to be lost; a repair is no cure for a link to another disk. */
static int fail_area(const struct bt_backend *backend, enum bt_area area, int sys, struct bt_error *error)
{
	char what[160];
	if (area == BT_AREA_DAMAGED)
		return bt_fail_sys(error, sys, names[area], "make the directory");
	if (sys != ENOTDIR)
		return bt_fail_sys(error, sys, names[area], "open");
	snprintf(what, sizeof(what),
		 "it is %s, not a directory, so what the store has there is out of reach; put the directory in its "
		 "place, or remove it to go on without",
		 bt_kind_name(top(backend), names[area]));
	return bt_fail(error, BT_E_UNSUPPORTED, names[area], what);
}

int bt_backend_reach(struct bt_backend *backend, enum bt_area area, struct bt_error *error)
{
	int fd = area_fd(backend, area, true);
	return fd < 0 ? fail_area(backend, area, -fd, error) : 0;
}

bool bt_stamp_same(const struct bt_stamp *a, const struct bt_stamp *b)
{
	return !memcmp(a->identity, b->identity, sizeof(a->identity));
}

bool bt_stamp_untouched(const struct bt_stamp *a, const struct bt_stamp *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static bool is_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static struct bt_stamp stamp_of(const struct stat *status)
{
	const uint64_t identity[] = {status->st_dev, status->st_ino};
	const int64_t touched[] = {status->st_ctim.tv_sec, status->st_ctim.tv_nsec};
	struct bt_stamp stamp;
	_Static_assert(sizeof(stamp.identity) == sizeof(identity) && sizeof(stamp.touched) == sizeof(touched),
		       "a stamp has no byte that is not set");
	memcpy(stamp.identity, identity, sizeof(identity));
	memcpy(stamp.touched, touched, sizeof(touched));
	return stamp;
}

/* 0 or -errno */
static int look_in(const struct bt_backend *backend, int dirfd, const char *name, struct bt_stored *ret_stored)
{
	struct stat st;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	bool is_file = S_ISREG(st.st_mode);
	*ret_stored = (struct bt_stored){.size = is_file ? (uint64_t)st.st_size : 0,
					 .mtime = {st.st_mtim.tv_sec, (uint32_t)st.st_mtim.tv_nsec},
					 .stamp = stamp_of(&st),
					 .is_file = is_file,
					 .trusted = st.st_uid == backend->user || st.st_uid == 0 ||
						    st.st_uid == backend->owner};
	return 0;
}

int bt_backend_look(struct bt_backend *backend, enum bt_area area, const char *name, struct bt_stored *ret_stored)
{
	int fd = area_fd(backend, area, false);
	return fd < 0 ? fd : look_in(backend, fd, name, ret_stored);
}

static int list_one(const struct bt_backend *backend, int dirfd, const char *name,
		    const struct bt_list_visitor *visitor, struct bt_error *error)
{
	struct bt_stored stored;
	if (!visitor->wanted(visitor->arg, name))
		return 0;
	int sys = look_in(backend, dirfd, name, &stored);
	if (sys)
		return sys == -ENOENT ? 0 : bt_fail_sys(error, -sys, name, "look at");
	return visitor->take(visitor->arg, name, &stored);
}

int bt_backend_find(struct bt_backend *backend, enum bt_area area)
{
	int fd = area_fd(backend, area, false);
	return fd < 0 ? fd : 0;
}

int bt_backend_list(struct bt_backend *backend, enum bt_area area, const struct bt_list_visitor *visitor,
		    struct bt_error *error)
{
	struct bt_listing listing;
	int fd = area_fd(backend, area, false), r = 0;
	if (fd < 0)
		return fail_area(backend, area, -fd, error);
	bt_listing_begin(&listing, fd);
	for (const char *name; !r && (name = bt_listing_next(&listing));)
		r = list_one(backend, fd, name, visitor, error);
	int listed = bt_listing_end(&listing);
	if (r)
		return r;
	return listed ? bt_listing_fail(error, listed, names[area] ? names[area] : backend->path) : 0;
}

/* The time of its last change as it is where the directory lies: what a network file system remembers of it may be
 * old. */
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

bool bt_backend_changed(struct bt_backend *backend)
{
	bool has_contents = area_fd(backend, BT_AREA_CONTENTS, false) >= 0;
	bool changed = has_changed(&backend->areas[BT_AREA_TOP]);
	return (has_contents && has_changed(&backend->areas[BT_AREA_CONTENTS])) || changed;
}

struct bt_time bt_backend_area_time(const struct bt_backend *backend, enum bt_area area)
{
	struct stat status;
	if (fstatat(top(backend), names[area] ? names[area] : ".", &status, AT_SYMLINK_NOFOLLOW))
		return (struct bt_time){0};
	return (struct bt_time){status.st_mtim.tv_sec, (uint32_t)status.st_mtim.tv_nsec};
}

int bt_backend_move(struct bt_backend *backend, const struct bt_backend_name *from, const struct bt_backend_name *to)
{
	int from_fd = area_fd(backend, from->area, false), to_fd = area_fd(backend, to->area, true);
	if (from_fd < 0 || to_fd < 0)
		return from_fd < 0 ? from_fd : to_fd;
	return bt_rename_new(from_fd, from->name, to_fd, to->name);
}

int bt_backend_twin(struct bt_backend *backend, const struct bt_backend_name *from, const struct bt_backend_name *to,
		    struct bt_error *error)
{
	int from_fd = area_fd(backend, from->area, false), to_fd = area_fd(backend, to->area, true);
	if (from_fd < 0)
		return fail_area(backend, from->area, -from_fd, error);
	if (to_fd < 0)
		return fail_area(backend, to->area, -to_fd, error);
	return bt_publish_twin(from_fd, from->name, to_fd, to->name, error);
}

bool bt_backend_is_twin(struct bt_backend *backend, const struct bt_backend_name *one,
			const struct bt_backend_name *two)
{
	struct bt_stored first, second;
	return !bt_backend_look(backend, one->area, one->name, &first) &&
	       !bt_backend_look(backend, two->area, two->name, &second) && bt_stamp_same(&first.stamp, &second.stamp);
}

int bt_backend_replace(struct bt_backend *backend, const struct bt_backend_name *from, const char *name)
{
	int fd = area_fd(backend, from->area, false);
	if (fd < 0)
		return fd;
	return renameat(fd, from->name, fd, name) ? -errno : 0;
}

int bt_backend_remove(struct bt_backend *backend, const struct bt_backend_name *name)
{
	int fd = area_fd(backend, name->area, false);
	if (fd < 0)
		return fd;
	return unlinkat(fd, name->name, 0) ? -errno : 0;
}

int bt_backend_settle(struct bt_backend *backend, enum bt_area area)
{
	int fd = area_fd(backend, area, false);
	return fd < 0 ? fd : bt_sync_directory(fd);
}

/* In damaged/ only a repair writes, which is alone. */
void bt_backend_sweep(struct bt_backend *backend, bool alone)
{
	for (int area = BT_AREA_TOP; area <= (alone ? BT_AREA_DAMAGED : BT_AREA_CONTENTS); area++) {
		int fd = area_fd(backend, (enum bt_area)area, false);
		if (fd >= 0)
			bt_publish_sweep(fd, alone);
	}
}

int bt_backend_lock(struct bt_backend *backend, enum bt_lock_kind kind, const struct bt_lock_wait *wait, int *ret_fd,
		    struct bt_error *error)
{
	return bt_lock_take(top(backend), LOCK_NAME, kind, wait, ret_fd, error);
}

int bt_backend_claim(struct bt_backend *backend, uint64_t number, int *ret_fd, struct bt_error *error)
{
	return bt_lock_claim(top(backend), LOCK_NAME, number, ret_fd, error);
}

bool bt_backend_locks_reach(const struct bt_backend *backend, char type[64])
{
	return bt_locks_reach(top(backend), type);
}

int bt_backend_local_fd(struct bt_backend *backend, enum bt_area area)
{
	int fd = area_fd(backend, area, false);
	return fd < 0 ? -1 : fd;
}

/* What others could have put there is of no use; nor is what this one would put where others can exchange it. */
static int open_cache(const struct bt_backend *backend)
{
	struct stat status;
	int fd = open_below(backend, CACHE_DIR, true);
	if (fd >= 0 && (fstat(fd, &status) || !bt_is_own(&status)))
		bt_close(&fd);
	return fd < 0 ? -1 : fd;
}

int bt_backend_cache_fd(struct bt_backend *backend)
{
	pthread_mutex_lock(&backend->lock);
	if (!backend->cache_tried)
		backend->cachefd = open_cache(backend);
	backend->cache_tried = true;
	int fd = backend->cachefd;
	pthread_mutex_unlock(&backend->lock);
	return fd;
}

void bt_backend_inode(const struct bt_backend *backend, dev_t *ret_dev, ino_t *ret_ino)
{
	*ret_dev = backend->dev;
	*ret_ino = backend->inode;
}
