/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/fail.h"
#include "codec/frame.h"
#include "codec/seekable.h"
#include "store/rest.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_KEPT ((size_t)8 << 20) /* bytes of decoded frames */
#define FRAMES_IDLE ((size_t)2 << 20) /* memory kept for the next ones */
#define PROOF_PART  ((size_t)256 << 10)

/* What decodes one frame at a time. */
struct bt_rest_tools {
	struct bt_decompressor *decompressor;
	struct bt_buf stored;
	struct bt_rest_tools *next;
};

struct rest {
	struct bt_object object;
	struct bt_object *stored;
	struct bt_rest *shared;
	struct bt_seek_table table;
	uint64_t number; /* for the cache: no object before had it */
};

struct frame {
	struct bt_cached cached;
	struct bt_rest *shared;
	struct bt_buffer *buffer; /* that it lies in */
	size_t size;
	unsigned char data[];
};

static struct rest *rest_of(const struct bt_object *object)
{
	return (struct rest *)(uintptr_t)object;
}

static void tools_free(struct bt_rest_tools *tools)
{
	if (!tools)
		return;
	bt_decompressor_free(tools->decompressor);
	bt_buf_free(&tools->stored);
	free(tools);
}

static struct bt_rest_tools *tools_take(struct bt_rest *shared)
{
	pthread_mutex_lock(&shared->lock);
	struct bt_rest_tools *tools = shared->tools;
	if (tools)
		shared->tools = tools->next;
	pthread_mutex_unlock(&shared->lock);
	if (!tools)
		tools = calloc(1, sizeof(*tools));
	if (tools && !tools->decompressor)
		tools->decompressor = bt_decompressor_new();
	if (tools && tools->decompressor)
		return tools;
	tools_free(tools);
	return NULL;
}

static void tools_give(struct bt_rest *shared, struct bt_rest_tools *tools)
{
	pthread_mutex_lock(&shared->lock);
	tools->next = shared->tools;
	shared->tools = tools;
	pthread_mutex_unlock(&shared->lock);
}

/* Reads exactly this range of the file. */
static int read_stored(struct bt_object *stored, void *data, size_t length, uint64_t offset, struct bt_error *error)
{
	ssize_t n = bt_object_pread(stored, data, length, offset);

	if (n < 0)
		return bt_fail_sys(error, (int)-n, NULL, "read");
	return (size_t)n == length ? 0 : bt_fail_damaged(error, BT_R_TRUNCATED, NULL, offset + (uint64_t)n);
}

/* A file whose table was searched for has gaps, which are frames of any size. */
static int decode(const struct rest *rest, struct bt_rest_tools *tools, size_t index, struct frame *frame,
		  struct bt_error *error)
{
	const struct bt_seek_point from = bt_seek_point(&rest->table, index);
	uint64_t length = bt_seek_point(&rest->table, index + 1).stored - from.stored;

	if (length > bt_frame_bound(frame->size))
		return bt_fail_damaged(error, BT_R_BAD_FRAME, NULL, from.stored);
	bt_buf_clear(&tools->stored);
	if (bt_buf_reserve(&tools->stored, length))
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	int r = read_stored(rest->stored, tools->stored.data, length, from.stored, error);
	if (r)
		return r;
	struct bt_error inner = {0};
	r = bt_decompress(tools->decompressor, tools->stored.data, length, frame->data, frame->size, &inner);
	if (r == BT_E_DAMAGED)
		return bt_fail_damaged(error, inner.reason, NULL, from.stored);
	return bt_error_pass(error, &inner, r);
}

