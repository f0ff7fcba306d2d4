/* SPDX-License-Identifier: MIT */
#include "store/gate.h"
#include "base/fail.h"
#include "base/io.h"
#include "base/random.h"
#include "store/store_inside.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK_AFTER_MS 1000
#define LOOK_SHARE    10 /* looks take at most one part in this number of the time */
#define ID_SIZE	      16
#define NAME_SIZE     48
#define CHANGED	      "the store's lock was lost, and another host changed the store meanwhile; nothing more was changed here"

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* No other program may remove a name: if one did, the lock was lost. */
static int fail_step(int sys, const struct bt_slot *slot, const char *what, struct bt_error *error)
{
	return sys == ENOENT ? bt_fail_lost(error, NULL, CHANGED) : bt_fail_sys(error, sys, slot->path, what);
}

/* A file that was replaced under its name is not new. */
static bool has_appeared(const struct bt_store *store, uint32_t known, uint32_t ordinal)
{
	const struct bt_slot *slot = bt_slot(store, ordinal);

	if (slot->made || slot->id.gone)
		return false;
	for (uint32_t i = 0; i < known; i++)
		if (!strcmp(bt_slot(store, i)->path, slot->path))
			return false;
	return true;
}

static int look_alone(struct bt_gate *gate, struct bt_error *error)
{
	const struct bt_store *store = gate->store;
	uint32_t count = (uint32_t)bt_store_file_count(store);
	bool others = false;

	for (uint32_t i = 0; i < count && !others; i++) {
		const struct bt_slot *slot = bt_slot(store, i);

		others = i < gate->known || slot->made ? slot->id.gone && !slot->taken
						       : has_appeared(store, gate->known, i);
	}
	gate->known = count;
	return others ? bt_fail_lost(error, NULL, CHANGED) : 0;
}

static int look_shared(struct bt_gate *gate, struct bt_error *error)
{
	for (uint32_t i = 0; i < bt_store_file_count(gate->store); i++) {
		struct bt_slot *slot = bt_slot(gate->store, i);

		if (atomic_load(&slot->leaned) && slot->id.gone)
			return bt_fail_lost(error, NULL,
					    "the store's lock was lost, and another host deleted meanwhile what the "
					    "snapshot relies on; no snapshot was made");
	}
	return 0;
}

/* Asks for the lock first: another program that had it meanwhile has given it back then, and its changes are seen. */
static int look(struct bt_gate *gate, struct bt_error *error)
{
	int64_t start = now_ms();

	if (bt_backend_lock_again(gate->store->backend, gate->fd, gate->kind))
		return bt_fail_lost(error, NULL, "the store's lock was lost; nothing more was changed");
	bt_store_doubt(gate->store);
	int r = bt_catalogue_refresh(gate->store, error);
	if (!r)
		r = gate->kind == BT_LOCK_SHARED ? look_shared(gate, error) : look_alone(gate, error);
	gate->next = gate->alert ? 0 : start + LOOK_AFTER_MS + LOOK_SHARE * (now_ms() - start);
	return r;
}

/* hex NULL: new digits */
static int volume_name(const char *hex, const char *suffix, char name[NAME_SIZE])
{
	char random[2 * ID_SIZE];
	int r = hex ? 0 : bt_random_hex(random, ID_SIZE);

	if (r)
		return r;
	snprintf(name, NAME_SIZE, "%.*s%s", 2 * ID_SIZE, hex ? hex : random, suffix);
	return 0;
}

/* The name of the file that a slot's file becomes, which lies as it did. */
static int volume_file(const struct bt_slot *slot, bool same_digits, const char *suffix, char stored[BT_STORED_SIZE])
{
	char name[NAME_SIZE];
	int r = volume_name(same_digits ? slot->id.name : NULL, suffix, name);

	if (!r)
		bt_stored_name(stored, name, slot->id.at_rest);
	return r;
}

