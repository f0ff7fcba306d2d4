/* SPDX-License-Identifier: MIT */
/*
 * Making a store sound. For each file with damage, in this order, so that a kill at any point takes nothing away:
 *   the new file is written and durable, a snapshot's under a provisional name;
 *   the old file gets a second name in damaged/, which is made durable;
 *   the new snapshot takes over the old one's name, or the old file's first name goes.
 */
#include "base/fail.h"
#include "base/io.h"
#include "base/made.h"
#include "base/publish.h"
#include "check/run.h"
#include "model/volume.h"
#include "store/gate.h"
#include "view/snapshot.h"
#include <backuptool/policy.h>
#include <backuptool/view.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES_MAX 1000

struct repair {
	struct bt_store *store;
	const struct bt_repair_options *options;
	const struct bt_observer *observer;
	struct bt_repair_result result;
	uint64_t lost_bytes; /* of paths that were told */
	int damagedfd;
	struct bt_gate gate;
	struct bt_digest_set wrong; /* files, as the check found them */
	struct bt_error *error;
};

struct patient {
	const struct bt_file_id *id;
	bool no_file; /* but a link or the like */
	int dirfd;
	char path[128]; /* in the store */
	char to[128];
	char temp[32];
	struct bt_rewrite rewrite;
};

static int fail(struct repair *repair, const char *name, const char *what)
{
	return bt_fail_sys(repair->error, errno, name, what);
}

/* With errno. */
static bool is_synced(int dirfd)
{
	int r = bt_sync_directory(dirfd);
	errno = -r;
	return r == 0;
}

static void tell(struct repair *repair, const struct patient *patient, enum bt_repair_action action)
{
	const struct bt_repair done = {.action = action,
				       .file = patient->path,
				       .to = repair->options->dry_run ? NULL : patient->to,
				       .snapshot = patient->id->snapshot,
				       .blocks = patient->rewrite.blocks,
				       .pages = patient->rewrite.pages};
	repair->result.rewritten += action == BT_REPAIR_REWRITTEN;
	repair->result.aside += action == BT_REPAIR_ASIDE;
	repair->result.renamed += action == BT_REPAIR_RENAMED;
	repair->result.snapshots_lost += action == BT_REPAIR_ASIDE && patient->id->snapshot;
	if (repair->options->done)
		repair->options->done(repair->options->arg, &done);
}

static int open_damaged(struct repair *repair)
{
	int dirfd = bt_store_dirfd(repair->store);
	if (repair->damagedfd >= 0)
		return 0;
	int fd = bt_open_subdirectory(dirfd, BT_DAMAGED_DIR);
	if (fd < 0)
		return bt_fail_sys(repair->error, -fd, BT_DAMAGED_DIR, "make the directory");
	repair->damagedfd = fd;
	bt_publish_sweep(fd, true);
	return 0;
}

