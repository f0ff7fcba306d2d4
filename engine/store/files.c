/* SPDX-License-Identifier: MIT */
/* The store's files, opened when they are needed. */
#include "base/fail.h"
#include "base/io.h"
#include "store/store_inside.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void bt_slot_free(struct bt_slot *slot)
{
	bt_file_free(atomic_load(&slot->file));
	bt_close(&slot->held);
	while (slot->retired) {
		struct bt_retired *retired = slot->retired;
		slot->retired = retired->next;
		bt_file_free(retired->file);
		free(retired);
	}
	free(atomic_load(&slot->damage));
	pthread_mutex_destroy(&slot->lock);
	free(slot->path);
}

/* A file that went away is none; other than that the first reason stays. */
void bt_slot_damaged(struct bt_slot *slot, const struct bt_error *error)
{
	struct bt_error *copy = NULL, *none = NULL;
	if (error->sys == ENOENT || error->code == BT_E_NOMEM || error->code == BT_E_CANCELLED ||
	    error->code == BT_OK || (error->code == BT_E_DAMAGED && error->reason == BT_R_CHANGED) ||
	    atomic_load(&slot->damage))
		return;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return;
	*copy = *error;
	if (!atomic_compare_exchange_strong(&slot->damage, &none, copy))
		free(copy);
}

/* A file of version 2; to salvage what it has, also a damaged one. The fd is taken over. */
static int open_current(struct bt_store *store, struct bt_slot *slot, int fd, struct bt_file **ret_file,
			struct bt_error *error)
{
	struct bt_error damage = {0};
	int again = store->options.salvage ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	int r = bt_file_open(fd, slot->path, ret_file, &damage);
	if (again >= 0 && (r == BT_E_DAMAGED || r == BT_E_SYSTEM)) {
		damage = (struct bt_error){0};
		r = bt_file_open_loosely(again, slot->path, ret_file, &damage);
	} else {
		bt_close(&again);
	}
	return bt_error_pass(error, &damage, r);
}

/* -1 if there is none. */
static int take_held(struct bt_store *store, struct bt_slot *slot)
{
	int fd = slot->held;
	if (fd >= 0)
		bt_fds_count_others(store->fds, -1);
	slot->held = -1;
	return fd;
}

static int open_slot(struct bt_store *store, struct bt_slot *slot, struct bt_file **ret_file, struct bt_error *error)
{
	struct stat st;
	struct bt_file *file = NULL;
	int fd = take_held(store, slot), r;
	if (fd < 0)
		fd = bt_fds_open(store->fds, bt_store_local_fd(store), slot->path);
	if (fd < 0)
		return bt_fail_open(error, -fd, bt_store_local_fd(store), slot->path);
	if (fstat(fd, &st) || (uint64_t)st.st_size != slot->id.size || st.st_mtim.tv_sec != slot->id.mtime.seconds ||
	    (uint32_t)st.st_mtim.tv_nsec != slot->id.mtime.nanoseconds) {
		bt_close(&fd);
		return bt_fail_damaged(error, BT_R_CHANGED, slot->path, BT_NO_OFFSET);
	}
	if (slot->id.snapshot && store->foreign.detect && store->foreign.detect(fd))
		r = bt_derived_open(store, slot, fd, &file, error);
	else
		r = open_current(store, slot, fd, &file, error);
	if (!r && bt_file_share(file, store->fds, bt_store_local_fd(store), slot->path)) {
		bt_file_free(file);
		return bt_fail(error, BT_E_NOMEM, slot->path, NULL);
	}
	if (!r)
		*ret_file = file;
	return r;
}

void bt_slot_keep(struct bt_slot *slot)
{
	struct bt_file *file = atomic_load(&slot->file);
	if (file && slot->id.gone)
		bt_file_keep(file);
}

static int open_once(struct bt_store *store, struct bt_slot *slot, struct bt_file **ret_file, struct bt_error *error)
{
	struct bt_error inner = {0};
	int r = 0;
	bt_store_before_slow(store);
	pthread_mutex_lock(&slot->lock);
	struct bt_file *file = atomic_load(&slot->file);
	if (!file)
		r = open_slot(store, slot, &file, &inner);
	if (!r) {
		atomic_store(&slot->file, file);
		bt_slot_keep(slot);
	}
	pthread_mutex_unlock(&slot->lock);
	if (r) {
		bt_slot_damaged(slot, &inner);
		return bt_error_pass(error, &inner, r);
	}
	*ret_file = file;
	return 0;
}

