/* SPDX-License-Identifier: MIT */
/* Making segments: out of files that are visited, and out of other segments. */
#include "base/bytes.h"
#include "base/io.h"
#include "base/publish.h"
#include "store/segment_inside.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW 4096 /* records written at a time */

static int add_file(struct bt_buf *files, struct bt_buf *names, const struct bt_segment_file *file)
{
	struct bt_segment_file copy = *file;

	copy.name = (const char *)names->length;
	if (bt_buf_reserve(files, sizeof(copy)) || bt_buf_append(names, file->name, strlen(file->name) + 1))
		return BT_E_NOMEM;
	return bt_buf_append(files, &copy, sizeof(copy));
}

int bt_segment_build_start(struct bt_segment_build *build, const struct bt_covered *file)
{
	build->mark = build->records.length;
	if (build->files.length / sizeof(struct bt_segment_file) >= BT_RECORD_FILE)
		return BT_E_NOMEM;
	struct bt_segment_file entry = {file->name, file->size, file->mtime, 0, file->file, true};
	return add_file(&build->files, &build->names, &entry);
}

static uint32_t current_file(const struct bt_segment_build *build)
{
	return (uint32_t)(build->files.length / sizeof(struct bt_segment_file)) - 1;
}

static int build_content(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
			 uint32_t size)
{
	struct bt_segment_build *build = arg;
	struct bt_record record = bt_record_of_content(block, digest, offset, size, current_file(build));

	return bt_buf_append(&build->records, &record, sizeof(record));
}

static int build_page(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length)
{
	struct bt_segment_build *build = arg;
	struct bt_record record = bt_record_of_page(id, at, length, current_file(build));

	return bt_buf_append(&build->records, &record, sizeof(record));
}

const struct bt_index_visitor bt_segment_build_visitor = {NULL, build_content, build_page};

int bt_segment_build_end(struct bt_segment_build *build)
{
	size_t count = (build->records.length - build->mark) / sizeof(struct bt_record);
	struct bt_segment_file *files = (struct bt_segment_file *)build->files.data;

	if (build->records.length / sizeof(struct bt_record) > UINT32_MAX)
		return BT_E_NOMEM;
	files[current_file(build)].records = (uint32_t)count;
	return 0;
}

void bt_segment_build_cancel(struct bt_segment_build *build)
{
	build->records.length = build->mark;
	build->files.length -= sizeof(struct bt_segment_file);
}

void bt_segment_build_free(struct bt_segment_build *build)
{
	bt_buf_free(&build->records);
	bt_buf_free(&build->files);
	bt_buf_free(&build->names);
}

static int compare_records(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct bt_digest));
}

/* Digests are evenly spread, so that buckets are small: dealt out, then each sorted. */
static void sort_records(struct bt_segment *segment, const struct bt_record *from)
{
	uint32_t *buckets = segment->buckets;
	size_t last = (size_t)1 << segment->bits;

	for (uint64_t i = 0; i < segment->count; i++)
		buckets[bt_segment_bucket(&from[i].digest, segment->bits) + 1]++;
	for (size_t i = 0; i < last; i++)
		buckets[i + 1] += buckets[i];
	for (uint64_t i = segment->count; i-- > 0;) {
		uint32_t bucket = bt_segment_bucket(&from[i].digest, segment->bits) + 1;

		segment->records[--buckets[bucket]] = from[i];
	}
	/* each bucket's end has moved to its beginning */
	memmove(buckets, buckets + 1, last * sizeof(*buckets));
	buckets[last] = (uint32_t)segment->count;
	for (size_t i = 0; i < last; i++)
		qsort(segment->records + buckets[i], buckets[i + 1] - buckets[i], sizeof(struct bt_record),
		      compare_records);
}

/* Takes the tables over. */
static struct bt_segment *segment_new(uint64_t count, struct bt_buf *files, struct bt_buf *names)
{
	struct bt_segment *segment = calloc(1, sizeof(*segment));

	if (!segment)
		return NULL;
	segment->fd = -1;
	segment->count = count;
	segment->bits = bt_segment_bits(count);
	segment->buckets = calloc(((size_t)1 << segment->bits) + 1, sizeof(*segment->buckets));
	segment->file_count = files->length / sizeof(struct bt_segment_file);
	segment->files = (struct bt_segment_file *)files->data;
	segment->names = (char *)names->data;
	for (size_t i = 0; i < segment->file_count; i++)
		segment->files[i].name = segment->names + (uintptr_t)segment->files[i].name;
	*files = *names = (struct bt_buf){0};
	if (!segment->buckets) {
		bt_segment_free(segment);
		return NULL;
	}
	return segment;
}

