/* SPDX-License-Identifier: MIT */
#include "model/volume.h"
#include "base/fail.h"
#include "model/document.h"
#include <time.h>

int bt_volume_begin(struct bt_store *store, struct bt_writer **ret_writer, struct bt_error *error)
{
	struct timespec now;
	struct bt_buf header = {0};
	int result;

	clock_gettime(CLOCK_REALTIME, &now);
	if (bt_volume_header_write(&header, &(struct bt_time){now.tv_sec, (uint32_t)now.tv_nsec}))
		result = bt_fail(error, BT_E_NOMEM, NULL, NULL);
	else
		result = bt_store_create(store, false, &header, ret_writer, error);
	bt_buf_free(&header);
	return result;
}

int bt_volume_seal(struct bt_store *store, struct bt_writer *writer, struct bt_error *error)
{
	struct bt_buf summary = {.data = (unsigned char[]){'{', '}'}, .length = 2, .capacity = 2};
	char name[48];

	int result = bt_volume_name(name, error);
	return result ? result : bt_store_publish(store, false, writer, &summary, name, error);
}
