/* SPDX-License-Identifier: MIT */
/*
 * The unit tests a second time: with BT_TEST_REMOTE in the environment, a store that lies in a directory is reached as
 * one that does not. The back end's calls go to that of the directory, but there is no descriptor: what is read has
 * been copied to memory, and what is written goes to the directory when it is published.
 */
#include "remote_backend.h"
#include "memory_inside.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct remote {
	struct bt_backend backend;
	struct bt_backend *far;
	char *path;
};

static struct bt_backend *far_of(const struct bt_backend *backend)
{
	return ((const struct remote *)backend)->far;
}

bool is_remote(void)
{
	return getenv("BT_TEST_REMOTE");
}

static void close_remote(struct bt_backend *backend, bool undo)
{
	bt_backend_close(far_of(backend), undo);
	free(((struct remote *)backend)->path);
	free(backend);
}

static int look(struct bt_backend *backend, enum bt_area area, const char *name, struct bt_stored *ret_stored)
{
	return bt_backend_look(far_of(backend), area, name, ret_stored);
}

static int find(struct bt_backend *backend, enum bt_area area)
{
	return bt_backend_find(far_of(backend), area);
}

static int reach(struct bt_backend *backend, enum bt_area area, struct bt_error *error)
{
	return bt_backend_reach(far_of(backend), area, error);
}

static int list(struct bt_backend *backend, enum bt_area area, const struct bt_list_visitor *visitor,
		struct bt_error *error)
{
	return bt_backend_list(far_of(backend), area, visitor, error);
}

static bool changed(struct bt_backend *backend)
{
	return bt_backend_changed(far_of(backend));
}

static struct bt_time area_time(const struct bt_backend *backend, enum bt_area area)
{
	return bt_backend_area_time(far_of(backend), area);
}

/* ---- objects ---- */

struct copy {
	struct bt_object object;
	struct bt_buf bytes;
	int failure; /* of what comes after bytes, or 0 */
};

static ssize_t pread_copy(struct bt_object *object, void *data, size_t length, uint64_t offset)
{
	const struct copy *copy = (const struct copy *)object;
	ssize_t got = memory_pread(&copy->bytes, data, length, offset);

	return (size_t)got < length && copy->failure ? copy->failure : got;
}

static void close_copy(struct bt_object *object)
{
	bt_buf_free(&((struct copy *)object)->bytes);
	free(object);
}

static const struct bt_object_ops copy_ops = {.pread = pread_copy,
					      .pread_at_once = pread_copy,
					      .keep = memory_keep,
					      .release = memory_release,
					      .close = close_copy};

static void fill(struct copy *copy, struct bt_object *object)
{
	ssize_t n = 1;

	while (n > 0) {
		int r = bt_buf_reserve(&copy->bytes, (size_t)1 << 16);

		assert(!r);
		n = bt_object_pread(object, copy->bytes.data + copy->bytes.length, (size_t)1 << 16, copy->bytes.length);
		copy->bytes.length += n > 0 ? (size_t)n : 0;
	}
	copy->failure = (int)n;
}

static int open_copy(struct bt_backend *backend, const struct bt_backend_name *name, const struct bt_stored *listed,
		     struct bt_object **ret_object, struct bt_error *error)
{
	struct bt_object *object;
	int r = bt_object_open(far_of(backend), name, listed, &object, error);

	if (r)
		return r;
	struct copy *copy = calloc(1, sizeof(*copy));
	copy->object = (struct bt_object){&copy_ops, 1, bt_object_size(object)};
	fill(copy, object);
	bt_object_close(object);
	*ret_object = &copy->object;
	return 0;
}

/* ---- uploads ---- */

struct waiting {
	struct bt_upload upload;
	struct bt_backend *far;
	enum bt_area area;
	struct bt_buf bytes;
};

static int write_waiting(struct bt_upload *upload, const void *data, size_t length)
{
	return bt_buf_append(&((struct waiting *)upload)->bytes, data, length) ? -ENOMEM : 0;
}

static ssize_t pread_waiting(struct bt_upload *upload, void *data, size_t length, uint64_t offset)
{
	return memory_pread(&((struct waiting *)upload)->bytes, data, length, offset);
}

/* put: gives the whole upload its name. */
static int send_waiting(const struct waiting *waiting, const char *name,
			int (*put)(struct bt_upload *upload, const char *name, struct bt_error *error),
			struct bt_error *error)
{
	struct bt_upload *sent;
	int r = bt_backend_create(waiting->far, waiting->area, &sent, error);

	if (r)
		return r;
	int sys = bt_upload_write(sent, waiting->bytes.data, waiting->bytes.length);
	r = sys ? bt_upload_failed(sent, -sys, error) : put(sent, name, error);
	bt_upload_close(sent);
	return r;
}

