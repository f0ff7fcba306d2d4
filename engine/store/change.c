/* SPDX-License-Identifier: MIT */
/* The steps of gate.h that give files other names. Their order is described there. */
#include "base/fail.h"
#include "store/gate.h"
#include "store/store_inside.h"
#include <errno.h>
#include <stdio.h>

#define NAMES_MAX 1000

/* A file's name, and its name in errors. */
struct place {
	struct bt_backend_name at;
	const char *path;
};

static struct place place_of(const struct bt_slot *slot)
{
	return (struct place){{bt_area_of(slot->id.snapshot), slot->id.stored}, slot->path};
}

static int settle(struct bt_store *store, enum bt_area area, const char *path, const char *what, struct bt_error *error)
{
	int sys = bt_backend_settle(store->backend, area);

	return sys ? bt_fail_sys(error, -sys, path, what) : 0;
}

int bt_store_settle(struct bt_store *store, struct bt_error *error)
{
	int r = bt_backend_reach(store->backend, BT_AREA_CONTENTS, error);

	if (!r)
		r = settle(store, BT_AREA_CONTENTS, NULL, "sync the store", error);
	return r ? r : settle(store, BT_AREA_TOP, NULL, "sync the store", error);
}

static int create(struct bt_store *store, enum bt_area area, bool at_rest, const struct bt_buf *header,
		  struct bt_writer **ret_writer, struct bt_error *error)
{
	struct bt_upload *upload;
	int r = bt_backend_create(store->backend, area, &upload, error);

	if (!r && at_rest)
		r = bt_rest_upload(upload, &upload, error);
	return r ? r : bt_writer_new(upload, header, ret_writer, error);
}

int bt_store_create(struct bt_store *store, bool snapshot, const struct bt_buf *header, struct bt_writer **ret_writer,
		    struct bt_error *error)
{
	return create(store, bt_area_of(snapshot), store->at_rest, header, ret_writer, error);
}

int bt_store_create_like(struct bt_store *store, uint32_t ordinal, const struct bt_buf *header,
			 struct bt_writer **ret_writer, struct bt_error *error)
{
	const struct bt_file_id *id = bt_store_file_id(store, ordinal);

	return create(store, bt_area_of(id->snapshot), id->at_rest, header, ret_writer, error);
}

int bt_store_publish(struct bt_store *store, bool snapshot, struct bt_writer *writer, const struct bt_buf *summary,
		     const char *name, struct bt_error *error)
{
	char stored[BT_STORED_SIZE];

	bt_stored_name(stored, name, bt_writer_at_rest(writer));
	int r = bt_writer_seal(writer, summary, stored, error);
	return r ? r : bt_store_add_file(store, stored, snapshot, writer, error);
}

/* Whether a snapshot of this name lies in the other way. */
static bool is_taken(struct bt_store *store, const char *name, bool at_rest)
{
	char other[BT_STORED_SIZE];
	struct bt_stored found;

	bt_stored_name(other, name, !at_rest);
	return !bt_backend_look(store->backend, BT_AREA_TOP, other, &found);
}

/* Only programs that lay files differently in the same second can find each other here: both take their names back. */
static int see_alone(struct bt_gate *gate, const char *name, bool at_rest, struct bt_error *error)
{
	if (!is_taken(gate->store, name, at_rest))
		return 0;
	return bt_fail_lost(error, name, "another program gave a snapshot the same name; no snapshot was made");
}

int bt_gate_publish(struct bt_gate *gate, struct bt_writer *writer, const struct bt_buf *summary, const char *name,
		    struct bt_error *error)
{
	bool at_rest = bt_writer_at_rest(writer);
	char stored[BT_STORED_SIZE];
	int r = bt_gate_pass(gate, error);

	if (!r && is_taken(gate->store, name, at_rest))
		r = bt_fail(error, BT_E_EXISTS, name, "give the file its name");
	if (!r)
		r = bt_store_publish(gate->store, true, writer, summary, name, error);
	if (r)
		return r;
	r = bt_gate_pass(gate, error);
	if (!r)
		r = see_alone(gate, name, at_rest, error);
	bt_stored_name(stored, name, at_rest);
	if (r)
		bt_backend_remove(gate->store->backend, &(struct bt_backend_name){BT_AREA_TOP, stored});
	return r;
}

static int shelve(struct bt_gate *gate, const struct bt_backend_name *temp, const struct bt_writer *writer,
		  struct bt_error *error)
{
	struct bt_store *store = gate->store;
	char name[48], volume[BT_STORED_SIZE];
	int r = bt_volume_name(name, error);

	if (!r)
		r = bt_backend_reach(store->backend, BT_AREA_CONTENTS, error);
	if (r)
		return r;
	bt_stored_name(volume, name, bt_writer_at_rest(writer));
	int sys = bt_backend_move(store->backend, temp, &(struct bt_backend_name){BT_AREA_CONTENTS, volume});
	if (sys)
		return bt_fail_sys(error, -sys, temp->name, "move to contents");
	r = bt_store_settle(store, error);
	return r ? r : bt_store_add_file(store, volume, false, writer, error);
}

