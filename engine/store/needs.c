/* SPDX-License-Identifier: MIT */
/* Features that a reader must know (FORMAT.md §3). */
#include "base/fail.h"
#include "store/file.h"
#include <stdio.h>

#define NEEDS_MAX 16

/* This version knows none. */
static bool is_known(const struct bt_text *feature)
{
	(void)feature;
	return false;
}

int bt_need_refuse(struct bt_json *json, const char *at, const struct bt_text *feature)
{
	bool fill = !json->error->code;
	int r = bt_json_fail_at(json, at, BT_R_UNKNOWN_NEED);

	if (fill)
		snprintf(json->error->detail, sizeof(json->error->detail), "%.*s", (int)feature->length,
			 feature->bytes);
	return r;
}

static int compare(const struct bt_text *a, const struct bt_text *b)
{
	size_t least = a->length < b->length ? a->length : b->length;
	int order = memcmp(a->bytes, b->bytes, least);

	return order ? order : (a->length > b->length) - (a->length < b->length);
}

/* A name after the one before, whose bytes are NULL for the first. A valid one has no escapes, so that it is not
 * decoded. */
static int read_feature(struct bt_json *json, const struct bt_text *before, struct bt_text *ret_feature)
{
	const char *begin = json->at, *close;
	int order;

	if (!bt_json_try(json, "\""))
		return bt_json_expect(json, "\"");
	close = memchr(json->at, '"', (size_t)(json->end - json->at));
	if (!close)
		return bt_json_fail_at(json, json->end, BT_R_TRUNCATED);
	*ret_feature = (struct bt_text){json->at, (size_t)(close - json->at)};
	if (!bt_json_plain_name(ret_feature->bytes, ret_feature->length))
		return bt_json_fail_at(json, begin, BT_R_BAD_NAME);
	order = before->bytes ? compare(before, ret_feature) : -1;
	if (order >= 0)
		return bt_json_fail_at(json, begin, order ? BT_R_UNSORTED : BT_R_DUPLICATE_NAME);
	json->at = close + 1;
	return 0;
}

/* The list is read whole before a feature is refused. */
static int read_features(struct bt_json *json, const char **ret_at, struct bt_text *ret_unknown)
{
	struct bt_text before = {0}, feature = {0};

	if (bt_json_try(json, "]"))
		return bt_json_fail_at(json, json->at - 1, BT_R_BAD_SIZE);
	for (unsigned count = 0;; count++) {
		const char *begin = json->at;
		int r = count < NEEDS_MAX ? read_feature(json, &before, &feature) : bt_json_fail(json, BT_R_TOO_LARGE);

		if (r)
			return r;
		if (!*ret_at && !is_known(&feature)) {
			*ret_at = begin;
			*ret_unknown = feature;
		}
		before = feature;
		if (!bt_json_try(json, ","))
			return bt_json_close(json, "]");
	}
}

int bt_needs_read(struct bt_json *json)
{
	const char *at = NULL;
	struct bt_text unknown = {0};
	int r;

	if (!bt_json_try_key(json, "needs", false))
		return 0;
	r = bt_json_expect(json, "[");
	if (!r)
		r = read_features(json, &at, &unknown);
	return r || !at ? r : bt_need_refuse(json, at, &unknown);
}
