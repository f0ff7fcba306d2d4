/* SPDX-License-Identifier: MIT */
/*
 * autod DIRECTORY COMMAND…: a direct autofs mount on DIRECTORY, as systemd and autofs(8) make it. Says "ready", runs
 * the command in its process group whenever somebody looks, and lets them through if it ended with 0; else they get
 * ENOENT, as from autofs(8).
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/auto_dev-ioctl.h>
#include <linux/auto_fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int control; /* /dev/autofs */

/* A parameter block; path NULL: for the mount that is open as fd. Never freed. */
static struct autofs_dev_ioctl *block(int fd, const char *path)
{
	size_t size = sizeof(struct autofs_dev_ioctl) + (path ? strlen(path) + 1 : 0);
	struct autofs_dev_ioctl *block = calloc(1, size);

	if (!block)
		exit(1);
	init_autofs_dev_ioctl(block);
	block->size = (unsigned)size;
	block->ioctlfd = fd;
	if (path)
		memcpy(block->path, path, strlen(path) + 1);
	return block;
}

static int open_mount(const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return -1;
	struct autofs_dev_ioctl *open = block(-1, path);
	open->openmount.devid = (unsigned)status.st_dev;
	if (ioctl(control, AUTOFS_DEV_IOCTL_OPENMOUNT, open) < 0)
		return -1;
	fcntl(open->ioctlfd, F_SETFD, FD_CLOEXEC);
	return open->ioctlfd;
}

static int run(char **command)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		execvp(command[0], command);
		_exit(127);
	}
	return waitpid(child, &status, 0) == child ? status : -1;
}

static void answer(int mount, unsigned token, int status)
{
	struct autofs_dev_ioctl *answer = block(mount, NULL);

	if (status == 0) {
		answer->ready.token = token;
		ioctl(control, AUTOFS_DEV_IOCTL_READY, answer);
	} else {
		answer->fail.token = token;
		answer->fail.status = -2;
		ioctl(control, AUTOFS_DEV_IOCTL_FAIL, answer);
	}
}

int main(int argc, char **argv)
{
	struct autofs_v5_packet packet;
	char options[128];
	int ends[2];

	if (argc < 3 || pipe(ends) < 0)
		return 2;
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	setpgid(0, 0);
	snprintf(options, sizeof(options), "fd=%d,pgrp=%d,minproto=5,maxproto=5,direct", ends[1], getpgrp());
	if (mount("autod", argv[1], "autofs", 0, options) < 0) {
		perror("mount");
		return 1;
	}
	control = open("/dev/autofs", O_RDWR | O_CLOEXEC);
	int mount = control < 0 ? -1 : open_mount(argv[1]);
	if (mount < 0) {
		perror("autofs");
		return 1;
	}
	ioctl(control, AUTOFS_DEV_IOCTL_TIMEOUT, block(mount, NULL));
	puts("ready");
	fflush(stdout);
	while (read(ends[0], &packet, sizeof(packet)) > 0)
		answer(mount, (unsigned)packet.wait_queue_token, run(argv + 2));
	return 0;
}
