/* SPDX-License-Identifier: MIT */
#include <backuptool/snapshot.h>

#include "base/bytes.h"
#include "base/fail.h"
#include "base/pool.h"
#include "base/sized.h"
#include "model/document.h"
#include "snapshot/parent.h"
#include "snapshot/run.h"
#include <errno.h>
#include <internal/policy.h>
#include <string.h>
#include <unistd.h>

/* If a run read this many bytes and found them unchanged, it writes a snapshot for the fingerprints alone, so that the
 * next run need not read them again. */
#define REREAD_MAX ((uint64_t)16 << 20)
#define IDLE_MAX   ((size_t)12 << 20) /* bytes of unused buffers */
enum { SCAN_THREADS_MAX = 8 };

/* The name states the time at which the scan started, after waiting for the lock. */
static void set_time(struct bt_snap_run *run)
{
	if (run->plan.options->time)
		run->plan.time = *run->plan.options->time;
	else
		bt_source_now(&run->plan.time);
	run->request.info.time = run->plan.time;
}

/* Whole directories may be taken over from the parent without looking each content up. */
static void lean_on(struct bt_snap_run *run, const char *parent)
{
	uint32_t ordinal;

	if (bt_store_file_named(run->plan.store, parent, &ordinal) == 0)
		bt_gate_lean(&run->gate, ordinal);
}

/* A dry run only needs to read. */
static int open_gate(struct bt_snap_run *run, struct bt_error *error)
{
	const struct bt_observer *observer = run->observer.voice.observer;

	if (run->plan.options->dry_run)
		return bt_store_lock_for_reading(run->plan.store, observer, &run->gate.fd, error);
	return bt_gate_open(run->plan.store, BT_LOCK_SHARED, observer, &run->gate, error);
}

/* Damage only means that no name is known from before. */
static int read_names(struct bt_snap_run *run)
{
	struct bt_error damage = {0};
	int r = bt_owners_open(run->plan.store, run->parent, &run->names, &damage);

	return r == BT_E_NOMEM ? r : 0;
}

static int choose_at_rest(struct bt_snap_run *run, struct bt_error *error)
{
	enum bt_at_rest wanted = run->plan.options->at_rest;

	if (run->plan.options->dry_run || wanted == BT_AT_REST_AS_CHOSEN)
		return 0;
	return bt_identity_choose(run->plan.store, wanted == BT_AT_REST_ZSTD, error);
}

static int find_parent(struct bt_snap_run *run)
{
	int r = bt_snap_parent_find(&run->plan, run->request.host, run->request.info.target, &run->parent,
				    &run->partials);

	if (r || !run->parent)
		return r;
	const struct bt_snapshot_info *parent = bt_snapshot_info(run->parent);
	run->plan.parent = parent;
	run->request.info.parent = parent->name;
	lean_on(run, parent->name);
	if (!parent->partial) {
		run->observer.expected_files = parent->files;
		run->observer.expected_bytes = parent->directory_size;
	}
	return read_names(run);
}

/* From here on nothing is deleted. The refresh makes sure that the run does not rely on files deleted before. */
static int enter_store(struct bt_snap_run *run, struct bt_error *error)
{
	int r = open_gate(run, error);

	if (r)
		return r;
	r = choose_at_rest(run, error);
	if (r)
		return r;
	set_time(run);
	if (run->plan.options->changes)
		run->repaired = bt_store_repaired(run->plan.store);
	if (!run->plan.options->dry_run)
		bt_store_sweep(run->plan.store, false);
	return find_parent(run);
}

/* Why the changes cannot be used: they must follow this parent. */
static enum bt_doubt doubt_of(const struct bt_snap_run *run, const struct bt_changes *changes)
{
	const struct bt_snapshot_info *parent = run->plan.parent;

	if (changes->doubt != BT_DOUBT_NONE)
		return changes->doubt;
	if (!bt_time_equal(&changes->repaired, &run->repaired))
		return BT_DOUBT_DAMAGE;
	if (!parent || strcmp(parent->name, changes->snapshot) != 0 ||
	    !bt_digest_equal(&parent->root.digest, &changes->tree))
		return BT_DOUBT_PARENT;
	if (!run->names) /* those of what is taken over unseen would be lost */
		return BT_DOUBT_DAMAGE;
	if (run->plan.options->force || bt_snap_birth_times_differ(parent, run->plan.options->birth_times) ||
	    !bt_snap_may_follow(parent, &run->request.info, run->plan.options))
		return BT_DOUBT_DUE;
	return BT_DOUBT_NONE;
}

