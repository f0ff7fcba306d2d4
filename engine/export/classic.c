/* SPDX-License-Identifier: MIT */
#include <backuptool/export.h>

#include "base/bytes.h"
#include "base/digest_set.h"
#include "base/fail.h"
#include "base/io.h"
#include "base/route.h"
#include "base/voice.h"
#include "codec/hash.h"
#include "export/parts.h"
#include "view/pages.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define HOLE_PIECE ((uint64_t)64 << 20) /* of zeros between two looks at whether it was cancelled */

struct export
{
	struct bt_store *store;
	const struct bt_snapshot_info *info;
	const struct bt_observer *observer;
	struct bt_error *error;
	struct bt_out out;
	struct bt_digest_set written; /* contents */
	struct bt_hasher *hasher;
	struct bt_progress progress;
	struct bt_pace pace;
	uint64_t size, left_out, problems;
	bool any; /* members in the object that is being written */
};

static int no_memory(struct export *export)
{
	return bt_fail(export->error, BT_E_NOMEM, NULL, "write the export");
}

static int check_cancelled(struct export *export)
{
	return bt_cancelled(export->observer) ? bt_fail(export->error, BT_E_CANCELLED, NULL, "write the export") : 0;
}

static char *path_text(const struct bt_buf *path)
{
	return strndup(path->data ? (const char *)path->data : "", path->length);
}

static void tell_progress(struct export *export, const struct bt_buf *path, uint64_t bytes)
{
	export->progress.bytes += bytes;
	if (!bt_pace_due(&export->pace, export->observer))
		return;
	char *text = path_text(path);
	export->progress.path = text;
	export->observer->progress(export->observer->arg, &export->progress);
	free(text);
}

static void tell_observer(struct export *export, const struct bt_buf *path, const struct bt_error *error)
{
	const struct bt_observer *observer = export->observer;

	if (!observer || !observer->problem)
		return;
	char *text = path_text(path);
	observer->problem(observer->arg, text ? text : "", error);
	free(text);
}

static void tell_problem(void *arg, const struct bt_buf *path, const struct bt_error *error)
{
	struct export *export = arg;

	export->problems++;
	tell_observer(export, path, error);
}

/* It is in the file all the same. */
static void tell_torn(struct export *export, const struct bt_buf *path)
{
	struct bt_error error = {0};

	bt_fail(&error, BT_E_INCOMPLETE, NULL, "it changed while the snapshot was taken");
	tell_observer(export, path, &error);
}

static bool is_file(const struct bt_entry *entry)
{
	return entry && entry->type == BT_FILE;
}

bool bt_export_has_content(const struct bt_entry *entry)
{
	return is_file(entry) && entry->has_digest && !(entry->extra && entry->extra->error);
}

static int member(struct export *export, const unsigned char *key, size_t length)
{
	int r = bt_out_text(&export->out, export->any ? ",\n        " : "\n        ");

	export->any = true;
	if (!r)
		r = bt_out_string(&export->out, key, length);
	return r ? r : bt_out_text(&export->out, ": ");
}

static int write_path(void *arg, const struct bt_buf *path, const struct bt_entry *entry)
{
	struct export *export = arg;
	char text[65];
	int r = check_cancelled(export);

	if (r)
		return r;
	if (!is_file(entry)) {
		export->left_out++;
		return 0;
	}
	if (!bt_export_has_content(entry)) {
		struct bt_error error = {0};

		if (entry->has_digest || (entry->extra && entry->extra->error))
			bt_fail_unread(&error, entry);
		else
			bt_fail(&error, BT_E_INCOMPLETE, NULL,
				"it has very large holes and no digest, which this layout needs");
		tell_problem(export, path, &error);
		return 0;
	}
	if (entry->extra && entry->extra->torn)
		tell_torn(export, path);
	export->size += entry->size;
	bt_digest_text(&entry->digest, text);
	r = member(export, path->data, path->length);
	return r ? r : bt_out_string(&export->out, (const unsigned char *)text, 64);
}

static int check_digest(struct export *export, const struct bt_entry *entry, struct bt_error *error)
{
	struct bt_digest digest;

	if (bt_hasher_finish(export->hasher, &digest))
		return no_memory(export);
	if (!bt_digest_equal(&digest, &entry->digest))
		return bt_fail_damaged(error, BT_R_DIGEST_MISMATCH, export->info->name, BT_NO_OFFSET);
	return 0;
}

