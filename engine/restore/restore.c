/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "base/io.h"
#include "base/random.h"
#include "base/route.h"
#include "base/sized.h"
#include "restore/backup.h"
#include "restore/run.h"
#include "restore/select.h"
#include "store/store.h"
#include <backuptool/confine.h>
#include <backuptool/select.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IN_FLIGHT ((size_t)64 << 20)

static void *worker_new(void *arg)
{
	struct bt_restore_worker *worker = calloc(1, sizeof(*worker));

	if (worker && bt_restore_worker_init(worker)) {
		bt_restore_worker_destroy(worker);
		free(worker);
		return NULL;
	}
	return worker;
}

static void worker_free(void *worker)
{
	bt_restore_worker_destroy(worker);
	free(worker);
}

/* Only here symlinks are followed: on the way to the output directory, and at its end. */
static int open_output(const struct bt_restore_run *run, const char *output, bool *ret_fresh, int *ret_fd,
		       struct bt_error *error)
{
	struct bt_route route;
	int r = bt_route_begin(&route, output, run->options.follow_foreign_links, error);

	if (!r)
		r = bt_guard_check_output(&run->guard, route.fd, output, error);
	if (!r) {
		*ret_fresh = *route.next;
		if (*ret_fresh && !run->options.dry_run)
			r = bt_route_make(&route, error);
	}
	if (!r && !*route.next)
		*ret_fd = bt_route_take(&route);
	bt_route_end(&route);
	return r;
}

/* All else is open by now. Deriving a file from one of version 1 writes to cache/. */
static int give_up_the_rest(struct bt_restore_run *run, int output, struct bt_error *error)
{
	int readable[] = {bt_store_local_fd(run->store)}, writable[] = {output, bt_store_local_cache_fd(run->store)};
	const struct bt_confinement limits = {.readable = readable,
					      .writable = writable,
					      .readable_count = readable[0] < 0 ? 0 : 1,
					      .writable_count = writable[1] < 0 ? 1 : 2};

	if (!run->options.threads) /* finding the number reads a file */
		run->options.threads = bt_cpu_count();
	return run->options.confine && output >= 0 ? bt_confine(&limits, NULL, error) : 0;
}

static int start_pool(struct bt_restore_run *run, struct bt_error *error)
{
	const struct bt_pool_options options = {
		.threads = run->options.threads ? run->options.threads : bt_cpu_count(),
		.budget = IN_FLIGHT,
		.worker_new = worker_new,
		.worker_free = worker_free,
	};

	if (bt_restore_worker_init(&run->finisher) || bt_pool_new(&options, &run->pool))
		return bt_fail(error, BT_E_NOMEM, NULL, "restore the snapshot");
	return 0;
}

static void finish_totals(struct bt_restore_run *run, const struct bt_selection *selection)
{
	if (selection->count || bt_picks_any(&run->picks) || *run->base)
		return;
	run->tell.progress.total_files = run->info->files;
	run->tell.progress.total_bytes = run->info->directory_size;
}

/* Walks the tree, waits for all workers, and makes the result durable. fd: the output directory, or -1 on a dry run
 * without one. */
static int restore_to(struct bt_restore_run *run, struct bt_place *root, const struct bt_selection *selection, int fd,
		      struct bt_error *error)
{
	int r = bt_restore_walk(run, root, selection);
	int drained = bt_pool_drain(run->pool);
	int failed = atomic_load(&run->tell.voice.failed);

	if (failed)
		return bt_error_pass(error, &run->tell.voice.error, failed);
	if (r || drained)
		return bt_fail(error, (enum bt_code)(r ? r : drained), NULL, "restore the snapshot");
	if (fd < 0 || run->options.dry_run)
		return 0;
	bt_tell_syncing(&run->tell);
	if (syncfs(fd))
		return bt_fail_sys(error, errno, NULL, "sync");
	return 0;
}

