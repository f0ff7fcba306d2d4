/* SPDX-License-Identifier: MIT */
/* XXH3 with 128 bits: finds accidents at ten times the speed of SHA-256, and no purpose. */
#ifndef BT_CODEC_XXH3_H
#define BT_CODEC_XXH3_H

#include <stdbool.h>
#include <stddef.h>

/* In the canonical order of bytes, as xxhsum -H2 prints it. */
struct bt_xxh3 {
	unsigned char bytes[16];
};

struct bt_xxh3 bt_xxh3_of(const void *data, size_t length);
/* Of the bytes that a Base64 text stands for. BT_E_DAMAGED if it is not canonical, or BT_E_NOMEM. */
int bt_xxh3_of_base64(const char *text, size_t length, struct bt_xxh3 *ret_xxh3);
bool bt_xxh3_equal(const struct bt_xxh3 *a, const struct bt_xxh3 *b);

#endif
