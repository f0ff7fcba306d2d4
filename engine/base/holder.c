/* SPDX-License-Identifier: MIT */
/*
 * The kernel names no process for a lock of an open file description, but /proc/PID/fdinfo shows those of each
 * descriptor. So nothing has to be written down that could be stale.
 */
#include "base/holder.h"
#include "base/io.h"
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INFO_SIZE 4096

struct search {
	const struct flock *wanted;
	uint64_t inode;
	struct stat file;
	const char *name; /* the last part of its path */
};

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The n-th word of a line, or its end. */
static const char *word(const char *line, unsigned n)
{
	for (; n > 0; n--) {
		line += strcspn(line, " \t\n");
		line += strspn(line, " \t");
	}
	return line;
}

/* "lock:	1: OFDLCK ADVISORY  WRITE -1 fe:00:123 0 0", the last one "EOF" for a range without end */
static bool in_the_way(const struct flock *wanted, const char *line)
{
	const char *end = word(line, 8);
	int64_t first = strtoll(word(line, 7), NULL, 10);
	int64_t last = strncmp(end, "EOF", 3) == 0 ? INT64_MAX : strtoll(end, NULL, 10);

	return strncmp(line, "lock:", 5) == 0 && first < wanted->l_start + wanted->l_len && last >= wanted->l_start &&
	       (wanted->l_type == F_WRLCK || strncmp(word(line, 4), "WRITE", 5) == 0);
}

static bool read_info(int directory, const char *path, char text[INFO_SIZE])
{
	int fd = bt_openat(directory, path, O_RDONLY, 0);
	ssize_t length = fd < 0 ? -1 : bt_read_some(fd, text, INFO_SIZE - 1);

	bt_close(&fd);
	text[length < 0 ? 0 : length] = '\0';
	return length >= 0;
}

/* As the kernel knows it; 0 where it does not tell. */
static uint64_t inode_of(const char *info)
{
	const char *line = strstr(info, "\nino:");

	return line ? strtoull(word(line + 1, 1), NULL, 10) : 0;
}

static bool has_lock(const struct search *search, int process, const char *descriptor)
{
	char path[300], text[INFO_SIZE];

	snprintf(path, sizeof(path), "fdinfo/%s", descriptor);
	if (!read_info(process, path, text) || inode_of(text) != search->inode)
		return false;
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (in_the_way(search->wanted, line))
			return true;
	}
	return false;
}

static bool has_name(const struct search *search, int descriptors, const char *descriptor)
{
	char path[4096];
	ssize_t length = readlinkat(descriptors, descriptor, path, sizeof(path) - 1);

	if (length <= 0)
		return false;
	path[length] = '\0';
	return strcmp(last_part(path), search->name) == 0;
}

static bool is_same_file(const struct search *search, int descriptors, const char *descriptor)
{
	struct stat status;

	return fstatat(descriptors, descriptor, &status, 0) == 0 && status.st_dev == search->file.st_dev &&
	       status.st_ino == search->file.st_ino;
}

/* The file itself comes last: looking at one of a dead mount, as the lock of another store, would not come back. */
static bool holds(const struct search *search, int process)
{
	int fd = bt_openat(process, "fd", O_RDONLY | O_DIRECTORY, 0);
	DIR *descriptors = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool found = false;

	if (!descriptors) {
		bt_close(&fd);
		return false;
	}
	for (entry = readdir(descriptors); !found && entry; entry = readdir(descriptors))
		found = has_name(search, fd, entry->d_name) && has_lock(search, process, entry->d_name) &&
			is_same_file(search, fd, entry->d_name);
	closedir(descriptors);
	return found;
}

/* The program and, if that comes first, its command. */
static void describe(int process, const char *pid, char *text, size_t size)
{
	char line[512];
	int fd = bt_openat(process, "cmdline", O_RDONLY, 0);
	ssize_t length = fd < 0 ? 0 : bt_read_some(fd, line, sizeof(line) - 2);
	const char *command;

	bt_close(&fd);
	if (length < 0)
		length = 0;
	line[length] = line[length + 1] = '\0';
	command = line + strlen(line) + 1;
	if (*line)
		snprintf(text, size, "%.60s%s%.30s (process %s)", last_part(line),
			 *command && *command != '-' ? " " : "", *command != '-' ? command : "", pid);
	else
		snprintf(text, size, "process %s", pid);
}

void bt_lock_holder(int fd, const char *name, const struct flock *wanted, char *text, size_t size)
{
	struct search search = {.wanted = wanted, .name = name};
	char path[64], info[INFO_SIZE];
	DIR *processes = opendir("/proc");
	struct dirent *entry = NULL;
	bool found = false;

	snprintf(text, size, "another backuptool");
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (read_info(AT_FDCWD, path, info))
		search.inode = inode_of(info);
	if (processes && fstat(fd, &search.file) == 0)
		entry = readdir(processes);
	for (; entry && !found; entry = readdir(processes)) {
		int process = *entry->d_name < '1' || *entry->d_name > '9'
				      ? -1
				      : bt_openat(dirfd(processes), entry->d_name, O_RDONLY | O_DIRECTORY, 0);

		found = process >= 0 && holds(&search, process);
		if (found)
			describe(process, entry->d_name, text, size);
		bt_close(&process);
	}
	if (processes)
		closedir(processes);
}
