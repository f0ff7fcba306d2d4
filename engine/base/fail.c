/* SPDX-License-Identifier: MIT */
#include "base/fail.h"

#include "base/bytes.h"
#include "base/invariant.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As much as fits, cut between characters; bytes that form none may be cut anywhere. */
static void copy_text(char *target, size_t size, const char *source)
{
	size_t length = source ? strnlen(source, size) : 0;

	if (length == size) {
		size_t at = length = size - 1;

		for (size_t back = 0; back < 3 && at > 0 && ((unsigned char)source[at] & 0xc0) == 0x80; back++)
			at--;
		if (bt_utf8_length(source + at, strnlen(source + at, 4)) > 0)
			length = at;
	}
	if (length > 0)
		memcpy(target, source, length);
	target[length] = 0;
}

static int fill(struct bt_error *error, const struct bt_error *facts, const char *file, const char *what)
{
	if (error && error->code == BT_OK) {
		error->code = facts->code;
		error->reason = facts->reason;
		error->sys = facts->sys;
		error->offset = facts->offset;
		copy_text(error->file, sizeof(error->file), file);
		copy_text(error->detail, sizeof(error->detail), what);
	}
	return facts->code;
}

int bt_error_pass(struct bt_error *error, const struct bt_error *inner, int result)
{
	if (result && error && !error->code)
		*error = *inner;
	return result;
}

/* Codes only: an errno must not be handed on as a code. */
static void check_code(enum bt_code code)
{
#ifdef BT_INVARIANTS
	bt_invariant(!code || (code <= BT_E_SYSTEM && code >= BT_E_FOREIGN));
#endif
}

int bt_fail(struct bt_error *error, enum bt_code code, const char *file, const char *what)
{
	check_code(code);
	return fill(error, &(struct bt_error){.code = code, .offset = BT_NO_OFFSET}, file, what);
}

int bt_fail_sys(struct bt_error *error, int sys, const char *file, const char *what)
{
	if (sys == ENOMEM)
		return bt_fail(error, BT_E_NOMEM, file, what);
	return fill(error, &(struct bt_error){.code = BT_E_SYSTEM, .sys = sys, .offset = BT_NO_OFFSET}, file, what);
}

int bt_fail_sys_in(struct bt_error *error, int sys, int dirfd, const char *name, const char *what)
{
	char link[32], path[PATH_MAX + NAME_MAX + 2];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", dirfd);
	ssize_t length = readlink(link, path, PATH_MAX);
	if (length <= 0)
		return bt_fail_sys(error, sys, name, what);
	snprintf(path + length, sizeof(path) - (size_t)length, "%s%.*s", name ? "/" : "", NAME_MAX, name ? name : "");
	return bt_fail_sys(error, sys, path, what);
}

int bt_fail_lost(struct bt_error *error, const char *file, const char *what)
{
	return fill(error, &(struct bt_error){.code = BT_E_LOCKED, .sys = ENOLCK, .offset = BT_NO_OFFSET}, file, what);
}

int bt_fail_damaged(struct bt_error *error, enum bt_reason reason, const char *file, uint64_t offset)
{
	return fill(error, &(struct bt_error){.code = BT_E_DAMAGED, .reason = reason, .offset = offset}, file, NULL);
}

const char *bt_kind_name(int dirfd, const char *name)
{
	struct stat status;

	if (fstatat(dirfd, name, &status, AT_SYMLINK_NOFOLLOW))
		return "something else";
	switch (status.st_mode & S_IFMT) {
	case S_IFREG:
		return "a file";
	case S_IFDIR:
		return "a directory";
	case S_IFLNK:
		return "a symbolic link";
	case S_IFIFO:
		return "a pipe";
	case S_IFSOCK:
		return "a socket";
	default:
		return "a device";
	}
}

int bt_fail_kind(struct bt_error *error, enum bt_reason reason, int dirfd, const char *file)
{
	char what[64];

	snprintf(what, sizeof(what), "it is %s", bt_kind_name(dirfd, file));
	return fill(error, &(struct bt_error){.code = BT_E_DAMAGED, .reason = reason, .offset = BT_NO_OFFSET}, file,
		    what);
}

int bt_fail_open(struct bt_error *error, int sys, int dirfd, const char *file)
{
	return sys == EMEDIUMTYPE ? bt_fail_kind(error, BT_R_NOT_A_FILE, dirfd, file)
				  : bt_fail_sys(error, sys, file, "open");
}

void bt_error_in_file(struct bt_error *error, const char *file, uint64_t base_offset)
{
	if (!error || error->code != BT_E_DAMAGED || error->file[0])
		return;
	copy_text(error->file, sizeof(error->file), file);
	if (error->offset != BT_NO_OFFSET && bt_add_overflows(error->offset, base_offset, &error->offset))
		error->offset = BT_NO_OFFSET;
}
