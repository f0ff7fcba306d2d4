/* SPDX-License-Identifier: MIT */
/* Checks every file by itself: lists, bytes, blocks. */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/pool.h"
#include "check/run.h"
#include "codec/frame.h"
#include "codec/hash.h"
#include <stdlib.h>
#include <string.h>

#define QUEUE ((size_t)2 << 20) /* bytes of lists of contents that wait for a worker */
#define LARGE ((size_t)4 << 20) /* larger buffers are freed after use */

struct worker {
	struct bt_decompressor *decompressor;
	struct bt_hasher *hasher;
	struct bt_buf text, plain;
};

static void worker_free(void *arg)
{
	struct worker *worker = arg;

	if (!worker)
		return;
	bt_decompressor_free(worker->decompressor);
	bt_hasher_free(worker->hasher);
	bt_buf_free(&worker->text);
	bt_buf_free(&worker->plain);
	free(worker);
}

static void *worker_new(void *arg)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		return NULL;
	worker->decompressor = bt_decompressor_new();
	worker->hasher = bt_hasher_new();
	if (worker->decompressor && worker->hasher)
		return worker;
	worker_free(worker);
	return NULL;
}

/* A block; or contents whose blocks are not read this time. */
struct block_job {
	struct bt_job job; /* first */
	struct bt_check_run *run;
	struct bt_file *file;
	uint32_t ordinal;
	struct bt_block block;
	bool counts;	       /* its bytes are read, by this job or by the derivation */
	struct bt_buf held;    /* array of struct bt_held */
	bool *wrong;	       /* by content; NULL: no content is wrong */
	bool harmless;	       /* the error is one of bytes that no content depends on */
	struct bt_error error; /* of the first wrong content */
};

/* All lines of a file, besides those of its blocks. */
struct file_job {
	struct bt_job job; /* first */
	struct bt_check_run *run;
	struct bt_file *file;
	uint32_t ordinal;
};

static size_t held_count(const struct block_job *job)
{
	return job->held.length / sizeof(struct bt_held);
}

static int note_wrong(struct block_job *job, size_t index)
{
	if (!job->wrong)
		job->wrong = calloc(held_count(job), sizeof(*job->wrong));
	if (!job->wrong)
		return BT_E_NOMEM;
	job->wrong[index] = true;
	return bt_fail_damaged(&job->error, BT_R_DIGEST_MISMATCH, bt_file_name(job->file), job->block.at);
}

static int hash_contents(struct block_job *job, struct worker *worker)
{
	const struct bt_held *held = (const struct bt_held *)job->held.data;
	const unsigned char *data = worker->plain.data;

	for (size_t i = 0; i < held_count(job); i++) {
		struct bt_digest digest;

		if (bt_hasher_digest(worker->hasher, data, held[i].size, &digest))
			return BT_E_NOMEM;
		if (!bt_digest_equal(&digest, &held[i].digest) && note_wrong(job, i) == BT_E_NOMEM)
			return BT_E_NOMEM;
		data += held[i].size;
	}
	return 0;
}

static int read_contents(struct block_job *job, struct worker *worker)
{
	int r = bt_file_block(job->file, &job->block, worker->decompressor, &worker->text, worker->plain.data,
			      &job->error);

	return r ? r : hash_contents(job, worker);
}

/* Where the frame is not the one that was written, its contents may be right nevertheless. */
static int look_into_frame(struct block_job *job, struct worker *worker)
{
	struct bt_error first = job->error;

	job->error = (struct bt_error){0};
	job->block.has_xxh3 = false;
	int r = read_contents(job, worker);
	if (!r && !job->error.code) {
		job->error = first;
		job->harmless = true;
	}
	return r;
}

static int check_line(struct block_job *job)
{
	int r = job->block.plain ? 0 : bt_file_verify_line(job->file, &job->block, &job->error);

	if (r)
		job->harmless = true;
	return r;
}

static int check_block(struct bt_job *arg, void *data)
{
	struct block_job *job = (struct block_job *)arg;
	struct worker *worker = data;
	int r = bt_voice_failed(&job->run->voice);

	worker->plain.length = 0;
	if (!r)
		r = bt_buf_reserve(&worker->plain, job->block.size);
	if (!r)
		r = read_contents(job, worker);
	if (r == BT_E_DAMAGED && job->error.reason == BT_R_DIGEST_MISMATCH)
		r = look_into_frame(job, worker);
	if (!r && !job->error.code)
		r = check_line(job);
	if (job->error.code && r != BT_E_NOMEM)
		r = 0;
	if (worker->text.capacity > LARGE)
		bt_buf_free(&worker->text);
	if (worker->plain.capacity > LARGE)
		bt_buf_free(&worker->plain);
	return r;
}