int bt_segment_build_finish(struct bt_segment_build *build, struct bt_segment **ret_segment)
{
	uint64_t count = build->records.length / sizeof(struct bt_record);
	struct bt_segment *segment = segment_new(count, &build->files, &build->names);

	if (segment)
		segment->records = malloc(build->records.length + 1);
	if (!segment || !segment->records) {
		bt_segment_free(segment);
		return BT_E_NOMEM;
	}
	sort_records(segment, (const struct bt_record *)build->records.data);
	bt_segment_build_free(build);
	*ret_segment = segment;
	return 0;
}

/* One input of a merge: its alive records in order. */
struct source {
	const struct bt_segment *segment;
	uint32_t *file; /* of the output for each of the input's, or BT_NO_FILE */
	struct bt_records records;
	const struct bt_record *record; /* NULL at the end */
};

/* A merge's output. */
struct sink {
	struct bt_segment *segment;
	struct bt_buf buffer; /* all records when there is no file */
	struct bt_buf sums;
	struct bt_publish out;
	bool to_file;
};

static bool is_alive(const struct source *source)
{
	uint32_t file = source->record->file & BT_RECORD_FILE;

	return file < source->segment->file_count && source->file[file] != BT_NO_FILE;
}

static int advance(struct source *source)
{
	int r;

	do
		r = bt_records_next(&source->records, &source->record);
	while (!r && source->record && !is_alive(source));
	return r;
}

static int flush(struct sink *sink)
{
	size_t length = sink->buffer.length;

	sink->buffer.length = 0;
	return bt_write_all(sink->out.fd, sink->buffer.data, length) ? BT_E_SYSTEM : 0;
}

/* The last records, which are the end of the buffer: it is flushed between stretches. */
static int sum_up(struct sink *sink, size_t count)
{
	size_t begin = sink->buffer.length - count * sizeof(struct bt_record);
	uint64_t stretch = sink->sums.length / sizeof(uint64_t);
	uint64_t sum = bt_stretch_sum((const struct bt_record *)(sink->buffer.data + begin), count, stretch);

	return bt_buf_append(&sink->sums, &sum, sizeof(sum));
}

static int sink_add(struct sink *sink, const struct source *source)
{
	struct bt_record record = *source->record;
	uint32_t file = source->file[record.file & BT_RECORD_FILE];

	if (sink->segment->count == UINT32_MAX)
		return BT_E_NOMEM;
	record.file = (record.file & ~BT_RECORD_FILE) | file;
	sink->segment->count++;
	sink->segment->files[file].records++;
	sink->segment->buckets[bt_segment_bucket(&record.digest, sink->segment->bits) + 1]++;
	int r = bt_buf_append(&sink->buffer, &record, sizeof(record));
	if (!r && sink->to_file && sink->segment->count % BT_SEGMENT_STRETCH == 0)
		r = sum_up(sink, BT_SEGMENT_STRETCH);
	if (!r && sink->to_file && sink->buffer.length >= WINDOW * sizeof(record))
		r = flush(sink);
	return r;
}

static int merge_records(struct sink *sink, struct source *sources, size_t count)
{
	int r = 0;

	for (size_t i = 0; i < count && !r; i++)
		r = advance(&sources[i]);
	while (!r) {
		struct source *least = NULL;

		for (size_t i = 0; i < count; i++) {
			if (sources[i].record && (!least || compare_records(sources[i].record, least->record) < 0))
				least = &sources[i];
		}
		if (!least)
			break;
		r = sink_add(sink, least);
		if (!r)
			r = advance(least);
	}
	uint32_t *buckets = sink->segment->buckets;
	for (size_t i = 0; i < (size_t)1 << sink->segment->bits; i++)
		buckets[i + 1] += buckets[i];
	return r;
}

static int format_tables(const struct bt_segment *segment, const struct bt_buf *sums, struct bt_buf *out)
{
	uint64_t name = 0;
	int r = bt_buf_append(out, sums->data, sums->length);

	if (!r)
		r = bt_buf_append(out, segment->buckets, (((size_t)1 << segment->bits) + 1) * sizeof(uint32_t));
	for (size_t i = 0; i < segment->file_count && !r; i++) {
		const struct bt_segment_file *file = &segment->files[i];
		struct bt_segment_entry entry = {file->size, file->mtime.seconds, file->mtime.nanoseconds,
						 file->records, name};

		name += strlen(file->name) + 1;
		r = bt_buf_append(out, &entry, sizeof(entry));
	}
	for (size_t i = 0; i < segment->file_count && !r; i++)
		r = bt_buf_append(out, segment->files[i].name, strlen(segment->files[i].name) + 1);
	return r;
}

static size_t names_size(const struct bt_segment *segment)
{
	size_t size = 0;

	for (size_t i = 0; i < segment->file_count; i++)
		size += strlen(segment->files[i].name) + 1;
	return size;
}

