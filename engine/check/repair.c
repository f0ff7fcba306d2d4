/* SPDX-License-Identifier: MIT */
/* Repairs a store, file by file, through the steps of gate.h: so nothing is lost if it is killed at any point. */
#include "base/fail.h"
#include "base/io.h"
#include "base/sized.h"
#include "check/run.h"
#include "pack/volume.h"
#include "store/gate.h"
#include "view/snapshot.h"
#include <backuptool/view.h>
#include <errno.h>
#include <internal/policy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 1000

struct repair {
	struct bt_store *store;
	const struct bt_repair_options *options;
	const struct bt_observer *observer;
	struct bt_check_result checked;
	struct bt_repair_result result;
	uint64_t lost_bytes; /* bytes of the paths that were reported */
	struct bt_gate gate;
	struct bt_digest_set wrong; /* files that do not match their digest, as the check found */
	struct bt_error *error;
};

struct broken_file {
	const struct bt_file_id *id;
	bool other;   /* another file has the name of its snapshot, too */
	bool no_file; /* a link or another thing that is not a file */
	bool newer;   /* made by a newer program: nothing is known of it */
	char to[BT_ASIDE_SIZE];
	struct bt_rewrite rewrite;
};

static void tell_repair(struct repair *repair, const struct broken_file *broken, enum bt_repair_action action)
{
	const struct bt_repair done = {.action = action,
				       .file = broken->id->path,
				       .to = repair->options->dry_run ? NULL : broken->to,
				       .snapshot = broken->id->snapshot && !broken->other,
				       .blocks = broken->rewrite.blocks,
				       .pages = broken->rewrite.pages};

	repair->result.rewritten += action == BT_REPAIR_REWRITTEN;
	repair->result.aside += action == BT_REPAIR_ASIDE;
	repair->result.renamed += action == BT_REPAIR_RENAMED || action == BT_REPAIR_MADE_VOLUME;
	repair->result.snapshots_lost += action == BT_REPAIR_ASIDE && broken->id->snapshot && !broken->other;
	if (repair->options->done)
		repair->options->done(repair->options->arg, &done);
}

static int append_text(struct bt_buf *buf, struct bt_text text)
{
	return bt_buf_append(buf, text.bytes, text.length);
}

/* The new file has the old header and summary, which are intact. They are those of the file as the store has it: what
 * reads line by line does not find them after a damaged end of a line. */
static int replace_snapshot(struct repair *repair, struct broken_file *broken)
{
	struct bt_buf header = {0}, summary = {0};
	struct bt_rewrite *rewrite = &broken->rewrite;
	struct bt_file *file;
	int r = bt_store_file(repair->store, broken->id->ordinal, &file, repair->error);

	if (!r)
		r = append_text(&header, bt_file_header(file));
	if (!r)
		r = append_text(&summary, bt_file_summary(file));
	if (!r)
		r = bt_store_create_like(repair->store, broken->id->ordinal, &header, &rewrite->writer, repair->error);
	if (!r)
		r = bt_rewrite_file(rewrite, repair->error);
	if (!r)
		r = bt_gate_mend(&repair->gate, broken->id->ordinal, rewrite->writer, &summary, broken->to,
				 repair->error);
	bt_buf_free(&header);
	bt_buf_free(&summary);
	return r;
}

static int set_aside(struct repair *repair, struct broken_file *broken)
{
	return bt_gate_set_aside(&repair->gate, broken->id->ordinal, broken->to, repair->error);
}

static int move_aside(struct repair *repair, struct broken_file *broken)
{
	int r = bt_volume_begin(repair->store, NULL, &broken->rewrite.writer, repair->error);

	if (!r)
		r = bt_rewrite_file(&broken->rewrite, repair->error);
	if (!r && broken->rewrite.blocks + broken->rewrite.pages)
		r = bt_volume_seal(repair->store, broken->rewrite.writer, NULL, repair->error);
	return r ? r : set_aside(repair, broken);
}