/* Only this function changes the sets and counts while blocks are checked; one thread at a time runs it. */
static int tell_block(struct block_job *job)
{
	struct bt_check_run *run = job->run;
	const struct bt_held *held = (const struct bt_held *)job->held.data;
	struct bt_check_found facts = {
		.error = job->error, .ordinal = job->ordinal, .offset = job->block.at, .length = job->block.length};
	struct bt_check_found *found = NULL;
	int r = job->error.code ? bt_findings_add(run, &facts, &found) : 0;

	for (size_t i = 0; i < held_count(job) && !r; i++) {
		struct bt_digest key = bt_check_key(&held[i].digest, held[i].size);

		if (job->error.code && !job->harmless && (!job->wrong || job->wrong[i]))
			r = bt_findings_content(run, found, &key);
		else if (bt_digest_set_add(&run->good, &key) < 0)
			r = BT_E_NOMEM;
	}
	run->result.contents += held_count(job);
	run->result.bytes += job->counts ? job->block.size : 0;
	return r;
}

static int block_done(struct bt_job *arg, int code)
{
	struct block_job *job = (struct block_job *)arg;
	int r = code ? 0 : tell_block(job);

	if (!code)
		bt_check_progress(job->run, bt_file_name(job->file), 0, bt_file_stored(job->file, job->block.length));
	bt_buf_free(&job->held);
	free(job->wrong);
	free(job);
	return r;
}

static int verify_step(void *arg)
{
	struct bt_check_run *run = arg;

	return bt_voice_failed(&run->voice);
}

static int check_rest(struct bt_job *arg, void *worker)
{
	struct file_job *job = (struct file_job *)arg;
	const struct bt_verify_step step = {job->run, verify_step};
	struct bt_check_found facts = {.ordinal = job->ordinal, .vague = true};
	int r = bt_file_verify_rest(job->file, &step, &facts.error);

	if (r != BT_E_DAMAGED && r != BT_E_SYSTEM)
		return r;
	facts.offset = facts.error.offset;
	r = bt_findings_add(job->run, &facts, NULL);
	return r ? r : bt_check_damaged_pages(job->run, job->file, job->ordinal);
}

static int rest_done(struct bt_job *job, int code)
{
	free(job);
	return 0;
}

/* Reads the files, one after the other. */
struct reader {
	struct bt_check_run *run;
	struct bt_pool *blocks, *rest;
	struct bt_file *file;
	uint32_t ordinal;
	struct block_job *job; /* the job whose contents are being listed */
	bool wanted;	       /* a named snapshot needs one of its contents */
};

static bool is_read(const struct reader *reader, const struct bt_block *block)
{
	const struct bt_check_options *options = reader->run->options;
	const char *name = bt_file_name(reader->file);
	uint64_t number = bt_hash_bytes(name, strlen(name), block->at);

	if (options->share && bt_mix64(number ^ reader->run->seed) % BT_SHARES >= options->share)
		return false;
	return !options->quick && (!options->parts || number % options->parts + 1 == options->part);
}

static bool is_named(const struct bt_check_run *run, const char *name)
{
	for (size_t i = 0; i < run->options->name_count; i++)
		if (!strcmp(run->options->names[i], name))
			return true;
	return !run->options->name_count;
}

/* A version 1 file is read in one pass, which decodes all contents and compares them with their digests. */
static bool is_derived(const struct bt_check_run *run, uint32_t ordinal)
{
	const struct bt_file_id *id = bt_store_file_id(run->store, ordinal);

	return id->snapshot && !bt_check_is_partial(run->options) && is_named(run, id->name);
}

static int submit(struct reader *reader)
{
	struct block_job *job = reader->job;

	reader->job = NULL;
	if (!job)
		return 0;
	if (!reader->wanted) {
		bt_buf_free(&job->held);
		free(job);
		return 0;
	}
	job->job.weight = sizeof(*job) + job->held.length;
	return bt_pool_submit(reader->blocks, &job->job);
}

static int begin_block(struct reader *reader, const struct bt_block *block)
{
	int r = submit(reader);

	if (!r)
		r = bt_voice_failed(&reader->run->voice);
	if (r)
		return r;
	struct block_job *job = calloc(1, sizeof(*job));
	if (!job)
		return BT_E_NOMEM;
	bool read = is_read(reader, block), derived = block->plain && is_derived(reader->run, reader->ordinal);
	*job = (struct block_job){.job = {.work = read && !derived ? check_block : NULL, .finish = block_done},
				  .counts = read,
				  .run = reader->run,
				  .file = reader->file,
				  .ordinal = reader->ordinal,
				  .block = *block};
	reader->job = job;
	reader->wanted = !reader->run->options->name_count;
	return 0;
}

static int take_content(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
			uint32_t size)
{
	struct reader *reader = arg;
	struct bt_held held = {*digest, size};
	struct bt_digest key = bt_check_key(digest, size);
	int r = offset ? 0 : begin_block(reader, block);

	if (r)
		return r;
	reader->wanted |= bt_digest_set_has(&reader->run->needed, &key);
	return bt_buf_append(&reader->job->held, &held, sizeof(held));
}

static int take_page(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length)
{
	struct reader *reader = arg;

	reader->run->result.pages++;
	return 0;
}

