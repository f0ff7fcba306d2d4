/* SPDX-License-Identifier: MIT */
/* A segment's records one after the other, and whether they are those of the files' own lists. */
#include "base/bytes.h"
#include "base/io.h"
#include "base/seed.h"
#include "store/segment_inside.h"
#include <stdlib.h>
#include <string.h>

#define WINDOW ((size_t)128 * BT_SEGMENT_STRETCH) /* read at a time */

uint64_t bt_stretch_sum(const struct bt_record *records, size_t count, uint64_t stretch)
{
	return bt_hash_bytes(records, count * sizeof(*records), stretch);
}

int bt_records_read(const struct bt_segment *segment, uint64_t lo, size_t count, struct bt_record *window)
{
	uint64_t at = sizeof(struct bt_segment_header) + lo * sizeof(*window), stretch = lo / BT_SEGMENT_STRETCH;
	size_t size = count * sizeof(*window);

	if (segment->records) {
		memcpy(window, segment->records + lo, size);
		return 0;
	}
	if (bt_pread_some(segment->fd, window, size, at) != (ssize_t)size)
		return BT_E_DAMAGED;
	for (size_t done = 0; done < count; done += BT_SEGMENT_STRETCH, stretch++) {
		size_t some = count - done < BT_SEGMENT_STRETCH ? count - done : BT_SEGMENT_STRETCH;

		if (bt_stretch_sum(window + done, some, stretch) != segment->sums[stretch])
			return BT_E_DAMAGED;
	}
	return 0;
}

int bt_records_keep(struct bt_segment *segment)
{
	size_t size = (size_t)segment->count * sizeof(struct bt_record);

	if (size > BT_SEGMENT_SMALL)
		return 0;
	struct bt_record *records = malloc(size + 1);
	int r = records ? bt_records_read(segment, 0, (size_t)segment->count, records) : BT_E_NOMEM;
	if (r) {
		free(records);
		return r;
	}
	segment->records = records;
	bt_close(&segment->fd);
	return 0;
}

static int fill(struct bt_records *records)
{
	uint64_t left = records->segment->count - records->next;
	size_t count = left < WINDOW ? (size_t)left : WINDOW;

	if (!records->window)
		records->window = malloc(WINDOW * sizeof(struct bt_record));
	if (!records->window)
		return BT_E_NOMEM;
	int r = bt_records_read(records->segment, records->next, count, records->window);
	records->next += count;
	records->at = 0;
	records->filled = count;
	return r;
}

int bt_records_next(struct bt_records *records, const struct bt_record **ret_record)
{
	*ret_record = NULL;
	if (records->at == records->filled) {
		int r = records->next < records->segment->count ? fill(records) : 0;

		if (r || records->at == records->filled)
			return r;
	}
	*ret_record = &records->window[records->at++];
	return 0;
}

static void add(struct bt_tally *tally, struct bt_record record)
{
	const struct bt_seed seed = bt_seed();

	record.file &= ~BT_RECORD_FILE;
	tally->count++;
	tally->sum += bt_seeded_hash(&seed, &record, sizeof(record));
}

static int tally_content(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
			 uint32_t size)
{
	add(arg, bt_record_of_content(block, digest, offset, size, 0));
	return 0;
}

static int tally_page(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length)
{
	add(arg, bt_record_of_page(id, at, length, 0));
	return 0;
}

const struct bt_index_visitor bt_tally_visitor = {NULL, tally_content, tally_page};

static int tally_all(const struct bt_segment *segment, struct bt_tally *tallies)
{
	struct bt_records records = {.segment = segment};
	const struct bt_record *record;
	int r = bt_records_next(&records, &record);

	while (!r && record) {
		uint32_t file = record->file & BT_RECORD_FILE;

		if (file < segment->file_count)
			add(&tallies[file], *record);
		r = bt_records_next(&records, &record);
	}
	free(records.window);
	return r;
}

int bt_segment_tally(struct bt_segment *segment)
{
	struct bt_tally *tallies = segment->tallies ? NULL : calloc(segment->file_count + 1, sizeof(*tallies));

	if (segment->tallies)
		return 0;
	int r = tallies ? tally_all(segment, tallies) : BT_E_NOMEM;
	if (r)
		free(tallies);
	else
		segment->tallies = tallies;
	return r;
}
