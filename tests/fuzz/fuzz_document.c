/* SPDX-License-Identifier: MIT */
/* A snapshot's header and summary are refused with a reason, or spelled exactly as their writer spells them. */
#include "fuzz.h"
#include "model/document.h"

#include <string.h>

static void check(int result, const struct bt_error *error, int written, struct bt_buf *again,
		  const struct bt_text *text)
{
	if (result)
		FUZZ_CHECK(result == BT_E_DAMAGED && error->reason > BT_R_NONE && error->offset <= text->length);
	else
		FUZZ_CHECK(!written && again->length == text->length &&
			   !memcmp(again->data, text->bytes, text->length));
	bt_buf_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bt_text text = {(const char *)data, size};
	struct bt_snapshot_info info = {0};
	struct bt_error error = {0};
	struct bt_arena arena = {0};
	struct bt_buf again = {0};
	int r = bt_header_read(&text, 0, &arena, &info, &error);

	check(r, &error, r ? 0 : bt_header_write(&again, &info), &again, &text);
	error = (struct bt_error){0};
	r = bt_summary_read(&text, 0, &arena, &info, &error);
	check(r, &error, r ? 0 : bt_summary_write(&again, &info), &again, &text);
	bt_arena_free(&arena);
	return 0;
}
