/* SPDX-License-Identifier: MIT */
/* Reads, decodes and verifies pages and contents. */
#include "base/bytes.h"
#include "base/digest_set.h"
#include "base/fail.h"
#include "store/store_inside.h"
#include <errno.h>
#include <internal/view.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_DEFAULT ((size_t)64 << 20)
#define IDLE_MAX      ((size_t)8 << 20) /* memory kept from blocks that left the cache, for the next ones */
#define PLACES	      8			/* tried for one digest */
#define PLACES_MAX    256		/* if all of those are wrong: no file can hide what another one has */

#define AHEAD_LEAST ((size_t)8 << 10) /* read for the pages after one */
#define AHEAD_MOST  ((size_t)64 << 10)

struct block {
	struct bt_cached cached;
	struct bt_store *store;
	struct bt_buffer *buffer; /* that it lies in */
	uint32_t length, size;
	pthread_mutex_t lock; /* for verified */
	struct bt_digest_set verified;
	unsigned char data[];
};

struct bt_decoder *bt_decoder_take(struct bt_store *store)
{
	pthread_mutex_lock(&store->lock);
	struct bt_decoder *decoder = store->decoders;
	if (decoder)
		store->decoders = decoder->next;
	pthread_mutex_unlock(&store->lock);
	if (decoder)
		return decoder;
	decoder = calloc(1, sizeof(*decoder));
	if (!decoder)
		return NULL;
	decoder->decompressor = bt_decompressor_new();
	decoder->hasher = bt_hasher_new();
	if (decoder->decompressor && decoder->hasher)
		return decoder;
	bt_decompressor_free(decoder->decompressor);
	bt_hasher_free(decoder->hasher);
	free(decoder);
	return NULL;
}

void bt_decoder_give(struct bt_store *store, struct bt_decoder *decoder)
{
	pthread_mutex_lock(&store->lock);
	decoder->next = store->decoders;
	store->decoders = decoder;
	pthread_mutex_unlock(&store->lock);
}

static int load_block(void *arg, const struct bt_table_key *key, const void *hint, struct bt_cached **ret_value,
		      size_t *ret_weight, struct bt_error *error)
{
	struct bt_store *store = arg;
	const struct bt_location *location = hint;
	struct bt_file *file;
	int r = bt_store_file(store, location->file, &file, error);

	if (r)
		return r;
	struct bt_decoder *decoder = bt_decoder_take(store);
	struct bt_buffer *buffer = bt_buffer_get(&store->buffers, sizeof(struct block) + location->block.size);
	struct block *block = buffer ? (void *)buffer->data : NULL;
	if (!decoder || !block)
		r = bt_fail(error, BT_E_NOMEM, NULL, NULL);
	else
		r = bt_file_block(file, &location->block, decoder->decompressor, &decoder->text, block->data, error);
	if (decoder)
		bt_decoder_give(store, decoder);
	if (r) {
		bt_buffer_put(&store->buffers, buffer);
		return r;
	}
	memset(block, 0, sizeof(*block));
	block->store = store;
	block->buffer = buffer;
	pthread_mutex_init(&block->lock, NULL);
	block->length = location->block.length;
	block->size = location->block.size;
	*ret_value = &block->cached;
	*ret_weight = buffer->capacity;
	return 0;
}

static void free_block(struct bt_cached *value)
{
	struct block *block = (struct block *)value;

	pthread_mutex_destroy(&block->lock);
	bt_digest_set_free(&block->verified);
	bt_buffer_put(&block->store->buffers, block->buffer);
}

int bt_blocks_new(struct bt_store *store)
{
	size_t budget = store->options.cache_bytes ? store->options.cache_bytes : CACHE_DEFAULT;
	struct bt_cache_options options = {.budget = budget, .load = load_block, .free = free_block, .arg = store};

	bt_buffers_init(&store->buffers, BT_BUFFERS_HUGE, IDLE_MAX);
	return bt_cache_new(&options, &store->blocks);
}