int bt_store_file(struct bt_store *store, uint32_t ordinal, struct bt_file **ret_file, struct bt_error *error)
{
	struct bt_slot *slot = bt_slot(store, ordinal);
	struct bt_file *file = atomic_load_explicit(&slot->file, memory_order_acquire);
	if (!file)
		return open_once(store, slot, ret_file, error);
	*ret_file = file;
	return 0;
}

int bt_store_open_apart(struct bt_store *store, uint32_t ordinal, int *ret_fd, struct bt_error *error)
{
	const struct bt_slot *slot = bt_slot(store, ordinal);
	int fd = bt_open_file(bt_store_local_fd(store), slot->path, O_RDONLY);
	if (fd < 0)
		return bt_fail_open(error, -fd, bt_store_local_fd(store), slot->path);
	*ret_fd = fd;
	return 0;
}

bool bt_slot_is_open(struct bt_slot *slot)
{
	pthread_mutex_lock(&slot->lock);
	bool open = atomic_load(&slot->file) || slot->held >= 0;
	pthread_mutex_unlock(&slot->lock);
	return open;
}

static void hold_slot(struct bt_store *store, struct bt_slot *slot)
{
	pthread_mutex_lock(&slot->lock);
	if (!atomic_load(&slot->file) && slot->held < 0) {
		int fd = bt_open_file(bt_store_local_fd(store), slot->path, O_RDONLY);
		slot->held = fd < 0 ? -1 : fd;
		bt_fds_count_others(store->fds, slot->held >= 0);
	}
	pthread_mutex_unlock(&slot->lock);
}

void bt_store_hold(struct bt_store *store)
{
	size_t count = bt_store_file_count(store), room = bt_fds_limit(store->fds);
	for (size_t i = count; i-- > 0 && room > 0;) {
		struct bt_slot *slot = bt_slot(store, (uint32_t)i);
		if (!slot->id.gone)
			hold_slot(store, slot);
		room -= bt_slot_is_open(slot);
	}
}

bool bt_store_holds_removed(struct bt_store *store)
{
	for (uint32_t i = 0; i < bt_store_file_count(store); i++) {
		struct bt_slot *slot = bt_slot(store, i);
		if (slot->id.gone && !slot->released && bt_slot_is_open(slot))
			return true;
	}
	return false;
}

static void release_slot(struct bt_store *store, struct bt_slot *slot)
{
	pthread_mutex_lock(&slot->lock);
	struct bt_file *file = atomic_load(&slot->file);
	int held = take_held(store, slot);
	bt_close(&held);
	if (file)
		bt_file_release(file);
	slot->released = true;
	pthread_mutex_unlock(&slot->lock);
}

void bt_store_release(struct bt_store *store)
{
	for (uint32_t i = 0; i < bt_store_file_count(store); i++) {
		struct bt_slot *slot = bt_slot(store, i);
		if (!slot->id.gone || slot->released)
			continue;
		release_slot(store, slot);
		atomic_fetch_add(&store->found, 1);
	}
}

size_t bt_store_damaged_count(struct bt_store *store)
{
	size_t count = 0;
	for (uint32_t i = 0; i < bt_store_file_count(store); i++) {
		const struct bt_slot *slot = bt_slot(store, i);
		count += !slot->id.gone && atomic_load(&slot->damage);
	}
	return count;
}

const struct bt_error *bt_store_damaged(struct bt_store *store, size_t index)
{
	for (uint32_t i = 0; i < bt_store_file_count(store); i++) {
		const struct bt_slot *slot = bt_slot(store, i);
		const struct bt_error *damage = slot->id.gone ? NULL : atomic_load(&slot->damage);
		if (damage && index-- == 0)
			return damage;
	}
	return NULL;
}

int bt_store_survey(struct bt_store *store, struct bt_error *error)
{
	for (uint32_t i = 0; i < bt_store_file_count(store); i++) {
		struct bt_file *file;
		if (!bt_slot(store, i)->id.gone && bt_store_file(store, i, &file, NULL) == BT_E_NOMEM)
			return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	}
	return bt_lookup_index(store, error);
}
