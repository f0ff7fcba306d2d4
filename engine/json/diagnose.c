/* SPDX-License-Identifier: MIT */
#include "json/diagnose.h"

#include <string.h>

/* The brackets open at a place. Kept in a fixed array: deeper nesting is refused. */
struct nesting {
	const char *open[BT_JSON_DEPTH];
	size_t depth;
};

/* The place after the closing quote of the string at text, or end if the quote is missing. */
static const char *skip_string(const char *text, const char *end)
{
	for (text++; text < end && *text != '"'; text++)
		if (*text == '\\')
			text++;
	return text < end ? text + 1 : end;
}

/* Follows the brackets from text until end, or until depth falls back to least. Returns where it stopped: at end,
 * after the closing bracket, or at the bracket that is one too deep. */
static const char *follow(struct nesting *nesting, const char *text, const char *end, size_t least)
{
	while (text < end) {
		if (*text == '"') {
			text = skip_string(text, end);
			continue;
		}
		if (*text == '{' || *text == '[') {
			if (nesting->depth == BT_JSON_DEPTH)
				return text;
			nesting->open[nesting->depth++] = text;
		} else if ((*text == '}' || *text == ']') && nesting->depth) {
			nesting->depth--;
			if (nesting->depth == least)
				return text + 1;
		}
		text++;
	}
	return end;
}

/* Does the value at text nest too deep, standing in this nesting? Moves the cursor there if so. */
static bool too_deep(struct bt_json *json, const struct nesting *around, const char *text)
{
	struct nesting nesting = *around;
	const char *stop;

	if (text == json->end || (*text != '{' && *text != '['))
		return false;
	stop = follow(&nesting, text, json->end, around->depth);
	if (nesting.depth < BT_JSON_DEPTH || stop == json->end || (*stop != '{' && *stop != '['))
		return false;
	json->at = stop;
	return true;
}

static bool starts_with(const struct bt_json *json, const char *literal)
{
	return (size_t)(json->end - json->at) >= strlen(literal) && !memcmp(json->at, literal, strlen(literal));
}

static bool value_begins(const struct bt_json *json)
{
	unsigned char byte = (unsigned char)*json->at;

	return byte == '"' || byte == '{' || byte == '[' || byte == '-' || (byte >= '0' && byte <= '9') ||
	       starts_with(json, "true") || starts_with(json, "false") || starts_with(json, "null");
}

int bt_json_wrong_value(struct bt_json *json)
{
	struct nesting nesting = {0};

	if (json->at == json->end)
		return bt_json_fail(json, BT_R_TRUNCATED);
	if (json->at == json->start && starts_with(json, "\xef\xbb\xbf"))
		return bt_json_fail(json, BT_R_BYTE_ORDER_MARK);
	if (!value_begins(json))
		return bt_json_fail(json, BT_R_NOT_JSON);
	follow(&nesting, json->start, json->at, SIZE_MAX);
	return bt_json_fail(json, too_deep(json, &nesting, json->at) ? BT_R_TOO_DEEP : BT_R_WRONG_TYPE);
}

/* Is there a member key directly in the object that opens before text, before end? */
static bool object_has(const char *text, const char *end, const char *key, size_t length)
{
	struct nesting nesting = {0};

	while (text < end && *text == '"') {
		const char *name = text + 1;

		text = skip_string(text, end);
		if (text == end || *text != ':')
			return false;
		if ((size_t)(text - name) == length + 1 && !memcmp(name, key, length))
			return true;
		for (text++; text < end && *text != ',' && *text != '}' && *text != ']';) {
			if (*text == '"')
				text = skip_string(text, end);
			else if (*text == '{' || *text == '[')
				text = follow(&nesting, text, end, 0);
			else
				text++;
			if (nesting.depth)
				return false;
		}
		if (text < end && *text == ',')
			text++;
	}
	return false;
}

bool bt_json_lists(const char *keys, const char *key, size_t length)
{
	while (keys && *keys) {
		size_t word = strcspn(keys, " ");

		if (word == length && !memcmp(keys, key, length))
			return true;
		keys += word;
		keys += strspn(keys, " ");
	}
	return false;
}

/* The cursor stands at the quote of a well-formed member that was not expected. */
static int misplaced_key(struct bt_json *json, const char *expected, size_t length)
{
	struct nesting nesting = {0};
	const char *key = json->at + 1, *object = json->start;

	follow(&nesting, json->start, json->at, SIZE_MAX);
	if (nesting.depth)
		object = nesting.open[nesting.depth - 1] + 1;
	if (object_has(object, json->at, key, length))
		return bt_json_fail(json, BT_R_DUPLICATE_KEY);
	if (!bt_json_lists(json->keys, key, length))
		return bt_json_fail(json,
				    too_deep(json, &nesting, key + length + 2) ? BT_R_TOO_DEEP : BT_R_UNKNOWN_KEY);
	if (expected && !object_has(json->at, json->end, expected, strlen(expected)))
		return bt_json_fail(json, BT_R_MISSING_KEY);
	return bt_json_fail(json, BT_R_KEY_ORDER);
}

int bt_json_skip(struct bt_json *json, char byte)
{
	if (json->at == json->end)
		return bt_json_fail(json, BT_R_TRUNCATED);
	if (*json->at != byte)
		return bt_json_fail(json, BT_R_NOT_JSON);
	json->at++;
	return 0;
}

int bt_json_wrong_key(struct bt_json *json, const char *expected, bool first)
{
	const char *begin, *close;
	int r;

	if (json->at < json->end && *json->at == '}' && expected)
		return bt_json_fail(json, BT_R_MISSING_KEY);
	r = !first ? bt_json_skip(json, ',') : 0;
	if (r)
		return r;
	begin = json->at;
	r = bt_json_skip(json, '"');
	if (r)
		return r;
	close = skip_string(begin, json->end);
	json->at = close;
	r = bt_json_skip(json, ':');
	if (r)
		return r;
	json->at = begin;
	return misplaced_key(json, expected, (size_t)(close - begin) - 2);
}