void bt_blocks_free(struct bt_store *store)
{
	bt_cache_free(store->blocks);
	bt_buffers_destroy(&store->buffers);
	while (store->decoders) {
		struct bt_decoder *decoder = store->decoders;

		store->decoders = decoder->next;
		bt_decompressor_free(decoder->decompressor);
		bt_hasher_free(decoder->hasher);
		bt_buf_free(&decoder->text);
		free(decoder);
	}
}

/* The index is derived data and may be wrong: a location is checked before it is used. */
static bool location_valid(const struct bt_store *store, const struct bt_location *location)
{
	const struct bt_block *block = &location->block;

	if (location->file >= bt_store_file_count(store) || !block->length)
		return false;
	if (location->page)
		return block->length <= BT_PAGE_MAX;
	return block->length <= BT_BLOCK_TEXT_MAX && block->size && block->size <= BT_BLOCK_MAX && location->size &&
	       location->size <= block->size && location->offset <= block->size - location->size;
}

static int mismatch(struct bt_store *store, const struct bt_location *location, struct bt_error *error)
{
	return bt_fail_damaged(error, BT_R_DIGEST_MISMATCH, bt_slot(store, location->file)->path, location->block.at);
}

static int hash(struct bt_store *store, const void *data, size_t size, struct bt_digest *ret_digest)
{
	struct bt_decoder *decoder = bt_decoder_take(store);

	if (!decoder)
		return BT_E_NOMEM;
	int r = bt_hasher_digest(decoder->hasher, data, size, ret_digest);
	bt_decoder_give(store, decoder);
	return r;
}

/* Key of a content that was compared with its digest. These bits of the digest are enough to tell it from another
 * content that a wrong index places there. The size is never 0. */
static struct bt_table_key verified_of(const struct bt_location *location, const struct bt_digest *digest)
{
	struct bt_table_key key = {(uint64_t)location->offset << 32 | location->size, 0};

	memcpy(&key.b, digest->bytes, sizeof(key.b));
	return key;
}

static bool is_verified(struct block *block, struct bt_table_key key)
{
	pthread_mutex_lock(&block->lock);
	bool found = bt_digest_set_has_key(&block->verified, key);
	pthread_mutex_unlock(&block->lock);
	return found;
}

/* Without memory it is verified again next time. */
static void note_verified(struct block *block, struct bt_table_key key)
{
	pthread_mutex_lock(&block->lock);
	(void)bt_digest_set_add_key(&block->verified, key);
	pthread_mutex_unlock(&block->lock);
}

/* Outside of locks: two threads that verify the same bytes at the same time do no harm. digest NULL: the caller
 * verifies them. */
static int verify(struct bt_store *store, struct block *block, const struct bt_location *location,
		  const struct bt_digest *digest, struct bt_error *error)
{
	struct bt_table_key key;
	struct bt_digest found;

	if (block->length != location->block.length || block->size != location->block.size)
		return mismatch(store, location, error);
	if (!digest)
		return 0;
	key = verified_of(location, digest);
	if (!store->options.verify_always && is_verified(block, key))
		return 0;
	if (hash(store, block->data + location->offset, location->size, &found))
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	if (!bt_digest_equal(&found, digest))
		return mismatch(store, location, error);
	note_verified(block, key);
	return 0;
}

static struct bt_table_key block_key(const struct bt_location *location)
{
	return (struct bt_table_key){location->block.at, location->file};
}

/* Takes the cached block over. */
static int pin_block(struct bt_store *store, struct bt_cached *cached, const struct bt_location *location,
		     const struct bt_digest *digest, struct bt_pin *ret_pin, struct bt_error *error)
{
	struct block *block = (struct block *)cached;
	int r = verify(store, block, location, digest, error);

	if (r) {
		bt_cache_put(store->blocks, cached);
		return r;
	}
	*ret_pin = (struct bt_pin){.data = block->data + location->offset, .size = location->size, .cached = cached};
	return 0;
}

