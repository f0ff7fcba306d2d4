/* SPDX-License-Identifier: MIT */
#include "model/taken.h"
#include "base/bytes.h"
#include "model/lists.h"
#include "model/timestamp.h"
#include "json/write.h"
#include <stddef.h>

/* A byte string in a list: text, or {"b64":"…"} where it is not UTF-8. */
static void write_bytes(struct bt_buf *out, const char *bytes)
{
	size_t length = strlen(bytes);

	if (bt_utf8_valid(bytes, length)) {
		bt_json_string(out, bytes, length);
		return;
	}
	bt_json_text(out, "{\"b64\":");
	bt_json_base64(out, bytes, length);
	bt_json_text(out, "}");
}

static void write_list(struct bt_buf *out, const char *before, const char *const *items, size_t count)
{
	if (!count)
		return;
	bt_json_text(out, before);
	for (size_t i = 0; i < count; i++) {
		bt_json_text(out, i ? "," : "[");
		write_bytes(out, items[i]);
	}
	bt_json_text(out, "]");
}

static void write_rules(struct bt_buf *out, const struct bt_snapshot_info *info)
{
	write_list(out, ",\"rules\":", info->rules, info->rule_count);
	if (info->rules_omitted)
		bt_json_text(out, ",\"rules_omitted\":true");
	write_list(out, ",\"options\":", info->options, info->option_count);
}

int bt_taken_write(struct bt_buf *out, const struct bt_snapshot_info *info)
{
	char expires[BT_TIMESTAMP_LENGTH + 1];

	if (info->has_expires && !bt_timestamp_format(&info->expires, expires))
		return BT_E_INVALID;
	if (info->program)
		bt_json_add_string(out, ",\"program\":", info->program);
	if (info->user)
		bt_json_add_string(out, ",\"user\":", info->user);
	write_rules(out, info);
	if (info->pinned)
		bt_json_text(out, ",\"pinned\":true");
	if (info->has_expires)
		bt_json_add_string(out, ",\"expires\":", expires);
	if (info->description)
		bt_json_add_string(out, ",\"description\":", info->description);
	if (info->partial)
		bt_json_text(out, ",\"partial\":true");
	if (info->rewritten)
		bt_json_add_string(out, ",\"rewritten\":", info->rewritten);
	if (info->streams)
		bt_json_text(out, ",\"streams\":true");
	return bt_buf_result(out);
}

int bt_taken_rules_fit(const struct bt_snapshot_info *info, bool *ret_fit)
{
	struct bt_buf text = {0};
	int r;

	write_rules(&text, info);
	r = bt_buf_result(&text);
	if (!r)
		*ret_fit = text.length <= BT_RULES_TEXT;
	bt_buf_free(&text);
	return r;
}

struct taken {
	struct bt_json *json;
	char *scratch;
	struct bt_arena *arena;
	struct bt_snapshot_info *info;
};

static int keep_text(struct taken *taken, const struct bt_text *text, const char **ret_text)
{
	*ret_text = bt_arena_copy(taken->arena, text->bytes, text->length);
	return *ret_text ? 0 : BT_E_NOMEM;
}

/* A text without control characters of 1 to most bytes. */
static int read_line(struct taken *taken, size_t most, const char **ret_text)
{
	const char *begin = taken->json->at;
	char *scratch = taken->scratch;
	struct bt_text text;
	int r = bt_json_read_string(taken->json, &scratch, &text);

	if (r)
		return r;
	if (!text.length || text.length > most || !bt_is_one_line(text.bytes, text.length))
		return bt_json_fail_at(taken->json, begin, BT_R_BAD_NAME);
	return keep_text(taken, &text, ret_text);
}

static int read_program(struct taken *taken)
{
	return read_line(taken, BT_PROGRAM_MAX, &taken->info->program);
}

static int read_user(struct taken *taken)
{
	return read_line(taken, BT_USER_MAX, &taken->info->user);
}

static int read_description(struct taken *taken)
{
	return read_line(taken, BT_DESCRIPTION_MAX, &taken->info->description);
}

static int read_base64(struct taken *taken, struct bt_text *ret_bytes)
{
	const char *begin = taken->json->at;
	char *scratch = taken->scratch;
	int r = bt_json_read_base64(taken->json, &scratch, ret_bytes);

	if (!r && bt_utf8_valid(ret_bytes->bytes, ret_bytes->length))
		return bt_json_fail_at(taken->json, begin, BT_R_NEEDLESS_BASE64);
	return r ? r : bt_json_expect(taken->json, "}");
}

