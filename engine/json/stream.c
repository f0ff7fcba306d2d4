/* SPDX-License-Identifier: MIT */
#include "json/stream.h"
#include "base/bytes.h"
#include "base/fail.h"
#include "base/io.h"
#include <stdlib.h>
#include <string.h>

#define END_OF_FILE 256 /* no byte */

int bt_stream_open(struct bt_stream *stream, int fd, const char *name, struct bt_error *error)
{
	*stream = (struct bt_stream){.fd = fd, .name = name, .error = error, .data = malloc(BT_STREAM_BUFFER)};
	return stream->data ? 0 : bt_fail(error, BT_E_NOMEM, name, "read");
}

void bt_stream_close(struct bt_stream *stream)
{
	free(stream->data);
	stream->data = NULL;
}

uint64_t bt_stream_tell(const struct bt_stream *stream)
{
	return stream->offset + stream->at;
}

int bt_stream_fail_at(struct bt_stream *stream, enum bt_reason reason, uint64_t offset)
{
	return bt_fail_damaged(stream->error, reason, stream->name, offset);
}

int bt_stream_fail(struct bt_stream *stream, enum bt_reason reason)
{
	return bt_stream_fail_at(stream, reason, bt_stream_tell(stream));
}

/* Everything in the buffer has been read. */
static int refill(struct bt_stream *stream)
{
	stream->offset += stream->end;
	stream->at = stream->end = 0;
	ssize_t got = bt_pread_some(stream->fd, stream->data, BT_STREAM_BUFFER, stream->offset);
	if (got < 0)
		return bt_fail_sys(stream->error, (int)-got, stream->name, "read");
	stream->end = (size_t)got;
	return 0;
}

static int look(struct bt_stream *stream, int *ret_byte)
{
	if (stream->at == stream->end) {
		int r = refill(stream);

		if (r)
			return r;
	}
	*ret_byte = stream->at < stream->end ? stream->data[stream->at] : END_OF_FILE;
	return 0;
}

/* The next byte, taken; the end of the file is an error. */
static int take_byte(struct bt_stream *stream, int *ret_byte)
{
	int r = look(stream, ret_byte);

	if (r)
		return r;
	if (*ret_byte == END_OF_FILE)
		return bt_stream_fail(stream, BT_R_TRUNCATED);
	stream->at++;
	return 0;
}

static int skip_space(struct bt_stream *stream, int *ret_byte)
{
	for (;;) {
		int r = look(stream, ret_byte);

		if (r)
			return r;
		if (*ret_byte != ' ' && *ret_byte != '\n' && *ret_byte != '\t' && *ret_byte != '\r')
			return 0;
		stream->at++;
	}
}

int bt_stream_peek(struct bt_stream *stream, int *ret_byte)
{
	int r = skip_space(stream, ret_byte);

	if (!r && *ret_byte == END_OF_FILE)
		return bt_stream_fail(stream, BT_R_TRUNCATED);
	return r;
}

int bt_stream_expect(struct bt_stream *stream, char byte)
{
	int next, r = bt_stream_peek(stream, &next);

	if (r)
		return r;
	if (next != byte)
		return bt_stream_fail(stream, BT_R_NOT_JSON);
	stream->at++;
	return 0;
}

int bt_stream_end(struct bt_stream *stream)
{
	int next, r = skip_space(stream, &next);

	if (!r && next != END_OF_FILE)
		return bt_stream_fail(stream, BT_R_TRAILING_BYTES);
	return r;
}

/* Reads a comma between elements, or the closing bracket. */
static int step(struct bt_stream *stream, char close, bool *first, bool *ret_more)
{
	int next, r = bt_stream_peek(stream, &next);

	if (r)
		return r;
	*ret_more = next != close;
	if (*ret_more && *first) {
		*first = false;
		return 0;
	}
	*first = false;
	if (*ret_more && next != ',')
		return bt_stream_fail(stream, BT_R_NOT_JSON);
	stream->at++;
	return 0;
}

