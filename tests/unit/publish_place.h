/* SPDX-License-Identifier: MIT */
/* A new directory for each test. */
#ifndef BT_TESTS_PUBLISH_PLACE_H
#define BT_TESTS_PUBLISH_PLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct place {
	char path[64];
	int fd;
};

static inline int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	strcpy(place->path, "/tmp/bt-test-XXXXXX");
	if (!mkdtemp(place->path))
		return -1;
	place->fd = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = place;
	return place->fd < 0 ? -1 : 0;
}

/* Counts the entries, and removes them when asked to. */
static inline int entries(int dirfd, bool remove)
{
	DIR *directory = fdopendir(openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	int count = 0;

	for (struct dirent *entry; (entry = readdir(directory));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		count++;
		if (remove && unlinkat(dirfd, entry->d_name, 0) < 0)
			unlinkat(dirfd, entry->d_name, AT_REMOVEDIR);
	}
	closedir(directory);
	return count;
}

static inline int tear_down(void **state)
{
	struct place *place = *state;

	entries(place->fd, true);
	close(place->fd);
	rmdir(place->path);
	free(place);
	return 0;
}

static inline void assert_content(int dirfd, const char *name, const char *content)
{
	char data[64] = {0};
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(bt_read_some(fd, data, sizeof(data) - 1), strlen(content));
	assert_string_equal(data, content);
	close(fd);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
