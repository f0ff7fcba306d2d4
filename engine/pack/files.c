/* SPDX-License-Identifier: MIT */
#include "pack/inside.h"

#include "base/bytes.h"
#include "base/fail.h"
#include "model/document.h"
#include "pack/volume.h"
#include <internal/policy.h>
#include <stdio.h>

/* Bounds the memory for contents that are not in the index yet. */
enum { CONTENTS_MAX = 262144 };
#define VOLUME_SIZE ((uint64_t)256 << 20)
enum { NAME_DIGITS = 16, CLASHES_MAX = 1000 };

static int begin_file(struct bt_pack *pack, const struct bt_snapshot_info *info, struct bt_writer **ret_writer,
		      struct bt_error *error)
{
	struct bt_buf header = {0};
	int r = bt_header_write(&header, info);

	if (!r && header.length > BT_HEADER_MAX - 16)
		r = bt_fail(error, BT_E_INVALID, NULL, "the tags are too long");
	if (!r)
		r = bt_store_create(pack->store, true, &header, ret_writer, error);
	bt_buf_free(&header);
	return r;
}

static int begin_snapshot(struct bt_pack *pack, struct bt_error *error)
{
	pack->time = pack->info->time;
	pack->names = bt_hasher_new();
	return pack->names ? begin_file(pack, pack->info, &pack->snapshot, error) : BT_E_NOMEM;
}

int bt_pack_files_new(struct bt_pack *pack, const struct bt_pack_options *options, struct bt_error *error)
{
	pack->volume_size = options->volume_size > 0 ? options->volume_size : VOLUME_SIZE;
	return options->info ? begin_snapshot(pack, error) : bt_volume_begin(pack->store, NULL, &pack->volume, error);
}

void bt_pack_files_free(struct bt_pack *pack)
{
	bt_writer_free(pack->snapshot);
	bt_writer_free(pack->volume);
	bt_hasher_free(pack->names);
}

static bool is_full(const struct bt_pack *pack, const struct bt_writer *writer)
{
	return bt_writer_size(writer) >= pack->volume_size || bt_writer_contents(writer) >= CONTENTS_MAX;
}

static int begin_volume(struct bt_pack *pack, struct bt_error *error)
{
	bt_hasher_start(pack->names);
	bt_hasher_add(pack->names, &pack->time.seconds, sizeof(pack->time.seconds));
	bt_hasher_add(pack->names, &pack->time.nanoseconds, sizeof(pack->time.nanoseconds));
	return bt_volume_begin(pack->store, &pack->time, &pack->volume, error);
}

/* The name comes from the contents and the time of the run, so that a deleted name is never used again. If it is taken
 * (by a damaged file, or by another run at the same moment), the digest of the name is tried next. */
static int volume_name(struct bt_pack *pack, char name[BT_PACK_NAME])
{
	struct bt_digest digest;
	int r = bt_hasher_peek(pack->names, &digest);

	if (r)
		return r;
	bt_hex_encode(name, digest.bytes, NAME_DIGITS);
	snprintf(name + (size_t)2 * NAME_DIGITS, BT_PACK_NAME - (size_t)2 * NAME_DIGITS, ".json");
	bt_hasher_add(pack->names, digest.bytes, sizeof(digest.bytes));
	return 0;
}

static int publish_volume(struct bt_pack *pack, struct bt_error *error)
{
	char name[BT_PACK_NAME];

	for (int i = 0; i < CLASHES_MAX; i++) {
		struct bt_error clash = {0};
		int r = volume_name(pack, name);

		if (!r)
			r = bt_volume_seal(pack->store, pack->volume, name, &clash);
		if (r != BT_E_EXISTS)
			return bt_error_pass(error, &clash, r);
	}
	return bt_fail(error, BT_E_EXISTS, name, "give the volume a name");
}

static int forget(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
		  uint32_t size)
{
	bt_digest_set_remove(arg, digest);
	return 0;
}

/* From now on the contents of the file are in the index. */
static int forget_taken(struct bt_pack *pack, const struct bt_writer *writer)
{
	const struct bt_index_visitor visitor = {.arg = &pack->taken, .content = forget};

	pthread_mutex_lock(&pack->taken_lock);
	int r = bt_writer_visit(writer, &visitor);
	pthread_mutex_unlock(&pack->taken_lock);
	return r;
}

static int seal_volume(struct bt_pack *pack, struct bt_error *error)
{
	int r = pack->names ? publish_volume(pack, error) : bt_volume_seal(pack->store, pack->volume, NULL, error);

	if (!r)
		r = forget_taken(pack, pack->volume);
	if (r)
		return r;
	pack->counts.written += bt_writer_stored(pack->volume);
	bt_writer_free(pack->volume);
	pack->volume = NULL;
	return 0;
}