static void hash_slice(struct export *export, const struct bt_slice *slice)
{
	static const unsigned char zeros[16384];

	if (slice->data) {
		bt_hasher_add(export->hasher, slice->data, slice->length);
		return;
	}
	for (uint64_t left = slice->length; left;) {
		size_t part = left < sizeof(zeros) ? (size_t)left : sizeof(zeros);

		bt_hasher_add(export->hasher, zeros, part);
		left -= part;
	}
}

/* A file in one piece is verified by the store; one in several is here, as a whole. *ret_bad: what failed was reading,
 * so that the rest can go on. */
static int write_slices(struct export *export, const struct bt_buf *path, const struct bt_entry *entry, bool *ret_bad,
			struct bt_error *error)
{
	bool whole = entry->extra && (entry->extra->has_chunks || entry->extra->chunk_page_count);
	int r = 0;

	bt_hasher_start(export->hasher);
	for (uint64_t offset = 0; !r && offset < entry->size;) {
		struct bt_slice slice;

		r = check_cancelled(export);
		if (r)
			return r;
		r = bt_slice_start(export->store, entry, offset, 0, &slice, error);
		*ret_bad = r;
		if (r)
			return r;
		if (!slice.data && slice.length > HOLE_PIECE)
			slice.length = HOLE_PIECE;
		if (whole)
			hash_slice(export, &slice);
		r = bt_out_base64(&export->out, slice.data, slice.length);
		offset += slice.length;
		tell_progress(export, path, slice.length);
		bt_slice_end(export->store, &slice);
	}
	if (!r && whole) {
		r = check_digest(export, entry, error);
		*ret_bad = r;
	}
	return r ? r : bt_out_base64_end(&export->out);
}

static int end_content(struct export *export, const struct bt_entry *entry)
{
	if (bt_digest_set_add(&export->written, &entry->digest) < 0)
		return no_memory(export);
	return bt_out_text(&export->out, "\"");
}

static int write_content(void *arg, const struct bt_buf *path, const struct bt_entry *entry)
{
	struct export *export = arg;
	struct bt_error error = {0};
	char text[65];
	bool bad = false, before = export->any;
	uint64_t begin = bt_out_tell(&export->out);

	if (!bt_export_has_content(entry))
		return 0;
	export->progress.files++;
	if (bt_digest_set_has(&export->written, &entry->digest))
		return 0;
	bt_digest_text(&entry->digest, text);
	int r = member(export, (const unsigned char *)text, 64);
	if (!r)
		r = bt_out_text(&export->out, "\"");
	if (!r)
		r = write_slices(export, path, entry, &bad, &error);
	if (!bad)
		return r ? r : end_content(export, entry);
	/* Its files are then unreadable in the new snapshot as they are in this one: each is tried, and named. */
	tell_problem(export, path, &error);
	export->any = before;
	return bt_out_rewind(&export->out, begin);
}

/* The last component of the target: what the original wrote before each path. */
static int path_prefix(const char *target, struct bt_buf *out)
{
	size_t end = strlen(target), begin;

	while (end && target[end - 1] == '/')
		end--;
	for (begin = end; begin && target[begin - 1] != '/';)
		begin--;
	size_t length = end - begin;
	bool none = !length || (length == 1 && target[begin] == '.') ||
		    (length == 2 && target[begin] == '.' && target[begin + 1] == '.');
	if (!none && (bt_buf_append(out, target + begin, length) || bt_buf_append(out, "/", 1)))
		return BT_E_NOMEM;
	return bt_buf_append(out, "", 1);
}

static int write_start(struct export *export)
{
	char text[64];
	struct tm local;
	time_t seconds = export->info->time.seconds;

	if (!localtime_r(&seconds, &local))
		return bt_fail(export->error, BT_E_INVALID, export->info->name, "the time has no year");
	int r = bt_out_text(&export->out, "{\n    \"timestamp\": \"");
	if (!r && !strftime(text, sizeof(text), "%Y-%m-%dT%H-%M-%S", &local))
		r = bt_fail(export->error, BT_E_INVALID, export->info->name, "the time has no year");
	if (!r)
		r = bt_out_text(&export->out, text);
	return r ? r : bt_out_text(&export->out, "\",\n    \"files\": {");
}

