/* SPDX-License-Identifier: MIT */
#include "daemon.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

static _Noreturn void wait_for_child(int ready)
{
	char answer;
	ssize_t got;
	do
		got = read(ready, &answer, 1);
	while (got < 0 && errno == EINTR);
	if (got != 1)
		fprintf(stderr, "backupfs: ended before the mount answered (see the system log)\n");
	_exit(got == 1 ? 0 : 1);
}

int daemon_start(int session_fd, int *ret_ready)
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
		wait_for_child(ends[0]);
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

static _Noreturn void unmount_after(int alive, const char *mountpoint)
{
	char byte;
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	prctl(PR_SET_NAME, "backupfs-end");
	setsid();
	dup2(alive, 0);
	close_range(3, ~0U, 0);
	while (read(0, &byte, 1) < 0 && errno == EINTR)
		;
	sigprocmask(SIG_UNBLOCK, &all, NULL);
	execlp("fusermount3", "fusermount3", "-u", "-q", "-z", "--", mountpoint, (char *)NULL);
	_exit(1);
}

int daemon_unmount_at_end(const char *mountpoint)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return errno;
	pid_t child = fork();
	if (child == 0) {
		close(ends[1]);
		unmount_after(ends[0], mountpoint);
	}
	close(ends[0]);
	return child < 0 ? errno : 0; /* the other end stays open for as long as this process lives */
}
