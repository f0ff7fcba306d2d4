/* SPDX-License-Identifier: MIT */
#include "restore/place.h"
#include "base/io.h"
#include "base/path.h"
#include "restore/boundary.h"
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MOST_OPEN 512

/* A restore shares the lock of each directory that it works in, so that no other one takes its temporary files for left
 * over. Where locks are not supported nobody gets the exclusive one, either. */
static void share_lock(int fd)
{
	(void)!flock(fd, LOCK_SH | LOCK_NB);
}

/* Opens the place's directory under any of its names: fd, or -errno. */
static int accept_fd(const struct bt_place *place, int fd)
{
	struct stat status;

	if (fd < 0)
		return fd;
	if (fstat(fd, &status) || status.st_dev != place->before.st_dev || status.st_ino != place->before.st_ino) {
		bt_close(&fd);
		return -ESTALE;
	}
	share_lock(fd);
	return fd;
}

static int descend(struct bt_ways *ways, int parent, struct bt_way *child)
{
	const struct bt_place *place = (const struct bt_place *)((char *)child - offsetof(struct bt_place, way));

	return accept_fd(place, bt_open_directory(parent, place->name));
}

void bt_places_init(struct bt_ways *places)
{
	bt_ways_init(places, MOST_OPEN, descend);
}

struct bt_place *bt_place_new(struct bt_ways *places, struct bt_place *parent, const char *name, int fd)
{
	struct bt_place *place = calloc(1, sizeof(*place));
	char *copy = strdup(name);

	if (!place || !copy || (fd >= 0 && fstat(fd, &place->before))) {
		bt_close(&fd);
		free(place);
		free(copy);
		return NULL;
	}
	place->name = copy;
	place->refs = 1;
	place->absent = fd < 0;
	place->foreign = parent && (parent->foreign || (fd >= 0 && bt_is_boundary(fd, "", parent->before.st_dev)));
	place->default_acl = fd >= 0 && fgetxattr(fd, "system.posix_acl_default", NULL, 0) > 0;
	place->parent = parent ? bt_place_ref(parent) : NULL;
	bt_way_init(&place->way, parent ? &parent->way : NULL);
	if (fd >= 0) {
		share_lock(fd);
		bt_ways_set(places, &place->way, fd);
		bt_ways_put(places, &place->way);
	}
	return place;
}

struct bt_place *bt_place_ref(struct bt_place *place)
{
	atomic_fetch_add(&place->refs, 1);

	return place;
}

void bt_place_unref(struct bt_ways *places, struct bt_place *place)
{
	while (place && atomic_fetch_sub(&place->refs, 1) == 1) {
		struct bt_place *parent = place->parent;

		bt_ways_close(places, &place->way);
		free(place->name);
		free(place);
		place = parent;
	}
}

int bt_place_get(struct bt_ways *places, struct bt_place *place)
{
	return place->absent ? -ENOENT : bt_ways_get(places, &place->way);
}

void bt_place_put(struct bt_ways *places, struct bt_place *place)
{
	bt_ways_put(places, &place->way);
}

void bt_place_ascend(struct bt_ways *places, struct bt_place *place)
{
	struct bt_place *parent = place->parent;

	if (!parent || parent->absent || bt_ways_is_open(places, &parent->way))
		return;
	int fd = accept_fd(parent, bt_openat(place->way.fd, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0));
	if (fd < 0)
		return;
	bt_ways_set(places, &parent->way, fd);
	bt_ways_put(places, &parent->way);
}

static const void *up(const void *arg, const char **ret_name, size_t *ret_length)
{
	const struct bt_place *place = arg;

	if (!place || !place->parent)
		return NULL;
	*ret_name = place->name;
	*ret_length = strlen(place->name);
	return place->parent;
}

char *bt_place_path(const struct bt_place *place, const char *name)
{
	return bt_path_new(up, place, name);
}
