/* SPDX-License-Identifier: MIT */
#include "base/random.h"

#include "base/bytes.h"
#include <errno.h>
#include <sys/random.h>

int bt_random(void *data, size_t size)
{
	ssize_t n;

	do {
		n = getrandom(data, size, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == (ssize_t)size ? 0 : -EIO;
}

int bt_random_hex(char *text, size_t size)
{
	unsigned char bytes[32];
	int r = size <= sizeof(bytes) ? bt_random(bytes, size) : -EINVAL;

	if (!r)
		bt_hex_encode(text, bytes, size);
	return r;
}
