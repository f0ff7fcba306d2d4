/* SPDX-License-Identifier: MIT */
#include "backend/object.h"
#include "backend/upload.h"
#include "base/io.h"
#include <errno.h>
#include <stdlib.h>

#define COPY_BUFFER ((size_t)1 << 20)

struct bt_object *bt_object_ref(struct bt_object *object)
{
	atomic_fetch_add(&object->references, 1);

	return object;
}

void bt_object_close(struct bt_object *object)
{
	if (object && atomic_fetch_sub(&object->references, 1) == 1)
		object->ops->close(object);
}

uint64_t bt_object_size(const struct bt_object *object)
{
	return object->size;
}

ssize_t bt_object_pread(struct bt_object *object, void *data, size_t length, uint64_t offset)
{
	return object->ops->pread(object, data, length, offset);
}

ssize_t bt_object_pread_at_once(struct bt_object *object, void *data, size_t length, uint64_t offset)
{
	return object->ops->pread_at_once(object, data, length, offset);
}

bool bt_object_keep(struct bt_object *object, bool keep)
{
	return object->ops->keep(object, keep);
}

void bt_object_release(struct bt_object *object)
{
	object->ops->release(object);
}

static int copy_to(struct bt_object *object, int fd)
{
	unsigned char *buffer = malloc(COPY_BUFFER);
	uint64_t done = 0;
	ssize_t n = buffer ? 1 : -ENOMEM;

	while (n > 0) {
		n = bt_object_pread(object, buffer, COPY_BUFFER, done);
		int r = n > 0 ? bt_write_all(fd, buffer, (size_t)n) : 0;
		done += n > 0 ? (uint64_t)n : 0;
		n = r < 0 ? r : n;
	}
	free(buffer);
	return (int)n;
}

int bt_object_copy_fd(struct bt_object *object, int *ret_fd)
{
	if (object->ops->copy_fd)
		return object->ops->copy_fd(object, ret_fd);
	int fd = bt_scratch_file(), r = fd < 0 ? fd : copy_to(object, fd);
	if (r < 0)
		bt_close(&fd);
	else
		*ret_fd = fd;
	return r;
}
