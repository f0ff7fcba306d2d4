/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/io.h"
#include "restore/flags.h"
#include "restore/meta.h"
#include "restore/run.h"
#include "view/against.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int bt_restore_worker_init(struct bt_restore_worker *worker)
{
	worker->buffer = malloc(BT_WORKER_BUFFER);
	return worker->buffer ? 0 : BT_E_NOMEM;
}

void bt_restore_worker_destroy(struct bt_restore_worker *worker)
{
	free(worker->buffer);
}

static int write_slice(int fd, const struct bt_slice *slice, uint64_t offset, struct bt_error *error)
{
	int r = slice->data ? bt_pwrite_all(fd, slice->data, slice->length, offset) : 0;

	return r ? bt_fail_sys(error, -r, NULL, "write") : 0;
}

/* Every slice is verified against the digest of its content. */
static int write_slices(struct bt_restore_run *run, struct bt_place *place, int fd, const struct bt_entry *entry,
			struct bt_whole *whole, struct bt_error *error)
{
	uint64_t offset = 0;
	int r = 0;

	while (!r && offset < entry->size) {
		struct bt_slice slice;

		if (bt_voice_failed(&run->tell.voice))
			return BT_E_CANCELLED;
		r = bt_slice_start(run->store, entry, offset, 0, &slice, error);
		if (r)
			return r;
		bt_whole_add(whole, slice.data, slice.length);
		r = write_slice(fd, &slice, offset, error);
		if (!r)
			bt_tell_bytes(&run->tell, place, entry->name, slice.length, slice.data ? slice.length : 0);
		offset += slice.length;
		bt_slice_end(run->store, &slice);
	}
	return r;
}

static int write_content(struct bt_restore_run *run, struct bt_place *place, int fd, const struct bt_entry *entry,
			 struct bt_error *error)
{
	struct bt_whole *whole;
	int r = bt_whole_begin(entry, &whole, error);

	if (r)
		return r;
	r = write_slices(run, place, fd, entry, whole, error);
	if (!r && entry->extra && entry->extra->hole_count && ftruncate(fd, (off_t)entry->size))
		r = bt_fail_sys(error, errno, NULL, "write");
	if (!r)
		r = bt_whole_end(whole, error);
	bt_whole_free(whole);
	return r;
}

/* Writes contents and metadata; only the name is missing then. */
static int complete_file(struct bt_restore_run *run, struct bt_place *place, int fd, const struct bt_entry *entry,
			 struct stat *ret_status)
{
	struct bt_error error = {0};
	int r = write_content(run, place, fd, entry, &error);

	if (!r) {
		bt_meta_apply(run, place, entry->name, fd, entry,
			      BT_META_RENAMED | (place->default_acl ? BT_META_STRIP : 0));
		if (bt_restore_has_links(entry) && fstat(fd, ret_status))
			r = bt_fail_sys(&error, errno, NULL, "write");
	}
	if (close(fd) && !r && errno != EINTR)
		r = bt_fail_sys(&error, errno, NULL, "write");
	if (r && run->options.salvage && error.code == BT_E_DAMAGED)
		bt_restore_salvage(run, place, entry, &error);
	else if (r && error.code)
		bt_tell_unwritten(&run->tell, place, entry->name, &error);
	return r;
}

int bt_restore_file(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_entry *entry,
		    struct stat *ret_status)
{
	char temp[BT_TEMP_SIZE];
	int fd = bt_temp_open(run, dirfd, temp);

	if (fd < 0) {
		bt_tell_not_created(run, place, dirfd, entry->name, fd);
		return -1;
	}
	bt_inode_begin(fd, entry);
	if (complete_file(run, place, fd, entry, ret_status)) {
		(void)!unlinkat(dirfd, temp, 0);
		return -1;
	}
	int r = bt_temp_install(run, place, dirfd, &(struct bt_arrival){temp, entry->name, entry, false});
	if (r < 0)
		bt_tell_not_installed(run, place, dirfd, entry->name, r);
	else if (!r)
		bt_meta_seal(run, place, dirfd, entry);
	return r < 0 ? -1 : r;
}

static bool goes_on(void *arg, uint64_t read)
{
	return !bt_voice_failed(&((struct bt_restore_run *)arg)->tell.voice);
}

int bt_restore_compare(struct bt_restore_run *run, struct bt_restore_worker *worker, struct bt_place *place, int fd,
		       const struct bt_entry *entry)
{
	struct bt_against against = {.store = run->store,
				     .file = entry,
				     .fd = fd,
				     .buffer = worker->buffer,
				     .room = BT_WORKER_BUFFER,
				     .go_on = goes_on,
				     .arg = run};
	struct bt_error error = {0};
	bool equal = false;
	int r = bt_against_file(&against, &equal, &error);

	if (!r)
		return !equal;
	if (r != BT_E_CANCELLED)
		bt_tell_problem(&run->tell, place, entry->name, &error);
	return -1;
}
