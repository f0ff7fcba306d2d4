/* SPDX-License-Identifier: MIT */
#include "base/seed.h"

#include "base/bytes.h"
#include <endian.h>
#include <string.h>
#include <sys/auxv.h>

struct state {
	uint64_t a, b, c, d;
};

/* Mixed, as others in this process use the same 16 bytes for secrets of their own. */
struct bt_seed bt_seed(void)
{
	const void *random = (const void *)(uintptr_t)getauxval(AT_RANDOM); /* NOLINT(performance-no-int-to-ptr) */
	struct bt_seed seed = {0};

	if (random)
		memcpy(&seed, random, sizeof(seed));
	seed.a = bt_mix64(seed.a ^ bt_mix64(seed.b));
	seed.b = bt_mix64(seed.b + seed.a);
	return seed;
}

static uint64_t rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static void mix(struct state *state)
{
	state->a += state->b;
	state->c += state->d;
	state->b = rotate(state->b, 13) ^ state->a;
	state->d = rotate(state->d, 16) ^ state->c;
	state->a = rotate(state->a, 32) + state->d;
	state->c += state->b;
	state->d = rotate(state->d, 21) ^ state->a;
	state->b = rotate(state->b, 17) ^ state->c;
	state->c = rotate(state->c, 32);
}

static void absorb(struct state *state, uint64_t word)
{
	state->d ^= word;
	mix(state);
	state->a ^= word;
}

uint64_t bt_seeded_hash(const struct bt_seed *seed, const void *data, size_t length)
{
	const unsigned char *at = data;
	struct state state = {seed->a ^ 0x736f6d6570736575, seed->b ^ 0x646f72616e646f6d, seed->a ^ 0x6c7967656e657261,
			      seed->b ^ 0x7465646279746573};
	uint64_t word;
	size_t left = length;

	for (; left >= sizeof(word); left -= sizeof(word), at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		absorb(&state, le64toh(word));
	}
	word = 0;
	if (left > 0)
		memcpy(&word, at, left);
	absorb(&state, le64toh(word) | (uint64_t)length << 56);
	state.c ^= 0xff;
	for (int i = 0; i < 3; i++)
		mix(&state);
	return state.a ^ state.b ^ state.c ^ state.d;
}