static int publish_waiting(struct bt_upload *upload, const char *name, struct bt_error *error)
{
	return send_waiting((const struct waiting *)upload, name, bt_upload_publish, error);
}

static int replace_waiting(struct bt_upload *upload, const char *name, struct bt_error *error)
{
	return send_waiting((const struct waiting *)upload, name, bt_upload_replace, error);
}

static void close_waiting(struct bt_upload *upload)
{
	bt_buf_free(&((struct waiting *)upload)->bytes);
	free(upload);
}

static int spool_waiting(const struct bt_upload *upload, struct bt_upload **ret_spool, struct bt_error *error);

static const struct bt_upload_ops waiting_ops = {.write = write_waiting,
						 .pread = pread_waiting,
						 .publish = publish_waiting,
						 .spool = spool_waiting,
						 .failed = memory_upload_failed,
						 .close = close_waiting,
						 .replace = replace_waiting};

static struct bt_upload *wait_for_name(struct bt_backend *far, enum bt_area area)
{
	struct waiting *waiting = calloc(1, sizeof(*waiting));

	*waiting = (struct waiting){{&waiting_ops}, far, area, {0}};
	return &waiting->upload;
}

static int spool_waiting(const struct bt_upload *upload, struct bt_upload **ret_spool, struct bt_error *error)
{
	*ret_spool = wait_for_name(((const struct waiting *)upload)->far, BT_AREA_TOP);
	return 0;
}

static int create(struct bt_backend *backend, enum bt_area area, struct bt_upload **ret_upload, struct bt_error *error)
{
	int r = bt_backend_reach(far_of(backend), area, error);

	if (!r)
		*ret_upload = wait_for_name(far_of(backend), area);
	return r;
}

/* ---- names and locks ---- */

static int move(struct bt_backend *backend, const struct bt_backend_name *from, const struct bt_backend_name *to)
{
	return bt_backend_move(far_of(backend), from, to);
}

static int twin(struct bt_backend *backend, const struct bt_backend_name *from, const struct bt_backend_name *to,
		struct bt_error *error)
{
	return bt_backend_twin(far_of(backend), from, to, error);
}

static int replace(struct bt_backend *backend, const struct bt_backend_name *from, const char *name,
		   struct bt_error *error)
{
	return bt_backend_replace(far_of(backend), from, name, error);
}

static int remove_name(struct bt_backend *backend, const struct bt_backend_name *name)
{
	return bt_backend_remove(far_of(backend), name);
}

static int settle(struct bt_backend *backend, enum bt_area area)
{
	return bt_backend_settle(far_of(backend), area);
}

static void sweep(struct bt_backend *backend, bool alone)
{
	bt_backend_sweep(far_of(backend), alone);
}

static int lock(struct bt_backend *backend, enum bt_lock_kind kind, const struct bt_lock_wait *wait, int *ret_fd,
		struct bt_error *error)
{
	return bt_backend_lock(far_of(backend), kind, wait, ret_fd, error);
}

static int claim(struct bt_backend *backend, uint64_t number, int *ret_fd, struct bt_error *error)
{
	return bt_backend_claim(far_of(backend), number, ret_fd, error);
}

static int lock_again(struct bt_backend *backend, int fd, enum bt_lock_kind kind)
{
	return bt_backend_lock_again(far_of(backend), fd, kind);
}

static bool claimed(struct bt_backend *backend, uint64_t number, char *holder)
{
	return bt_backend_claimed(far_of(backend), number, holder);
}

static const struct bt_backend_ops remote_ops = {
	.close = close_remote,
	.look = look,
	.find = find,
	.reach = reach,
	.list = list,
	.changed = changed,
	.area_time = area_time,
	.open = open_copy,
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
};

int remote_open(const char *path, struct bt_backend *far, struct bt_backend **ret_backend)
{
	struct remote *remote = calloc(1, sizeof(*remote));

	*remote = (struct remote){
		{&remote_ops, bt_backend_read_only(far), bt_backend_open_limit(far)}, far, strdup(path)};
	*ret_backend = &remote->backend;
	return 0;
}

int __real_bt_cache_open(struct bt_backend *backend, const char *path);
int __wrap_bt_cache_open(struct bt_backend *backend, const char *path);

/* Where the tests look for it. */
int __wrap_bt_cache_open(struct bt_backend *backend, const char *path)
{
	char beside[4096];

	if (backend->ops != &remote_ops)
		return __real_bt_cache_open(backend, path);
	snprintf(beside, sizeof(beside), "%s/cache", ((struct remote *)backend)->path);
	return __real_bt_cache_open(backend, beside);
}
