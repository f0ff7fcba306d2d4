/* SPDX-License-Identifier: MIT */
/* Removes what exists in the output directory but not in the snapshot. */
#include "base/fail.h"
#include "base/io.h"
#include "restore/backup.h"
#include "restore/boundary.h"
#include "restore/flags.h"
#include "restore/run.h"
#include <errno.h>
#include <fcntl.h>
#include <internal/view.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A path below place; its last component is in dirfd. */
struct extra {
	struct bt_place *place;
	int dirfd;
	const char *path;
	bool whole;		 /* what contains it is selected; of what goes, that it is selected itself */
	struct bt_within within; /* of that directory, for the rules */
};

static const char *name_of(const struct extra *extra)
{
	const char *slash = strrchr(extra->path, '/');

	return slash ? slash + 1 : extra->path;
}

/* Whether another file system begins there. */
static bool begins_another(const struct extra *extra)
{
	struct stat above;

	return fstat(extra->dirfd, &above) == 0 && bt_is_boundary(extra->dirfd, name_of(extra), above.st_dev);
}

struct removed {
	struct bt_restore_run *run;
	const struct extra *extra;
	bool takes_backups; /* with the rest of what contains them */
};

/* path begins with the extra's own name. NULL on out of memory. */
static char *path_below(const struct extra *extra, const char *path)
{
	char *whole = NULL;

	return asprintf(&whole, "%.*s%s", (int)(name_of(extra) - extra->path), extra->path, path) < 0 ? NULL : whole;
}

static void tell_left(void *arg, const char *path)
{
	const struct removed *removed = arg;
	char *whole = path_below(removed->extra, path);

	bt_tell_left(&removed->run->tell, removed->extra->place, whole ? whole : path);
	free(whole);
}

static int set_aside(void *arg, int dirfd, const char *path)
{
	const struct removed *removed = arg;
	char *whole = path_below(removed->extra, path);
	int r = whole ? bt_backup_move(removed->run, removed->extra->place, dirfd, whole) : -ENOMEM;

	free(whole);
	return r;
}

/* Whether anybody asks for paths. */
static bool has_patterns(const struct bt_restore_run *run)
{
	return run->excludes || bt_picks_any(&run->picks);
}

/* What --delete removes of an entry: not what the snapshot's rules leave out, nor what was not asked for. */
static enum bt_pick pick(void *arg, const struct bt_spot *spot)
{
	const struct removed *removed = arg;
	const struct bt_restore_run *run = removed->run;

	if (!removed->takes_backups && bt_backup_is_kept(run, spot->name))
		return BT_PICK_NONE;
	if (!spot->path)
		return BT_PICK_WHOLE;
	const char *name = spot->path + strlen(spot->path) - strlen(spot->name);
	enum bt_reach reach = BT_REACH_IN;
	if (run->excludes)
		reach = bt_exclusion_look(&run->exclusion.exclusion, spot->within, spot->markers, spot->dirfd,
					  spot->path, name);
	if (reach == BT_REACH_OUT)
		return BT_PICK_NONE;
	enum bt_pick picked = bt_picks_ask(&run->picks, spot->whole, spot->path, name, spot->directory);
	return picked == BT_PICK_WHOLE && reach == BT_REACH_WAY ? BT_PICK_BELOW : picked;
}

/* Where nobody can tell, it stays. */
static enum bt_pick pick_extra(struct bt_restore_run *run, const struct extra *extra, const struct bt_markers *markers)
{
	struct removed removed = {.run = run, .extra = extra};
	struct bt_spot spot = {.name = name_of(extra),
			       .dirfd = extra->dirfd,
			       .whole = extra->whole,
			       .markers = markers,
			       .within = &extra->within};
	char *path = has_patterns(run) ? bt_restore_path(run, extra->place, extra->path) : NULL;
	struct stat status;