static int load_frame(void *arg, const struct bt_table_key *key, const void *hint, struct bt_cached **ret_value,
		      size_t *ret_weight, struct bt_error *error)
{
	struct bt_rest *shared = arg;
	const struct rest *rest = hint;
	size_t index = (size_t)key->b;
	size_t size = bt_seek_point(&rest->table, index + 1).plain - bt_seek_point(&rest->table, index).plain;
	struct bt_rest_tools *tools = tools_take(shared);
	struct bt_buffer *buffer = bt_buffer_get(&shared->buffers, sizeof(struct frame) + size);
	struct frame *frame = buffer ? (void *)buffer->data : NULL;
	int r = tools && frame ? 0 : bt_fail(error, BT_E_NOMEM, NULL, NULL);

	if (!r) {
		*frame = (struct frame){.shared = shared, .buffer = buffer, .size = size};
		r = decode(rest, tools, index, frame, error);
	}
	if (tools)
		tools_give(shared, tools);
	if (r) {
		bt_buffer_put(&shared->buffers, buffer);
		return r;
	}
	*ret_value = &frame->cached;
	*ret_weight = buffer->capacity;
	return 0;
}

static void free_frame(struct bt_cached *value)
{
	struct frame *frame = (struct frame *)value;

	bt_buffer_put(&frame->shared->buffers, frame->buffer);
}

int bt_rest_init(struct bt_rest *rest)
{
	const struct bt_cache_options options = {
		.budget = FRAMES_KEPT, .load = load_frame, .free = free_frame, .arg = rest};

	*rest = (struct bt_rest){0};
	pthread_mutex_init(&rest->lock, NULL);
	bt_buffers_init(&rest->buffers, BT_BUFFERS_HUGE, FRAMES_IDLE);
	return bt_cache_new(&options, &rest->frames);
}

void bt_rest_destroy(struct bt_rest *rest)
{
	bt_cache_free(rest->frames);
	bt_buffers_destroy(&rest->buffers);
	while (rest->tools) {
		struct bt_rest_tools *tools = rest->tools;

		rest->tools = tools->next;
		tools_free(tools);
	}
	pthread_mutex_destroy(&rest->lock);
}

static int get_frame(const struct rest *rest, size_t index, struct frame **ret_frame, struct bt_error *error)
{
	const struct bt_table_key key = {rest->number, index};
	struct bt_cached *value;
	int r = bt_cache_get(rest->shared->frames, &key, rest, &value, error);

	if (!r)
		*ret_frame = (struct frame *)value;
	return r;
}

/* -errno of a failure that bt_rest_failed can tell more of. */
static int errno_of(int r, const struct bt_error *error)
{
	if (r == BT_E_SYSTEM)
		return -error->sys;
	return r == BT_E_NOMEM ? -ENOMEM : -EBADMSG;
}

/* Copies what the frame has of the text from offset on, at most length bytes: their number, or -errno. */
static ssize_t copy_part(const struct rest *rest, void *data, size_t length, uint64_t offset)
{
	size_t index = bt_seek_find(&rest->table, offset);
	size_t skip = (size_t)(offset - bt_seek_point(&rest->table, index).plain);
	struct bt_error error = {0};
	struct frame *frame;
	int r = get_frame(rest, index, &frame, &error);

	if (r)
		return errno_of(r, &error);
	size_t part = frame->size - skip < length ? frame->size - skip : length;
	memcpy(data, frame->data + skip, part);
	bt_cache_put(rest->shared->frames, &frame->cached);
	return (ssize_t)part;
}

static size_t within(const struct bt_object *object, size_t length, uint64_t offset)
{
	if (offset >= object->size)
		return 0;
	return length < object->size - offset ? length : (size_t)(object->size - offset);
}

