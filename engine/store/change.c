/* SPDX-License-Identifier: MIT */
/* The steps of gate.h by which files of a store get other names. Their orders stand there. */
#include "base/fail.h"
#include "base/io.h"
#include "base/made.h"
#include "base/publish.h"
#include "store/gate.h"
#include "store/store_inside.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES_MAX 1000

/* A file by its name in a directory that is open. */
struct place {
	int dirfd; /* borrowed */
	const char *name;
	const char *path; /* as errors name it */
};

static int place_of(struct bt_store *store, const struct bt_slot *slot, struct place *ret_place, struct bt_error *error)
{
	*ret_place = (struct place){store->dirfd, slot->id.name, slot->path};
	return slot->id.snapshot ? 0 : bt_store_contents_dirfd(store, &ret_place->dirfd, error);
}

static int sync_directory(int dirfd, const char *path, const char *what, struct bt_error *error)
{
	int r = bt_sync_directory(dirfd);
	return r ? bt_fail_sys(error, -r, path, what) : 0;
}

int bt_store_settle(struct bt_store *store, struct bt_error *error)
{
	int contents, r = bt_store_contents_dirfd(store, &contents, error);
	if (!r)
		r = sync_directory(contents, NULL, "sync the store", error);
	return r ? r : sync_directory(store->dirfd, NULL, "sync the store", error);
}

int bt_store_create(struct bt_store *store, bool snapshot, const struct bt_buf *header, struct bt_writer **ret_writer,
		    struct bt_error *error)
{
	int dirfd = store->dirfd, r = snapshot ? 0 : bt_store_contents_dirfd(store, &dirfd, error);
	return r ? r : bt_writer_new(dirfd, header, ret_writer, error);
}

int bt_store_publish(struct bt_store *store, bool snapshot, struct bt_writer *writer, const struct bt_buf *summary,
		     const char *name, struct bt_error *error)
{
	int r = bt_writer_seal(writer, summary, name, error);
	return r ? r : bt_store_add_file(store, name, snapshot, writer, error);
}

int bt_gate_publish(struct bt_gate *gate, struct bt_writer *writer, const struct bt_buf *summary, const char *name,
		    struct bt_error *error)
{
	int r = bt_gate_pass(gate, error);
	if (!r)
		r = bt_store_publish(gate->store, true, writer, summary, name, error);
	if (r)
		return r;
	r = bt_gate_pass(gate, error);
	if (r)
		unlinkat(gate->store->dirfd, name, 0);
	return r;
}

static int keep_as_volume(struct bt_gate *gate, const struct place *old, struct bt_error *error)
{
	char volume[48];
	int contents, r = bt_store_contents_dirfd(gate->store, &contents, error);
	if (!r)
		r = bt_volume_name(volume, error);
	if (!r)
		r = bt_publish_twin(old->dirfd, old->name, contents, volume, error);
	if (!r)
		r = bt_gate_made(gate, volume, false, error);
	return r ? r : sync_directory(contents, BT_CONTENTS_DIR, "sync", error);
}

static int open_damaged(const struct bt_store *store, int *ret_fd, struct bt_error *error)
{
	int fd = bt_open_subdirectory(store->dirfd, BT_DAMAGED_DIR);
	if (fd < 0)
		return bt_fail_sys(error, -fd, BT_DAMAGED_DIR, "make the directory");
	*ret_fd = fd;
	return 0;
}

/* The name that a file gets in damaged/ at this attempt; path is the whole of it, name its last part. */
static const char *damaged_name(char path[BT_ASIDE_SIZE], const struct place *old, int attempt)
{
	snprintf(path, BT_ASIDE_SIZE, attempt ? BT_DAMAGED_DIR "/%s.%d" : BT_DAMAGED_DIR "/%s", old->name, attempt);
	return path + sizeof(BT_DAMAGED_DIR);
}