static int open_key(struct bt_stream *stream, uint64_t *ret_at)
{
	int next, r = bt_stream_peek(stream, &next);

	if (r)
		return r;
	if (next != '"')
		return bt_stream_fail(stream, BT_R_NOT_JSON);
	*ret_at = bt_stream_tell(stream);
	return 0;
}

int bt_stream_member(struct bt_stream *stream, bool *first, struct bt_buf *key, size_t key_max, uint64_t *ret_at,
		     bool *ret_more)
{
	int r = step(stream, '}', first, ret_more);

	if (r || !*ret_more)
		return r;
	if (key)
		key->length = 0;
	r = open_key(stream, ret_at);
	if (!r)
		r = bt_stream_string(stream, key, key_max);
	if (!r)
		r = bt_stream_expect(stream, ':');
	return r;
}

static int take_hex4(struct bt_stream *stream, unsigned *ret_unit)
{
	unsigned unit = 0;

	for (int i = 0; i < 4; i++) {
		int byte, r = take_byte(stream, &byte);

		if (r)
			return r;
		unsigned digit = byte >= '0' && byte <= '9'   ? (unsigned)byte - '0'
				 : byte >= 'a' && byte <= 'f' ? (unsigned)byte - 'a' + 10
				 : byte >= 'A' && byte <= 'F' ? (unsigned)byte - 'A' + 10
							      : 16;
		if (digit == 16)
			return bt_stream_fail_at(stream, BT_R_BAD_ESCAPE, bt_stream_tell(stream) - 1);
		unit = unit << 4 | digit;
	}
	*ret_unit = unit;
	return 0;
}

static size_t utf8_encode(unsigned char bytes[4], unsigned point)
{
	if (point < 0x80) {
		bytes[0] = (unsigned char)point;
		return 1;
	}
	size_t more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
	static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
	bytes[0] = (unsigned char)(lead[more] | point >> (6 * more));
	for (size_t i = 1; i <= more; i++)
		bytes[i] = (unsigned char)(0x80 | (point >> (6 * (more - i)) & 0x3f));
	return more + 1;
}

/* After \u: a character, or the byte that a lone low surrogate stands for. */
static int take_unicode(struct bt_stream *stream, uint64_t at, unsigned char bytes[4], size_t *ret_count)
{
	unsigned unit, low;
	int r = take_hex4(stream, &unit);

	if (r)
		return r;
	if (unit >= 0xdc80 && unit <= 0xdcff) {
		bytes[0] = (unsigned char)(unit & 0xff);
		*ret_count = 1;
		return 0;
	}
	if (unit >= 0xd800 && unit < 0xe000) {
		int byte, escape = 0;

		if (unit >= 0xdc00)
			return bt_stream_fail_at(stream, BT_R_BAD_UTF8, at);
		r = take_byte(stream, &byte);
		if (!r && byte == '\\')
			r = take_byte(stream, &escape);
		if (!r && escape != 'u')
			return bt_stream_fail_at(stream, BT_R_BAD_UTF8, at);
		if (!r)
			r = take_hex4(stream, &low);
		if (r)
			return r;
		if (low < 0xdc00 || low >= 0xe000)
			return bt_stream_fail_at(stream, BT_R_BAD_UTF8, at);
		unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
	}
	*ret_count = utf8_encode(bytes, unit);
	return 0;
}

static int take_escape(struct bt_stream *stream, unsigned char bytes[4], size_t *ret_count)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	uint64_t at = bt_stream_tell(stream) - 1;
	int byte, r = take_byte(stream, &byte);

	if (r)
		return r;
	if (byte == 'u')
		return take_unicode(stream, at, bytes, ret_count);
	const char *found = byte ? strchr(names, byte) : NULL;
	if (!found)
		return bt_stream_fail_at(stream, BT_R_BAD_ESCAPE, at);
	bytes[0] = (unsigned char)values[found - names];
	*ret_count = 1;
	return 0;
}

