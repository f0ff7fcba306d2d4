/* SPDX-License-Identifier: MIT */
#include "restore/meta.h"
#include "base/fail.h"
#include "restore/flags.h"
#include "source/xattrs.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#define LIST_MAX ((size_t)64 << 10)

/* A file by its descriptor. System calls that take no O_PATH descriptor go through its name in /proc, which leads to
 * the file whatever happened to its names. */
struct subject {
	struct bt_restore_run *run;
	struct bt_place *place;
	const char *name;
	const struct bt_entry *entry;
	int fd;
	bool path, read_only, crowded; /* the last two: a problem of the file system that was reported */
	char proc[32];
};

static void tell(struct subject *subject, const char *what)
{
	if (subject->read_only)
		return;
	subject->read_only = errno == EROFS;
	bt_tell_sys(&subject->run->tell, subject->place, subject->name, errno, what);
}

static uint32_t uid_of(const struct bt_restore_run *run, const struct bt_entry *entry)
{
	return bt_restore_owner(&run->owners, BT_OWNER_USER, entry->uid);
}

static uint32_t gid_of(const struct bt_restore_run *run, const struct bt_entry *entry)
{
	return bt_restore_owner(&run->owners, BT_OWNER_GROUP, entry->gid);
}

static bool no_right(int sys)
{
	return sys == EPERM || sys == EACCES;
}

/* The mode without setuid bits if the owner could not be set: they are for nobody else. */
static mode_t safe_mode(const struct bt_entry *entry, bool uid_set, bool gid_set)
{
	mode_t mode = entry->mode & 07777;

	if (!uid_set)
		mode &= (mode_t)~S_ISUID;
	if (!gid_set)
		mode &= (mode_t)~S_ISGID;
	return mode;
}

/* A file that this run made has an owner already: a directory's was looked at then, and what is made in it gets the
 * same (but in a setgid directory). */
static bool born_right(const struct subject *subject, uint32_t uid, uint32_t gid)
{
	const struct stat *made = &subject->place->before;

	if (!subject->place->fresh || (subject->name && (made->st_mode & S_ISGID)))
		return false;
	return made->st_uid == uid && made->st_gid == gid;
}

/* What stays with the user of the process has no setuid bits that are for another one. */
static mode_t leave_owner(const struct subject *subject)
{
	const struct bt_entry *entry = subject->entry;
	struct stat status;

	if (fstat(subject->fd, &status))
		return safe_mode(entry, false, false);
	return safe_mode(entry, status.st_uid == entry->uid, status.st_gid == entry->gid);
}

static mode_t set_owner(struct subject *subject)
{
	const struct bt_entry *entry = subject->entry;
	const int flags = AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW;
	uint32_t uid = uid_of(subject->run, entry), gid = gid_of(subject->run, entry);
	struct stat status;

	if (subject->run->owners.leave)
		return leave_owner(subject);
	if (born_right(subject, uid, gid))
		return safe_mode(entry, true, true);
	if (fchownat(subject->fd, "", uid, gid, flags) == 0)
		return safe_mode(entry, true, true);
	if (!no_right(errno) && errno != EINVAL) { /* EINVAL: not in this user namespace */
		tell(subject, "set the owner");
		return safe_mode(entry, false, false);
	}
	(void)!fchownat(subject->fd, "", (uid_t)-1, gid, flags);
	if (fstat(subject->fd, &status))
		return safe_mode(entry, false, false);
	bool uid_set = status.st_uid == uid, gid_set = status.st_gid == gid;
	if (!uid_set || !gid_set)
		bt_tell_lack(&subject->run->tell, BT_LACK_OWNER, subject->place, subject->name);
	return safe_mode(entry, uid_set, gid_set);
}

