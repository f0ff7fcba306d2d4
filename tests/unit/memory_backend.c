/* SPDX-License-Identifier: MIT */
#include "memory_backend.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/fail.h"
#include "memory_inside.h"
#include "remote_backend.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Opened on the memory, for one store. */
struct client {
	struct bt_backend backend;
	struct memory *memory;
	uint64_t seen; /* changes at the last look */
};

static struct memory *memory_of(const struct bt_backend *backend)
{
	return ((const struct client *)backend)->memory;
}

static void close_client(struct bt_backend *backend, bool undo)
{
	free(backend);
}

static struct bt_stored stored_of(const struct memory_blob *blob)
{
	return (struct bt_stored){.size = blob->bytes.length,
				  .mtime = blob->mtime,
				  .stamp = memory_stamp(blob),
				  .is_file = true,
				  .trusted = true};
}

static int look(struct bt_backend *backend, enum bt_area area, const char *name, struct bt_stored *ret_stored)
{
	struct memory *memory = memory_of(backend);
	int r = memory_begin(memory, MEMORY_LOOK);
	const struct memory_name *found = r ? NULL : memory_find(&memory->live, area, name);

	if (found)
		*ret_stored = stored_of(found->blob);
	return memory_end(memory, r || found ? r : -ENOENT);
}

static int find(struct bt_backend *backend, enum bt_area area)
{
	struct memory *memory = memory_of(backend);
	bool any = false;
	int r = memory_begin(memory, MEMORY_LOOK);

	for (size_t i = 0; i < memory->live.count; i++)
		any |= memory->live.names[i].area == area;
	return memory_end(memory, r || any ? r : -ENOENT);
}

static int reach(struct bt_backend *backend, enum bt_area area, struct bt_error *error)
{
	struct memory *memory = memory_of(backend);
	int r = memory_end(memory, memory_begin(memory, MEMORY_LOOK));

	return r ? bt_fail_sys(error, -r, NULL, "reach") : 0;
}

/* The names of a copy, so that take may call anything. */
static int list(struct bt_backend *backend, enum bt_area area, const struct bt_list_visitor *visitor,
		struct bt_error *error)
{
	struct memory *memory = memory_of(backend);
	struct memory_names listed = {0};
	int r = memory_begin(memory, MEMORY_LIST);

	if (!r)
		listed = memory_listed(memory);
	r = memory_end(memory, r);
	if (r)
		r = bt_fail_sys(error, -r, NULL, "list");
	for (size_t i = 0; i < listed.count && !r; i++) {
		const struct memory_name *name = &listed.names[i];
		struct bt_stored stored = stored_of(name->blob);

		if (name->area == area && visitor->wanted(visitor->arg, name->name))
			r = visitor->take(visitor->arg, name->name, &stored);
	}
	memory_names_free(&listed);
	return r;
}

static bool changed(struct bt_backend *backend)
{
	struct client *client = (struct client *)backend;

	pthread_mutex_lock(&client->memory->lock);
	bool other = client->seen != client->memory->changes || client->memory->plan.lag;
	client->seen = client->memory->changes;
	pthread_mutex_unlock(&client->memory->lock);
	return other;
}

static struct bt_time area_time(const struct bt_backend *backend, enum bt_area area)
{
	return memory_of(backend)->times[area];
}

/* ---- objects ---- */

struct object {
	struct bt_object object;
	struct memory *memory;
	struct memory_blob *blob;
};

static ssize_t pread_object(struct bt_object *from, void *data, size_t length, uint64_t offset)
{
	struct object *object = (struct object *)from;
	const struct bt_buf *bytes = &object->blob->bytes;
	int r = memory_begin(object->memory, MEMORY_READ);
	ssize_t got = r ? 0 : memory_pread(bytes, data, length, offset);

	r = memory_end(object->memory, r);
	return r ? r : got;
}

static void close_object(struct bt_object *from)
{
	memory_blob_unref(((struct object *)from)->blob);
	free(from);
}

static const struct bt_object_ops object_ops = {.pread = pread_object,
						.pread_at_once = pread_object,
						.keep = memory_keep,
						.release = memory_release,
						.close = close_object};

static bool is_listed(const struct memory_blob *blob, const struct bt_stored *listed)
{
	return !listed || (blob->bytes.length == listed->size && bt_time_equal(&blob->mtime, &listed->mtime));
}

/* The blob is taken over. */
static struct bt_object *object_new(struct memory *memory, struct memory_blob *blob)
{
	struct object *object = calloc(1, sizeof(*object));

	*object = (struct object){{&object_ops, 1, blob->bytes.length}, memory, blob};
	return &object->object;
}