int bt_gate_shelve(struct bt_gate *gate, struct bt_writer *writer, const struct bt_buf *summary, struct bt_error *error)
{
	char name[32];
	const struct bt_backend_name temp = {BT_AREA_TOP, name};
	int r = bt_backend_provisional(name, error);

	if (!r)
		r = bt_writer_seal(writer, summary, name, error);
	if (r)
		return r;
	r = shelve(gate, &temp, writer, error);
	if (r)
		bt_backend_remove(gate->store->backend, &temp);
	return r;
}

static int keep_as_volume(struct bt_gate *gate, const struct bt_slot *slot, const struct place *old,
			  struct bt_error *error)
{
	struct bt_store *store = gate->store;
	char name[48], volume[BT_STORED_SIZE];
	int r = bt_volume_name(name, error);

	if (r)
		return r;
	bt_stored_name(volume, name, slot->id.at_rest);
	r = bt_backend_twin(store->backend, &old->at, &(struct bt_backend_name){BT_AREA_CONTENTS, volume}, error);
	if (!r)
		r = bt_gate_made(gate, volume, false, error);
	return r ? r : settle(store, BT_AREA_CONTENTS, BT_CONTENTS_DIR, "sync", error);
}

/* The name that a file gets in damaged/ at this attempt: the last part of path. */
static struct bt_backend_name damaged_name(char path[BT_ASIDE_SIZE], const struct place *old, int attempt)
{
	snprintf(path, BT_ASIDE_SIZE, attempt ? BT_DAMAGED_DIR "/%s.%d" : BT_DAMAGED_DIR "/%s", old->at.name, attempt);
	return (struct bt_backend_name){BT_AREA_DAMAGED, path + sizeof(BT_DAMAGED_DIR)};
}

/* Under a free name, or one that a killed repair has given to this file already. */
static int twin_in_damaged(struct bt_backend *backend, const struct place *old, char path[BT_ASIDE_SIZE],
			   struct bt_error *error)
{
	for (int i = 0; i < NAMES_MAX; i++) {
		struct bt_error inner = {0};
		struct bt_backend_name twin = damaged_name(path, old, i);
		int r = bt_backend_twin(backend, &old->at, &twin, &inner);

		if (!r || (r == BT_E_EXISTS && bt_backend_is_twin(backend, &old->at, &twin)))
			return 0;
		if (r != BT_E_EXISTS)
			return bt_error_pass(error, &inner, r);
	}
	return bt_fail(error, BT_E_EXISTS, old->path, "keep it in damaged/");
}

static int keep_in_damaged(struct bt_gate *gate, const struct place *old, char path[BT_ASIDE_SIZE],
			   struct bt_error *error)
{
	int r = twin_in_damaged(gate->store->backend, old, path, error);

	return r ? r : settle(gate->store, BT_AREA_DAMAGED, BT_DAMAGED_DIR, "sync", error);
}

/* The new file has the provisional name. */
static int take_over(struct bt_gate *gate, struct bt_slot *slot, const struct bt_backend_name *temp, char *damaged,
		     struct bt_error *error)
{
	const struct place old = place_of(slot);
	int r = damaged ? keep_in_damaged(gate, &old, damaged, error) : keep_as_volume(gate, slot, &old, error);

	if (!r)
		r = bt_gate_pass(gate, error);
	if (r)
		return r;
	r = bt_backend_replace(gate->store->backend, temp, old.at.name, error);
	if (!r)
		r = settle(gate->store, temp->area, old.path, "replace", error);
	if (r)
		return r;
	slot->taken = true;
	return 0;
}

