/* SPDX-License-Identifier: MIT */
/* The store's files, opened when they are needed. */
#include "base/bytes.h"
#include "base/fail.h"
#include "store/store_inside.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void bt_slot_free(struct bt_slot *slot)
{
	bt_file_free(atomic_load(&slot->file));
	bt_object_close(slot->held);
	free(atomic_load(&slot->damage));
	pthread_mutex_destroy(&slot->lock);
	free(slot->path);
}

/* A file that was removed is not damaged. Otherwise the first reason stays. */
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

/* Opens a file of version 2; in a store opened for salvage also a damaged one. Takes the object over. */
static int open_current(struct bt_store *store, struct bt_slot *slot, struct bt_object *object,
			struct bt_file **ret_file, struct bt_error *error)
{
	struct bt_error damage = {0};
	struct bt_object *again = store->options.salvage ? bt_object_ref(object) : NULL;
	int r = bt_file_open(object, slot->path, ret_file, &damage);

	if (again && (r == BT_E_DAMAGED || r == BT_E_SYSTEM)) {
		damage = (struct bt_error){0};
		r = bt_file_open_loosely(again, slot->path, ret_file, &damage);
	} else {
		bt_object_close(again);
	}
	return bt_error_pass(error, &damage, r);
}

int bt_slot_object(struct bt_store *store, const struct bt_slot *slot, struct bt_object **ret_object,
		   struct bt_error *error)
{
	const struct bt_stored listed = {
		.size = slot->id.size, .mtime = slot->id.mtime, .stamp = slot->stamp, .is_file = true};

	return bt_object_open(store->backend, &(struct bt_backend_name){bt_area_of(slot->id.snapshot), slot->id.stored},
			      &listed, ret_object, error);
}

int bt_slot_text(struct bt_store *store, const struct bt_slot *slot, struct bt_object *stored, bool loosely,
		 struct bt_object **ret_object, struct bt_error *error)
{
	if (slot->id.at_rest)
		return bt_rest_open(&store->rest, stored, slot->path, loosely, ret_object, error);
	*ret_object = stored;
	return 0;
}

static int open_slot(struct bt_store *store, struct bt_slot *slot, struct bt_file **ret_file, struct bt_error *error)
{
	struct bt_file *file = NULL;
	struct bt_object *object = slot->held;
	int r = object ? 0 : bt_slot_object(store, slot, &object, error);

	slot->held = NULL;
	if (!r)
		r = bt_slot_text(store, slot, object, store->options.salvage, &object, error);
	if (r)
		return r;
	if (bt_slot_is_classic(store, slot, object))
		r = bt_derived_open(store, slot, object, &file, error);
	else
		r = open_current(store, slot, object, &file, error);
	if (r)
		return r;
	/* hold_slot may have kept the object; once its name is gone it cannot be opened again */
	if (!slot->id.gone)
		bt_file_keep(file, false);
	*ret_file = file;
	return 0;
}

void bt_slot_keep(struct bt_slot *slot)
{
	struct bt_file *file = atomic_load(&slot->file);

	if (file && slot->id.gone)
		bt_file_keep(file, true);
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

int bt_store_open_apart(struct bt_store *store, uint32_t ordinal, struct bt_object **ret_object, struct bt_error *error)
{
	const struct bt_file_id *id = bt_store_file_id(store, ordinal);
	struct bt_object *object;
	int r = bt_object_open(store->backend, &(struct bt_backend_name){bt_area_of(id->snapshot), id->stored}, NULL,
			       &object, error);

	if (!r)
		r = bt_slot_text(store, bt_slot(store, ordinal), object, true, &object, error);
	if (r)
		return r;
	bt_object_keep(object, true);
	*ret_object = object;
	return 0;
}

bool bt_slot_is_open(struct bt_slot *slot)
{
	pthread_mutex_lock(&slot->lock);
	bool open = atomic_load(&slot->file) || slot->held;
	pthread_mutex_unlock(&slot->lock);
	return open;
}

static void hold_slot(struct bt_store *store, struct bt_slot *slot)
{
	pthread_mutex_lock(&slot->lock);
	if (!atomic_load(&slot->file) && !slot->held && !bt_slot_object(store, slot, &slot->held, NULL) &&
	    !bt_object_keep(slot->held, true)) {
		bt_object_close(slot->held);
		slot->held = NULL;
	}
	pthread_mutex_unlock(&slot->lock);
}

void bt_store_hold(struct bt_store *store)
{
	size_t count = bt_store_file_count(store), room = bt_backend_open_limit(store->backend);

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

static void release_slot(struct bt_slot *slot)
{
	pthread_mutex_lock(&slot->lock);
	struct bt_file *file = atomic_load(&slot->file);
	bt_object_close(slot->held);
	slot->held = NULL;
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
		release_slot(slot);
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

int bt_store_missing(struct bt_store *store, const struct bt_digest *digest, bool page, struct bt_error *error)
{
	struct bt_error inner = {0};
	int r = bt_fail_damaged(&inner, page ? BT_R_MISSING_PAGE : BT_R_MISSING_CONTENT, NULL, BT_NO_OFFSET);

	for (uint32_t i = 0; i < bt_store_file_count(store); i++) {
		const struct bt_slot *slot = bt_slot(store, i);
		const struct bt_error *damage = slot->id.gone ? NULL : atomic_load(&slot->damage);

		if (damage && bt_error_is_newer(damage))
			return bt_error_pass(error, damage, r);
	}
	bt_digest_text(digest, inner.detail);
	return bt_error_pass(error, &inner, r);
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