/* Passes on a failure that says nothing about the file, which then stays as it is; else 0. */
static int only_failed(struct repair *repair, int r, const struct bt_error *error)
{
	if (r != BT_E_NOMEM && (r != BT_E_SYSTEM || error->sys == EIO))
		return 0;
	if (repair->error)
		*repair->error = *error;
	return r;
}

/* Whether header and summary are intact, so that the snapshot can stay. */
static int is_snapshot(struct repair *repair, const struct bt_file_id *id, bool *ret_is)
{
	struct bt_snapshot *snapshot;
	struct bt_error error = {0};
	int r = id->snapshot ? bt_snapshot_open_misnamed(repair->store, id->name, &snapshot, &error) : BT_E_INVALID;

	*ret_is = !r;
	if (!r)
		bt_snapshot_close(snapshot);
	return only_failed(repair, r, &error);
}

/* Opens the file apart from the store, which may count it as unusable. */
static int open_broken(struct repair *repair, struct broken_file *broken)
{
	struct bt_object *object;
	int r = bt_store_open_apart(repair->store, broken->id->ordinal, &object, repair->error);

	return r ? r : bt_file_open_loosely(object, broken->id->path, &broken->rewrite.file, repair->error);
}

static int rewrite_broken(struct repair *repair, struct broken_file *broken, bool snapshot)
{
	int r = open_broken(repair, broken);

	if (!r)
		r = snapshot ? replace_snapshot(repair, broken) : move_aside(repair, broken);
	bt_writer_free(broken->rewrite.writer);
	bt_file_free(broken->rewrite.file);
	return r;
}

static int repair_damaged(struct repair *repair, struct broken_file *broken, bool second)
{
	bool snapshot = false;
	int r = second ? 0 : is_snapshot(repair, broken->id, &snapshot);

	if (!r && !repair->options->dry_run)
		r = broken->no_file ? set_aside(repair, broken) : rewrite_broken(repair, broken, snapshot);
	if (!r)
		tell_repair(repair, broken, snapshot ? BT_REPAIR_REWRITTEN : BT_REPAIR_ASIDE);
	return r;
}

static int rename_to(struct repair *repair, struct broken_file *broken, int64_t seconds)
{
	struct bt_error failure;
	int r = BT_E_EXISTS;

	for (unsigned clash = 0; r == BT_E_EXISTS && clash < NAMES_MAX; clash++) {
		failure = (struct bt_error){0};
		bt_snapshot_name_format(seconds, clash, broken->to, sizeof(broken->to));
		r = bt_gate_rename(&repair->gate, broken->id->ordinal, broken->to, &failure);
	}
	return bt_error_pass(repair->error, &failure, r);
}

/* The digests of the file cover the time in it, but not its name: so the time gives the name. */
static int rename_misnamed(struct repair *repair, struct broken_file *broken)
{
	struct bt_snapshot *snapshot;
	int r = bt_snapshot_open_misnamed(repair->store, broken->id->name, &snapshot, repair->error);

	if (r)
		return r;
	int64_t seconds = bt_snapshot_info(snapshot)->time.seconds;
	bt_snapshot_close(snapshot);
	if (!repair->options->dry_run)
		r = rename_to(repair, broken, seconds);
	if (!r)
		tell_repair(repair, broken, BT_REPAIR_RENAMED);
	return r;
}

static bool has_other(const struct repair *repair, const struct bt_file_id *id)
{
	for (uint32_t i = 0; i < bt_store_file_count(repair->store); i++) {
		const struct bt_file_id *other = bt_store_file_id(repair->store, i);

		if (other != id && id->snapshot && other->snapshot && !other->gone && !strcmp(other->name, id->name))
			return true;
	}
	return false;
}

/* What it holds stays in the store. Where the plain file turned out to be no snapshot, this one counts now. */
static int make_volume(struct repair *repair, struct broken_file *broken)
{
	if (!broken->other)
		return 0;
	int r = repair->options->dry_run ? 0 : bt_gate_move(&repair->gate, broken->id->ordinal, repair->error);

	if (!r && !repair->options->dry_run) {
		size_t made = bt_store_file_count(repair->store) - 1;

		snprintf(broken->to, sizeof(broken->to), "%s", bt_store_file_id(repair->store, (uint32_t)made)->path);
		r = bt_store_settle(repair->store, repair->error);
	}
	if (!r)
		tell_repair(repair, broken, BT_REPAIR_MADE_VOLUME);
	return r;
}