/* A raw character whose first byte has been taken. */
static int take_character(struct bt_stream *stream, int first, unsigned char bytes[4], size_t *ret_count)
{
	uint64_t at = bt_stream_tell(stream) - 1;
	size_t count = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	bytes[0] = (unsigned char)first;
	if (first >= 0x80 && (first < 0xc2 || first > 0xf4))
		return bt_stream_fail_at(stream, BT_R_BAD_UTF8, at);
	for (size_t i = 1; i < count; i++) {
		int byte, r = take_byte(stream, &byte);

		if (r)
			return r;
		if ((byte & 0xc0) != 0x80)
			return bt_stream_fail_at(stream, BT_R_BAD_UTF8, at);
		bytes[i] = (unsigned char)byte;
	}
	if (!bt_utf8_valid((const char *)bytes, count))
		return bt_stream_fail_at(stream, BT_R_BAD_UTF8, at);
	*ret_count = count;
	return 0;
}

/* Most of a string is plain ASCII: taken a stretch at a time. */
static size_t plain_stretch(const struct bt_stream *stream, size_t max)
{
	const unsigned char *data = stream->data + stream->at;
	size_t available = stream->end - stream->at, length = 0;

	if (available > max)
		available = max;
	while (length < available && data[length] >= 0x20 && data[length] < 0x80 && data[length] != '"' &&
	       data[length] != '\\')
		length++;
	return length;
}

static int keep(struct bt_stream *stream, struct bt_buf *out, const unsigned char *bytes, size_t count, size_t *left)
{
	if (count > *left)
		return bt_stream_fail(stream, BT_R_TOO_LARGE);
	if (!out)
		return 0;
	*left -= count;
	if (bt_buf_append(out, bytes, count))
		return bt_fail(stream->error, BT_E_NOMEM, stream->name, "read");
	return 0;
}

int bt_stream_string(struct bt_stream *stream, struct bt_buf *out, size_t max)
{
	size_t left = out ? max : SIZE_MAX;
	int byte, r = bt_stream_expect(stream, '"');

	while (!r) {
		unsigned char bytes[4];
		size_t count = plain_stretch(stream, left);

		if (count) {
			r = keep(stream, out, stream->data + stream->at, count, &left);
			stream->at += count;
			continue;
		}
		r = take_byte(stream, &byte);
		if (r || byte == '"')
			break;
		if (byte < 0x20)
			return bt_stream_fail_at(stream, BT_R_NOT_JSON, bt_stream_tell(stream) - 1);
		r = byte == '\\' ? take_escape(stream, bytes, &count) : take_character(stream, byte, bytes, &count);
		if (!r)
			r = keep(stream, out, bytes, count, &left);
	}
	return r;
}

int bt_stream_run(struct bt_stream *stream, const char **ret_run, size_t *ret_length, bool *ret_last)
{
	int byte, r = look(stream, &byte);

	if (r)
		return r;
	if (byte == END_OF_FILE)
		return bt_stream_fail(stream, BT_R_TRUNCATED);
	const unsigned char *run = stream->data + stream->at;
	const unsigned char *quote = memchr(run, '"', stream->end - stream->at);
	size_t length = quote ? (size_t)(quote - run) : stream->end - stream->at;
	stream->at += length + (quote ? 1 : 0);
	*ret_run = (const char *)run;
	*ret_length = length;
	*ret_last = quote;
	return 0;
}

static int take_digits(struct bt_stream *stream, uint64_t *value, bool *overflow)
{
	size_t count = 0;

	for (;;) {
		int byte, r = look(stream, &byte);

		if (r)
			return r;
		if (byte < '0' || byte > '9')
			return count ? 0
				     : bt_stream_fail(stream, byte == END_OF_FILE ? BT_R_TRUNCATED : BT_R_BAD_NUMBER);
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, (uint64_t)(byte - '0'), value))
			*overflow = true;
		stream->at++;
		count++;
	}
}

