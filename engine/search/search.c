/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/digest_set.h"
#include "base/fail.h"
#include "base/sized.h"
#include "base/voice.h"
#include "codec/hash.h"
#include "policy/match.h"
#include "view/walk.h"
#include <backuptool/search.h>
#include <stdlib.h>
#include <string.h>

#define SEARCHED_MAX ((size_t)4 << 20) /* those beyond are searched again */

/* Paths can be as long as the store: none is read through again for each entry. */
struct place {
	struct bt_digest path; /* what stands for it */
	size_t length;	       /* of it, with the slash after it */
};

struct run {
	struct bt_store *store;
	const struct bt_search *search;
	int (*found)(void *arg, const struct bt_match *match);
	void *arg;
	const struct bt_observer *observer;
	struct bt_rules *rules;
	struct bt_hasher *hasher;
	struct bt_digest_set searched; /* directories with their paths */
	struct bt_digest_set told;     /* entries with their paths */
	struct bt_walk *walk;	       /* with a struct place for each directory on the way, of the first one zeros */
	const char *snapshot;
	bool incomplete;
};

/* "#" and "!" mean nothing special here. */
static int make_rules(struct run *run, struct bt_error *error)
{
	const char *pattern = run->search->pattern;

	if (!pattern)
		return 0;
	size_t length = strlen(pattern);
	if (!length)
		return bt_fail(error, BT_E_INVALID, NULL, "an empty pattern");
	char *plain = malloc(length + 2);
	if (!plain)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	bool special = *pattern == '#' || *pattern == '!';
	*plain = '\\';
	memcpy(plain + special, pattern, length + 1);
	int r = bt_rules_new((const char *const *)&plain, 1, &run->rules, error);
	free(plain);
	return r;
}

static int check_hash(const char *hash, struct bt_error *error)
{
	size_t length = hash ? strlen(hash) : 1;

	if (!length || length > 64 || (hash && strspn(hash, "0123456789abcdef") != length))
		return bt_fail(error, BT_E_INVALID, hash, "not the beginning of a SHA-256 digest");
	return 0;
}

static bool has_hash(const struct bt_entry *entry, const char *hash)
{
	char text[65];

	if (entry->type != BT_FILE || !entry->has_digest)
		return false;
	bt_digest_text(&entry->digest, text);
	return strncmp(text, hash, strlen(hash)) == 0;
}

static bool is_newer(const struct bt_time *time, const struct bt_time *than)
{
	return time->seconds > than->seconds ||
	       (time->seconds == than->seconds && time->nanoseconds > than->nanoseconds);
}

/* The directory that the entry lies in. */
static const struct place *above(const struct run *run)
{
	return bt_walk_level(run->walk);
}

static bool matches(const struct run *run, const struct bt_walk_step *step)
{
	const struct bt_search *search = run->search;
	const struct bt_entry *entry = step->entry;

	if (search->newer && !is_newer(&entry->mtime, search->newer))
		return false;
	if (search->hash && !has_hash(entry, search->hash))
		return false;
	const char *name = step->path + above(run)->length;
	return !run->rules || bt_rules_excluded(run->rules, step->path, name, entry->type == BT_DIR);
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

/* Versions of a directory differ in nothing that a search would ask for. */
static int tell_entry(struct run *run, const struct bt_walk_step *step, const struct bt_digest *path)
{
	const struct bt_entry *entry = step->entry;
	bool directory = entry->type == BT_DIR;
	struct {
		uint64_t type, size, seconds, nanoseconds;
		struct bt_digest digest;
	} facts = {.type = entry->type};

	if (!directory) {
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

static int see(struct run *run, const struct bt_walk_step *step)
{
	const struct bt_entry *entry = step->entry;
	bool wanted = matches(run, step);
	struct bt_digest path;

	if (!wanted && entry->type != BT_DIR)
		return 0;
	int r = path_of(run, step, &path);
	if (!r && wanted)
		r = tell_entry(run, step, &path);
	if (r || entry->type != BT_DIR)
		return r;
	*(struct place *)bt_walk_below(run->walk) = (struct place){path, above(run)->length + entry->name_length + 1};
	if (run->searched.count >= SEARCHED_MAX)
		return 0;
	r = add_key(run, &run->searched, &path, &entry->digest, sizeof(entry->digest));
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

static int search_below(struct run *run, const struct bt_snapshot_info *info, struct bt_error *error)
{
	const struct bt_dir_filter filter = {.arg = run, .skips = was_searched, .leaves = true};
	const struct bt_walk_options options = {.info = info, .level_size = sizeof(struct place), .filter = &filter};
	const struct bt_entry *root = &info->root;
	const struct bt_digest path = {{0}};
	int r = add_key(run, &run->searched, &path, &root->digest, sizeof(root->digest));

	if (r <= 0)
		return r;
	r = bt_walk_begin(run->store, &options, root, &run->walk, error);
	if (r)
		return r;
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
	int r = check_hash(wanted.hash, error);

	if (!r)
		r = make_rules(&run, error);
	run.hasher = bt_hasher_new();
	if (!r && !run.hasher)
		r = BT_E_NOMEM;
	for (size_t i = 0; i < count && !r; i++)
		r = search_snapshot(&run, wanted.name_count ? wanted.names[i] : roster->names[count - 1 - i], error);
	bt_roster_put(roster);
	bt_digest_set_free(&run.searched);
	bt_digest_set_free(&run.told);
	bt_hasher_free(run.hasher);
	bt_rules_free(run.rules);
	if (!r && run.incomplete)
		r = BT_E_INCOMPLETE;
	return r < 0 ? bt_fail(error, (enum bt_code)r, NULL, "search the snapshots") : r;
}