int bt_volume_name(char name[NAME_SIZE], struct bt_error *error)
{
	int r = volume_name(NULL, BT_VOLUME_SUFFIX, name);

	return r ? bt_fail_sys(error, -r, NULL, "get random bytes") : 0;
}

/* The program that doomed it may still delete that name later; it cannot delete another name. */
static int adopt(struct bt_store *store, const struct bt_slot *slot, struct bt_error *error)
{
	char name[BT_STORED_SIZE];
	int r = volume_file(slot, false, BT_VOLUME_SUFFIX, name);

	if (!r)
		r = bt_backend_move(store->backend, &(struct bt_backend_name){BT_AREA_CONTENTS, slot->id.stored},
				    &(struct bt_backend_name){BT_AREA_CONTENTS, name});
	return r && r != -ENOENT ? bt_fail_sys(error, -r, slot->path, "rename the file") : 0;
}

static int adopt_all(struct bt_store *store, struct bt_error *error)
{
	bool any = false;
	int r = 0;

	for (uint32_t i = 0; i < bt_store_file_count(store) && !r; i++) {
		const struct bt_slot *slot = bt_slot(store, i);

		if (slot->id.gone || !slot->doomed)
			continue;
		r = adopt(store, slot, error);
		any = true;
	}
	if (r || !any)
		return r;
	bt_store_doubt(store);
	return bt_store_refresh(store, error);
}

static int enter(struct bt_gate *gate, struct bt_error *error)
{
	struct bt_store *store = gate->store;
	int r = bt_store_refresh(store, error);

	if (!r)
		r = bt_identity_enter(store, error);
	if (!r && gate->kind == BT_LOCK_EXCLUSIVE)
		r = adopt_all(store, error);
	gate->known = (uint32_t)bt_store_file_count(store);
	for (uint32_t i = 0; i < gate->known; i++) {
		struct bt_slot *slot = bt_slot(store, i);

		slot->made = false;
		slot->taken = slot->id.gone;
		atomic_store(&slot->leaned, false);
	}
	return r;
}

int bt_gate_open(struct bt_store *store, enum bt_lock_kind kind, const struct bt_observer *observer,
		 struct bt_gate *ret_gate, struct bt_error *error)
{
	char type[64];
	struct bt_gate gate = {.store = store, .kind = kind, .fd = -1, .next = now_ms() + LOOK_AFTER_MS};

	gate.alert = !bt_store_locks_reach(store, type);
	if (gate.alert)
		gate.next = 0;
	int r = bt_store_lock(store, kind == BT_LOCK_SHARED ? BT_LOCK_RAISABLE : kind, observer, &gate.fd, error);
	if (!r)
		r = enter(&gate, error);
	if (r)
		bt_close(&gate.fd);
	else
		*ret_gate = gate;
	return r;
}

int bt_gate_pass(struct bt_gate *gate, struct bt_error *error)
{
	return gate->fd < 0 || now_ms() < gate->next ? 0 : look(gate, error);
}

static int note_made(struct bt_gate *gate, const char *name, bool snapshot, struct bt_slot **ret_slot,
		     struct bt_error *error)
{
	struct bt_stored stored;
	int sys = bt_backend_look(gate->store->backend, bt_area_of(snapshot), name, &stored);

	if (sys)
		return bt_fail_sys(error, -sys, name, "look at");
	if (bt_catalogue_add(gate->store, name, snapshot, &stored, ret_slot))
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	(*ret_slot)->made = true;
	return 0;
}

int bt_gate_made(struct bt_gate *gate, const char *name, bool snapshot, struct bt_error *error)
{
	struct bt_slot *slot;

	return note_made(gate, name, snapshot, &slot, error);
}

void bt_gate_lean(struct bt_gate *gate, uint32_t ordinal)
{
	bt_slot_lean(bt_slot(gate->store, ordinal));
}

