/* SPDX-License-Identifier: MIT */
#include "power.h"
#include "output.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define SUPPLIES "/sys/class/power_supply"

/* The first line of a supply's file; "" if it has none. */
static void read_line(const char *supply, const char *name, char *text, int size)
{
	tool_auto char *path = tool_format(SUPPLIES "/%s/%s", supply, name);
	FILE *file = fopen(path, "re");

	if (!file || !fgets(text, size, file))
		*text = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (file)
		fclose(file);
}

/* The battery of a mouse is not the machine's. */
static void see(const char *supply, bool *plugged, bool *used)
{
	char type[32], scope[32], status[32], online[32];

	read_line(supply, "type", type, sizeof(type));
	read_line(supply, "scope", scope, sizeof(scope));
	read_line(supply, "status", status, sizeof(status));
	read_line(supply, "online", online, sizeof(online));
	if (strcmp(type, "Battery") == 0)
		*used |= strcmp(scope, "Device") != 0 && strcmp(status, "Discharging") == 0;
	else
		*plugged |= *online == '1';
}

bool power_is_battery(void)
{
	DIR *supplies = opendir(SUPPLIES);
	bool plugged = false, used = false;

	for (struct dirent *entry = supplies ? readdir(supplies) : NULL; entry; entry = readdir(supplies))
		if (*entry->d_name != '.')
			see(entry->d_name, &plugged, &used);
	if (supplies)
		closedir(supplies);
	return used && !plugged;
}
