/* SPDX-License-Identifier: MIT */
/* Every reader on its own, chosen by the first byte: what it accepts is written again as the same text. */
#include "fuzz.h"
#include "json/read.h"
#include "json/write.h"

#include <string.h>

static int read_one(unsigned which, struct bt_json *json, char **scratch, struct bt_buf *again)
{
	struct bt_digest digest;
	struct bt_time time;
	struct bt_text text;
	uint64_t u64;
	int64_t i64;
	bool flag;
	int r;

	switch (which) {
	case 'u':
		return (r = bt_json_read_u64(json, UINT64_MAX, &u64)) ? r : bt_json_u64(again, u64);
	case 'i':
		return (r = bt_json_read_i64(json, &i64)) ? r : bt_json_i64(again, i64);
	case 'b':
		return (r = bt_json_read_bool(json, &flag)) ? r : bt_json_text(again, flag ? "true" : "false");
	case 'd':
		return (r = bt_json_read_digest(json, &digest)) ? r : bt_json_digest(again, &digest);
	case 't':
		return (r = bt_json_read_time(json, &time)) ? r : bt_json_time(again, &time);
	case 's':
		r = bt_json_read_string(json, scratch, &text);
		return r ? r : bt_json_string(again, text.bytes, text.length);
	case '6':
		r = bt_json_read_base64(json, scratch, &text);
		return r ? r : bt_json_base64(again, text.bytes, text.length);
	case 'n':
		r = bt_json_read_bytes(json, "name", true, scratch, &text);
		return r ? r : bt_json_bytes(again, "name", text.bytes, text.length);
	case 'k':
		json->keys = "a b c name";
		r = bt_json_expect(json, "{\"a\":1");
		return r ? r : bt_json_key(json, "name", false);
	default:
		return BT_E_INVALID;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bt_error error = {0};
	struct bt_buf again = {0};
	struct bt_json json;
	char *start = malloc(size + 1), *scratch = start;
	int r;

	if (!size || !start) {
		free(start);
		return 0;
	}
	bt_json_begin(&json, (const char *)data + 1, size - 1, 0, &error);
	r = read_one(data[0], &json, &scratch, &again);
	FUZZ_CHECK(r <= 0 && scratch >= start && scratch <= start + size);
	FUZZ_CHECK(r != BT_E_DAMAGED || (error.reason > BT_R_NONE && error.offset < size));
	if (!r && data[0] != 'k') {
		FUZZ_CHECK(again.length == (size_t)(json.at - json.start));
		FUZZ_CHECK(!memcmp(again.data, json.start, again.length));
	}
	bt_buf_free(&again);
	free(start);
	return 0;
}
