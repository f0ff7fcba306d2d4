/* SPDX-License-Identifier: MIT */
/* Pruning until there is as much room as is wanted. */
#include "base/fail.h"
#include "base/sized.h"
#include "base/voice.h"
#include "store/store.h"
#include <backuptool/prune.h>
#include <internal/state.h>
#include <stdlib.h>

/* Less is left unneeded than usual before a snapshot goes. */
#define TIGHT_PERCENT 10
/* Where little is free, copies have to be small. */
#define AMPLE	      ((uint64_t)512 << 20)
#define SMALL_BATCH   ((uint64_t)8 << 20)
/* The part of a full file system that root may have filled beyond what is free for all. */
#define RESERVED_PART 20

/* A snapshot that may go: this file, not another one that takes its name. */
struct name {
	const char *text;
	uint32_t ordinal;
};

struct making {
	struct bt_store *store;
	const struct bt_room_wish *wish;
	const struct bt_prune_options *options;
	const struct bt_observer *observer;
	struct name *names;
	const char **batch; /* room for all of them */
	size_t count, at;   /* those before at went, or were passed over */
	uint64_t missing;   /* bytes, now */
	uint64_t unseen;    /* that may be missing, too: no file system tells how much less than nothing is free */
	uint64_t budget;    /* that were missing when the given names were gone */
	bool tight;	    /* a prune without names was made */
	bool begun;	    /* the budget is known */
	uint64_t freed;	    /* since then */
	struct bt_room_result room;
	struct bt_prune_result sums;
};

