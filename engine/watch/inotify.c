/* SPDX-License-Identifier: MIT */
/* Events by inotify: a watch for each directory, and a tree of them that follows what is made, moved and removed. */
#include "base/io.h"
#include "base/listing.h"
#include "base/path.h"
#include "watch/private.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR_MASK                                                                                                       \
	(IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_OPEN | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE |      \
	 IN_DELETE_SELF | IN_EXCL_UNLINK | IN_ONLYDIR)

struct dir {
	struct dir *parent; /* NULL: the root, or one that was moved away and has not arrived */
	struct dir *child, *next, **at;
	int watch;  /* -1: none yet */
	bool apart; /* on another file system without being a mount: never watched, looked at each time */
	uint32_t cookie;
	size_t length;
	char *name;
};

struct state {
	struct dir *root;
	struct dir *away;	  /* moved, not arrived; linked by next and at */
	unsigned drains;	  /* since the last of them left */
	struct bt_names byid;	  /* the number of the watch; data: the directory */
	struct bt_names children; /* owner: the directory above; data: the directory */
	size_t apart;		  /* number of children that are apart */
	struct bt_buf path;
};

static const void *owner_of(int watch)
{
	return (const void *)(intptr_t)watch;
}

static struct dir *by_id(const struct state *state, int watch)
{
	const struct bt_name *name = bt_names_find(&state->byid, NULL, &watch, sizeof(watch));

	return name ? name->data : NULL;
}

static struct dir *child_of(const struct state *state, const struct dir *dir, const char *name)
{
	const struct bt_name *child = bt_names_find(&state->children, dir, name, strlen(name));

	return child ? child->data : NULL;
}

/* The tree. */

static void chain(struct dir *dir, struct dir **list)
{
	dir->next = *list;
	dir->at = list;
	if (dir->next)
		dir->next->at = &dir->next;
	*list = dir;
}

static void unchain(struct dir *dir)
{
	if (!dir->at)
		return;
	*dir->at = dir->next;
	if (dir->next)
		dir->next->at = dir->at;
	dir->at = NULL;
	dir->next = NULL;
}

static void leave_parent(struct state *state, struct dir *dir)
{
	struct bt_name *name =
		dir->parent ? bt_names_find(&state->children, dir->parent, dir->name, dir->length) : NULL;

	if (name)
		bt_names_remove(&state->children, name);
	unchain(dir);
	dir->parent = NULL;
}

static int join_parent(struct state *state, struct dir *parent, struct dir *dir)
{
	struct bt_name *name = bt_names_add(&state->children, parent, dir->name, dir->length);

	if (!name)
		return BT_E_NOMEM;
	name->data = dir;
	dir->parent = parent;
	chain(dir, &parent->child);
	return 0;
}

static void free_dir(struct dir *dir)
{
	if (dir)
		free(dir->name);
	free(dir);
}

static void unwatch(struct bt_watch *watch, struct dir *dir)
{
	struct state *state = watch->state;
	struct bt_name *name = bt_names_find(&state->byid, NULL, &dir->watch, sizeof(dir->watch));

	if (name)
		bt_names_remove(&state->byid, name);
	if (dir->watch >= 0)
		inotify_rm_watch(watch->events, dir->watch);
	dir->watch = -1;
}

static void set_apart(struct bt_watch *watch, struct dir *dir, bool apart)
{
	struct state *state = watch->state;

	state->apart += apart;
	state->apart -= dir->apart;
	dir->apart = apart;
}

static void forget(struct bt_watch *watch, struct dir *dir)
{
	unwatch(watch, dir);
	set_apart(watch, dir, false);
	leave_parent(watch->state, dir);
	free_dir(dir);
}

/* With all below it. */
static void drop(struct bt_watch *watch, struct dir *top)
{
	struct dir *dir = top, *parent;

	for (;;) {
		while (dir->child)
			dir = dir->child;
		parent = dir->parent;
		bool last = dir == top;
		forget(watch, dir);
		if (last)
			return;
		dir = parent;
	}
}

static struct dir *new_dir(const char *name)
{
	struct dir *dir = calloc(1, sizeof(*dir));

	if (!dir)
		return NULL;
	dir->watch = -1;
	dir->length = strlen(name);
	dir->name = strdup(name);
	if (dir->name)
		return dir;
	free(dir);
	return NULL;
}

