/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "source/cut.h"
#include <backuptool/snapshot.h>
#include <errno.h>

static int stream_failed(const struct bt_stream *stream, int sys, struct bt_error *error)
{
	if (sys == ECANCELED)
		return bt_fail(error, BT_E_CANCELLED, NULL, NULL);
	return bt_fail_sys(error, sys, stream->name, "read the stream");
}

/* Fills the window, as far as there is something. */
static int fill_window(struct bt_cutter *cutter, const struct bt_stream *stream, bool *ret_last, struct bt_error *error)
{
	size_t want;

	bt_cutter_shift(cutter);
	for (unsigned char *at = bt_cutter_room(cutter, &want); want > 0; at = bt_cutter_room(cutter, &want)) {
		int r = bt_voice_failed(cutter->reader->source->voice);
		int64_t got;

		if (r)
			return r;
		got = stream->read(stream->arg, at, want);
		if (got < 0 || (uint64_t)got > want)
			return stream_failed(stream, got < 0 && got > -4096 ? (int)-got : EINVAL, error);
		*ret_last = got == 0;
		if (*ret_last)
			return 0;
		bt_cutter_took(cutter, (size_t)got);
	}
	return 0;
}

int bt_source_feed(struct bt_reader *reader, const struct bt_stream *stream, struct bt_source_sink *sink,
		   struct bt_entry *entry, struct bt_error *error)
{
	struct bt_cutter cutter = {.reader = reader, .sink = sink, .hashes = true};
	bool last = false;
	int r = bt_cutter_window(reader);

	bt_hasher_start(reader->hasher);
	entry->size = 0;
	while (!r && !last) {
		size_t before = cutter.end - cutter.start;

		r = fill_window(&cutter, stream, &last, error);
		if (!r) {
			entry->size += cutter.end - before;
			r = bt_cutter_cut(&cutter, last);
		}
	}
	entry->has_digest = true;
	return r ? r : bt_hasher_finish(reader->hasher, &entry->digest);
}
