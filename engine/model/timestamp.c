/* SPDX-License-Identifier: MIT */
#include "model/timestamp.h"

#include <string.h>
#include <time.h>

static void put_number(char *to, int digits, unsigned value)
{
	for (; digits; digits--, value /= 10)
		to[digits - 1] = (char)('0' + value % 10);
}

/* The digits at from, which the caller has seen to be digits. */
static int number(const char *from, int digits)
{
	int value = 0;

	for (; digits; digits--)
		value = value * 10 + (*from++ - '0');
	return value;
}

bool bt_timestamp_format(const struct bt_time *time, char text[BT_TIMESTAMP_LENGTH + 1])
{
	time_t seconds = (time_t)time->seconds;
	struct tm parts;

	if (time->nanoseconds > 999999999 || !gmtime_r(&seconds, &parts) || parts.tm_year < -1900 ||
	    parts.tm_year > 9999 - 1900)
		return false;
	memcpy(text, "0000-00-00T00:00:00.000000000Z", BT_TIMESTAMP_LENGTH + 1);
	put_number(text, 4, (unsigned)(parts.tm_year + 1900));
	put_number(text + 5, 2, (unsigned)parts.tm_mon + 1);
	put_number(text + 8, 2, (unsigned)parts.tm_mday);
	put_number(text + 11, 2, (unsigned)parts.tm_hour);
	put_number(text + 14, 2, (unsigned)parts.tm_min);
	put_number(text + 17, 2, (unsigned)parts.tm_sec);
	put_number(text + 20, 9, time->nanoseconds);
	return true;
}

bool bt_timestamp_parse(const char *text, size_t length, struct bt_time *ret_time)
{
	static const char form[] = "0000-00-00T00:00:00.000000000Z";
	char again[BT_TIMESTAMP_LENGTH + 1];
	struct bt_time time;
	struct tm parts;

	if (length != BT_TIMESTAMP_LENGTH)
		return false;
	for (size_t i = 0; i < length; i++)
		if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	parts = (struct tm){.tm_year = number(text, 4) - 1900,
			    .tm_mon = number(text + 5, 2) - 1,
			    .tm_mday = number(text + 8, 2),
			    .tm_hour = number(text + 11, 2),
			    .tm_min = number(text + 14, 2),
			    .tm_sec = number(text + 17, 2)};
	time.seconds = timegm(&parts);
	time.nanoseconds = (uint32_t)number(text + 20, 9);
	/* timegm accepts the 31st of February; the way back does not give it again. */
	if (!bt_timestamp_format(&time, again) || memcmp(again, text, length) != 0)
		return false;
	*ret_time = time;
	return true;
}