static int write_end(struct export *export)
{
	char text[128];

	/* The original counts every file in both. */
	snprintf(text, sizeof(text), ",\n    \"directory_size\": %" PRIu64 ",\n    \"snapshot_size\": %" PRIu64 "\n}",
		 export->size, export->size);
	int r = bt_out_text(&export->out, text);
	return r ? r : bt_out_flush(&export->out);
}

static void ignore_problem(void *arg, const struct bt_buf *path, const struct bt_error *error)
{
}

/* One object over all files; problems of the tree are told the first time. */
static int write_object(struct export *export, const char *prefix, const struct bt_file_visitor *visitor)
{
	export->any = false;
	int r = bt_visit_files(export->store, export->info, prefix, visitor);
	if (r)
		return bt_fail(export->error, (enum bt_code)r, NULL, "write the export");
	return bt_out_text(&export->out, export->any ? "\n    }" : "}");
}

static int write_document(struct export *export)
{
	const struct bt_file_visitor paths = {export, write_path, tell_problem};
	const struct bt_file_visitor contents = {export, write_content, ignore_problem};
	struct bt_buf prefix = {0};
	int r = path_prefix(export->info->target, &prefix) ? no_memory(export) : write_start(export);

	if (!r)
		r = write_object(export, (const char *)prefix.data, &paths);
	if (!r)
		r = bt_out_text(&export->out, ",\n    \"file_contents\": {");
	if (!r)
		r = write_object(export, (const char *)prefix.data, &contents);
	bt_buf_free(&prefix);
	return r ? r : write_end(export);
}

static int publish(struct export *export, int dirfd, const char *name)
{
	struct bt_out *out = &export->out;
	int r = bt_publish_begin(&out->publish, dirfd, export->error);

	if (r)
		return r;
	r = write_document(export);
	if (!r)
		r = bt_publish_commit(&out->publish, name, export->error);
	if (r)
		bt_publish_abort(&out->publish);
	else
		bt_close(&out->publish.fd);
	return r;
}

int bt_export_open_parent(const char *path, bool follow_all, const char **ret_name, int *ret_fd, struct bt_error *error)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	struct stat status;

	if (!*name)
		return bt_fail(error, BT_E_INVALID, path, "the name of a file is needed");
	char *parent = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	if (!parent)
		return bt_fail(error, BT_E_NOMEM, NULL, "write the export");
	struct bt_route route;
	int r = bt_route_begin(&route, parent, follow_all, error);
	if (!r && *route.next)
		r = bt_fail_sys(error, ENOENT, parent, "open");
	if (!r && fstatat(route.fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
		r = bt_fail(error, BT_E_EXISTS, path, NULL);
	if (!r) {
		*ret_name = name;
		*ret_fd = bt_route_take(&route);
	}
	bt_route_end(&route);
	free(parent);
	return r;
}

int bt_export_classic(struct bt_store *store, const struct bt_snapshot *snapshot, const char *path,
		      bool follow_foreign_links, const struct bt_observer *observer, uint64_t *ret_left_out,
		      struct bt_error *error)
{
	struct bt_error unheard = {0};
	struct export export = {.store = store,
				.info = bt_snapshot_info(snapshot),
				.observer = observer,
				.error = error ? error : &unheard};
	const char *name = NULL;
	int fd = -1, r = bt_export_open_parent(path, follow_foreign_links, &name, &fd, export.error);

	if (r)
		return r;
	export.out.error = export.error;
	export.progress.total_files = export.info->files;
	export.hasher = bt_hasher_new();
	r = export.hasher ? publish(&export, fd, name) : no_memory(&export);
	bt_close(&fd);
	if (export.hasher)
		bt_hasher_free(export.hasher);
	bt_digest_set_free(&export.written);
	bt_buf_free(&export.out.pending);
	if (r)
		return r;
	if (ret_left_out)
		*ret_left_out = export.left_out;
	return export.problems ? bt_fail(export.error, BT_E_INCOMPLETE, path, "some files are missing") : 0;
}