static bool begins(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

/* Attributes of the file itself, not of the system that it is on. */
static bool is_own(const char *name)
{
	return begins(name, "user.") || begins(name, "system.posix_acl_");
}

static const struct bt_xattr *find_xattr(const struct bt_entry *entry, const char *name)
{
	size_t length = strlen(name);

	for (uint32_t i = 0; entry->extra && i < entry->extra->xattr_count; i++) {
		const struct bt_xattr *xattr = &entry->extra->xattrs[i];

		if (xattr->name_length == length && memcmp(xattr->name, name, length) == 0)
			return xattr;
	}
	return NULL;
}

/* Attributes to remove if the snapshot does not have them. Others in security, such as labels, are the system's. */
static bool is_extra(const struct bt_restore_run *run, const struct bt_entry *entry, const char *name)
{
	bool privileged = begins(name, "trusted.") || strcmp(name, "security.capability") == 0;

	return (is_own(name) || (privileged && run->privileged)) && !bt_xattr_is_derived(name) &&
	       !find_xattr(entry, name);
}

/* Many file systems limit the attributes of one file, whatever space is free. */
static void tell_no_room(struct subject *subject)
{
	struct bt_error error = {0};

	if (subject->crowded)
		return;
	subject->crowded = true;
	bt_fail(&error, BT_E_UNSUPPORTED, NULL, "the file system has no room for such an attribute");
	bt_tell_problem(&subject->run->tell, subject->place, subject->name, &error);
}

static int put_xattr(const struct subject *subject, const char *name, const struct bt_xattr *xattr)
{
	struct bt_restored_xattr here;

	if (bt_restore_xattr(&subject->run->owners, xattr, &here)) {
		errno = ENOMEM;
		return -1;
	}
	int r = subject->path ? setxattr(subject->proc, name, here.xattr.value, here.xattr.value_length, 0)
			      : fsetxattr(subject->fd, name, here.xattr.value, here.xattr.value_length, 0);
	int sys = errno;
	free(here.made);
	errno = sys;
	return r;
}

static void set_xattr(struct subject *subject, const struct bt_xattr *xattr)
{
	char name[256];

	memcpy(name, xattr->name, xattr->name_length);
	name[xattr->name_length] = 0;
	if (bt_xattr_is_derived(name)) /* earlier versions recorded them */
		return;
	if (!put_xattr(subject, name, xattr))
		return;
	if (no_right(errno) && !is_own(name))
		bt_tell_lack(&subject->run->tell, BT_LACK_PRIVILEGED, subject->place, subject->name);
	else if (errno == ENOTSUP)
		bt_tell_lack(&subject->run->tell, BT_LACK_XATTR, subject->place, subject->name);
	else if (errno == ENOSPC || errno == EDQUOT || errno == E2BIG || errno == ERANGE)
		tell_no_room(subject);
	else
		tell(subject, "set an extended attribute");
}

static void strip_xattrs(struct subject *subject)
{
	ssize_t length = subject->path ? listxattr(subject->proc, NULL, 0) : flistxattr(subject->fd, NULL, 0);

	if (length <= 0)
		return;
	char *names = malloc(LIST_MAX);
	if (!names)
		return;
	length = subject->path ? listxattr(subject->proc, names, LIST_MAX) : flistxattr(subject->fd, names, LIST_MAX);
	for (const char *name = names; length > 0 && name < names + length; name += strlen(name) + 1) {
		if (!is_extra(subject->run, subject->entry, name))
			continue;
		int r = subject->path ? removexattr(subject->proc, name) : fremovexattr(subject->fd, name);
		if (r && no_right(errno) && !is_own(name))
			bt_tell_lack(&subject->run->tell, BT_LACK_PRIVILEGED, subject->place, subject->name);
		else if (r && errno != ENODATA)
			tell(subject, "remove an extended attribute");
	}
	free(names);
}

static void set_mode(struct subject *subject, mode_t mode)
{
	if (subject->entry->type == BT_SYMLINK)
		return;
	if (subject->path ? chmod(subject->proc, mode) : fchmod(subject->fd, mode))
		tell(subject, "set the mode");
}

/* The resolution that a file system needs to hold this time, and the time as it shows it then. */
static unsigned needed_times(const struct bt_time *mtime)
{
	return mtime->nanoseconds ? BT_TIMES_NANOSECONDS : BT_TIMES_SECONDS;
}

static unsigned shown_times(const struct bt_time *mtime)
{
	if (mtime->nanoseconds % 1000)
		return BT_TIMES_NANOSECONDS;
	return !mtime->nanoseconds && mtime->seconds % 2 ? BT_TIMES_SECONDS : BT_TIMES_UNKNOWN;
}

/* Reads the time back, until the directory was seen to keep times of this resolution; a time beyond 32 bits is always
 * read back. */
static void check_times(struct subject *subject)
{
	const struct bt_time *mtime = &subject->entry->mtime;
	struct stat status;

	if (atomic_load(&subject->place->kept_times) >= needed_times(mtime) && mtime->seconds >= 0 &&
	    mtime->seconds <= INT32_MAX)
		return;
	if (fstat(subject->fd, &status))
		return;
	if (!bt_mtime_equal(subject->entry, &status))
		bt_tell_lack(&subject->run->tell, BT_LACK_TIME, subject->place, subject->name);
	else if (shown_times(mtime) > atomic_load(&subject->place->kept_times))
		atomic_store(&subject->place->kept_times, shown_times(mtime));
}

static void set_times(struct subject *subject)
{
	const struct bt_time *mtime = &subject->entry->mtime;
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
					  {.tv_sec = mtime->seconds, .tv_nsec = mtime->nanoseconds}};
	int r = subject->path ? utimensat(subject->fd, "", times, AT_EMPTY_PATH) : futimens(subject->fd, times);

	if (r && subject->path && errno == EINVAL && subject->entry->type != BT_SYMLINK)
		r = utimensat(AT_FDCWD, subject->proc, times, 0); /* before Linux 5.8 */
	if (r)
		tell(subject, "set the modification time");
	else
		check_times(subject);
}

