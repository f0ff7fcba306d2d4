/* SPDX-License-Identifier: MIT */
#include "mount_point.h"
#include "output.h"
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum { LAYERS = 8 }; /* of devices on top of each other: encryption, volumes */

struct mount {
	char *point, *source; /* allocated */
};

/* In mountinfo blanks and backslashes are octal. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		bool octal = from[0] == '\\' && strspn(from + 1, "01234567") >= 3;

		*to = octal ? (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0')) : *from;
		from += octal ? 4 : 1;
	}
	*to = '\0';
}

/* The word of that number, from 0, in a line of mountinfo; allocated. */
static char *word_at(const char *line, int number)
{
	char *word;

	for (; number > 0; number--) {
		line += strcspn(line, " ");
		line += *line == ' ';
	}
	word = tool_format("%.*s", (int)strcspn(line, " \n"), line);
	unescape(word);
	return word;
}

static bool is_below(const char *path, const char *point)
{
	size_t length = strlen(point);

	if (strcmp(point, "/") == 0)
		return true;
	return strncmp(path, point, length) == 0 && (!path[length] || path[length] == '/');
}

/* The last of those that are mounted at the longest path is what is seen. */
static struct mount find(const char *path)
{
	struct mount mount = {0};
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t room = 0;

	while (file && getline(&line, &room, file) > 0) {
		const char *rest = strstr(line, " - ");
		char *point = word_at(line, 4);
		bool nearer = is_below(path, point) && (!mount.point || strlen(point) >= strlen(mount.point));

		if (nearer && rest) {
			free(mount.point);
			free(mount.source);
			mount = (struct mount){point, word_at(rest + 3, 1)};
		} else {
			free(point);
		}
	}
	if (file)
		fclose(file);
	free(line);
	return mount;
}

static bool says_yes(const char *directory, const char *name)
{
	tool_auto char *path = tool_format("%s/%s", directory, name);
	FILE *file = fopen(path, "re");
	bool yes = file && fgetc(file) == '1';

	if (file)
		fclose(file);
	return yes;
}

/* Of a device in /sys. One that lies on others is as removable as these. */
static bool is_removable(const char *device, int layers)
{
	char *real = realpath(device, NULL);
	bool removable = real && (strstr(real, "/usb") || strstr(real, "/mmc_host/") || says_yes(real, "removable") ||
				  says_yes(real, "../removable"));
	tool_auto char *slaves = tool_format("%s/slaves", real ? real : device);
	DIR *below = layers > 0 && !removable ? opendir(slaves) : NULL;

	for (struct dirent *entry = below ? readdir(below) : NULL; entry && !removable; entry = readdir(below)) {
		tool_auto char *slave = tool_format("%s/%s", slaves, entry->d_name);

		removable = *entry->d_name != '.' && is_removable(slave, layers - 1);
	}
	if (below)
		closedir(below);
	free(real);
	return removable;
}

static bool is_device_removable(const char *source)
{
	struct stat st;

	if (*source != '/' || stat(source, &st) < 0 || !S_ISBLK(st.st_mode))
		return false;
	tool_auto char *device = tool_format("/sys/dev/block/%u:%u", major(st.st_rdev), minor(st.st_rdev));
	return is_removable(device, LAYERS);
}

char *mount_point_removable(const char *path)
{
	struct mount mount = find(path);
	bool removable = mount.point && strcmp(mount.point, "/") != 0 &&
			 (is_below(mount.point, "/run/media") || is_below(mount.point, "/media") ||
			  is_device_removable(mount.source));

	free(mount.source);
	if (!removable) {
		free(mount.point);
		mount.point = NULL;
	}
	return mount.point;
}
