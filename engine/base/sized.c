/* SPDX-License-Identifier: MIT */
#include "base/sized.h"
#include "base/fail.h"
#include <string.h>

#define SIZE_MAX_BELIEVED ((size_t)1 << 16)

static size_t size_of(const void *given)
{
	size_t size;

	memcpy(&size, given, sizeof(size));
	return size;
}

static bool is_zero(const unsigned char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bytes[i])
			return false;
	return true;
}

int bt_sized_check(const void *given, struct bt_error *error)
{
	if (!given || (size_of(given) >= sizeof(size_t) && size_of(given) <= SIZE_MAX_BELIEVED))
		return 0;
	return bt_fail(error, BT_E_INVALID, NULL, "a struct does not begin with its size");
}

int bt_sized_take(void *own, size_t size, const void *given, struct bt_error *error)
{
	size_t known;

	if (bt_sized_check(given, error))
		return BT_E_INVALID;
	memset(own, 0, size);
	if (given) {
		known = size_of(given) < size ? size_of(given) : size;
		if (!is_zero((const unsigned char *)given + known, size_of(given) - known))
			return bt_fail(error, BT_E_INVALID, NULL,
				       "a struct asks for something that this version does not know");
		memcpy(own, given, known);
	}
	memcpy(own, &size, sizeof(size));
	return 0;
}

void bt_sized_give(void *given, const void *own, size_t size)
{
	size_t wanted = given ? size_of(given) : 0, known = wanted < size ? wanted : size;

	if (!given)
		return;
	memset(given, 0, wanted);
	memcpy(given, own, known);
	memcpy(given, &wanted, sizeof(wanted));
}
