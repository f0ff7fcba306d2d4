/* SPDX-License-Identifier: MIT */
#include "restore/guard.h"
#include "base/fail.h"
#include "base/io.h"
#include "base/vec.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static int append(struct bt_guard *guard, const struct stat *status)
{
	if (bt_vec_room(guard->chain, guard->count, guard->room))
		return BT_E_NOMEM;
	guard->chain[guard->count++] = (struct bt_guarded){status->st_dev, status->st_ino};
	return 0;
}

/* From the directory up to the root, or to where this process may not look: a directory above that is safe, since it
 * cannot be removed without its contents. */
static int climb(struct bt_guard *guard, int dirfd)
{
	struct stat status;
	int fd = bt_openat(dirfd, ".", O_PATH | O_DIRECTORY, 0), r = 0;

	while (fd >= 0 && fstat(fd, &status) == 0) {
		const struct bt_guarded *below = guard->count ? &guard->chain[guard->count - 1] : NULL;

		if (below && below->dev == status.st_dev && below->ino == status.st_ino)
			break;
		r = append(guard, &status);
		int up = r ? -1 : bt_openat(fd, "..", O_PATH | O_DIRECTORY, 0);
		bt_close(&fd);
		fd = up;
	}
	bt_close(&fd);
	return r;
}

int bt_guard_init(struct bt_guard *guard, struct bt_store *store, struct bt_error *error)
{
	int fd = bt_store_local_fd(store);

	*guard = (struct bt_guard){.store = store, .loose = fd < 0 || !bt_store_marked(store)};
	if (fd < 0)
		return 0; /* the output has no directory of the store */
	int r = climb(guard, fd);
	if (!r && guard->count)
		return 0;
	bt_guard_free(guard);
	return r ? bt_fail(error, r, NULL, "restore the snapshot")
		 : bt_fail_sys(error, EIO, NULL, "read the store's directory");
}

void bt_guard_free(struct bt_guard *guard)
{
	free(guard->chain);
	guard->chain = NULL;
	guard->count = 0;
}

static bool is_store(const struct bt_guard *guard, const struct bt_guarded *directory)
{
	return directory->dev == guard->chain->dev && directory->ino == guard->chain->ino;
}

int bt_guard_check_output(const struct bt_guard *guard, int fd, const char *output, struct bt_error *error)
{
	struct bt_guard above = {0};
	bool inside = false;
	int r = guard->loose ? 0 : climb(&above, fd);

	for (size_t i = 0; i < above.count; i++)
		inside |= is_store(guard, &above.chain[i]);
	bt_guard_free(&above);
	if (inside)
		return bt_fail(error, BT_E_INVALID, output, "the output directory may not lie in the store");
	return r ? bt_fail(error, r, output, "restore the snapshot") : 0;
}

size_t bt_guard_level(const struct bt_guard *guard, const struct stat *status)
{
	for (size_t i = 0; S_ISDIR(status->st_mode) && i < guard->count; i++)
		if (guard->chain[i].dev == status->st_dev && guard->chain[i].ino == status->st_ino)
			return i + 1;
	return 0;
}

bool bt_guard_keeps(const struct bt_guard *guard, const struct stat *directory, const char *name,
		    const struct stat *status)
{
	uint32_t ordinal;

	if (bt_guard_level(guard, status))
		return true;
	return bt_guard_level(guard, directory) == 1 && bt_store_file_named(guard->store, name, &ordinal) == 0;
}
