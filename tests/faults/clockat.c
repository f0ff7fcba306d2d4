/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into a program: its calendar stands still at CLOCK_AT, in seconds since 1970, or at what the file of that
 * name says at the moment; only the fraction of the second goes on. Files get the true time, and the other clocks are
 * true.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t read_time(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)!read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	return (time_t)strtoll(text, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int (*next)(clockid_t, struct timespec *) =
		(int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	const char *at = getenv("CLOCK_AT");
	int r = next(clock, now);

	if (!r && at && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		now->tv_sec = strchr(at, '/') ? read_time(at) : (time_t)strtoll(at, NULL, 10);
	return r;
}

time_t time(time_t *ret_now)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec -= !!getenv("CLOCK_BEHIND");
	if (ret_now)
		*ret_now = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *ret_now, void *zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*ret_now = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
	return 0;
}
