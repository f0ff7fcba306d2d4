/* SPDX-License-Identifier: MIT */
/* Verifies files in several contents: intact contents may still be put together to another file. */
#include "base/pool.h"
#include "check/run.h"
#include "codec/hash.h"
#include "view/pages.h"
#include <stdlib.h>
#include <string.h>

struct whole_job {
	struct bt_job job; /* first */
	struct bt_check_run *run;
	const struct bt_page *page; /* the page that entry lives in */
	const struct bt_entry *file;
	struct bt_digest key;
	struct bt_error error;
};

/* A key for all that determines the digest of the whole, and for that digest. */
static int make_key(struct bt_check_run *run, const struct bt_entry *file, struct bt_digest *ret_key)
{
	const struct bt_extra *extra = file->extra;

	if (!run->hasher)
		run->hasher = bt_hasher_new();
	if (!run->hasher)
		return BT_E_NOMEM;
	bt_hasher_start(run->hasher);
	bt_hasher_add(run->hasher, &file->digest, sizeof(file->digest));
	bt_hasher_add(run->hasher, &file->size, sizeof(file->size));
	bt_hasher_add(run->hasher, extra->chunks, extra->chunk_count * sizeof(*extra->chunks));
	bt_hasher_add(run->hasher, extra->chunk_pages, extra->chunk_page_count * sizeof(*extra->chunk_pages));
	bt_hasher_add(run->hasher, extra->holes, extra->hole_count * sizeof(*extra->holes));
	return bt_hasher_finish(run->hasher, ret_key);
}

static int read_through(struct whole_job *job, struct bt_whole *whole, unsigned flags)
{
	struct bt_check_run *run = job->run;
	int r = 0;

	for (uint64_t offset = 0; !r && offset < job->file->size;) {
		struct bt_slice slice;

		r = bt_voice_failed(&run->voice);
		if (!r)
			r = bt_slice_start(run->store, job->file, offset, flags, &slice, &job->error);
		if (r)
			break;
		bt_check_progress(run, job->file->name, 0, 0);
		bt_whole_add(whole, slice.data, slice.length);
		offset += slice.length;
		bt_slice_end(run->store, &slice);
	}
	return r ? r : bt_whole_end(whole, &job->error);
}

static int look_at_whole(struct whole_job *job, unsigned flags)
{
	struct bt_whole *whole;
	int r = bt_whole_begin(job->file, &whole, &job->error);

	if (r || !whole)
		return r;
	r = read_through(job, whole, flags);
	bt_whole_free(whole);
	return r;
}

/* The digest of the whole covers every byte, so that contents are only compared with theirs to find which is wrong. */
static int work(struct bt_job *arg, void *worker)
{
	struct whole_job *job = (struct whole_job *)arg;
	int r = look_at_whole(job, BT_SLICE_UNVERIFIED);

	if (r == BT_E_DAMAGED || r == BT_E_SYSTEM) {
		job->error = (struct bt_error){0};
		r = look_at_whole(job, 0);
	}
	return r == BT_E_DAMAGED || r == BT_E_SYSTEM ? 0 : r;
}

/* A content that was intact before but cannot be read now is an error of the disk. */
static int tell_whole(struct whole_job *job)
{
	struct bt_check_found facts = {.error = job->error, .ordinal = BT_CHECK_NO_FILE, .offset = job->error.offset};

	if (!job->error.code)
		return 0;
	if (job->error.reason == BT_R_DIGEST_MISMATCH && !job->error.file[0])
		return bt_digest_set_add(&job->run->wrong, &job->key) < 0 ? BT_E_NOMEM : 0;
	return bt_findings_add(job->run, &facts, NULL);
}

static int done(struct bt_job *arg, int code)
{
	struct whole_job *job = (struct whole_job *)arg;
	int r = code ? 0 : tell_whole(job);

	bt_page_put(job->run->store, job->page);
	free(job);
	return r;
}

static int submit_whole(struct bt_check_run *run, const struct bt_page *page, const struct bt_entry *file,
			const struct bt_digest *key)
{
	struct whole_job *job = calloc(1, sizeof(*job));

	if (!job)
		return BT_E_NOMEM;
	bt_page_ref(run->store, page);
	*job = (struct whole_job){.job = {.work = work, .finish = done, .weight = 1},
				  .run = run,
				  .page = page,
				  .file = file,
				  .key = *key};
	return bt_pool_submit(run->pool, &job->job);
}

int bt_wholes_begin(struct bt_check_run *run)
{
	unsigned threads = run->options->threads ? run->options->threads : bt_cpu_count();
	/* Waiting pages stay in memory whatever their size. */
	struct bt_pool_options options = {.threads = threads > 1 ? threads : 0, .budget = 2 * (size_t)threads};

	run->whole_bytes = run->result.bytes;
	return bt_check_is_partial(run->options) ? 0 : bt_pool_new(&options, &run->pool);
}

int bt_wholes_end(struct bt_check_run *run)
{
	int r = run->pool ? bt_pool_drain(run->pool) : 0;

	bt_pool_free(run->pool);
	run->pool = NULL;
	return r;
}

/* The bytes of it that lie in contents, which are decoded. */
static uint64_t data_of(const struct bt_entry *file)
{
	const struct bt_extra *extra = file->extra;

	return file->size - (extra->hole_count ? extra->hole_sums[extra->hole_count - 1] : 0);
}

int bt_wholes_see(struct bt_check_run *run, const struct bt_page *page, const struct bt_entry *file)
{
	struct bt_digest key;
	int r = make_key(run, file, &key);

	if (!r)
		r = bt_digest_set_add(&run->wholes, &key);
	if (r <= 0)
		return r;
	if (bt_whole_is_unproven(file) || data_of(file) > run->whole_bytes) {
		run->result.in_pieces++;
		return 0;
	}
	run->whole_bytes -= data_of(file);
	return submit_whole(run, page, file, &key);
}

int bt_wholes_find(struct bt_check_run *run, const struct bt_page *page, const struct bt_entry *file,
		   struct bt_check_found **ret_found)
{
	static const char detail[] = "all contents are intact, but the file that they make does not match its SHA-256";
	struct bt_check_found facts = {.ordinal = BT_CHECK_NO_FILE};
	struct bt_digest key;
	int r = make_key(run, file, &key);

	*ret_found = NULL;
	if (r || !bt_digest_set_has(&run->wrong, &key))
		return r;
	bt_page_fail(run->store, page, BT_R_DIGEST_MISMATCH, &facts.error);
	memcpy(facts.error.detail, detail, sizeof(detail));
	facts.offset = facts.error.offset;
	return bt_findings_add(run, &facts, ret_found);
}
