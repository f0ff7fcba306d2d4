/* SPDX-License-Identifier: MIT */
#include "base/io.h"
#include "watch/private.h"
#include <errno.h>
#include <fcntl.h>
#include <internal/watch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

/*
 * The list is text: for each mount a line of its path relative to the target, with the kernel's escapes (\040 for a
 * blank and so on) undone and a NUL for the end, then a line that is other whenever the mount is: so two lists are
 * compared as memory up to the empty path that ends them.
 */

/* Those that only this machine changes, and that tell of each change. Of any other nothing is known. */
static bool tells_all(uint32_t kind)
{
	static const uint32_t kinds[] = {
		0x0000ef53, /* ext2, ext3, ext4 */
		0x58465342, /* XFS */
		0x9123683e, /* Btrfs */
		0xf2f52010, /* F2FS */
		0xca451a4e, /* bcachefs */
		0x2fc12fc1, /* ZFS */
		0x3153464a, /* JFS */
		0x52654973, /* ReiserFS */
		0x00003434, /* NILFS2 */
		0x01021994, /* tmpfs */
		0x858458f6, /* ramfs */
		0x794c7630, /* overlayfs */
		0x0000f15f, /* eCryptfs */
		0x00004d44, /* FAT */
		0x2011bab0, /* exFAT */
		0x5346544e, /* NTFS */
		0x7366746e, /* NTFS3 */
		0x00004244, /* HFS */
		0x0000482b, /* HFS+ */
		0x15013346, /* UDF */
		0x00009660, /* ISO 9660 */
		0x73717368, /* SquashFS */
		0xe0f5e1e2, /* EROFS */
		0x24051905, /* UBIFS */
		0x000072b6, /* JFFS2 */
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kind == kinds[i])
			return true;
	return false;
}

bool bt_watch_foreign(int root)
{
	struct statfs status;

	return fstatfs(root, &status) < 0 || !tells_all((uint32_t)status.f_type);
}

static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		bool octal = from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' && from[2] <= '7' &&
			     from[3] >= '0' && from[3] <= '7';

		*to = octal ? (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + from[3] - '0') : *from;
		from += octal ? 4 : 1;
	}
	*to = '\0';
}

/* The path below root of a mount point, or NULL. */
static const char *below(const char *root, const char *point)
{
	size_t length = strlen(root);

	if (strcmp(root, "/") == 0)
		return point[1] ? point + 1 : NULL;
	return strncmp(root, point, length) == 0 && point[length] == '/' ? point + length + 1 : NULL;
}

/* line: "36 35 98:0 /mnt1 /mnt2 …": id, parent, device, root, mount point. */
static int add_line(struct bt_buf *list, const char *root, char *line)
{
	char *fields[5], *rest = line;
	int r;

	for (int i = 0; i < 5; i++)
		fields[i] = strsep(&rest, " ");
	if (!fields[4])
		return 0;
	unescape(fields[4]);
	const char *path = below(root, fields[4]);
	if (!path)
		return 0;
	r = bt_buf_append(list, path, strlen(path) + 1);
	for (int i = 0; i < 4 && !r; i++) {
		r = bt_buf_append(list, fields[i], strlen(fields[i]));
		if (!r)
			r = bt_buf_append(list, i < 3 ? " " : "", 1);
	}
	return r;
}

int bt_watch_mounts(int root, char **ret_mounts)
{
	char link[32], path[PATH_MAX];
	struct bt_buf list = {0};
	char *line = NULL;
	size_t size = 0;
	int r = 0;

	*ret_mounts = NULL;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", root);
	ssize_t length = readlink(link, path, sizeof(path) - 1);
	FILE *file = length > 0 ? fopen("/proc/self/mountinfo", "re") : NULL;
	if (!file)
		return 0;
	path[length] = '\0';
	for (length = getline(&line, &size, file); !r && length > 0; length = getline(&line, &size, file)) {
		line[length - 1] = '\0';
		r = add_line(&list, path, line);
	}
	if (!r)
		r = bt_buf_append(&list, "", 1);
	free(line);
	fclose(file);
	if (!r)
		*ret_mounts = (char *)list.data;
	else
		bt_buf_free(&list);
	return r;
}

static const char *next_mount(const char *mount)
{
	mount += strlen(mount) + 1;
	return mount + strlen(mount) + 1;
}

bool bt_watch_same_mounts(const char *a, const char *b)
{
	while (*a && strcmp(a, b) == 0 && strcmp(a + strlen(a) + 1, b + strlen(b) + 1) == 0) {
		a = next_mount(a);
		b = next_mount(b);
	}
	return *a == '\0' && *b == '\0';
}

bool bt_watch_is_mount(const char *mounts, const char *path)
{
	for (const char *mount = mounts; *mount; mount = next_mount(mount))
		if (strcmp(mount, path) == 0)
			return true;
	return false;
}

int bt_watch_add_mounts(const char *mounts, struct bt_changes *changes)
{
	int r = 0;

	for (const char *mount = mounts; *mount && !r; mount = next_mount(mount))
		r = bt_changes_add(changes, mount, true);
	return r;
}
