/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "base/io.h"
#include "restore/backup.h"
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

/* Compares what metadata does not cover: targets of symlinks, device numbers. */
static bool has_same_node(int dirfd, const struct bt_entry *entry, const struct stat *status)
{
	if (entry->type == BT_SYMLINK)
		return same_target(dirfd, entry);
	if (entry->type == BT_CHARDEV || entry->type == BT_BLOCKDEV)
		return status->st_rdev == makedev(entry->extra->dev_major, entry->extra->dev_minor);
	return true;
}

bool bt_restore_same_node(int dirfd, const struct bt_entry *entry)
{
	struct stat status;

	return fstatat(dirfd, entry->name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (status.st_mode & S_IFMT) == bt_type_format(entry->type) && has_same_node(dirfd, entry, &status);
}

/* The existing file is the one that the snapshot was taken of, and has not changed since. */
static bool is_untouched(const struct bt_entry *entry, const struct stat *status)
{
	struct bt_found found = {0};

	bt_found_stat(status, &found);
	return entry->has_stat && entry->stat == bt_found_fingerprint(&found);
}

/* Whether the contents are the same, judged without reading them. Where the snapshot is restored in place, a file that
 * was touched since counts as different, whatever its mtime is. */
static bool seems_same(const struct bt_restore_run *run, const struct bt_entry *entry, bool mtime_equal,
		       struct bt_restore_existing *existing)
{
	if (run->by_content)
		return false;
	if (is_untouched(entry, &existing->status) || (mtime_equal && !entry->size))
		return true;
	existing->by_time = mtime_equal && !(run->in_place && entry->has_stat);
	return existing->by_time;
}

/* A file with another name may be shared with something outside the output: it is never changed in place. */
static enum bt_restore_decision compare(const struct bt_restore_run *run, int dirfd, const struct bt_entry *entry,
					struct bt_restore_existing *existing)
{
	const struct stat *status = &existing->status;
	uint64_t links = bt_restore_has_links(entry) ? entry->extra->links : 1;

	if ((status->st_mode & S_IFMT) != bt_type_format(entry->type) || status->st_nlink > links)
		return BT_WRITE;
	if (entry->type == BT_FILE && (uint64_t)status->st_size != entry->size)
		return BT_WRITE;
	bool mtime_equal = bt_mtime_equal(entry, status);
	existing->equal = mtime_equal && bt_meta_equal(run, dirfd, entry->name, entry, status);
	if (entry->type != BT_FILE)
		return existing->equal && has_same_node(dirfd, entry, status) ? BT_KEEP : BT_WRITE;
	if (!existing->equal && status->st_nlink > 1)
		return BT_WRITE;
	if (!seems_same(run, entry, mtime_equal, existing))
		return BT_COMPARE;
	return existing->equal ? BT_KEEP : BT_SET_METADATA;
}

static bool is_newer(const struct bt_entry *entry, const struct stat *status)
{
	return entry->type == BT_FILE && S_ISREG(status->st_mode) && bt_mtime_compare(entry, status) < 0;
}

static bool may_not_replace(const struct bt_restore_run *run, const struct bt_entry *entry, const struct stat *status)
{
	return run->options.overwrite == BT_OVERWRITE_NEVER ||
	       (run->options.overwrite == BT_OVERWRITE_IF_NEWER && bt_mtime_compare(entry, status) <= 0);
}

int bt_restore_decide(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_entry *entry,
		      struct bt_restore_existing *ret_existing)
{
	*ret_existing = (struct bt_restore_existing){.decision = BT_WRITE, .exists = place->sealed};
	if (place->fresh || place->sealed)
		return 0;
	if (fstatat(dirfd, entry->name, &ret_existing->status, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	ret_existing->exists = true;
	ret_existing->newer = is_newer(entry, &ret_existing->status) && run->options.overwrite != BT_OVERWRITE_NEVER;
	ret_existing->stays = may_not_replace(run, entry, &ret_existing->status);
	if (run->options.overwrite != BT_OVERWRITE_ALWAYS && run->options.overwrite != BT_OVERWRITE_NEVER)
		ret_existing->decision = compare(run, dirfd, entry, ret_existing);
	if (ret_existing->stays) {
		ret_existing->stays = run->options.overwrite == BT_OVERWRITE_NEVER || ret_existing->decision != BT_KEEP;
		ret_existing->by_time = false;
		ret_existing->decision = BT_KEEP;
	}
	return 0;
}

void bt_restore_done(struct bt_restore_run *run, enum bt_event event, struct bt_place *place,
		     const struct bt_entry *entry, const struct stat *status)
{
	if (bt_restore_has_links(entry) && status)
		bt_restore_links_set(&run->links, entry, place, status);
	if (event != BT_EVENT_UNCHANGED && !run->options.dry_run && bt_whole_is_unproven(entry))
		bt_tell_in_pieces(&run->tell);
	bt_tell_done(&run->tell, event, place, entry->name, entry);
}

/* Two files of the snapshot must not become one because their names led to one existing file. */
static void assign_existing(struct bt_restore_run *run, const struct bt_entry *entry,
			    struct bt_restore_existing *existing)
{
	if (existing->exists && existing->decision == BT_KEEP && !existing->stays && bt_restore_has_links(entry) &&
	    !bt_restore_links_assign(&run->links, entry, &existing->status))
		existing->decision = BT_WRITE;
}

/* Opens the file that status is of, or gives -errno. */
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

/* Compares the contents, and sets the metadata in place if only that differs. The decision becomes BT_KEEP if nothing
 * differs, and BT_WRITE if the file has to be written. */
static int update_existing(struct bt_restore_run *run, struct bt_restore_worker *worker, struct bt_place *place,
			   int dirfd, const struct bt_entry *entry, struct bt_restore_existing *existing)
{
	int differs = 0, fd = open_existing(dirfd, entry->name, &existing->status);

	if (fd < 0) {
		existing->decision = BT_WRITE;
		return 0;
	}
	if (existing->decision == BT_COMPARE)
		differs = bt_restore_compare(run, worker, place, fd, entry);
	existing->decision = differs ? BT_WRITE : existing->equal ? BT_KEEP : BT_SET_METADATA;
	if (existing->decision == BT_SET_METADATA && !run->options.dry_run)
		bt_meta_apply(run, place, entry->name, fd, entry, BT_META_STRIP);
	bt_close(&fd);
	return differs < 0 ? -1 : 0;
}

/* Of a dry run: 0 or -errno. */
static int would_replace(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_entry *entry,
			 const struct bt_restore_existing *existing)
{
	if (!existing->exists || place->sealed)
		return 0;
	if (S_ISDIR(existing->status.st_mode))
		return bt_extras_clear(run, place, dirfd, entry->name);
	if (!run->options.backup || (entry->type != BT_FILE && bt_restore_same_node(dirfd, entry)))
		return 0;
	return bt_backup_move(run, place, dirfd, entry->name);
}

static void would_write(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_entry *entry,
			const struct bt_restore_existing *existing)
{
	int r = would_replace(run, place, dirfd, entry, existing);

	if (r) {
		bt_tell_not_installed(run, place, dirfd, entry->name, r);
		return;
	}
	bt_tell_bytes(&run->tell, place, entry->name, entry->size, entry->size);
	bt_restore_done(run, existing->exists ? BT_EVENT_CHANGED : BT_EVENT_NEW, place, entry, NULL);
}

static void write_entry(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_entry *entry,
			const struct bt_restore_existing *existing)
{
	struct stat status = {0};
	int r = 0;

	if (run->options.dry_run) {
		would_write(run, place, dirfd, entry, existing);
		return;
	}
	if (entry->type == BT_FILE)
		r = bt_restore_file(run, place, dirfd, entry, &status);
	else
		r = bt_restore_node(run, place, dirfd, entry, &status);
	if (r < 0)
		return;
	bt_restore_done(run,
			r		   ? BT_EVENT_UNCHANGED
			: existing->exists ? BT_EVENT_CHANGED
					   : BT_EVENT_NEW,
			place, entry, r ? NULL : &status);
}

static void restore_in(struct bt_restore_run *run, struct bt_restore_worker *worker, struct bt_place *place, int dirfd,
		       const struct bt_entry *entry)
{
	struct bt_restore_existing existing;
	int r = bt_restore_decide(run, place, dirfd, entry, &existing);

	if (r) {
		bt_tell_sys(&run->tell, place, entry->name, -r, "read the metadata of what is there");
		return;
	}
	assign_existing(run, entry, &existing);
	if (existing.exists && existing.decision != BT_KEEP &&
	    bt_guard_keeps(&run->guard, &place->before, entry->name, &existing.status)) {
		bt_tell_store_in_the_way(run, place, dirfd, entry->name);
		return;
	}
	if (existing.decision == BT_SET_METADATA || existing.decision == BT_COMPARE)
		r = update_existing(run, worker, place, dirfd, entry, &existing);
	if (r)
		return;
	assign_existing(run, entry, &existing);
	if (existing.by_time && existing.decision != BT_WRITE)
		bt_tell_by_time(&run->tell);
	if (existing.newer && (existing.stays || existing.decision == BT_WRITE))
		bt_tell_newer(&run->tell);
	if (existing.decision == BT_WRITE)
		write_entry(run, place, dirfd, entry, &existing);
	else
		bt_restore_done(run, existing.decision == BT_KEEP ? BT_EVENT_UNCHANGED : BT_EVENT_CHANGED, place, entry,
				existing.stays ? NULL : &existing.status);
}

/* An entry that could not be read for the snapshot has nothing to restore. */
static bool tell_unread_entry(struct bt_restore_run *run, struct bt_place *place, const struct bt_entry *entry)
{
	struct bt_error error = {0};

	if (!entry->extra || !entry->extra->error)
		return false;
	bt_fail_unread(&error, entry);
	bt_tell_problem(&run->tell, place, entry->name, &error);
	return true;
}

/* A descriptor of the place; -1 if a dry run did not make it (*ret_told false), or if a problem was reported. */
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

/* A dry run: what counts is a directory that would have to go, and a file that is newer. */
static void count_entry(struct bt_restore_run *run, struct bt_place *place, const struct bt_entry *entry)
{
	struct stat status;
	int dirfd = place->absent ? -1 : bt_place_get(&run->places, place);
	bool there = dirfd >= 0 && fstatat(dirfd, entry->name, &status, AT_SYMLINK_NOFOLLOW) == 0;

	if (there && S_ISDIR(status.st_mode) && run->options.delete_extra)
		(void)bt_extras_clear(run, place, dirfd, entry->name);
	if (there && is_newer(entry, &status) && run->options.overwrite != BT_OVERWRITE_NEVER)
		bt_tell_newer(&run->tell);
	if (dirfd >= 0)
		bt_place_put(&run->places, place);
	bt_tell_done(&run->tell, BT_EVENT_UNCHANGED, place, entry->name, entry);
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

/* Makes a further name for a restored file. 0; 1: an existing file was kept; -errno. The file must be the restored one,
 * which is only known once the link is made. */
static int link_to(struct bt_restore_run *run, const struct bt_restore_linked *first, struct bt_place *place, int dirfd,
		   struct bt_arrival *arrival)
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
	arrival->temp = temp;
	r = bt_temp_install(run, place, dirfd, arrival);
	if (!r)
		(void)!unlinkat(dirfd, temp, 0); /* rename keeps both names of one file */
	return r;
}

/* Whether what is at a further name is only another file with the same bytes. */
static bool has_same_content(struct bt_restore_run *run, struct bt_place *place, int dirfd,
			     const struct bt_entry *entry, const struct stat *status)
{
	if (entry->type != BT_FILE)
		return bt_restore_same_node(dirfd, entry);
	int fd = S_ISREG(status->st_mode) && (uint64_t)status->st_size == entry->size
			 ? open_existing(dirfd, entry->name, status)
			 : -1;
	bool same = fd >= 0 && bt_restore_compare(run, &run->finisher, place, fd, entry) == 0;
	bt_close(&fd);
	return same;
}

/* False if there is no file to link to, or the file system has no links: then the entry is restored as a file of its
 * own. */
static bool restore_link(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_entry *entry)
{
	struct bt_restore_linked first = bt_restore_links_find(&run->links, entry);
	struct stat status;

	if (!first.name || run->options.dry_run)
		return false;
	bool exists = !place->fresh && fstatat(dirfd, entry->name, &status, AT_SYMLINK_NOFOLLOW) == 0;
	struct bt_arrival arrival = {.name = entry->name, .entry = entry};
	if (exists && is_newer(entry, &status) && run->options.overwrite != BT_OVERWRITE_NEVER)
		bt_tell_newer(&run->tell);
	if (exists && (may_not_replace(run, entry, &status) ||
		       (status.st_dev == first.restored_dev && status.st_ino == first.restored_ino))) {
		bt_restore_done(run, BT_EVENT_UNCHANGED, place, entry, NULL);
		return true;
	}
	if (exists && bt_guard_keeps(&run->guard, &place->before, entry->name, &status))
		return false;
	arrival.same = exists && run->options.backup && has_same_content(run, place, dirfd, entry, &status);
	int r = link_to(run, &first, place, dirfd, &arrival);
	if (r < 0)
		return false;
	bt_tell_done(&run->tell,
		     r	      ? BT_EVENT_UNCHANGED
		     : exists ? BT_EVENT_CHANGED
			      : BT_EVENT_NEW,
		     place, entry->name, entry);
	return true;
}

void bt_restore_link(struct bt_restore_run *run, struct bt_place *place, const struct bt_entry *entry)
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
	if (!restore_link(run, place, dirfd, entry))
		restore_in(run, &run->finisher, place, dirfd, entry);
	if (dirfd >= 0)
		bt_place_put(&run->places, place);
}
