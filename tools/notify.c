/* SPDX-License-Identifier: MIT */
#include "notify.h"
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A path, or a name in the abstract name space, written with @ for its NUL. */
static int connect_to(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(name);
	int fd;

	if ((*name != '/' && *name != '@') || length < 2 || length >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, name, length);
	if (*name == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) <
	    0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool read_number(const char *text, int64_t *ret_value)
{
	char *end;
	long long value;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno || *end)
		return false;
	*ret_value = value;
	return true;
}

/* A third of what it waits at most: two signs may be late. */
static int64_t watchdog_interval(void)
{
	const char *pid = getenv("WATCHDOG_PID");
	int64_t wait, wanted;

	if (!read_number(getenv("WATCHDOG_USEC"), &wait) || wait == 0)
		return 0;
	if (pid && (!read_number(pid, &wanted) || wanted != getpid()))
		return 0;
	return wait / 3000 > 0 ? wait / 3000 : 1;
}

void notify_open(struct notify *notify)
{
	const char *name = getenv("NOTIFY_SOCKET");

	*notify = (struct notify){.fd = name ? connect_to(name) : -1};
	if (notify->fd >= 0)
		notify->watchdog_every = watchdog_interval();
}

void notify_close(struct notify *notify)
{
	if (notify->fd >= 0)
		close(notify->fd);
	notify->fd = -1;
}

void notify_send(const struct notify *notify, const char *text)
{
	if (notify->fd >= 0)
		(void)!send(notify->fd, text, strlen(text), MSG_NOSIGNAL);
}

void notify_alive(struct notify *notify, int64_t now)
{
	if (!notify->watchdog_every || now - notify->last < notify->watchdog_every)
		return;
	notify->last = now;
	notify_send(notify, "WATCHDOG=1");
}
