/* SPDX-License-Identifier: MIT */
/* A fuzz target: looks at size bytes, returns 0, and crashes when something is wrong. */
#ifndef BT_TESTS_FUZZ_H
#define BT_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* What must hold for every input; unlike assert() it is never compiled out. */
#define FUZZ_CHECK(condition)                                                                                          \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
