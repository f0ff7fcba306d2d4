/* SPDX-License-Identifier: MIT */
/* Reads what is left of a damaged file into a file with another name: a file with gaps must neither look like a whole
 * one nor replace one. */
#include "base/fail.h"
#include "base/io.h"
#include "restore/meta.h"
#include "restore/run.h"
#include <errno.h>
#include <internal/view.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX	     ".partial"
#define LONGEST_NAME 255

struct salvage {
	struct bt_restore_run *run;
	struct bt_place *place;
	const struct bt_entry *entry;
	struct bt_buf lost; /* struct bt_extent */
	uint64_t read;
};

static int note_lost(struct salvage *salvage, uint64_t offset, uint64_t length)
{
	struct bt_buf *lost = &salvage->lost;
	struct bt_extent *last = lost->length ? (struct bt_extent *)(lost->data + lost->length) - 1 : NULL;
	const struct bt_extent extent = {offset, length};

	if (!last || last->offset + last->length != offset)
		return bt_buf_append(lost, &extent, sizeof(extent));
	last->length += length;
	return 0;
}

/* 0 or -errno. */
static int copy_slice(struct salvage *salvage, int fd, uint64_t offset, uint64_t *ret_length)
{
	struct bt_store *store = salvage->run->store;
	struct bt_error damage = {0};
	struct bt_slice slice;
	int r = bt_slice_start(store, salvage->entry, offset, 0, &slice, &damage);

	if (r == BT_E_NOMEM)
		return -ENOMEM;
	if (r) {
		*ret_length = bt_entry_lost(store, salvage->entry, offset);
		return note_lost(salvage, offset, *ret_length) ? -ENOMEM : 0;
	}
	*ret_length = slice.length;
	if (slice.data) {
		r = bt_pwrite_all(fd, slice.data, slice.length, offset);
		salvage->read += slice.length;
		bt_tell_bytes(&salvage->run->tell, salvage->place, salvage->entry->name, slice.length, slice.length);
	}
	bt_slice_end(store, &slice);
	return r;
}

static int copy(struct salvage *salvage, int fd)
{
	uint64_t length = 0;
	int r = 0;

	for (uint64_t offset = 0; offset < salvage->entry->size && !r; offset += length) {
		if (bt_voice_failed(&salvage->run->tell.voice))
			return -ECANCELED;
		r = copy_slice(salvage, fd, offset, &length);
	}
	if (!r && ftruncate(fd, (off_t)salvage->entry->size))
		r = -errno;
	return r;
}

static int install_partial(struct salvage *salvage, int dirfd, const char *temp)
{
	const struct bt_entry *entry = salvage->entry;
	char name[LONGEST_NAME + 1];
	int length = (int)(sizeof(name) - sizeof(SUFFIX));

	if (entry->name_length < length)
		length = entry->name_length;
	snprintf(name, sizeof(name), "%.*s" SUFFIX, length, entry->name);
	return bt_temp_install(salvage->run, salvage->place, dirfd, &(struct bt_arrival){temp, name, entry, false});
}

/* 0; 1 if nothing of the file can be read; or -errno. */
static int write_partial(struct salvage *salvage, int dirfd)
{
	char temp[BT_TEMP_SIZE];
	int fd = bt_temp_open(salvage->run, dirfd, temp);

	if (fd < 0)
		return fd;
	int r = copy(salvage, fd);
	if (!r && !salvage->read)
		r = 1;
	if (!r)
		bt_meta_apply(salvage->run, salvage->place, salvage->entry->name, fd, salvage->entry,
			      BT_META_RENAMED | (salvage->place->default_acl ? BT_META_STRIP : 0));
	if (close(fd) && !r && errno != EINTR)
		r = -errno;
	if (r) {
		(void)!unlinkat(dirfd, temp, 0);
		return r;
	}
	r = install_partial(salvage, dirfd, temp);
	return r < 0 ? r : 0;
}

static void tell_lost(struct salvage *salvage, const struct bt_error *damage)
{
	const struct bt_extent *lost = (const struct bt_extent *)salvage->lost.data;
	size_t count = salvage->lost.length / sizeof(*lost);
	struct bt_tell *tell = &salvage->run->tell;

	bt_tell_problem(tell, salvage->place, salvage->entry->name, damage);
	for (size_t i = 0; i <= count; i++) {
		char text[160];
		struct bt_error error = {0};

		if (i < count)
			snprintf(text, sizeof(text), "bytes %llu to %llu are lost", (unsigned long long)lost[i].offset,
				 (unsigned long long)(lost[i].offset + lost[i].length - 1));
		else
			snprintf(text, sizeof(text), "what there is of it has the same name with " SUFFIX);
		bt_fail(&error, BT_E_INCOMPLETE, NULL, text);
		bt_tell_more(tell, salvage->place, salvage->entry->name, &error);
	}
}

void bt_restore_salvage(struct bt_restore_run *run, struct bt_place *place, const struct bt_entry *entry,
			const struct bt_error *damage)
{
	struct salvage salvage = {.run = run, .place = place, .entry = entry};
	int dirfd = bt_place_get(&run->places, place);
	int r = dirfd < 0 ? dirfd : write_partial(&salvage, dirfd);

	if (dirfd >= 0)
		bt_place_put(&run->places, place);
	if (r == 1 || r == -ECANCELED)
		bt_tell_problem(&run->tell, place, entry->name, damage);
	else if (r < 0)
		bt_tell_unwritten_sys(&run->tell, place, entry->name, -r, "write the readable part");
	else
		tell_lost(&salvage, damage);
	bt_buf_free(&salvage.lost);
}
