/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/digest_set.h"
#include "base/fail.h"
#include "base/sized.h"
#include "base/voice.h"
#include "codec/hash.h"
#include "search/run.h"
#include <string.h>

#define SEARCHED_MAX ((size_t)4 << 20) /* those beyond are searched again */

/* Paths can be as long as the store: none is read through again for each entry. */
struct place {
	struct bt_digest path; /* what stands for it */
	size_t length;	       /* of it, with the slash after it */
	struct bt_now now;     /* if deleted entries are looked for */
};

struct run {
	struct bt_store *store;
	const struct bt_search *search;
	int (*found)(void *arg, const struct bt_match *match);
	void *arg;
	const struct bt_observer *observer;
	struct bt_wanted wanted;
	struct bt_heads heads; /* if deleted entries are looked for */
	struct bt_hasher *hasher;
	struct bt_digest_set searched; /* directories with their paths */
	struct bt_digest_set told;     /* entries with their paths */
	struct bt_walk *walk;	       /* with a struct place for each directory on the way */
	const char *snapshot;
	bool incomplete;
};

/* The directory that the entry lies in. */
static const struct place *above(const struct run *run)
{
	return bt_walk_level(run->walk);
}

/* What stands for a path is made of what stands for the directory, and the name. */
static int key_of(struct run *run, const struct bt_digest *path, const void *facts, size_t size,
		  struct bt_digest *ret_key)
{
	bt_hasher_start(run->hasher);
	bt_hasher_add(run->hasher, path, sizeof(*path));
	bt_hasher_add(run->hasher, facts, size);
	return bt_hasher_finish(run->hasher, ret_key) ? BT_E_NOMEM : 0;
}

/* The path of what was given last. */
static int path_of(struct run *run, const struct bt_walk_step *step, struct bt_digest *ret_path)
{
	return key_of(run, &above(run)->path, step->entry->name, step->entry->name_length, ret_path);
}

/* Whether a path with these facts is new to the set: 1, 0, or BT_E_NOMEM. */
static int add_key(struct run *run, struct bt_digest_set *set, const struct bt_digest *path, const void *facts,
		   size_t size)
{
	struct bt_digest key;

	return key_of(run, path, facts, size, &key) ? BT_E_NOMEM : bt_digest_set_add(set, &key);
}

/* Versions of a directory differ in nothing that a search would ask for. Of what is deleted the newest is enough. */
static int tell_entry(struct run *run, const struct bt_walk_step *step, const struct bt_digest *path)
{
	const struct bt_entry *entry = step->entry;
	bool once = run->search->deleted, alike = once || entry->type == BT_DIR;
	struct {
		uint64_t type, size, seconds, nanoseconds;
		struct bt_digest digest;
	} facts = {.type = once ? 0 : entry->type};

	if (!alike) {
		facts.size = entry->size;
		facts.seconds = (uint64_t)entry->mtime.seconds;
		facts.nanoseconds = entry->mtime.nanoseconds;
		facts.digest = entry->digest;
	}
	int r = add_key(run, &run->told, path, &facts, sizeof(facts));
	if (r <= 0)
		return r;
	return run->found(run->arg, &(struct bt_match){run->snapshot, step->path, entry});
}

static void problem(struct run *run, const char *path, const struct bt_error *error)
{
	run->incomplete = true;
	bt_tell(run->observer, path, error);
}

/* Whether the directory is to be entered: 1, 0, or BT_E_NOMEM. */
static int prepare_below(struct run *run, const struct bt_entry *entry, const struct bt_digest *path,
			 const struct bt_now *now)
{
	*(struct place *)bt_walk_below(run->walk) =
		(struct place){*path, above(run)->length + entry->name_length + 1, *now};
	if (run->search->deleted && (now->kind == BT_NOW_UNKNOWN || bt_digest_equal(&now->tree, &entry->digest)))
		return 0;
	if (run->searched.count >= SEARCHED_MAX)
		return 1;
	return add_key(run, &run->searched, path, &entry->digest, sizeof(entry->digest));
}

/* What the newest snapshot has in its place. Nobody says that an entry is deleted when that cannot be read. */
static int look_now(struct run *run, const struct bt_walk_step *step, struct bt_now *ret_now, bool *ret_told)
{
	struct bt_error found = {0};
	int r;

	*ret_told = true;
	*ret_now = (struct bt_now){0};
	if (!run->search->deleted)
		return 0;
	r = bt_now_below(run->store, &above(run)->now, step->entry, ret_now, ret_told, &found);
	if (r && r != BT_E_NOMEM)
		problem(run, step->path, &found);
	return r == BT_E_NOMEM ? r : 0;
}

static int see(struct run *run, const struct bt_walk_step *step)
{
	const struct bt_entry *entry = step->entry;
	int wanted = bt_wanted_has(&run->wanted, entry, step->path, step->path + above(run)->length);
	struct bt_digest path;
	struct bt_now now;
	bool told;

	if (wanted < 0 || (!wanted && entry->type != BT_DIR))
		return wanted;
	int r = path_of(run, step, &path);
	if (!r)
		r = look_now(run, step, &now, &told);
	if (!r && wanted && told)
		r = tell_entry(run, step, &path);
	if (r || entry->type != BT_DIR)
		return r;
	r = prepare_below(run, entry, &path, &now);
	if (!r)
		bt_walk_skip(run->walk);
	return r < 0 ? r : 0;
}

