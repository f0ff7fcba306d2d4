/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/listing.h"
#include "base/vec.h"
#include "scan/private.h"
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS_SIZE ((size_t)64 << 10)

static int add_name(struct bt_scan_scratch *scratch, const struct dirent64 *record)
{
	const char *name = record->d_name;
	size_t length = strlen(name);

	if (name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.')))
		return 0;
	if (scratch->names.length > BT_NAMES_MAX)
		return EOVERFLOW;
	if (bt_vec_room(scratch->keys, scratch->count, scratch->capacity) != 0)
		return BT_E_NOMEM;
	scratch->keys[scratch->count++] = (struct bt_scan_key){
		.offset = scratch->names.length, .length = (uint16_t)length, .type = record->d_type};
	return bt_buf_append(&scratch->names, name, length + 1);
}

int bt_scan_gather(struct bt_scan *scan, int fd, struct bt_scan_scratch *scratch)
{
	if (!scratch->records)
		scratch->records = malloc(RECORDS_SIZE);
	if (!scratch->records)
		return BT_E_NOMEM;
	scratch->count = 0;
	scratch->names.length = 0;
	for (;;) {
		ssize_t size = getdents64(fd, scratch->records, RECORDS_SIZE);

		if (size == 0)
			return 0;
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return errno;
		if (atomic_load_explicit(&scan->stopping, memory_order_relaxed))
			return BT_E_CANCELLED;
		for (ssize_t at = 0; at < size;) {
			const struct dirent64 *record = (const void *)(scratch->records + at);
			int r = add_name(scratch, record);

			if (r)
				return r;
			at += record->d_reclen;
		}
	}
}

/* How many first bytes all names share. */
static size_t shared_length(const struct bt_scan_scratch *scratch)
{
	const char *first = bt_scan_name(scratch, &scratch->keys[0]);
	size_t shared = scratch->keys[0].length;

	for (size_t i = 1; i < scratch->count && shared > 0; i++) {
		const char *name = bt_scan_name(scratch, &scratch->keys[i]);
		size_t same = 0;

		while (same < shared && name[same] == first[same])
			same++;
		shared = same;
	}
	return shared;
}

/* Names have no NUL, so the zeros after a short name sort it first. */
static void set_prefixes(struct bt_scan_scratch *scratch)
{
	size_t shared = shared_length(scratch);

	for (size_t i = 0; i < scratch->count; i++) {
		struct bt_scan_key *key = &scratch->keys[i];
		size_t length = key->length - shared;
		uint64_t prefix = 0;

		memcpy(&prefix, bt_scan_name(scratch, key) + shared, length < sizeof(prefix) ? length : sizeof(prefix));
		key->prefix = be64toh(prefix);
	}
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct bt_scan_key *left = a, *right = b;

	if (left->prefix != right->prefix)
		return left->prefix < right->prefix ? -1 : 1;
	return bt_name_compare(bt_scan_name(arg, left), left->length, bt_scan_name(arg, right), right->length);
}

static bool increasing(struct bt_scan_scratch *scratch)
{
	for (size_t i = 1; i < scratch->count; i++)
		if (compare(&scratch->keys[i - 1], &scratch->keys[i], scratch) >= 0)
			return false;
	return true;
}

void bt_scan_sort(struct bt_scan_scratch *scratch)
{
	size_t kept = 0;

	if (scratch->count == 0)
		return;
	set_prefixes(scratch);
	if (increasing(scratch))
		return;
	qsort_r(scratch->keys, scratch->count, sizeof(*scratch->keys), compare, scratch);
	/* A name that is moved while the directory is read may come twice. */
	for (size_t i = 1; i < scratch->count; i++)
		if (compare(&scratch->keys[kept], &scratch->keys[i], scratch) != 0)
			scratch->keys[++kept] = scratch->keys[i];
	scratch->count = kept + 1;
}

void bt_scan_scratch_free(struct bt_scan_scratch *scratch)
{
	free(scratch->records);
	free(scratch->keys);
	bt_buf_free(&scratch->names);
	bt_buf_free(&scratch->path);
	bt_buf_free(&scratch->told);
	*scratch = (struct bt_scan_scratch){0};
}