/* The file has this name there since a repair that was killed. */
static bool is_there(const struct repair *repair, const struct patient *patient, const char *name)
{
	struct stat one, two;
	return fstatat(patient->dirfd, patient->id->name, &one, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(repair->damagedfd, name, &two, AT_SYMLINK_NOFOLLOW) == 0 && one.st_dev == two.st_dev &&
	       one.st_ino == two.st_ino;
}

/* A name that is free there, or the file's already. */
static int name_in_damaged(struct repair *repair, struct patient *patient, char name[96])
{
	for (int i = 0; i < NAMES_MAX; i++) {
		struct bt_error error = {0};
		snprintf(name, 96, i ? "%s.%d" : "%s", patient->id->name, i);
		int r = bt_publish_twin(patient->dirfd, patient->id->name, repair->damagedfd, name, &error);
		if (!r || (r == BT_E_EXISTS && is_there(repair, patient, name)))
			return 0;
		if (r != BT_E_EXISTS) {
			if (repair->error)
				*repair->error = error;
			return r;
		}
	}
	return bt_fail(repair->error, BT_E_EXISTS, patient->path, "keep it in damaged/");
}

/* A second name for the file, in damaged/. */
static int keep_old(struct repair *repair, struct patient *patient)
{
	char name[96];
	int r = open_damaged(repair);
	if (!r)
		r = name_in_damaged(repair, patient, name);
	if (r)
		return r;
	r = bt_sync_directory(repair->damagedfd);
	if (r)
		return bt_fail_sys(repair->error, -r, BT_DAMAGED_DIR, "sync");
	snprintf(patient->to, sizeof(patient->to), BT_DAMAGED_DIR "/%s", name);
	return 0;
}

static int seal_snapshot(struct repair *repair, struct patient *patient)
{
	struct bt_text summary = bt_file_summary(patient->rewrite.file);
	struct bt_buf text = {0};
	int r = bt_buf_append(&text, summary.bytes, summary.length);
	if (!r)
		r = bt_writer_seal(patient->rewrite.writer, &text, patient->temp, repair->error);
	bt_buf_free(&text);
	return r;
}

static int begin_snapshot(struct repair *repair, struct patient *patient)
{
	struct bt_text header = bt_file_header(patient->rewrite.file);
	struct bt_buf text = {0};
	int r = bt_publish_temp_name(patient->temp, repair->error);
	if (r)
		return r;
	r = bt_buf_append(&text, header.bytes, header.length);
	if (!r)
		r = bt_writer_new(patient->dirfd, &text, &patient->rewrite.writer, repair->error);
	bt_buf_free(&text);
	return r;
}

static int replace_snapshot(struct repair *repair, struct patient *patient)
{
	int r = begin_snapshot(repair, patient);
	if (!r)
		r = bt_rewrite(&patient->rewrite, repair->error);
	if (!r)
		r = seal_snapshot(repair, patient);
	if (!r)
		r = keep_old(repair, patient);
	if (!r)
		r = bt_gate_pass(&repair->gate, repair->error);
	if (!r &&
	    (renameat(patient->dirfd, patient->temp, patient->dirfd, patient->id->name) || !is_synced(patient->dirfd)))
		r = bt_publish_failed(patient->temp, errno, patient->path, "replace", repair->error);
	if (!r)
		bt_gate_took(&repair->gate, patient->id->ordinal);
	else if (patient->temp[0])
		unlinkat(patient->dirfd, patient->temp, 0);
	return r;
}

/* As it is, whatever it is. */
static int move_whole(struct repair *repair, struct patient *patient)
{
	int r = open_damaged(repair), sys = -EEXIST;
	char name[96];
	for (int i = 0; !r && sys == -EEXIST && i < NAMES_MAX; i++) {
		snprintf(name, sizeof(name), i ? "%s.%d" : "%s", patient->id->name, i);
		sys = bt_rename_new(patient->dirfd, patient->id->name, repair->damagedfd, name);
	}
	if (r || sys)
		return r ? r : bt_fail_sys(repair->error, -sys, patient->path, "move to damaged/");
	snprintf(patient->to, sizeof(patient->to), BT_DAMAGED_DIR "/%s", name);
	return is_synced(repair->damagedfd) && is_synced(patient->dirfd) ? 0 : fail(repair, BT_DAMAGED_DIR, "sync");
}

static int take_away(struct repair *repair, struct patient *patient)
{
	int r = bt_gate_pass(&repair->gate, repair->error);
	if (!r)
		r = move_whole(repair, patient);
	if (!r)
		bt_gate_took(&repair->gate, patient->id->ordinal);
	return r;
}

static int move_aside(struct repair *repair, struct patient *patient)
{
	int r = bt_volume_begin(repair->store, &patient->rewrite.writer, repair->error);
	if (!r)
		r = bt_rewrite(&patient->rewrite, repair->error);
	if (!r && patient->rewrite.blocks + patient->rewrite.pages)
		r = bt_volume_seal(repair->store, patient->rewrite.writer, repair->error);
	if (!r)
		r = keep_old(repair, patient);
	if (!r)
		r = bt_gate_pass(&repair->gate, repair->error);
	if (!r && (unlinkat(patient->dirfd, patient->id->name, 0) || !is_synced(patient->dirfd)))
		r = fail(repair, patient->path, "move to damaged/");
	if (!r)
		bt_gate_took(&repair->gate, patient->id->ordinal);
	return r;
}

/* A failure that says nothing of the file, which stays as it is then: the failure, else 0. */
static int only_failed(struct repair *repair, int r, const struct bt_error *error)
{
	if (r != BT_E_NOMEM && (r != BT_E_SYSTEM || error->sys == EIO))
		return 0;
	if (repair->error)
		*repair->error = *error;
	return r;
}

/* Its header and summary are right: the snapshot stays. */
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

/* Nothing of the file's own state is shared with the store, where it may count as unusable. */
static int open_patient(struct repair *repair, struct patient *patient)
{
	int fd = bt_open_file(patient->dirfd, patient->id->name, O_RDONLY);
	if (fd < 0)
		return bt_fail_open(repair->error, -fd, bt_store_dirfd(repair->store), patient->path);
	return bt_file_open_loosely(fd, patient->path, &patient->rewrite.file, repair->error);
}

static int mend_file(struct repair *repair, struct patient *patient, bool snapshot)
{
	int r = open_patient(repair, patient);
	if (!r)
		r = snapshot ? replace_snapshot(repair, patient) : move_aside(repair, patient);
	bt_writer_free(patient->rewrite.writer);
	bt_file_free(patient->rewrite.file);
	return r;
}

static int mend(struct repair *repair, struct patient *patient)
{
	bool snapshot;
	int r = is_snapshot(repair, patient->id, &snapshot);
	if (!r && !repair->options->dry_run)
		r = patient->no_file ? take_away(repair, patient) : mend_file(repair, patient, snapshot);
	if (!r)
		tell(repair, patient, snapshot ? BT_REPAIR_REWRITTEN : BT_REPAIR_ASIDE);
	return r;
}

static int note_renamed(struct repair *repair, const struct patient *patient)
{
	bt_gate_took(&repair->gate, patient->id->ordinal);
	if (!is_synced(patient->dirfd))
		return fail(repair, patient->path, "rename");
	return bt_gate_made(&repair->gate, patient->to, true, repair->error);
}

static int rename_to(struct repair *repair, struct patient *patient, int64_t seconds)
{
	int r = bt_gate_pass(&repair->gate, repair->error);
	for (unsigned clash = 0; !r && clash < NAMES_MAX; clash++) {
		bt_snapshot_name_format(seconds, clash, patient->to, sizeof(patient->to));
		int sys = bt_rename_new(patient->dirfd, patient->id->name, patient->dirfd, patient->to);
		if (sys == 0)
			return note_renamed(repair, patient);
		if (sys != -EEXIST)
			return bt_fail_sys(repair->error, -sys, patient->path, "rename");
	}
	return r ? r : bt_fail(repair->error, BT_E_EXISTS, patient->path, "rename");
}

/* The time in the file is covered by its digests, the name by none. */
static int give_name(struct repair *repair, struct patient *patient)
{
	struct bt_snapshot *snapshot;
	int r = bt_snapshot_open_misnamed(repair->store, patient->id->name, &snapshot, repair->error);
	if (r)
		return r;
	int64_t seconds = bt_snapshot_info(snapshot)->time.seconds;
	bt_snapshot_close(snapshot);
	if (!repair->options->dry_run)
		r = rename_to(repair, patient, seconds);
	if (!r)
		tell(repair, patient, BT_REPAIR_RENAMED);
	return r;
}

static int look_at(struct repair *repair, struct patient *patient, bool *ret_classic)
{
	struct bt_file *file;
	struct bt_error error = {0};
	int r = bt_store_file(repair->store, patient->id->ordinal, &file, &error);
	*ret_classic = !r && bt_file_kind(file) == BT_KIND_CLASSIC;
	patient->no_file = r && error.reason == BT_R_NOT_A_FILE;
	return only_failed(repair, r, &error);
}

static int treat(struct repair *repair, uint32_t ordinal, unsigned state)
{
	struct patient patient = {.id = bt_store_file_id(repair->store, ordinal),
				  .dirfd = bt_store_dirfd(repair->store),
				  .rewrite = {.store = repair->store}};
	bool classic;
	int r = look_at(repair, &patient, &classic);
	if (!r && !patient.id->snapshot)
		r = bt_store_contents_dirfd(repair->store, &patient.dirfd, repair->error);
	snprintf(patient.path, sizeof(patient.path), "%s%s", patient.id->snapshot ? "" : "contents/", patient.id->name);
	if (!r && state & BT_STATE_DAMAGED && !classic)
		r = mend(repair, &patient);
	if (!r && state == (BT_STATE_DAMAGED | BT_STATE_MISNAMED))
		r = bt_store_refresh(repair->store, repair->error);
	if (!r && state & BT_STATE_MISNAMED)
		r = give_name(repair, &patient);
	return r;
}

/* Nothing in the store depends on it: it gets a new one. */
static int treat_identity(struct repair *repair)
{
	const struct bt_file_id id = {.name = BT_ID_NAME};
	struct patient patient = {.id = &id, .dirfd = bt_store_dirfd(repair->store), .path = BT_ID_NAME};
	struct bt_error error = {0};
	bool given;
	int r = bt_identity_read(repair->store, &error);
	if (!r)
		return 0;
	r = only_failed(repair, r, &error);
	if (!r && !repair->options->dry_run) {
		r = move_whole(repair, &patient);
		if (!r)
			r = bt_identity_give(repair->store, &given, repair->error);
	}
	if (!r)
		tell(repair, &patient, BT_REPAIR_ASIDE);
	return r;
}

static int treat_all(struct repair *repair, const struct bt_check_run *run)
{
	int r = run->unread.code ? (int)run->unread.code : 0;
	if (r && repair->error)
		*repair->error = run->unread;
	for (uint32_t i = 0; i < run->state_count && !r; i++) {
		if (repair->observer && repair->observer->cancelled &&
		    repair->observer->cancelled(repair->observer->arg))
			return bt_fail(repair->error, BT_E_CANCELLED, NULL, NULL);
		if (run->states[i])
			r = treat(repair, i, run->states[i]);
	}
	return r ? r : treat_identity(repair);
}

static void tell_lost(void *arg, const struct bt_hurt *hurt)
{
	struct repair *repair = arg;
	if (!hurt->path && repair->options->dry_run)
		return; /* told as what would be done with the snapshot's file */
	repair->result.lost++;
	if (hurt->path_length > BT_HURT_BYTES - repair->lost_bytes) {
		repair->result.lost_more++;
		return;
	}
	repair->lost_bytes += hurt->path_length;
	if (repair->options->lost)
		repair->options->lost(repair->options->arg, hurt);
}

/* The snapshots once more, with what was found to be right: at most this is lost. */
static int foretell_lost(struct repair *repair, struct bt_check_run *run)
{
	bt_findings_free(run);
	run->tell = NULL;
	run->hurt = tell_lost;
	run->arg = repair;
	return bt_check_snapshots(run, repair->error);
}

static int find_and_treat(struct repair *repair)
{
	const struct bt_check_options options = {.threads = repair->options->threads};
	struct bt_check_run run = {.store = repair->store,
				   .options = &options,
				   .observer = repair->observer,
				   .tell = repair->options->found,
				   .arg = repair->options->arg,
				   .state_count = (uint32_t)bt_store_file_count(repair->store)};
	run.states = calloc(run.state_count + 1, sizeof(*run.states));
	if (!run.states)
		return bt_fail(repair->error, BT_E_NOMEM, NULL, NULL);
	bt_check_run_init(&run);
	int r = bt_check_run(&run, repair->error);
	repair->result.check = run.result;
	if (r == BT_E_DAMAGED)
		r = treat_all(repair, &run);
	if (!r && repair->options->dry_run && run.result.findings) {
		r = foretell_lost(repair, &run);
		r = r ? r : BT_E_DAMAGED;
	}
	repair->wrong = run.wrong;
	run.wrong = (struct bt_digest_set){0};
	bt_check_run_free(&run);
	free(run.states);
	return r;
}

/* What is in the store was verified: whether all is there is left to be seen. */
static int find_lost(struct repair *repair)
{
	const struct bt_check_options options = {.quick = true, .threads = repair->options->threads};
	struct bt_check_run run = {.store = repair->store,
				   .options = &options,
				   .observer = repair->observer,
				   .arg = repair,
				   .hurt = tell_lost};
	int r = bt_store_refresh(repair->store, repair->error);
	if (!r)
		r = bt_store_rebuild(repair->store, repair->error);
	if (r)
		return r;
	bt_check_run_init(&run);
	run.wrong = repair->wrong;
	repair->wrong = (struct bt_digest_set){0};
	r = bt_check_run(&run, repair->error);
	bt_check_run_free(&run);
	return r == BT_E_DAMAGED || (!r && repair->result.snapshots_lost) ? BT_E_INCOMPLETE : r;
}

static int repair_locked(struct repair *repair)
{
	if (!repair->options->dry_run)
		bt_store_sweep(repair->store, true);
	int r = find_and_treat(repair);
	return r || repair->options->dry_run ? r : find_lost(repair);
}

/* What would be done is found out as a check does: so a store that may only be read can be asked, too. */
static int lock(struct repair *repair, int *ret_fd)
{
	if (repair->options->dry_run)
		return bt_store_lock_for_reading(repair->store, repair->observer, ret_fd, repair->error);
	int r = bt_store_lock(repair->store, BT_LOCK_PRUNER, repair->observer, ret_fd, repair->error);
	return r ? r : bt_gate_open(repair->store, BT_LOCK_EXCLUSIVE, repair->observer, &repair->gate, repair->error);
}

int bt_repair(struct bt_store *store, const struct bt_repair_options *options, const struct bt_observer *observer,
	      struct bt_repair_result *ret_result, struct bt_error *error)
{
	static const struct bt_repair_options defaults = {0};
	struct repair repair = {.store = store,
				.options = options ? options : &defaults,
				.observer = observer,
				.damagedfd = -1,
				.gate.fd = -1,
				.error = error};
	int fd = -1, r = lock(&repair, &fd);
	if (!r)
		r = repair_locked(&repair);
	bt_gate_close(&repair.gate);
	bt_close(&fd);
	bt_close(&repair.damagedfd);
	bt_digest_set_free(&repair.wrong);
	if (ret_result)
		*ret_result = repair.result;
	return r;
}
