/* SPDX-License-Identifier: MIT */
#include "json/write.h"
#include "base/bytes.h"
#include "codec/base64.h"
#include "json/plain.h"
#include "json/read.h"

static const char digit_pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
				  "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
				  "8081828384858687888990919293949596979899";

/* The place for size more bytes, or NULL. */
static char *room(struct bt_buf *out, size_t size)
{
	if (out->capacity - out->length < size && bt_buf_reserve(out, size))
		return NULL;
	return (char *)out->data + out->length;
}

/* The digits of value before end; returns their beginning. */
static char *put_digits(char *end, uint64_t value)
{
	while (value >= 100) {
		end -= 2;
		memcpy(end, digit_pairs + value % 100 * 2, 2);
		value /= 100;
	}
	if (value < 10) {
		*--end = (char)('0' + value);
		return end;
	}
	end -= 2;
	memcpy(end, digit_pairs + value * 2, 2);
	return end;
}

static int append_digits(struct bt_buf *out, uint64_t value, char around)
{
	char digits[24], *end = digits + sizeof(digits), *begin;

	if (around)
		*--end = around;
	begin = put_digits(end, value);
	if (around)
		*--begin = around;
	return bt_buf_append(out, begin, (size_t)(digits + sizeof(digits) - begin));
}

static char *put_escape(char *to, unsigned char byte)
{
	*to++ = '\\';
	if (byte == '"' || byte == '\\') {
		*to++ = (char)byte;
		return to;
	}
	memcpy(to, "u00", 3);
	bt_hex_encode(to + 3, &byte, 1);
	return to + 5;
}

static int append_escaped(struct bt_buf *out, const char *text, size_t length)
{
	char *to = room(out, length > SIZE_MAX / 8 ? SIZE_MAX : length * 6);

	if (!to)
		return BT_E_NOMEM;
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (bt_plain(byte) || byte >= 0x80)
			*to++ = (char)byte;
		else
			to = put_escape(to, byte);
	}
	out->length = (size_t)(to - (char *)out->data);
	return 0;
}

int bt_json_string(struct bt_buf *out, const char *text, size_t length)
{
	size_t plain = bt_plain_run(text, length);
	char *to = room(out, plain + 2);

	if (!to)
		return BT_E_NOMEM;
	*to++ = '"';
	memcpy(to, text, plain);
	if (plain == length) {
		to[plain] = '"';
		out->length += plain + 2;
		return 0;
	}
	out->length += plain + 1;
	if (append_escaped(out, text + plain, length - plain))
		return BT_E_NOMEM;
	return bt_buf_append(out, "\"", 1);
}

int bt_json_bytes(struct bt_buf *out, const char *key, const char *bytes, size_t length)
{
	bool text = bt_plain_run(bytes, length) == length || bt_utf8_valid(bytes, length);

	bt_json_text(out, "\"");
	bt_json_text(out, key);
	bt_json_text(out, text ? "\":" : "_b64\":");
	return text ? bt_json_string(out, bytes, length) : bt_json_base64(out, bytes, length);
}

int bt_json_base64(struct bt_buf *out, const void *data, size_t length)
{
	char *to = room(out, length > SIZE_MAX / 2 ? SIZE_MAX : BT_BASE64_SIZE(length) + 2);

	if (!to)
		return BT_E_NOMEM;
	*to = '"';
	bt_base64_encode(to + 1, data, length);
	to[1 + BT_BASE64_SIZE(length)] = '"';
	out->length += BT_BASE64_SIZE(length) + 2;
	return 0;
}

int bt_json_u64(struct bt_buf *out, uint64_t value)
{
	return append_digits(out, value, value > BT_JSON_NUMBER_MAX ? '"' : 0);
}

int bt_json_i64(struct bt_buf *out, int64_t value)
{
	uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;

	if (size > BT_JSON_NUMBER_MAX)
		size = BT_JSON_NUMBER_MAX;
	if (value < 0)
		bt_json_text(out, "-");
	return append_digits(out, size, 0);
}

static int append_hex(struct bt_buf *out, const unsigned char *bytes, size_t size)
{
	size_t length = 2 * size + 2;
	char *to = room(out, length);

	if (!to)
		return BT_E_NOMEM;
	to[0] = '"';
	bt_hex_encode(to + 1, bytes, size);
	to[length - 1] = '"';
	out->length += length;
	return 0;
}

int bt_json_digest(struct bt_buf *out, const struct bt_digest *digest)
{
	return append_hex(out, digest->bytes, sizeof(digest->bytes));
}

int bt_json_xxh3(struct bt_buf *out, const struct bt_xxh3 *xxh3)
{
	return append_hex(out, xxh3->bytes, sizeof(xxh3->bytes));
}

int bt_json_time(struct bt_buf *out, const struct bt_time *time)
{
	bt_json_text(out, "[");
	bt_json_i64(out, time->seconds);
	bt_json_add_u64(out, ",", time->nanoseconds);
	bt_json_text(out, "]");
	return bt_buf_result(out);
}
