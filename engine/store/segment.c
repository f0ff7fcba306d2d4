/* SPDX-License-Identifier: MIT */
#include "store/segment.h"
#include "base/bytes.h"
#include "base/io.h"
#include "base/made.h"
#include "store/segment_inside.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define WINDOW 128 /* records in one read of a lookup */

static int read_exactly(int fd, void *data, uint64_t length, uint64_t offset)
{
	return bt_pread_some(fd, data, (size_t)length, offset) == (ssize_t)length ? 0 : BT_E_DAMAGED;
}

static uint64_t buckets_size(unsigned bits)
{
	return (((uint64_t)1 << bits) + 1) * sizeof(uint32_t);
}

/* The sizes that the header states make up exactly the size that the file has. */
static bool header_valid(const struct bt_segment_header *header, uint64_t file_size)
{
	uint64_t sum = sizeof(*header);

	if (memcmp(header->magic, BT_SEGMENT_MAGIC, sizeof(header->magic)) || header->endian != BT_SEGMENT_ENDIAN ||
	    header->record_size != sizeof(struct bt_record) || header->bits > BT_SEGMENT_BITS_MAX ||
	    header->count > UINT32_MAX || header->names_size > file_size || header->file_count > BT_RECORD_FILE)
		return false;
	sum += header->count * sizeof(struct bt_record) + bt_segment_stretches(header->count) * sizeof(uint64_t) +
	       buckets_size(header->bits);
	sum += (uint64_t)header->file_count * sizeof(struct bt_segment_entry) + header->names_size;
	return sum == file_size;
}

/* Names end inside the table of names, buckets lie inside the records. */
static int take_files(struct bt_segment *segment, const struct bt_segment_entry *entries, uint64_t names_size)
{
	if (segment->file_count && (!names_size || segment->names[names_size - 1]))
		return BT_E_DAMAGED;
	segment->files = calloc(segment->file_count + 1, sizeof(*segment->files));
	if (!segment->files)
		return BT_E_NOMEM;
	for (size_t i = 0; i < segment->file_count; i++) {
		if (entries[i].name >= names_size)
			return BT_E_DAMAGED;
		segment->files[i] = (struct bt_segment_file){segment->names + entries[i].name,
							     entries[i].size,
							     {entries[i].seconds, entries[i].nanoseconds},
							     entries[i].records,
							     BT_NO_FILE,
							     false};
	}
	return 0;
}

static bool buckets_valid(const struct bt_segment *segment)
{
	size_t last = (size_t)1 << segment->bits;

	for (size_t i = 0; i < last; i++) {
		if (segment->buckets[i] > segment->buckets[i + 1])
			return false;
	}
	return segment->buckets[last] == segment->count;
}

static int take_tables(struct bt_segment *segment, const struct bt_segment_header *header, const unsigned char *tables)
{
	uint64_t sums_size = bt_segment_stretches(header->count) * sizeof(uint64_t), size = buckets_size(header->bits);
	const unsigned char *entries = tables + sums_size + size;
	uint64_t entries_size = (uint64_t)header->file_count * sizeof(struct bt_segment_entry);

	segment->sums = malloc((size_t)sums_size + 1);
	segment->buckets = malloc((size_t)size);
	segment->names = malloc((size_t)header->names_size + 1);
	struct bt_segment_entry *copy = malloc((size_t)entries_size + 1);
	int r = BT_E_NOMEM;
	if (segment->sums && segment->buckets && segment->names && copy) {
		memcpy(segment->sums, tables, (size_t)sums_size);
		memcpy(segment->buckets, tables + sums_size, (size_t)size);
		memcpy(copy, entries, (size_t)entries_size);
		memcpy(segment->names, entries + entries_size, (size_t)header->names_size);
		r = take_files(segment, copy, header->names_size);
	}
	free(copy);
	return r ? r : buckets_valid(segment) ? 0 : BT_E_DAMAGED;
}

static int load_tables(struct bt_segment *segment, const struct bt_segment_header *header, uint64_t file_size)
{
	uint64_t at = sizeof(*header) + header->count * sizeof(struct bt_record);
	size_t length = (size_t)(file_size - at);
	struct bt_segment_header blank = *header;
	unsigned char *tables = malloc(length);

	blank.checksum = 0;
	int r = tables ? read_exactly(segment->fd, tables, length, at) : BT_E_NOMEM;
	uint64_t sum = bt_hash_bytes(&blank, sizeof(blank), 0);
	if (!r && bt_hash_bytes(tables, length, sum) != header->checksum)
		r = BT_E_DAMAGED;
	segment->count = header->count;
	segment->bits = header->bits;
	segment->file_count = header->file_count;
	if (!r)
		r = take_tables(segment, header, tables);
	free(tables);
	return r;
}

