/* SPDX-License-Identifier: MIT */
#include "unified.h"
#include "bytes.h"
#include "output.h"
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define LARGEST ((uint64_t)32 << 20) /* that is shown: it is kept in memory */
#define BEFORE	3		     /* descriptors in diff(1) */
#define AFTER	4

extern char **environ;

int tool_unified_open(struct bt_store *store, const struct bt_entry *file, struct bt_error *error)
{
	int fd, code;

	if (file->size > LARGEST)
		return BT_E_UNSUPPORTED;
	fd = memfd_create("contents", MFD_CLOEXEC);
	if (fd < 0) {
		*error = (struct bt_error){.code = BT_E_SYSTEM, .sys = errno, .offset = BT_NO_OFFSET};
		return BT_E_SYSTEM;
	}
	code = tool_bytes_write(store, file, fd, error);
	if (!code)
		return fd;
	close(fd);
	return code;
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) && WEXITSTATUS(status) < 2 ? 0 : ECHILD;
}

/* From copies far from 3 and 4: so neither overwrites the other. */
static int place(posix_spawn_file_actions_t *actions, int *fd, int wanted)
{
	int from = *fd < 0 ? open("/dev/null", O_RDONLY | O_CLOEXEC) : fcntl(*fd, F_DUPFD_CLOEXEC, 10);
	int high = from >= 0 && from <= AFTER ? fcntl(from, F_DUPFD_CLOEXEC, 10) : from;

	if (high != from)
		close(from);
	*fd = high;
	return high < 0 ? errno : posix_spawn_file_actions_adddup2(actions, high, wanted);
}

int tool_unified_print(int before, int after, const char *path)
{
	tool_auto char *shown = tool_escape(path);
	tool_auto char *old = tool_format("--label=a/%s", shown), *new = tool_format("--label=b/%s", shown);
	const char *arguments[] = {"diff", "-u", old, new, "/dev/fd/3", "/dev/fd/4", NULL};

	posix_spawn_file_actions_t actions;
	pid_t pid;
	int r = posix_spawn_file_actions_init(&actions);

	fflush(stdout);
	if (!r) {
		int fds[2] = {before, after};

		r = place(&actions, &fds[0], BEFORE);
		if (!r)
			r = place(&actions, &fds[1], AFTER);
		if (!r)
			r = posix_spawnp(&pid, "diff", &actions, NULL, (char *const *)arguments, environ);
		close(fds[0] == before ? -1 : fds[0]);
		close(fds[1] == after ? -1 : fds[1]);
		posix_spawn_file_actions_destroy(&actions);
	}
	if (!r)
		r = wait_for(pid);
	return r;
}
