/* SPDX-License-Identifier: MIT */
/* Two bytes of declared size, then a frame. Nothing but one whole frame of that size is accepted; and the input itself
 * comes back from a frame of ours. */
#include "codec/frame.h"
#include "fuzz.h"
#include <string.h>

static void check_decode(struct bt_decompressor *decompressor, const uint8_t *data, size_t size)
{
	size_t declared = (size_t)data[0] | (size_t)data[1] << 8;
	unsigned char *plain = malloc(declared + 1);
	struct bt_error error = {0};

	FUZZ_CHECK(plain);
	int r = bt_decompress(decompressor, data + 2, size - 2, plain, declared, &error);
	FUZZ_CHECK(!r || (r == BT_E_DAMAGED && error.code == r && error.reason != BT_R_NONE));
	free(plain);
}

static void check_round_trip(struct bt_decompressor *decompressor, const uint8_t *data, size_t size)
{
	struct bt_compressor *compressor = bt_compressor_new(BT_LEVEL_AUTO);
	unsigned char *frame = malloc(bt_frame_bound(size)), *plain = malloc(size + 1);
	size_t length = 0;

	FUZZ_CHECK(compressor && frame && plain);
	FUZZ_CHECK(bt_compress(compressor, data, size, frame, &length) == 0);
	FUZZ_CHECK(bt_decompress(decompressor, frame, length, plain, size, NULL) == 0);
	FUZZ_CHECK(memcmp(plain, data, size) == 0);
	free(frame);
	free(plain);
	bt_compressor_free(compressor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bt_decompressor *decompressor = bt_decompressor_new();

	FUZZ_CHECK(decompressor);
	if (size >= 2)
		check_decode(decompressor, data, size);
	check_round_trip(decompressor, data, size);
	bt_decompressor_free(decompressor);
	return 0;
}
