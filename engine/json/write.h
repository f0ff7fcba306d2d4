/* SPDX-License-Identifier: MIT */
/* Canonical JSON of FORMAT.md §2, appended to a buffer. Every function returns 0 or BT_E_NOMEM, which the buffer keeps:
 * a caller may write all parts of a text and look at bt_buf_result at the end. Only this file decides how bytes become
 * strings. */
#ifndef BT_JSON_WRITE_H
#define BT_JSON_WRITE_H

#include "base/buf.h"
#include "codec/xxh3.h"
#include <backuptool/types.h>
#include <stdbool.h>
#include <string.h>

/* Appends it as it is: punctuation and keys. Inline, so that the length of a literal is known. */
static inline int bt_json_text(struct bt_buf *out, const char *literal)
{
	return bt_buf_append(out, literal, strlen(literal));
}

int bt_json_string(struct bt_buf *out, const char *text, size_t length); /* quoted and escaped; text is valid UTF-8 */
/* "key":"text" if the bytes are valid UTF-8, "key_b64":"…" if not. */
int bt_json_bytes(struct bt_buf *out, const char *key, const char *bytes, size_t length);
int bt_json_base64(struct bt_buf *out, const void *data, size_t length); /* quoted */
int bt_json_u64(struct bt_buf *out, uint64_t value);			 /* a string above 2^53-1 */
int bt_json_i64(struct bt_buf *out, int64_t value);			 /* the nearest one within ±(2^53-1) */
int bt_json_digest(struct bt_buf *out, const struct bt_digest *digest);	 /* quoted */
int bt_json_xxh3(struct bt_buf *out, const struct bt_xxh3 *xxh3);	 /* quoted */
int bt_json_time(struct bt_buf *out, const struct bt_time *time);	 /* [s,ns] */

/* A value after what comes before it, such as its key. */
static inline void bt_json_add_u64(struct bt_buf *out, const char *before, uint64_t value)
{
	bt_json_text(out, before);
	bt_json_u64(out, value);
}
static inline void bt_json_add_string(struct bt_buf *out, const char *before, const char *text)
{
	bt_json_text(out, before);
	bt_json_string(out, text, strlen(text));
}

#endif
