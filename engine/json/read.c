/* SPDX-License-Identifier: MIT */
#include "json/read.h"
#include "base/bytes.h"
#include "base/fail.h"
#include "codec/base64.h"
#include "json/diagnose.h"
#include "json/plain.h"

void bt_json_begin(struct bt_json *json, const char *line, size_t length, uint64_t offset, struct bt_error *error)
{
	*json = (struct bt_json){.start = line, .at = line, .end = line + length, .offset = offset, .error = error};
}

int bt_json_fail(struct bt_json *json, enum bt_reason reason)
{
	return bt_fail_damaged(json->error, reason, NULL, json->offset + (uint64_t)(json->at - json->start));
}

int bt_json_fail_at(struct bt_json *json, const char *at, enum bt_reason reason)
{
	json->at = at;
	return bt_json_fail(json, reason);
}

int bt_json_end(struct bt_json *json)
{
	return json->at == json->end ? 0 : bt_json_fail(json, BT_R_TRAILING_BYTES);
}

static size_t rest(const struct bt_json *json)
{
	return (size_t)(json->end - json->at);
}

int bt_json_expect(struct bt_json *json, const char *literal)
{
	bool in_string = false;

	if (bt_json_try(json, literal))
		return 0;
	while (json->at < json->end && *json->at == *literal) {
		in_string ^= *literal == '"';
		json->at++;
		literal++;
	}
	if (!in_string && strchr("\"[{", *literal))
		return bt_json_wrong_value(json);
	return bt_json_fail(json, json->at < json->end ? BT_R_NOT_JSON : BT_R_TRUNCATED);
}

int bt_json_close(struct bt_json *json, const char *bracket)
{
	if (bt_json_try(json, bracket))
		return 0;
	if (*bracket != '}')
		return bt_json_fail(json, json->at < json->end ? BT_R_NOT_JSON : BT_R_TRUNCATED);
	/* Straight after the opening bracket, the further member has no comma. */
	return bt_json_wrong_key(json, NULL, json->at > json->start && json->at[-1] == '{');
}

/* Digits in their one spelling; the cursor moves past them. */
static int read_digits(struct bt_json *json, uint64_t *ret_value)
{
	const char *begin = json->at, *at = begin;
	uint64_t value = 0;

	for (; at < json->end && (unsigned char)(*at - '0') < 10; at++) {
		unsigned digit = (unsigned)(*at - '0');

		if (at - begin >= 19 && (value > UINT64_MAX / 10 || value * 10 > UINT64_MAX - digit))
			return bt_json_fail(json, BT_R_BAD_NUMBER);
		value = value * 10 + digit;
	}
	if (at == begin)
		return bt_json_wrong_value(json);
	if (*begin == '0' && at - begin > 1)
		return bt_json_fail(json, BT_R_BAD_NUMBER);
	if (at < json->end && (*at == '.' || *at == 'e' || *at == 'E'))
		return bt_json_fail(json, BT_R_BAD_NUMBER);
	json->at = at;
	*ret_value = value;
	return 0;
}

/* A number above 2^53-1, as a string. */
static int read_quoted(struct bt_json *json, uint64_t *ret_value)
{
	const char *begin = json->at;
	int r;

	if (rest(json) < 2)
		return bt_json_fail_at(json, json->end, BT_R_TRUNCATED);
	if ((unsigned char)(begin[1] - '0') > 9)
		return bt_json_wrong_value(json);
	json->at++;
	r = read_digits(json, ret_value);
	if (r)
		return r;
	if (json->at == json->end)
		return bt_json_fail(json, BT_R_TRUNCATED);
	if (*json->at++ != '"')
		return bt_json_fail_at(json, begin, BT_R_WRONG_TYPE);
	return *ret_value > BT_JSON_NUMBER_MAX ? 0 : bt_json_fail_at(json, begin, BT_R_BAD_NUMBER);
}

int bt_json_read_u64(struct bt_json *json, uint64_t max, uint64_t *ret_value)
{
	const char *begin = json->at;
	uint64_t value = 0;
	int r;

	bool quoted = begin < json->end && *begin == '"';

	if (begin < json->end && *begin == '-')
		return bt_json_fail(json, BT_R_BAD_NUMBER);
	r = quoted ? read_quoted(json, &value) : read_digits(json, &value);
	if (r)
		return r;
	if (value > max || (!quoted && value > BT_JSON_NUMBER_MAX))
		return bt_json_fail_at(json, begin, BT_R_BAD_NUMBER);
	*ret_value = value;
	return 0;
}