static int write_tables(struct sink *sink)
{
	struct bt_segment *segment = sink->segment;
	struct bt_segment_header header = {.endian = BT_SEGMENT_ENDIAN,
					   .record_size = sizeof(struct bt_record),
					   .count = segment->count,
					   .bits = segment->bits,
					   .file_count = (uint32_t)segment->file_count,
					   .names_size = names_size(segment)};

	memcpy(header.magic, BT_SEGMENT_MAGIC, sizeof(header.magic));
	size_t rest = segment->count % BT_SEGMENT_STRETCH;
	int r = rest ? sum_up(sink, rest) : 0;
	if (!r)
		r = flush(sink);
	if (!r)
		r = format_tables(segment, &sink->sums, &sink->buffer);
	if (r)
		return r;
	uint64_t sum = bt_hash_bytes(&header, sizeof(header), 0);
	header.checksum = bt_hash_bytes(sink->buffer.data, sink->buffer.length, sum);
	if (flush(sink) || bt_pwrite_all(sink->out.fd, &header, sizeof(header), 0))
		return BT_E_SYSTEM;
	snprintf(segment->name, sizeof(segment->name), "index-%016" PRIx64 ".seg", header.checksum);
	return bt_publish_replace(&sink->out, segment->name, NULL);
}

/* Puts the records where lookups want them. */
static int settle(struct sink *sink)
{
	struct bt_segment *segment = sink->segment;

	if (sink->to_file) {
		int r = write_tables(sink);

		if (r)
			return r;
		segment->fd = sink->out.fd;
		sink->out.fd = -1;
		segment->sums = (uint64_t *)sink->sums.data;
		sink->sums = (struct bt_buf){0};
		r = bt_records_keep(segment);
		return r == BT_E_NOMEM ? 0 : r;
	}
	segment->records = (struct bt_record *)sink->buffer.data;
	sink->buffer = (struct bt_buf){0};
	if (!segment->records)
		segment->records = malloc(sizeof(struct bt_record)); /* any, but not none */
	return segment->records ? 0 : BT_E_NOMEM;
}

static int sink_start(struct sink *sink, int cachefd)
{
	static const struct bt_segment_header blank = {0};

	sink->to_file = cachefd >= 0;
	sink->segment->count = 0;
	if (!sink->to_file)
		return 0;
	sink->out.fd = -1;
	int r = bt_publish_begin_in_store(&sink->out, cachefd, NULL);
	return r ? r : bt_write_all(sink->out.fd, &blank, sizeof(blank)) ? BT_E_SYSTEM : 0;
}

/* The files that are alive in any input, and where each input finds its own among them. */
static int gather_files(struct source *sources, size_t count, struct bt_buf *files, struct bt_buf *names)
{
	uint32_t next = 0;

	for (size_t i = 0; i < count; i++) {
		const struct bt_segment *segment = sources[i].segment;

		sources[i].file = malloc((segment->file_count + 1) * sizeof(uint32_t));
		sources[i].records.segment = segment;
		if (!sources[i].file)
			return BT_E_NOMEM;
		for (size_t k = 0; k < segment->file_count; k++) {
			struct bt_segment_file file = segment->files[k];

			sources[i].file[k] = file.file == BT_NO_FILE ? BT_NO_FILE : next++;
			file.records = 0;
			if (file.file != BT_NO_FILE && add_file(files, names, &file))
				return BT_E_NOMEM;
		}
	}
	return next <= BT_RECORD_FILE ? 0 : BT_E_NOMEM;
}

static int merge(int cachefd, struct source *sources, size_t count, struct bt_segment **ret_segment)
{
	struct bt_buf files = {0}, names = {0};
	struct sink sink = {.out = {.fd = -1}};
	uint64_t alive = 0;
	int r = gather_files(sources, count, &files, &names);

	for (size_t i = 0; i < count; i++)
		alive += bt_segment_alive(sources[i].segment);
	if (!r && alive <= UINT32_MAX)
		sink.segment = segment_new(alive, &files, &names);
	bt_buf_free(&files);
	bt_buf_free(&names);
	if (!sink.segment)
		return BT_E_NOMEM;
	r = sink_start(&sink, cachefd);
	if (!r)
		r = merge_records(&sink, sources, count);
	if (!r)
		r = settle(&sink);
	bt_publish_abort(&sink.out);
	bt_buf_free(&sink.buffer);
	bt_buf_free(&sink.sums);
	if (r)
		bt_segment_free(sink.segment);
	else
		*ret_segment = sink.segment;
	return r;
}

int bt_segment_merge(int cachefd, struct bt_segment *const *inputs, size_t count, struct bt_segment **ret_segment)
{
	struct source *sources = calloc(count + 1, sizeof(*sources));

	if (!sources)
		return BT_E_NOMEM;
	for (size_t i = 0; i < count; i++)
		sources[i].segment = inputs[i];
	int r = merge(cachefd, sources, count, ret_segment);
	for (size_t i = 0; i < count; i++) {
		free(sources[i].file);
		free(sources[i].records.window);
	}
	free(sources);
	return r;
}