static void follow_changes(struct bt_snap_run *run)
{
	const struct bt_changes *changes = run->plan.options->changes;

	if (!changes || run->doubt != BT_DOUBT_NONE)
		return;
	run->doubt = doubt_of(run, changes);
	run->plan.changes = run->doubt == BT_DOUBT_NONE ? changes : NULL;
}

/* What a run can keep that ends early, or is killed, depends on what there is without it. */
static void choose_course(struct bt_snap_run *run)
{
	const struct bt_snapshot_info *parent = run->plan.parent;

	if (!run->plan.options->dry_run && !run->plan.options->stream_count && !run->plan.changes &&
	    (!parent || parent->partial))
		bt_snap_observer_ask(&run->observer);
}

static int open_scan(struct bt_snap_run *run, struct bt_error *error)
{
	const struct bt_snapshot_options *options = run->plan.options;
	unsigned threads = run->plan.threads;
	struct bt_scan *scan;
	struct bt_scan_options how = {
		.exclusion = &run->request.exclusion.exclusion,
		.listed = run->request.listed,
		.one_file_system = options->one_file_system,
		.birth_times = options->birth_times,
		.changes = run->plan.changes,
		.threads = threads < SCAN_THREADS_MAX ? threads : SCAN_THREADS_MAX,
		.observer = &run->observer.outer,
	};

	bt_store_inode(run->plan.store, &how.skip_dev, &how.skip_ino);
	int r = bt_scan_open(run->request.target, &how, &scan, error);
	if (r)
		return r;
	run->plan.source.scan = scan;
	run->plan.source.root_dev = bt_scan_root(scan)->self.dev;
	return 0;
}

static int open_source(struct bt_snap_run *run, struct bt_error *error)
{
	const struct bt_snapshot_options *options = run->plan.options;

	run->plan.source = (struct bt_source){.birth_times = options->birth_times,
					      .user = geteuid(),
					      .buffers = &run->buffers,
					      .voice = &run->observer.voice};
	if (options->stream_count)
		return bt_snap_made_new(options, &run->plan.time, &run->plan.made);
	return open_scan(run, error);
}

static int open_pack(struct bt_snap_run *run, struct bt_error *error)
{
	const struct bt_snapshot_options *options = run->plan.options;
	const struct bt_pack_options how = {.store = run->plan.store,
					    .info = &run->request.info,
					    .dry = options->dry_run,
					    .level = options->level,
					    .volume_size = options->volume_size,
					    .threads = run->plan.threads,
					    .voice = &run->observer.voice,
					    .buffers = &run->buffers};

	return bt_pack_new(&how, &run->finish.pack, error);
}

static int set_up(struct bt_snap_run *run, struct bt_error *error)
{
	struct bt_snap_finish *finish = &run->finish;
	int r = open_pack(run, error);

	if (!r)
		r = open_source(run, error);
	if (r)
		return r;
	finish->plan = &run->plan;
	finish->trees = bt_snap_trees_new(finish->pack);
	finish->reader = bt_reader_new(&run->plan.source);
	if (!finish->trees || !finish->reader)
		return BT_E_NOMEM;
	r = bt_snap_readers_init(&run->readers, finish);
	return r ? r : bt_snap_walk_new(&run->readers, &run->walk);
}

/* Frees the walk and the readers first, because their jobs use everything else. */
static void tear_down(struct bt_snap_run *run)
{
	bt_snap_walk_free(run->walk);
	if (run->readers.plan)
		bt_snap_readers_destroy(&run->readers);
	if (run->plan.source.scan)
		bt_scan_close(run->plan.source.scan);
	bt_snap_made_free(run->plan.made);
	bt_reader_free(run->finish.reader);
	bt_snap_trees_free(run->finish.trees);
	run->kept = bt_pack_free(run->finish.pack);
	bt_snap_owners_free(&run->finish.owners);
	bt_arena_free(&run->finish.root_arena);
	bt_buf_free(&run->partials);
	bt_owners_close(run->names);
	if (run->parent)
		bt_snapshot_close(run->parent);
}

