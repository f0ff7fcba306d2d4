/* SPDX-License-Identifier: MIT */
/* What stands in the output directory and the snapshot does not have. */
#include "base/fail.h"
#include "base/io.h"
#include "restore/run.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A path below place: its last component is in the directory dirfd. */
struct extra {
	struct bt_place *place;
	int dirfd;
	const char *path;
};

static const char *name_of(const struct extra *extra)
{
	const char *slash = strrchr(extra->path, '/');
	return slash ? slash + 1 : extra->path;
}

static void remove_it(struct bt_run *run, const struct extra *extra, size_t rank);

/* rank: of the directory, which leads to the store. */
static void remove_beside_store(struct bt_run *run, const struct extra *extra, size_t rank)
{
	struct bt_buf names = {0};
	int fd = bt_openat(extra->dirfd, name_of(extra), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	int result = fd < 0 ? fd : bt_list_names(fd, &names);
	if (result < 0)
		bt_tell_sys(&run->tell, extra->place, extra->path, -result, "list");
	for (size_t at = 0; at < names.length && !bt_tell_stopped(&run->tell);) {
		const char *name = (const char *)names.data + at;
		char *path = NULL;
		if (asprintf(&path, "%s/%s", extra->path, name) < 0)
			bt_tell_sys(&run->tell, extra->place, extra->path, ENOMEM, "remove");
		else
			remove_it(run, &(struct extra){extra->place, fd, path}, rank);
		free(path);
		at += strlen(name) + 1;
	}
	bt_buf_free(&names);
	bt_close(&fd);
}

/* rank: of the directory that it is in. Each one that leads to the store is nearer to it, or there is a loop. */
static void remove_it(struct bt_run *run, const struct extra *extra, size_t rank)
{
	struct stat status;
	bool there = fstatat(extra->dirfd, name_of(extra), &status, AT_SYMLINK_NOFOLLOW) == 0;
	size_t own = there ? bt_guard_rank(&run->guard, &status) : 0;
	if (own == 1)
		return;
	if (own && own < rank) {
		remove_beside_store(run, extra, own);
		return;
	}
	int result = run->options.dry_run ? 0 : bt_remove_tree(extra->dirfd, name_of(extra), &run->guard);
	if (result)
		bt_tell_sys(&run->tell, extra->place, extra->path, -result, "remove");
	else
		bt_tell_deleted(&run->tell, extra->place, extra->path);
}

static void remove_unknown(struct bt_run *run, struct bt_place *place, const struct bt_digest *directory,
			   const struct extra *extra)
{
	static const struct stat nothing;
	const struct bt_page *page;
	const struct bt_entry *entry;
	struct bt_error error = {0};
	int result = bt_dir_lookup(run->store, directory, extra->path, strlen(extra->path), &page, &entry, &error);
	if (!result)
		bt_page_put(run->store, page);
	if (result != BT_E_NOT_FOUND)
		return; /* it belongs there, or nobody knows: the listing will tell */
	if (!bt_guard_keeps(&run->guard, &place->before, extra->path, &nothing))
		remove_it(run, extra, SIZE_MAX);
}

void bt_extras_remove(struct bt_run *run, struct bt_place *place, const struct bt_digest *directory)
{
	struct bt_buf names = {0};
	int fd = bt_place_get(&run->places, place);
	int result = fd < 0 ? fd : bt_list_names(fd, &names);
	if (result < 0)
		bt_tell_sys(&run->tell, place, NULL, -result, "list");
	for (size_t at = 0; at < names.length && !bt_tell_stopped(&run->tell);) {
		const char *name = (const char *)names.data + at;
		remove_unknown(run, place, directory, &(struct extra){place, fd, name});
		at += strlen(name) + 1;
	}
	if (fd >= 0)
		bt_place_put(&run->places, place);
	bt_buf_free(&names);
}

void bt_store_in_the_way(struct bt_run *run, struct bt_place *place, int dirfd, const char *name)
{
	struct bt_error error = {0};
	struct stat status;
	if (run->options.delete_extra && fstatat(dirfd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	    bt_guard_rank(&run->guard, &status) > 1)
		remove_it(run, &(struct extra){place, dirfd, name}, SIZE_MAX);
	bt_fail(&error, BT_E_INCOMPLETE, NULL, "the store that is restored from is in the way");
	bt_tell_problem(&run->tell, place, name, &error);
}