static ssize_t pread_rest(struct bt_object *object, void *data, size_t length, uint64_t offset)
{
	size_t wanted = within(object, length, offset), done = 0;

	while (done < wanted) {
		ssize_t n = copy_part(rest_of(object), (unsigned char *)data + done, wanted - done, offset + done);

		if (n < 0)
			return n;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* Whether the frame is decoded, or all its bytes are in memory: 0 or -errno. */
static int is_at_hand(const struct rest *rest, struct bt_rest_tools *tools, size_t index)
{
	const struct bt_seek_point from = bt_seek_point(&rest->table, index);
	uint64_t length = bt_seek_point(&rest->table, index + 1).stored - from.stored;

	if (bt_cache_has(rest->shared->frames, &(struct bt_table_key){rest->number, index}))
		return 0;
	bt_buf_clear(&tools->stored);
	if (bt_buf_reserve(&tools->stored, length))
		return -ENOMEM;
	ssize_t n = bt_object_pread_at_once(rest->stored, tools->stored.data, length, from.stored);
	if (n < 0)
		return (int)n;
	return (uint64_t)n == length ? 0 : -EAGAIN;
}

static ssize_t pread_rest_at_once(struct bt_object *object, void *data, size_t length, uint64_t offset)
{
	const struct rest *rest = rest_of(object);
	size_t wanted = within(object, length, offset);
	struct bt_rest_tools *tools = wanted ? tools_take(rest->shared) : NULL;
	int r = !wanted || tools ? 0 : -ENOMEM;

	if (wanted && !r) {
		size_t last = bt_seek_find(&rest->table, offset + wanted - 1);

		for (size_t i = bt_seek_find(&rest->table, offset); i <= last && !r; i++)
			r = is_at_hand(rest, tools, i);
		tools_give(rest->shared, tools);
	}
	return r ? r : pread_rest(object, data, wanted, offset);
}

static bool keep_rest(struct bt_object *object, bool keep)
{
	return bt_object_keep(rest_of(object)->stored, keep);
}

static void release_rest(struct bt_object *object)
{
	bt_object_release(rest_of(object)->stored);
}

static void close_rest(struct bt_object *object)
{
	struct rest *rest = rest_of(object);

	bt_object_close(rest->stored);
	bt_seek_table_free(&rest->table);
	free(rest);
}

/* There is no descriptor of the text. */
static const struct bt_object_ops rest_ops = {pread_rest, pread_rest_at_once, keep_rest, release_rest,
					      NULL,	  close_rest};

bool bt_is_rest(const struct bt_object *object)
{
	return object->ops == &rest_ops;
}

static int read_for_table(void *arg, void *data, size_t length, uint64_t offset, struct bt_error *error)
{
	return read_stored(arg, data, length, offset, error);
}

static int read_table(struct rest *rest, const char *name, bool loosely, struct bt_error *error)
{
	const struct bt_seek_source source = {rest->stored, read_for_table};
	uint64_t size = bt_object_size(rest->stored);
	struct bt_error inner = {0};
	int r = bt_seek_table_read(&rest->table, &source, size, &inner);

	if (r && r != BT_E_NOMEM && loosely) {
		inner = (struct bt_error){0};
		r = bt_seek_table_search(&rest->table, &source, size, &inner);
	}
	if (inner.sys == ESTALE)
		return bt_fail_damaged(error, BT_R_CHANGED, name, BT_NO_OFFSET);
	if (r == BT_E_SYSTEM)
		return bt_fail_sys(error, inner.sys, name, "read");
	bt_error_in_file(&inner, name, 0);
	return bt_error_pass(error, &inner, r);
}

int bt_rest_open(struct bt_rest *shared, struct bt_object *stored, const char *name, bool loosely,
		 struct bt_object **ret_object, struct bt_error *error)
{
	struct rest *rest = calloc(1, sizeof(*rest));

	if (!rest) {
		bt_object_close(stored);
		return bt_fail(error, BT_E_NOMEM, name, NULL);
	}
	rest->object = (struct bt_object){.ops = &rest_ops, .references = 1};
	rest->stored = stored;
	rest->shared = shared;
	rest->number = atomic_fetch_add(&shared->opened, 1);
	int r = read_table(rest, name, loosely, error);
	if (r) {
		close_rest(&rest->object);
		return r;
	}
	rest->object.size = bt_seek_plain_size(&rest->table);
	*ret_object = &rest->object;
	return 0;
}

static int fail_frame(const char *name, int r, const struct bt_error *inner, struct bt_error *error)
{
	if (inner->sys == ESTALE)
		return bt_fail_damaged(error, BT_R_CHANGED, name, BT_NO_OFFSET);
	if (r == BT_E_SYSTEM)
		return bt_fail_sys(error, inner->sys, name, "read");
	if (r == BT_E_DAMAGED)
		return bt_fail_damaged(error, inner->reason, name, inner->offset);
	return bt_fail(error, r, name, inner->detail);
}

int bt_rest_failed(struct bt_object *object, const char *name, size_t length, uint64_t offset, int sys,
		   struct bt_error *error)
{
	const struct rest *rest = rest_of(object);
	size_t wanted = within(object, length, offset);
	size_t last = wanted ? bt_seek_find(&rest->table, offset + wanted - 1) : 0;

	for (size_t i = wanted ? bt_seek_find(&rest->table, offset) : 1; i <= last; i++) {
		struct bt_error inner = {0};
		struct frame *frame;
		int r = get_frame(rest, i, &frame, &inner);

		if (r)
			return fail_frame(name, r, &inner, error);
		bt_cache_put(rest->shared->frames, &frame->cached);
	}
	return bt_fail_sys(error, sys, name, "read");
}

uint64_t bt_rest_part_end(struct bt_object *object, uint64_t offset)
{
	const struct rest *rest = rest_of(object);

	if (!bt_is_rest(object) || offset >= object->size)
		return object->size;
	return bt_seek_point(&rest->table, bt_seek_find(&rest->table, offset) + 1).plain;
}

uint64_t bt_rest_stored_to(struct bt_object *object, uint64_t offset)
{
	const struct rest *rest = rest_of(object);

	if (!bt_is_rest(object))
		return offset;
	if (!offset || offset >= object->size)
		return offset ? bt_object_size(rest->stored) : 0;
	return bt_seek_point(&rest->table, bt_seek_find(&rest->table, offset - 1) + 1).stored;
}

int bt_rest_proof_begin(struct bt_rest_proof *proof, struct bt_object *object, const char *name, struct bt_error *error)
{
	*proof = (struct bt_rest_proof){.object = object, .name = name};
	if (!bt_is_rest(object))
		return 0;
	proof->hasher = bt_hasher_new();
	if (!proof->hasher || bt_buf_reserve(&proof->part, PROOF_PART))
		return bt_fail(error, BT_E_NOMEM, name, NULL);
	bt_hasher_start(proof->hasher);
	return 0;
}

static int read_for_proof(const struct bt_rest_proof *proof, size_t length, uint64_t offset, struct bt_error *error)
{
	struct bt_error inner = {0};
	int r = read_stored(rest_of(proof->object)->stored, proof->part.data, length, offset, &inner);

	return r ? fail_frame(proof->name, r, &inner, error) : 0;
}

int bt_rest_proof_to(struct bt_rest_proof *proof, uint64_t offset, struct bt_error *error)
{
	if (!proof->hasher)
		return 0;
	const struct bt_seek_table *table = &rest_of(proof->object)->table;
	uint64_t end = bt_seek_point(table, bt_seek_frames(table)).stored;
	uint64_t to = bt_rest_stored_to(proof->object, offset);

	while (proof->done < to && proof->done < end) {
		uint64_t left = (to < end ? to : end) - proof->done;
		size_t part = left < PROOF_PART ? (size_t)left : PROOF_PART;
		int r = read_for_proof(proof, part, proof->done, error);

		if (r)
			return r;
		bt_hasher_add(proof->hasher, proof->part.data, part);
		proof->done += part;
	}
	return 0;
}

int bt_rest_proof_finish(struct bt_rest_proof *proof, struct bt_error *error)
{
	struct bt_digest found, wanted;
	int r = bt_rest_proof_to(proof, proof->object->size, error);

	if (r || !proof->hasher)
		return r;
	r = read_for_proof(proof, BT_SEEK_DIGEST, proof->done, error);
	if (r)
		return r;
	if (bt_hasher_finish(proof->hasher, &found))
		return bt_fail(error, BT_E_NOMEM, proof->name, NULL);
	if (!bt_seek_digest(proof->part.data, &wanted) || !bt_digest_equal(&found, &wanted))
		return bt_fail_damaged(error, BT_R_DIGEST_MISMATCH, proof->name, proof->done);
	return 0;
}

void bt_rest_proof_end(struct bt_rest_proof *proof)
{
	bt_hasher_free(proof->hasher);
	bt_buf_free(&proof->part);
}
