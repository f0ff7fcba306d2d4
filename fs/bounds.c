/* SPDX-License-Identifier: MIT */
#include "bounds.h"
#include <backuptool/confine.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

/* Every file of the store stays open, as far as possible. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

#define OTHER_DESCRIPTORS 64 /* descriptors for other purposes than the store's files */
#define FILES_LEAST	  8
#define FILES_MOST	  (1u << 20)

unsigned bounds_store_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur <= OTHER_DESCRIPTORS + FILES_LEAST)
		return FILES_LEAST;
	rlim_t files = limit.rlim_cur - OTHER_DESCRIPTORS;
	return files < FILES_MOST ? (unsigned)files : FILES_MOST;
}

/* One heap for all threads, which grows in large steps. Large blocks are apart from it, so that it is not
 * fragmented. */
static void tune_memory(void)
{
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TOP_PAD, 1 << 20);
	mallopt(M_MMAP_THRESHOLD, 256 << 10);
	mallopt(M_TRIM_THRESHOLD, 4 << 20);
}

void bounds_raise(void)
{
	raise_descriptors();
	tune_memory();
}

/* Data that was read stays in the kernel's cache; this one is for data that will be read soon. */
#define CACHE_DEFAULT ((size_t)32 << 20)
/* The engine caches up to this much of directories besides; the user is told one number for both. */
#define PAGES_CACHE   ((size_t)16 << 20)
#define CACHE_LEAST   ((size_t)8 << 20)

size_t bounds_blocks_cache(size_t wanted)
{
	size_t all = wanted ? wanted : CACHE_DEFAULT;

	return all > PAGES_CACHE + CACHE_LEAST ? all - PAGES_CACHE : CACHE_LEAST;
}

int bounds_open_read_ahead(dev_t device)
{
	char path[80];

	if (geteuid() != 0)
		return -1;
	snprintf(path, sizeof(path), "/sys/class/bdi/%u:%u/read_ahead_kb", major(device), minor(device));
	return open(path, O_WRONLY | O_CLOEXEC);
}

/* An fd, or -1 if it cannot be opened, for instance on a read-only file system. The derived files belong to the owner
 * of the store. */
static int open_derived(int store_fd)
{
	struct stat store;

	if (mkdirat(store_fd, "cache", 0700) == 0 && fstat(store_fd, &store) == 0 && store.st_uid != geteuid() &&
	    fchownat(store_fd, "cache", store.st_uid, store.st_gid, AT_SYMLINK_NOFOLLOW) != 0)
		unlinkat(store_fd, "cache", AT_REMOVEDIR);
	return openat(store_fd, "cache", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int bounds_confine(int store_fd, struct bt_error *error)
{
	/* the meaning of "@TIME" depends on the time zone, which may change while the mount lives */
	int zones = open("/usr/share/zoneinfo", O_PATH | O_DIRECTORY | O_CLOEXEC), derived = open_derived(store_fd);
	const int readable[] = {store_fd, zones};
	const struct bt_confinement limits = {.readable = readable,
					      .readable_count = zones < 0 ? 1 : 2,
					      .writable = &derived,
					      .writable_count = derived < 0 ? 0 : 1};

	tzset();
	int code = bt_confine(&limits, NULL, error);
	if (zones >= 0)
		close(zones);
	if (derived >= 0)
		close(derived);
	return code;
}