static int open_object(struct bt_backend *backend, const struct bt_backend_name *name, const struct bt_stored *listed,
		       struct bt_object **ret_object, struct bt_error *error)
{
	struct memory *memory = memory_of(backend);
	char path[BT_BACKEND_PATH_SIZE];
	struct memory_blob *blob = NULL;
	int r = memory_begin(memory, MEMORY_OPEN);
	const struct memory_name *found = r ? NULL : memory_find(&memory->live, name->area, name->name);

	if (!r && !found)
		r = -ENOENT;
	if (!r && !is_listed(found->blob, listed))
		r = -ESTALE;
	if (!r)
		blob = memory_blob_ref(found->blob);
	r = memory_end(memory, r);
	bt_backend_path(path, name);
	if (!r) {
		*ret_object = object_new(memory, blob);
		return 0;
	}
	memory_blob_unref(blob);
	return r == -ESTALE ? bt_fail_damaged(error, BT_R_CHANGED, path, BT_NO_OFFSET)
			    : bt_fail_sys(error, -r, path, "open");
}

/* ---- uploads ---- */

struct upload {
	struct bt_upload upload;
	struct memory *memory;
	enum bt_area area;
	struct bt_buf bytes;
};

static int write_upload(struct bt_upload *to, const void *data, size_t length)
{
	struct upload *upload = (struct upload *)to;
	int r = memory_begin(upload->memory, MEMORY_WRITE);

	if (!r && bt_buf_append(&upload->bytes, data, length))
		r = -ENOMEM;
	return memory_end(upload->memory, r);
}

static ssize_t pread_upload(struct bt_upload *from, void *data, size_t length, uint64_t offset)
{
	return memory_pread(&((struct upload *)from)->bytes, data, length, offset);
}

static int publish_upload(struct bt_upload *to, const char *name, struct bt_error *error)
{
	struct upload *upload = (struct upload *)to;
	struct memory *memory = upload->memory;
	int r = memory_begin(memory, MEMORY_PUBLISH);

	if (!r && memory_find(&memory->live, upload->area, name))
		r = -EEXIST;
	if (!r) {
		struct memory_blob *blob = memory_blob_new(memory, &upload->bytes);

		memory_put(memory, upload->area, name, blob);
		memory_blob_unref(blob);
		memory_settle(memory, upload->area);
	}
	r = memory_end(memory, r);
	if (r == -EEXIST)
		return bt_fail(error, BT_E_EXISTS, name, NULL);
	return r ? bt_fail_sys(error, -r, name, "write") : 0;
}

static int replace_upload(struct bt_upload *to, const char *name, struct bt_error *error)
{
	struct upload *upload = (struct upload *)to;
	struct memory *memory = upload->memory;
	int r = memory_begin(memory, MEMORY_REPLACE);

	if (!r) {
		struct memory_blob *blob = memory_blob_new(memory, &upload->bytes);

		memory_put(memory, upload->area, name, blob);
		memory_blob_unref(blob);
	}
	r = memory_end(memory, r);
	return r ? bt_fail_sys(error, -r, name, "replace") : 0;
}

static void close_upload(struct bt_upload *to)
{
	bt_buf_free(&((struct upload *)to)->bytes);
	free(to);
}

static int spool_upload(const struct bt_upload *upload, struct bt_upload **ret_spool, struct bt_error *error);

static const struct bt_upload_ops upload_ops = {write_upload,	      pread_upload, publish_upload, spool_upload,
						memory_upload_failed, close_upload, replace_upload};

static struct bt_upload *upload_new(struct memory *memory, enum bt_area area)
{
	struct upload *upload = calloc(1, sizeof(*upload));

	*upload = (struct upload){{&upload_ops}, memory, area, {0}};
	return &upload->upload;
}

static int spool_upload(const struct bt_upload *upload, struct bt_upload **ret_spool, struct bt_error *error)
{
	*ret_spool = upload_new(((const struct upload *)upload)->memory, BT_AREA_TOP);
	return 0;
}

static int create(struct bt_backend *backend, enum bt_area area, struct bt_upload **ret_upload, struct bt_error *error)
{
	struct memory *memory = memory_of(backend);
	int r = memory_end(memory, memory_begin(memory, MEMORY_CREATE));

	if (r)
		return bt_fail_sys(error, -r, NULL, "create a temporary file");
	*ret_upload = upload_new(memory, area);
	return 0;
}

/* ---- names ---- */

static int give_name(struct bt_backend *backend, enum memory_op op, const struct bt_backend_name *from,
		     const struct bt_backend_name *to)
{
	struct memory *memory = memory_of(backend);
	int r = memory_begin(memory, op);
	const struct memory_name *found = r ? NULL : memory_find(&memory->live, from->area, from->name);

	if (!r && !found)
		r = -ENOENT;
	if (!r && op != MEMORY_REPLACE && memory_find(&memory->live, to->area, to->name))
		r = -EEXIST;
	if (!r) {
		memory_put(memory, to->area, to->name, found->blob);
		if (op != MEMORY_TWIN)
			memory_take(memory, from, to);
	}
	return memory_end(memory, r);
}

