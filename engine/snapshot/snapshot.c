/* SPDX-License-Identifier: MIT */
#include <backuptool/snapshot.h>

#include "base/bytes.h"
#include "base/fail.h"
#include "base/io.h"
#include "base/sized.h"
#include "codec/frame.h"
#include "model/document.h"
#include "pack/pack.h"
#include "snapshot/item.h"
#include "snapshot/parent.h"
#include "snapshot/tree.h"
#include "snapshot/walk.h"
#include "store/gate.h"
#include <backuptool/select.h>
#include <errno.h>
#include <internal/policy.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A run that read this much only to find it unchanged makes a snapshot for the fingerprints' sake, so that the next one
 * need not read it again. */
#define REREAD_MAX ((uint64_t)16 << 20)
#define IDLE_MAX   ((size_t)12 << 20) /* of buffers */
enum { SCAN_THREADS_MAX = 8 };

/* What stands in the header, and what it is borrowed from. */
struct plan {
	struct bt_snapshot_info info;
	char host[BT_HOST_SIZE];
	char *target;
	const char **tags;
	struct bt_rules *rules;
	struct bt_gate gate;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool tag_valid(const char *tag)
{
	for (const char *c = tag; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	return tag[0] != 0 && bt_utf8_valid(tag, strlen(tag));
}

static int plan_tags(struct plan *plan, const struct bt_snapshot_options *options, struct bt_error *error)
{
	size_t count = 0;

	if (options->tag_count == 0)
		return 0;
	plan->tags = calloc(options->tag_count, sizeof(*plan->tags));
	if (!plan->tags)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	for (size_t i = 0; i < options->tag_count; i++) {
		if (!tag_valid(options->tags[i]))
			return bt_fail(error, BT_E_INVALID, options->tags[i], "not a tag");
		plan->tags[i] = options->tags[i];
	}
	qsort(plan->tags, options->tag_count, sizeof(*plan->tags), by_text);
	for (size_t i = 0; i < options->tag_count; i++)
		if (count == 0 || strcmp(plan->tags[count - 1], plan->tags[i]) != 0)
			plan->tags[count++] = plan->tags[i];
	plan->info.tags = plan->tags;
	plan->info.tag_count = count;
	return 0;
}

static int plan_host(struct plan *plan, const char *wanted, struct bt_error *error)
{
	size_t length = wanted ? strlen(wanted) : 0;

	if (wanted && (length == 0 || length >= BT_HOST_SIZE || !bt_utf8_valid(wanted, length)))
		return bt_fail(error, BT_E_INVALID, wanted, "not a name of a host");
	if (wanted)
		memcpy(plan->host, wanted, length + 1);
	else
		bt_host(plan->host);
	plan->info.host = plan->host;
	return 0;
}

/* The store is left out where the walk meets it; a walk that begins in it would store it into itself. target is as
 * realpath gives it. */
static int refuse_store(dev_t dev, ino_t inode, const char *target, struct bt_error *error)
{
	struct stat st;
	char path[PATH_MAX];
	char *end = memccpy(path, target, 0, sizeof(path));

	if (!end)
		return 0;
	for (end--; end > path; end = strrchr(path, '/')) {
		*end = 0;
		if (stat(path, &st) == 0 && st.st_dev == dev && st.st_ino == inode)
			return bt_fail(error, BT_E_INVALID, target, "the target lies in the store");
	}
	return 0;
}

int bt_snapshot_place(const char *store, const char *target, struct bt_error *error)
{
	struct stat status;
	char *real = stat(store, &status) == 0 ? realpath(target, NULL) : NULL;
	int result = real ? refuse_store(status.st_dev, status.st_ino, real, error) : 0;

	free(real);
	return result;
}

static int plan_run(struct bt_snap_run *run, struct plan *plan, const char *target, struct bt_error *error)
{
	const struct bt_snapshot_options *options = run->options;
	dev_t dev;
	ino_t inode;

	if (options->level < BT_LEVEL_AUTO || options->level > BT_COMPRESSION_MAX)
		return bt_fail(error, BT_E_INVALID, NULL, "no such compression level");
	int failed = plan_host(plan, options->host, error);
	if (failed != 0)
		return failed;
	plan->target = realpath(target, NULL);
	if (!plan->target)
		return bt_fail_sys(error, errno, target, "find the target");
	plan->info.target = plan->target;
	bt_store_inode(run->store, &dev, &inode);
	int result = refuse_store(dev, inode, plan->target, error);
	if (result == 0 && options->exclude_count > 0)
		result = bt_rules_new(options->exclude, options->exclude_count, &plan->rules, error);
	return result == 0 ? plan_tags(plan, options, error) : result;
}

/* A name says when what it stands for was looked at, however long that had to wait. */
static void set_time(struct bt_snap_run *run, struct plan *plan)
{
	if (run->options->time)
		run->time = *run->options->time;
	else
		bt_source_now(&run->time);
	plan->info.time = run->time;
}

/* Whole directories may be taken over from it without a look at each content. */
static void lean_on(struct bt_snap_run *run, struct plan *plan, const char *parent)
{
	uint32_t ordinal;

	if (bt_store_file_named(run->store, parent, &ordinal) == 0)
		bt_gate_lean(&plan->gate, ordinal);
}

/* A dry run needs no more than to read. */
static int open_gate(struct bt_snap_run *run, struct plan *plan, struct bt_error *error)
{
	if (run->options->dry_run)
		return bt_store_lock_for_reading(run->store, run->watch.voice.observer, &plan->gate.fd, error);
	return bt_gate_open(run->store, BT_LOCK_SHARED, run->watch.voice.observer, &plan->gate, error);
}

/* Nothing is deleted from here on; what was deleted before is not leaned on. */
static int enter_store(struct bt_snap_run *run, struct plan *plan, struct bt_error *error)
{
	int result = open_gate(run, plan, error);

	if (result != 0)
		return result;
	set_time(run, plan);
	if (run->options->changes)
		run->repaired = bt_store_repaired(run->store);
	if (!run->options->dry_run)
		bt_store_sweep(run->store, false);
	result = bt_snap_parent_find(run, plan->host, plan->target, &run->parent);
	if (result == 0 && run->parent) {
		const struct bt_snapshot_info *parent = bt_snapshot_info(run->parent);

		plan->info.parent = parent->name;
		lean_on(run, plan, parent->name);
		run->watch.expected_files = parent->files;
		run->watch.expected_bytes = parent->directory_size;
	}
	return result;
}

/* Whether the changes can be relied on: they follow this parent. */
static void follow_changes(struct bt_snap_run *run)
{
	const struct bt_changes *changes = run->options->changes;
	const struct bt_snapshot_info *parent = run->parent ? bt_snapshot_info(run->parent) : NULL;

	if (!changes || run->doubt != BT_DOUBT_NONE)
		return;
	run->doubt = changes->doubt;
	if (run->doubt == BT_DOUBT_NONE && !bt_time_equal(&changes->repaired, &run->repaired))
		run->doubt = BT_DOUBT_DAMAGE;
	if (run->doubt == BT_DOUBT_NONE && (!parent || strcmp(parent->name, changes->snapshot) != 0 ||
					    !bt_digest_equal(&parent->root.digest, &changes->tree)))
		run->doubt = BT_DOUBT_PARENT;
	if (run->doubt == BT_DOUBT_NONE && run->options->force)
		run->doubt = BT_DOUBT_DUE;
	run->changes = run->doubt == BT_DOUBT_NONE ? changes : NULL;
}

static int open_scan(struct bt_snap_run *run, const struct plan *plan, struct bt_error *error)
{
	const struct bt_snapshot_options *options = run->options;
	struct bt_scan_options scan = {
		.rules = plan->rules,
		.if_present = options->exclude_if_present,
		.if_present_count = options->exclude_if_present_count,
		.caches = options->exclude_caches,
		.one_file_system = options->one_file_system,
		.changes = run->changes,
		.threads = run->threads < SCAN_THREADS_MAX ? run->threads : SCAN_THREADS_MAX,
		.observer = &run->watch.outer,
	};

	bt_store_inode(run->store, &scan.skip_dev, &scan.skip_ino);
	return bt_scan_open(plan->target, &scan, &run->scan, error);
}

static int set_up(struct bt_snap_run *run, const struct plan *plan, struct bt_error *error)
{
	const struct bt_pack_options options = {.store = run->store,
						.info = &plan->info,
						.dry = run->options->dry_run,
						.level = run->options->level,
						.volume_size = run->options->volume_size,
						.threads = run->threads,
						.voice = &run->watch.voice,
						.buffers = &run->buffers};
	int result = bt_pack_new(&options, &run->pack, error);

	if (result == 0)
		result = open_scan(run, plan, error);
	if (result != 0)
		return result;
	run->source = (struct bt_source){run->scan, bt_scan_root(run->scan)->self.dev, geteuid(), &run->buffers,
					 &run->watch.voice};
	run->trees = bt_snap_trees_new(run);
	run->late = bt_reader_new(&run->source);
	if (!run->trees || !run->late)
		return BT_E_NOMEM;
	result = bt_snap_walk_new(run);
	return result == 0 ? bt_snap_readers_new(run, &run->readers) : result;
}

/* The pools first: their jobs use all the rest. */
static void tear_down(struct bt_snap_run *run)
{
	bt_pool_free(run->readers);
	bt_snap_walk_free(run->walk);
	if (run->scan)
		bt_scan_close(run->scan);
	bt_reader_free(run->late);
	bt_snap_trees_free(run->trees);
	bt_pack_free(run->pack);
	bt_arena_free(&run->root_arena);
	if (run->parent)
		bt_snapshot_close(run->parent);
}

static bool may_skip(const struct bt_snap_run *run)
{
	const struct bt_snap_totals *totals = &run->totals;
	const struct bt_pack_counts *packed = bt_pack_counts(run->pack);

	return run->options->skip_if_unchanged && run->parent && totals->differences == 0 && packed->new_bytes == 0 &&
	       !packed->healed && totals->reread_bytes <= REREAD_MAX;
}

static int write_snapshot(struct bt_snap_run *run, struct plan *plan, char name[64], struct bt_error *error)
{
	const struct bt_snap_totals *totals = &run->totals;
	struct bt_snapshot_info *info = &plan->info;
	struct bt_buf summary = {0};
	int result = bt_pack_seal(run->pack, error);

	info->root = run->root;
	info->files = totals->files;
	info->directories = totals->directories;
	info->others = totals->others;
	info->directory_size = totals->directory_size;
	info->stored_size = bt_pack_counts(run->pack)->stored;
	info->created = totals->created;
	info->changed = totals->changed;
	info->unchanged = totals->unchanged;
	info->errors = totals->errors;
	info->torn = totals->torn;
	info->removed = totals->removed;
	info->left_out = bt_snap_walk_excluded(run->walk);
	info->boundaries = totals->boundaries;
	info->xattrs = totals->xattrs;
	if (result == 0)
		result = bt_summary_write(&summary, info);
	if (result == 0)
		result = bt_voice_failed(&run->watch.voice);
	if (result == 0)
		result = bt_pack_publish(run->pack, &plan->gate, &summary, name, error);
	bt_buf_free(&summary);
	return result;
}

/* Whether nothing but directories is left where there was more. */
static bool is_emptied(const struct bt_snap_totals *now, const struct bt_snapshot_info *before)
{
	if (now->files + now->others > 0)
		return false;
	return before->files + before->others > 0 || (now->directories == 1 && before->directories > 1);
}

static void compare_amounts(const struct bt_snap_run *run, struct bt_snapshot_result *result)
{
	const struct bt_snapshot_info *before = run->parent ? bt_snapshot_info(run->parent) : NULL;
	const struct bt_snap_totals *now = &run->totals;

	if (!before)
		return;
	result->emptied = is_emptied(now, before);
	result->shrank = bt_has_shrunk(now->files, now->directory_size, before->files, before->directory_size);
}

static void fill_result(const struct bt_snap_run *run, const struct plan *plan, struct bt_snapshot_result *result)
{
	const struct bt_snap_totals *totals = &run->totals;
	const struct bt_pack_counts *packed = bt_pack_counts(run->pack);

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
	result->boundaries = totals->boundaries;
	memcpy(result->boundary, totals->boundary, sizeof(result->boundary));
	memcpy(result->boundary_type, totals->boundary_type, sizeof(result->boundary_type));
	result->left_out = bt_snap_walk_excluded(run->walk);
	result->new_bytes = packed->new_bytes;
	result->stored_bytes = packed->stored;
	result->written_bytes = packed->written;
	compare_amounts(run, result);
	result->followed = run->changes != NULL;
	result->doubt = run->doubt;
	if (plan->info.parent)
		memccpy(result->parent, plan->info.parent, 0, sizeof(result->parent) - 1);
}

/* What the next changes follow. */
static void tell_next(const struct bt_snap_run *run, const char *name, bool skipped)
{
	struct bt_changes *again = run->options->changes->again;

	memccpy(again->snapshot, name, 0, sizeof(again->snapshot) - 1);
	again->repaired = run->repaired;
	again->tree = skipped ? bt_snapshot_info(run->parent)->root.digest : run->root.digest;
}

static void tell_syncing(struct bt_snap_run *run)
{
	bt_snap_progress(&run->watch, &(struct bt_progress){.files = run->totals.files,
							    .bytes = run->totals.directory_size,
							    .syncing = true});
}

static int conclude(struct bt_snap_run *run, struct plan *plan, struct bt_snapshot_result *ret_result,
		    struct bt_error *error)
{
	struct bt_snapshot_result made = {0};
	int result = 0;

