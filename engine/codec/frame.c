/* SPDX-License-Identifier: MIT */
#include "codec/frame.h"

#include "base/fail.h"
#include "codec/base64.h"
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

/* Bits of the frame header descriptor, RFC 8878 section 3.1.1.1.1. */
enum { DESCRIPTOR_AT = 4, WINDOW_AT = 5, HAS_DICTIONARY = 3, HAS_CHECKSUM = 4, HAS_NO_WINDOW = 32 };
/* 8 MiB, as section 3.1.1.1.2 says it. */
#define WINDOW_MAX (13 << 3)

enum {
	AUTO_LEVEL = 3,
	QUICK_LEVEL = -20, /* finds what repeats at a distance, which the samples do not show, and costs hardly more
			      than a copy where nothing does */
	SAMPLES = 8,
	SAMPLE_SIZE = 4 << 10,
	SAMPLE_LEVEL = 1,
	MODEST = 256,
	MODEST_WINDOW_LOG = 10,
	SMALLEST_SAMPLED = 256 << 10, /* below that, trying costs as much as doing */
};

struct bt_compressor {
	ZSTD_CCtx *context;
	ZSTD_CCtx *sampler; /* only for BT_LEVEL_AUTO; small, and the other one's tables stay as they are */
	int level;
	unsigned char scratch[ZSTD_COMPRESSBOUND(SAMPLE_SIZE)];
};

struct bt_decompressor {
	ZSTD_DCtx *context;
};

void bt_compressor_free(struct bt_compressor *compressor)
{
	if (!compressor)
		return;
	ZSTD_freeCCtx(compressor->sampler);
	ZSTD_freeCCtx(compressor->context);
	free(compressor);
}

static bool set_up(struct bt_compressor *compressor)
{
	compressor->context = ZSTD_createCCtx();
	if (!compressor->context ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(compressor->context, ZSTD_c_contentSizeFlag, 1)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(compressor->context, ZSTD_c_checksumFlag, 1)))
		return false;
	if (compressor->level != BT_LEVEL_AUTO)
		return true;
	compressor->sampler = ZSTD_createCCtx();
	return compressor->sampler;
}

struct bt_compressor *bt_compressor_new(int level)
{
	if (level < 0 || level > BT_LEVEL_MAX)
		return NULL;
	struct bt_compressor *compressor = calloc(1, sizeof(*compressor));
	if (!compressor)
		return NULL;
	compressor->level = level;
	if (!set_up(compressor)) {
		bt_compressor_free(compressor);
		return NULL;
	}
	return compressor;
}

size_t bt_frame_bound(size_t size)
{
	return ZSTD_compressBound(size);
}

/* Whether no sample gets smaller by a 32nd. A single one that does is enough to have the whole compressed. */
static bool looks_incompressible(struct bt_compressor *compressor, const unsigned char *data, size_t size)
{
	size_t step = (size - SAMPLE_SIZE) / (SAMPLES - 1);

	for (size_t i = 0; i < SAMPLES; i++) {
		size_t n = ZSTD_compressCCtx(compressor->sampler, compressor->scratch, sizeof(compressor->scratch),
					     data + i * step, SAMPLE_SIZE, SAMPLE_LEVEL);

		if (ZSTD_isError(n) || n < SAMPLE_SIZE - SAMPLE_SIZE / 32)
			return false;
	}
	return true;
}

static int choose_level(struct bt_compressor *compressor, const void *data, size_t size)
{
	if (compressor->level != BT_LEVEL_AUTO)
		return compressor->level;
	if (size < SMALLEST_SAMPLED || !looks_incompressible(compressor, data, size))
		return AUTO_LEVEL;
	return QUICK_LEVEL;
}

/* window_log 0: as the level says */
static int set_level(struct bt_compressor *compressor, int level, int window_log)
{
	size_t n = ZSTD_CCtx_setParameter(compressor->context, ZSTD_c_compressionLevel, level);

	if (!ZSTD_isError(n))
		n = ZSTD_CCtx_setParameter(compressor->context, ZSTD_c_windowLog, window_log);
	return ZSTD_isError(n) ? BT_E_NOMEM : 0;
}

static int make_frame(struct bt_compressor *compressor, const void *data, size_t size, void *dst, size_t *ret_size)
{
	size_t n = ZSTD_compress2(compressor->context, dst, bt_frame_bound(size), data, size);

	if (ZSTD_isError(n))
		return BT_E_NOMEM; /* the room is enough and the parameters are valid: nothing else is left */
	*ret_size = n;
	return 0;
}

