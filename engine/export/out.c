/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/io.h"
#include "codec/base64.h"
#include "export/parts.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PENDING_MAX ((size_t)1 << 20)
#define PART	    ((size_t)3 << 16) /* of data for Base64, a multiple of 3 */

static int no_memory(struct bt_out *out)
{
	return bt_fail(out->error, BT_E_NOMEM, NULL, "write the export");
}

int bt_out_flush(struct bt_out *out)
{
	int r = bt_pwrite_all(out->publish.fd, out->pending.data, out->pending.length, out->flushed);

	if (r)
		return bt_fail_sys(out->error, -r, NULL, "write");
	out->flushed += out->pending.length;
	out->pending.length = 0;
	return 0;
}

static int flush_if_full(struct bt_out *out)
{
	return out->pending.length < PENDING_MAX ? 0 : bt_out_flush(out);
}

int bt_out_text(struct bt_out *out, const char *text)
{
	if (bt_buf_append(&out->pending, text, strlen(text)))
		return no_memory(out);
	return flush_if_full(out);
}

uint64_t bt_out_tell(const struct bt_out *out)
{
	return out->flushed + out->pending.length;
}

int bt_out_rewind(struct bt_out *out, uint64_t offset)
{
	out->carried = 0;
	if (offset >= out->flushed) {
		out->pending.length = (size_t)(offset - out->flushed);
		return 0;
	}
	out->pending.length = 0;
	out->flushed = offset;
	if (ftruncate(out->publish.fd, (off_t)offset))
		return bt_fail_sys(out->error, errno, NULL, "write");
	return 0;
}

/* Length of the UTF-8 character that begins here, or 0. */
static size_t character(const unsigned char *bytes, size_t length)
{
	size_t size = bytes[0] < 0x80 ? 1 : bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;

	return size <= length && bt_utf8_valid((const char *)bytes, size) ? size : 0;
}

static unsigned code_point(const unsigned char *bytes, size_t size)
{
	unsigned point = size == 1 ? bytes[0] : bytes[0] & (0xffu >> (size + 1));

	for (size_t i = 1; i < size; i++)
		point = point << 6 | (bytes[i] & 0x3fu);
	return point;
}

static int out_unit(struct bt_out *out, unsigned unit)
{
	char text[8];

	snprintf(text, sizeof(text), "\\u%04x", unit & 0xffff);
	return bt_out_text(out, text);
}

static int out_character(struct bt_out *out, unsigned point)
{
	static const char controls[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
	const char *control = point && point < 0x80 ? strchr(controls, (int)point) : NULL;

	if (control) {
		const char text[3] = {'\\', names[control - controls], 0};

		return bt_out_text(out, text);
	}
	if (point >= 0x20 && point < 0x80) {
		const char text[2] = {(char)point, 0};

		return bt_out_text(out, text);
	}
	if (point < 0x10000)
		return out_unit(out, point);
	int r = out_unit(out, 0xd800 + ((point - 0x10000) >> 10));
	return r ? r : out_unit(out, 0xdc00 + ((point - 0x10000) & 0x3ff));
}

int bt_out_string(struct bt_out *out, const unsigned char *bytes, size_t length)
{
	int r = bt_out_text(out, "\"");

	while (!r && length) {
		size_t size = character(bytes, length);

		r = size ? out_character(out, code_point(bytes, size)) : out_unit(out, 0xdc00u + bytes[0]);
		bytes += size ? size : 1;
		length -= size ? size : 1;
	}
	return r ? r : bt_out_text(out, "\"");
}

static int encode(struct bt_out *out, const unsigned char *data, size_t length)
{
	if (bt_buf_reserve(&out->pending, BT_BASE64_SIZE(length)))
		return no_memory(out);
	bt_base64_encode((char *)out->pending.data + out->pending.length, data, length);
	out->pending.length += BT_BASE64_SIZE(length);
	return flush_if_full(out);
}

/* Groups of three bytes that lie across the pieces of the file go through carry. */
int bt_out_base64(struct bt_out *out, const unsigned char *data, uint64_t length)
{
	static const unsigned char zeros[PART];
	int r = 0;

	while (!r && length) {
		size_t part = length < PART ? (size_t)length : PART;
		const unsigned char *from = data ? data : zeros;

		if (out->carried || part < 3) {
			out->carry[out->carried++] = *from;
			part = 1;
			if (out->carried == 3) {
				out->carried = 0;
				r = encode(out, out->carry, 3);
			}
		} else {
			part -= part % 3;
			r = encode(out, from, part);
		}
		length -= part;
		if (data)
			data += part;
	}
	return r;
}

int bt_out_base64_end(struct bt_out *out)
{
	int r = out->carried ? encode(out, out->carry, out->carried) : 0;

	out->carried = 0;
	return r;
}
