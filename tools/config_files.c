/* SPDX-License-Identifier: MIT */
/* Where a configuration lies, and who may have written it. */
#include "config_inside.h"
#include "config_text.h"
#include "output.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOR_ROOT "/etc/backuptool/config"

/* Cron and systemd set HOME; where nobody did, the system knows it. Allocated, or NULL. */
static char *home(void)
{
	const char *given = getenv("HOME");
	struct passwd *user;

	if (given && *given == '/')
		return tool_format("%s", given);
	user = getpwuid(geteuid());
	return user && *user->pw_dir == '/' ? tool_format("%s", user->pw_dir) : NULL;
}

char *config_own_path(void)
{
	const char *directory = getenv("XDG_CONFIG_HOME");

	if (geteuid() == 0)
		return tool_format("%s", FOR_ROOT);
	if (directory && *directory == '/')
		return tool_format("%s/backuptool/config", directory);
	tool_auto char *place = home();
	return place ? tool_format("%s/.config/backuptool/config", place) : NULL;
}

char *config_expand(const char *path)
{
	if (strncmp(path, "~/", 2) != 0)
		return tool_format("%s", path);
	tool_auto char *place = home();
	return place ? tool_format("%s%s", place, path + 1) : NULL;
}

static int is_source(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name), end = strlen(".conf");

	return *entry->d_name != '.' && length > end && strcmp(entry->d_name + length - end, ".conf") == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

struct tool_texts config_beside(const char *path)
{
	const char *slash = strrchr(path, '/');
	tool_auto char *directory = tool_format("%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	struct dirent **entries = NULL;
	struct tool_texts found = {0};
	int count = scandir(directory, &entries, is_source, by_bytes);

	for (int i = 0; i < count; i++) {
		tool_texts_add(&found, tool_format("%s/%s", directory, entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
	return found;
}

/* It has commands that are run with this user's rights. */
static bool is_safe(struct config *config, const char *path, const struct stat *status)
{
	tool_auto char *shown = tool_escape(path);

	if (!S_ISREG(status->st_mode))
		config_problem(config, path, 0, "it is no file");
	else if (status->st_uid != 0 && status->st_uid != geteuid())
		config_problem(config, path, 0,
			       "it belongs to another user, whose commands would run with your rights; if it is right, "
			       "make it yours with 'chown'");
	else if (status->st_mode & (S_IWGRP | S_IWOTH))
		config_problem(config, path, 0,
			       "others may write to it, and so have commands run with your rights; 'chmod go-w %s' "
			       "keeps them out",
			       shown);
	else if ((size_t)status->st_size > CONFIG_SIZE_MAX)
		config_problem(config, path, 0, "it is larger than 1 MiB");
	else
		return true;
	return false;
}

/* One byte more than there may be, and a NUL after it. */
static char *read_all(int fd, size_t *ret_size)
{
	char *text = tool_alloc(CONFIG_SIZE_MAX + 2);
	size_t size = 0;
	ssize_t got;

	do {
		got = read(fd, text + size, CONFIG_SIZE_MAX + 1 - size);
		size += got > 0 ? (size_t)got : 0;
	} while (got > 0 || (got < 0 && errno == EINTR));
	*ret_size = size;
	if (got == 0 && size <= CONFIG_SIZE_MAX)
		return text;
	errno = got < 0 ? errno : EFBIG;
	free(text);
	return NULL;
}

char *config_read(struct config *config, const char *path, bool may_be_missing, size_t *ret_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), failed = errno;
	struct stat status;
	char *text = NULL;

	if (fd < 0) {
		if (!may_be_missing || (failed != ENOENT && failed != ENOTDIR))
			config_problem(config, path, 0, "it cannot be read: %s", strerror(failed));
		return NULL;
	}
	if (fstat(fd, &status) < 0)
		config_problem(config, path, 0, "it cannot be read: %s", strerror(errno));
	else if (is_safe(config, path, &status)) {
		text = read_all(fd, ret_size);
		if (!text)
			config_problem(config, path, 0, "it cannot be read: %s", strerror(errno));
	}
	close(fd);
	return text;
}
