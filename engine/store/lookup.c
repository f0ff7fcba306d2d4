/* SPDX-License-Identifier: MIT */
/* The store's index, and pages found through it. */
#include "base/bytes.h"
#include "base/fail.h"
#include "store/store_inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACES 8 /* that are looked at */

static int visit_file(void *arg, uint32_t ordinal, const struct bt_index_visitor *visitor, struct bt_error *error)
{
	static const struct bt_index_visitor nobody = {0};
	const struct bt_store *store = arg;
	struct bt_file *file;
	int r = bt_store_file(arg, ordinal, &file, error);

	if (r)
		return r;
	/* the lists are only used if they are right as a whole */
	if (store->options.salvage && bt_file_kind(file) != BT_KIND_CLASSIC && bt_file_visit(file, &nobody, NULL))
		return bt_file_visit_loosely(file, visitor, error);
	return bt_file_visit(file, visitor, error);
}

static void note_damage(void *arg, uint32_t ordinal, const struct bt_error *error)
{
	bt_slot_damaged(bt_slot(arg, ordinal), error);
}

/* A file that is gone but open is still read from. */
static bool is_readable(struct bt_slot *slot)
{
	return !slot->id.gone || (!slot->released && bt_slot_is_open(slot));
}

static struct bt_covered covered(const struct bt_slot *slot)
{
	return (struct bt_covered){slot->path, slot->id.size, slot->id.mtime, slot->id.ordinal};
}

static int source_new(struct bt_store *store, struct bt_index_source *source, struct bt_covered **ret_files)
{
	uint32_t count = (uint32_t)bt_store_file_count(store);
	struct bt_covered *files = calloc((size_t)count + 1, sizeof(*files));

	if (!files)
		return BT_E_NOMEM;
	*source = (struct bt_index_source){.arg = store,
					   .files = files,
					   .cachefd = bt_store_local_cache_fd(store),
					   .read_only = store->read_only,
					   .visit = visit_file,
					   .damaged = note_damage};
	for (uint32_t i = 0; i < count; i++) {
		struct bt_slot *slot = bt_slot(store, i);

		if (is_readable(slot))
			files[source->count++] = covered(slot);
	}
	*ret_files = files;
	return 0;
}

static int update(struct bt_store *store, struct bt_error *error)
{
	struct bt_index_source source;
	struct bt_covered *files = NULL;
	unsigned found = atomic_load(&store->found); /* first: a file that is added meanwhile is new */
	int r = source_new(store, &source, &files);

	if (r)
		return bt_fail(error, r, NULL, NULL);
	r = bt_index_update(store->index, &source, error);
	free(files);
	if (!r)
		store->indexed = found;
	/* another segment may tell of a file now */
	for (uint32_t i = 0; i < bt_store_file_count(store); i++)
		atomic_store(&bt_slot(store, i)->lends, BT_LENDS_UNKNOWN);
	return r;
}

int bt_lookup_index(struct bt_store *store, struct bt_error *error)
{
	int r = 0;

	if (atomic_load_explicit(&store->index_ready, memory_order_acquire))
		return 0;
	bt_store_before_slow(store);
	pthread_mutex_lock(&store->index_lock);
	if (!atomic_load(&store->index_ready)) {
		r = update(store, error);
		if (!r)
			atomic_store_explicit(&store->index_ready, true, memory_order_release);
	}
	pthread_mutex_unlock(&store->index_lock);
	return r;
}

int bt_lookup_update(struct bt_store *store, struct bt_error *error)
{
	int r = 0;

	pthread_mutex_lock(&store->index_lock); /* an index that a reader builds meanwhile may lack files */
	if (atomic_load(&store->index_ready) && store->indexed != atomic_load(&store->found))
		r = update(store, error);
	pthread_mutex_unlock(&store->index_lock);
	return r;
}

/* Checks everything derived again. */
static int rebuild(struct bt_store *store, unsigned doubt, struct bt_error *error)
{
	struct bt_index_source source;
	struct bt_covered *files = NULL;
	int r = 0;

	for (uint32_t i = 0; i < bt_store_file_count(store) && !r; i++)
		r = bt_derived_recheck(store, bt_slot(store, i), error);
	if (!r)
		r = source_new(store, &source, &files);
	if (!r)
		r = bt_index_rebuild(store->index, &source, doubt, error);
	free(files);
	return r ? bt_fail(error, r, NULL, NULL) : 0;
}

int bt_lookup_rebuild(struct bt_store *store, unsigned doubt, struct bt_error *error)
{
	pthread_mutex_lock(&store->index_lock);
	int r = bt_index_doubt(store->index) == doubt ? rebuild(store, doubt, error) : 0;
	pthread_mutex_unlock(&store->index_lock);
	return r;
}

int bt_store_rebuild(struct bt_store *store, struct bt_error *error)
{
	int r = bt_lookup_index(store, error);

	return r ? r : bt_lookup_rebuild(store, bt_index_doubt(store->index), error);
}

int bt_store_find(struct bt_store *store, const struct bt_digest *digest, bool page, struct bt_location *ret_location,
		  struct bt_error *error)
{
	struct bt_location location;
	int r = bt_lookup_index(store, error);

