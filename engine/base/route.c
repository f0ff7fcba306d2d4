/* SPDX-License-Identifier: MIT */
#include "base/route.h"

#include "base/fail.h"
#include "base/io.h"
#include "base/made.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as in the kernel */

static bool is_end(const char *path)
{
	return !path[strspn(path, "/")];
}

/* Both as one path; allocated. */
static char *join(const char *directory, const char *name)
{
	size_t length = strlen(directory);
	bool slash = length && directory[length - 1] != '/';
	char *path;

	return asprintf(&path, "%s%s%s", directory, slash ? "/" : "", name) < 0 ? NULL : path;
}

static int flags_for(const struct bt_route *route, bool last)
{
	return O_DIRECTORY | (last && !route->look ? O_RDONLY : O_PATH);
}

/* At a directory; done is taken over. */
static int arrive(struct bt_route *route, int fd, char *done)
{
	if (fd < 0 || !done) {
		free(done);
		bt_close(&fd);
		return fd < 0 ? fd : -ENOMEM;
	}
	bt_close(&route->fd);
	free(route->done);
	route->fd = fd;
	route->done = done;
	return 0;
}

static int start(struct bt_route *route, const char *from)
{
	int fd = bt_openat(AT_FDCWD, from, flags_for(route, is_end(route->next)), 0);

	return fd < 0 ? fd : arrive(route, fd, strdup(*from == '/' ? from : ""));
}

/* What the link says stands before what was to come. */
static int insert(struct bt_route *route, const char *target, const char *rest)
{
	char *left;

	if (asprintf(&left, "%s/%s", target, rest) < 0)
		return -ENOMEM;
	if (strlen(rest) < route->typed)
		route->typed = strlen(rest);
	free(route->left);
	route->next = route->left = left;
	return *target == '/' ? start(route, "/") : 0;
}

static bool is_own(const struct bt_route *route, uid_t owner)
{
	return owner == 0 || owner == geteuid() || owner == route->also;
}

/* Whether the link may be followed; the first that may not is remembered. 0 or -errno. */
static int check(struct bt_route *route, const char *name, const char *target, uid_t owner)
{
	bool foreign = !is_own(route, owner);

	if (foreign && !route->foreign.link) {
		route->foreign.owner = owner;
		route->foreign.link = join(route->done, name);
		route->foreign.place = strdup(target);
		if (!route->foreign.link || !route->foreign.place)
			return -ENOMEM;
	}
	if (foreign && !route->look)
		return -EPERM;
	return ++route->links > LINKS_MAX ? -ELOOP : 0;
}

/* Links of /proc lead to what is open, or is the root of a process, whatever they say; only the kernel follows them. */
static bool is_of_kernel(int link)
{
	struct statfs status;

	return fstatfs(link, &status) == 0 && status.f_type == PROC_SUPER_MAGIC;
}

/* Goes by the link that is open. */
static int follow(struct bt_route *route, int link, const char *name, const char *rest)
{
	char target[PATH_MAX];
	struct stat status;
	ssize_t length;
	int r;

	if (fstat(link, &status))
		return -errno;
	if (!S_ISLNK(status.st_mode))
		return -ENOTDIR;
	length = readlinkat(link, "", target, sizeof(target) - 1);
	if (length < 0)
		return -errno;
	target[length] = '\0';
	r = check(route, name, target, status.st_uid);
	if (r)
		return r;
	if (!is_of_kernel(link))
		return insert(route, target, rest);
	route->next = rest;
	return arrive(route, bt_openat(route->fd, name, flags_for(route, is_end(rest)), 0), join(route->done, name));
}

/* The directory of that name, made if it is missing and is to be. fd or -errno. */
static int open_component(const struct bt_route *route, const char *name, bool last)
{
	int flags = flags_for(route, last), fd = -ENOENT, made;

	if (!route->make || !last)
		fd = bt_openat(route->fd, name, flags | (route->follow_all ? 0 : O_NOFOLLOW), 0);
	if (fd != -ENOENT || !route->make)
		return fd;
	if (strlen(route->next) > route->typed)
		return -EEXIST; /* the link that leads to nothing */
	made = bt_make_directory(route->fd, name, last ? 0700 : 0777, false);
	return made ? made : bt_openat(route->fd, name, flags | O_NOFOLLOW, 0);
}