static uint64_t at_least(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t wanted_free(const struct bt_room_wish *wish, uint64_t total)
{
	return at_least(wish->keep_free,
			total / 100 * wish->keep_free_percent + total % 100 * wish->keep_free_percent / 100);
}

/* A size of zero is no figure: on it everything would seem to be too little. */
static int measure(struct making *making, struct bt_error *error)
{
	const struct bt_room_wish *wish = making->wish;
	bool asks = wish->keep_free || wish->keep_free_percent;
	struct bt_room now;
	int r = bt_store_refresh(making->store, error);

	if (r)
		return r;
	bt_store_room(making->store, &now);
	if (asks && (!now.total || now.free > now.total))
		return bt_fail(error, BT_E_SYSTEM, NULL,
			       "the file system of the store does not tell how large it is and how much is free, so "
			       "nothing was removed for room");
	making->room.wanted_free = asks ? wanted_free(wish, now.total) : 0;
	making->room.free = now.free;
	making->room.store = now.bytes;
	making->missing = making->room.wanted_free > now.free ? making->room.wanted_free - now.free : 0;
	making->unseen = asks && !now.free ? now.total / RESERVED_PART : 0;
	if (wish->max_store && now.bytes > wish->max_store)
		making->missing = at_least(making->missing, now.bytes - wish->max_store);
	return 0;
}

static void add_up(struct bt_prune_result *sums, const struct bt_prune_result *more)
{
	sums->removed += more->removed;
	sums->replaced += more->replaced;
	sums->files_deleted += more->files_deleted;
	sums->files_moved += more->files_moved;
	sums->files_rewritten += more->files_rewritten;
	sums->files_damaged += more->files_damaged;
	sums->files_newer += more->files_newer;
	sums->kept |= more->kept;
	sums->proven += more->proven;
	sums->proven_bytes += more->proven_bytes;
	sums->freed_bytes += more->freed_bytes;
	sums->dead_bytes = more->dead_bytes;
	sums->stuck_bytes = more->stuck_bytes;
}

static struct bt_prune_options how(const struct making *making, bool tight, bool dry_run)
{
	struct bt_prune_options options = *making->options;
	uint64_t free = making->room.free;

	options.dry_run = dry_run;
	if (tight && !options.dead_percent)
		options.dead_percent = TIGHT_PERCENT;
	if (!options.volume_size && making->room.wanted_free && free < AMPLE)
		options.volume_size = at_least(free / 2, SMALL_BATCH);
	return options;
}

/* The next names, as far as they are still the same files. */
static size_t fill_batch(struct making *making, size_t count)
{
	size_t filled = 0;

	for (size_t i = making->at; i < making->at + count; i++) {
		uint32_t ordinal;

		if (!bt_store_file_named(making->store, making->names[i].text, &ordinal) &&
		    ordinal == making->names[i].ordinal)
			making->batch[filled++] = making->names[i].text;
	}
	return filled;
}

/* What room is lacking for is no failure yet: more may be made. */
static int prune_next(struct making *making, size_t count, bool tight, struct bt_error *error)
{
	const struct bt_prune_options options = how(making, tight, making->options->dry_run);
	struct bt_prune_result done = {.size = sizeof(done)};
	struct bt_error found = {0};
	size_t filled = fill_batch(making, count);
	int r = bt_prune(making->store, making->batch, filled, &options, making->observer, &done, &found);

	add_up(&making->sums, &done);
	making->freed += done.freed_bytes > 0 ? (uint64_t)done.freed_bytes : 0;
	if (r && !(r == BT_E_INCOMPLETE && (done.stuck_bytes || done.kept || done.replaced)))
		return bt_error_pass(error, &found, r);
	making->at += count;
	making->room.gone += count;
	return 0;
}

static int estimate(struct making *making, size_t count, uint64_t *ret_freed, struct bt_error *error)
{
	const struct bt_prune_options options = how(making, true, true);
	struct bt_prune_result done = {.size = sizeof(done)};
	struct bt_error found = {0};
	size_t filled = fill_batch(making, count);
	int r = bt_prune(making->store, making->batch, filled, &options, making->observer, &done, &found);

	*ret_freed = done.freed_bytes > 0 ? (uint64_t)done.freed_bytes : 0;
	return r == BT_E_INCOMPLETE ? 0 : bt_error_pass(error, &found, r);
}

/* The smallest number of names that frees what is missing, or all: by longer and longer steps, then by halves. */
static int choose(struct making *making, size_t least, size_t *ret_count, uint64_t *ret_freed, struct bt_error *error)
{
	size_t most = making->count - making->at, too_few = least, step = 1, enough = least;
	int r = estimate(making, least, ret_freed, error);

	while (!r && *ret_freed < making->missing && enough < most) {
		too_few = enough + 1;
		enough = most - enough < step ? most : enough + step;
		step *= 2;
		r = estimate(making, enough, ret_freed, error);
	}
	while (!r && too_few < enough && *ret_freed >= making->missing) {
		size_t middle = too_few + (enough - too_few) / 2;
		uint64_t freed;

		r = estimate(making, middle, &freed, error);
		if (freed < making->missing) {
			too_few = middle + 1;
			continue;
		}
		enough = middle;
		*ret_freed = freed;
	}
	*ret_count = enough;
	return r;
}

/* As much is gone as was missing at first, and still much is missing: that is others' doing. */
static bool is_taken(const struct making *making)
{
	return making->begun && making->freed >= making->budget &&
	       (making->missing > making->budget / 8 || making->freed / 2 >= making->budget);
}

static bool is_ended(struct making *making)
{
	if (!making->missing)
		making->room.end = BT_ROOM_REACHED;
	else if (is_taken(making))
		making->room.end = BT_ROOM_TAKEN;
	else if (making->at == making->count && making->tight)
		making->room.end = BT_ROOM_NOTHING_LEFT;
	else
		return false;
	return true;
}

static int make_room(struct making *making, struct bt_error *error)
{
	int r = measure(making, error);

	while (!r && !is_ended(making)) {
		size_t least = making->tight && making->at < making->count, count;
		uint64_t unused;

		if (!making->begun) {
			making->begun = true;
			making->budget = making->missing + making->unseen;
			making->freed = 0;
		}
		if (bt_cancelled(making->observer))
			return bt_fail(error, BT_E_CANCELLED, NULL, NULL);
		r = choose(making, least, &count, &unused, error);
		if (!r)
			r = prune_next(making, count, true, error);
		making->tight = true;
		if (!r)
			r = measure(making, error);
	}
	return r;
}

/* The given names and the further ones go together, as far as anybody can tell before. */
static int dry_run(struct making *making, struct bt_error *error)
{
	size_t count = making->wish->given;
	uint64_t freed = 0;
	int r = measure(making, error);

	if (!r)
		r = prune_next(making, count, false, error);
	making->at = 0;
	freed = making->freed;
	if (!r && freed < making->missing) {
		r = choose(making, count, &count, &freed, error);
		making->room.gone = count;
		making->sums.freed_bytes = (int64_t)freed;
		making->sums.removed = count;
	}
	making->room.end = freed < making->missing ? BT_ROOM_NOTHING_LEFT : BT_ROOM_REACHED;
	making->room.free += freed;
	making->room.store -= freed < making->room.store ? freed : making->room.store;
	return r;
}

static int note_names(struct making *making, struct bt_error *error)
{
	const char *const *names = making->wish->names;

	making->count = making->wish->name_count;
	making->names = calloc(making->count + 1, sizeof(*making->names));
	making->batch = calloc(making->count + 1, sizeof(*making->batch));
	if (!making->names || !making->batch)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	for (size_t i = 0; i < making->count; i++) {
		making->names[i].text = names[i];
		if (bt_store_file_named(making->store, names[i], &making->names[i].ordinal))
			return bt_fail(error, BT_E_NOT_FOUND, names[i], "no such snapshot");
	}
	return 0;
}

/* Before anything goes, it has to be known what there is. */
static int prune_given(struct making *making, struct bt_error *error)
{
	int r = measure(making, error);

	if (r || !making->wish->given)
		return r;
	return prune_next(making, making->wish->given, false, error);
}

static int conclude(const struct making *making, struct bt_error *error)
{
	if (making->room.end != BT_ROOM_REACHED)
		return bt_fail(error, BT_E_INCOMPLETE, NULL, "there is not as much room as is wanted");
	if (making->sums.kept)
		return bt_fail(
			error, BT_E_INCOMPLETE, NULL,
			"files were kept because other copies of their contents are damaged; repair the store with "
			"'backuptool check --repair', then prune again");
	return 0;
}

int bt_prune_for_room(struct bt_store *store, const struct bt_room_wish *wish, const struct bt_prune_options *options,
		      const struct bt_observer *observer, struct bt_room_result *ret_room,
		      struct bt_prune_result *ret_result, struct bt_error *error)
{
	struct bt_room_wish wanted;
	struct bt_prune_options pruning;
	struct making making = {.store = store, .wish = &wanted, .options = &pruning, .observer = observer};

	if (bt_sized_take(&wanted, sizeof(wanted), wish, error) ||
	    bt_sized_take(&pruning, sizeof(pruning), options, error) || bt_sized_check(ret_room, error) ||
	    bt_sized_check(ret_result, error))
		return BT_E_INVALID;
	pruning.size = sizeof(pruning);
	if (wanted.given > wanted.name_count || wanted.keep_free_percent > 99)
		return bt_fail(error, BT_E_INVALID, NULL, "a wish for room that cannot be");
	int r = note_names(&making, error);
	if (!r && pruning.dry_run)
		r = dry_run(&making, error);
	else if (!r)
		r = prune_given(&making, error);
	if (!r && !pruning.dry_run)
		r = make_room(&making, error);
	if (!r)
		r = conclude(&making, error);
	bt_sized_give(ret_room, &making.room, sizeof(making.room));
	bt_sized_give(ret_result, &making.sums, sizeof(making.sums));
	free(making.names);
	free(making.batch);
	return r;
}