static int conclude(struct bt_restore_run *run, struct bt_restore_result *ret_result, struct bt_error *error)
{
	char text[64];
	uint64_t errors = run->tell.result.errors;

	bt_tell_lacks(&run->tell);
	bt_restore_owners_tell(&run->owners, &run->options);
	bt_picks_tell(&run->picks, &run->options);
	bt_sized_give(ret_result, &run->tell.result, sizeof(run->tell.result));
	if (!errors)
		return 0;
	snprintf(text, sizeof(text), "%llu %s could not be restored", (unsigned long long)errors,
		 errors == 1 ? "entry" : "entries");
	return bt_fail(error, BT_E_INCOMPLETE, NULL, text);
}

/* Whether the snapshot was taken of this directory, on this host. */
static bool is_in_place(const struct bt_restore_run *run, const char *output)
{
	char host[BT_HOST_SIZE], *path = realpath(output, NULL), *place = NULL;
	const char *target = run->info->target;

	if (*run->base && asprintf(&place, "%s/%s", strcmp(target, "/") == 0 ? "" : target, run->base) < 0)
		place = NULL;
	bool same = path && (place || !*run->base) && strcmp(path, place ? place : target) == 0;

	free(path);
	free(place);
	bt_host(host);
	return same && strcmp(host, run->info->host) == 0;
}

static int take_rules(struct bt_restore_run *run, struct bt_error *error)
{
	struct bt_exclusion_set *set = &run->exclusion;
	int r;

	if (!run->options.delete_extra || !run->options.keep_left_out)
		return 0;
	r = bt_exclusion_add(set, BT_LIST_PATTERNS, run->info->rules, run->info->rule_count);
	if (!r)
		r = bt_exclusion_add_words(set, run->info->options, run->info->option_count);
	if (r)
		return bt_fail(error, (enum bt_code)r, NULL, "restore the snapshot");
	run->excludes = run->info->rule_count + run->info->option_count > 0;
	return bt_exclusion_finish(set, error);
}

static int restore(struct bt_restore_run *run, const char *output, const struct bt_selection *selection,
		   struct bt_error *error)
{
	bool fresh;
	int fd = -1, r = open_output(run, output, &fresh, &fd, error);

	if (r)
		return r;
	r = take_rules(run, error);
	if (r) {
		bt_close(&fd);
		return r;
	}
	run->in_place = is_in_place(run, output);
	run->by_content = selection->count || run->options.include_count || *run->base;
	if (run->options.backup && run->options.overwrite == BT_OVERWRITE_ALWAYS) { /* what is equal has no backup */
		run->options.overwrite = BT_OVERWRITE_IF_CHANGED;
		run->by_content = true;
	}
	r = give_up_the_rest(run, fd, error);
	if (r) {
		bt_close(&fd);
		return r;
	}
	int sync_fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	struct bt_place *root = bt_place_new(&run->places, NULL, "", fd);
	if (!root) {
		bt_close(&sync_fd);
		return bt_fail(error, BT_E_NOMEM, NULL, "restore the snapshot");
	}
	root->fresh = fresh;
	finish_totals(run, selection);
	r = start_pool(run, error);
	if (r)
		bt_place_unref(&run->places, root);
	else
		r = restore_to(run, root, selection, sync_fd, error);
	bt_close(&sync_fd);
	return r;
}

char *bt_restore_path(const struct bt_restore_run *run, const struct bt_place *place, const char *name)
{
	char *path = bt_place_path(place, name), *whole = NULL;

	if (!path || !*run->base)
		return path;
	if (asprintf(&whole, "%s%s%s", run->base, *path ? "/" : "", path) < 0)
		whole = NULL;
	free(path);
	return whole;
}

/* The directory of the snapshot that becomes the output. */
static int find_root(struct bt_restore_run *run, struct bt_error *error)
{
	run->base = bt_selection_path(run->options.base ? run->options.base : "");
	if (!run->base)
		return bt_fail(error, BT_E_NOMEM, NULL, "restore the snapshot");
	run->root = &run->info->root;
	if (!*run->base)
		return 0;
	int r = bt_path_lookup(run->store, &run->info->root, run->base, &run->root_page, &run->root, error);
	if (!r && run->root->type != BT_DIR)
		r = bt_fail(error, BT_E_INVALID, NULL, "the base is no directory");
	return r;
}

