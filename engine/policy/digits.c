/* SPDX-License-Identifier: MIT */
#include "policy/digits.h"
#include <string.h>

bool bt_skip(const char **at, const char *literal)
{
	size_t length = strlen(literal);

	if (strncmp(*at, literal, length) != 0)
		return false;
	*at += length;
	return true;
}

bool bt_digits(const char **at, int count, int *ret_value)
{
	int value = 0;

	for (int i = 0; i < count; i++) {
		char digit = (*at)[i];

		if (digit < '0' || digit > '9')
			return false;
		value = value * 10 + (digit - '0');
	}
	*at += count;
	*ret_value = value;
	return true;
}

bool bt_number(const char **at, int64_t *ret_value)
{
	const char *digit = *at;
	int64_t value = 0;

	for (; *digit >= '0' && *digit <= '9'; digit++)
		if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *digit - '0', &value))
			return false;
	if (digit == *at)
		return false;
	*at = digit;
	*ret_value = value;
	return true;
}
