/* SPDX-License-Identifier: MIT */
#include "store/store.h"
#include "base/fail.h"
#include "base/io.h"
#include "base/sized.h"
#include "store/store_inside.h"
#include <errno.h>
#include <internal/state.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_A_BYTE 8 /* of a file that lies compressed: pages of one directory repeat much */

static bool may_make(const struct bt_store *store)
{
	return store->options.create && !store->options.id && !store->read_only;
}

/* A store from before there were ids gets one if that can be done; a new directory without one is not a store. */
static int identify(struct bt_store *store, struct bt_error *error)
{
	bool given = false, is_new = !store->roster->count && !bt_store_marked(store);
	int code = bt_identity_read(store, store->options.id ? error : NULL);

	if (store->options.id && code)
		return code;
	if (store->options.id && strcmp(store->options.id, store->id) != 0)
		return bt_backend_missing(store->path, *store->id || !is_new ? ESTALE : 0, error);
	if (*store->id)
		return 0;
	if (may_make(store)) {
		int r = bt_identity_give(store, &given, is_new ? error : NULL);

		store->made = given && is_new;
		/* a removal needs this directory, and must not need room for it */
		if (store->made)
			bt_backend_reach(store->backend, BT_AREA_CONTENTS, NULL);
		return is_new ? r : 0;
	}
	return is_new && !store->options.create ? bt_backend_missing(store->path, 0, error) : 0;
}

static int open_inside(struct bt_store *store, struct bt_error *error)
{
	int r = bt_store_refresh(store, error);

	return r ? r : identify(store, error);
}

static int open_parts(struct bt_store *store, struct bt_error *error)
{
	if (bt_rest_init(&store->rest) || !store->path || bt_blocks_new(store) || bt_index_new(&store->index) ||
	    (store->readers.pages.load && bt_cache_new(&store->readers.pages, &store->pages)))
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	const struct bt_backend_options options = {may_make(store), store->read_only, store->options.open_files};
	int r = bt_backend_open(store->path, &options, &store->backend, error);
	if (r)
		return r;
	store->read_only = bt_backend_read_only(store->backend);
	return open_inside(store, error);
}

static void close_store(struct bt_store *store, bool undo)
{
	bt_cache_free(store->pages);
	bt_blocks_free(store);
	bt_index_free(store->index);
	bt_catalogue_free(store);
	bt_rest_destroy(&store->rest);
	bt_close(&store->stayfd);
	bt_close(&store->cachefd);
	bt_backend_close(store->backend, undo);
	pthread_mutex_destroy(&store->lock);
	pthread_mutex_destroy(&store->refreshing);
	pthread_mutex_destroy(&store->index_lock);
	free(store->path);
	free(store);
}

int bt_store_open_with(const char *path, const struct bt_store_options *options, const struct bt_store_readers *readers,
		       struct bt_store **ret_store, struct bt_error *error)
{
	struct bt_store *store = calloc(1, sizeof(*store));

	if (!store)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	if (bt_sized_take(&store->options, sizeof(store->options), options, error)) {
		free(store);
		return BT_E_INVALID;
	}
	if (readers)
		store->readers = *readers;
	store->readers.pages.arg = store;
	store->read_only = store->options.read_only || store->options.salvage;
	store->stayfd = store->cachefd = -1;
	pthread_mutex_init(&store->lock, NULL);
	pthread_mutex_init(&store->refreshing, NULL);
	pthread_mutex_init(&store->index_lock, NULL);
	store->path = strdup(path);
	int r = open_parts(store, error);
	if (r)
		close_store(store, true);
	else
		*ret_store = store;
	return r;
}

void bt_store_call_before_slow(struct bt_store *store, void (*before_slow)(void *arg), void *arg)
{
	store->before_slow_arg = arg;
	store->before_slow = before_slow;
}

void bt_store_close(struct bt_store *store)
{
	if (store)
		close_store(store, false);
}

struct bt_cache *bt_store_pages(const struct bt_store *store)
{
	return store->pages;
}

int bt_store_local_fd(const struct bt_store *store)
{
	return bt_backend_local_fd(store->backend, BT_AREA_TOP);
}

