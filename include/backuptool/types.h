/* SPDX-License-Identifier: MIT */
#ifndef BACKUPTOOL_TYPES_H
#define BACKUPTOOL_TYPES_H

#include <stddef.h>
#include <stdint.h>

/* Stand around declarations, so that C++ calls them as C. */
#ifdef __cplusplus
#define BT_C_BEGIN extern "C" {
#define BT_C_END   }
#else
#define BT_C_BEGIN
#define BT_C_END
#endif

struct bt_digest {
	unsigned char bytes[32];
}; /* SHA-256, FIPS 180-4 */
struct bt_time {
	int64_t seconds;
	uint32_t nanoseconds;
}; /* since 1970-01-01 UTC */

#endif
