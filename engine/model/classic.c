/* SPDX-License-Identifier: MIT */
#include "model/classic.h"
#include "backend/upload.h"
#include "base/fail.h"
#include "base/voice.h"
#include "model/classic_parts.h"
#include "model/document.h"
#include "store/file.h"
#include "store/writer.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

int bt_classic_cancelled(const struct bt_classic *classic)
{
	return bt_cancelled(classic->observer) ? bt_fail(classic->error, BT_E_CANCELLED, classic->name, NULL) : 0;
}

static int no_memory(const struct bt_classic *classic)
{
	return bt_fail(classic->error, BT_E_NOMEM, classic->name, "read");
}

/* The common directory as people write it: without the slash at its end. */
static int name_target(struct bt_classic *classic, struct bt_buf *target)
{
	while (target->length > 1 && target->data[target->length - 1] == '/')
		target->length--;
	if (!target->length && bt_buf_append(target, ".", 1))
		return no_memory(classic);
	return bt_buf_append(target, "", 1) ? no_memory(classic) : 0;
}

/* A failure of the writer, which does not know the file's name. */
static int not_written(struct bt_classic *classic, int r, const struct bt_error *inner)
{
	if (r == BT_E_SYSTEM)
		return bt_fail_sys(classic->error, inner->sys, classic->name, "write the derived file");
	return r ? bt_fail(classic->error, (enum bt_code)r, classic->name, "write") : 0;
}

static int open_writer(struct bt_classic_out *out, const struct bt_buf *header, int fd)
{
	struct bt_upload *upload;
	struct bt_error inner = {0};

	out->hasher = bt_hasher_new();
	int r = out->hasher ? bt_upload_to_fd(fd, &upload, &inner) : BT_E_NOMEM;
	if (!r)
		r = bt_writer_new(upload, header, &out->writer, &inner);
	return not_written(out->classic, r, &inner);
}

static int begin_derived(struct bt_classic_out *out, const struct bt_snapshot_info *info, int fd)
{
	struct bt_classic *classic = out->classic;
	struct bt_buf header = {0};
	int r = bt_header_write(&header, info) ? no_memory(classic) : 0;

	if (!r && header.length > BT_HEADER_MAX - 2)
		r = bt_fail_damaged(classic->error, BT_R_TOO_LARGE, classic->name, BT_NO_OFFSET);
	if (!r)
		r = open_writer(out, &header, fd);
	bt_buf_free(&header);
	return r;
}

static int write_pieces(struct bt_classic_out *out, struct bt_snapshot_info *info)
{
	const struct bt_classic_piece *pieces = bt_classic_pieces(out->classic);
	struct bt_error inner = {0};
	int r = 0;

	for (size_t i = 0; !r && i < out->classic->piece_count; i++) {
		const struct bt_classic_piece *piece = &pieces[i];
		const struct bt_block block = {.at = piece->at, .length = piece->length, .size = piece->size};
		const struct bt_held held = {piece->digest, piece->size};

		info->stored_size += piece->length;
		r = bt_writer_elsewhere(out->writer, &block, &held, 1, &inner);
	}
	return not_written(out->classic, r, &inner);
}

int bt_classic_out_page(void *arg, const char *line, size_t length, struct bt_digest *ret_id)
{
	struct bt_classic_out *out = arg;
	struct bt_error inner = {0};
	int r = bt_hasher_digest(out->hasher, line, length, ret_id);
	int added = r ? r : bt_digest_set_add(&out->written, ret_id);

	if (added <= 0)
		return added ? no_memory(out->classic) : 0;
	r = bt_writer_page(out->writer, line, length, ret_id, &inner);
	return not_written(out->classic, r, &inner);
}

static int end_derived(struct bt_classic_out *out, const struct bt_snapshot_info *info)
{
	struct bt_buf summary = {0};
	struct bt_error inner = {0};
	int r = bt_summary_write(&summary, info);

	if (!r)
		r = bt_writer_finish(out->writer, &summary, &inner);
	bt_buf_free(&summary);
	return not_written(out->classic, r, &inner);
}

static int write_derived(struct bt_classic *classic, const struct stat *status, int fd)
{
	struct bt_classic_out out = {.classic = classic};
	struct bt_snapshot_info info = {.classic = true, .time = classic->time, .host = ""};
	struct bt_buf target = {0};
	int r = bt_classic_sort(classic, &target);
	size_t prefix = target.length;

	if (!r)
		r = name_target(classic, &target);
	info.target = (const char *)target.data;
	/* Version 1 knows no owners and times: those of the file itself are the nearest. */
	info.root = (struct bt_entry){.mtime = classic->time, .uid = status->st_uid, .gid = status->st_gid};
	if (!r)
		r = begin_derived(&out, &info, fd);
	if (!r)
		r = write_pieces(&out, &info);
	if (!r)
		r = bt_classic_tree(classic, prefix, &out, &info);
	if (!r)
		r = end_derived(&out, &info);
	bt_writer_free(out.writer);
	bt_hasher_free(out.hasher);
	bt_digest_set_free(&out.written);
	bt_buf_free(&target);
	return r;
}

void bt_classic_free(struct bt_classic *classic)
{
	bt_arena_free(&classic->arena);
	bt_buf_free(&classic->paths);
	bt_buf_free(&classic->contents);
	bt_buf_free(&classic->pieces);
}

int bt_classic_derive(int fd, const char *name, int out, const struct bt_observer *observer, struct bt_error *error)
{
	struct bt_error ignored = {0};
	struct bt_classic classic = {.name = name, .error = error ? error : &ignored, .observer = observer};
	struct stat status;
	int r = fstat(fd, &status) ? bt_fail_sys(classic.error, errno, name, "read the attributes") : 0;

	if (!r)
		r = bt_classic_scan(&classic, fd);
	if (!r)
		r = write_derived(&classic, &status, out);
	bt_classic_free(&classic);
	return r;
}