static int walk_all(struct bt_snap_run *run, struct bt_error *error)
{
	enum bt_course course;
	char unused[64];
	int r;

	do {
		r = bt_snap_walk_run(run->walk, &course, error);
		if (!r)
			r = bt_snap_readers_drain(&run->readers);
		if (!r && course == BT_COURSE_CHECKPOINT)
			r = bt_snap_checkpoint(run, unused, error);
	} while (!r && course == BT_COURSE_CHECKPOINT);
	run->ended = course == BT_COURSE_END;
	return r;
}

static int run_stages(struct bt_snap_run *run, struct bt_error *error)
{
	int r = walk_all(run, error);

	if (!r)
		r = bt_pack_flush(run->finish.pack, error);
	if (!r)
		r = bt_snap_walk_count(run->walk, &run->finish.totals);
	run->doubted = bt_snap_walk_doubt(run->walk) != BT_DOUBT_NONE;
	if (run->doubted)
		run->doubt = bt_snap_walk_doubt(run->walk);
	return r;
}

static bool may_skip(const struct bt_snap_run *run)
{
	const struct bt_snap_totals *totals = &run->finish.totals;
	const struct bt_pack_counts *packed = bt_pack_counts(run->finish.pack);

	return run->plan.options->skip_if_unchanged && run->parent && !run->plan.parent->partial &&
	       totals->differences == 0 && packed->new_bytes == 0 && !packed->healed &&
	       totals->reread_bytes <= REREAD_MAX;
}

void bt_snap_run_count(const struct bt_snap_run *run, const struct bt_snap_totals *totals,
		       struct bt_snapshot_info *info)
{
	info->files = totals->files;
	info->directories = totals->directories;
	info->others = totals->others;
	info->directory_size = totals->directory_size;
	info->stored_size = bt_pack_counts(run->finish.pack)->stored;
	info->created = totals->created;
	info->changed = totals->changed;
	info->unchanged = totals->unchanged;
	info->errors = totals->errors;
	info->torn = totals->torn;
	info->removed = totals->removed;
	info->removed_bytes = totals->removed_bytes;
	info->left_out = bt_snap_walk_excluded(run->walk);
	info->boundaries = totals->boundaries;
	info->xattrs = totals->xattrs;
}

int bt_snap_run_names(struct bt_snap_run *run, struct bt_snapshot_info *info, struct bt_error *error)
{
	struct bt_snap_owners *owners = &run->finish.owners;
	const struct bt_digest *known = run->names && run->plan.parent->has_names ? &run->plan.parent->names : NULL;
	struct bt_buf line = {0};
	int r = run->plan.changes ? bt_snap_owners_join(owners, run->names) : 0;

	if (!r)
		r = bt_snap_owners_write(owners, run->names, &line);
	info->has_names = line.length > 0;
	if (!r && info->has_names)
		r = bt_pack_page(run->finish.pack, known, (const char *)line.data, line.length, &info->names, error);
	bt_buf_free(&line);
	return r;
}

static int write_snapshot(struct bt_snap_run *run, char name[64], struct bt_error *error)
{
	struct bt_buf summary = {0};
	int r = bt_snap_run_names(run, &run->request.info, error);

	if (!r)
		r = bt_pack_seal(run->finish.pack, error);
	run->request.info.root = run->finish.root;
	bt_snap_run_count(run, &run->finish.totals, &run->request.info);
	if (!r)
		r = bt_summary_write(&summary, &run->request.info);
	if (!r)
		r = bt_voice_failed(&run->observer.voice);
	if (!r)
		r = bt_pack_publish(run->finish.pack, &run->gate, &summary, name, error);
	if (!r)
		bt_snap_unlist_partials(run);
	bt_buf_free(&summary);
	return r;
}

/* Whether only directories are left, and the parent had other entries. */
static bool is_emptied(const struct bt_snap_totals *now, const struct bt_snapshot_info *before)
{
	if (now->files + now->others > 0)
		return false;
	return before->files + before->others > 0 || (now->directories == 1 && before->directories > 1);
}

