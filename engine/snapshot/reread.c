/* SPDX-License-Identifier: MIT */
#include "snapshot/finish.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

enum { LEASE_WAIT_MS = 50, LEASE_WAITS = 46000 / LEASE_WAIT_MS };

/* Packs the chunks at once, on this thread. */
struct direct {
	struct bt_source_sink sink;
	struct bt_snap_finish *finish;
	struct bt_chunk_list list;
	struct bt_error *error;
};

static int direct_chunk(struct bt_source_sink *sink, const unsigned char *data, size_t size)
{
	struct direct *direct = (struct direct *)sink;
	struct bt_held chunk = {.size = (uint32_t)size};
	int r = bt_hasher_digest(direct->finish->reader->pieces, data, size, &chunk.digest);

	if (!r)
		r = bt_pack_content(direct->finish->pack, &chunk, data, BT_PACK_ALONE, direct->error);
	if (!r)
		r = bt_chunk_list_add(direct->finish->pack, &direct->list, &chunk, direct->error);
	return r;
}

static int direct_restart(struct bt_source_sink *sink)
{
	bt_chunk_list_restart(&((struct direct *)sink)->list);
	return 0;
}

static int read_file(struct bt_snap_finish *finish, struct bt_snap_item *item, int dirfd, const struct bt_found *now,
		     struct bt_arena *arena, struct bt_error *error)
{
	struct direct direct = {.sink = {direct_chunk, direct_restart}, .finish = finish, .error = error};
	const struct bt_source_out out = {arena, &item->entry, &item->outcome};
	int r = bt_source_stream(finish->reader, dirfd, now, &direct.sink, &out);

	if (!r && item->outcome.state == BT_SOURCE_READ)
		r = bt_chunk_list_finish(finish->pack, &direct.list, arena, &item->entry, error);
	bt_chunk_list_free(&direct.list);
	return r;
}

static int read_what_is_there(struct bt_snap_finish *finish, struct bt_snap_item *item, int dirfd,
			      struct bt_arena *arena, struct bt_error *error)
{
	const struct bt_source_out out = {arena, &item->entry, &item->outcome};
	struct bt_found now = *item->found;
	struct stat st;
	int r = 0;

	if (fstatat(dirfd, now.name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		bt_source_failed(&item->outcome, errno);
		return 0;
	}
	bt_found_stat(&st, &now);
	item->outcome.seen = now;
	if (S_ISREG(st.st_mode))
		r = read_file(finish, item, dirfd, &now, arena, error);
	else if (S_ISDIR(st.st_mode)) /* not entered here: the next run does that */
		bt_source_failed(&item->outcome, EISDIR);
	else
		r = bt_source_bare(finish->reader, dirfd, &now, &out);
	return r;
}

/* A program that has a lease on a file must give it back within 45 seconds (/proc/sys/fs/lease-break-time) of the first
 * attempt to open the file. These attempts are over for all such files, so the run waits that long only once, whatever
 * their number. */
static bool wait_for_lease(struct bt_snap_finish *finish)
{
	if (finish->lease_waits >= LEASE_WAITS || bt_voice_failed(&finish->plan->observer->voice))
		return false;
	finish->lease_waits++;
	nanosleep(&(struct timespec){.tv_nsec = LEASE_WAIT_MS * 1000000L}, NULL);
	return true;
}

static bool is_leased(const struct bt_outcome *outcome)
{
	return outcome->state == BT_SOURCE_OTHER && outcome->sys == EAGAIN;
}

int bt_snap_reread(struct bt_snap_finish *finish, struct bt_snap_item *item, struct bt_arena *arena,
		   struct bt_error *error)
{
	struct bt_scan_dir *dir = bt_snap_containing(item)->dir;
	int dirfd = bt_scan_fd_get(finish->plan->source.scan, dir), r = 0;

	item->outcome = (struct bt_outcome){.seen = *item->found};
	if (dirfd < 0) {
		bt_source_failed(&item->outcome, -dirfd);
	} else {
		do
			r = read_what_is_there(finish, item, dirfd, arena, error);
		while (!r && is_leased(&item->outcome) && wait_for_lease(finish));
		bt_scan_fd_put(finish->plan->source.scan, dir);
	}
	/* The entry changes its type faster than it can be read. */
	if (item->outcome.state == BT_SOURCE_OTHER)
		bt_source_failed(&item->outcome, item->outcome.sys != 0 ? item->outcome.sys : EAGAIN);
	bt_source_find_out(&finish->plan->source, dir, &item->outcome, bt_scan_now());
	return r;
}
