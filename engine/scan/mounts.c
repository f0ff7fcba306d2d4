/* SPDX-License-Identifier: MIT */
#include "scan/private.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* "36 25 0:41 / /mnt ro - fuse.backupfs …": the device is the third field; blanks within a field are escaped. */
static bool device_of_ours(char *line, uint64_t *ret_dev)
{
	char *device = NULL, *colon;

	if (!strstr(line, " - fuse.backupfs "))
		return false;
	for (int i = 0; i < 3; i++)
		device = strsep(&line, " ");
	colon = device ? strchr(device, ':') : NULL;
	if (colon)
		*ret_dev = makedev(strtoul(device, NULL, 10), strtoul(colon + 1, NULL, 10));
	return colon != NULL;
}

int bt_scan_find_own_mounts(struct bt_scan *scan)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;
	uint64_t dev;
	int result = 0;

	while (mounts && result == 0 && getline(&line, &size, mounts) >= 0)
		if (device_of_ours(line, &dev))
			result = bt_buf_append(&scan->own_mounts, &dev, sizeof(dev));
	free(line);
	if (mounts)
		fclose(mounts);
	return result;
}

bool bt_scan_is_own_mount(const struct bt_scan *scan, uint64_t dev)
{
	for (size_t i = 0; i < scan->own_mounts.length; i += sizeof(dev))
		if (memcmp(scan->own_mounts.data + i, &dev, sizeof(dev)) == 0)
			return true;
	return false;
}
