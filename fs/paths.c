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

/* "36 25 0:41 / /mnt ro - fuse.backupfs …": blanks within a field are escaped. */
static bool is_ours(const char *line, const struct statx *status)
{
	char device[32];
	snprintf(device, sizeof(device), " %u:%u ", status->stx_dev_major, status->stx_dev_minor);
	return strstr(line, device) && strstr(line, " - fuse.backupfs ");
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
		found = is_ours(line, &status);
	free(line);
	if (mounts)
		fclose(mounts);
	return found;
}
