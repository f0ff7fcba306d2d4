/* SPDX-License-Identifier: MIT */
/*
 * Content-defined chunking: FastCDC with normalised chunking (Xia et al., "FastCDC: a Fast and Efficient
 * Content-Defined Chunking Approach for Data Deduplication", USENIX ATC 2016), gear hash over 64 bits. Pure: the same
 * data gives the same cuts.
 */
#ifndef BT_CODEC_CHUNKER_H
#define BT_CODEC_CHUNKER_H

#include <stddef.h>

#ifndef BT_CHUNK_AVERAGE /* tests/bench/chunks builds with others */
#define BT_CHUNK_AVERAGE ((size_t)512 << 10)
#endif
#define BT_CHUNK_MIN (BT_CHUNK_AVERAGE / 4)
#define BT_CHUNK_MAX (BT_CHUNK_AVERAGE * 4)

/* Length of the first chunk of data: from BT_CHUNK_MIN to BT_CHUNK_MAX, or length if that is smaller. data must have
 * BT_CHUNK_MAX bytes or reach to the end of the file. */
size_t bt_chunk_cut(const unsigned char *data, size_t length);
/* The plain loop that defines the cuts; for tests. */
size_t bt_chunk_cut_reference(const unsigned char *data, size_t length);

#endif