int bt_store_local_cache_fd(struct bt_store *store)
{
	pthread_mutex_lock(&store->lock);
	if (!store->cache_tried)
		store->cachefd = bt_cache_open(store->backend, store->options.cache_directory);
	store->cache_tried = true;
	int fd = store->cachefd;
	pthread_mutex_unlock(&store->lock);
	return fd;
}

void bt_store_inode(const struct bt_store *store, dev_t *ret_dev, ino_t *ret_ino)
{
	bt_backend_inode(store->backend, ret_dev, ret_ino);
}

bool bt_store_is_one(const struct bt_store *a, const struct bt_store *b)
{
	dev_t dev[2];
	ino_t ino[2];

	bt_store_inode(a, &dev[0], &ino[0]);
	bt_store_inode(b, &dev[1], &ino[1]);
	return a == b || (ino[0] && ino[0] == ino[1] && dev[0] == dev[1]);
}

bool bt_store_salvages(const struct bt_store *store)
{
	return store->options.salvage;
}

bool bt_store_marked(const struct bt_store *store)
{
	return *store->id || bt_backend_marked(store->backend);
}

bool bt_store_locks_reach(const struct bt_store *store, char type[64])
{
	return bt_backend_locks_reach(store->backend, type);
}

struct bt_time bt_store_repaired(const struct bt_store *store)
{
	return bt_backend_area_time(store->backend, BT_AREA_DAMAGED);
}

uint64_t bt_store_bytes(const struct bt_store *store)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < bt_store_file_count(store); i++)
		bytes += bt_store_file_id(store, (uint32_t)i)->size;
	return bytes;
}

uint64_t bt_store_text_bytes(const struct bt_store *store)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < bt_store_file_count(store); i++) {
		const struct bt_file_id *id = bt_store_file_id(store, (uint32_t)i);

		bytes += id->at_rest ? id->size * TEXT_A_BYTE : id->size;
	}
	return bytes;
}

int bt_store_lock(struct bt_store *store, enum bt_lock_kind kind, const struct bt_observer *observer, int *ret_fd,
		  struct bt_error *error)
{
	const struct bt_lock_wait wait = {store->options.lock_wait_ms, observer};

	bt_store_doubt(store);
	return bt_backend_lock(store->backend, kind, &wait, ret_fd, error);
}

/* A store that may only be read is read without a lock: where locks are impossible, programs do not delete. */
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
	if (!bt_error_pass(error, &inner, r))
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
	if (fd >= 0)
		store->stayfd = fd;
	return bt_error_pass(error, &inner, r);
}

void bt_store_sweep(struct bt_store *store, bool alone)
{
	bt_backend_sweep(store->backend, alone);
}

static int number_of(const char *task, uint64_t *ret_number)
{
	struct bt_hasher *hasher = bt_hasher_new();
	struct bt_digest digest;
	int r = hasher ? bt_hasher_digest(hasher, task, strlen(task), &digest) : BT_E_NOMEM;

	bt_hasher_free(hasher);
	if (!r)
		memcpy(ret_number, digest.bytes, sizeof(*ret_number));
	return r;
}

int bt_store_claim(struct bt_store *store, const char *task, int *ret_fd, struct bt_error *error)
{
	uint64_t number;
	int r = number_of(task, &number);

	return r ? bt_fail(error, r, NULL, NULL) : bt_backend_claim(store->backend, number, ret_fd, error);
}

bool bt_store_claimed(struct bt_store *store, const char *task, char holder[BT_STATE_HOLDER_SIZE])
{
	uint64_t number;

	_Static_assert(BT_STATE_HOLDER_SIZE == BT_HOLDER_SIZE, "a holder has the same room everywhere");
	return !number_of(task, &number) && bt_backend_claimed(store->backend, number, holder);
}

void bt_store_doubt(struct bt_store *store)
{
	atomic_store(&store->doubted, true);
}

unsigned bt_store_version(const struct bt_store *store)
{
	return atomic_load(&store->version);
}

int bt_store_refresh(struct bt_store *store, struct bt_error *error)
{
	pthread_mutex_lock(&store->refreshing);
	int r = bt_catalogue_refresh(store, error);
	if (!r)
		r = bt_lookup_update(store, error);
	if (!r)
		atomic_store(&store->version, atomic_load(&store->found));
	pthread_mutex_unlock(&store->refreshing);
	return r;
}
