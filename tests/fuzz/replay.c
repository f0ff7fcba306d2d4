/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target over files and over all files of directories: the committed inputs, in every test run. */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { LARGEST_INPUT = 64 << 20 };

static bool read_file(const char *path, uint8_t **ret_data, size_t *ret_size)
{
	FILE *file = fopen(path, "rbe");
	struct stat st;
	bool ok = false;

	if (!file)
		return false;
	if (fstat(fileno(file), &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= LARGEST_INPUT) {
		size_t size = (size_t)st.st_size;
		uint8_t *data = malloc(size > 0 ? size : 1); /* exactly, so that reading beyond it is seen */

		ok = data && fread(data, 1, size, file) == size;
		if (ok) {
			*ret_data = data;
			*ret_size = size;
		} else {
			free(data);
		}
	}
	fclose(file);
	return ok;
}

static int replay_file(const char *path)
{
	uint8_t *data;
	size_t size;

	if (!read_file(path, &data, &size)) {
		fprintf(stderr, "%s: cannot be read\n", path);
		return -1;
	}
	printf("%s\n", path);
	fflush(stdout); /* so that a crash shows which one it was */
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 1;
}

/* Number of inputs, or -1. */
static int replay_directory(const char *path)
{
	DIR *directory = opendir(path);
	int count = 0;

	if (!directory) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	for (struct dirent *entry; count >= 0 && (entry = readdir(directory));) {
		char file[4096];

		if (entry->d_name[0] == '.')
			continue;
		int n = snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		if (n < 0 || (size_t)n >= sizeof(file) || replay_file(file) < 0)
			count = -1;
		else
			count++;
	}
	closedir(directory);
	return count;
}

int main(int argc, char **argv)
{
	int total = 0;

	for (int i = 1; i < argc; i++) {
		struct stat st;
		bool directory = stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode);
		int count = directory ? replay_directory(argv[i]) : replay_file(argv[i]);

		if (count < 0)
			return 1;
		total += count;
	}
	printf("%d inputs\n", total);
	return total > 0 ? 0 : 1; /* an empty corpus tests nothing */
}
