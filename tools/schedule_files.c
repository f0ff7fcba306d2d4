/* SPDX-License-Identifier: MIT */
#include "output.h"
#include "schedule.h"
#include "systemctl.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNIT_MOST (1 << 20) /* bytes */

char *schedule_directory(bool system)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (system)
		return tool_format("/etc/systemd/system");
	if (config && *config == '/')
		return tool_format("%s/systemd/user", config);
	return home && *home == '/' ? tool_format("%s/.config/systemd/user", home) : NULL;
}

char *schedule_path(const char *directory, const char *name, const char *kind)
{
	return tool_format("%s/%s.%s", directory, name, kind);
}

static int make_directories(const char *path)
{
	tool_auto char *part = tool_format("%s", path);
	int r = 0;

	for (char *slash = strchr(part + 1, '/'); !r; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			r = -1;
		if (!slash)
			break;
		*slash = '/';
	}
	return r;
}

static int write_all(int fd, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t done = write(fd, text, size);

		if (done < 0 && errno != EINTR)
			return -1;
		text += done > 0 ? done : 0;
		size -= done > 0 ? (size_t)done : 0;
	}
	return fsync(fd);
}

static int replace(const char *path, const char *text, size_t size)
{
	tool_auto char *draft = tool_format("%s.XXXXXX", path);
	int fd = mkostemp(draft, O_CLOEXEC), r = -1, failed;

	if (fd >= 0) {
		r = fchmod(fd, 0644) < 0 ? -1 : write_all(fd, text, size); /* systemd warns of any other */
		if (close(fd) == 0 && !r)
			r = rename(draft, path);
		else
			r = -1;
		failed = errno;
		if (r < 0)
			unlink(draft);
		errno = failed;
	}
	return r;
}

int schedule_write(const char *directory, const char *path, const char *text)
{
	return make_directories(directory) < 0 ? -1 : replace(path, text, strlen(text));
}

char *schedule_read(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = file ? tool_alloc(UNIT_MOST + 1) : NULL;

	if (file) {
		text[fread(text, 1, UNIT_MOST, file)] = '\0';
		fclose(file);
	}
	if (text && strncmp(text, SCHEDULE_MARK, strlen(SCHEDULE_MARK)) == 0)
		return text;
	free(text);
	return NULL;
}

char *schedule_when(const char *service)
{
	static const char head[] = SCHEDULE_MARK ": ";

	if (strncmp(service, head, sizeof(head) - 1) != 0)
		return NULL;
	service += sizeof(head) - 1;
	return tool_format("%.*s", (int)strcspn(service, "\n"), service);
}

bool schedule_start(bool system, const char *unit)
{
	return systemctl_do(system, "daemon-reload", NULL) && systemctl_do(system, "enable", unit) &&
	       systemctl_do(system, "restart", unit);
}

/* The links of `systemctl enable`, in NAME.wants. */
static void disable(const char *directory, const char *unit)
{
	DIR *units = opendir(directory);

	for (struct dirent *entry = units ? readdir(units) : NULL; entry; entry = readdir(units)) {
		const char *end = strrchr(entry->d_name, '.');
		struct stat st;

		if (!end || strcmp(end, ".wants") != 0)
			continue;
		tool_auto char *link = tool_format("%s/%s/%s", directory, entry->d_name, unit);
		if (lstat(link, &st) == 0 && S_ISLNK(st.st_mode))
			unlink(link);
	}
	if (units)
		closedir(units);
}

bool schedule_retire(bool system, const char *directory, const char *name, const char *kind)
{
	tool_auto char *path = schedule_path(directory, name, kind), *text = schedule_read(path);
	tool_auto char *unit = tool_format("%s.%s", name, kind);

	if (!text)
		return false;
	if (systemctl_runs(system))
		systemctl_do(system, "stop", unit);
	disable(directory, unit);
	return unlink(path) == 0;
}