/* One that has no parent. */
static int rename_dir(struct dir *dir, const char *name)
{
	char *copy = strdup(name);

	if (!copy)
		return BT_E_NOMEM;
	free(dir->name);
	dir->name = copy;
	dir->length = strlen(name);
	return 0;
}

static const void *above(const void *arg, const char **ret_name, size_t *ret_length)
{
	const struct dir *dir = arg;

	*ret_name = dir->name;
	*ret_length = dir->length;
	return dir->parent;
}

/* BT_E_NOT_FOUND: it was moved away and has not arrived. */
static int path_of(const struct state *state, const struct dir *dir, struct bt_buf *path)
{
	const struct dir *top = dir;

	while (top->parent)
		top = top->parent;
	return top == state->root ? bt_path_of(path, above, dir, NULL) : BT_E_NOT_FOUND;
}

static int path_by_id(struct bt_watch *watch, const void *directory, struct bt_buf *ret_path)
{
	const struct state *state = watch->state;
	const struct dir *dir = by_id(state, (int)(intptr_t)directory);

	return dir ? path_of(state, dir, ret_path) : BT_E_NOT_FOUND;
}

static int changed(struct bt_watch *watch, const struct dir *dir, bool all)
{
	struct state *state = watch->state;
	int r = path_of(state, dir, &state->path);

	if (!r)
		r = bt_watch_changed(watch, (char *)state->path.data, all);
	return r == BT_E_NOT_FOUND ? 0 : r;
}

/* Watching. */

/* The directory opened, -1 when it is not to be watched, or BT_E_NOMEM. */
static int open_dir(struct bt_watch *watch, struct dir *dir)
{
	struct state *state = watch->state;
	struct stat status;
	int r = path_of(state, dir, &state->path);

	if (r)
		return r == BT_E_NOMEM ? r : -1;
	const char *path = (char *)state->path.data;
	if (bt_watch_is_mount(watch->mounts, path))
		return -1;
	if (state->path.length >= PATH_MAX)
		bt_watch_doubt(watch, BT_DOUBT_LIMIT);
	int fd = bt_openat(watch->root, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM)
		bt_watch_doubt(watch, BT_DOUBT_LIMIT);
	if (fd < 0)
		return -1;
	bool wanted = fstat(fd, &status) == 0 && (status.st_ino != watch->skip_ino || status.st_dev != watch->skip_dev);

	if (wanted && status.st_dev == watch->dev)
		return fd;
	set_apart(watch, dir, wanted);
	close(fd);
	return -1;
}

