/* SPDX-License-Identifier: MIT */
/*
 * toy_writer HOW DIR NAME SIZE: writes DIR/NAME.json of that many letters, and prints "ACK NAME" when it is there to
 * stay. Only with HOW = good that is true; the others are what a harness for power cuts or for faults must catch:
 *   in-place    writes under the final name
 *   no-fsync    renames what was never flushed
 *   no-dirsync  does not flush the directory
 *   careless    does not look at what a write gives
 * All flush the file system when half is written, as a journal that is flushed from time to time might. Without
 * arguments nothing is done.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PART (16 << 10)

static bool write_letters(int fd, size_t size, bool careless)
{
	char part[PART];

	for (size_t at = 0; at < size;) {
		size_t length = size - at < PART ? size - at : PART;

		for (size_t i = 0; i < length; i++)
			part[i] = (char)('A' + ((at + i) * 7 + (at + i) / 13) % 26);
		ssize_t put = write(fd, part, length);
		if (careless)
			put = (ssize_t)length;
		if (put <= 0)
			return false;
		if (at < size / 2 && at + (size_t)put >= size / 2 && syncfs(fd))
			return false;
		at += (size_t)put;
	}
	return true;
}

static bool write_file(int dirfd, const char *how, const char *name, size_t size)
{
	char temporary[256], final[256];
	bool in_place = !strcmp(how, "in-place"), flush = strcmp(how, "no-fsync") != 0;

	snprintf(temporary, sizeof(temporary), ".tmp-%s", name);
	snprintf(final, sizeof(final), "%s.json", name);
	int fd = openat(dirfd, in_place ? final : temporary, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 || !write_letters(fd, size, !strcmp(how, "careless")) || write(fd, "\n", 1) != 1)
		return false;
	if ((flush && fsync(fd)) || close(fd))
		return false;
	if (!in_place && renameat(dirfd, temporary, dirfd, final))
		return false;
	return !flush || !strcmp(how, "no-dirsync") || !fsync(dirfd);
}

int main(int argc, char **argv)
{
	int dirfd = argc == 5 ? open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (argc == 1)
		return 0;
	if (dirfd < 0 || !write_file(dirfd, argv[1], argv[3], strtoul(argv[4], NULL, 10))) {
		perror("toy_writer");
		return 1;
	}
	printf("ACK %s\n", argv[3]);
	return fflush(stdout) ? 1 : 0;
}
