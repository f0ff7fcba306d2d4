/* SPDX-License-Identifier: MIT */
#include "mounts.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

/* Asks only for what the kernel knows by itself, so that a driver is not asked that does not answer, or not this
 * user. */
static int look(const char *path, struct statx *ret_status)
{
	return statx(AT_FDCWD, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, 0, ret_status) == 0 ? 0 : errno;
}

int mounts_device(const char *path, dev_t *ret_device)
{
	struct statx status;
	int r = look(path, &status);

	if (!r)
		*ret_device = makedev(status.stx_dev_major, status.stx_dev_minor);
	return r;
}

bool mounts_has(const char *path)
{
	struct statx status;

	return look(path, &status) == 0 && (status.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* The kernel never answers statfs from memory. */
bool mounts_is_dead(const char *path)
{
	struct statfs space;

	return statfs(path, &space) != 0 && (errno == ENOTCONN || errno == ECONNABORTED);
}

/* One line: "36 25 0:41 / /mnt ro,nosuid shared:1 - fuse.backupfs /store ro,user_id=0,group_id=0". */
struct mount {
	dev_t device;
	char *place;
	bool is_store;
	uid_t user;
};

/* Decodes blanks, line feeds and backslashes, which are written as "\040". */
static void unescape(char *text)
{
	char *to = text;

	for (const char *at = text; *at; to++) {
		bool escaped = at[0] == '\\' && at[1] && at[2] && at[3];

		*to = escaped ? (char)((at[1] - '0') << 6 | (at[2] - '0') << 3 | (at[3] - '0')) : *at;
		at += escaped ? 4 : 1;
	}
	*to = '\0';
}

/* Ends the next field and gives it; empty at the end of the line. */
static char *next_field(char **at)
{
	char *field = *at, *end = field + strcspn(field, " ");

	*at = *end ? end + 1 : end;
	*end = '\0';
	return field;
}

static dev_t read_device(const char *text)
{
	char *end;
	unsigned long major = strtoul(text, &end, 10);

	return makedev(major, *end == ':' ? strtoul(end + 1, NULL, 10) : 0);
}

static bool parse(char *line, struct mount *ret_mount)
{
	static const char separator[] = " - ", store[] = "fuse.backupfs ", user[] = "user_id=";
	char *at = line, *type = strstr(line, separator);

	if (!type)
		return false;
	type += strlen(separator);
	const char *options = strrchr(type, ' '), *id = options ? strstr(options, user) : NULL;
	*ret_mount = (struct mount){.is_store = strncmp(type, store, strlen(store)) == 0,
				    .user = id ? (uid_t)strtoul(id + strlen(user), NULL, 10) : 0};
	next_field(&at);
	next_field(&at);
	ret_mount->device = read_device(next_field(&at));
	next_field(&at);
	ret_mount->place = next_field(&at);
	unescape(ret_mount->place);
	return at < type;
}

/* Calls visit for each mount of a store with this device, until visit returns false. False: the list cannot be read. */
static bool each(dev_t device, bool (*visit)(void *data, const struct mount *mount), void *data)
{
	char *line = NULL;
	size_t size = 0;
	struct mount mount;
	FILE *list = fopen("/proc/self/mountinfo", "re");
	bool more = list;

	while (more && getline(&line, &size, list) >= 0)
		if (parse(line, &mount) && mount.is_store && mount.device == device)
			more = visit(data, &mount);
	free(line);
	if (list)
		fclose(list);
	return list;
}

static bool take_user(void *data, const struct mount *mount)
{
	*(int64_t *)data = mount->user;
	return false;
}

bool mounts_is_store(dev_t device, uid_t *ret_user)
{
	int64_t user = -1;

	each(device, take_user, &user);
	*ret_user = (uid_t)user;
	return user >= 0;
}

struct places {
	char **list;
	size_t count;
};

static bool take_place(void *data, const struct mount *mount)
{
	struct places *places = data;
	char **list = realloc(places->list, (places->count + 1) * sizeof(*list));
	char *place = list ? strdup(mount->place) : NULL;

	places->list = list ? list : places->list;
	if (place)
		places->list[places->count++] = place;
	return place;
}

static void places_free(struct places *places)
{
	while (places->count > 0)
		free(places->list[--places->count]);
	free(places->list);
}

/* Only fusermount3 can unmount what an ordinary user mounted. */
static void unmount(const char *place)
{
	if (umount2(place, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		return;
	pid_t child = fork();
	if (child == 0) {
		execlp("fusermount3", "fusermount3", "-u", "-q", "-z", "--", place, (char *)NULL);
		_exit(1);
	}
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}

bool mounts_end(dev_t device, bool dead_only)
{
	struct places places = {0}, left = {0};
	dev_t there;

	each(device, take_place, &places);
	for (size_t i = 0; i < places.count; i++)
		if (mounts_device(places.list[i], &there) == 0 && there == device &&
		    (!dead_only || mounts_is_dead(places.list[i])))
			unmount(places.list[i]);
	bool known = each(device, take_place, &left);
	bool done = known && left.count == 0;
	places_free(&places);
	places_free(&left);
	return done;
}

/* The kernel's structure, which older C libraries lack. */
struct restriction {
	uint64_t set, clear, propagation, user;
};
#define NO_LINKS UINT64_C(0x00200000)
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

int mounts_follow_no_links(const char *path)
{
	struct restriction restriction = {.set = NO_LINKS};

	return syscall(SYS_mount_setattr, AT_FDCWD, path, 0, &restriction, sizeof(restriction)) == 0 ? 0 : errno;
}