static bool is_directory(int dirfd, const char *name, unsigned char type)
{
	struct stat status;

	if (type != DT_UNKNOWN)
		return type == DT_DIR;
	return fstatat(dirfd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

/* A list that cannot be read whole is a doubt: a directory that is not in it would count as unchanged. One that was
 * removed meanwhile has no list. */
static int add_children(struct bt_watch *watch, struct dir *dir, int fd)
{
	struct state *state = watch->state;
	struct bt_listing listing;
	const char *name;
	int r = 0;

	bt_listing_take(&listing, fd);
	for (name = bt_listing_next(&listing); !r && name; name = bt_listing_next(&listing)) {
		if (!is_directory(fd, name, listing.type) || child_of(state, dir, name))
			continue;
		struct dir *child = new_dir(name);
		r = child ? join_parent(state, dir, child) : BT_E_NOMEM;
		if (r)
			free_dir(child);
	}
	int listed = bt_listing_end(&listing);
	if (listed == -ENOMEM && !r)
		return BT_E_NOMEM;
	if (listed != 0 && listed != -ENOENT)
		bt_watch_doubt(watch, listed == -EOVERFLOW ? BT_DOUBT_LIMIT : BT_DOUBT_LOST);
	return r;
}

static bool is_above(const struct dir *above, const struct dir *dir)
{
	while (dir && dir != above)
		dir = dir->parent;
	return dir;
}

/* Makes dir what the watch stands for. It may have been known elsewhere: events of its move are on their way. */
static int attach(struct bt_watch *watch, struct dir *dir, int id)
{
	struct state *state = watch->state;
	struct bt_name *name;
	struct dir *before;

	if (dir->watch >= 0 && dir->watch != id)
		unwatch(watch, dir);
	name = bt_names_add(&state->byid, NULL, &id, sizeof(id));
	if (!name)
		return BT_E_NOMEM;
	before = name->data;
	/* moved below itself, as it is known here: dir would go with it */
	if (before != dir && is_above(before, dir)) {
		bt_watch_doubt(watch, BT_DOUBT_LOST);
		return 0;
	}
	name->data = dir;
	dir->watch = id;
	if (!before || before == dir)
		return 0;
	before->watch = -1;
	while (before->child)
		drop(watch, before->child);
	forget(watch, before);
	return 0;
}

/* The watch comes before the listing: what is made between is in one of them. ret_watched: false: not to be watched. */
static int watch_one(struct bt_watch *watch, struct dir *dir, bool *ret_watched)
{
	char link[32];

	set_apart(watch, dir, false);
	int fd = open_dir(watch, dir);

	*ret_watched = fd >= 0;
	if (fd < 0)
		return fd == BT_E_NOMEM ? fd : 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	int id = inotify_add_watch(watch->events, link, DIR_MASK);
	if (id < 0) {
		bt_watch_doubt(watch, errno == ENOSPC || errno == ENOMEM ? BT_DOUBT_LIMIT : BT_DOUBT_LOST);
		close(fd);
		return 0;
	}
	int r = attach(watch, dir, id);
	if (!r)
		return add_children(watch, dir, fd);
	close(fd);
	return r;
}

/* Depth first. */
static struct dir *next_dir(struct dir *dir, const struct dir *top, bool below)
{
	if (below && dir->child)
		return dir->child;
	while (dir != top && !dir->next)
		dir = dir->parent;
	return dir == top ? NULL : dir->next;
}

/* A subvolume of btrfs stays known, so that it can be looked at: there may be hundreds, each a copy of everything. */
static void leave(struct bt_watch *watch, struct dir *dir)
{
	if (!dir->apart) {
		drop(watch, dir);
		return;
	}
	unwatch(watch, dir);
	while (dir->child)
		drop(watch, dir->child);
}

/* Watches top and all below it. */
static int watch_all(struct bt_watch *watch, struct dir *top)
{
	const struct state *state = watch->state;
	struct dir *dir = top;
	int r = 0;

	while (dir && !r && watch->doubt == BT_DOUBT_NONE) {
		struct dir *this = dir;
		bool watched;

		r = watch_one(watch, dir, &watched);
		if (r)
			break;
		dir = next_dir(dir, top, watched);
		if (!watched && this == state->root)
			bt_watch_doubt(watch, BT_DOUBT_LOST);
		else if (!watched)
			leave(watch, this);
	}
	return r;
}

/* Events. */

static struct dir *arriving(const struct state *state, uint32_t cookie)
{
	struct dir *dir = state->away;

	while (dir && dir->cookie != cookie)
		dir = dir->next;
	return cookie != 0 ? dir : NULL;
}

/* A directory has come to be here. */
static int arrive(struct bt_watch *watch, struct dir *parent, const struct inotify_event *event)
{
	struct state *state = watch->state;
	struct dir *dir = arriving(state, event->cookie), *there = child_of(state, parent, event->name);

	int r = 0;

	if (dir && there)
		drop(watch, there);
	if (dir) {
		unchain(dir);
		r = rename_dir(dir, event->name);
	} else {
		dir = there ? there : new_dir(event->name);
	}
	if (dir && !dir->parent && !r)
		r = join_parent(state, parent, dir);
	if (!dir || r) {
		free_dir(dir);
		return BT_E_NOMEM;
	}
	r = changed(watch, dir, true);
	return r ? r : watch_all(watch, dir);
}

/* An unreadable directory may have become readable. */
static int touched(struct bt_watch *watch, struct dir *parent, const struct inotify_event *event)
{
	return child_of(watch->state, parent, event->name) ? 0 : arrive(watch, parent, event);
}

static void depart(struct bt_watch *watch, struct dir *parent, const struct inotify_event *event)
{
	struct state *state = watch->state;
	struct dir *dir = child_of(state, parent, event->name);

	if (!dir)
		return;
	if (event->mask & IN_DELETE) {
		drop(watch, dir);
		return;
	}
	leave_parent(state, dir);
	dir->cookie = event->cookie;
	chain(dir, &state->away);
	state->drains = 0;
}

static int directory_event(struct bt_watch *watch, struct dir *dir, const struct inotify_event *event)
{
	if (event->mask & (IN_CREATE | IN_MOVED_TO))
		return arrive(watch, dir, event);
	if (event->mask & (IN_DELETE | IN_MOVED_FROM))
		depart(watch, dir, event);
	else if (event->mask & IN_ATTRIB)
		return touched(watch, dir, event);
	return 0;
}

static int take_event(struct bt_watch *watch, const struct inotify_event *event)
{
	struct state *state = watch->state;
	bool named = event->len > 0, directory = event->mask & IN_ISDIR;
	int r = 0;

	if (event->mask & IN_Q_OVERFLOW)
		bt_watch_doubt(watch, BT_DOUBT_OVERFLOW);
	struct dir *dir = by_id(state, event->wd);
	if (!dir)
		return 0;
	if (event->mask & IN_UNMOUNT || (dir == state->root && event->mask & (IN_IGNORED | IN_DELETE_SELF)))
		bt_watch_doubt(watch, BT_DOUBT_LOST);
	else if (event->mask & IN_IGNORED)
		drop(watch, dir);
	if (event->mask & (IN_IGNORED | IN_UNMOUNT))
		return 0;
	if (named && !directory && event->mask & (IN_OPEN | IN_MODIFY | IN_MOVED_TO))
		r = bt_watch_opened(watch, owner_of(event->wd), event->name);
	if (!r && event->mask & ~(uint32_t)(IN_OPEN | IN_ISDIR))
		r = changed(watch, dir, false);
	return !r && named && directory ? directory_event(watch, dir, event) : r;
}

/* Those that did not arrive within two drains are not below the target any more: both events of a move are made
 * together. */
static void give_up_away(struct bt_watch *watch)
{
	struct state *state = watch->state;

	if (!state->away || state->drains++ == 0)
		return;
	while (state->away)
		drop(watch, state->away);
}

static int drain(struct bt_watch *watch)
{
	size_t queued = bt_watch_queued(watch);
	int r = 0;

	while (!r && queued > 0 && bt_watch_goes_on(watch)) {
		ssize_t size = read(watch->events, watch->records, BT_WATCH_RECORDS);

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0 && errno == EAGAIN)
			break;
		if (size <= 0) {
			bt_watch_doubt(watch, BT_DOUBT_LOST);
			break;
		}
		queued -= queued < (size_t)size ? queued : (size_t)size;
		for (ssize_t at = 0; at < size && !r;) {
			const struct inotify_event *event = (const void *)(watch->records + at);

			r = take_event(watch, event);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	}
	if (!r)
		give_up_away(watch);
	return r;
}

static int add_apart(struct bt_watch *watch, struct bt_changes *changes)
{
	struct state *state = watch->state;
	size_t at = 0;
	const struct bt_name *name = state->apart > 0 ? bt_names_next(&state->children, &at) : NULL;
	int r = 0;

	for (; name && !r; name = bt_names_next(&state->children, &at)) {
		const struct dir *dir = name->data;

		if (!dir || !dir->apart)
			continue;
		r = path_of(state, dir, &state->path);
		if (!r)
			r = bt_changes_add(changes, (char *)state->path.data, true);
		else if (r == BT_E_NOT_FOUND)
			r = 0;
	}
	return r;
}

static int open_source(struct bt_watch *watch)
{
	struct state *state = calloc(1, sizeof(*state));

	watch->state = state;
	watch->events = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->events < 0)
		return BT_E_UNSUPPORTED;
	if (state)
		state->root = new_dir("");
	if (!state || !state->root)
		return BT_E_NOMEM;
	return watch_all(watch, state->root);
}

static void close_source(struct bt_watch *watch)
{
	struct state *state = watch->state;
	const struct bt_name *name;
	size_t at = 0;

	if (!state)
		return;
	bt_close(&watch->events); /* and all watches with it */
	for (name = bt_names_next(&state->children, &at); name; name = bt_names_next(&state->children, &at))
		free_dir(name->data);
	while (state->away) {
		struct dir *dir = state->away;

		unchain(dir);
		free_dir(dir);
	}
	free_dir(state->root);
	bt_names_clear(&state->byid);
	bt_names_clear(&state->children);
	bt_buf_free(&state->path);
	free(state);
	watch->state = NULL;
}

const struct bt_watch_source bt_watch_inotify = {
	.kind = BT_WATCH_INOTIFY,
	.open = open_source,
	.drain = drain,
	.add_always = add_apart,
	.path = path_by_id,
	.close = close_source,
};