	if (has_patterns(run) && !path)
		return BT_PICK_NONE;
	spot.path = path;
	spot.directory =
		path && fstatat(extra->dirfd, spot.name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
	enum bt_pick picked = pick(&removed, &spot);
	free(path);
	return picked;
}

/* With backups: all of it gets another name at once, unless something in it stays. */
static int set_tree_aside(struct bt_restore_run *run, const struct extra *extra, struct bt_removal *removal)
{
	struct bt_removal look = *removal;
	struct removed *removed = removal->arg;

	look.dry = removed->takes_backups = true;
	look.left = NULL;
	int r = removal->below ? 1 : bt_remove_tree(&look, extra->dirfd, name_of(extra));
	removed->takes_backups = false;
	if (r < 0)
		return r;
	if (!r)
		return bt_backup_move(run, extra->place, extra->dirfd, extra->path);
	removal->aside = set_aside;
	return bt_remove_tree(removal, extra->dirfd, name_of(extra));
}

/* Like bt_remove_tree, and reports what was removed. */
static int remove_tree(struct bt_restore_run *run, const struct extra *extra)
{
	struct removed removed = {.run = run, .extra = extra};
	struct bt_removal removal = {.guard = &run->guard,
				     .dry = run->options.dry_run,
				     .left = tell_left,
				     .arg = &removed,
				     .below = !extra->whole,
				     .exclusion = run->excludes ? &run->exclusion.exclusion : NULL,
				     .within = extra->within};
	char *path = has_patterns(run) ? bt_restore_path(run, extra->place, extra->path) : NULL;

	if (has_patterns(run) && !path)
		return -ENOMEM;
	removal.path = path;
	if (path || removal.exclusion || run->options.keep_backups)
		removal.pick = pick;
	int r = run->options.backup ? set_tree_aside(run, extra, &removal)
				    : bt_remove_tree(&removal, extra->dirfd, name_of(extra));
	free(path);
	bt_tell_deleted(&run->tell, extra->place, extra->path, removal.removed);
	return r;
}

/* The length of the path with a slash after it, as rules know it, or SIZE_MAX. */
static size_t depth_of(const struct bt_restore_run *run, const struct bt_place *place, const char *name)
{
	char *path = bt_restore_path(run, place, name);
	size_t length = path ? strlen(path) + (*path != 0) : SIZE_MAX;

	free(path);
	return length;
}

/* Adds the patterns that a directory has. 0 or -errno: what they leave out is not known. */
static int read_ignore(struct bt_restore_run *run, int fd, size_t depth, const struct bt_ignore **ignore)
{
	const char *unread;

	if (!run->excludes || !run->exclusion.exclusion.ignore_files.count)
		return 0;
	if (depth == SIZE_MAX)
		return -ENOMEM;
	int r = bt_ignore_read(&run->exclusion.exclusion.ignore_files, fd, depth, *ignore, ignore, &unread);
	return r < 0 ? -ENOMEM : -r;
}

static int read_place(struct bt_restore_run *run, struct bt_place *place, const struct bt_ignore **ignore)
{
	int fd = bt_place_get(&run->places, place);

	if (fd < 0)
		return fd;
	int r = read_ignore(run, fd, depth_of(run, place, NULL), ignore);
	bt_place_put(&run->places, place);
	return r;
}

/* What the place means for what is in it; to be given back with within_free. 0 or -errno: nobody can tell. */
static int within_of(struct bt_restore_run *run, struct bt_place *place, struct bt_within *ret_within)
{
	size_t depth = 1;
	int r = 0;

	*ret_within = (struct bt_within){.inside = true};
	if (!run->excludes)
		return 0;
	char *path = bt_restore_path(run, place, NULL);
	if (!path)
		return -ENOMEM;
	*ret_within = bt_within_of(&run->exclusion.exclusion, path);
	free(path);
	for (struct bt_place *at = place; at->parent; at = at->parent)
		depth++;
	while (!r && run->exclusion.exclusion.ignore_files.count && depth-- > 0) {
		struct bt_place *at = place;

		for (size_t i = 0; i < depth; i++)
			at = at->parent;
		r = read_place(run, at, &ret_within->ignore);
	}
	return r;
}

static void within_free(struct bt_within *within)
{
	bt_ignore_free(within->ignore, NULL);
	within->ignore = NULL;
}

static struct bt_markers find_markers(const struct bt_restore_run *run, int fd, const struct bt_buf *names)
{
	struct bt_markers markers = {0};

