/* SPDX-License-Identifier: MIT */
/* The sd_notify protocol: datagrams of lines to the socket that a service manager names in the environment. */
#ifndef TOOLS_NOTIFY_H
#define TOOLS_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

struct notify {
	int fd;			/* -1: nobody wants to know */
	int64_t watchdog_every; /* milliseconds between signs of life; 0: none wanted */
	int64_t last;
};

/* From NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. Whatever is wrong with them, nothing is sent then. */
void notify_open(struct notify *notify);
void notify_close(struct notify *notify);
/* "READY=1", "STATUS=…". Never waits; what the manager cannot take is lost. */
void notify_send(const struct notify *notify, const char *text);
/* A sign of life, if one is due at now (milliseconds on any clock). */
void notify_alive(struct notify *notify, int64_t now);

#endif
