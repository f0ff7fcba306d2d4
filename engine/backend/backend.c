/* SPDX-License-Identifier: MIT */
#include "backend/backend.h"
#include "backend/ops.h"
#include "base/fail.h"
#include "base/publish.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define LOCK_NAME "lock"

int bt_backend_open(const char *path, const struct bt_backend_options *options, struct bt_backend **ret_backend,
		    struct bt_error *error)
{
	return bt_directory_open(path, options, ret_backend, error);
}

void bt_backend_close(struct bt_backend *backend, bool undo)
{
	if (backend)
		backend->ops->close(backend, undo);
}

bool bt_backend_read_only(const struct bt_backend *backend)
{
	return backend->read_only;
}

unsigned bt_backend_open_limit(const struct bt_backend *backend)
{
	return backend->open_limit;
}

int bt_backend_missing(const char *path, int sys, struct bt_error *error)
{
	bool first = error && !error->code;
	int r = bt_fail(error, BT_E_NO_STORE, path, NULL);

	if (first)
		error->sys = sys;
	return r;
}

void bt_backend_path(char path[BT_BACKEND_PATH_SIZE], const struct bt_backend_name *name)
{
	static const char *const prefixes[] = {[BT_AREA_TOP] = "",
					       [BT_AREA_CONTENTS] = BT_CONTENTS_DIR "/",
					       [BT_AREA_DAMAGED] = BT_DAMAGED_DIR "/",
					       [BT_AREA_STATE] = BT_STATE_DIR "/"};

	snprintf(path, BT_BACKEND_PATH_SIZE, "%s%s", prefixes[name->area], name->name);
}

bool bt_backend_marked(struct bt_backend *backend)
{
	struct bt_stored stored;

	return (!bt_backend_look(backend, BT_AREA_TOP, LOCK_NAME, &stored) && stored.is_file) ||
	       !bt_backend_find(backend, BT_AREA_CONTENTS);
}

bool bt_stamp_same(const struct bt_stamp *a, const struct bt_stamp *b)
{
	return !memcmp(a->identity, b->identity, sizeof(a->identity));
}

static bool tells(const struct bt_stamp *stamp)
{
	static const struct bt_stamp none;

	return !bt_stamp_same(stamp, &none);
}

bool bt_stamp_untouched(const struct bt_stamp *a, const struct bt_stamp *b)
{
	return !memcmp(a, b, sizeof(*a));
}

int bt_backend_look(struct bt_backend *backend, enum bt_area area, const char *name, struct bt_stored *ret_stored)
{
	return backend->ops->look(backend, area, name, ret_stored);
}

int bt_backend_find(struct bt_backend *backend, enum bt_area area)
{
	return backend->ops->find(backend, area);
}

int bt_backend_reach(struct bt_backend *backend, enum bt_area area, struct bt_error *error)
{
	return backend->ops->reach(backend, area, error);
}

int bt_backend_list(struct bt_backend *backend, enum bt_area area, const struct bt_list_visitor *visitor,
		    struct bt_error *error)
{
	return backend->ops->list(backend, area, visitor, error);
}

bool bt_backend_changed(struct bt_backend *backend)
{
	return backend->ops->changed(backend);
}

struct bt_time bt_backend_area_time(const struct bt_backend *backend, enum bt_area area)
{
	return backend->ops->area_time(backend, area);
}

int bt_object_open(struct bt_backend *backend, const struct bt_backend_name *name, const struct bt_stored *listed,
		   struct bt_object **ret_object, struct bt_error *error)
{
	return backend->ops->open(backend, name, listed, ret_object, error);
}

int bt_backend_create(struct bt_backend *backend, enum bt_area area, struct bt_upload **ret_upload,
		      struct bt_error *error)
{
	return backend->ops->create(backend, area, ret_upload, error);
}

int bt_backend_move(struct bt_backend *backend, const struct bt_backend_name *from, const struct bt_backend_name *to)
{
	return backend->ops->move(backend, from, to);
}

int bt_backend_twin(struct bt_backend *backend, const struct bt_backend_name *from, const struct bt_backend_name *to,
		    struct bt_error *error)
{
	return backend->ops->twin(backend, from, to, error);
}

bool bt_backend_is_twin(struct bt_backend *backend, const struct bt_backend_name *one,
			const struct bt_backend_name *two)
{
	struct bt_stored first, second;

	return !bt_backend_look(backend, one->area, one->name, &first) &&
	       !bt_backend_look(backend, two->area, two->name, &second) && tells(&first.stamp) &&
	       bt_stamp_same(&first.stamp, &second.stamp);
}

int bt_backend_replace(struct bt_backend *backend, const struct bt_backend_name *from, const char *name,
		       struct bt_error *error)
{
	return backend->ops->replace(backend, from, name, error);
}

int bt_backend_provisional(char name[32], struct bt_error *error)
{
	return bt_publish_temp_name(name, error);
}

int bt_backend_remove(struct bt_backend *backend, const struct bt_backend_name *name)
{
	return backend->ops->remove(backend, name);
}

int bt_backend_settle(struct bt_backend *backend, enum bt_area area)
{
	return backend->ops->settle(backend, area);
}

void bt_backend_sweep(struct bt_backend *backend, bool alone)
{
	backend->ops->sweep(backend, alone);
}

int bt_backend_lock(struct bt_backend *backend, enum bt_lock_kind kind, const struct bt_lock_wait *wait, int *ret_fd,
		    struct bt_error *error)
{
	return backend->ops->lock(backend, kind, wait, ret_fd, error);
}

int bt_backend_claim(struct bt_backend *backend, uint64_t number, int *ret_fd, struct bt_error *error)
{
	return backend->ops->claim(backend, number, ret_fd, error);
}

int bt_backend_lock_again(struct bt_backend *backend, int fd, enum bt_lock_kind kind)
{
	return backend->ops->lock_again(backend, fd, kind);
}

bool bt_backend_claimed(struct bt_backend *backend, uint64_t number, char *holder)
{
	return backend->ops->claimed(backend, number, holder);
}

void bt_backend_room(struct bt_backend *backend, uint64_t *ret_free, uint64_t *ret_total)
{
	int fd = bt_backend_local_fd(backend, BT_AREA_TOP);
	struct statvfs fs;
	bool known = fd >= 0 && !fstatvfs(fd, &fs);

	*ret_free = known ? (uint64_t)fs.f_bavail * fs.f_frsize : 0;
	*ret_total = known ? (uint64_t)fs.f_blocks * fs.f_frsize : 0;
}

bool bt_backend_locks_reach(struct bt_backend *backend, char type[64])
{
	int fd = bt_backend_local_fd(backend, BT_AREA_TOP);

	return fd < 0 || bt_locks_reach(fd, type);
}

int bt_backend_local_fd(struct bt_backend *backend, enum bt_area area)
{
	return backend->ops->local_fd ? backend->ops->local_fd(backend, area) : -1;
}

void bt_backend_inode(struct bt_backend *backend, dev_t *ret_dev, ino_t *ret_ino)
{
	struct stat status = {0};
	int fd = bt_backend_local_fd(backend, BT_AREA_TOP);
	bool there = fd >= 0 && !fstat(fd, &status);

	*ret_dev = there ? status.st_dev : 0;
	*ret_ino = there ? status.st_ino : 0;
}
