/* SPDX-License-Identifier: MIT */
#include "scan/scan.h"
#include "base/fail.h"
#include "base/io.h"
#include "base/path.h"
#include "base/voice.h"
#include "scan/private.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How much is listed ahead of the reader, so that memory does not grow with the tree. */
#define AHEAD_MAX ((size_t)8 << 20)

#define HELPERS_MAX 64

/* --- the line; all under the lock --- */

static struct bt_scan_private *first_pending(const struct bt_scan *scan)
{
	struct bt_scan_private *node = scan->first;

	while (node && node->state != BT_SCAN_PENDING)
		node = node->next;
	return node;
}

/* Puts the chain first … last, which may be empty, in the place of node. */
static void line_replace(struct bt_scan *scan, struct bt_scan_private *node, struct bt_scan_private *first,
			 struct bt_scan_private *last)
{
	if (!first) {
		first = node->next;
		last = node->prev;
	} else {
		first->prev = node->prev;
		last->next = node->next;
	}
	*(node->prev ? &node->prev->next : &scan->first) = first;
	*(node->next ? &node->next->prev : &scan->last) = last;
	node->next = node->prev = NULL;
}

/* The reader wants it after all, so it comes first. */
static void line_begin(struct bt_scan *scan, struct bt_scan_private *node)
{
	node->state = BT_SCAN_PENDING;
	node->next = scan->first;
	*(scan->first ? &scan->first->prev : &scan->last) = node;
	scan->first = node;
}

static void wake_helpers(struct bt_scan *scan)
{
	if (scan->idle > 0)
		pthread_cond_broadcast(&scan->work);
}

static void leave_ahead(struct bt_scan *scan, struct bt_scan_private *node)
{
	scan->ahead -= node->weight;
	if (scan->full && scan->ahead < AHEAD_MAX / 2) {
		scan->full = false;
		wake_helpers(scan);
	}
}

/* Lists a pending node. The lock is let go meanwhile. */
static void list_pending(struct bt_scan *scan, struct bt_scan_private *node, struct bt_scan_scratch *scratch)
{
	node->state = BT_SCAN_BEGUN;
	pthread_mutex_unlock(&scan->lock);
	bt_scan_read(scan, node, scratch);
	pthread_mutex_lock(&scan->lock);
	node->state = BT_SCAN_LISTED;
	line_replace(scan, node, node->first, node->last);
	if (node->first)
		wake_helpers(scan);
	scan->ahead += node->weight;
	scan->full = scan->full || scan->ahead >= AHEAD_MAX;
}

static void *help(void *arg)
{
	struct bt_scan *scan = arg;
	struct bt_scan_scratch scratch = {0};

	pthread_mutex_lock(&scan->lock);
	while (!scan->stopping) {
		struct bt_scan_private *node = scan->full ? NULL : first_pending(scan);

		if (!node) {
			scan->idle++;
			pthread_cond_wait(&scan->work, &scan->lock);
			scan->idle--;
			continue;
		}
		list_pending(scan, node, &scratch);
		pthread_cond_signal(&scan->listed);
	}
	pthread_mutex_unlock(&scan->lock);
	bt_scan_scratch_free(&scratch);
	return NULL;
}

/* A helper that cannot be started is done without. Signals are for the program's own threads. */
static void start_helpers(struct bt_scan *scan)
{
	unsigned count = scan->options.threads < HELPERS_MAX ? scan->options.threads : HELPERS_MAX;
	sigset_t all, before;

	if (count == 0)
		return;
	scan->helpers = calloc(count, sizeof(*scan->helpers));
	if (!scan->helpers)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (scan->helper_count < count && pthread_create(&scan->helpers[scan->helper_count], NULL, help, scan) == 0)
		scan->helper_count++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void stop_helpers(struct bt_scan *scan)
{
	pthread_mutex_lock(&scan->lock);
	scan->stopping = true;
	pthread_cond_broadcast(&scan->work);
	pthread_mutex_unlock(&scan->lock);
	for (unsigned i = 0; i < scan->helper_count; i++)
		pthread_join(scan->helpers[i], NULL);
	free(scan->helpers);
}

/* --- opening and closing --- */

static int open_target(const char *target)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NONBLOCK;
	int fd = bt_openat(AT_FDCWD, target, flags | O_NOATIME, 0);

	return fd == -EPERM ? bt_openat(AT_FDCWD, target, flags, 0) : fd;
}

