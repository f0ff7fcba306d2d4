/* SPDX-License-Identifier: MIT */
#include "daemon.h"
#include "mounts.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Messages to the unmounter, and its answers. LEAVE: the mount is gone already, and the mount point may not even be
 * looked at: that alone would keep a newer mount there busy. */
enum { UNMOUNT = 'u', LEAVE = 'l', DONE = 'd', FAILED = 'f' };

/* Removes the mount of a child that failed. This is done here because an automounter lets only its own process group to
 * the mount point until this process has ended. */
static _Noreturn void wait_for_child(int ready, dev_t device)
{
	char answer;
	ssize_t got;

	do
		got = read(ready, &answer, 1);
	while (got < 0 && errno == EINTR);
	if (got != 1) {
		mounts_end(device, false);
		fprintf(stderr, "backupfs: ended before the mount answered (see the system log)\n");
	}
	_exit(got == 1 ? 0 : 1);
}

int daemon_start(int session_fd, dev_t device, const sigset_t *blocked, int *ret_ready)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return errno;
	fflush(NULL);
	pid_t child = fork();
	if (child < 0)
		return errno;
	if (child > 0) {
		close(ends[1]);
		close(session_fd);
		sigprocmask(SIG_UNBLOCK, blocked, NULL);
		wait_for_child(ends[0], device);
	}
	close(ends[0]);
	setsid();
	*ret_ready = ends[1];
	return 0;
}

void daemon_detach(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (chdir("/") != 0 || null < 0)
		return;
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
}

#define DESCRIPTORS_MOST (1 << 20)

/* Closes all other descriptors. An open device would keep the mount alive after its driver died, and an open end of
 * the socket would hide that death. So this must also work without a system call that old kernels lack and filters
 * forbid. */
static void close_from(int first)
{
	if (close_range((unsigned)first, ~0U, 0) == 0)
		return;
	DIR *list = opendir("/proc/self/fd");
	for (struct dirent *entry; list && (entry = readdir(list));) {
		long fd = strtol(entry->d_name, NULL, 10); /* 0 for "." and ".." */

		if (fd >= first && fd != dirfd(list))
			close((int)fd);
	}
	if (list) {
		closedir(list);
		return;
	}
	long limit = sysconf(_SC_OPEN_MAX);
	for (int fd = first; fd < DESCRIPTORS_MOST && (limit < 0 || fd < limit); fd++)
		close(fd);
}

/* Signals stay blocked to the end: a signal to all processes of a service must not stop the one that unmounts. */
static _Noreturn void wait_for_driver(int driver, dev_t device)
{
	char byte;
	ssize_t got;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	prctl(PR_SET_NAME, "backupfs-end");
	setsid();
	daemon_detach();
	dup2(driver, 0);
	close_from(3);
	do
		got = read(0, &byte, 1);
	while (got < 0 && errno == EINTR);
	if (got != 1) {
		mounts_end(device, true);
	} else if (byte == UNMOUNT) {
		byte = mounts_end(device, false) ? DONE : FAILED;
		got = write(0, &byte, 1);
	}
	_exit(0);
}

int daemon_keep_unmounter(dev_t device, int *ret_unmounter)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return errno;
	pid_t child = fork();
	int r = child < 0 ? errno : 0;
	if (child == 0)
		wait_for_driver(ends[0], device);
	close(ends[0]);
	if (r)
		close(ends[1]);
	else
		*ret_unmounter = ends[1];
	return r;
}

/* A mount that was made at that place since then is not ours. */
static bool is_unmounted(int session_fd)
{
	struct pollfd device = {.fd = session_fd};

	return poll(&device, 1, 0) == 1 && (device.revents & POLLERR);
}

bool daemon_unmounter_is_gone(int unmounter)
{
	struct pollfd other = {.fd = unmounter};

	return poll(&other, 1, 0) == 1 && (other.revents & POLLHUP);
}

/* If the kernel could not take the right to unmount away from this process, it still has it. */
bool daemon_unmount(int unmounter, int session_fd, dev_t device)
{
	bool done = is_unmounted(session_fd);
	char byte = done ? LEAVE : UNMOUNT;
	ssize_t got = send(unmounter, &byte, 1, MSG_NOSIGNAL);

	if (got == 1)
		do
			got = read(unmounter, &byte, 1);
		while (got < 0 && errno == EINTR);
	close(unmounter);
	return done || (got == 1 && byte == DONE) || mounts_end(device, false);
}
