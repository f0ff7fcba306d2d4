/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "base/io.h"
#include "restore/meta.h"
#include "restore/run.h"
#include "source/describe.h"
#include "view/pages.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static bool same_target(int dirfd, const struct bt_entry *entry)
{
	char target[4097];
	ssize_t length = readlinkat(dirfd, entry->name, target, sizeof(target));

	return length == (ssize_t)entry->extra->target_length &&
	       memcmp(target, entry->extra->target, (size_t)length) == 0;
}

/* What else makes a thing that is no file the same. */
static bool same_node(int dirfd, const struct bt_entry *entry, const struct stat *status)
{
	if (entry->type == BT_SYMLINK)
		return same_target(dirfd, entry);
	if (entry->type == BT_CHARDEV || entry->type == BT_BLOCKDEV)
		return status->st_rdev == makedev(entry->extra->dev_major, entry->extra->dev_minor);
	return true;
}

/* It is the very file that the snapshot was taken of, and nobody has touched it since. */
static bool is_untouched(const struct bt_entry *entry, const struct stat *status)
{
	struct bt_found found = {0};

	bt_found_stat(status, &found);
	return entry->has_stat && entry->stat == bt_found_fingerprint(&found);
}

/* Whether the contents are the same as far as can be told without reading them. Where the snapshot is of this directory
 * a file that was touched since is not, whatever its time says. */
static bool seems_same(const struct bt_restore_run *run, const struct bt_entry *entry, bool mtime_equal,
		       struct bt_restore_there *there)
{
	if (run->by_content)
		return false;
	if (is_untouched(entry, &there->status) || (mtime_equal && !entry->size))
		return true;
	there->by_time = mtime_equal && !(run->in_place && entry->has_stat);
	return there->by_time;
}

/* A file of which there is another name may be shared with something outside: it is never changed in place. */
static enum bt_restore_decision compare(const struct bt_restore_run *run, int dirfd, const struct bt_entry *entry,
					struct bt_restore_there *there)
{
	const struct stat *status = &there->status;
	uint64_t links = bt_restore_has_links(entry) ? entry->extra->links : 1;

	if ((status->st_mode & S_IFMT) != bt_type_format(entry->type) || status->st_nlink > links)
		return BT_WRITE;
	if (entry->type == BT_FILE && (uint64_t)status->st_size != entry->size)
		return BT_WRITE;
	bool mtime_equal = bt_mtime_equal(entry, status);
	there->equal = mtime_equal && bt_meta_equal(run, dirfd, entry->name, entry, status);
	if (entry->type != BT_FILE)
		return there->equal && same_node(dirfd, entry, status) ? BT_KEEP : BT_WRITE;
	if (!there->equal && status->st_nlink > 1)
		return BT_WRITE;
	if (!seems_same(run, entry, mtime_equal, there))
		return BT_COMPARE;
	return there->equal ? BT_KEEP : BT_MEND;
}

