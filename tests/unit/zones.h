/* SPDX-License-Identifier: MIT */
/* Time zones, and times in UTC. */
#ifndef TESTS_ZONES_H
#define TESTS_ZONES_H

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static inline void set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static inline int64_t utc(int year, int month, int day, int hour, int minute, int second)
{
	struct tm tm = {.tm_year = year - 1900,
			.tm_mon = month - 1,
			.tm_mday = day,
			.tm_hour = hour,
			.tm_min = minute,
			.tm_sec = second};

	return timegm(&tm);
}

/* Rules written out, so that the test does not need the machine's zone files. */
#define BERLIN	"CET-1CEST,M3.5.0,M10.5.0/3"
#define NEWYORK "EST5EDT,M3.2.0,M11.1.0"
#define BRAZIL	"<-03>3<-02>,M11.1.0/0,M2.3.0/0" /* turns its clocks at midnight */
#define NEPAL	"<+0545>-5:45"

#endif
