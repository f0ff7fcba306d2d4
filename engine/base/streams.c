/* SPDX-License-Identifier: MIT */
#include <internal/streams.h>

#include <fcntl.h>
#include <unistd.h>

/* Each open takes the lowest number that is free. */
void bt_hold_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}