/* The digest to find, and what was found. */
struct wanted {
	struct bt_store *store;
	const struct bt_digest *digest;
	bool page, unverified;
	struct bt_pin pin;	     /* of a content */
	struct bt_buf *line;	     /* of a page */
	struct bt_page_ahead *ahead; /* of its reader, or NULL */
	struct bt_location location; /* of that */
};

static int pin_at(struct wanted *wanted, const struct bt_location *location, struct bt_error *error)
{
	struct bt_store *store = wanted->store;
	struct bt_table_key key = block_key(location);
	struct bt_cached *cached = bt_cache_get_loaded(store->blocks, &key);
	bool fresh = !cached;
	int r = 0;

	if (fresh) {
		bt_store_before_slow(store);
		r = bt_cache_get(store->blocks, &key, location, &cached, error);
	}
	if (!r)
		r = pin_block(store, cached, location, wanted->unverified ? NULL : wanted->digest, &wanted->pin, error);
	if (!r)
		wanted->pin.fresh = fresh;
	return r;
}

static int read_page(struct bt_store *store, struct bt_file *file, const struct bt_location *location, void *data,
		     struct bt_error *error)
{
	size_t length = location->block.length;
	bool waits;

	if (store->before_slow) {
		if (bt_file_pread_at_once(file, data, length, location->block.at, &waits))
			return 0;
		if (waits)
			bt_store_before_slow(store);
	}
	return bt_file_pread(file, data, length, location->block.at, error);
}

/* Reads from a page on: more each time, since a directory that has many pages has many more. */
static bool read_ahead(struct bt_store *store, struct bt_page_ahead *ahead, uint32_t ordinal, uint64_t at)
{
	struct bt_location range = {.file = ordinal, .page = true, .block.at = at};
	size_t room = ahead->room ? ahead->room * 2 : AHEAD_LEAST;
	struct bt_file *file;

	if (bt_store_file(store, ordinal, &file, NULL))
		return false;
	uint64_t end = bt_file_sections(file)->tree_index;
	if (room <= AHEAD_MOST) {
		free(ahead->data);
		ahead->data = malloc(room);
		ahead->room = ahead->data ? room : 0;
	}
	ahead->length = 0;
	if (!ahead->data || at >= end)
		return false;
	range.block.length = end - at < ahead->room ? (uint32_t)(end - at) : (uint32_t)ahead->room;
	if (read_page(store, file, &range, ahead->data, NULL))
		return false;
	ahead->data_file = ordinal;
	ahead->at = at;
	ahead->length = range.block.length;
	return true;
}

/* The bytes in memory from there on, or NULL. */
static const char *bytes_ahead(const struct bt_page_ahead *ahead, uint32_t file, uint64_t at, size_t *ret_length)
{
	if (!ahead->length || file != ahead->data_file || at < ahead->at || at - ahead->at >= ahead->length)
		return NULL;
	*ret_length = ahead->length - (size_t)(at - ahead->at);
	return ahead->data + (at - ahead->at);
}

/* Whether this page goes on where reading is, so that those after it will probably be wanted, too. */
static bool goes_on(const struct bt_page_ahead *ahead, const struct bt_location *location)
{
	uint64_t at = location->block.at, end = ahead->at + ahead->length;

	if (ahead->known && location->file == ahead->file && at == ahead->next)
		return true;
	return ahead->length && location->file == ahead->data_file && at >= ahead->at && at <= end + ahead->room;
}

/* Takes a page out of what was read ahead. */
static bool take_ahead(struct wanted *wanted, const struct bt_location *location, void *data)
{
	struct bt_page_ahead *ahead = wanted->ahead;
	const char *bytes = NULL;
	size_t length = 0;

	if (!ahead)
		return false;
	for (unsigned tries = 0; tries < 2; tries++) {
		bytes = bytes_ahead(ahead, location->file, location->block.at, &length);
		if (bytes && length >= location->block.length)
			break;
		bytes = NULL;
		if (tries || location->block.length > AHEAD_MOST / 2 || !goes_on(ahead, location) ||
		    !read_ahead(wanted->store, ahead, location->file, location->block.at))
			return false;
	}
	if (bytes)
		memcpy(data, bytes, location->block.length);
	return bytes;
}