/* Existing metadata that this process may not change is left alone. */
static bool is_forbidden(struct subject *subject, unsigned flags)
{
	if (!(flags & BT_META_STRIP) || (flags & BT_META_RENAMED) || subject->path ||
	    !bt_inode_forbids(subject->fd, ""))
		return false;
	bt_tell_forbidden(&subject->run->tell, subject->place, subject->name);
	return true;
}

static void set_inode(struct subject *subject, unsigned flags)
{
	if (subject->path || bt_inode_set(subject->fd, subject->entry, flags & BT_META_RENAMED))
		return;
	bt_tell_lack(&subject->run->tell, BT_LACK_FLAGS, subject->place, subject->name);
}

void bt_meta_seal(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_entry *entry)
{
	if (!bt_inode_seal(dirfd, entry))
		bt_tell_lack(&run->tell, BT_LACK_FLAGS, place, entry->name);
}

void bt_meta_apply(struct bt_restore_run *run, struct bt_place *place, const char *name, int fd,
		   const struct bt_entry *entry, unsigned flags)
{
	struct subject subject = {
		.run = run, .place = place, .name = name, .entry = entry, .fd = fd, .path = flags & BT_META_PATH};

	if (subject.path)
		snprintf(subject.proc, sizeof(subject.proc), "/proc/self/fd/%d", fd);
	if (is_forbidden(&subject, flags))
		return;
	mode_t mode = set_owner(&subject);
	if (flags & BT_META_STRIP)
		strip_xattrs(&subject);
	for (uint32_t i = 0; entry->extra && i < entry->extra->xattr_count; i++)
		set_xattr(&subject, &entry->extra->xattrs[i]);
	set_mode(&subject, mode);
	set_times(&subject);
	set_inode(&subject, flags);
}

int bt_mtime_compare(const struct bt_entry *entry, const struct stat *status)
{
	const struct timespec *there = &status->st_mtim;
	uint32_t nanoseconds = (uint32_t)there->tv_nsec;

	if (entry->mtime.seconds != there->tv_sec)
		return entry->mtime.seconds < there->tv_sec ? -1 : 1;
	return (entry->mtime.nanoseconds > nanoseconds) - (entry->mtime.nanoseconds < nanoseconds);
}

bool bt_mtime_equal(const struct bt_entry *entry, const struct stat *status)
{
	return bt_mtime_compare(entry, status) == 0;
}

static bool xattr_equal(const struct bt_restore_run *run, const char *path, const struct bt_xattr *xattr)
{
	struct bt_restored_xattr here;

	if (bt_restore_xattr(&run->owners, xattr, &here))
		return false;
	bool equal = bt_xattr_equal(path, &here.xattr);
	free(here.made);
	return equal;
}

/* All attributes that this process may set are equal, and it would remove none. */
static bool xattrs_equal(const struct bt_restore_run *run, const char *path, const struct bt_entry *entry,
			 ssize_t length)
{
	char *names = malloc(LIST_MAX);
	bool equal = names;

	length = equal ? llistxattr(path, names, LIST_MAX) : -1;
	for (const char *name = names; equal && length > 0 && name < names + length; name += strlen(name) + 1)
		equal = !is_extra(run, entry, name);
	free(names);
	for (uint32_t i = 0; equal && entry->extra && i < entry->extra->xattr_count; i++) {
		const struct bt_xattr *xattr = &entry->extra->xattrs[i];

		if ((run->privileged || is_own(xattr->name)) && !bt_xattr_is_derived(xattr->name))
			equal = xattr_equal(run, path, xattr);
	}
	return equal;
}

bool bt_meta_owner_equal(const struct bt_restore_run *run, const struct bt_entry *entry, const struct stat *status)
{
	if (run->owners.leave)
		return true;
	return status->st_uid == uid_of(run, entry) && status->st_gid == gid_of(run, entry);
}

bool bt_meta_equal(const struct bt_restore_run *run, int dirfd, const char *name, const struct bt_entry *entry,
		   const struct stat *status)
{
	char path[320];
	bool uid_equal = status->st_uid == uid_of(run, entry), gid_equal = status->st_gid == gid_of(run, entry);

	if (run->privileged && !bt_meta_owner_equal(run, entry, status))
		return false;
	if (entry->type != BT_SYMLINK && (status->st_mode & 07777) != safe_mode(entry, uid_equal, gid_equal))
		return false;
	/* Nothing is written through this path, and its last component is not followed. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dirfd, name);
	if (entry->type <= BT_DIR && !bt_inode_equal(dirfd, name, entry))
		return false;
	ssize_t length = llistxattr(path, NULL, 0);
	if (length <= 0 && (!entry->extra || !entry->extra->xattr_count))
		return true;
	return xattrs_equal(run, path, entry, length);
}