static int move(struct bt_backend *backend, const struct bt_backend_name *from, const struct bt_backend_name *to)
{
	return give_name(backend, MEMORY_MOVE, from, to);
}

static int twin(struct bt_backend *backend, const struct bt_backend_name *from, const struct bt_backend_name *to,
		struct bt_error *error)
{
	int r = give_name(backend, MEMORY_TWIN, from, to);

	if (r == -EEXIST)
		return bt_fail(error, BT_E_EXISTS, to->name, NULL);
	return r ? bt_fail_sys(error, -r, from->name, "link") : 0;
}

static int replace(struct bt_backend *backend, const struct bt_backend_name *from, const char *name,
		   struct bt_error *error)
{
	int r = give_name(backend, MEMORY_REPLACE, from, &(struct bt_backend_name){from->area, name});

	return r ? bt_fail_sys(error, -r, name, "replace") : 0;
}

static int remove_name(struct bt_backend *backend, const struct bt_backend_name *name)
{
	struct memory *memory = memory_of(backend);
	int r = memory_begin(memory, MEMORY_REMOVE);

	if (!r && !memory_find(&memory->live, name->area, name->name))
		r = -ENOENT;
	if (!r)
		memory_take(memory, name, NULL);
	return memory_end(memory, r);
}

static int settle(struct bt_backend *backend, enum bt_area area)
{
	struct memory *memory = memory_of(backend);
	int r = memory_begin(memory, MEMORY_SETTLE);

	if (!r)
		memory_settle(memory, area);
	return memory_end(memory, r);
}

/* Uploads that were left are gone by themselves. */
static void sweep(struct bt_backend *backend, bool alone)
{
	struct memory *memory = memory_of(backend);
	int r = memory_begin(memory, MEMORY_REMOVE);

	for (size_t i = memory->live.count; !r && alone && i-- > 0;) {
		const struct memory_name *name = &memory->live.names[i];

		if (!strncmp(name->name, ".tmp-", 5))
			memory_take(memory, &(struct bt_backend_name){name->area, name->name}, NULL);
	}
	memory_end(memory, r);
}

static int lock(struct bt_backend *backend, enum bt_lock_kind kind, const struct bt_lock_wait *wait, int *ret_fd,
		struct bt_error *error)
{
	struct memory *memory = memory_of(backend);
	int r = memory_end(memory, memory_begin(memory, MEMORY_LOCK));

	if (r)
		return bt_fail_sys(error, -r, "lock", "lock");
	return bt_lock_take(memory_locks, memory->path, kind, wait, ret_fd, error);
}

static int claim(struct bt_backend *backend, uint64_t number, int *ret_fd, struct bt_error *error)
{
	return bt_lock_claim(memory_locks, memory_of(backend)->path, number, ret_fd, error);
}

static int lock_again(struct bt_backend *backend, int fd, enum bt_lock_kind kind)
{
	struct memory *memory = memory_of(backend);
	int r = memory_end(memory, memory_begin(memory, MEMORY_LOCK));

	return r ? r : bt_lock_again(fd, kind);
}

static bool claimed(struct bt_backend *backend, uint64_t number, char *holder)
{
	return bt_lock_claimed(memory_locks, memory_of(backend)->path, number, holder);
}

static const struct bt_backend_ops memory_ops = {
	.close = close_client,
	.look = look,
	.find = find,
	.reach = reach,
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
};

static struct bt_backend *client_new(struct memory *memory, bool read_only)
{
	struct client *client = calloc(1, sizeof(*client));

	*client = (struct client){{&memory_ops, read_only, 1000}, memory, UINT64_MAX};
	return &client->backend;
}

int __real_bt_backend_open(const char *path, const struct bt_backend_options *options, struct bt_backend **ret_backend,
			   struct bt_error *error);
int __wrap_bt_backend_open(const char *path, const struct bt_backend_options *options, struct bt_backend **ret_backend,
			   struct bt_error *error);

int __wrap_bt_backend_open(const char *path, const struct bt_backend_options *options, struct bt_backend **ret_backend,
			   struct bt_error *error)
{
	struct memory *memory = memory_named(path);

	if (memory) {
		*ret_backend = client_new(memory, options->read_only);
		return 0;
	}
	int r = __real_bt_backend_open(path, options, ret_backend, error);
	return r || !is_remote() ? r : remote_open(path, *ret_backend, ret_backend);
}