static int take_page(struct wanted *wanted, const struct bt_location *location, struct bt_error *error)
{
	struct bt_file *file;
	struct bt_digest found;
	size_t length = location->block.length;
	int r = bt_store_file(wanted->store, location->file, &file, error);

	wanted->line->length = 0;
	if (!r && bt_buf_reserve(wanted->line, length))
		r = bt_fail(error, BT_E_NOMEM, NULL, NULL);
	if (!r && !take_ahead(wanted, location, wanted->line->data))
		r = read_page(wanted->store, file, location, wanted->line->data, error);
	if (!r && hash(wanted->store, wanted->line->data, length, &found))
		r = bt_fail(error, BT_E_NOMEM, NULL, NULL);
	if (!r && !bt_digest_equal(&found, wanted->digest))
		r = mismatch(wanted->store, location, error);
	if (r)
		return r;
	wanted->line->length = length;
	wanted->location = *location;
	return 0;
}

/* Takes the first place that is right; else the error is that of the first place. More than a few places are rare, and
 * are asked for only if all of these are wrong. */
static int take_any(struct wanted *wanted, struct bt_error *error)
{
	struct bt_location few[PLACES], *more = NULL, *places = few;
	struct bt_index *index = wanted->store->index;
	size_t count = bt_index_find(index, wanted->digest, wanted->page, few, PLACES);
	int r = BT_E_DAMAGED, first = 0;

	for (size_t i = 0; i < count && r; i++) {
		if (location_valid(wanted->store, &places[i])) {
			r = wanted->page ? take_page(wanted, &places[i], error) : pin_at(wanted, &places[i], error);
			first = first ? first : r;
		}
		if (!r || i + 1 != PLACES)
			continue;
		more = calloc(PLACES_MAX, sizeof(*more));
		if (!more)
			break;
		places = more;
		count = bt_index_find(index, wanted->digest, wanted->page, more, PLACES_MAX);
	}
	free(more);
	if (r && !first)
		return bt_store_missing(wanted->store, wanted->digest, wanted->page, error);
	return r ? first : 0;
}

static bool is_doubtful(int r, const struct bt_error *error)
{
	return r == BT_E_DAMAGED || (r == BT_E_SYSTEM && error->sys == ENOENT);
}

/* If nothing is right, the fault may be the index's: it is built again, once, out of the files themselves. */
static bool may_try_again(struct bt_store *store, int r, unsigned *doubt, struct bt_error *inner)
{
	unsigned before = *doubt;

	*doubt = 0;
	if (!is_doubtful(r, inner) || !before || bt_lookup_rebuild(store, before, NULL))
		return false;
	*inner = (struct bt_error){0};
	return true;
}

int bt_store_page(struct bt_store *store, struct bt_page_ahead *ahead, const struct bt_digest *id, struct bt_buf *line,
		  struct bt_location *ret_location, struct bt_error *error)
{
	struct wanted wanted = {.store = store, .digest = id, .page = true, .line = line, .ahead = ahead};
	struct bt_error inner = {0};
	int r = bt_lookup_index(store, error);

	if (r)
		return r;
	unsigned doubt = bt_index_doubt(store->index);
	do
		r = take_any(&wanted, &inner);
	while (may_try_again(store, r, &doubt, &inner));
	if (!r)
		*ret_location = wanted.location;
	return bt_error_pass(error, &inner, r);
}

/* The next line, without its comma, if all of it is in memory. */
static bool line_ahead(const struct bt_page_ahead *ahead, struct bt_text *ret_line)
{
	size_t length;
	const char *begin = bytes_ahead(ahead, ahead->file, ahead->next, &length);
	const char *end = begin ? memchr(begin, '\n', length) : NULL;

	if (!end || end == begin)
		return false;
	*ret_line = (struct bt_text){begin, (size_t)(end - begin) - (end[-1] == ',')};
	return true;
}