static int step(struct bt_route *route, const char *name, const char *rest)
{
	int link, r, fd = open_component(route, name, is_end(rest));

	if (fd >= 0) {
		route->next = rest;
		return arrive(route, fd, join(route->done, name));
	}
	if (fd != -ENOTDIR || route->follow_all)
		return fd;
	link = bt_openat(route->fd, name, O_PATH | O_NOFOLLOW, 0);
	if (link < 0)
		return link;
	r = follow(route, link, name, rest);
	bt_close(&link);
	return r;
}

/* 0 or -errno: then next begins with what could not be entered. */
static int walk(struct bt_route *route)
{
	int r = 0;

	for (route->next += strspn(route->next, "/"); !r && *route->next; route->next += strspn(route->next, "/")) {
		size_t length = strcspn(route->next, "/");
		char *name = strndup(route->next, length);

		r = name ? step(route, name, route->next + length) : -ENOMEM;
		free(name);
	}
	return r;
}

/* 0 or -errno; -ENOENT with a descriptor: only so far. */
static int begin_route(struct bt_route *route)
{
	int r;

	route->fd = -1;
	route->next = route->left = strdup(route->path);
	route->typed = strlen(route->path);
	if (!route->left)
		return -ENOMEM;
	if (!*route->path)
		return -ENOENT;
	r = start(route, *route->path == '/' ? "/" : ".");
	return r ? r : walk(route);
}

static int fail(const struct bt_route *route, int sys, const char *what, struct bt_error *error)
{
	const struct bt_foreign_link *foreign = &route->foreign;
	char text[sizeof(error->detail)];

	if (sys != EPERM || !foreign->link)
		return bt_fail_sys(error, sys, route->path, what);
	snprintf(text, sizeof(text), "it belongs to user %u and leads to %s", foreign->owner, foreign->place);
	return bt_fail(error, BT_E_FOREIGN, foreign->link, text);
}

int bt_route_begin(struct bt_route *route, const char *path, bool follow_all, struct bt_error *error)
{
	int r;

	*route = (struct bt_route){.path = path, .follow_all = follow_all};
	r = begin_route(route);
	return !r || (r == -ENOENT && route->fd >= 0) ? 0 : fail(route, -r, "open", error);
}

int bt_route_make(struct bt_route *route, struct bt_error *error)
{
	int r;

	route->make = true;
	r = walk(route);
	return r ? fail(route, -r, "make the directory", error) : 0;
}

int bt_route_take(struct bt_route *route)
{
	int fd = route->fd;

	route->fd = -1;
	return fd;
}

void bt_route_end(struct bt_route *route)
{
	bt_close(&route->fd);
	free(route->done);
	free(route->left);
	bt_foreign_link_free(&route->foreign);
}

/* As far as the way is known without links, and then as it is written. */
static char *place_of(const struct bt_route *route)
{
	const char *done = route->done && *route->done ? route->done : ".";
	char *real = realpath(done, NULL), *place = join(real ? real : done, route->next);

	for (size_t length = place ? strlen(place) : 0; length > 1 && place[length - 1] == '/'; length--)
		place[length - 1] = '\0';
	free(real);
	return place;
}

int bt_foreign_link_find(const char *path, unsigned also, struct bt_foreign_link *ret_link)
{
	struct bt_route route = {.path = path, .look = true, .also = also};
	int r = begin_route(&route);

	if (route.foreign.link) {
		char *place = place_of(&route);

		free(route.foreign.place);
		route.foreign.place = place;
		r = place ? 1 : -ENOMEM;
	}
	if (r == 1) {
		*ret_link = route.foreign;
		route.foreign = (struct bt_foreign_link){0};
	}
	bt_route_end(&route);
	return r == 1 ? 1 : r == -ENOMEM ? BT_E_NOMEM : 0;
}

void bt_foreign_link_free(struct bt_foreign_link *link)
{
	free(link->link);
	free(link->place);
	*link = (struct bt_foreign_link){0};
}
