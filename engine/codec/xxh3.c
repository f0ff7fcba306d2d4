/* SPDX-License-Identifier: MIT */
#include "codec/xxh3.h"

#include "codec/base64.h"
#include <backuptool/error.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct bt_xxh3 bt_xxh3_of(const void *data, size_t length)
{
	XXH128_canonical_t canonical;
	struct bt_xxh3 xxh3;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits(data, length));
	memcpy(xxh3.bytes, canonical.digest, sizeof(xxh3.bytes));
	return xxh3;
}

int bt_xxh3_of_base64(const char *text, size_t length, struct bt_xxh3 *ret_xxh3)
{
	unsigned char *data = malloc(length / 4 * 3 + 1);
	size_t size;

	if (!data)
		return BT_E_NOMEM;
	bool valid = bt_base64_decode(data, &size, text, length, NULL);
	if (valid)
		*ret_xxh3 = bt_xxh3_of(data, size);
	free(data);
	return valid ? 0 : BT_E_DAMAGED;
}

bool bt_xxh3_equal(const struct bt_xxh3 *a, const struct bt_xxh3 *b)
{
	return !memcmp(a, b, sizeof(*a));
}
