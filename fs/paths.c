/* SPDX-License-Identifier: MIT */
#include "paths.h"
#include <string.h>

static bool lies_in(const char *inner, const char *outer)
{
	size_t length = strlen(outer);

	if (length > 0 && outer[length - 1] == '/')
		length--;
	return strncmp(inner, outer, length) == 0 && (inner[length] == '/' || inner[length] == '\0');
}

bool paths_overlap(const char *a, const char *b)
{
	return lies_in(a, b) || lies_in(b, a);
}