	if (r)
		return r;
	if (!bt_index_find(store->index, digest, page, &location, 1))
		return BT_E_NOT_FOUND;
	*ret_location = location;
	return 0;
}

int bt_store_places(struct bt_store *store, const struct bt_digest *digest, bool page, struct bt_location *ret_places,
		    size_t max, size_t *ret_count, struct bt_error *error)
{
	int r = bt_lookup_index(store, error);

	*ret_count = r ? 0 : bt_index_find(store->index, digest, page, ret_places, max);
	return r;
}

/* The index tells of a file what its lists do, or is built again and then does: the caller looks again. */
static enum bt_lends prove_locked(struct bt_store *store, struct bt_slot *slot, bool *ret_again)
{
	struct bt_index_source source;
	struct bt_covered *files = NULL;
	bool right = false;

	if (atomic_load(&slot->lends))
		return (enum bt_lends)atomic_load(&slot->lends);
	int r = source_new(store, &source, &files);
	if (!r)
		r = bt_index_prove(store->index, &source, slot->id.ordinal, &right, NULL);
	free(files);
	if (!r && !right) {
		r = rebuild(store, bt_index_doubt(store->index), NULL);
		*ret_again = right = !r;
	}
	return right ? BT_LENDS : BT_LENDS_NOTHING;
}

/* Once for each file. *ret_again: places may be others now. */
static bool may_lend(struct bt_store *store, struct bt_slot *slot, bool *ret_again)
{
	int lends = atomic_load_explicit(&slot->lends, memory_order_acquire);

	if (!lends) {
		pthread_mutex_lock(&store->index_lock);
		lends = prove_locked(store, slot, ret_again);
		atomic_store_explicit(&slot->lends, lends, memory_order_release);
		pthread_mutex_unlock(&store->index_lock);
	}
	return lends == BT_LENDS && !*ret_again;
}

/* In a file that somebody else wrote, a content counts only after its bytes were compared with the digest. */
static bool is_trusted(struct bt_store *store, const struct bt_slot *slot, const struct bt_location *place,
		       const struct bt_digest *digest)
{
	return slot->trusted || !bt_store_verify_at(store, place, digest, NULL);
}

/* New files do not rely on a file that is gone, doomed or cannot be opened, even if it is still read. Its contents are
 * stored again. */
static bool lent(struct bt_store *store, const struct bt_digest *digest, bool page, size_t max, bool *ret_again)
{
	struct bt_location places[PLACES];
	size_t count = bt_index_find(store->index, digest, page, places, max);
	struct bt_file *file;

	for (size_t i = 0; i < count && !*ret_again; i++) {
		struct bt_slot *slot = bt_slot(store, places[i].file);

		if (slot->id.gone || slot->doomed || bt_store_file(store, places[i].file, &file, NULL) ||
		    bt_file_kind(file) == BT_KIND_CLASSIC || !may_lend(store, slot, ret_again) ||
		    !is_trusted(store, slot, &places[i], digest))
			continue;
		bt_slot_lean(slot);
		return true;
	}
	return false;
}

int bt_store_has(struct bt_store *store, const struct bt_digest *digest, bool page, bool *ret_has,
		 struct bt_error *error)
{
	int r = bt_lookup_index(store, error);
	bool again = !r;

	/* Nearly always the first place will do. */
	while (again) {
		again = false;
		*ret_has =
			lent(store, digest, page, 1, &again) || (!again && lent(store, digest, page, PLACES, &again));
	}
	return r;
}

static int visit_writer(void *arg, const struct bt_index_visitor *visitor)
{
	return bt_writer_visit(arg, visitor);
}

/* Under index_lock: a thread that builds the index has finished, or will see the new slot. */
static int add_file(struct bt_store *store, const char *name, bool snapshot, const struct bt_stored *stored,
		    const struct bt_writer *writer, struct bt_error *error)
{
	struct bt_slot *slot;

	if (bt_catalogue_add(store, name, snapshot, stored, &slot))
		return bt_fail(error, BT_E_NOMEM, name, NULL);
	slot->made = true;
	if (!snapshot)
		bt_slot_lean(slot);
	if (!atomic_load(&store->index_ready))
		return 0;
	struct bt_covered file = covered(slot);
	int cachefd = store->read_only ? -1 : bt_store_local_cache_fd(store);
	return bt_index_add(store->index, cachefd, &file, visit_writer, (void *)(uintptr_t)writer, error);
}

int bt_store_add_file(struct bt_store *store, const char *name, bool snapshot, const struct bt_writer *writer,
		      struct bt_error *error)
{
	struct bt_stored stored;
	int sys = bt_backend_look(store->backend, bt_area_of(snapshot), name, &stored);

	if (sys)
		return bt_fail_sys(error, -sys, name, "read the attributes");
	pthread_mutex_lock(&store->index_lock);
	int r = add_file(store, name, snapshot, &stored, writer, error);
	pthread_mutex_unlock(&store->index_lock);
	return r;
}
