/* SPDX-License-Identifier: MIT */
#include "attack.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Which arguments of a call are a directory and a name in it. */
struct call {
	long number;
	int directory, name;
};

static const struct call calls[] = {{SYS_openat, 0, 1},	    {SYS_openat2, 0, 1},    {SYS_mkdirat, 0, 1},
				    {SYS_mknodat, 0, 1},    {SYS_unlinkat, 0, 1},   {SYS_fchownat, 0, 1},
				    {SYS_fchmodat, 0, 1},   {SYS_utimensat, 0, 1},  {SYS_statx, 0, 1},
				    {SYS_newfstatat, 0, 1}, {SYS_linkat, 0, 1},	    {SYS_renameat, 0, 1},
				    {SYS_renameat2, 0, 1},  {SYS_readlinkat, 0, 1}, {SYS_symlinkat, 1, 2}};
/* The name that they make. */
static const struct call targets[] = {{SYS_linkat, 2, 3}, {SYS_renameat, 2, 3}, {SYS_renameat2, 2, 3}};

static const struct call *find_call(const struct call *list, size_t count, long number)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].number == number)
			return &list[i];
	return NULL;
}

static bool read_name(pid_t thread, unsigned long long at, char name[NAME_MAX + 1])
{
	struct iovec to = {name, NAME_MAX}, from = {(void *)(uintptr_t)at, NAME_MAX};
	ssize_t got = at ? process_vm_readv(thread, &to, 1, &from, 1, 0) : -1;

	if (got < 0 && at) { /* up to the end of a page */
		from.iov_len = to.iov_len = 4096 - at % 4096;
		got = to.iov_len <= NAME_MAX ? process_vm_readv(thread, &to, 1, &from, 1, 0) : -1;
	}
	if (got <= 0)
		return false;
	name[got] = 0;
	return *name && !strchr(name, '/');
}

bool attack_find(pid_t thread, const struct __ptrace_syscall_info *info, bool parent, char ret_path[PATH_MAX])
{
	const char *below = getenv("FAULTAT_BELOW");
	const struct call *call = NULL;
	char name[NAME_MAX + 1], link[64], directory[PATH_MAX];

	if (parent)
		call = find_call(targets, sizeof(targets) / sizeof(targets[0]), (long)info->entry.nr);
	if (!call)
		call = find_call(calls, sizeof(calls) / sizeof(calls[0]), (long)info->entry.nr);
	if (!call || !below || (int)info->entry.args[call->directory] < 0 ||
	    !read_name(thread, info->entry.args[call->name], name))
		return false;
	snprintf(link, sizeof(link), "/proc/%d/fd/%d", thread, (int)info->entry.args[call->directory]);
	ssize_t length = readlink(link, directory, sizeof(directory) - 1);
	size_t root = strlen(below);
	if (length < (ssize_t)root || strncmp(directory, below, root) != 0 || (parent && length == (ssize_t)root))
		return false;
	directory[length] = 0;
	return snprintf(ret_path, PATH_MAX, "%s%s%s", directory, parent ? "" : "/", parent ? "" : name) < PATH_MAX;
}

void attack_swap(const char *path)
{
	const char *outside = getenv("FAULTAT_OUTSIDE");
	char aside[PATH_MAX + 8], to[PATH_MAX];
	struct stat status;
	bool found = lstat(path, &status) == 0;

	if (!outside)
		return;
	snprintf(aside, sizeof(aside), "%s.aside", path);
	if (found && rename(path, aside))
		return;
	snprintf(to, sizeof(to), "%s%s", outside, !found ? "/new" : S_ISDIR(status.st_mode) ? "" : "/kept");
	if (symlink(to, path) && found)
		rename(aside, path);
}
