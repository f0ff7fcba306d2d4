/* SPDX-License-Identifier: MIT */
/* A small store with one snapshot, and stores that are open. */
#ifndef BT_TESTS_STORE_OPENED_H
#define BT_TESTS_STORE_OPENED_H

#include "store/store_inside.h"
#include "store_samples.h"

#define VOLUME "00112233445566778899aabbccddeeff.json"

/* Two blocks, three pages. */
struct bt_writer *write_small(int dirfd, const char *header);
struct bt_store *open_store_with(const struct sample *sample, const struct bt_store_options *options);

/* Where new volumes go; made when it is missing. */
int contents_of(struct bt_store *store);
struct bt_store *open_store(const struct sample *sample);
void assert_content(struct bt_store *store, uint64_t seed, size_t size);

#endif