	made.skipped = may_skip(run);
	if (made.skipped && !run->options->dry_run) {
		memccpy(made.name, plan->info.parent, 0, sizeof(made.name) - 1);
	} else if (!run->options->dry_run) {
		tell_syncing(run);
		result = write_snapshot(run, plan, made.name, error);
	}
	if (result != 0)
		return result;
	fill_result(run, plan, &made);
	if (run->options->changes && !run->options->dry_run)
		tell_next(run, made.name, made.skipped);
	bt_sized_give(ret_result, &made, sizeof(made));
	if (run->totals.problems > 0)
		return bt_fail(error, BT_E_INCOMPLETE, NULL, "some entries could not be read as they are");
	return 0;
}

static int take(struct bt_snap_run *run, struct plan *plan, const char *target, struct bt_snapshot_result *ret_result,
		struct bt_error *error)
{
	int result = plan_run(run, plan, target, error);

	if (result == 0)
		result = enter_store(run, plan, error);
	if (result == 0)
		follow_changes(run);
	if (result == 0)
		result = set_up(run, plan, error);
	if (result == 0)
		result = bt_snap_walk(run, error);
	return result == 0 ? conclude(run, plan, ret_result, error) : result;
}

/* What failed first, wherever it was, is what the caller hears. */
static int first_failure(struct bt_snap_run *run, int result, const struct bt_error *error, struct bt_error *ret_error)
{
	if (result == 0)
		return 0;
	if (result != BT_E_INCOMPLETE || atomic_load(&run->watch.voice.failed)) {
		result = bt_voice_fail(&run->watch.voice, result, error);
		error = &run->watch.voice.error;
	}
	return bt_error_pass(ret_error, error, result);
}

static int take_once(struct bt_snap_run *run, const char *target, const struct bt_observer *observer,
		     struct bt_snapshot_result *ret_result, struct bt_error *error)
{
	struct plan plan = {.gate = {.store = run->store, .fd = -1}};
	struct bt_error failure = {0};

