/* SPDX-License-Identifier: MIT */
#include "model/flags.h"
#include "model/lists.h"
#include "model/page.h"
#include "json/write.h"

#include <endian.h>
#include <string.h>

static const char *const type_texts[] = {
	[BT_FILE] = "\"type\":\"file\",\"mode\":\"",	     [BT_DIR] = "\"type\":\"dir\",\"mode\":\"",
	[BT_SYMLINK] = "\"type\":\"symlink\",\"mode\":\"",   [BT_FIFO] = "\"type\":\"fifo\",\"mode\":\"",
	[BT_SOCKET] = "\"type\":\"socket\",\"mode\":\"",     [BT_CHARDEV] = "\"type\":\"chardev\",\"mode\":\"",
	[BT_BLOCKDEV] = "\"type\":\"blockdev\",\"mode\":\"",
};

static void write_mode(struct bt_buf *out, unsigned mode)
{
	char text[] = "0000\",\"uid\":";

	for (int i = 3; i >= 0; i--, mode >>= 3)
		text[i] = (char)('0' + (mode & 7));
	bt_json_text(out, text);
}

static void write_common(struct bt_buf *out, const struct bt_entry *entry)
{
	if (entry->name_length) {
		bt_json_bytes(out, "name", entry->name, entry->name_length);
		bt_json_text(out, ",");
	}
	bt_json_text(out, type_texts[entry->type]);
	write_mode(out, entry->mode);
	bt_json_u64(out, entry->uid);
	bt_json_add_u64(out, ",\"gid\":", entry->gid);
	if (entry->type == BT_FILE)
		bt_json_add_u64(out, ",\"size\":", entry->size);
	bt_json_text(out, ",\"mtime\":");
	bt_json_time(out, &entry->mtime);
	if (entry->extra && entry->extra->has_btime) {
		bt_json_text(out, ",\"btime\":");
		bt_json_time(out, &entry->extra->btime);
	}
}

static void write_pieces(struct bt_buf *out, const struct bt_extra *extra)
{
	if (extra->has_chunks) {
		bt_json_text(out, ",\"chunks\":");
		bt_chunks_write(out, extra->chunks, extra->chunk_count);
	}
	if (extra->chunk_page_count) {
		bt_json_text(out, ",\"chunk_pages\":");
		bt_chunks_write(out, extra->chunk_pages, extra->chunk_page_count);
	}
	if (extra->hole_count) {
		bt_json_text(out, ",\"holes\":");
		bt_holes_write(out, extra->holes, extra->hole_count);
	}
}

static void write_content(struct bt_buf *out, const struct bt_entry *entry)
{
	const struct bt_extra *extra = entry->extra;

	if (entry->type == BT_FILE && entry->has_digest) {
		bt_json_text(out, ",\"sha256\":");
		bt_json_digest(out, &entry->digest);
	}
	if (extra)
		write_pieces(out, extra);
	if (entry->type == BT_DIR && !(extra && extra->error)) {
		bt_json_text(out, ",\"tree\":");
		bt_json_digest(out, &entry->digest);
	}
	if (extra && extra->boundary)
		bt_json_add_string(out, ",\"boundary\":", extra->boundary);
	if (extra && extra->target) {
		bt_json_text(out, ",");
		bt_json_bytes(out, "target", extra->target, extra->target_length);
	}
}

static void write_numbers(struct bt_buf *out, uint8_t type, const struct bt_extra *extra)
{
	if (type == BT_CHARDEV || type == BT_BLOCKDEV) {
		bt_json_add_u64(out, ",\"rdev\":[", extra->dev_major);
		bt_json_add_u64(out, ",", extra->dev_minor);
		bt_json_text(out, "]");
	}
	if (extra->links) {
		bt_json_add_u64(out, ",\"inode\":", extra->inode);
		bt_json_add_u64(out, ",\"links\":", extra->links);
	}
	if (extra->links && extra->dev)
		bt_json_add_u64(out, ",\"dev\":", extra->dev);
}

static void write_rest(struct bt_buf *out, uint8_t type, const struct bt_extra *extra)
{
	char flags[BT_FLAGS_TEXT_SIZE];

	write_numbers(out, type, extra);
	if (extra->xattr_count) {
		bt_json_text(out, ",\"xattrs\":");
		bt_xattrs_write(out, extra->xattrs, extra->xattr_count);
	}
	bt_flags_text(extra->flags, flags);
	if (extra->flags)
		bt_json_add_string(out, ",\"flags\":", flags);
	if (extra->project)
		bt_json_add_u64(out, ",\"project\":", extra->project);
	if (extra->error)
		bt_json_add_string(out, ",\"error\":", extra->error);
	if (extra->torn)
		bt_json_text(out, ",\"torn\":true");
}

int bt_entry_write(struct bt_buf *out, const struct bt_entry *entry)
{
	const uint64_t stat = htole64(entry->stat);

	bt_json_text(out, "{");
	write_common(out, entry);
	write_content(out, entry);
	if (entry->extra)
		write_rest(out, entry->type, entry->extra);
	if (entry->has_stat) {
		bt_json_text(out, ",\"stat\":");
		bt_json_base64(out, &stat, sizeof(stat));
	}
	if (entry->extra && entry->extra->further)
		bt_json_text(out, entry->extra->further);
	bt_json_text(out, "}");
	return bt_buf_result(out);
}