int bt_compress(struct bt_compressor *compressor, const void *data, size_t size, void *dst, size_t *ret_size)
{
	int r = set_level(compressor, choose_level(compressor, data, size), 0);

	return r ? r : make_frame(compressor, data, size, dst, ret_size);
}

/* A block is no larger than the window, and takes 4 bytes at least. */
int bt_compress_modestly(struct bt_compressor *compressor, const void *data, size_t size, void *dst, size_t *ret_size)
{
	int r = bt_compress(compressor, data, size, dst, ret_size);

	if (r || *ret_size >= size / MODEST)
		return r;
	r = set_level(compressor, choose_level(compressor, data, size), MODEST_WINDOW_LOG);
	return r ? r : make_frame(compressor, data, size, dst, ret_size);
}

void bt_decompressor_free(struct bt_decompressor *decompressor)
{
	if (!decompressor)
		return;
	ZSTD_freeDCtx(decompressor->context);
	free(decompressor);
}

struct bt_decompressor *bt_decompressor_new(void)
{
	struct bt_decompressor *decompressor = calloc(1, sizeof(*decompressor));

	if (!decompressor)
		return NULL;
	decompressor->context = ZSTD_createDCtx();
	if (!decompressor->context) {
		free(decompressor);
		return NULL;
	}
	return decompressor;
}

/* The magic is compared here since libzstd may take frames of its older formats, too. */
static enum bt_reason check_magic(const unsigned char *frame, size_t length)
{
	static const unsigned char zstd[3] = {0xb5, 0x2f, 0xfd}, skippable[3] = {0x2a, 0x4d, 0x18};

	if (length <= DESCRIPTOR_AT)
		return BT_R_BAD_FRAME;
	if (frame[0] == 0x28 && memcmp(frame + 1, zstd, sizeof(zstd)) == 0)
		return BT_R_NONE;
	if (frame[0] >> 4 == 5 && memcmp(frame + 1, skippable, sizeof(skippable)) == 0)
		return BT_R_TRAILING_FRAME;
	return BT_R_BAD_FRAME;
}

/* A larger window than contents ever are would make small decoders refuse what this one reads. */
static bool has_fitting_window(const unsigned char *frame)
{
	return frame[DESCRIPTOR_AT] & HAS_NO_WINDOW || frame[WINDOW_AT] <= WINDOW_MAX;
}

static enum bt_reason check_frame(const unsigned char *frame, size_t length, size_t size)
{
	enum bt_reason reason = check_magic(frame, length);
	unsigned long long declared;

	if (reason != BT_R_NONE)
		return reason;
	if ((frame[DESCRIPTOR_AT] & HAS_DICTIONARY) || !(frame[DESCRIPTOR_AT] & HAS_CHECKSUM))
		return BT_R_BAD_FRAME;
	declared = ZSTD_getFrameContentSize(frame, length);
	if (declared == ZSTD_CONTENTSIZE_ERROR || declared == ZSTD_CONTENTSIZE_UNKNOWN || !has_fitting_window(frame))
		return BT_R_BAD_FRAME;
	if (declared != size)
		return BT_R_FRAME_SIZE;
	size_t end = ZSTD_findFrameCompressedSize(frame, length);
	if (ZSTD_isError(end))
		return BT_R_BAD_FRAME;
	return end == length ? BT_R_NONE : BT_R_TRAILING_FRAME;
}

int bt_decompress(struct bt_decompressor *decompressor, const void *frame, size_t length, void *dst, size_t size,
		  struct bt_error *error)
{
	enum bt_reason reason = check_frame(frame, length, size);

	if (reason == BT_R_NONE) {
		/* In one go into memory of the declared size, so a declared window allocates nothing. */
		size_t n = ZSTD_decompressDCtx(decompressor->context, dst, size, frame, length);

		if (ZSTD_isError(n) && ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation)
			return bt_fail(error, BT_E_NOMEM, NULL, "decompress the block");
		if (n != size)
			reason = BT_R_BAD_FRAME;
	}
	return reason == BT_R_NONE ? 0 : bt_fail_damaged(error, reason, NULL, 0);
}

int bt_frame_plain_size(const char *text, size_t length, uint32_t max, uint32_t *ret_size)
{
	unsigned char frame[24];
	size_t size, part = length < 32 ? length : 32; /* the header is shorter than 19 bytes */

	if (part % 4 || !bt_base64_decode(frame, &size, text, part, NULL))
		return BT_E_DAMAGED;
	unsigned long long declared = ZSTD_getFrameContentSize(frame, size);
	if (declared == ZSTD_CONTENTSIZE_ERROR || declared == ZSTD_CONTENTSIZE_UNKNOWN || !declared || declared > max)
		return BT_E_DAMAGED;
	*ret_size = (uint32_t)declared;
	return 0;
}
