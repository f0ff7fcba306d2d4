/* SPDX-License-Identifier: MIT */
#include "model/volume.h"
#include "base/fail.h"
#include "base/random.h"
#include "model/document.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

int bt_volume_name(char name[48], struct bt_error *error)
{
	char hex[32];
	int r = bt_random_hex(hex, sizeof(hex) / 2);

	if (r < 0)
		return bt_fail_sys(error, -r, NULL, "getrandom");
	snprintf(name, 48, "%.32s.json", hex);
	return 0;
}

int bt_volume_begin(struct bt_store *store, struct bt_writer **ret_writer, struct bt_error *error)
{
	struct timespec now;
	struct bt_buf header = {0};
	int fd, result = bt_store_contents_dirfd(store, &fd, error);

	if (result)
		return result;
	clock_gettime(CLOCK_REALTIME, &now);
	if (bt_volume_header_write(&header, &(struct bt_time){now.tv_sec, (uint32_t)now.tv_nsec}))
		result = bt_fail(error, BT_E_NOMEM, NULL, NULL);
	else
		result = bt_writer_new(fd, &header, ret_writer, error);
	bt_buf_free(&header);
	return result;
}

int bt_volume_seal(struct bt_store *store, struct bt_writer *writer, struct bt_error *error)
{
	struct bt_buf summary = {.data = (unsigned char[]){'{', '}'}, .length = 2, .capacity = 2};
	char name[48];

	int result = bt_volume_name(name, error);
	if (!result)
		result = bt_writer_seal(writer, &summary, name, error);
	return result ? result : bt_store_add_file(store, name, false, writer, error);
}
