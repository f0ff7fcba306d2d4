/* SPDX-License-Identifier: MIT */
#include "store/store.h"
#include "base/fail.h"
#include "base/io.h"
#include "base/made.h"
#include "base/publish.h"
#include "store/store_inside.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LOCK_NAME "lock"

static void sync_parent(int dirfd)
{
	int fd = bt_openat(dirfd, "..", O_RDONLY | O_DIRECTORY, 0);
	if (fd >= 0)
		bt_sync_directory(fd);
	bt_close(&fd);
}

static int no_store(const struct bt_store *store, int sys, struct bt_error *error)
{
	bool first = error && !error->code;
	int code = bt_fail(error, BT_E_NO_STORE, store->path, NULL);
	if (first)
		error->sys = sys;
	return code;
}

static bool may_make(const struct bt_store *store)
{
	return store->options.create && !store->options.id && !store->read_only;
}

static int open_root(struct bt_store *store, bool *ret_made, struct bt_error *error)
{
	struct statvfs fs;
	struct stat status;
	bool made = false;
	if (may_make(store)) {
		int r = bt_make_directory(AT_FDCWD, store->path, 0700, false);
		made = r == 0;
		if (r == -ENOENT)
			return no_store(store, ENOENT, error);
		if (r < 0 && r != -EEXIST)
			return bt_fail_sys(error, -r, store->path, "create the store");
	}
	int fd = bt_openat(AT_FDCWD, store->path, O_RDONLY | O_DIRECTORY, 0);
	if (fd == -ENOENT || fd == -ENOTDIR)
		return no_store(store, fd == -ENOTDIR ? ENOTDIR : 0, error);
	if (fd < 0)
		return bt_fail_sys(error, -fd, store->path, "open the store");
	store->dirfd = fd;
	store->user = geteuid();
	store->owner = store->user;
	if (!fstat(fd, &status)) {
		store->owner = status.st_uid;
		store->dev = status.st_dev;
		store->inode = status.st_ino;
	}
	*ret_made = made;
	if (made)
		sync_parent(fd);
	if (!fstatvfs(fd, &fs) && fs.f_flag & ST_RDONLY)
		store->read_only = true;
	return 0;
}

/* A store of before there were ids gets one if that can be; a new one is none without. */
static int identify(struct bt_store *store, struct bt_error *error)
{
	bool given = false, is_new = !store->snapshot_count && !bt_store_marked(store);
	int code = bt_identity_read(store, store->options.id ? error : NULL);

	if (store->options.id && code)
		return code;
	if (store->options.id && strcmp(store->options.id, store->id) != 0)
		return no_store(store, *store->id || !is_new ? ESTALE : 0, error);
	if (*store->id)
		return 0;
	if (may_make(store)) {
		int r = bt_identity_give(store, &given, is_new ? error : NULL);
		store->made = given && is_new;
		return is_new ? r : 0;
	}
	return is_new && !store->options.create ? no_store(store, 0, error) : 0;
}

static int open_inside(struct bt_store *store, struct bt_error *error)
{
	int r = bt_catalogue_refresh(store, error);
	return r ? r : identify(store, error);
}

static int open_parts(struct bt_store *store, struct bt_error *error)
{
	bool made = false;
	if (!store->path || bt_fds_new(store->options.open_files, &store->fds) || bt_blocks_new(store) ||
	    bt_index_new(&store->index))
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	int r = open_root(store, &made, error);
	if (!r)
		r = open_inside(store, error);
	if (r && made)
		rmdir(store->path);
	return r;
}

int bt_store_open_with(const char *path, const struct bt_store_options *options, const struct bt_foreign *foreign,
		       struct bt_store **ret_store, struct bt_error *error)
{
	struct bt_store *store = calloc(1, sizeof(*store));
	if (!store)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	if (options)
		store->options = *options;
	if (foreign)
		store->foreign = *foreign;
	store->read_only = store->options.read_only || store->options.salvage;
	store->dirfd = store->contentsfd = store->cachefd = store->stayfd = -1;
	pthread_mutex_init(&store->lock, NULL);
	pthread_mutex_init(&store->index_lock, NULL);
	store->path = strdup(path);
	int r = open_parts(store, error);
	if (r) {
		bt_store_close(store);
		return r;
	}
	*ret_store = store;
	return 0;
}

