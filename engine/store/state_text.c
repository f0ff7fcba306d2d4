/* SPDX-License-Identifier: MIT */
#include "store/state_text.h"
#include "base/bytes.h"
#include "base/fail.h"
#include "json/write.h"
#include <stdlib.h>

#define BEGIN "{\"format\":\"backuptool-state\",\"task\":\""

static const char *const tasks[] = {[BT_STATE_RUN] = "run", [BT_STATE_PRUNE] = "prune", [BT_STATE_CHECK] = "check"};

static void write_text(struct bt_buf *out, const char *key, const char *text)
{
	bt_json_text(out, ",");
	bt_json_bytes(out, key, text, strlen(text));
}

int bt_state_write(struct bt_buf *out, const struct bt_state *state)
{
	bt_json_text(out, BEGIN);
	bt_json_text(out, tasks[state->task]);
	bt_json_text(out, "\"");
	write_text(out, "host", state->host);
	write_text(out, "target", state->target);
	bt_json_text(out, ",\"time\":");
	bt_json_time(out, &state->time);
	bt_json_add_u64(out, ",\"exit\":", state->exit);
	write_text(out, "error", state->error);
	write_text(out, "snapshot", state->snapshot);
	bt_json_add_u64(out, ",\"failures\":", state->failures);
	bt_json_text(out, ",\"next\":");
	bt_json_time(out, &state->next);
	bt_json_add_u64(out, ",\"count\":", state->count);
	write_text(out, "part", state->part);
	bt_json_text(out, "}\n");
	return bt_buf_result(out);
}

struct reader {
	struct bt_json json;
	char *scratch;
};

static int read_task(struct bt_json *json, enum bt_state_task *ret_task)
{
	int r = bt_json_expect(json, BEGIN);

	for (size_t i = 0; !r && i < sizeof(tasks) / sizeof(*tasks); i++)
		if (bt_json_try(json, tasks[i])) {
			*ret_task = (enum bt_state_task)i;
			return bt_json_expect(json, "\"");
		}
	return r ? r : bt_json_fail(json, BT_R_UNKNOWN_KIND);
}

/* Into a text of that size. */
static int read_text(struct reader *reader, const char *key, char *ret_text, size_t size)
{
	struct bt_text text;
	const char *at = reader->json.at;
	int r = bt_json_read_bytes(&reader->json, key, false, &reader->scratch, &text);

	if (r)
		return r;
	if (text.length >= size || memchr(text.bytes, '\0', text.length))
		return bt_json_fail_at(&reader->json, at, BT_R_TOO_LARGE);
	memcpy(ret_text, text.bytes, text.length);
	ret_text[text.length] = '\0';
	return 0;
}

static int read_number(struct reader *reader, const char *key, uint64_t *ret_value)
{
	int r = bt_json_key(&reader->json, key, false);

	return r ? r : bt_json_read_u64(&reader->json, BT_JSON_NUMBER_MAX, ret_value);
}

static int read_time(struct reader *reader, const char *key, struct bt_time *ret_time)
{
	int r = bt_json_key(&reader->json, key, false);

	return r ? r : bt_json_read_time(&reader->json, ret_time);
}

#define READ_TEXT(member) read_text(reader, #member, state->member, sizeof(state->member))

static int read_members(struct reader *reader, struct bt_state *state)
{
	struct bt_json *json = &reader->json;
	int r = read_task(json, &state->task);

	if (!r)
		r = READ_TEXT(host);
	if (!r)
		r = READ_TEXT(target);
	if (!r)
		r = read_time(reader, "time", &state->time);
	if (!r)
		r = read_number(reader, "exit", &state->exit);
	if (!r)
		r = READ_TEXT(error);
	if (!r)
		r = READ_TEXT(snapshot);
	if (!r)
		r = read_number(reader, "failures", &state->failures);
	if (!r)
		r = read_time(reader, "next", &state->next);
	if (!r)
		r = read_number(reader, "count", &state->count);
	if (!r)
		r = READ_TEXT(part);
	return r;
}

int bt_state_read(const struct bt_text *text, struct bt_state *ret_state, struct bt_error *error)
{
	char *room = malloc(text->length + 1);
	struct bt_error unused = {0};
	struct reader reader = {.scratch = room};
	struct bt_text further;

	if (!room)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	bt_json_begin(&reader.json, text->bytes, text->length, 0, error ? error : &unused);
	int r = read_members(&reader, ret_state);
	if (!r)
		r = bt_json_further(&reader.json, 1, reader.scratch, &further);
	if (!r)
		r = bt_json_close(&reader.json, "}");
	if (!r)
		r = bt_json_expect(&reader.json, "\n");
	if (!r)
		r = bt_json_end(&reader.json);
	free(room);
	return r;
}
