/* SPDX-License-Identifier: MIT */
/* Version 1 files as text, and what is derived from them. For the tests of bt_classic_derive. */
#ifndef BT_TESTS_CLASSIC_DERIVED_H
#define BT_TESTS_CLASSIC_DERIVED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/io.h"
#include "codec/frame.h"
#include "codec/hash.h"
#include "model/classic.h"
#include "model/document.h"
#include "model/page.h"
#include "store/store.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EMPTY_DIGEST "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HELLO_DIGEST "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" /* "hello" */
#define HELLO_BASE64 "aGVsbG8="

/* A version 1 file and what was derived from it. */
struct derived {
	int source, out, result;
	struct bt_error error;
	struct bt_file *file;
	struct bt_arena arena;
	struct bt_snapshot_info info;
	struct located *pages, *contents;
	size_t page_count, content_count;
	struct bt_decompressor *decompressor;
	struct bt_buf text;
};

struct located {
	struct bt_digest digest;
	struct bt_block block;
};

int memory_file(const void *data, size_t length);

/* Reads the derived file as any other: everything in it is checked. */
void load(struct derived *derived);
struct derived derive_fd(int source);
struct derived derive(const char *text);
void drop(struct derived *derived);
char *listing(struct derived *derived);
void assert_listing(const char *json, const char *target, const char *expected);

#define CONTENTS    "\"file_contents\":{\"" HELLO_DIGEST "\":\"" HELLO_BASE64 "\",\"" EMPTY_DIGEST "\":\"\"}"
#define STAMP	    "\"timestamp\":\"2024-12-01T10-00-00\""
#define SIZES	    "\"directory_size\":5,\"snapshot_size\":5"
#define WITH(files) "{" STAMP ",\"files\":{" files "}," CONTENTS "," SIZES "}"
#define HELLO(path) "\"" path "\":\"" HELLO_DIGEST "\""
#define EMPTY(path) "\"" path "\":\"" EMPTY_DIGEST "\""

#endif
