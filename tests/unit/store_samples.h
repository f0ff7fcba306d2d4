/* SPDX-License-Identifier: MIT */
/* Small stores for tests. */
#ifndef BT_TESTS_STORE_SAMPLES_H
#define BT_TESTS_STORE_SAMPLES_H

#include "base/bytes.h"
#include "codec/base64.h"
#include "codec/frame.h"
#include "codec/hash.h"
#include "store/store.h"
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SNAPSHOT "snapshot_2026-11-22T10-30-00Z.json"
#define SNAPSHOT_HEADER                                                                                                \
	"{\"format\":\"backuptool\",\"version\":2,\"kind\":\"snapshot\",\"timestamp\":\"2026-11-22T10:30:00.123456789" \
	"Z\","                                                                                                         \
	"\"host\":\"h\",\"target\":\"/home/me\",\"parent\":null,\"tags\":[]"
#define VOLUME_HEADER                                                                                                  \
	"{\"format\":\"backuptool\",\"version\":2,\"kind\":\"volume\",\"timestamp\":\"2026-11-22T10:30:00.123456789Z"  \
	"\""

struct sample {
	char path[64];
	int dirfd;
};

struct sample sample_new(void);
void sample_free(struct sample *sample);
int sample_contents_dir(const struct sample *sample);

/* Bytes that depend on the seed alone; every other run of 64 repeats, so that they compress a little. */
unsigned char *sample_bytes(uint64_t seed, size_t size);
struct bt_digest sample_digest(const void *data, size_t size);
struct bt_digest sample_content_digest(uint64_t seed, size_t size);
struct bt_upload *sample_upload(int dirfd);
struct bt_writer *sample_writer(int dirfd, const char *header);

/* A block of these plain bytes; held says how they are cut. */
void sample_block(struct bt_writer *writer, const void *data, size_t size, const struct bt_held *held, size_t count);

/* A block of the contents of seeds from … from + count, each of this size. */
void sample_contents(struct bt_writer *writer, uint64_t from, size_t count, uint32_t size);
struct bt_digest sample_page(struct bt_writer *writer, const char *line);
void sample_seal(struct bt_writer *writer, const char *summary, const char *name);

/* A volume with count contents of 8 bytes, many of them in a block. */
void sample_volume(const struct sample *sample, const char *name, uint64_t from, size_t count);
unsigned char *sample_read(int dirfd, const char *name, size_t *ret_size);
void sample_write(int dirfd, const char *name, const void *data, size_t size);

/* 0 if the content is right, else what bt_store_pin gives. */
int try_content(struct bt_store *store, uint64_t seed, size_t size, struct bt_error *error);

#endif