int bt_json_read_i64(struct bt_json *json, int64_t *ret_value)
{
	const char *begin = json->at;
	bool negative = begin < json->end && *begin == '-';
	uint64_t value;
	int r;

	json->at += negative;
	r = read_digits(json, &value);
	if (r)
		return r;
	if (value > BT_JSON_NUMBER_MAX || (negative && !value))
		return bt_json_fail_at(json, begin, BT_R_BAD_NUMBER);
	*ret_value = negative ? -(int64_t)value : (int64_t)value;
	return 0;
}

int bt_json_read_bool(struct bt_json *json, bool *ret_value)
{
	if (bt_json_try(json, "true"))
		*ret_value = true;
	else if (bt_json_try(json, "false"))
		*ret_value = false;
	else
		return bt_json_wrong_value(json);
	return 0;
}

/* As bt_hex_decode, for 64 digits that are known to be there: without branches, since those of digests cannot be
 * foreseen, and in two loops that compilers turn into vector code. Twenty times as fast. */
static bool decode_digest(unsigned char *restrict data, const char *restrict text)
{
	unsigned char values[64], bad = 0;

	for (int i = 0; i < 64; i++) {
		unsigned char figure = (unsigned char)(text[i] - '0'), letter = (unsigned char)(text[i] - 'a');
		unsigned char is_figure = figure < 10 ? 0xff : 0, is_letter = letter < 6 ? 0xff : 0;

		values[i] = (unsigned char)((figure & is_figure) | ((letter + 10) & is_letter));
		bad |= (unsigned char)~(is_figure | is_letter);
	}
	for (int i = 0; i < 32; i++)
		data[i] = (unsigned char)(values[2 * i] << 4 | values[2 * i + 1]);
	return !bad;
}

/* Finds out why there are not as many digits here. */
static int no_digest(struct bt_json *json, ptrdiff_t digits)
{
	const char *text = json->at + 1;

	if (!rest(json) || *json->at != '"')
		return bt_json_wrong_value(json);
	json->at = text;
	while (json->at < json->end && json->at - text < digits && strchr("0123456789abcdef", *json->at) && *json->at)
		json->at++;
	return bt_json_fail(json, json->at < json->end ? BT_R_BAD_DIGEST : BT_R_TRUNCATED);
}

int bt_json_read_digest(struct bt_json *json, struct bt_digest *ret_digest)
{
	struct bt_digest digest;
	const char *text = json->at;

	if (rest(json) < 66 || text[0] != '"' || !decode_digest(digest.bytes, text + 1) || text[65] != '"')
		return no_digest(json, 64);
	json->at += 66;
	*ret_digest = digest;
	return 0;
}

int bt_json_read_xxh3(struct bt_json *json, struct bt_xxh3 *ret_xxh3)
{
	struct bt_xxh3 xxh3;
	const char *text = json->at;

	if (rest(json) < 34 || text[0] != '"' || !bt_hex_decode(xxh3.bytes, sizeof(xxh3), text + 1) || text[33] != '"')
		return no_digest(json, 32);
	json->at += 34;
	*ret_xxh3 = xxh3;
	return 0;
}

int bt_json_read_time(struct bt_json *json, struct bt_time *ret_time)
{
	uint64_t nanoseconds;
	const char *begin;
	int64_t seconds;
	int r = bt_json_expect(json, "[");

	if (!r)
		r = bt_json_read_i64(json, &seconds);
	if (!r)
		r = bt_json_expect(json, ",");
	if (r)
		return r;
	begin = json->at;
	r = bt_json_read_u64(json, UINT64_MAX, &nanoseconds);
	if (r)
		return r;
	if (nanoseconds > 999999999)
		return bt_json_fail_at(json, begin, BT_R_BAD_TIME);
	r = bt_json_expect(json, "]");
	if (r)
		return r;
	*ret_time = (struct bt_time){.seconds = seconds, .nanoseconds = (uint32_t)nanoseconds};
	return 0;
}

/* The byte that the escape at text stands for, or -1. There are at least two bytes. */
static int escaped_byte(const char *text, size_t length)
{
	unsigned char byte;

	if (text[1] == '"' || text[1] == '\\')
		return text[1];
	if (length < 6 || memcmp(text, "\\u00", 4) != 0 || !bt_hex_decode(&byte, 1, text + 4))
		return -1;
	return byte < 0x20 || byte == 0x7f ? byte : -1;
}

