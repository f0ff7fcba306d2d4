/* SPDX-License-Identifier: MIT */
#include "view/against.h"

#include "base/io.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_zero(const unsigned char *data, size_t size)
{
	return !data[0] && memcmp(data, data + 1, size - 1) == 0;
}

/* data NULL: zeros. */
static bool equal_data(struct bt_against *against, const unsigned char *data, uint64_t length, uint64_t offset)
{
	for (uint64_t done = 0; done < length;) {
		size_t part = length - done < against->room ? (size_t)(length - done) : against->room;
		ssize_t got = bt_pread_some(against->fd, against->buffer, part, offset + done);

		if (got < 0)
			against->sys = (int)-got;
		if (got != (ssize_t)part)
			return false;
		if (data ? memcmp(against->buffer, data + done, part) != 0 : !is_zero(against->buffer, part))
			return false;
		done += part;
		against->stopped = !against->go_on(against->arg, part);
		if (against->stopped)
			return false;
	}
	return true;
}

/* Where the file has data instead, those are to be zeros. */
static bool equal_hole(struct bt_against *against, uint64_t length, uint64_t offset)
{
	for (uint64_t end = offset + length; offset < end;) {
		off_t data = lseek(against->fd, (off_t)offset, SEEK_DATA);

		if (data < 0)
			return errno == ENXIO || equal_data(against, NULL, end - offset, offset);
		if ((uint64_t)data >= end)
			return true;
		off_t hole = lseek(against->fd, data, SEEK_HOLE);
		uint64_t until = hole <= data || (uint64_t)hole > end ? end : (uint64_t)hole;
		if (!equal_data(against, NULL, until - (uint64_t)data, (uint64_t)data))
			return false;
		offset = until;
	}
	return true;
}

static bool is_as_long(const struct bt_against *against)
{
	struct stat status;

	return fstat(against->fd, &status) == 0 && (uint64_t)status.st_size == against->file->size;
}

int bt_against_file(struct bt_against *against, bool *ret_equal, struct bt_error *error)
{
	struct bt_slice slice;
	bool equal = is_as_long(against);

	against->sys = 0;
	against->stopped = false;
	for (uint64_t offset = 0, length; equal && offset < against->file->size; offset += length) {
		int r = bt_slice_start(against->store, against->file, offset, 0, &slice, error);

		if (r)
			return r;
		length = slice.length;
		equal = slice.data ? equal_data(against, slice.data, length, offset)
				   : equal_hole(against, length, offset);
		bt_slice_end(against->store, &slice);
		if (against->stopped || !against->go_on(against->arg, 0))
			return BT_E_CANCELLED;
	}
	*ret_equal = equal && is_as_long(against);
	return 0;
}
