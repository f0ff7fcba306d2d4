/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/io.h"
#include "compare/run.h"
#include "source/xattrs.h"
#include "store/store.h"
#include "view/against.h"
#include <errno.h>
#include <fcntl.h>
#include <internal/view.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#define WINDOW	   ((size_t)1 << 20)
#define TARGET_MAX 4095
#define HELPERS	   2 /* threads that list directories ahead */

/* The present path is that of the directory: the name is added for the report. */
static int problem_in(struct bt_compare_run *run, const char *name, int sys, const char *what)
{
	size_t length = run->path.length;
	struct bt_error error = {0};

	bt_fail_sys(&error, sys, NULL, what);
	if ((length && bt_buf_append(&run->path, "/", 1)) || bt_buf_append(&run->path, name, strlen(name)))
		return BT_E_NOMEM;
	int r = bt_compare_problem(run, &error);
	run->path.length = length;
	return r;
}

/* Opens the directory of the list: a descriptor, or a negative errno. */
static int dirfd_get(struct bt_compare_run *run, const struct bt_compare_list *list)
{
	return list->live ? bt_scan_fd_get(run->scan, list->live) : run->single;
}

static void dirfd_put(struct bt_compare_run *run, const struct bt_compare_list *list)
{
	if (list->live)
		bt_scan_fd_put(run->scan, list->live);
}

static int read_target(struct bt_compare_run *run, struct bt_compare_list *list)
{
	char target[TARGET_MAX + 1];
	int fd = dirfd_get(run, list);
	ssize_t length = fd < 0 ? fd : readlinkat(fd, list->found->name, target, sizeof(target));
	int sys = fd < 0 ? -fd : length < 0 ? errno : 0;

	if (fd >= 0)
		dirfd_put(run, list);
	list->hidden = sys != 0;
	if (length <= 0)
		return sys ? problem_in(run, list->found->name, sys, "read the link") : 0;
	struct bt_extra *extra = bt_found_extra(&list->arena, &list->described);
	char *copy = bt_arena_copy(&list->arena, target, (size_t)length);
	if (!extra || !copy)
		return BT_E_NOMEM;
	extra->target = copy;
	extra->target_length = (uint32_t)length;
	return 0;
}

static int describe(struct bt_compare_run *run, struct bt_compare_list *list, const struct bt_found *found)
{
	int r = bt_found_describe(&list->arena, found, run->root_dev, &list->described);

	if (r)
		return r;
	list->found = found;
	list->entry = &list->described;
	list->hidden = found->boundary || found->error;
	return found->error || list->described.type != BT_SYMLINK ? 0 : read_target(run, list);
}

int bt_live_next(struct bt_compare_run *run, struct bt_compare_list *list)
{
	int r = 0;

	list->entry = NULL;
	bt_arena_free(&list->arena);
	while (list->next < list->live->count) {
		const struct bt_found *found = &list->live->found[list->next++];

		/* The entry cannot be compared with the snapshot's. No snapshot has a name that is too long. */
		if (found->error || !bt_found_type(found->mode)) {
			r = problem_in(run, found->name, found->error ? found->error : EINVAL, "read the metadata");
			if (r)
				return r;
			if (found->error == ENAMETOOLONG)
				continue;
		}
		return describe(run, list, found);
	}
	return 0;
}

static int hash(struct bt_compare_run *run, int fd, struct bt_digest *ret_digest)
{
	bt_hasher_start(run->hasher);
	for (;;) {
		ssize_t length = bt_read_some(fd, run->window, WINDOW);

		if (length < 0)
			return (int)length;
		if (bt_compare_cancelled(run))
			return -ECANCELED;
		bt_hasher_add(run->hasher, run->window, (size_t)length);
		bt_compare_progress(run, 0, (uint64_t)length);
		if ((size_t)length < WINDOW)
			return bt_hasher_finish(run->hasher, ret_digest) ? -ENOMEM : 0;
	}
}

static int ready(struct bt_compare_run *run)
{
	if (!run->hasher)
		run->hasher = bt_hasher_new();
	if (!run->window)
		run->window = malloc(WINDOW);
	return run->hasher && run->window ? 0 : -ENOMEM;
}