static int check_utf8(struct bt_json *json, const char *begin, const char *end)
{
	size_t size = 1;

	if (bt_utf8_valid(begin, (size_t)(end - begin)))
		return 0;
	for (; begin < end; begin += size) {
		for (size = 1; size <= 4 && size <= (size_t)(end - begin); size++)
			if (bt_utf8_valid(begin, size))
				break;
		if (size > 4 || size > (size_t)(end - begin))
			break;
	}
	return bt_json_fail_at(json, begin, BT_R_BAD_UTF8);
}

/* Reads an escape, whose byte is appended at *to, and fails for anything else: the byte at the cursor is neither plain,
 * nor beyond ASCII, nor the closing quote. */
static int read_escape(struct bt_json *json, char **to)
{
	int byte;

	if (!rest(json) || (*json->at == '\\' && rest(json) < 2))
		return bt_json_fail_at(json, json->end, BT_R_TRUNCATED);
	if (*json->at != '\\')
		return bt_json_fail(json, *json->at == 0x7f ? BT_R_BAD_ESCAPE : BT_R_NOT_JSON);
	byte = escaped_byte(json->at, rest(json));
	if (byte < 0)
		return bt_json_fail(json, BT_R_BAD_ESCAPE);
	json->at += json->at[1] == 'u' ? 6 : 2;
	*(*to)++ = (char)byte;
	return 0;
}

/* A string with more than plain bytes in it; the cursor is after its opening quote. */
static int read_mixed(struct bt_json *json, char **scratch, struct bt_text *ret_text)
{
	const char *begin = json->at, *from = begin;
	char *to = *scratch;
	int r;

	for (;;) {
		while (json->at < json->end && (bt_plain((unsigned char)*json->at) || (unsigned char)*json->at >= 0x80))
			json->at++;
		if (from != begin || (json->at < json->end && *json->at == '\\')) {
			memcpy(to, from, (size_t)(json->at - from));
			to += json->at - from;
		}
		if (json->at < json->end && *json->at == '"')
			break;
		r = read_escape(json, &to);
		if (r)
			return r;
		from = json->at;
	}
	r = check_utf8(json, begin, json->at);
	if (r)
		return r;
	if (from == begin)
		*ret_text = (struct bt_text){begin, (size_t)(json->at - begin)};
	else
		*ret_text = (struct bt_text){*scratch, (size_t)(to - *scratch)};
	*scratch = to;
	json->at++;
	return 0;
}

int bt_json_read_string(struct bt_json *json, char **scratch, struct bt_text *ret_text)
{
	size_t length;

	if (!rest(json) || *json->at != '"')
		return bt_json_wrong_value(json);
	json->at++;
	length = bt_plain_run(json->at, rest(json));
	if (length == rest(json) || json->at[length] != '"')
		return read_mixed(json, scratch, ret_text);
	*ret_text = (struct bt_text){json->at, length};
	json->at += length + 1;
	return 0;
}

int bt_json_read_base64(struct bt_json *json, char **scratch, struct bt_text *ret_text)
{
	const char *text = json->at + 1, *close;
	size_t size, bad;

	if (!rest(json) || *json->at != '"')
		return bt_json_wrong_value(json);
	close = memchr(text, '"', (size_t)(json->end - text));
	if (!close)
		return bt_json_fail_at(json, json->end, BT_R_TRUNCATED);
	if (!bt_base64_decode(*scratch, &size, text, (size_t)(close - text), &bad))
		return bt_json_fail_at(json, text + bad, BT_R_BAD_BASE64);
	*ret_text = (struct bt_text){*scratch, size};
	*scratch += size;
	json->at = close + 1;
	return 0;
}

/* The member key_b64. */
static bool try_key_b64(struct bt_json *json, const char *key, bool first)
{
	const char *begin = json->at;

	if ((first || bt_json_try(json, ",")) && bt_json_try(json, "\"") && bt_json_try(json, key) &&
	    bt_json_try(json, "_b64\":"))
		return true;
	json->at = begin;
	return false;
}

int bt_json_read_bytes(struct bt_json *json, const char *key, bool first, char **scratch, struct bt_text *ret_text)
{
	char *decoded = *scratch;
	const char *value;
	int r;

	if (bt_json_try_key(json, key, first))
		return bt_json_read_string(json, scratch, ret_text);
	if (!try_key_b64(json, key, first))
		return bt_json_wrong_key(json, key, first);
	value = json->at;
	r = bt_json_read_base64(json, &decoded, ret_text);
	if (r)
		return r;
	if (bt_utf8_valid(ret_text->bytes, ret_text->length))
		return bt_json_fail_at(json, value, BT_R_NEEDLESS_BASE64);
	*scratch = decoded;
	return 0;
}
