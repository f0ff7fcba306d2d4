/* SPDX-License-Identifier: MIT */
/* Members that this program does not know. */
#include "json/diagnose.h"

#include <string.h>

#define FURTHER_MAX 16 /* in one object of ours */
#define INNER_MAX   64 /* in an object that is a value of theirs, or inside of one */
#define NAME_MAX    64

struct further {
	struct bt_json *json;
	char *scratch;
};

/* The names of an object so far. They are compared one by one: there are few. */
struct names {
	struct bt_text seen[INNER_MAX];
	size_t count, most;
};

bool bt_json_plain_name(const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!(name[i] >= 'a' && name[i] <= 'z') && !(name[i] >= '0' && name[i] <= '9') && name[i] != '_')
			return false;
	return length > 0 && length <= NAME_MAX;
}

static bool is_new(const struct names *names, const struct bt_text *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (names->seen[i].length == name->length && !memcmp(names->seen[i].bytes, name->bytes, name->length))
			return false;
	return true;
}

/* Reads "name": and the quote in front is where failures are. */
static int read_name(struct further *further, struct names *names, struct bt_text *ret_name)
{
	struct bt_json *json = further->json;
	const char *begin = json->at;
	char *scratch = further->scratch;
	int r = begin < json->end && *begin == '"' ? bt_json_read_string(json, &scratch, ret_name)
						   : bt_json_skip(json, '"');

	if (r)
		return r;
	if (!bt_json_plain_name(ret_name->bytes, ret_name->length))
		return bt_json_fail_at(json, begin, BT_R_BAD_NAME);
	if (!is_new(names, ret_name))
		return bt_json_fail_at(json, begin, BT_R_DUPLICATE_KEY);
	if (names->count == names->most)
		return bt_json_fail_at(json, begin, BT_R_TOO_LARGE);
	names->seen[names->count++] = *ret_name;
	return bt_json_skip(json, ':');
}

static int read_value(struct further *further, unsigned depth);

static int read_members(struct further *further, unsigned depth)
{
	struct names names = {.most = INNER_MAX};
	struct bt_text name;
	int r = 0;

	if (bt_json_try(further->json, "}"))
		return 0;
	do {
		r = read_name(further, &names, &name);
		if (!r)
			r = read_value(further, depth);
	} while (!r && bt_json_try(further->json, ","));
	return r ? r : bt_json_skip(further->json, '}');
}

static int read_elements(struct further *further, unsigned depth)
{
	int r = 0;

	if (bt_json_try(further->json, "]"))
		return 0;
	do
		r = read_value(further, depth);
	while (!r && bt_json_try(further->json, ","));
	return r ? r : bt_json_skip(further->json, ']');
}

/* depth: brackets open around it. */
static int read_value(struct further *further, unsigned depth)
{
	struct bt_json *json = further->json;
	char *scratch = further->scratch;
	struct bt_text text;
	int64_t number;

	if (json->at < json->end && (*json->at == '{' || *json->at == '[')) {
		if (depth == BT_JSON_DEPTH)
			return bt_json_fail(json, BT_R_TOO_DEEP);
		return *json->at++ == '{' ? read_members(further, depth + 1) : read_elements(further, depth + 1);
	}
	if (json->at < json->end && *json->at == '"')
		return bt_json_read_string(json, &scratch, &text);
	if (bt_json_try(json, "true") || bt_json_try(json, "false") || bt_json_try(json, "null"))
		return 0;
	return bt_json_read_i64(json, &number);
}

int bt_json_read_further(struct bt_json *json, unsigned depth, char *scratch, struct bt_text *ret_members)
{
	struct further further = {json, scratch};
	struct names names = {.most = FURTHER_MAX};
	const char *begin = json->at, *member;
	bool first = begin > json->start && begin[-1] == '{';
	struct bt_text name;
	int r = 0;

	for (;;) {
		member = json->at;
		if (!(first && member == begin ? member < json->end && *member == '"' : bt_json_try(json, ",")))
			break;
		r = read_name(&further, &names, &name);
		if (!r && bt_json_lists(json->keys, name.bytes, name.length)) {
			json->at = member;
			r = bt_json_wrong_key(json, NULL, first && member == begin);
		}
		if (!r)
			r = read_value(&further, depth);
		if (r)
			return r;
	}
	*ret_members = (struct bt_text){begin, (size_t)(json->at - begin)};
	return 0;
}