static int init_root(struct bt_scan *scan, const char *target, struct bt_error *error)
{
	struct bt_scan_private *root = scan->root;
	struct statx stat;
	int fd = open_target(target);

	if (fd < 0)
		return bt_fail_sys(error, -fd, target, "open");
	if (statx(fd, "", AT_EMPTY_PATH, scan->statx_mask, &stat) < 0) {
		int r = bt_fail_sys(error, errno, target, "read the attributes");

		close(fd);
		return r;
	}
	root->dir.self.name = "";
	bt_scan_fill(scan, &root->dir.self, &stat);
	root->dir.private = root;
	bt_way_init(&root->way, NULL);
	bt_ways_set(&scan->fds, &root->way, fd);
	scan->root_dev = root->dir.self.dev;
	root->dir.change = scan->options.changes ? scan->options.changes->root : NULL;
	root->state = BT_SCAN_PENDING;
	scan->first = scan->last = root;
	return 0;
}

static void init_exclusion(struct bt_scan *scan)
{
	static const struct bt_exclusion nothing;

	if (!scan->options.exclusion)
		scan->options.exclusion = &nothing;
	scan->root->within = bt_within_of(scan->options.exclusion, scan->options.prefix);
}

int bt_scan_open(const char *target, const struct bt_scan_options *options, struct bt_scan **ret_scan,
		 struct bt_error *error)
{
	struct bt_scan *scan = calloc(1, sizeof(*scan));
	int r;

	if (scan)
		scan->root = calloc(1, sizeof(*scan->root));
	if (!scan || !scan->root) {
		free(scan);
		return bt_fail(error, BT_E_NOMEM, target, "open");
	}
	scan->options = *options;
	init_exclusion(scan);
	scan->owner = geteuid();
	scan->privileged = scan->owner == 0;
	/* A scan that stays on one file system must not cause automounts. */
	scan->statx_flags = AT_SYMLINK_NOFOLLOW | (options->one_file_system ? AT_NO_AUTOMOUNT : 0);
	scan->statx_mask = STATX_BASIC_STATS | (options->birth_times ? STATX_BTIME : 0);
	bt_scan_fds_init(scan);
	pthread_mutex_init(&scan->lock, NULL);
	pthread_mutex_init(&scan->again_lock, NULL);
	pthread_cond_init(&scan->work, NULL);
	pthread_cond_init(&scan->listed, NULL);
	r = bt_scan_mounts_init(&scan->mounts);
	scan->asks_first = options->one_file_system || scan->mounts.own;
	if (!r)
		r = init_root(scan, target, error);
	if (r) {
		scan->root->gone = true;
		bt_scan_close(scan);
		return r;
	}
	start_helpers(scan);
	*ret_scan = scan;
	return 0;
}

/* Waits for the thread that lists node, and takes node out of the line. Its children stay and have to be freed. */
static void settle(struct bt_scan *scan, struct bt_scan_private *node)
{
	pthread_mutex_lock(&scan->lock);
	while (node->state == BT_SCAN_BEGUN)
		pthread_cond_wait(&scan->listed, &scan->lock);
	if (node->state == BT_SCAN_PENDING)
		line_replace(scan, node, NULL, NULL);
	else if (node->state == BT_SCAN_LISTED)
		leave_ahead(scan, node);
	node->state = BT_SCAN_TAKEN;
	pthread_mutex_unlock(&scan->lock);
}