static int read_bytes(struct taken *taken, const char **ret_text)
{
	const char *begin = taken->json->at;
	char *scratch = taken->scratch;
	struct bt_text bytes;
	int r = bt_json_try(taken->json, "{\"b64\":") ? read_base64(taken, &bytes)
						      : bt_json_read_string(taken->json, &scratch, &bytes);

	if (r)
		return r;
	if (memchr(bytes.bytes, 0, bytes.length))
		return bt_json_fail_at(taken->json, begin, BT_R_BAD_NAME);
	return keep_text(taken, &bytes, ret_text);
}

/* At least one: an empty list is left out. */
static int gather(struct taken *taken, bool sorted, struct bt_buf *items)
{
	const char *item, *before = NULL;
	bool more = true;

	if (bt_json_try(taken->json, "]"))
		return bt_json_fail_at(taken->json, taken->json->at - 1, BT_R_BAD_SIZE);
	for (; more; before = item) {
		const char *begin = taken->json->at;
		int r = read_bytes(taken, &item), order;

		if (r)
			return r;
		order = sorted && before ? strcmp(before, item) : -1;
		if (order >= 0)
			return bt_json_fail_at(taken->json, begin, order ? BT_R_UNSORTED : BT_R_DUPLICATE_NAME);
		r = bt_buf_append(items, &item, sizeof(item));
		if (!r)
			r = bt_list_more(taken->json, &more);
		if (r)
			return r;
	}
	return 0;
}

static int read_list(struct taken *taken, bool sorted, const char *const **ret_items, size_t *ret_count)
{
	struct bt_buf items = {0};
	const void *list = NULL;
	int r = bt_json_expect(taken->json, "[");

	if (!r)
		r = gather(taken, sorted, &items);
	if (!r)
		r = bt_list_keep(taken->arena, &items, &list);
	if (!r) {
		*ret_items = list;
		*ret_count = items.length / sizeof(**ret_items);
	}
	bt_buf_free(&items);
	return r;
}

static int read_rules(struct taken *taken)
{
	return read_list(taken, false, &taken->info->rules, &taken->info->rule_count);
}

static int read_options(struct taken *taken)
{
	return read_list(taken, true, &taken->info->options, &taken->info->option_count);
}

static int read_true(struct taken *taken, bool *ret_value)
{
	const char *begin = taken->json->at;
	int r = bt_json_read_bool(taken->json, ret_value);

	return r || *ret_value ? r : bt_json_fail_at(taken->json, begin, BT_R_BAD_TYPE);
}

static int read_omitted(struct taken *taken)
{
	const char *begin = taken->json->at;
	int r = read_true(taken, &taken->info->rules_omitted);

	if (!r && taken->info->rule_count)
		return bt_json_fail_at(taken->json, begin, BT_R_BAD_TYPE);
	return r;
}

static int read_pinned(struct taken *taken)
{
	return read_true(taken, &taken->info->pinned);
}

static int read_partial(struct taken *taken)
{
	return read_true(taken, &taken->info->partial);
}

/* As a parent. */
static int read_rewritten(struct taken *taken)
{
	const char *begin = taken->json->at;
	char *scratch = taken->scratch;
	struct bt_text text;
	int r = bt_json_read_string(taken->json, &scratch, &text);

	if (!r && !bt_name_valid(text.bytes, text.length))
		r = bt_json_fail_at(taken->json, begin, BT_R_BAD_NAME);
	return r ? r : keep_text(taken, &text, &taken->info->rewritten);
}

static int read_streams(struct taken *taken)
{
	return read_true(taken, &taken->info->streams);
}

static int read_expires(struct taken *taken)
{
	taken->info->has_expires = true;
	return bt_model_read_timestamp(taken->json, taken->scratch, &taken->info->expires);
}

static void forget(struct bt_snapshot_info *info)
{
	info->program = info->user = info->description = info->rewritten = NULL;
	info->rules = info->options = NULL;
	info->rule_count = info->option_count = 0;
	info->rules_omitted = info->pinned = info->partial = info->streams = info->has_expires = false;
	info->expires = (struct bt_time){0};
}

int bt_taken_read(struct bt_json *json, char *scratch, struct bt_arena *arena, struct bt_snapshot_info *info)
{
	static const struct {
		const char *key;
		int (*read)(struct taken *taken);
	} members[] = {
		{"program", read_program}, {"user", read_user},
		{"rules", read_rules},	   {"rules_omitted", read_omitted},
		{"options", read_options}, {"pinned", read_pinned},
		{"expires", read_expires}, {"description", read_description},
		{"partial", read_partial}, {"rewritten", read_rewritten},
		{"streams", read_streams},
	};
	struct taken taken = {json, scratch, arena, info};

	forget(info);
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		int r = bt_json_try_key(json, members[i].key, false) ? members[i].read(&taken) : 0;

		if (r)
			return r;
	}
	return 0;
}