void bt_store_close(struct bt_store *store)
{
	if (!store)
		return;
	if (store->attached_free)
		store->attached_free(store->attached);
	bt_blocks_free(store);
	bt_index_free(store->index);
	bt_catalogue_free(store);
	bt_fds_free(store->fds);
	bt_close(&store->stayfd);
	bt_close(&store->cachefd);
	bt_close(&store->contentsfd);
	bt_close(&store->dirfd);
	pthread_mutex_destroy(&store->lock);
	pthread_mutex_destroy(&store->index_lock);
	free(store->path);
	free(store);
}

void bt_store_attach(struct bt_store *store, void *data, void (*free)(void *data))
{
	store->attached = data;
	store->attached_free = free;
}

void *bt_store_attached(const struct bt_store *store)
{
	return store->attached;
}

int bt_store_local_fd(const struct bt_store *store)
{
	return store->dirfd;
}

int bt_store_local_cache_fd(struct bt_store *store)
{
	return bt_store_cache_dirfd(store);
}

void bt_store_inode(const struct bt_store *store, dev_t *ret_dev, ino_t *ret_ino)
{
	*ret_dev = store->dev;
	*ret_ino = store->inode;
}

bool bt_store_read_only(const struct bt_store *store)
{
	return store->read_only;
}

bool bt_store_salvages(const struct bt_store *store)
{
	return store->options.salvage;
}

bool bt_store_marked(const struct bt_store *store)
{
	struct stat status;
	return *store->id ||
	       (!fstatat(store->dirfd, LOCK_NAME, &status, AT_SYMLINK_NOFOLLOW) && S_ISREG(status.st_mode)) ||
	       (!fstatat(store->dirfd, BT_CONTENTS_DIR, &status, AT_SYMLINK_NOFOLLOW) && S_ISDIR(status.st_mode));
}

/* fd or -errno */
static int open_below(const struct bt_store *store, const char *name)
{
	int fd = bt_openat(store->dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd != -ENOENT || store->read_only)
		return fd;
	/* what is published in it is only as durable as its own name */
	return bt_open_subdirectory(store->dirfd, name);
}

struct bt_time bt_store_repaired(const struct bt_store *store)
{
	struct stat status;
	if (fstatat(store->dirfd, BT_DAMAGED_DIR, &status, AT_SYMLINK_NOFOLLOW))
		return (struct bt_time){0};
	return (struct bt_time){status.st_mtim.tv_sec, (uint32_t)status.st_mtim.tv_nsec};
}

/* Whether the directory that is open still has the name: a store may be replaced by another one in its place. */
static bool has_contents(const struct bt_store *store)
{
	struct stat open, named;
	return store->contentsfd >= 0 && !fstat(store->contentsfd, &open) &&
	       !fstatat(store->dirfd, BT_CONTENTS_DIR, &named, AT_SYMLINK_NOFOLLOW) && open.st_dev == named.st_dev &&
	       open.st_ino == named.st_ino;
}

/* A directory that was made anew takes the number of the one before, which others may be using. */
static int open_contents(const struct bt_store *store, bool create)
{
	int fd = create ? open_below(store, BT_CONTENTS_DIR)
			: bt_openat(store->dirfd, BT_CONTENTS_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0 || store->contentsfd < 0)
		return fd;
	int r = dup3(fd, store->contentsfd, O_CLOEXEC);
	r = r < 0 ? -errno : r;
	bt_close(&fd);
	return r;
}

int bt_store_contents(struct bt_store *store, bool create)
{
	pthread_mutex_lock(&store->lock);
	int fd = store->contentsfd;
	if (!has_contents(store)) {
		fd = open_contents(store, create);
		if (fd >= 0)
			store->contentsfd = fd;
		store->contents_state.settled = false;
	}
	pthread_mutex_unlock(&store->lock);
	return fd;
}

/* Without what is in it, much would seem to be lost; a repair is no cure for a link to another disk. */
int bt_store_fail_contents(const struct bt_store *store, int sys, struct bt_error *error)
{
	char what[160];
	if (sys != ENOTDIR)
		return bt_fail_sys(error, sys, BT_CONTENTS_DIR, "open");
	snprintf(what, sizeof(what),
		 "it is %s, not a directory, so what the store has there is out of reach; put the directory in its "
		 "place, or remove it to go on without",
		 bt_kind_name(store->dirfd, BT_CONTENTS_DIR));
	return bt_fail(error, BT_E_UNSUPPORTED, BT_CONTENTS_DIR, what);
}

