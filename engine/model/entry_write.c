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

static int write_mode(struct bt_buf *out, unsigned mode)
{
	char text[] = "0000\",\"uid\":";

	for (int i = 3; i >= 0; i--, mode >>= 3)
		text[i] = (char)('0' + (mode & 7));
	return bt_json_text(out, text);
}

static int write_common(struct bt_buf *out, const struct bt_entry *entry)
{
	if (entry->name_length &&
	    (bt_json_bytes(out, "name", entry->name, entry->name_length) || bt_json_text(out, ",")))
		return BT_E_NOMEM;
	if (bt_json_text(out, type_texts[entry->type]) || write_mode(out, entry->mode) ||
	    bt_json_u64(out, entry->uid) || bt_json_text(out, ",\"gid\":") || bt_json_u64(out, entry->gid))
		return BT_E_NOMEM;
	if (entry->type == BT_FILE && (bt_json_text(out, ",\"size\":") || bt_json_u64(out, entry->size)))
		return BT_E_NOMEM;
	return bt_json_text(out, ",\"mtime\":") || bt_json_time(out, &entry->mtime) ? BT_E_NOMEM : 0;
}

static int write_pieces(struct bt_buf *out, const struct bt_extra *extra)
{
	if (extra->has_chunks &&
	    (bt_json_text(out, ",\"chunks\":") || bt_chunks_write(out, extra->chunks, extra->chunk_count)))
		return BT_E_NOMEM;
	if (extra->chunk_page_count && (bt_json_text(out, ",\"chunk_pages\":") ||
					bt_chunks_write(out, extra->chunk_pages, extra->chunk_page_count)))
		return BT_E_NOMEM;
	if (extra->hole_count &&
	    (bt_json_text(out, ",\"holes\":") || bt_holes_write(out, extra->holes, extra->hole_count)))
		return BT_E_NOMEM;
	return 0;
}

static int write_content(struct bt_buf *out, const struct bt_entry *entry)
{
	const struct bt_extra *extra = entry->extra;

	if (entry->type == BT_FILE && entry->has_digest &&
	    (bt_json_text(out, ",\"sha256\":") || bt_json_digest(out, &entry->digest)))
		return BT_E_NOMEM;
	if (extra && write_pieces(out, extra))
		return BT_E_NOMEM;
	if (entry->type == BT_DIR && !(extra && extra->error) &&
	    (bt_json_text(out, ",\"tree\":") || bt_json_digest(out, &entry->digest)))
		return BT_E_NOMEM;
	if (extra && extra->boundary &&
	    (bt_json_text(out, ",\"boundary\":") || bt_json_string(out, extra->boundary, strlen(extra->boundary))))
		return BT_E_NOMEM;
	if (extra && extra->target &&
	    (bt_json_text(out, ",") || bt_json_bytes(out, "target", extra->target, extra->target_length)))
		return BT_E_NOMEM;
	return 0;
}

static int write_rdev(struct bt_buf *out, uint64_t a, uint64_t b)
{
	return bt_json_text(out, ",\"rdev\":[") || bt_json_u64(out, a) || bt_json_text(out, ",") ||
			       bt_json_u64(out, b) || bt_json_text(out, "]")
		       ? BT_E_NOMEM
		       : 0;
}

static int write_links(struct bt_buf *out, const struct bt_extra *extra)
{
	if (bt_json_text(out, ",\"inode\":") || bt_json_u64(out, extra->inode) || bt_json_text(out, ",\"links\":") ||
	    bt_json_u64(out, extra->links))
		return BT_E_NOMEM;
	if (extra->dev && (bt_json_text(out, ",\"dev\":") || bt_json_u64(out, extra->dev)))
		return BT_E_NOMEM;
	return 0;
}

static int write_flags(struct bt_buf *out, const struct bt_extra *extra)
{
	char text[BT_FLAGS_TEXT_SIZE];

	bt_flags_text(extra->flags, text);
	if (extra->flags && (bt_json_text(out, ",\"flags\":\"") || bt_json_text(out, text) || bt_json_text(out, "\"")))
		return BT_E_NOMEM;
	if (extra->project && (bt_json_text(out, ",\"project\":") || bt_json_u64(out, extra->project)))
		return BT_E_NOMEM;
	return 0;
}

static int write_rest(struct bt_buf *out, const struct bt_entry *entry)
{
	const struct bt_extra *extra = entry->extra;

	if ((entry->type == BT_CHARDEV || entry->type == BT_BLOCKDEV) &&
	    write_rdev(out, extra->dev_major, extra->dev_minor))
		return BT_E_NOMEM;
	if (extra->links && write_links(out, extra))
		return BT_E_NOMEM;
	if (extra->xattr_count &&
	    (bt_json_text(out, ",\"xattrs\":") || bt_xattrs_write(out, extra->xattrs, extra->xattr_count)))
		return BT_E_NOMEM;
	if (write_flags(out, extra))
		return BT_E_NOMEM;
	if (extra->error &&
	    (bt_json_text(out, ",\"error\":") || bt_json_string(out, extra->error, strlen(extra->error))))
		return BT_E_NOMEM;
	return extra->torn ? bt_json_text(out, ",\"torn\":true") : 0;
}

static int write_stat(struct bt_buf *out, uint64_t stat)
{
	uint64_t bytes = htole64(stat);

	return bt_json_text(out, ",\"stat\":") || bt_json_base64(out, &bytes, sizeof(bytes)) ? BT_E_NOMEM : 0;
}

int bt_entry_write(struct bt_buf *out, const struct bt_entry *entry)
{
	if (bt_json_text(out, "{") || write_common(out, entry) || write_content(out, entry))
		return BT_E_NOMEM;
	if (entry->extra && write_rest(out, entry))
		return BT_E_NOMEM;
	if (entry->has_stat && write_stat(out, entry->stat))
		return BT_E_NOMEM;
	return bt_json_text(out, "}");
}