int bt_restore_decide(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_entry *entry,
		      struct bt_restore_there *ret_there)
{
	*ret_there = (struct bt_restore_there){.decision = BT_WRITE, .exists = place->sealed};
	if (place->fresh || place->sealed)
		return 0;
	if (fstatat(dirfd, entry->name, &ret_there->status, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	ret_there->exists = true;
	if (run->options.overwrite == BT_OVERWRITE_NEVER)
		ret_there->decision = BT_KEEP;
	else if (run->options.overwrite == BT_OVERWRITE_IF_CHANGED)
		ret_there->decision = compare(run, dirfd, entry, ret_there);
	return 0;
}

void bt_restore_done(struct bt_restore_run *run, enum bt_event event, struct bt_place *place,
		     const struct bt_entry *entry, const struct stat *status)
{
	if (bt_restore_has_links(entry) && status)
		bt_restore_links_set(&run->links, entry, place, status);
	if (event != BT_EVENT_UNCHANGED && !run->options.dry_run && bt_whole_is_unproven(entry))
		bt_tell_in_pieces(&run->tell);
	bt_tell_done(&run->tell, event, place, entry->name, entry->type);
}

/* Two files are not to become one because names of both led to the same. */
static void keep_apart(struct bt_restore_run *run, const struct bt_entry *entry, struct bt_restore_there *there)
{
	if (there->exists && there->decision == BT_KEEP && run->options.overwrite != BT_OVERWRITE_NEVER &&
	    bt_restore_has_links(entry) && !bt_restore_links_take(&run->links, entry, &there->status))
		there->decision = BT_WRITE;
}

/* The file that was looked at, or -errno. */
static int open_existing(int dirfd, const char *name, const struct stat *status)
{
	struct stat now;
	int fd = bt_openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);

	if (fd < 0)
		return fd;
	if (fstat(fd, &now) || now.st_dev != status->st_dev || now.st_ino != status->st_ino ||
	    now.st_nlink != status->st_nlink) {
		bt_close(&fd);
		return -ESTALE;
	}
	return fd;
}

/* Compares and changes an existing file's metadata in place; the decision becomes BT_KEEP if nothing differs, and
 * BT_WRITE if that cannot be. */
static int mend(struct bt_restore_run *run, struct bt_restore_worker *worker, struct bt_place *place, int dirfd,
		const struct bt_entry *entry, struct bt_restore_there *there)
{
	int differs = 0, fd = open_existing(dirfd, entry->name, &there->status);

	if (fd < 0) {
		there->decision = BT_WRITE;
		return 0;
	}
	if (there->decision == BT_COMPARE)
		differs = bt_restore_compare(run, worker, place, fd, entry);
	there->decision = differs ? BT_WRITE : there->equal ? BT_KEEP : BT_MEND;
	if (there->decision == BT_MEND && !run->options.dry_run)
		bt_meta_apply(run, place, entry->name, fd, entry, BT_META_STRIP);
	bt_close(&fd);
	return differs < 0 ? -1 : 0;
}

static void would_write(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_entry *entry,
			const struct bt_restore_there *there)
{
	int r = there->exists && S_ISDIR(there->status.st_mode) ? bt_extras_clear(run, place, dirfd, entry->name) : 0;

	if (r) {
		bt_tell_not_installed(run, place, dirfd, entry->name, r);
		return;
	}
	bt_tell_bytes(&run->tell, place, entry->name, entry->size, entry->size);
	bt_restore_done(run, there->exists ? BT_EVENT_CHANGED : BT_EVENT_NEW, place, entry, NULL);
}

static void write_entry(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_entry *entry,
			const struct bt_restore_there *there)
{
	struct stat status = {0};
	int r = 0;

	if (run->options.dry_run) {
		would_write(run, place, dirfd, entry, there);
		return;
	}
	if (entry->type == BT_FILE)
		r = bt_restore_file(run, place, dirfd, entry, &status);
	else
		r = bt_restore_node(run, place, dirfd, entry, &status);
	if (r < 0)
		return;
	bt_restore_done(run,
			r		? BT_EVENT_UNCHANGED
			: there->exists ? BT_EVENT_CHANGED
					: BT_EVENT_NEW,
			place, entry, r ? NULL : &status);
}

static void restore_in(struct bt_restore_run *run, struct bt_restore_worker *worker, struct bt_place *place, int dirfd,
		       const struct bt_entry *entry)
{
	struct bt_restore_there there;
	int r = bt_restore_decide(run, place, dirfd, entry, &there);

	if (r) {
		bt_tell_sys(&run->tell, place, entry->name, -r, "look at what is there");
		return;
	}
	keep_apart(run, entry, &there);
	if (there.exists && there.decision != BT_KEEP &&
	    bt_guard_keeps(&run->guard, &place->before, entry->name, &there.status)) {
		bt_tell_store_in_the_way(run, place, dirfd, entry->name);
		return;
	}
	if (there.decision == BT_MEND || there.decision == BT_COMPARE)
		r = mend(run, worker, place, dirfd, entry, &there);
	if (r)
		return;
	keep_apart(run, entry, &there);
	if (there.by_time && there.decision != BT_WRITE)
		bt_tell_by_time(&run->tell);
	if (there.decision == BT_WRITE)
		write_entry(run, place, dirfd, entry, &there);
	else
		bt_restore_done(run, there.decision == BT_KEEP ? BT_EVENT_UNCHANGED : BT_EVENT_CHANGED, place, entry,
				run->options.overwrite == BT_OVERWRITE_NEVER ? NULL : &there.status);
}

/* An entry that could not be read when the snapshot was taken has nothing to restore. */
static bool tell_unread_entry(struct bt_restore_run *run, struct bt_place *place, const struct bt_entry *entry)
{
	struct bt_error error = {0};

	if (!entry->extra || !entry->extra->error)
		return false;
	bt_fail_unread(&error, entry);
	bt_tell_problem(&run->tell, place, entry->name, &error);
	return true;
}

/* A descriptor of the place; -1 with *ret_told false for one that a dry run did not make. */
static int get_place(struct bt_restore_run *run, struct bt_place *place, const struct bt_entry *entry, bool *ret_told)
{
	*ret_told = false;
	if (place->absent)
		return -1;
	int dirfd = bt_place_get(&run->places, place);
	if (dirfd >= 0)
		return dirfd;
	*ret_told = true;
	bt_tell_sys(&run->tell, place, entry->name, -dirfd, "open its directory");
	return -1;
}

/* All that it costs is a directory that is in its way. */
static void count_entry(struct bt_restore_run *run, struct bt_place *place, const struct bt_entry *entry)
{
	struct stat status;
	int dirfd = place->absent || !run->options.delete_extra ? -1 : bt_place_get(&run->places, place);

	if (dirfd >= 0 && fstatat(dirfd, entry->name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode))
		(void)bt_extras_clear(run, place, dirfd, entry->name);
	if (dirfd >= 0)
		bt_place_put(&run->places, place);
	bt_tell_done(&run->tell, BT_EVENT_UNCHANGED, place, entry->name, entry->type);
}

void bt_restore_entry(struct bt_restore_run *run, struct bt_restore_worker *worker, struct bt_place *place,
		      const struct bt_entry *entry)
{
	bool told;

	if (run->options.count_only) {
		count_entry(run, place, entry);
		return;
	}
	if (tell_unread_entry(run, place, entry))
		return;
	int dirfd = get_place(run, place, entry, &told);
	if (told)
		return;
	restore_in(run, worker, place, dirfd, entry);
	if (dirfd >= 0)
		bt_place_put(&run->places, place);
}

/* A further name for a file that stands already. 0; 1: what was there was kept; -errno. What the name leads to is only
 * known afterwards: it must be the file that was restored. */
static int link_to(struct bt_restore_run *run, const struct bt_restore_linked *first, struct bt_place *place, int dirfd,
		   const char *name)
{
	char temp[BT_TEMP_SIZE];
	struct stat status;
	int from = bt_place_get(&run->places, first->place);

	if (from < 0)
		return from;
	bt_temp_name(run, temp);
	int r = linkat(from, first->name, dirfd, temp, 0) ? -errno : 0;
	bt_place_put(&run->places, first->place);
	if (r)
		return r;
	if (fstatat(dirfd, temp, &status, AT_SYMLINK_NOFOLLOW) || status.st_dev != first->restored_dev ||
	    status.st_ino != first->restored_ino) {
		(void)!unlinkat(dirfd, temp, 0);
		return -ESTALE;
	}
	r = bt_temp_install(run, place, dirfd, temp, name);
	if (!r)
		(void)!unlinkat(dirfd, temp, 0); /* two names of one file: rename leaves both */
	return r;
}

/* False if there is nothing to link to, or the file system cannot: then it is a file of its own. */
static bool follow(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_entry *entry)
{
	struct bt_restore_linked first = bt_restore_links_find(&run->links, entry);
	struct stat status;

	if (!first.name || run->options.dry_run)
		return false;
	bool exists = !place->fresh && fstatat(dirfd, entry->name, &status, AT_SYMLINK_NOFOLLOW) == 0;
	if (exists && (run->options.overwrite == BT_OVERWRITE_NEVER ||
		       (status.st_dev == first.restored_dev && status.st_ino == first.restored_ino))) {
		bt_restore_done(run, BT_EVENT_UNCHANGED, place, entry, NULL);
		return true;
	}
	if (exists && bt_guard_keeps(&run->guard, &place->before, entry->name, &status))
		return false;
	int r = link_to(run, &first, place, dirfd, entry->name);
	if (r < 0)
		return false;
	bt_tell_done(&run->tell,
		     r	      ? BT_EVENT_UNCHANGED
		     : exists ? BT_EVENT_CHANGED
			      : BT_EVENT_NEW,
		     place, entry->name, entry->type);
	return true;
}

void bt_restore_follower(struct bt_restore_run *run, struct bt_place *place, const struct bt_entry *entry)
{
	bool told;

	if (run->options.count_only) {
		count_entry(run, place, entry);
		return;
	}
	if (tell_unread_entry(run, place, entry))
		return;
	int dirfd = get_place(run, place, entry, &told);
	if (told)
		return;
	if (!follow(run, place, dirfd, entry))
		restore_in(run, &run->finisher, place, dirfd, entry);
	if (dirfd >= 0)
		bt_place_put(&run->places, place);
}