int bt_store_page_ahead(struct bt_store *store, struct bt_page_ahead *ahead, const struct bt_digest *id,
			struct bt_text *ret_line, struct bt_location *ret_location)
{
	struct bt_digest found;
	struct bt_text line;

	if (!ahead->known || ahead->doubted)
		return BT_E_NOT_FOUND;
	ahead->doubted = (!line_ahead(ahead, &line) &&
			  (!read_ahead(store, ahead, ahead->file, ahead->next) || !line_ahead(ahead, &line))) ||
			 hash(store, line.bytes, line.length, &found) || !bt_digest_equal(&found, id);
	if (ahead->doubted)
		return BT_E_NOT_FOUND;
	*ret_line = line;
	*ret_location = (struct bt_location){.file = ahead->file, .page = true, .block.at = ahead->next};
	ret_location->block.length = (uint32_t)line.length;
	return 0;
}

/* Only from a block that is decoded. */
static int pin_decoded(struct bt_store *store, const struct bt_digest *digest, uint64_t size, struct bt_pin *ret_pin,
		       struct bt_error *error)
{
	struct bt_location location;

	if (bt_store_find(store, digest, false, &location, NULL) || !location_valid(store, &location) ||
	    location.size != size)
		return BT_E_NOT_FOUND;
	struct bt_table_key key = block_key(&location);
	struct bt_cached *cached = bt_cache_get_loaded(store->blocks, &key);
	return cached ? pin_block(store, cached, &location, digest, ret_pin, error) : BT_E_NOT_FOUND;
}

int bt_store_pin(struct bt_store *store, const struct bt_digest *digest, uint64_t size, unsigned flags,
		 struct bt_pin *ret_pin, struct bt_error *error)
{
	struct wanted wanted = {.store = store, .digest = digest, .unverified = flags & BT_SLICE_UNVERIFIED};
	struct bt_error inner = {0};

	if (flags & BT_SLICE_DECODED)
		return pin_decoded(store, digest, size, ret_pin, error);
	int r = bt_lookup_index(store, error);
	if (r)
		return r;
	unsigned doubt = bt_index_doubt(store->index);
	do
		r = take_any(&wanted, &inner);
	while (may_try_again(store, r, &doubt, &inner));
	if (!r && wanted.pin.size != size) {
		bt_store_unpin(store, &wanted.pin);
		r = bt_fail_damaged(&inner, BT_R_BAD_SIZE, NULL, BT_NO_OFFSET);
	}
	if (!r)
		*ret_pin = wanted.pin;
	return bt_error_pass(error, &inner, r);
}

int bt_store_verify_at(struct bt_store *store, const struct bt_location *place, const struct bt_digest *digest,
		       struct bt_error *error)
{
	struct bt_buf line = {0};
	struct wanted wanted = {.store = store, .digest = digest, .line = &line};

	if (!location_valid(store, place))
		return bt_fail_damaged(error, BT_R_BAD_OFFSET, NULL, BT_NO_OFFSET);
	int r = place->page ? take_page(&wanted, place, error) : pin_at(&wanted, place, error);
	bt_store_unpin(store, &wanted.pin);
	bt_buf_free(&line);
	return r;
}

void bt_store_unpin(struct bt_store *store, struct bt_pin *pin)
{
	if (pin->cached)
		bt_cache_put(store->blocks, pin->cached);
	*pin = (struct bt_pin){0};
}

void bt_store_prefetch(struct bt_store *store, const struct bt_digest *digest)
{
	struct bt_location location;
	struct bt_cached *cached;

	if (bt_store_find(store, digest, false, &location, NULL) || !location_valid(store, &location))
		return;
	struct bt_table_key key = block_key(&location);
	if (!bt_cache_has(store->blocks, &key) && !bt_cache_get(store->blocks, &key, &location, &cached, NULL))
		bt_cache_put(store->blocks, cached);
}