/* The digits before a fraction: no leading zeros. */
static int take_integer(struct bt_stream *stream, bool *overflow)
{
	uint64_t value = 0;
	int byte, r = look(stream, &byte);

	if (r)
		return r;
	if (byte != '0')
		return take_digits(stream, &value, overflow);
	stream->at++;
	r = look(stream, &byte);
	if (!r && byte >= '0' && byte <= '9')
		return bt_stream_fail(stream, BT_R_BAD_NUMBER);
	return r;
}

int bt_stream_u64(struct bt_stream *stream)
{
	bool overflow = false;
	int byte, r = bt_stream_peek(stream, &byte);

	if (r)
		return r;
	uint64_t at = bt_stream_tell(stream);
	if (byte != '-' && (byte < '0' || byte > '9'))
		return bt_stream_fail(stream, BT_R_WRONG_TYPE);
	r = take_integer(stream, &overflow);
	if (!r)
		r = look(stream, &byte);
	if (!r && (overflow || byte == '.' || byte == 'e' || byte == 'E'))
		return bt_stream_fail_at(stream, BT_R_BAD_NUMBER, at);
	return r;
}

static int skip_number(struct bt_stream *stream)
{
	bool ignored = false;
	uint64_t value = 0;
	int byte, r = look(stream, &byte);

	if (!r && byte == '-')
		stream->at++;
	if (!r)
		r = take_integer(stream, &ignored);
	if (!r)
		r = look(stream, &byte);
	if (!r && byte == '.') {
		stream->at++;
		r = take_digits(stream, &value, &ignored);
		if (!r)
			r = look(stream, &byte);
	}
	if (r || (byte != 'e' && byte != 'E'))
		return r;
	stream->at++;
	r = look(stream, &byte);
	if (!r && (byte == '+' || byte == '-'))
		stream->at++;
	return r ? r : take_digits(stream, &value, &ignored);
}

static int skip_word(struct bt_stream *stream, const char *word)
{
	for (; *word; word++) {
		int byte, r = take_byte(stream, &byte);

		if (r)
			return r;
		if (byte != *word)
			return bt_stream_fail_at(stream, BT_R_NOT_JSON, bt_stream_tell(stream) - 1);
	}
	return 0;
}

static int skip_scalar(struct bt_stream *stream, int byte)
{
	switch (byte) {
	case '"':
		return bt_stream_string(stream, NULL, 0);
	case 't':
		return skip_word(stream, "true");
	case 'f':
		return skip_word(stream, "false");
	case 'n':
		return skip_word(stream, "null");
	default:
		if (byte != '-' && (byte < '0' || byte > '9'))
			return bt_stream_fail(stream, BT_R_NOT_JSON);
		return skip_number(stream);
	}
}

struct nesting {
	char close[BT_STREAM_DEPTH];
	unsigned depth, outer;
};

/* One value, or the opening of one, which is then entered. */
static int skip_value(struct bt_stream *stream, struct nesting *nesting, bool *ret_first)
{
	int byte, r = bt_stream_peek(stream, &byte);

	if (r)
		return r;
	*ret_first = byte == '{' || byte == '[';
	if (!*ret_first)
		return skip_scalar(stream, byte);
	if (nesting->depth + nesting->outer >= BT_STREAM_DEPTH)
		return bt_stream_fail(stream, BT_R_TOO_DEEP);
	nesting->close[nesting->depth++] = byte == '{' ? '}' : ']';
	stream->at++;
	return 0;
}

int bt_stream_skip(struct bt_stream *stream, unsigned depth)
{
	struct nesting nesting = {.outer = depth};
	bool first, more;
	uint64_t at;
	int r = skip_value(stream, &nesting, &first);

	while (!r && nesting.depth) {
		char close = nesting.close[nesting.depth - 1];

		r = close == '}' ? bt_stream_member(stream, &first, NULL, 0, &at, &more)
				 : step(stream, ']', &first, &more);
		if (r)
			break;
		if (more)
			r = skip_value(stream, &nesting, &first);
		else
			nesting.depth--;
	}
	return r;
}