static void release(struct bt_scan *scan, struct bt_scan_private *node)
{
	bt_ways_close(&scan->fds, &node->way);
	bt_ignore_free(node->within.ignore, node->above);
	node->within.ignore = node->above;
	free(node->children);
	free(node->block);
	free(node->told);
	free(node->again);
	node->children = NULL;
	node->block = NULL;
	node->told = NULL;
	node->again = NULL;
	node->gone = true;
}

/* Frees top and all below it that is not gone. */
static void discard(struct bt_scan *scan, struct bt_scan_private *top)
{
	struct bt_scan_private *node = top;

	while (!top->gone) {
		settle(scan, node);
		while (node->children_gone < node->child_count && node->children[node->children_gone].gone)
			node->children_gone++;
		if (node->children_gone < node->child_count) {
			node = &node->children[node->children_gone];
			continue;
		}
		release(scan, node);
		if (node != top)
			node = node->dir.parent->private;
	}
}

void bt_scan_close(struct bt_scan *scan)
{
	if (!scan)
		return;
	stop_helpers(scan);
	discard(scan, scan->root);
	free(scan->root);
	bt_scan_scratch_free(&scan->scratch);
	bt_scan_mounts_destroy(&scan->mounts);
	bt_ways_destroy(&scan->fds);
	pthread_cond_destroy(&scan->work);
	pthread_cond_destroy(&scan->listed);
	pthread_mutex_destroy(&scan->lock);
	pthread_mutex_destroy(&scan->again_lock);
	free(scan);
}

/* --- the reader --- */

struct bt_scan_dir *bt_scan_root(struct bt_scan *scan)
{
	return &scan->root->dir;
}

/* Told by the reader's thread, in its order, whichever thread found it out. */
static int tell_noted(struct bt_scan *scan, struct bt_scan_private *node)
{
	const struct bt_observer *observer = scan->options.observer;

	for (size_t done = 0; done < node->told_size;) {
		const char *event = node->told + done + sizeof(uint64_t);
		char *path = bt_scan_path(&node->dir, event + 1);
		uint64_t bytes;

		if (!path)
			return BT_E_NOMEM;
		memcpy(&bytes, node->told + done, sizeof(bytes));
		done += sizeof(bytes) + strlen(event + 1) + 2;
		bt_tell_entry(observer, (unsigned char)*event, path, bytes);
		free(path);
	}
	free(node->told);
	node->told = NULL;
	node->told_size = 0;
	return 0;
}

int bt_scan_list(struct bt_scan *scan, struct bt_scan_dir *dir, struct bt_error *error)
{
	struct bt_scan_private *node = dir->private;
	int r;

	pthread_mutex_lock(&scan->lock);
	if (node->state == BT_SCAN_DEFERRED)
		line_begin(scan, node);
	if (node->state == BT_SCAN_PENDING)
		list_pending(scan, node, &scan->scratch);
	while (node->state == BT_SCAN_BEGUN)
		pthread_cond_wait(&scan->listed, &scan->lock);
	if (node->state == BT_SCAN_LISTED) {
		leave_ahead(scan, node);
		node->state = BT_SCAN_TAKEN;
	}
	pthread_mutex_unlock(&scan->lock);
	r = node->result;
	if (!r)
		r = tell_noted(scan, node);
	return r ? bt_fail(error, r, NULL, "list the directory") : 0;
}

void bt_scan_done(struct bt_scan *scan, struct bt_scan_dir *dir)
{
	discard(scan, dir->private);
}

static const void *up(const void *arg, const char **ret_name, size_t *ret_length)
{
	const struct bt_scan_dir *dir = arg;

	*ret_name = dir->self.name;
	*ret_length = dir->self.name_length;
	return dir->parent;
}

char *bt_scan_path(const struct bt_scan_dir *dir, const char *name)
{
	return bt_path_new(up, dir, name);
}
