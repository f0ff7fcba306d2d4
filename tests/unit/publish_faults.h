/* SPDX-License-Identifier: MIT */
/* What fails below publishing, and the files to begin with. */
#ifndef BT_TESTS_PUBLISH_FAULTS_H
#define BT_TESTS_PUBLISH_FAULTS_H

#include "publish_place.h"

#include "base/publish.h"
#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>

/* Every fsync of the code under test comes by here (-Wl,--wrap=fsync), from any thread. */
static pthread_mutex_t syncs_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	struct {
		bool directory, named; /* what is synced; "final" was there already */
	} calls[2];		       /* the last two */
	unsigned count;
	int dirfd;
	int fail_file, fail_directory; /* an errno, or 0 */
} syncs;

int __real_fsync(int fd); /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): --wrap wants it */
int __wrap_fsync(int fd); /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

int __wrap_fsync(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	bool directory = S_ISDIR(st.st_mode);
	int fail = directory ? syncs.fail_directory : syncs.fail_file;
	pthread_mutex_lock(&syncs_lock);
	syncs.calls[syncs.count % 2].directory = directory;
	syncs.calls[syncs.count++ % 2].named = faccessat(syncs.dirfd, "final", F_OK, 0) == 0;
	pthread_mutex_unlock(&syncs_lock);
	errno = fail;
	return fail ? -1 : __real_fsync(fd);
}

/* So do linkat, where that which gives an unnamed file its name has flags, renameat2 and getrandom. */
static int fail_link, fail_unnamed, fail_rename, fail_random; /* an errno, or 0 */

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
int __real_linkat(int from, const char *path, int to, const char *name, int flags);
int __wrap_linkat(int from, const char *path, int to, const char *name, int flags);
int __real_renameat2(int from, const char *path, int to, const char *name, unsigned flags);
int __wrap_renameat2(int from, const char *path, int to, const char *name, unsigned flags);
ssize_t __real_getrandom(void *data, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *data, size_t size, unsigned flags);
int __real_unlinkat(int dirfd, const char *name, int flags);
int __wrap_unlinkat(int dirfd, const char *name, int flags);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

int __wrap_linkat(int from, const char *path, int to, const char *name, int flags)
{
	errno = flags ? fail_unnamed : fail_link;
	return errno ? -1 : __real_linkat(from, path, to, name, flags);
}

int __wrap_renameat2(int from, const char *path, int to, const char *name, unsigned flags)
{
	errno = fail_rename;
	return fail_rename ? -1 : __real_renameat2(from, path, to, name, flags);
}

ssize_t __wrap_getrandom(void *data, size_t size, unsigned flags)
{
	errno = fail_random;
	return fail_random ? -1 : __real_getrandom(data, size, flags);
}

/* Of a temporary file, once. ENOENT: somebody else was first. */
static int fail_unlink;

int __wrap_unlinkat(int dirfd, const char *name, int flags)
{
	int fail = strncmp(name, ".tmp-", 5) == 0 ? fail_unlink : 0;

	if (!fail)
		return __real_unlinkat(dirfd, name, flags);
	if (fail == ENOENT)
		assert_int_equal(__real_unlinkat(dirfd, name, flags), 0);
	fail_unlink = 0;
	errno = fail;
	return -1;
}

typedef int begin_function(struct bt_publish *publish, int dirfd, struct bt_error *error);
static begin_function *const begins[] = {bt_publish_begin, bt_publish_begin_named};

static inline struct bt_publish begin_with(begin_function *begin, int dirfd, const char *content)
{
	struct bt_publish publish = {0};

	assert_int_equal(begin(&publish, dirfd, NULL), 0);
	assert_int_equal(bt_write_all(publish.fd, content, strlen(content)), 0);
	return publish;
}

static inline int commit_with(begin_function *begin, int dirfd, int fail_file, int fail_directory)
{
	syncs.count = 0;
	syncs.dirfd = dirfd;
	struct bt_publish publish = begin_with(begin, dirfd, "content");
	syncs.fail_file = fail_file;
	syncs.fail_directory = fail_directory;
	int r = bt_publish_commit(&publish, "final", NULL);
	syncs.fail_file = syncs.fail_directory = 0;
	bt_publish_abort(&publish);
	return r;
}

#endif