static int load(struct bt_segment *segment)
{
	struct stat st;
	struct bt_segment_header header;

	if (fstat(segment->fd, &st) || !bt_is_own(&st))
		return BT_E_DAMAGED;
	int r = read_exactly(segment->fd, &header, sizeof(header), 0);
	if (r || !header_valid(&header, (uint64_t)st.st_size))
		return BT_E_DAMAGED;
	r = load_tables(segment, &header, (uint64_t)st.st_size);
	return r ? r : bt_records_keep(segment);
}

int bt_segment_open(int cachefd, const char *name, struct bt_segment **ret_segment)
{
	struct bt_segment *segment = calloc(1, sizeof(*segment));

	if (!segment || strlen(name) >= sizeof(segment->name)) {
		free(segment);
		return BT_E_NOMEM;
	}
	memcpy(segment->name, name, strlen(name) + 1);
	segment->fd = bt_open_file(cachefd, name, O_RDONLY);
	int r = segment->fd < 0 ? BT_E_NOT_FOUND : load(segment);
	if (r)
		bt_segment_free(segment);
	else
		*ret_segment = segment;
	return r;
}

void bt_segment_free(struct bt_segment *segment)
{
	if (!segment)
		return;
	bt_close(&segment->fd);
	free(segment->records);
	free(segment->sums);
	free(segment->tallies);
	free(segment->buckets);
	free(segment->files);
	free(segment->names);
	free(segment);
}

uint64_t bt_segment_alive(const struct bt_segment *segment)
{
	uint64_t alive = 0;

	for (size_t i = 0; i < segment->file_count; i++)
		alive += segment->files[i].file == BT_NO_FILE ? 0 : segment->files[i].records;
	return alive < segment->count ? alive : segment->count;
}

size_t bt_segment_alive_files(const struct bt_segment *segment)
{
	size_t alive = 0;

	for (size_t i = 0; i < segment->file_count; i++)
		alive += segment->files[i].file != BT_NO_FILE;
	return alive;
}

/* Records from lo on: in memory already, or read into window. */
static const struct bt_record *records_at(const struct bt_segment *segment, uint64_t lo, size_t count,
					  struct bt_record *window)
{
	if (segment->records)
		return segment->records + lo;
	uint64_t at = sizeof(struct bt_segment_header) + lo * sizeof(*window);
	return read_exactly(segment->fd, window, count * sizeof(*window), at) ? NULL : window;
}

/* Up to WINDOW of them, with the stretches in which they lie. */
static const struct bt_record *sound_records_at(const struct bt_segment *segment, uint64_t lo, size_t count,
						struct bt_record *window)
{
	uint64_t from = lo - lo % BT_SEGMENT_STRETCH;
	uint64_t end = bt_segment_stretches(lo + count) * BT_SEGMENT_STRETCH;

	if (segment->records)
		return segment->records + lo;
	end = end < segment->count ? end : segment->count;
	return bt_records_read(segment, from, (size_t)(end - from), window) ? NULL : window + (lo - from);
}

static bool take_location(const struct bt_segment *segment, const struct bt_record *record, bool page,
			  struct bt_location *ret_location)
{
	uint32_t file = record->file & BT_RECORD_FILE;

	if (page != !!(record->file & BT_RECORD_PAGE) || file >= segment->file_count ||
	    segment->files[file].file == BT_NO_FILE)
		return false;
	*ret_location = (struct bt_location){
		.file = segment->files[file].file,
		.page = page,
		.block = {.at = (uint64_t)record->at_high << 32 | record->at_low,
			  .length = record->length,
			  .size = record->size,
			  .plain = record->file & BT_RECORD_PLAIN},
		.offset = record->offset,
		.size = record->held,
	};
	return true;
}

size_t bt_segment_find(const struct bt_segment *segment, const struct bt_digest *digest, bool page,
		       struct bt_location *locations, size_t max)
{
	struct bt_record window[WINDOW + 2 * BT_SEGMENT_STRETCH];
	uint32_t bucket = bt_segment_bucket(digest, segment->bits);
	uint64_t lo = segment->buckets[bucket], end = segment->buckets[bucket + 1], hi = end;

	while (hi - lo > WINDOW / 2) {
		uint64_t middle = lo + (hi - lo) / 2;
		const struct bt_record *record = records_at(segment, middle, 1, window);

		if (!record)
			return 0;
		if (bt_digest_compare(&record->digest, digest) < 0)
			lo = middle + 1;
		else
			hi = middle;
	}
	size_t count = end - lo < WINDOW ? (size_t)(end - lo) : WINDOW, found = 0;
	const struct bt_record *record = count ? sound_records_at(segment, lo, count, window) : NULL;
	for (size_t i = 0; record && i < count && found < max; i++) {
		int order = bt_digest_compare(&record[i].digest, digest);

		if (order > 0)
			break;
		if (!order && take_location(segment, &record[i], page, &locations[found]))
			found++;
	}
	return found;
}