static int inspect(struct repair *repair, struct broken_file *broken, bool *ret_classic)
{
	struct bt_file *file;
	struct bt_error error = {0};
	int r = bt_store_file(repair->store, broken->id->ordinal, &file, &error);

	*ret_classic = !r && bt_file_kind(file) == BT_KIND_CLASSIC;
	broken->no_file = r && error.reason == BT_R_NOT_A_FILE;
	broken->newer = r && bt_error_is_newer(&error);
	return only_failed(repair, r, &error);
}

static int repair_file(struct repair *repair, uint32_t ordinal, unsigned state)
{
	struct broken_file broken = {.id = bt_store_file_id(repair->store, ordinal),
				     .other = has_other(repair, bt_store_file_id(repair->store, ordinal)),
				     .rewrite = {.store = repair->store}};
	bool classic;
	int r = inspect(repair, &broken, &classic);

	if (r || broken.newer)
		return r;
	if (state & BT_STATE_DAMAGED && !classic)
		r = repair_damaged(repair, &broken, state & BT_STATE_SECOND);
	if (!r && state == (BT_STATE_DAMAGED | BT_STATE_MISNAMED))
		r = bt_store_refresh(repair->store, repair->error);
	if (!r && state & BT_STATE_MISNAMED)
		r = rename_misnamed(repair, &broken);
	if (!r && state == BT_STATE_SECOND)
		r = make_volume(repair, &broken);
	return r;
}

/* Nothing in the store depends on the id, so that the store gets a new one. */
static int repair_identity(struct repair *repair)
{
	const struct bt_file_id id = {.name = BT_ID_NAME, .path = BT_ID_NAME};
	struct broken_file broken = {.id = &id};
	struct bt_error error = {0};
	int r = bt_identity_read(repair->store, &error);

	if (!r)
		return 0;
	r = only_failed(repair, r, &error);
	if (!r && !repair->options->dry_run)
		r = bt_gate_renew_identity(&repair->gate, broken.to, repair->error);
	if (!r)
		tell_repair(repair, &broken, BT_REPAIR_ASIDE);
	return r;
}

/* second: those of which the other file was looked at before. */
static int repair_files(struct repair *repair, const struct bt_check_run *run, bool second)
{
	int r = 0;

	for (uint32_t i = 0; i < run->state_count && !r; i++) {
		if (bt_cancelled(repair->observer))
			return bt_fail(repair->error, BT_E_CANCELLED, NULL, NULL);
		if (run->states[i] && !(run->states[i] & BT_STATE_SECOND) == !second)
			r = repair_file(repair, i, run->states[i]);
	}
	return r;
}

static int repair_all(struct repair *repair, const struct bt_check_run *run)
{
	int r = run->unread.code ? (int)run->unread.code : 0;

	if (r && repair->error)
		*repair->error = run->unread;
	if (!r)
		r = repair_files(repair, run, false);
	if (!r && !repair->options->dry_run)
		r = bt_store_refresh(repair->store, repair->error);
	if (!r)
		r = repair_files(repair, run, true);
	return r ? r : repair_identity(repair);
}

static void tell_lost(void *arg, const struct bt_hurt *hurt)
{
	struct repair *repair = arg;

	if (!hurt->path && !hurt->names && repair->options->dry_run)
		return; /* reported as what would be done with the snapshot's file */
	repair->result.lost++;
	if (hurt->path_length > BT_HURT_BYTES - repair->lost_bytes) {
		repair->result.lost_more++;
		return;
	}
	repair->lost_bytes += hurt->path_length;
	if (repair->options->lost)
		repair->options->lost(repair->options->arg, hurt);
}