static int check_backup(const char *suffix, struct bt_error *error)
{
	size_t length = suffix ? strlen(suffix) : 1;

	if (length && length <= BT_BACKUP_LONGEST && !(suffix && strchr(suffix, '/')))
		return 0;
	return bt_fail(error, BT_E_INVALID, NULL,
		       "what a backup has after its name is empty, too long, or has a slash");
}

/* All that is looked up before the process is confined. */
static int prepare(struct bt_restore_run *run, const struct bt_snapshot *snapshot, struct bt_selection *selection,
		   struct bt_error *error)
{
	const struct bt_restore_options *options = &run->options;
	int r = check_backup(options->backup, error);

	r = r ? r : find_root(run, error);
	r = r ? r : bt_picks_init(&run->picks, options, error);
	r = r ? r : bt_selection_new(run->store, run->root, options->paths, options->path_count, selection, error);
	r = r ? r : bt_restore_owners_init(&run->owners, run->store, snapshot, options, run->privileged, error);
	return r ? r : bt_guard_init(&run->guard, run->store, error);
}

static void forget(struct bt_restore_run *run, struct bt_selection *selection)
{
	bt_exclusion_free(&run->exclusion);
	bt_guard_free(&run->guard);
	bt_restore_owners_free(&run->owners);
	bt_selection_free(selection);
	bt_picks_free(&run->picks);
	bt_page_put(run->store, run->root_page);
	free(run->base);
}

/* With everything prepared. */
static int restore_prepared(struct bt_restore_run *run, const char *output, const struct bt_selection *selection,
			    const struct bt_observer *observer, struct bt_restore_result *ret_result,
			    struct bt_error *error)
{
	int r;

	bt_tell_init(&run->tell, observer);
	bt_places_init(&run->places);
	bt_restore_links_init(&run->links, &run->places);
	if (bt_scan_mounts_init(&run->mounts))
		r = bt_fail(error, BT_E_NOMEM, NULL, "restore the snapshot");
	else
		r = restore(run, output, selection, error);
	bt_pool_free(run->pool);
	bt_restore_worker_destroy(&run->finisher);
	if (!r)
		r = conclude(run, ret_result, error);
	bt_restore_links_free(&run->links);
	bt_ways_destroy(&run->places);
	bt_tell_free(&run->tell);
	bt_scan_mounts_destroy(&run->mounts);
	return r;
}

int bt_restore(struct bt_store *store, const struct bt_snapshot *snapshot, const char *output,
	       const struct bt_restore_options *options, const struct bt_observer *observer,
	       struct bt_restore_result *ret_result, struct bt_error *error)
{
	struct bt_error unheard = {0}, *heard = error ? error : &unheard;
	struct bt_restore_run run = {.store = store, .info = bt_snapshot_info(snapshot), .privileged = geteuid() == 0};
	struct bt_selection selection = {0};

	if (bt_sized_take(&run.options, sizeof(run.options), options, error) || bt_sized_check(ret_result, error))
		return BT_E_INVALID;
	const struct bt_observer still = {.arg = observer ? observer->arg : NULL,
					  .cancelled = observer ? observer->cancelled : NULL,
					  .waiting = observer ? observer->waiting : NULL};
	if (run.options.count_only)
		observer = &still;
	int lock, r = bt_random(&run.seed, sizeof(run.seed));
	if (r)
		return bt_fail_sys(heard, -r, NULL, "get random bytes");
	r = bt_store_lock_for_reading(store, observer, &lock, heard);
	if (r)
		return r;
	r = prepare(&run, snapshot, &selection, heard);
	if (!r)
		r = restore_prepared(&run, output, &selection, observer, ret_result, heard);
	forget(&run, &selection);
	bt_close(&lock);
	return r;
}
