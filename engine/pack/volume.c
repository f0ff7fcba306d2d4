/* SPDX-License-Identifier: MIT */
#include "pack/volume.h"

#include "base/fail.h"
#include "model/document.h"
#include <time.h>

int bt_volume_begin(struct bt_store *store, const struct bt_time *time, struct bt_writer **ret_writer,
		    struct bt_error *error)
{
	struct timespec clock;
	struct bt_buf header = {0};

	clock_gettime(CLOCK_REALTIME, &clock);
	const struct bt_time now = {clock.tv_sec, (uint32_t)clock.tv_nsec};
	int r = bt_volume_header_write(&header, time ? time : &now);
	if (r)
		bt_fail(error, r, NULL, NULL);
	else
		r = bt_store_create(store, false, &header, ret_writer, error);
	bt_buf_free(&header);
	return r;
}

int bt_volume_seal(struct bt_store *store, struct bt_writer *writer, const char *name, struct bt_error *error)
{
	struct bt_buf summary = {.data = (unsigned char[]){'{', '}'}, .length = 2, .capacity = 2};
	char random[48];
	int r = name ? 0 : bt_volume_name(random, error);

	return r ? r : bt_store_publish(store, false, writer, &summary, name ? name : random, error);
}