int bt_store_contents_dirfd(struct bt_store *store, int *ret_fd, struct bt_error *error)
{
	int fd = bt_store_contents(store, true);
	if (fd < 0)
		return bt_store_fail_contents(store, -fd, error);
	*ret_fd = fd;
	return 0;
}

/* What others could have put there is of no use; nor is what this one would put where others can exchange it. */
static int open_cache(const struct bt_store *store)
{
	struct stat status;
	int fd = open_below(store, BT_CACHE_DIR);
	if (fd >= 0 && (fstat(fd, &status) || !bt_is_own(&status)))
		bt_close(&fd);
	return fd < 0 ? -1 : fd;
}

uint64_t bt_store_bytes(const struct bt_store *store)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < bt_store_file_count(store); i++)
		bytes += bt_store_file_id(store, (uint32_t)i)->size;
	return bytes;
}

int bt_store_cache_dirfd(struct bt_store *store)
{
	pthread_mutex_lock(&store->lock);
	if (!store->cache_tried)
		store->cachefd = open_cache(store);
	store->cache_tried = true;
	int fd = store->cachefd;
	pthread_mutex_unlock(&store->lock);
	return fd;
}

int bt_store_lock(struct bt_store *store, enum bt_lock_kind kind, const struct bt_observer *observer, int *ret_fd,
		  struct bt_error *error)
{
	const struct bt_lock_wait wait = {store->options.lock_wait_ms, observer};

	bt_store_doubt(store);
	return bt_lock_take(store->dirfd, LOCK_NAME, kind, &wait, ret_fd, error);
}

/* A store that may only be read is looked at without a lock; where nobody can lock, nobody can delete. */
static bool may_not_lock(const struct bt_error *error)
{
	return error->code == BT_E_UNSUPPORTED || error->sys == EROFS || error->sys == EACCES || error->sys == EPERM ||
	       error->sys == ENOENT;
}

int bt_store_lock_for_reading(struct bt_store *store, const struct bt_observer *observer, int *ret_fd,
			      struct bt_error *error)
{
	struct bt_error inner = {0};
	int fd = -1, r = store->options.read_only ? 0 : bt_store_lock(store, BT_LOCK_SHARED, observer, &fd, &inner);

	if (r && may_not_lock(&inner))
		r = 0;
	else if (r && error && !error->code)
		*error = inner;
	if (!r)
		r = bt_store_refresh(store, error);
	if (r)
		bt_close(&fd);
	else
		*ret_fd = fd;
	return r;
}

int bt_store_stay(struct bt_store *store, const struct bt_observer *observer, struct bt_error *error)
{
	struct bt_error inner = {0};
	int fd = -1, r = store->stayfd < 0 ? bt_store_lock_for_reading(store, observer, &fd, &inner) : 0;

	if (r == BT_E_LOCKED)
		return bt_store_refresh(store, error);
	if (r && error && !error->code)
		*error = inner;
	if (fd >= 0)
		store->stayfd = fd;
	return r;
}

/* In damaged/ only a repair writes, which is alone. */
static void sweep_damaged(const struct bt_store *store)
{
	int fd = bt_openat(store->dirfd, BT_DAMAGED_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd >= 0)
		bt_publish_sweep(fd, true);
	bt_close(&fd);
}

void bt_store_sweep(struct bt_store *store, bool alone)
{
	bt_publish_sweep(store->dirfd, alone);
	if (store->contentsfd >= 0)
		bt_publish_sweep(store->contentsfd, alone);
	if (alone)
		sweep_damaged(store);
}

int bt_store_claim(struct bt_store *store, const char *task, int *ret_fd, struct bt_error *error)
{
	struct bt_hasher *hasher = bt_hasher_new();
	struct bt_digest digest;
	uint64_t number;

	int result = hasher ? bt_hasher_digest(hasher, task, strlen(task), &digest) : BT_E_NOMEM;
	bt_hasher_free(hasher);
	if (result)
		return bt_fail(error, result, NULL, NULL);
	memcpy(&number, digest.bytes, sizeof(number));
	return bt_lock_claim(store->dirfd, LOCK_NAME, number, ret_fd, error);
}

void bt_store_doubt(struct bt_store *store)
{
	atomic_store(&store->doubted, true);
}

unsigned bt_store_version(const struct bt_store *store)
{
	return store->version;
}

int bt_store_refresh(struct bt_store *store, struct bt_error *error)
{
	int r = bt_catalogue_refresh(store, error);
	return r ? r : bt_lookup_update(store, error);
}
