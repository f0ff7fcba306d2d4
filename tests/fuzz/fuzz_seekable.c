/* SPDX-License-Identifier: MIT */
/* The end of a file that lies compressed. A table that is accepted is the one that a writer makes of the same frames,
 * byte for byte; and a search through the file ends, within what the file has. */
#include "codec/seekable.h"
#include "fuzz.h"
#include <string.h>

struct file {
	const uint8_t *data;
	size_t size;
};

static int read_file(void *arg, void *data, size_t length, uint64_t offset, struct bt_error *error)
{
	const struct file *file = arg;

	FUZZ_CHECK(offset <= file->size && length <= file->size - offset);
	memcpy(data, file->data + offset, length);
	return 0;
}

static void check_points(const struct bt_seek_table *table, size_t size)
{
	size_t frames = bt_seek_frames(table);

	for (size_t i = 0; i < frames; i++) {
		struct bt_seek_point from = bt_seek_point(table, i), to = bt_seek_point(table, i + 1);

		FUZZ_CHECK(from.stored < to.stored && from.plain < to.plain && to.stored <= size);
		FUZZ_CHECK(to.plain - from.plain <= BT_SEEK_PART_MAX);
		FUZZ_CHECK(to.plain - from.plain <= (to.stored - from.stored) * BT_SEEK_RATIO);
		FUZZ_CHECK(bt_seek_find(table, from.plain) == i && bt_seek_find(table, to.plain - 1) == i);
	}
}

static void check_written(const struct bt_seek_table *table, const struct file *file)
{
	uint64_t at = bt_seek_point(table, bt_seek_frames(table)).stored;
	struct bt_digest digest;
	struct bt_buf out = {0};

	FUZZ_CHECK(at + BT_SEEK_DIGEST < file->size && bt_seek_digest(file->data + at, &digest));
	FUZZ_CHECK(bt_seek_table_write(table, &digest, &out) == 0);
	FUZZ_CHECK(out.length == file->size - at && !memcmp(out.data, file->data + at, out.length));
	bt_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct file file = {data, size};
	const struct bt_seek_source source = {&file, read_file};
	struct bt_seek_table table = {0};
	struct bt_error error = {0};
	int r = bt_seek_table_read(&table, &source, size, &error);

	FUZZ_CHECK(!r || (r == BT_E_DAMAGED && error.reason == BT_R_BAD_SEEK_TABLE && error.offset <= size));
	FUZZ_CHECK(!r == !!bt_seek_frames(&table));
	check_points(&table, size);
	if (!r)
		check_written(&table, &file);
	FUZZ_CHECK(!bt_seek_table_search(&table, &source, size, NULL));
	check_points(&table, size);
	bt_seek_table_free(&table);
	return 0;
}
