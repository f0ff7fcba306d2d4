/* SPDX-License-Identifier: MIT */
/* What the implementations of base64.h share. */
#ifndef BT_CODEC_BASE64_CODE_H
#define BT_CODEC_BASE64_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern const uint8_t bt_base64_alphabet[64];
extern const uint8_t bt_base64_values[256]; /* the upper bit is set for bytes that are not digits */

void bt_base64_encode_scalar(char *text, const unsigned char *data, size_t length);
bool bt_base64_decode_scalar(unsigned char *data, size_t *ret_size, const char *text, size_t length, size_t *ret_bad);
/* Decodes the text after the first done chars, which are decoded and valid already. */
bool bt_base64_decode_rest(unsigned char *data, size_t *ret_size, const char *text, size_t length, size_t *ret_bad,
			   size_t done);

#if defined(__x86_64__)
#define BT_BASE64_X86 1
void bt_base64_encode_avx2(char *text, const unsigned char *data, size_t length);
bool bt_base64_decode_avx2(unsigned char *data, size_t *ret_size, const char *text, size_t length, size_t *ret_bad);
void bt_base64_encode_vbmi(char *text, const unsigned char *data, size_t length);
bool bt_base64_decode_vbmi(unsigned char *data, size_t *ret_size, const char *text, size_t length, size_t *ret_bad);
#endif

#endif