static int move(struct bt_gate *gate, uint32_t ordinal, const char *suffix, struct bt_slot **ret_slot,
		struct bt_error *error)
{
	struct bt_slot *slot = bt_slot(gate->store, ordinal);
	char name[BT_STORED_SIZE];
	int r = bt_backend_reach(gate->store->backend, BT_AREA_CONTENTS, error);

	if (!r)
		r = bt_gate_pass(gate, error);
	if (r)
		return r;
	int sys = volume_file(slot, !slot->id.snapshot, suffix, name);
	if (!sys)
		sys = bt_backend_move(gate->store->backend,
				      &(struct bt_backend_name){bt_area_of(slot->id.snapshot), slot->id.stored},
				      &(struct bt_backend_name){BT_AREA_CONTENTS, name});
	if (sys)
		return fail_step(-sys, slot, "move to contents", error);
	slot->taken = true;
	r = note_made(gate, name, false, ret_slot, error);
	/* What relies on the file relies on it under its new name. */
	if (!r && atomic_exchange(&slot->leaned, false))
		bt_slot_lean(*ret_slot);
	return r;
}

int bt_gate_move(struct bt_gate *gate, uint32_t ordinal, struct bt_error *error)
{
	struct bt_slot *slot;

	return move(gate, ordinal, BT_VOLUME_SUFFIX, &slot, error);
}

int bt_gate_doom(struct bt_gate *gate, uint32_t ordinal, struct bt_error *error)
{
	struct bt_slot *slot;
	int r = move(gate, ordinal, BT_DOOMED_SUFFIX, &slot, error);

	if (!r && bt_buf_append(&gate->doomed, &slot->id.ordinal, sizeof(slot->id.ordinal)))
		r = bt_fail(error, BT_E_NOMEM, NULL, NULL);
	return r;
}

static struct bt_slot *doomed(const struct bt_gate *gate, size_t i)
{
	const uint32_t *ordinals = (const uint32_t *)gate->doomed.data;

	return i < gate->doomed.length / sizeof(*ordinals) ? bt_slot(gate->store, ordinals[i]) : NULL;
}

/* One that keeps its doomed name becomes a volume again when the next program has the lock. */
static void spare_from(struct bt_gate *gate, size_t first)
{
	const struct bt_slot *slot;
	char name[BT_STORED_SIZE];

	for (size_t i = first; (slot = doomed(gate, i)); i++)
		if (!volume_file(slot, true, BT_VOLUME_SUFFIX, name))
			bt_backend_move(gate->store->backend,
					&(struct bt_backend_name){BT_AREA_CONTENTS, slot->id.stored},
					&(struct bt_backend_name){BT_AREA_CONTENTS, name});
	bt_buf_free(&gate->doomed);
}

void bt_gate_close(struct bt_gate *gate)
{
	if (gate->fd >= 0)
		spare_from(gate, 0);
	bt_close(&gate->fd);
}

static int delete_one(struct bt_gate *gate, struct bt_slot *slot, struct bt_error *error)
{
	int r = bt_gate_pass(gate, error);

	if (!r)
		r = bt_backend_reach(gate->store->backend, BT_AREA_CONTENTS, error);
	int sys = r ? 0
		    : bt_backend_remove(gate->store->backend,
					&(struct bt_backend_name){BT_AREA_CONTENTS, slot->id.stored});
	if (sys)
		r = fail_step(-sys, slot, "remove", error);
	slot->taken |= !r;
	return r;
}

int bt_gate_delete(struct bt_gate *gate, int (*done)(void *arg, size_t index, struct bt_error *error), void *arg,
		   struct bt_error *error)
{
	struct bt_slot *slot;
	size_t i = 0;
	int r = gate->doomed.length ? look(gate, error) : 0;

	for (slot = doomed(gate, i); !r && slot; slot = doomed(gate, i)) {
		r = delete_one(gate, slot, error);
		if (!r)
			r = done(arg, i++, error);
	}
	spare_from(gate, i);
	return r;
}