	bt_snap_watch_init(&run->watch, observer);
	bt_buffers_init(&run->buffers, BT_BUFFERS_MAPPED, IDLE_MAX);
	int result = take(run, &plan, target, ret_result, &failure);
	run->lost = result == BT_E_LOCKED && failure.sys == ENOLCK && !run->again;
	if (!run->doubted && !run->lost)
		result = first_failure(run, result, &failure, error);
	tear_down(run);
	bt_rules_free(plan.rules);
	free(plan.target);
	free(plan.tags);
	bt_gate_close(&plan.gate);
	bt_buffers_destroy(&run->buffers);
	bt_snap_watch_destroy(&run->watch);
	return result;
}

int bt_snapshot_take(struct bt_store *store, const char *target, const struct bt_snapshot_options *options,
		     const struct bt_observer *observer, struct bt_snapshot_result *ret_result, struct bt_error *error)
{
	struct bt_snapshot_options wanted;
	struct bt_snap_run first = {.store = store, .options = &wanted}, run;
	unsigned threads;
	int result;

	if (bt_sized_take(&wanted, sizeof(wanted), options, error) || bt_sized_check(ret_result, error))
		return BT_E_INVALID;
	threads = wanted.threads > 0 ? wanted.threads : bt_cpu_count();
	first.threads = threads > 1 ? threads : 0;
	do {
		run = first;
		result = take_once(&run, target, observer, ret_result, error);
		first.doubt = run.doubted ? run.doubt : first.doubt;
		first.again |= run.lost;
	} while (run.doubted || run.lost); /* each once at most */
	return result;
}
