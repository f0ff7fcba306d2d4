/* SPDX-License-Identifier: MIT */
/* A page is refused with a reason, or it is spelled exactly as its writer spells it. */
#include "../unit/model_samples.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bt_error error = {0};
	struct bt_buf again = {0};
	struct bt_page *page;
	size_t weight;
	int r = bt_page_parse((const char *)data, size, 0, &page, &weight, &error);

	if (r) {
		FUZZ_CHECK(r == BT_E_DAMAGED && error.reason > BT_R_NONE && error.offset <= size);
		return 0;
	}
	FUZZ_CHECK(weight <= size * 64 + 65536);
	FUZZ_CHECK(!page_write(&again, page));
	FUZZ_CHECK(again.length == size && !memcmp(again.data, data, size));
	bt_buf_free(&again);
	bt_page_free(page);
	return 0;
}
