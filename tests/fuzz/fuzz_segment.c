/* SPDX-License-Identifier: MIT */
/* A segment of the derived index: refused, or lookups and merges stay inside of it. Tried as it is, and with its
 * checksum put right. */
#include "base/bytes.h"
#include "base/io.h"
#include "fuzz.h"
#include "put_sums.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void look_up(struct bt_segment *segment)
{
	struct bt_location locations[4];
	struct bt_digest digest = {{0}};

	for (size_t i = 0; i < segment->file_count; i++)
		segment->files[i].file = (uint32_t)i;
	for (unsigned i = 0; i < 256; i++) {
		digest.bytes[0] = (unsigned char)i;
		bt_segment_find(segment, &digest, i & 1, locations, 4);
	}
	for (uint64_t i = 0; segment->records && i < segment->count && i < 1000; i++) {
		size_t found = bt_segment_find(segment, &segment->records[i].digest, false, locations, 4);

		for (size_t k = 0; k < found; k++)
			FUZZ_CHECK(locations[k].file < segment->file_count);
	}
}

static void try_segment(int dirfd, const uint8_t *data, size_t size)
{
	struct bt_segment *segment, *merged;
	int fd = openat(dirfd, "segment", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	FUZZ_CHECK(fd >= 0 && !bt_write_all(fd, data, size));
	close(fd);
	if (bt_segment_open(dirfd, "segment", &segment))
		return;
	look_up(segment);
	if (!bt_segment_merge(-1, (struct bt_segment *[]){segment, segment}, 2, &merged)) {
		look_up(merged);
		bt_segment_free(merged);
	}
	bt_segment_free(segment);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[] = "/tmp/bt-segment-XXXXXX";
	uint8_t *copy = malloc(size + 1);
	int dirfd = mkdtemp(path) ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	FUZZ_CHECK(copy && dirfd >= 0);
	memcpy(copy, data, size);
	try_segment(dirfd, data, size);
	put_sums(copy, size);
	try_segment(dirfd, copy, size);
	free(copy);
	unlinkat(dirfd, "segment", 0);
	close(dirfd);
	rmdir(path);
	return 0;
}