static int replace(struct bt_gate *gate, uint32_t ordinal, struct bt_writer *writer, const struct bt_buf *summary,
		   char *damaged, struct bt_error *error)
{
	char name[32];
	const struct bt_backend_name temp = {BT_AREA_TOP, name};
	int r = bt_backend_provisional(name, error);

	if (!r && bt_writer_at_rest(writer) != bt_slot(gate->store, ordinal)->id.at_rest)
		r = bt_fail(error, BT_E_INVALID, NULL, "a file that lies in another way");
	if (r)
		return r;
	r = bt_writer_seal(writer, summary, name, error);
	if (!r)
		r = take_over(gate, bt_slot(gate->store, ordinal), &temp, damaged, error);
	if (r)
		bt_backend_remove(gate->store->backend, &temp);
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

/* Removes a name and settles its area. */
static int remove_first_name(struct bt_store *store, const struct place *old, struct bt_error *error)
{
	int sys = bt_backend_remove(store->backend, &old->at);

	if (sys)
		return bt_fail_sys(error, -sys, old->path, "move it to damaged/");
	return settle(store, old->at.area, old->path, "move to damaged/", error);
}

static int set_file_aside(struct bt_gate *gate, const struct place *old, char path[BT_ASIDE_SIZE],
			  struct bt_error *error)
{
	int r = keep_in_damaged(gate, old, path, error);

	if (!r)
		r = bt_gate_pass(gate, error);
	return r ? r : remove_first_name(gate->store, old, error);
}

/* For something that cannot have two names. */
static int set_other_aside(struct bt_gate *gate, const struct place *old, char path[BT_ASIDE_SIZE],
			   struct bt_error *error)
{
	struct bt_store *store = gate->store;
	int sys = -EEXIST, r = bt_gate_pass(gate, error);

	if (!r)
		r = bt_backend_reach(store->backend, BT_AREA_DAMAGED, error);
	if (r)
		return r;
	for (int i = 0; sys == -EEXIST && i < NAMES_MAX; i++) {
		const struct bt_backend_name name = damaged_name(path, old, i);

		sys = bt_backend_move(store->backend, &old->at, &name);
	}
	if (sys)
		return bt_fail_sys(error, -sys, old->path, "move it to damaged/");
	r = settle(store, BT_AREA_DAMAGED, BT_DAMAGED_DIR, "sync", error);
	return r ? r : settle(store, old->at.area, BT_DAMAGED_DIR, "sync", error);
}

static int set_aside(struct bt_gate *gate, const struct place *old, char path[BT_ASIDE_SIZE], struct bt_error *error)
{
	struct bt_stored stored;
	int sys = bt_backend_look(gate->store->backend, old->at.area, old->at.name, &stored);

	if (sys)
		return bt_fail_sys(error, -sys, old->path, "move it to damaged/");
	return stored.is_file ? set_file_aside(gate, old, path, error) : set_other_aside(gate, old, path, error);
}

int bt_gate_set_aside(struct bt_gate *gate, uint32_t ordinal, char path[BT_ASIDE_SIZE], struct bt_error *error)
{
	struct bt_slot *slot = bt_slot(gate->store, ordinal);
	const struct place old = place_of(slot);
	int r = set_aside(gate, &old, path, error);

	slot->taken |= !r;
	return r;
}

static int unlist_all(struct bt_gate *gate, const uint32_t *ordinals, size_t count, struct bt_error *error)
{
	int r = 0;

	for (size_t i = 0; i < count && !r; i++) {
		const struct bt_slot *slot = bt_slot(gate->store, ordinals[i]);

		if (!slot->id.gone && !slot->taken)
			r = bt_gate_move(gate, ordinals[i], error);
	}
	return r ? r : bt_store_settle(gate->store, error);
}

int bt_gate_unlist(struct bt_gate *gate, const uint32_t *ordinals, size_t count, bool *ret_done, struct bt_error *error)
{
	struct bt_backend *backend = gate->store->backend;
	int64_t next;
	int r = bt_gate_pass(gate, error);

	*ret_done = false;
	if (r || !count || gate->fd < 0 || gate->alert || bt_backend_lock_again(backend, gate->fd, BT_LOCK_EXCLUSIVE))
		return r;
	next = gate->next;
	gate->next = INT64_MAX; /* a look would ask for the shared lock */
	r = unlist_all(gate, ordinals, count, error);
	gate->next = next;
	*ret_done = !r;
	if (bt_backend_lock_again(backend, gate->fd, BT_LOCK_SHARED) && !r)
		r = bt_fail_lost(error, NULL, "the store's lock was lost; nothing more was changed");
	return r;
}

int bt_gate_renew_identity(struct bt_gate *gate, char path[BT_ASIDE_SIZE], struct bt_error *error)
{
	const struct place old = {{BT_AREA_TOP, BT_ID_NAME}, BT_ID_NAME};
	bool given;
	int r = set_aside(gate, &old, path, error);

	return r ? r : bt_identity_give(gate->store, &given, error);
}

int bt_gate_rename(struct bt_gate *gate, uint32_t ordinal, const char *name, struct bt_error *error)
{
	struct bt_slot *slot = bt_slot(gate->store, ordinal);
	const struct place old = place_of(slot);
	char stored[BT_STORED_SIZE];
	int r = bt_gate_pass(gate, error);

	if (r)
		return r;
	bt_stored_name(stored, name, slot->id.at_rest);
	int sys = is_taken(gate->store, name, slot->id.at_rest)
			  ? -EEXIST
			  : bt_backend_move(gate->store->backend, &old.at,
					    &(struct bt_backend_name){BT_AREA_TOP, stored});
	if (sys == -EEXIST)
		return bt_fail(error, BT_E_EXISTS, slot->path, "rename the file");
	if (sys)
		return bt_fail_sys(error, -sys, slot->path, "rename the file");
	slot->taken = true;
	r = settle(gate->store, BT_AREA_TOP, slot->path, "rename", error);
	return r ? r : bt_gate_made(gate, stored, true, error);
}

int bt_gate_remove(struct bt_gate *gate, uint32_t ordinal, struct bt_error *error)
{
	struct bt_slot *slot = bt_slot(gate->store, ordinal);
	const struct place old = place_of(slot);
	int r = bt_gate_pass(gate, error), sys = r ? 0 : bt_backend_remove(gate->store->backend, &old.at);

	if (sys && sys != -ENOENT)
		r = bt_fail_sys(error, -sys, old.path, "remove the file");
	slot->taken |= !r;
	return r;
}
