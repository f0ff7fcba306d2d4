/* SPDX-License-Identifier: MIT */
#include "model/volume.h"
#include "base/bytes.h"
#include "base/fail.h"
#include "model/document.h"
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

void bt_volume_name(char name[48])
{
	unsigned char random[16];
	char hex[32];

	/* 16 bytes are never short, and the kernel's generator is ready once a store can be opened. */
	if (getrandom(random, sizeof(random), 0) < 0)
		memset(random, 0, sizeof(random));
	bt_hex_encode(hex, random, sizeof(random));
	snprintf(name, 48, "%.32s.json", hex);
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

	bt_volume_name(name);
	int result = bt_writer_seal(writer, &summary, name, error);
	return result ? result : bt_store_add_file(store, name, false, writer, error);
}