static int write_to_volume(struct bt_pack *pack, const struct bt_block_text *text, const struct bt_held *held,
			   size_t count, struct bt_error *error)
{
	int r = pack->volume ? 0 : begin_volume(pack, error);

	if (r)
		return r;
	for (size_t i = 0; pack->names && i < count; i++)
		bt_hasher_add(pack->names, held[i].digest.bytes, sizeof(held[i].digest.bytes));
	r = bt_writer_block(pack->volume, text, held, count, error);
	return !r && pack->snapshot && is_full(pack, pack->volume) ? seal_volume(pack, error) : r;
}

int bt_pack_block(struct bt_pack *pack, const struct bt_block_text *text, const struct bt_held *held, size_t count,
		  struct bt_error *error)
{
	int r;

	pthread_mutex_lock(&pack->lock);
	pack->counts.stored += text->length;
	if (pack->snapshot && !is_full(pack, pack->snapshot))
		r = bt_writer_block(pack->snapshot, text, held, count, error);
	else
		r = write_to_volume(pack, text, held, count, error);
	pthread_mutex_unlock(&pack->lock);
	return r;
}

int bt_pack_moved_page(struct bt_pack *pack, const char *line, size_t length, const struct bt_digest *id,
		       struct bt_error *error)
{
	pthread_mutex_lock(&pack->lock);
	int r = bt_writer_page(pack->snapshot ? pack->snapshot : pack->volume, line, length, id, error);
	pthread_mutex_unlock(&pack->lock);
	return r;
}

int bt_pack_seal(struct bt_pack *pack, struct bt_error *error)
{
	return pack->volume ? seal_volume(pack, error) : 0;
}

/* Follows all snapshots of the same second, even if some of them were removed: names are in the order of time. */
static unsigned first_clash(const struct bt_pack *pack)
{
	for (size_t i = bt_store_snapshot_count(pack->store); i-- > 0;) {
		int64_t seconds;
		unsigned clash;

		if (bt_snapshot_name_parse(bt_store_snapshot_name(pack->store, i), &seconds, &clash) != 0)
			continue;
		if (seconds == pack->time.seconds)
			return clash + 1;
		if (seconds < pack->time.seconds)
			break;
	}
	return 0;
}

static int publish(struct bt_pack *pack, struct bt_gate *gate, struct bt_writer *writer, const struct bt_buf *summary,
		   char name[BT_PACK_NAME], struct bt_error *error)
{
	unsigned first = first_clash(pack);

	if (first < pack->clash)
		first = pack->clash;
	for (unsigned i = pack->name ? 0 : 1; i <= CLASHES_MAX; i++) {
		struct bt_error taken = {0};

		if (i)
			bt_snapshot_name_format(pack->time.seconds, first + i - 1, name, BT_PACK_NAME);
		else
			snprintf(name, BT_PACK_NAME, "%s", pack->name);
		int r = bt_gate_publish(gate, writer, summary, name, &taken);
		if (!r)
			pack->counts.written += bt_writer_stored(writer);
		pack->clash = first + i;
		if (r != BT_E_EXISTS)
			return bt_error_pass(error, &taken, r);
	}
	return bt_fail(error, BT_E_EXISTS, name, "too many snapshots in one second");
}

int bt_pack_publish(struct bt_pack *pack, struct bt_gate *gate, const struct bt_buf *summary, char name[64],
		    struct bt_error *error)
{
	return publish(pack, gate, pack->snapshot, summary, name, error);
}

/* Under its own header, which does not say that it is partial, it is never listed. */
static int shelve(struct bt_pack *pack, struct bt_gate *gate, const struct bt_buf *summary, struct bt_error *error)
{
	int r = bt_gate_shelve(gate, pack->snapshot, summary, error);

	if (!r)
		r = forget_taken(pack, pack->snapshot);
	if (r)
		return r;
	pack->counts.written += bt_writer_stored(pack->snapshot);
	bt_writer_free(pack->snapshot);
	pack->snapshot = NULL;
	return begin_file(pack, pack->info, &pack->snapshot, error);
}

int bt_pack_checkpoint(struct bt_pack *pack, struct bt_gate *gate, const struct bt_snapshot_info *info, char name[64],
		       struct bt_error *error)
{
	struct bt_buf summary = {0};
	struct bt_writer *writer = NULL;
	int r = bt_summary_write(&summary, info);

	if (!r)
		r = shelve(pack, gate, &summary, error);
	if (!r)
		r = begin_file(pack, info, &writer, error);
	if (!r)
		r = publish(pack, gate, writer, &summary, name, error);
	bt_writer_free(writer);
	bt_buf_free(&summary);
	return r;
}