static void compare_amounts(const struct bt_snap_run *run, struct bt_snapshot_result *result)
{
	const struct bt_snapshot_info *before = run->plan.parent;
	const struct bt_snap_totals *now = &run->finish.totals;

	if (!before)
		return;
	result->emptied = is_emptied(now, before);
	result->shrank = bt_has_shrunk(now->files, now->directory_size, before->files, before->directory_size);
}

static void fill_result(const struct bt_snap_run *run, struct bt_snapshot_result *result)
{
	const struct bt_snap_totals *totals = &run->finish.totals;
	const struct bt_pack_counts *packed = bt_pack_counts(run->finish.pack);

	result->files = totals->files;
	result->directories = totals->directories;
	result->others = totals->others;
	result->directory_size = totals->directory_size;
	result->created = totals->created;
	result->changed = totals->changed;
	result->unchanged = totals->unchanged;
	result->vanished = totals->vanished;
	result->errors = totals->errors;
	result->torn = totals->torn;
	result->removed = totals->removed;
	result->removed_bytes = totals->removed_bytes;
	result->boundaries = totals->boundaries;
	memcpy(result->boundary, totals->boundary, sizeof(result->boundary));
	memcpy(result->boundary_type, totals->boundary_type, sizeof(result->boundary_type));
	result->missing = totals->missing;
	result->left_out = bt_snap_walk_excluded(run->walk);
	bt_snap_walk_large(run->walk, &result->too_large, &result->too_large_bytes);
	result->new_bytes = packed->new_bytes;
	result->stored_bytes = packed->stored;
	result->written_bytes = packed->written;
	if (!result->partial)
		compare_amounts(run, result);
	result->followed = run->plan.changes;
	result->doubt = run->doubt;
	result->rules_omitted = run->request.info.rules_omitted;
	result->rules_changed = run->parent && bt_snap_rules_differ(run->plan.parent, &run->request.info);
	if (run->parent)
		memccpy(result->parent, run->plan.parent->name, 0, sizeof(result->parent) - 1);
}

/* Sets the snapshot that the next changes follow. */
static void tell_next(const struct bt_snap_run *run, const char *name, bool skipped)
{
	struct bt_changes *again = run->plan.options->changes->again;

	memccpy(again->snapshot, name, 0, sizeof(again->snapshot) - 1);
	again->repaired = run->repaired;
	again->tree = skipped ? run->plan.parent->root.digest : run->finish.root.digest;
}

static void tell_syncing(struct bt_snap_run *run)
{
	const struct bt_snap_totals *totals = &run->finish.totals;

	bt_snap_progress(
		&run->observer,
		&(struct bt_progress){.files = totals->files, .bytes = totals->directory_size, .syncing = true});
}

static int conclude(struct bt_snap_run *run, struct bt_snapshot_result *ret_result, struct bt_error *error)
{
	bool dry = run->plan.options->dry_run;
	struct bt_snapshot_result made = {.skipped = may_skip(run)};
	int r = 0;

	if (made.skipped && !dry) {
		memccpy(made.name, run->plan.parent->name, 0, sizeof(made.name) - 1);
	} else if (!dry) {
		tell_syncing(run);
		r = write_snapshot(run, made.name, error);
	}
	if (r)
		return r;
	fill_result(run, &made);
	if (run->plan.options->changes && !dry)
		tell_next(run, made.name, made.skipped);
	bt_sized_give(ret_result, &made, sizeof(made));
	if (run->finish.totals.problems > 0)
		return bt_fail(error, BT_E_INCOMPLETE, NULL, "some entries could not be read as they are");
	return 0;
}

/* The partial snapshot of before stays if it has more. */
static int conclude_early(struct bt_snap_run *run, struct bt_snapshot_result *ret_result, struct bt_error *error)
{
	struct bt_snapshot_result made = {0};
	int r;

	tell_syncing(run);
	r = bt_snap_checkpoint(run, made.name, error);
	if (r)
		return r;
	if (!*made.name && run->plan.parent)
		memccpy(made.name, run->plan.parent->name, 0, sizeof(made.name) - 1);
	made.partial = *made.name;
	fill_result(run, &made);
	bt_sized_give(ret_result, &made, sizeof(made));
	return bt_fail(error, BT_E_CANCELLED, NULL, NULL);
}

