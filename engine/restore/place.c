/* SPDX-License-Identifier: MIT */
#include "restore/place.h"
#include "base/io.h"
#include "restore/boundary.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/xattr.h>
#include <unistd.h>

#define FEWEST_OPEN 16
#define MOST_OPEN   512

void bt_places_init(struct bt_places *places)
{
	struct rlimit limit;
	*places = (struct bt_places){.limit = MOST_OPEN};
	pthread_mutex_init(&places->lock, NULL);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 4 < MOST_OPEN)
		places->limit = limit.rlim_cur / 4 < FEWEST_OPEN ? FEWEST_OPEN : (unsigned)(limit.rlim_cur / 4);
}

void bt_places_free(struct bt_places *places)
{
	pthread_mutex_destroy(&places->lock);
}

static void unlist(struct bt_places *places, struct bt_place *place)
{
	if (!place->listed)
		return;
	*(place->newer ? &place->newer->older : &places->newest) = place->older;
	*(place->older ? &place->older->newer : &places->oldest) = place->newer;
	place->newer = place->older = NULL;
	place->listed = false;
}

static void list(struct bt_places *places, struct bt_place *place)
{
	place->older = places->newest;
	*(places->newest ? &places->newest->newer : &places->oldest) = place;
	places->newest = place;
	place->listed = true;
}

static void close_place(struct bt_places *places, struct bt_place *place)
{
	unlist(places, place);
	if (place->fd >= 0) {
		bt_close(&place->fd);
		places->open--;
	}
}

/* The root stays open: everything is reached from it. */
static void unpin(struct bt_places *places, struct bt_place *place)
{
	if (--place->pins || !place->parent || place->fd < 0)
		return;
	list(places, place);
	while (places->open > places->limit && places->oldest)
		close_place(places, places->oldest);
}

static void pin(struct bt_places *places, struct bt_place *place)
{
	unlist(places, place);
	place->pins++;
}

/* A restore at work in a directory shares its lock, so that no other takes its temporary files for forgotten ones.
 * Where there are no such locks nobody gets the exclusive one, either. */
static void share_lock(int fd)
{
	(void)!flock(fd, LOCK_SH | LOCK_NB);
}

struct bt_place *bt_place_new(struct bt_places *places, struct bt_place *parent, const char *name, int fd)
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
	place->fd = fd;
	place->refs = place->pins = 1;
	place->absent = fd < 0;
	place->foreign = parent && (parent->foreign || (fd >= 0 && bt_is_boundary(fd, "", parent->before.st_dev)));
	place->default_acl = fd >= 0 && fgetxattr(fd, "system.posix_acl_default", NULL, 0) > 0;
	if (fd >= 0)
		share_lock(fd);
	pthread_mutex_lock(&places->lock);
	if (parent)
		parent->refs++;
	place->parent = parent;
	if (fd >= 0)
		places->open++;
	unpin(places, place);
	pthread_mutex_unlock(&places->lock);
	return place;
}

struct bt_place *bt_place_ref(struct bt_places *places, struct bt_place *place)
{
	pthread_mutex_lock(&places->lock);
	place->refs++;
	pthread_mutex_unlock(&places->lock);
	return place;
}

void bt_place_unref(struct bt_places *places, struct bt_place *place)
{
	pthread_mutex_lock(&places->lock);
	while (place && !--place->refs) {
		struct bt_place *parent = place->parent;
		close_place(places, place);
		free(place->name);
		free(place);
		place = parent;
	}
	pthread_mutex_unlock(&places->lock);
}

/* Takes fd over if it is the directory that the place stands for. */
static int accept_fd(struct bt_places *places, struct bt_place *place, int fd)
{
	struct stat status;
	if (fd < 0)
		return fd;
	if (fstat(fd, &status) || status.st_dev != place->before.st_dev || status.st_ino != place->before.st_ino) {
		bt_close(&fd);
		return -ESTALE;
	}
	share_lock(fd);
	place->fd = fd;
	places->open++;
	return 0;
}

/* Opens a place whose parent is open and pinned, and moves the pin to it. */
static int open_below(struct bt_places *places, struct bt_place *place)
{
	int result = accept_fd(places, place, bt_open_directory(place->parent->fd, place->name));
	if (!result)
		place->pins++;
	unpin(places, place->parent);
	return result;
}

/* The way down from the nearest open directory above, which is remembered for the next that needs it. */
static int reopen(struct bt_places *places, struct bt_place *place)
{
	size_t depth = 0;
	struct bt_place *above = place, **way;
	int result = 0;
	for (; above->fd < 0; above = above->parent) {
		if (above->absent)
			return -ENOENT;
		depth++;
	}
	way = calloc(depth, sizeof(*way));
	if (!way)
		return -ENOMEM;
	pin(places, above);
	for (size_t i = depth; i-- > 0; place = place->parent)
		way[i] = place;
	for (size_t i = 0; !result && i < depth; i++)
		result = open_below(places, way[i]);
	free(way);
	return result;
}

int bt_place_get(struct bt_places *places, struct bt_place *place)
{
	int result = 0;
	pthread_mutex_lock(&places->lock);
	if (place->fd >= 0)
		pin(places, place);
	else
		result = reopen(places, place);
	int fd = result ? result : place->fd;
	pthread_mutex_unlock(&places->lock);
	return fd;
}

void bt_place_put(struct bt_places *places, struct bt_place *place)
{
	pthread_mutex_lock(&places->lock);
	unpin(places, place);
	pthread_mutex_unlock(&places->lock);
}

void bt_place_ascend(struct bt_places *places, struct bt_place *place)
{
	struct bt_place *parent = place->parent;
	pthread_mutex_lock(&places->lock);
	if (parent && parent->fd < 0 && !parent->absent &&
	    accept_fd(places, parent, bt_openat(place->fd, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)) == 0) {
		parent->pins++;
		unpin(places, parent);
	}
	pthread_mutex_unlock(&places->lock);
}

/* "/name" goes before what is there, from the end of text. */
static char *put_before(char *end, const char *name, bool slash)
{
	size_t length = strlen(name);
	if (slash)
		*--end = '/';
	end -= length;
	memcpy(end, name, length);
	return end;
}

char *bt_place_path(const struct bt_place *place, const char *name)
{
	size_t size = 1 + (name ? strlen(name) : 0);
	for (const struct bt_place *at = place; at && at->parent; at = at->parent)
		size += strlen(at->name) + 1;
	char *path = malloc(size);
	if (!path)
		return NULL;
	char *at = path + size;
	*--at = 0;
	if (name)
		at = put_before(at, name, false);
	for (; place && place->parent; place = place->parent)
		at = put_before(at, place->name, *at != 0);
	memmove(path, at, (size_t)(path + size - at));
	return path;
}
