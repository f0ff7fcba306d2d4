/* SPDX-License-Identifier: MIT */
#include "paths.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool lies_in(const char *inner, const char *outer)
{
	size_t length = strlen(outer);
	if (length > 0 && outer[length - 1] == '/')
		length--;
	return strncmp(inner, outer, length) == 0 && (inner[length] == '/' || inner[length] == '\0');
}

bool paths_overlap(const char *a, const char *b)
{
	return lies_in(a, b) || lies_in(b, a);
}

/* "36 25 0:41 / /mnt ro - fuse.backupfs …" */
static bool is_ours(const char *line, unsigned major, unsigned minor)
{
	unsigned found_major, found_minor;
	return sscanf(line, "%*u %*u %u:%u", &found_major, &found_minor) == 2 && found_major == major &&
	       found_minor == minor && strstr(line, " - fuse.backupfs ");
}

bool paths_mounted(const char *path)
{
	struct statx status;
	char *line = NULL;
	size_t size = 0;
	bool found = false;
	if (statx(AT_FDCWD, path, 0, 0, &status) != 0 || !(status.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return false;
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	while (mounts && !found && getline(&line, &size, mounts) >= 0)
		found = is_ours(line, status.stx_dev_major, status.stx_dev_minor);
	free(line);
	if (mounts)
		fclose(mounts);
	return found;
}
