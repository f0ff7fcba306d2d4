/* SPDX-License-Identifier: MIT */
/*
 * Reading canonical JSON (FORMAT.md §2) out of memory: one line of a store file. The functions follow the grammar: the
 * caller says what must come next. Every function returns 0, or BT_E_DAMAGED with reason and offset in the cursor's
 * error; after a failure the cursor stays where it failed. Nothing is allocated from a declared count.
 */
#ifndef BT_JSON_READ_H
#define BT_JSON_READ_H

#include "base/buf.h"
#include "codec/xxh3.h"
#include <backuptool/error.h>
#include <backuptool/types.h>
#include <string.h>

#define BT_JSON_DEPTH	   16
#define BT_JSON_NUMBER_MAX ((UINT64_C(1) << 53) - 1) /* larger ones are strings */

struct bt_json {
	const char *start, *at, *end;
	uint64_t offset;	/* of start in the file */
	struct bt_error *error; /* not NULL */
	/* The members that the current object may have, separated by blanks: "name type mode". Set by the caller, to
	 * tell BT_R_UNKNOWN_KEY from BT_R_KEY_ORDER. NULL: every unexpected member is unknown. */
	const char *keys;
};

struct bt_text {
	const char *bytes;
	size_t length;
};

void bt_json_begin(struct bt_json *json, const char *line, size_t length, uint64_t offset, struct bt_error *error);
int bt_json_fail(struct bt_json *json, enum bt_reason reason); /* at the cursor */
/* Moves the cursor and fails there. */
int bt_json_fail_at(struct bt_json *json, const char *at, enum bt_reason reason);
int bt_json_end(struct bt_json *json); /* BT_R_TRAILING_BYTES unless all is read */

/* Reads exactly these bytes. Else, at the first byte that differs: BT_R_TRUNCATED, BT_R_WRONG_TYPE if the literal
 * begins a value and another value is there, or BT_R_NOT_JSON (BT_R_BYTE_ORDER_MARK). */
int bt_json_expect(struct bt_json *json, const char *literal);
/* Skips these bytes if they come next. Inline, like the keys, so that the lengths of literals are known. */
static inline bool bt_json_try(struct bt_json *json, const char *literal)
{
	size_t length = strlen(literal);

	if ((size_t)(json->end - json->at) < length || memcmp(json->at, literal, length) != 0)
		return false;
	json->at += length;
	return true;
}

/* Reads a member's key: ,"key": and no comma if first. False, and nothing is read, if something else comes next. */
static inline bool bt_json_try_key(struct bt_json *json, const char *key, bool first)
{
	size_t length = strlen(key);
	const char *at = json->at;

	if ((size_t)(json->end - at) < length + 3 + !first || (!first && *at++ != ',') || *at++ != '"')
		return false;
	if (memcmp(at, key, length) != 0 || at[length] != '"' || at[length + 1] != ':')
		return false;
	json->at = at + length + 2;
	return true;
}

/* Fails because something else is at the cursor than the expected member (NULL: than the end of the object). Tells
 * missing, unknown, misplaced and duplicate keys apart. */
int bt_json_wrong_key(struct bt_json *json, const char *expected, bool first);

static inline int bt_json_key(struct bt_json *json, const char *key, bool first)
{
	return bt_json_try_key(json, key, first) ? 0 : bt_json_wrong_key(json, key, first);
}

/* Reads } or ]. A further member gives BT_R_UNKNOWN_KEY, BT_R_KEY_ORDER or BT_R_DUPLICATE_KEY. */
int bt_json_close(struct bt_json *json, const char *bracket);

/*
 * Reads the members at the end of an object that this program does not know (FORMAT.md §2), up to its bracket, and
 * gives their text, from the comma in front of the first one on. depth: the brackets open here. scratch: as for
 * bt_json_read_string. One of keys is not there: BT_R_KEY_ORDER or BT_R_DUPLICATE_KEY. Else BT_R_BAD_NAME,
 * BT_R_DUPLICATE_KEY, BT_R_TOO_DEEP, or BT_R_TOO_LARGE for too many.
 */
int bt_json_read_further(struct bt_json *json, unsigned depth, char *scratch, struct bt_text *ret_members);
/* Whether it may be the name of such a member: 1 to 64 bytes of a to z, 0 to 9, and _. */
bool bt_json_plain_name(const char *name, size_t length);

/* The same where there are none as a rule. */
static inline int bt_json_further(struct bt_json *json, unsigned depth, char *scratch, struct bt_text *ret_members)
{
	if (json->at == json->end || *json->at != ',') {
		*ret_members = (struct bt_text){json->at, 0};
		return 0;
	}
	return bt_json_read_further(json, depth, scratch, ret_members);
}

/* Values. Another type gives BT_R_WRONG_TYPE, or BT_R_TOO_DEEP if it nests deeper than BT_JSON_DEPTH. */
int bt_json_read_u64(struct bt_json *json, uint64_t max, uint64_t *ret_value);
int bt_json_read_i64(struct bt_json *json, int64_t *ret_value); /* within ±(2^53-1) */
int bt_json_read_bool(struct bt_json *json, bool *ret_value);
int bt_json_read_digest(struct bt_json *json, struct bt_digest *ret_digest);
int bt_json_read_xxh3(struct bt_json *json, struct bt_xxh3 *ret_xxh3);
int bt_json_read_time(struct bt_json *json, struct bt_time *ret_time);
/* A string. Without escapes the text points into the line. With escapes it is decoded to *scratch, which has room for
 * the rest of the line, and *scratch is advanced. */
int bt_json_read_string(struct bt_json *json, char **scratch, struct bt_text *ret_text);
/* A quoted Base64 string, decoded to *scratch, which is advanced. */
int bt_json_read_base64(struct bt_json *json, char **scratch, struct bt_text *ret_text);
/* The member key or key_b64, as bt_json_bytes writes it. */
int bt_json_read_bytes(struct bt_json *json, const char *key, bool first, char **scratch, struct bt_text *ret_text);

#endif