static int submit_rest(struct reader *reader)
{
	const struct bt_check_options *options = reader->run->options;

	if (bt_check_is_partial(options) || options->name_count || bt_file_kind(reader->file) == BT_KIND_CLASSIC)
		return 0;
	struct file_job *job = calloc(1, sizeof(*job));
	if (!job)
		return BT_E_NOMEM;
	*job = (struct file_job){.job = {.work = check_rest, .finish = rest_done, .weight = 1},
				 .run = reader->run,
				 .file = reader->file,
				 .ordinal = reader->ordinal};
	return bt_pool_submit(reader->rest, &job->job);
}

/* The lists are read twice, since none of them counts unless all of them are right. */
static int open_file(struct reader *reader, const struct bt_file_id *id, struct bt_error *error)
{
	static const struct bt_index_visitor nobody = {0};
	int r = 0;

	if (is_derived(reader->run, id->ordinal))
		r = bt_store_derive(reader->run->store, id->ordinal, error);
	if (!r)
		r = bt_store_file(reader->run->store, id->ordinal, &reader->file, error);
	return r ? r : bt_file_visit(reader->file, &nobody, error);
}

/* Two files may have the name of one snapshot: NAME.json counts, and not NAME.json.zst. */
static bool is_second(const struct reader *reader, const struct bt_file_id *id)
{
	uint32_t counts;

	return id->snapshot && id->at_rest && !bt_store_file_named(reader->run->store, id->name, &counts) &&
	       counts != id->ordinal;
}

static int file_unusable(struct reader *reader, const struct bt_file_id *id, struct bt_check_found *facts)
{
	struct bt_check_found *found = NULL;
	const struct bt_hurt hurt = {.snapshot = id->name, .offset = BT_NO_OFFSET};

	facts->ordinal = id->ordinal;
	facts->whole = true;
	facts->offset = facts->error.offset;
	int r = bt_findings_add(reader->run, facts, &found);
	if (r || !found || !id->snapshot || is_second(reader, id) || bt_error_is_newer(&facts->error))
		return r;
	return bt_findings_hurt(reader->run, found, &hurt);
}

static int check_alone(struct reader *reader, const struct bt_file_id *id)
{
	static const char detail[] = "a file that does not lie compressed has the same name";
	struct bt_check_found facts = {.ordinal = id->ordinal, .offset = BT_NO_OFFSET, .second = true};

	if (!is_second(reader, id))
		return 0;
	bt_fail_damaged(&facts.error, BT_R_DUPLICATE_NAME, id->path, BT_NO_OFFSET);
	memcpy(facts.error.detail, detail, sizeof(detail));
	return bt_findings_add(reader->run, &facts, NULL);
}

static int check_file(struct reader *reader, const struct bt_file_id *id)
{
	const struct bt_index_visitor visitor = {reader, take_content, take_page};
	struct bt_check_found facts = {0};
	int r = bt_voice_failed(&reader->run->voice);

	if (!r)
		r = check_alone(reader, id);
	if (!r)
		r = open_file(reader, id, &facts.error);
	if (r == BT_E_DAMAGED || r == BT_E_SYSTEM)
		return file_unusable(reader, id, &facts);
	reader->ordinal = id->ordinal;
	if (!r)
		r = submit_rest(reader);
	if (!r)
		r = bt_file_visit(reader->file, &visitor, &facts.error);
	int last = submit(reader);
	r = r ? r : last;
	if (r == BT_E_DAMAGED || r == BT_E_SYSTEM)
		return file_unusable(reader, id, &facts);
	if (r)
		return r;
	reader->run->result.files++;
	reader->run->result.drafts += bt_file_is_draft(reader->file);
	bt_check_progress(reader->run, id->name, 1, 0);
	return 0;
}

static int check_files(struct reader *reader)
{
	size_t count = bt_store_file_count(reader->run->store);
	int r = 0;

	for (uint32_t i = 0; i < count && !r; i++) {
		const struct bt_file_id *id = bt_store_file_id(reader->run->store, i);

		if (!id->gone)
			r = check_file(reader, id);
	}
	return r;
}

int bt_check_contents(struct bt_check_run *run, struct bt_error *error)
{
	unsigned threads = run->options->threads ? run->options->threads : bt_cpu_count();
	struct bt_pool_options blocks = {.threads = threads > 1 ? threads : 0,
					 .budget = QUEUE,
					 .worker_new = worker_new,
					 .worker_free = worker_free};
	struct bt_pool_options rest = {.threads = threads > 1, .budget = 1};
	struct reader reader = {.run = run};
	int r = bt_pool_new(&blocks, &reader.blocks);

	if (!r)
		r = bt_pool_new(&rest, &reader.rest);
	if (!r) {
		r = check_files(&reader);
		int rest_result = bt_pool_drain(reader.rest), blocks_result = bt_pool_drain(reader.blocks);
		r = r ? r : rest_result ? rest_result : blocks_result;
	}
	bt_pool_free(reader.rest);
	bt_pool_free(reader.blocks);
	return r ? bt_fail(error, (enum bt_code)r, NULL, NULL) : 0;
}