/* The file has this name there since a repair that was killed. */
static bool is_there(const struct place *old, int damagedfd, const char *name)
{
	struct stat one, two;
	return fstatat(old->dirfd, old->name, &one, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(damagedfd, name, &two, AT_SYMLINK_NOFOLLOW) == 0 && one.st_dev == two.st_dev &&
	       one.st_ino == two.st_ino;
}

/* Under a name that is free there, or the file's already. */
static int twin_in_damaged(const struct place *old, int damagedfd, char path[BT_ASIDE_SIZE], struct bt_error *error)
{
	for (int i = 0; i < NAMES_MAX; i++) {
		struct bt_error inner = {0};
		const char *name = damaged_name(path, old, i);
		int r = bt_publish_twin(old->dirfd, old->name, damagedfd, name, &inner);
		if (!r || (r == BT_E_EXISTS && is_there(old, damagedfd, name)))
			return 0;
		if (r != BT_E_EXISTS) {
			if (error && !error->code)
				*error = inner;
			return r;
		}
	}
	return bt_fail(error, BT_E_EXISTS, old->path, "keep it in damaged/");
}

static int keep_in_damaged(struct bt_gate *gate, const struct place *old, char path[BT_ASIDE_SIZE],
			   struct bt_error *error)
{
	int fd, r = open_damaged(gate->store, &fd, error);
	if (r)
		return r;
	r = twin_in_damaged(old, fd, path, error);
	if (!r)
		r = sync_directory(fd, BT_DAMAGED_DIR, "sync", error);
	bt_close(&fd);
	return r;
}

/* The new file has the provisional name. */
static int take_over(struct bt_gate *gate, struct bt_slot *slot, const char *temp, char *damaged,
		     struct bt_error *error)
{
	struct place old;
	int r = place_of(gate->store, slot, &old, error);
	if (!r)
		r = damaged ? keep_in_damaged(gate, &old, damaged, error) : keep_as_volume(gate, &old, error);
	if (!r)
		r = bt_gate_pass(gate, error);
	if (r)
		return r;
	int sys = renameat(old.dirfd, temp, old.dirfd, old.name) ? -errno : bt_sync_directory(old.dirfd);
	if (sys)
		return bt_publish_failed(temp, -sys, old.path, "replace", error);
	slot->taken = true;
	return 0;
}

static int replace(struct bt_gate *gate, uint32_t ordinal, struct bt_writer *writer, const struct bt_buf *summary,
		   char *damaged, struct bt_error *error)
{
	char temp[32];
	int r = bt_publish_temp_name(temp, error);
	if (r)
		return r;
	r = bt_writer_seal(writer, summary, temp, error);
	if (!r)
		r = take_over(gate, bt_slot(gate->store, ordinal), temp, damaged, error);
	if (r)
		unlinkat(gate->store->dirfd, temp, 0);
	return r;
}

int bt_gate_replace(struct bt_gate *gate, uint32_t ordinal, struct bt_writer *writer, const struct bt_buf *summary,
		    struct bt_error *error)
{
	return replace(gate, ordinal, writer, summary, NULL, error);
}

int bt_gate_mend(struct bt_gate *gate, uint32_t ordinal, struct bt_writer *writer, const struct bt_buf *summary,
		 char damaged[BT_ASIDE_SIZE], struct bt_error *error)
{
	return replace(gate, ordinal, writer, summary, damaged, error);
}

static int set_file_aside(struct bt_gate *gate, const struct place *old, char path[BT_ASIDE_SIZE],
			  struct bt_error *error)
{
	int r = keep_in_damaged(gate, old, path, error);
	if (!r)
		r = bt_gate_pass(gate, error);
	if (!r && unlinkat(old->dirfd, old->name, 0))
		r = bt_fail_sys(error, errno, old->path, "move to damaged/");
	return r ? r : sync_directory(old->dirfd, old->path, "move to damaged/", error);
}

/* What cannot have two names. */
static int set_other_aside(struct bt_gate *gate, const struct place *old, char path[BT_ASIDE_SIZE],
			   struct bt_error *error)
{
	int fd, sys = -EEXIST, r = bt_gate_pass(gate, error);
	if (!r)
		r = open_damaged(gate->store, &fd, error);
	if (r)
		return r;
	for (int i = 0; sys == -EEXIST && i < NAMES_MAX; i++)
		sys = bt_rename_new(old->dirfd, old->name, fd, damaged_name(path, old, i));
	if (sys)
		r = bt_fail_sys(error, -sys, old->path, "move to damaged/");
	if (!r)
		r = sync_directory(fd, BT_DAMAGED_DIR, "sync", error);
	bt_close(&fd);
	return r ? r : sync_directory(old->dirfd, BT_DAMAGED_DIR, "sync", error);
}

static int set_aside(struct bt_gate *gate, const struct place *old, char path[BT_ASIDE_SIZE], struct bt_error *error)
{
	struct stat status;
	if (fstatat(old->dirfd, old->name, &status, AT_SYMLINK_NOFOLLOW))
		return bt_fail_sys(error, errno, old->path, "move to damaged/");
	return S_ISREG(status.st_mode) ? set_file_aside(gate, old, path, error)
				       : set_other_aside(gate, old, path, error);
}

int bt_gate_set_aside(struct bt_gate *gate, uint32_t ordinal, char path[BT_ASIDE_SIZE], struct bt_error *error)
{
	struct bt_slot *slot = bt_slot(gate->store, ordinal);
	struct place old;
	int r = place_of(gate->store, slot, &old, error);
	if (!r)
		r = set_aside(gate, &old, path, error);
	slot->taken |= !r;
	return r;
}

int bt_gate_renew_identity(struct bt_gate *gate, char path[BT_ASIDE_SIZE], struct bt_error *error)
{
	const struct place old = {gate->store->dirfd, BT_ID_NAME, BT_ID_NAME};
	bool given;
	int r = set_aside(gate, &old, path, error);
	return r ? r : bt_identity_give(gate->store, &given, error);
}

int bt_gate_rename(struct bt_gate *gate, uint32_t ordinal, const char *name, struct bt_error *error)
{
	struct bt_slot *slot = bt_slot(gate->store, ordinal);
	int dirfd = gate->store->dirfd, r = bt_gate_pass(gate, error);
	if (r)
		return r;
	int sys = bt_rename_new(dirfd, slot->id.name, dirfd, name);
	if (sys == -EEXIST)
		return bt_fail(error, BT_E_EXISTS, slot->path, "rename");
	if (sys)
		return bt_fail_sys(error, -sys, slot->path, "rename");
	slot->taken = true;
	r = sync_directory(dirfd, slot->path, "rename", error);
	return r ? r : bt_gate_made(gate, name, true, error);
}

int bt_gate_remove(struct bt_gate *gate, uint32_t ordinal, struct bt_error *error)
{
	struct bt_slot *slot = bt_slot(gate->store, ordinal);
	struct place old;
	int r = place_of(gate->store, slot, &old, error);
	if (!r)
		r = bt_gate_pass(gate, error);
	if (!r && unlinkat(old.dirfd, old.name, 0) && errno != ENOENT)
		r = bt_fail_sys(error, errno, old.path, "remove");
	slot->taken |= !r;
	return r;
}