	for (size_t at = 0; run->excludes && at < names->length;) {
		const char *name = (const char *)names->data + at;

		bt_markers_see(&run->exclusion.exclusion, fd, name, &markers);
		at += strlen(name) + 1;
	}
	return markers;
}

static void remove_picked(struct bt_restore_run *run, const struct extra *extra, size_t level,
			  const struct bt_markers *markers);

/* If the list cannot be read completely, nothing is removed. level: of the directory, which leads to the store. */
static void remove_beside_store(struct bt_restore_run *run, const struct extra *extra, size_t level)
{
	struct bt_buf names = {0};
	struct bt_within within = {extra->within.ignore, extra->within.inside || extra->whole};
	int fd = bt_openat(extra->dirfd, name_of(extra), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	int r = fd < 0 ? fd : bt_list_names(fd, &names);

	if (!r)
		r = read_ignore(run, fd, depth_of(run, extra->place, extra->path), &within.ignore);
	if (r < 0)
		bt_tell_sys(&run->tell, extra->place, extra->path, -r, "list the directory");
	struct bt_markers markers = find_markers(run, fd, &names);
	for (size_t at = 0; !r && at < names.length && !bt_voice_failed(&run->tell.voice);) {
		const char *name = (const char *)names.data + at;
		char *path = NULL;

		if (asprintf(&path, "%s/%s", extra->path, name) < 0)
			bt_tell_sys(&run->tell, extra->place, extra->path, ENOMEM, "remove");
		else
			remove_picked(run, &(struct extra){extra->place, fd, path, extra->whole, within}, level,
				      &markers);
		free(path);
		at += strlen(name) + 1;
	}
	bt_ignore_free(within.ignore, extra->within.ignore);
	bt_buf_free(&names);
	bt_close(&fd);
}

/* level: of the directory that the extra is in. Each directory on the way is nearer to the store, or there is a
 * loop. */
static void remove_extra(struct bt_restore_run *run, const struct extra *extra, size_t level)
{
	struct stat status;

	if (begins_another(extra)) {
		bt_tell_left(&run->tell, extra->place, extra->path);
		return;
	}
	bool there = fstatat(extra->dirfd, name_of(extra), &status, AT_SYMLINK_NOFOLLOW) == 0;
	size_t own = there ? bt_guard_level(&run->guard, &status) : 0;
	if (own == 1)
		return;
	if (own && own < level) {
		remove_beside_store(run, extra, own);
		return;
	}
	int r = remove_tree(run, extra);
	if (r < 0 && bt_inode_refused(extra->dirfd, name_of(extra), -r))
		bt_tell_forbidden(&run->tell, extra->place, extra->path);
	else if (r < 0)
		bt_tell_sys(&run->tell, extra->place, extra->path, -r, "remove");
}

static void remove_picked(struct bt_restore_run *run, const struct extra *extra, size_t level,
			  const struct bt_markers *markers)
{
	enum bt_pick picked = pick_extra(run, extra, markers);
	struct extra chosen = *extra;

	chosen.whole = picked == BT_PICK_WHOLE;
	if (picked != BT_PICK_NONE)
		remove_extra(run, &chosen, level);
}

static void remove_unknown(struct bt_restore_run *run, const struct bt_digest *directory, const struct extra *extra,
			   const struct bt_markers *markers)
{
	static const struct stat nothing;
	const struct bt_page *page;
	const struct bt_entry *entry;
	struct bt_error error = {0};
	int r = bt_dir_lookup(run->store, directory, extra->path, strlen(extra->path), &page, &entry, &error);

	if (!r)
		bt_page_put(run->store, page);
	if (r != BT_E_NOT_FOUND)
		return; /* it belongs there, or the lookup failed, which the walk reports */
	if (!bt_guard_keeps(&run->guard, &extra->place->before, extra->path, &nothing))
		remove_picked(run, extra, SIZE_MAX, markers);
}

void bt_extras_remove(struct bt_restore_run *run, struct bt_place *place, const struct bt_digest *directory, bool whole)
{
	struct bt_buf names = {0};
	struct bt_within within;
	int fd = bt_place_get(&run->places, place);
	int r = fd < 0 ? fd : bt_list_names(fd, &names), known = within_of(run, place, &within);

	if (!r)
		r = known;
	if (r < 0)
		bt_tell_sys(&run->tell, place, NULL, -r, "list the directory");
	struct bt_markers markers = find_markers(run, fd, &names);
	for (size_t at = 0; !r && at < names.length && !bt_voice_failed(&run->tell.voice);) {
		const char *name = (const char *)names.data + at;

		remove_unknown(run, directory, &(struct extra){place, fd, name, whole, within}, &markers);
		at += strlen(name) + 1;
	}
	within_free(&within);
	if (fd >= 0)
		bt_place_put(&run->places, place);
	bt_buf_free(&names);
}

/* 0 or -errno. */
static int is_empty_directory(int dirfd, const char *name)
{
	struct bt_buf names = {0};
	int fd = bt_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	int r = fd < 0 ? fd : bt_list_names(fd, &names);

	if (!r && names.length)
		r = -ENOTEMPTY;
	bt_buf_free(&names);
	bt_close(&fd);
	return r;
}

static int clear_empty(struct bt_restore_run *run, int dirfd, const char *name)
{
	if (run->options.dry_run)
		return is_empty_directory(dirfd, name);
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
		return 0;
	return errno == EEXIST ? -ENOTEMPTY : -errno;
}

int bt_extras_clear(struct bt_restore_run *run, struct bt_place *place, int dirfd, const char *name)
{
	struct extra extra = {.place = place, .dirfd = dirfd, .path = name, .whole = true};
	int r;

	if (begins_another(&extra))
		return -EBUSY;
	if (!run->options.backup) {
		r = clear_empty(run, dirfd, name);
		if (r != -ENOTEMPTY || !run->options.delete_extra)
			return r;
	}
	r = within_of(run, place, &extra.within);
	if (!r)
		r = remove_tree(run, &extra);
	within_free(&extra.within);
	return r > 0 ? -EBUSY : r;
}

void bt_tell_not_created(struct bt_restore_run *run, struct bt_place *place, int dirfd, const char *name, int r)
{
	if (bt_inode_refused(dirfd, "", -r))
		bt_tell_forbidden(&run->tell, place, name);
	else
		bt_tell_unwritten_sys(&run->tell, place, name, -r, "create");
}

void bt_tell_not_installed(struct bt_restore_run *run, struct bt_place *place, int dirfd, const char *name, int r)
{
	struct bt_error error = {0};

	if (bt_inode_refused(dirfd, name, -r)) {
		bt_tell_forbidden(&run->tell, place, name);
		return;
	}
	if (r == -ENOTEMPTY)
		bt_fail(&error, BT_E_INCOMPLETE, NULL,
			"a directory that is not empty is in the way: move it away, or restore with --delete");
	else if (r == -EBUSY)
		bt_fail(&error, BT_E_INCOMPLETE, NULL, "another file system is in the way: unmount it");
	else
		bt_fail_sys(&error, -r, NULL, "replace what is there");
	error.sys = -r;
	bt_tell_unwritten(&run->tell, place, name, &error);
}

static void remove_store_in_the_way(struct bt_restore_run *run, struct extra *extra)
{
	if (!within_of(run, extra->place, &extra->within))
		remove_extra(run, extra, SIZE_MAX);
	within_free(&extra->within);
}

void bt_tell_store_in_the_way(struct bt_restore_run *run, struct bt_place *place, int dirfd, const char *name)
{
	struct bt_error error = {0};
	struct stat status;

	if (run->options.delete_extra && fstatat(dirfd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	    bt_guard_level(&run->guard, &status) > 1)
		remove_store_in_the_way(run, &(struct extra){place, dirfd, name, true, {0}});
	bt_fail(&error, BT_E_INCOMPLETE, NULL, "the store that is restored from is in the way");
	bt_tell_problem(&run->tell, place, name, &error);
}
