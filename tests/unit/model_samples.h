/* SPDX-License-Identifier: MIT */
/* Entries of every type and extreme, sorted by name, and pages made of them. */
#ifndef BT_TESTS_MODEL_SAMPLES_H
#define BT_TESTS_MODEL_SAMPLES_H

#include "model/owners.h"
#include "model/page.h"
#include "json/write.h"

#include <stdlib.h>
#include <string.h>

#define DIGEST_A                                                                                                       \
	{                                                                                                              \
		{                                                                                                      \
			0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef                                                 \
		}                                                                                                      \
	}
#define DIGEST_B                                                                                                       \
	{                                                                                                              \
		{                                                                                                      \
			0xff, 0xfe, 0xfd                                                                               \
		}                                                                                                      \
	}

/* The page of a directory without entries. */
#define DIGEST_EMPTY                                                                                                   \
	{                                                                                                              \
		{                                                                                                      \
			0xd8, 0x01, 0xaa, 0x1f, 0xb7, 0xdd, 0xcc, 0x33, 0x0a, 0x5e, 0x31, 0x73, 0x37, 0x2e, 0xa6,      \
				0xaf, 0x4a, 0x3d, 0x08, 0xec, 0x58, 0x07, 0x44, 0x78, 0xe8, 0x5a, 0xa5, 0x60, 0x3e,    \
				0x92, 0x66, 0x58                                                                       \
		}                                                                                                      \
	}

#define NAME_50	 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
#define NAME_255 NAME_50 NAME_50 NAME_50 NAME_50 NAME_50 "12345"

