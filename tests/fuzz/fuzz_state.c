/* SPDX-License-Identifier: MIT */
/* A file of state/ is refused with a reason, or is read as what its writer writes again. */
#include "fuzz.h"
#include "store/state_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bt_text text = {(const char *)data, size};
	static struct bt_state state, again;
	struct bt_buf written = {0}, rewritten = {0};
	struct bt_error error = {0};

	if (bt_state_read(&text, &state, &error)) {
		FUZZ_CHECK(error.code == BT_E_DAMAGED && error.reason > BT_R_NONE && error.offset <= size);
		return 0;
	}
	FUZZ_CHECK(!bt_state_write(&written, &state) && written.length <= size);
	FUZZ_CHECK(!bt_state_read(&(struct bt_text){(const char *)written.data, written.length}, &again, NULL));
	FUZZ_CHECK(!bt_state_write(&rewritten, &again) && rewritten.length == written.length &&
		   !memcmp(rewritten.data, written.data, written.length));
	bt_buf_free(&written);
	bt_buf_free(&rewritten);
	return 0;
}
