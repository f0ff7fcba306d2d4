/* SPDX-License-Identifier: MIT */
#include "snapshot/made.h"

#include "base/bytes.h"
#include "base/fail.h"
#include "model/page.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int by_name(const void *a, const void *b)
{
	const struct bt_stream *one = *(const struct bt_stream *const *)a, *other = *(const struct bt_stream *const *)b;

	return bt_name_compare(one->name, strlen(one->name), other->name, strlen(other->name));
}

static int check_names(const struct bt_snapshot_options *options, struct bt_error *error)
{
	for (size_t i = 0; i < options->stream_count; i++) {
		const struct bt_stream *stream = options->streams[i];

		if (!stream || stream->size < sizeof(*stream) || !stream->read)
			return bt_fail(error, BT_E_INVALID, NULL, "not a stream");
		if (!stream->name || !bt_name_valid(stream->name, strlen(stream->name)))
			return bt_fail(error, BT_E_INVALID, stream->name, "not a name of a file");
		for (size_t j = 0; j < i; j++)
			if (strcmp(options->streams[j]->name, stream->name) == 0)
				return bt_fail(error, BT_E_INVALID, stream->name, "two streams have the same name");
	}
	return 0;
}

/* Any choice among the entries of a directory. */
static bool chooses(const struct bt_snapshot_options *options)
{
	return options->exclude_count || options->exclude_if_present_count || options->exclude_caches ||
	       options->exclude_larger_than || options->exclude_nodump || options->ignore_file_count ||
	       options->include_count || options->paths || options->one_file_system;
}

int bt_snap_made_check(const struct bt_snapshot_options *options, struct bt_error *error)
{
	if (chooses(options) || options->changes || options->birth_times || options->trust_mtime_size)
		return bt_fail(error, BT_E_INVALID, NULL, "this option is about a directory, and there is none");
	if (!options->as)
		return bt_fail(error, BT_E_INVALID, NULL, "a snapshot of streams needs a path to be recorded");
	return check_names(options, error);
}

static void fill(struct bt_found *found, const char *name, uint32_t mode, const struct bt_time *time)
{
	*found = (struct bt_found){.name = name,
				   .name_length = (uint16_t)strlen(name),
				   .links = 1,
				   .mtime = *time,
				   .ctime = *time,
				   .mode = mode,
				   .uid = geteuid(),
				   .gid = getegid()};
}

int bt_snap_made_new(const struct bt_snapshot_options *options, const struct bt_time *time,
		     struct bt_snap_made **ret_made)
{
	size_t count = options->stream_count;
	struct bt_snap_made *made = calloc(1, sizeof(*made));

	if (!made)
		return BT_E_NOMEM;
	made->dir.found = calloc(count, sizeof(*made->dir.found));
	made->streams = calloc(count, sizeof(*made->streams));
	if (!made->dir.found || !made->streams) {
		bt_snap_made_free(made);
		return BT_E_NOMEM;
	}
	memcpy(made->streams, options->streams, count * sizeof(*made->streams));
	qsort(made->streams, count, sizeof(*made->streams), by_name);
	fill(&made->dir.self, "", S_IFDIR | 0700, time);
	for (size_t i = 0; i < count; i++)
		fill(&made->dir.found[i], made->streams[i]->name, S_IFREG | 0600, time);
	made->dir.count = count;
	*ret_made = made;
	return 0;
}

void bt_snap_made_free(struct bt_snap_made *made)
{
	if (!made)
		return;
	free(made->dir.found);
	free(made->streams);
	free(made);
}

const struct bt_stream *bt_snap_made_stream(const struct bt_snap_made *made, const struct bt_found *found)
{
	return made->streams[found - made->dir.found];
}