static const struct bt_chunk sample_chunks[] = {{DIGEST_A, 1048576}, {DIGEST_B, 1}};
static const struct bt_chunk sample_pages[] = {{DIGEST_B, INT64_C(1) << 60}, {DIGEST_A, UINT64_C(9007199254740993)}};
static const struct bt_extent whole_hole[] = {{0, INT64_MAX}};
static const struct bt_xattr sample_xattrs[] = {
	{"security.capability", (const unsigned char *)"\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 19, 20},
	{"system.posix_acl_access",
	 (const unsigned char *)"\2\0\0\0\1\0\6\0\377\377\377\377\4\0\4\0\377\377\377\377 \0\4\0\377\377\377\377", 23,
	 28},
	{"user.\xc3\xa9mpty", (const unsigned char *)"", 11, 0},
	{"user.\xff\xfe", (const unsigned char *)"text", 7, 4},
};

/* Members of a newer program. */
#define FURTHER ",\"one\":null,\"two\":[-1,{},[],{\"a\":\"\\u0000\\\"\xc3\xa9\",\"b\":[true,false]}],\"three\":\"\""

static const struct bt_extra extra_chunks = {.has_chunks = true, .chunks = sample_chunks, .chunk_count = 2};
static const struct bt_extra extra_pages = {
	.chunk_pages = sample_pages, .chunk_page_count = 2, .inode = UINT64_MAX, .links = 2, .dev = UINT64_MAX};
static const struct bt_extra extra_holes = {.has_chunks = true,
					    .chunks = sample_chunks,
					    .chunk_count = 1,
					    .holes = (const struct bt_extent[]){{0, 4096}, {8192, 1}},
					    .hole_count = 2};
static const struct bt_extra extra_hole = {.has_chunks = true, .holes = whole_hole, .hole_count = 1};
static const struct bt_extra extra_error = {.error = "EACCES"};
static const struct bt_extra extra_link = {.target = "../\xc3\xa9\n\"\\", .target_length = 8};
static const struct bt_extra extra_link_raw = {.target = "\xff/\x80", .target_length = 3, .inode = 7, .links = 3};
static const struct bt_extra extra_device = {.dev_major = UINT32_MAX, .dev_minor = 0};
static const struct bt_extra extra_xattrs = {.xattrs = sample_xattrs, .xattr_count = 4};
static const struct bt_extra extra_further = {.further = FURTHER};
static const struct bt_extra extra_born = {.has_btime = true};
static const struct bt_extra extra_torn = {.torn = true};
static const struct bt_extra extra_boundary = {.boundary = "fuse.sshfs", .flags = 0x40, .project = 1};
static const struct bt_extra extra_all = {.has_chunks = true,
					  .chunks = sample_chunks,
					  .chunk_count = 2,
					  .holes = (const struct bt_extent[]){{5, 5}},
					  .hole_count = 1,
					  .inode = 1,
					  .links = 2,
					  .dev = 1,
					  .xattrs = sample_xattrs,
					  .xattr_count = 4,
					  .flags = BT_INODE_FLAGS,
					  .project = UINT32_MAX,
					  .torn = true,
					  .further = FURTHER,
					  .has_btime = true,
					  .btime = {-INT64_C(9007199254740991), 999999999}};

#define NAMED(text) .name = text, .name_length = sizeof(text) - 1

static const struct bt_entry sample_entries[] = {
	{NAMED("\x01\x1f\x7f"), .type = BT_FIFO, .mode = 0},
	{NAMED("a file"), .type = BT_FILE, .mode = 0644, .uid = 1000, .gid = 1000, .size = 6,
	 .mtime = {1732271400, 123456789}, .has_digest = true, .digest = DIGEST_A, .has_stat = true,
	 .stat = 0x0123456789abcdef},
	{NAMED("all"), .type = BT_FILE, .mode = 07777, .uid = UINT32_MAX - 1, .gid = UINT32_MAX - 1, .size = 1048582,
	 .mtime = {-1, 999999999}, .has_digest = true, .digest = DIGEST_B, .has_stat = true, .stat = UINT64_MAX,
	 .extra = &extra_all},
	{NAMED("block"), .type = BT_BLOCKDEV, .mode = 0660, .extra = &extra_device},
	{NAMED("born"), .type = BT_FIFO, .mode = 0, .extra = &extra_born},
	{NAMED("boundary"), .type = BT_DIR, .mode = 0755, .has_digest = true, .digest = DIGEST_EMPTY,
	 .extra = &extra_boundary},
	{NAMED("caf\xc3\xa9"), .type = BT_DIR, .mode = 01777, .mtime = {INT64_C(1) << 40, 0}, .digest = DIGEST_B,
	 .has_digest = true},
	{NAMED("char"), .type = BT_CHARDEV, .mode = 0666, .extra = &extra_device},
	{NAMED("chunked"), .type = BT_FILE, .size = 1048577, .has_digest = true, .digest = DIGEST_A,
	 .extra = &extra_chunks},
	{NAMED("dir that fails"), .type = BT_DIR, .mode = 0, .extra = &extra_error},
	{NAMED("empty"), .type = BT_FILE, .mode = 0600, .has_digest = true, .digest = DIGEST_A},
	{NAMED("file that fails"), .type = BT_FILE, .size = 77, .extra = &extra_error},
	{NAMED("further"), .type = BT_FIFO, .mode = 0, .extra = &extra_further},
	{NAMED("holes"), .type = BT_FILE, .size = 1052673, .has_digest = true, .digest = DIGEST_A,
	 .extra = &extra_holes},
	{NAMED("link"), .type = BT_SYMLINK, .mode = 0777, .extra = &extra_link},
	{NAMED("link raw"), .type = BT_SYMLINK, .mode = 0777, .extra = &extra_link_raw},
	{NAMED(NAME_255), .type = BT_FILE, .size = 1, .has_digest = true, .digest = DIGEST_B,
	 .mtime = {-INT64_C(9007199254740991), 0}},
	{NAMED("one hole"), .type = BT_FILE, .size = INT64_MAX, .extra = &extra_hole},
	{NAMED("pages"), .type = BT_FILE, .size = (UINT64_C(1) << 60) + UINT64_C(9007199254740993), .has_digest = true,
	 .digest = DIGEST_B, .extra = &extra_pages},
	{NAMED("sock"), .type = BT_SOCKET, .mode = 0755, .extra = &extra_xattrs},
	{NAMED("torn"), .type = BT_FILE, .size = 1, .has_digest = true, .digest = DIGEST_B, .extra = &extra_torn},
	{NAMED("\xff\xfe\"\\"), .type = BT_FIFO, .mode = 0},
};

#define SAMPLES (sizeof(sample_entries) / sizeof(*sample_entries))

/* The line that a page came from, written again. */
static inline int page_write(struct bt_buf *out, const struct bt_page *page)
{
	int r = 0;

	if (page->kind == BT_PAGE_CHUNKS)
		return bt_chunk_page_write(out, page->chunks, page->count);
	if (page->kind == BT_PAGE_NAMES)
		return bt_owner_names_write(out, page->names);
	r = bt_json_text(out, page->kind == BT_PAGE_ENTRIES ? "{\"entries\":[" : "{\"pages\":[");
	for (size_t i = 0; !r && i < page->count; i++) {
		if (i)
			r = bt_json_text(out, ",");
		if (!r && page->kind == BT_PAGE_ENTRIES)
			r = bt_entry_write(out, &page->entries[i]);
		else if (!r)
			r = bt_json_text(out, "{") ||
			    bt_json_bytes(out, "name", page->leaves[i].name, page->leaves[i].name_length) ||
			    bt_json_text(out, ",\"entries\":") || bt_json_u64(out, page->leaves[i].entries) ||
			    bt_json_text(out, ",\"tree\":") || bt_json_digest(out, &page->leaves[i].id) ||
			    bt_json_text(out, page->leaves[i].further ? page->leaves[i].further : "") ||
			    bt_json_text(out, "}");
	}
	return r ? r : bt_json_text(out, "]}");
}

static const struct bt_owner_name sample_users[] = {{0, "root"}, {33, "www-data"}, {4294967294, "\xc3\xa9\"\\ $"}};
static const struct bt_owner_name sample_groups[] = {{100, NAME_255}};
static const struct bt_owner_names sample_names = {{sample_users, sample_groups}, {3, 1}};
static const struct bt_owner_names sample_only_groups = {{NULL, sample_groups}, {0, 1}};

static inline int sample_page(struct bt_buf *out)
{
	const struct bt_page page = {.kind = BT_PAGE_ENTRIES, .count = SAMPLES, .entries = sample_entries};

	return page_write(out, &page);
}

#endif