/* Whether there are as many names, each with its value. 0 or a negative errno. */
static int compare_xattrs(const char *path, const struct bt_entry *before, bool *ret_equal)
{
	uint32_t count = before->extra ? before->extra->xattr_count : 0, recorded = 0, there = 0;
	char *names = malloc(XATTR_LIST_MAX);
	ssize_t length = names ? llistxattr(path, names, XATTR_LIST_MAX) : -1;
	int sys = !names ? ENOMEM : length < 0 && errno != EOPNOTSUPP && errno != ENOENT ? errno : 0;

	for (ssize_t i = 0; i < length; i += (ssize_t)strlen(names + i) + 1)
		there += !bt_xattr_is_derived(names + i);
	free(names);
	bool equal = true;
	for (uint32_t i = 0; equal && i < count; i++) {
		if (bt_xattr_is_derived(before->extra->xattrs[i].name))
			continue;
		recorded++;
		equal = bt_xattr_equal(path, &before->extra->xattrs[i]);
	}
	*ret_equal = equal && there == recorded;
	return -sys;
}

static bool go_on(void *arg, uint64_t read)
{
	struct bt_compare_run *run = arg;

	bt_compare_progress(run, 0, read);
	return !bt_compare_cancelled(run);
}

/* Compares the bytes. 0 or a negative errno. */
static int compare_bytes(struct bt_compare_run *run, int fd, const struct bt_entry *before, bool *ret_same)
{
	struct bt_error error = {0};
	struct bt_against against = {.store = run->store_before,
				     .file = before,
				     .fd = fd,
				     .buffer = run->window,
				     .room = WINDOW,
				     .go_on = go_on,
				     .arg = run};
	int r = bt_against_file(&against, ret_same, &error);

	if (r == BT_E_CANCELLED)
		return -ECANCELED;
	if (r == BT_E_NOMEM)
		return -ENOMEM;
	if (r) /* contents of the snapshot are damaged or missing */
		return error.sys ? -error.sys : -EIO;
	return -against.sys;
}

/* A file without a digest, or with large holes whose zeros would have to be hashed, is compared piece by piece. */
static bool is_in_pieces(const struct bt_entry *before)
{
	return (!before->has_digest && !(before->extra && before->extra->error)) || bt_whole_is_unproven(before);
}

/* Whether the file, which has the same size, has the same contents. 0 or a negative errno. */
static int compare_content(struct bt_compare_run *run, int dirfd, const char *name, const struct bt_entry *before,
			   struct bt_entry *now, bool *ret_same)
{
	int r = ready(run), fd = r ? r : bt_openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);

	if (fd < 0)
		return fd;
	if (is_in_pieces(before)) {
		r = compare_bytes(run, fd, before, ret_same);
	} else {
		r = hash(run, fd, &now->digest);
		now->has_digest = !r;
		*ret_same = bt_same_content(before, now);
	}
	bt_close(&fd);
	return r;
}

static int look_closer(struct bt_compare_run *run, const struct bt_entry *before, struct bt_compare_list *list,
		       int dirfd, enum bt_change_kind *ret_kind)
{
	struct bt_entry *now = &list->described;
	const char *name = *now->name ? now->name : ".";
	char path[320];
	bool same = false;
	int sys = 0;

	if (before->type != BT_FILE)
		same = bt_same_content(before, now);
	else if (before->size == list->found->size)
		sys = compare_content(run, dirfd, name, before, now, &same);
	if (sys)
		return sys;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dirfd, name);
	bool equal = same && bt_same_metadata(before, now);
	if (equal)
		sys = compare_xattrs(path, before, &equal);
	if (sys)
		return sys;
	*ret_kind = !same ? BT_CHANGE_CONTENT : equal ? BT_CHANGE_KINDS : BT_CHANGE_METADATA;
	return 0;
}

int bt_live_compare(struct bt_compare_run *run, const struct bt_entry *before, struct bt_compare_level *level,
		    enum bt_change_kind *ret_kind)
{
	struct bt_compare_list *list = &level->after;
	struct bt_error error = {0};

	*ret_kind = BT_CHANGE_KINDS;
	if (list->hidden || (before->has_stat && before->stat == bt_found_fingerprint(list->found)))
		return 0;
	int fd = dirfd_get(run, list);
	int sys = fd < 0 ? fd : look_closer(run, before, list, fd, ret_kind);
	if (fd >= 0)
		dirfd_put(run, list);
	if (sys == -ECANCELED)
		return BT_E_CANCELLED;
	if (!sys)
		return 0;
	bt_fail_sys(&error, -sys, NULL, "read");
	return bt_compare_problem(run, &error);
}