/* Tells what was listed, and is not in the directory. */
static void tell_missing(struct bt_snap_run *run)
{
	struct bt_snap_totals *totals = &run->finish.totals;
	const char *path;

	for (size_t at = 0; run->request.listed && (path = bt_listed_lost(run->request.listed, &at));) {
		struct bt_error problem = {0};

		bt_fail(&problem, BT_E_NOT_FOUND, path, "it is in the list of files, but not in the directory");
		bt_voice_tell(&run->observer.voice, path, &problem);
		totals->missing++;
		totals->problems++;
	}
}

static int take(struct bt_snap_run *run, const char *target, struct bt_snapshot_result *ret_result,
		struct bt_error *error)
{
	int r = bt_snap_request_read(&run->request, run->plan.store, target, run->plan.options, error);

	if (!r)
		r = enter_store(run, error);
	if (!r) {
		follow_changes(run);
		choose_course(run);
		r = set_up(run, error);
	}
	if (!r)
		r = run_stages(run, error);
	if (r)
		return r;
	if (!run->ended)
		tell_missing(run);
	return run->ended ? conclude_early(run, ret_result, error) : conclude(run, ret_result, error);
}

/* The caller gets the first failure of any stage. */
static int first_failure(struct bt_snap_run *run, int r, const struct bt_error *error, struct bt_error *ret_error)
{
	struct bt_voice *voice = &run->observer.voice;

	if (!r)
		return 0;
	if (r == BT_E_INCOMPLETE && !atomic_load(&voice->failed))
		return bt_error_pass(ret_error, error, r);
	bt_voice_fail(voice, r, error);
	return bt_voice_pass(voice, r, ret_error);
}

static int take_once(struct bt_snap_run *run, const char *target, const struct bt_observer *observer,
		     struct bt_snapshot_result *ret_result, struct bt_error *error)
{
	struct bt_error failure = {0};

	bt_snap_observer_init(&run->observer, observer);
	bt_buffers_init(&run->buffers, BT_BUFFERS_MAPPED, IDLE_MAX);
	int r = take(run, target, ret_result, &failure);
	/* What programs gave is not given a second time. */
	run->lost = r == BT_E_LOCKED && failure.sys == ENOLCK && !run->again && !run->plan.made;
	if (!run->doubted && !run->lost)
		r = first_failure(run, r, &failure, error);
	tear_down(run);
	if (!r || r == BT_E_INCOMPLETE)
		bt_snap_request_used(&run->request, run->plan.options);
	bt_snap_request_free(&run->request);
	bt_gate_close(&run->gate);
	bt_buffers_destroy(&run->buffers);
	bt_snap_observer_destroy(&run->observer);
	return r;
}

int bt_snapshot_take(struct bt_store *store, const char *target, const struct bt_snapshot_options *options,
		     const struct bt_observer *observer, struct bt_snapshot_result *ret_result, struct bt_error *error)
{
	struct bt_snapshot_options wanted;
	enum bt_doubt doubt = BT_DOUBT_NONE;
	bool again = false;
	struct bt_snap_run run;
	int r;

	if (bt_sized_take(&wanted, sizeof(wanted), options, error) || bt_sized_check(ret_result, error))
		return BT_E_INVALID;
	unsigned threads = wanted.threads > 0 ? wanted.threads : bt_cpu_count();
	do {
		run = (struct bt_snap_run){
			.plan = {.store = store, .options = &wanted, .threads = threads > 1 ? threads : 0},
			.gate = {.store = store, .fd = -1},
			.doubt = doubt,
			.again = again};
		run.plan.observer = &run.observer;
		r = take_once(&run, target, observer, ret_result, error);
		doubt = run.doubted ? run.doubt : doubt;
		again |= run.lost;
	} while (run.doubted || run.lost); /* each happens at most once */
	if (r == BT_E_CANCELLED && !run.ended)
		bt_sized_give(ret_result, &(struct bt_snapshot_result){.written_bytes = run.kept}, sizeof(*ret_result));
	return r;
}
