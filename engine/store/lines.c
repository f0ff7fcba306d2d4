/* SPDX-License-Identifier: MIT */
#include "store/lines.h"
#include "json/write.h"

static void put_number(struct bt_buf *out, const char *before, uint64_t value)
{
	bt_json_text(out, before);
	bt_json_u64(out, value);
}

void bt_line_block(struct bt_buf *out, const struct bt_block *block, const struct bt_held *held, size_t count)
{
	put_number(out, "{\"at\":", block->at);
	put_number(out, ",\"length\":", block->length);
	put_number(out, ",\"size\":", block->size);
	bt_json_text(out, ",\"holds\":[");
	for (size_t i = 0; i < count; i++) {
		bt_json_text(out, i ? ",[" : "[");
		bt_json_digest(out, &held[i].digest);
		put_number(out, ",", held[i].size);
		bt_json_text(out, "]");
	}
	bt_json_text(out, "]}");
}

void bt_line_page(struct bt_buf *out, const struct bt_digest *id, uint64_t at, uint32_t length)
{
	bt_json_text(out, "[");
	bt_json_digest(out, id);
	put_number(out, ",", at);
	put_number(out, ",", length);
	bt_json_text(out, "]");
}

void bt_line_offsets(struct bt_buf *out, const struct bt_sections *at)
{
	put_number(out, "\"end\":{\"blocks\":", at->blocks);
	put_number(out, ",\"contents\":", at->contents);
	put_number(out, ",\"trees\":", at->trees);
	put_number(out, ",\"tree_index\":", at->tree_index);
	put_number(out, ",\"summary\":", at->summary);
	bt_json_text(out, ",");
}