/* Pages of large directories are like directories: those that were searched under the same path need not be read. */
static bool was_searched(void *arg, const struct bt_digest *page, size_t depth)
{
	struct run *run = arg;

	return run->searched.count < SEARCHED_MAX &&
	       add_key(run, &run->searched, &above(run)->path, page, sizeof(*page)) == 0;
}

/* Where the walk begins. What is deleted depends on the host and the directory. */
static int begin_place(struct run *run, const struct bt_snapshot_info *info, struct place *ret_place)
{
	const struct bt_snapshot_info *newest = run->search->deleted ? bt_heads_of(&run->heads, info) : NULL;
	const struct bt_digest none = {{0}};

	*ret_place = (struct place){.now.kind = BT_NOW_UNKNOWN};
	if (newest)
		ret_place->now = bt_now_of(&newest->root);
	return newest ? key_of(run, &none, newest->name, strlen(newest->name), &ret_place->path) : 0;
}

static int search_below(struct run *run, const struct bt_snapshot_info *info, struct bt_error *error)
{
	const struct bt_dir_filter filter = {.arg = run, .skips = was_searched, .leaves = true};
	const struct bt_page_skim skim = {&run->wanted, bt_wanted_skims};
	const struct bt_walk_options options = {.info = info,
						.level_size = sizeof(struct place),
						.filter = &filter,
						.skim = run->wanted.needle_length ? &skim : NULL};
	const struct bt_entry *root = &info->root;
	struct place place;
	int r = begin_place(run, info, &place);

	if (!r)
		r = add_key(run, &run->searched, &place.path, &root->digest, sizeof(root->digest));
	if (r <= 0 || (run->search->deleted && place.now.kind == BT_NOW_UNKNOWN))
		return r < 0 ? r : 0;
	r = bt_walk_begin(run->store, &options, root, &run->walk, error);
	if (r)
		return r;
	*(struct place *)bt_walk_below(run->walk) = place;
	while (!r) {
		struct bt_walk_step step = {0};
		struct bt_error found = {0};

		r = bt_cancelled(run->observer) ? BT_E_CANCELLED : bt_walk_next(run->walk, &step, &found);
		if (r == BT_E_NOMEM || r == BT_E_CANCELLED)
			break;
		if (r)
			problem(run, step.path, &found);
		else if (!step.entry)
			break;
		r = r ? 0 : see(run, &step);
	}
	bt_walk_free(run->walk);
	return r;
}

static bool is_newest(const struct run *run, const struct bt_snapshot_info *info)
{
	const struct bt_snapshot_info *newest = bt_heads_of(&run->heads, info);

	return newest && !strcmp(newest->name, info->name);
}

static int search_snapshot(struct run *run, const char *name, struct bt_error *error)
{
	struct bt_snapshot *snapshot;
	struct bt_error found = {0};

	run->snapshot = name;
	int r = bt_snapshot_open(run->store, name, &snapshot, &found);
	if (r == BT_E_NOMEM)
		return r;
	if (r == BT_E_NOT_FOUND) /* removed meanwhile */
		return 0;
	if (r) {
		problem(run, name, &found);
		return 0;
	}
	if (!run->search->deleted || !is_newest(run, bt_snapshot_info(snapshot)))
		r = search_below(run, bt_snapshot_info(snapshot), error);
	bt_snapshot_close(snapshot);
	return r;
}

int bt_search_run(struct bt_store *store, const struct bt_search *search,
		  int (*found)(void *arg, const struct bt_match *match), void *arg, const struct bt_observer *observer,
		  struct bt_error *error)
{
	struct bt_search wanted;
	struct run run = {.store = store, .search = &wanted, .found = found, .arg = arg, .observer = observer};

	if (bt_sized_take(&wanted, sizeof(wanted), search, error))
		return BT_E_INVALID;

	const struct bt_roster *roster = bt_roster_get(store);
	size_t count = wanted.name_count ? wanted.name_count : roster->count;
	int r = bt_wanted_begin(&run.wanted, &wanted, error);

	if (!r && wanted.deleted)
		r = bt_heads_begin(&run.heads, store, roster);
	run.hasher = bt_hasher_new();
	if (!r && !run.hasher)
		r = BT_E_NOMEM;
	for (size_t i = 0; i < count && !r; i++)
		r = search_snapshot(&run, wanted.name_count ? wanted.names[i] : roster->names[count - 1 - i], error);
	bt_roster_put(roster);
	bt_digest_set_free(&run.searched);
	bt_digest_set_free(&run.told);
	bt_hasher_free(run.hasher);
	bt_heads_end(&run.heads);
	bt_wanted_end(&run.wanted);
	if (!r && run.incomplete)
		r = BT_E_INCOMPLETE;
	return r < 0 ? bt_fail(error, (enum bt_code)r, NULL, "search the snapshots") : r;
}
