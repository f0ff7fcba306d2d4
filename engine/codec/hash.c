/* SPDX-License-Identifier: MIT */
#include "codec/hash.h"

#include <backuptool/error.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>

struct bt_hasher {
	EVP_MD *md;
	EVP_MD_CTX *state, *copy;
	bool failed; /* since start */
};

void bt_hasher_free(struct bt_hasher *hasher)
{
	if (!hasher)
		return;
	EVP_MD_CTX_free(hasher->copy);
	EVP_MD_CTX_free(hasher->state);
	EVP_MD_free(hasher->md);
	free(hasher);
}

struct bt_hasher *bt_hasher_new(void)
{
	struct bt_hasher *hasher = calloc(1, sizeof(*hasher));

	if (!hasher)
		return NULL;
	/* Where there was no memory for OpenSSL's own start, a fetch crashes. */
	if (OSSL_LIB_CTX_get0_global_default())
		hasher->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	hasher->state = EVP_MD_CTX_new();
	hasher->copy = EVP_MD_CTX_new();
	if (!hasher->md || !hasher->state || !hasher->copy) {
		bt_hasher_free(hasher);
		return NULL;
	}
	bt_hasher_start(hasher);
	return hasher;
}

void bt_hasher_start(struct bt_hasher *hasher)
{
	hasher->failed = EVP_DigestInit_ex2(hasher->state, hasher->md, NULL) != 1;
}

void bt_hasher_add(struct bt_hasher *hasher, const void *data, size_t length)
{
	if (!hasher->failed && EVP_DigestUpdate(hasher->state, data, length) != 1)
		hasher->failed = true;
}

static int finish(EVP_MD_CTX *state, struct bt_digest *ret_digest)
{
	struct bt_digest digest;

	if (EVP_DigestFinal_ex(state, digest.bytes, NULL) != 1)
		return BT_E_NOMEM;
	*ret_digest = digest;
	return 0;
}

int bt_hasher_finish(struct bt_hasher *hasher, struct bt_digest *ret_digest)
{
	if (hasher->failed)
		return BT_E_NOMEM;
	hasher->failed = true; /* until the next start */
	return finish(hasher->state, ret_digest);
}

int bt_hasher_peek(struct bt_hasher *hasher, struct bt_digest *ret_digest)
{
	if (hasher->failed || EVP_MD_CTX_copy_ex(hasher->copy, hasher->state) != 1)
		return BT_E_NOMEM;
	return finish(hasher->copy, ret_digest);
}

int bt_hasher_digest(struct bt_hasher *hasher, const void *data, size_t length, struct bt_digest *ret_digest)
{
	bt_hasher_start(hasher);
	bt_hasher_add(hasher, data, length);
	return bt_hasher_finish(hasher, ret_digest);
}
