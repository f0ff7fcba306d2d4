/* SPDX-License-Identifier: MIT */
#include "pack/inside.h"

#include "base/fail.h"
#include <stdlib.h>

static int set_up(struct bt_pack *pack, const struct bt_pack_options *options, struct bt_error *error)
{
	int r = pack->dry ? 0 : bt_pack_files_new(pack, options, error);

	if (!r)
		r = bt_pack_pages_new(pack);
	if (!r)
		r = bt_packers_new(pack, options);
	return r ? bt_fail(error, (enum bt_code)r, NULL, NULL) : 0;
}

int bt_pack_new(const struct bt_pack_options *options, struct bt_pack **ret_pack, struct bt_error *error)
{
	struct bt_pack *pack = calloc(1, sizeof(*pack));

	if (!pack)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	pack->store = options->store;
	pack->voice = options->voice;
	pack->buffers = options->buffers;
	pack->dry = options->dry;
	pack->info = options->info;
	pack->name = options->name;
	pthread_mutex_init(&pack->taken_lock, NULL);
	pthread_mutex_init(&pack->lock, NULL);
	int r = set_up(pack, options, error);
	if (r)
		bt_pack_free(pack);
	else
		*ret_pack = pack;
	return r;
}

/* Frees the packers first, because their jobs use everything else. */
uint64_t bt_pack_free(struct bt_pack *pack)
{
	uint64_t written;

	if (!pack)
		return 0;
	bt_pack_drop_block(pack);
	bt_pool_free(pack->packers);
	written = pack->counts.written;
	bt_pack_files_free(pack);
	bt_digest_set_free(&pack->taken);
	bt_hasher_free(pack->page_hasher);
	free(pack->recent);
	pthread_mutex_destroy(&pack->taken_lock);
	pthread_mutex_destroy(&pack->lock);
	free(pack);
	return written;
}

const struct bt_pack_counts *bt_pack_counts(const struct bt_pack *pack)
{
	return &pack->counts;
}