/* The snapshot's own rules, and then those of the call. */
static int take_rules(struct bt_compare_run *run, const struct bt_snapshot_info *recorded, const struct bt_live *live)
{
	struct bt_exclusion_set *set = &run->exclusion;
	const struct {
		enum bt_exclusion_list list;
		const char *const *texts;
		size_t count;
	} lists[] = {{BT_LIST_PATTERNS, live->exclude, live->exclude_count},
		     {BT_LIST_PRESENT, live->exclude_if_present, live->exclude_if_present_count},
		     {BT_LIST_IGNORE, live->ignore_files, live->ignore_file_count},
		     {BT_LIST_INCLUDE, live->include, live->include_count}};
	int r = 0;

	if (recorded)
		r = bt_exclusion_add(set, BT_LIST_PATTERNS, recorded->rules, recorded->rule_count);
	if (!r && recorded)
		r = bt_exclusion_add_words(set, recorded->options, recorded->option_count);
	for (size_t i = 0; !r && i < sizeof(lists) / sizeof(*lists); i++)
		r = bt_exclusion_add(set, lists[i].list, lists[i].texts, lists[i].count);
	set->exclusion.caches |= live->exclude_caches;
	set->exclusion.nodump |= live->exclude_nodump;
	if (live->exclude_larger_than)
		set->exclusion.larger = live->exclude_larger_than;
	set->one_file_system |= live->one_file_system;
	if (!r && live->below && *live->below)
		r = asprintf(&run->prefix, "%s/", live->below) < 0 ? BT_E_NOMEM : 0;
	return r;
}

static int open_scan(struct bt_compare_run *run, const struct bt_side *before, const struct bt_live *live,
		     struct bt_error *error)
{
	int r = take_rules(run, live->recorded ? before->info : NULL, live);

	if (r)
		return bt_fail(error, (enum bt_code)r, NULL, NULL);
	r = bt_exclusion_finish(&run->exclusion, error);
	if (r)
		return r;
	struct bt_scan_options options = {.exclusion = &run->exclusion.exclusion,
					  .prefix = run->prefix,
					  .one_file_system = run->exclusion.one_file_system,
					  .threads = HELPERS};
	bt_store_inode(before->store, &options.skip_dev, &options.skip_ino);
	return bt_scan_open(live->path, &options, &run->scan, error);
}

/* Opens the parent directory, and describes the last component of the path. */
static int open_single(struct bt_compare_run *run, const char *path, struct bt_found *found, struct bt_error *error)
{
	const char *slash = strrchr(path, '/');
	char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	struct stat st;

	if (!directory)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	run->single = bt_openat(AT_FDCWD, directory, O_PATH | O_DIRECTORY, 0);
	free(directory);
	found->name = slash ? slash + 1 : path;
	found->name_length = (uint16_t)strlen(found->name);
	if (run->single < 0)
		return bt_fail_sys(error, -run->single, path, "open");
	if (fstatat(run->single, found->name, &st, AT_SYMLINK_NOFOLLOW))
		return bt_fail_sys(error, errno, path, "read the metadata");
	bt_found_stat(&st, found);
	return 0;
}

int bt_live_open(struct bt_compare_run *run, const struct bt_side *before, const struct bt_live *live,
		 struct bt_compare_list *ret_list, struct bt_error *error)
{
	struct stat st;

	run->single = -1;
	if (before->entry->type == BT_DIR && stat(live->path, &st))
		return bt_fail_sys(error, errno, live->path, "read the metadata");
	if (before->entry->type == BT_DIR && !S_ISDIR(st.st_mode))
		return bt_fail_sys(error, ENOTDIR, live->path, "read the metadata");
	int r = before->entry->type == BT_DIR ? open_scan(run, before, live, error)
					      : open_single(run, live->path, &run->single_found, error);
	if (r)
		return r;
	if (run->scan) {
		struct bt_found *self = &bt_scan_root(run->scan)->self;

		run->single = bt_openat(AT_FDCWD, live->path, O_PATH | O_DIRECTORY, 0);
		run->root_dev = self->dev;
		r = describe(run, ret_list, self);
	} else {
		r = describe(run, ret_list, &run->single_found);
	}
	return r ? bt_fail(error, (enum bt_code)r, live->path, NULL) : 0;
}

void bt_live_close(struct bt_compare_run *run)
{
	bt_scan_close(run->scan);
	bt_exclusion_free(&run->exclusion);
	free(run->prefix);
	bt_hasher_free(run->hasher);
	free(run->window);
	if (!run->store_after)
		bt_close(&run->single);
}
