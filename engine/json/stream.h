/* SPDX-License-Identifier: MIT */
/*
 * Reading any strict JSON (RFC 8259) from a descriptor in bounded memory, for files that this project did not write:
 * white space and members in any order. Positions are the file's own (pread); the descriptor's offset is not used.
 * Every function returns 0, or a negative code with reason and offset in the error.
 */
#ifndef BT_JSON_STREAM_H
#define BT_JSON_STREAM_H

#include "base/buf.h"
#include <backuptool/error.h>

#define BT_STREAM_BUFFER ((size_t)256 << 10)
#define BT_STREAM_DEPTH	 16

struct bt_stream {
	int fd;		  /* borrowed */
	const char *name; /* what errors call the file; borrowed */
	struct bt_error *error;
	unsigned char *data;
	size_t at, end;	 /* the unread part of data */
	uint64_t offset; /* of data in the file */
};

int bt_stream_open(struct bt_stream *stream, int fd, const char *name, struct bt_error *error);
void bt_stream_close(struct bt_stream *stream);

uint64_t bt_stream_tell(const struct bt_stream *stream);
int bt_stream_fail(struct bt_stream *stream, enum bt_reason reason); /* at tell */
int bt_stream_fail_at(struct bt_stream *stream, enum bt_reason reason, uint64_t offset);

/* Skips white space; *ret_byte is the next byte, which is not taken. BT_R_TRUNCATED at the end of the file. */
int bt_stream_peek(struct bt_stream *stream, int *ret_byte);
int bt_stream_expect(struct bt_stream *stream, char byte); /* white space, then this byte */
int bt_stream_end(struct bt_stream *stream);		   /* only white space is left, else BT_R_TRAILING_BYTES */

/*
 * One step through an object whose opening { has been read. *first is true before its first member, and is set to
 * false. If a member follows, *ret_more is true, its key replaces the text of key, *ret_at is the offset of the key's
 * opening quote, and its value comes next. Else the } has been read.
 */
int bt_stream_member(struct bt_stream *stream, bool *first, struct bt_buf *key, size_t key_max, uint64_t *ret_at,
		     bool *ret_more);

/*
 * Appends the bytes of a string to out (NULL: skips them), at most max (else BT_R_TOO_LARGE). A lone surrogate \udc80
 * to \udcff stands for one byte, as Python writes names that are not UTF-8; other lone surrogates are BT_R_BAD_UTF8. A
 * bare NUL or other control character is BT_R_NOT_JSON; \u0000 gives a NUL.
 */
int bt_stream_string(struct bt_stream *stream, struct bt_buf *out, size_t max);

/* The raw bytes of a string whose opening quote has been read, a run at a time: up to the next quote or the end of the
 * buffer. *ret_last: the closing quote followed and has been read. The caller has to refuse escapes and control
 * characters. The run is valid until the next call. */
int bt_stream_run(struct bt_stream *stream, const char **ret_run, size_t *ret_length, bool *ret_last);

/* Skips a value. depth: the number of brackets open around it. BT_R_TOO_DEEP beyond BT_STREAM_DEPTH. */
int bt_stream_skip(struct bt_stream *stream, unsigned depth);
int bt_stream_u64(struct bt_stream *stream); /* skips an integer from 0 to 2^64-1; else BT_R_BAD_NUMBER */

#endif