/* Walks the snapshots again with the set of intact contents: this gives the upper bound of what is lost. */
static int estimate_lost(struct repair *repair, struct bt_check_run *run)
{
	bt_findings_free(run);
	run->tell = NULL;
	run->hurt = tell_lost;
	run->arg = repair;
	return bt_check_snapshots(run, repair->error);
}

static int find_and_repair(struct repair *repair)
{
	const struct bt_check_options options = {.threads = repair->options->threads};
	struct bt_check_run run = {.store = repair->store,
				   .options = &options,
				   .tell = repair->options->found,
				   .arg = repair->options->arg,
				   .state_count = (uint32_t)bt_store_file_count(repair->store)};

	run.states = calloc(run.state_count + 1, sizeof(*run.states));
	if (!run.states)
		return bt_fail(repair->error, BT_E_NOMEM, NULL, NULL);
	bt_voice_init(&run.voice, repair->observer, NULL);
	int r = bt_check_all(&run, repair->error);
	repair->checked = run.result;
	if (r == BT_E_DAMAGED)
		r = repair_all(repair, &run);
	if (!r && repair->options->dry_run && run.result.findings) {
		r = estimate_lost(repair, &run);
		r = r ? r : run.result.findings > run.result.newer ? BT_E_DAMAGED : BT_E_INCOMPLETE;
	}
	repair->wrong = run.wrong;
	run.wrong = (struct bt_digest_set){0};
	bt_check_run_free(&run);
	free(run.states);
	return r;
}

/* All contents in the store were verified; this finds which are missing. */
static int find_lost(struct repair *repair)
{
	const struct bt_check_options options = {.quick = true, .threads = repair->options->threads};
	struct bt_check_run run = {.store = repair->store, .options = &options, .arg = repair, .hurt = tell_lost};
	int r = bt_store_refresh(repair->store, repair->error);

	if (!r)
		r = bt_store_rebuild(repair->store, repair->error);
	if (r)
		return r;
	bt_voice_init(&run.voice, repair->observer, NULL);
	run.wrong = repair->wrong;
	repair->wrong = (struct bt_digest_set){0};
	r = bt_check_all(&run, repair->error);
	bt_check_run_free(&run);
	return r == BT_E_DAMAGED || (!r && repair->result.snapshots_lost) ? BT_E_INCOMPLETE : r;
}

static int repair_locked(struct repair *repair)
{
	if (!repair->options->dry_run)
		bt_store_sweep(repair->store, true);
	int r = find_and_repair(repair);
	return r || repair->options->dry_run ? r : find_lost(repair);
}

/* A dry run only takes the lock of a check, so that it also works with a store that is read-only. */
static int lock(struct repair *repair, int *ret_fd)
{
	if (repair->options->dry_run)
		return bt_store_lock_for_reading(repair->store, repair->observer, ret_fd, repair->error);
	int r = bt_store_lock(repair->store, BT_LOCK_PRUNER, repair->observer, ret_fd, repair->error);
	return r ? r : bt_gate_open(repair->store, BT_LOCK_EXCLUSIVE, repair->observer, &repair->gate, repair->error);
}

int bt_repair(struct bt_store *store, const struct bt_repair_options *options, const struct bt_observer *observer,
	      struct bt_check_result *ret_check, struct bt_repair_result *ret_result, struct bt_error *error)
{
	struct bt_repair_options wanted;
	struct repair repair = {
		.store = store, .options = &wanted, .observer = observer, .gate.fd = -1, .error = error};
	int fd = -1;

	if (bt_sized_take(&wanted, sizeof(wanted), options, error) || bt_sized_check(ret_check, error) ||
	    bt_sized_check(ret_result, error))
		return BT_E_INVALID;
	int r = lock(&repair, &fd);
	if (!r)
		r = repair_locked(&repair);
	bt_gate_close(&repair.gate);
	bt_close(&fd);
	bt_digest_set_free(&repair.wrong);
	bt_sized_give(ret_check, &repair.checked, sizeof(repair.checked));
	bt_sized_give(ret_result, &repair.result, sizeof(repair.result));
	return r;
}
