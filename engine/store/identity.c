/* SPDX-License-Identifier: MIT */
/* The id that tells a store from all others (FORMAT.md section 1). */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/random.h"
#include "store/store_inside.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ID_BEGIN "{\"format\":\"backuptool\",\"id\":\""

/* The text after the id is for people. */
static bool parse(const char *text, size_t length, char id[BT_STORE_ID_SIZE])
{
	unsigned char bytes[(BT_STORE_ID_SIZE - 1) / 2];
	const size_t begin = strlen(ID_BEGIN);

	if (length < begin + BT_STORE_ID_SIZE || memcmp(text, ID_BEGIN, begin) != 0 ||
	    !bt_hex_decode(bytes, sizeof(bytes), text + begin) || text[begin + BT_STORE_ID_SIZE - 1] != '"')
		return false;
	memcpy(id, text + begin, BT_STORE_ID_SIZE - 1);
	id[BT_STORE_ID_SIZE - 1] = '\0';
	return true;
}

int bt_identity_read(struct bt_store *store, struct bt_error *error)
{
	static const struct bt_backend_name name = {BT_AREA_TOP, BT_ID_NAME};
	char text[512];
	struct bt_error inner = {0};
	struct bt_object *object;
	int r = bt_object_open(store->backend, &name, NULL, &object, &inner);

	store->id[0] = '\0';
	if (inner.sys == ENOENT)
		return 0;
	if (inner.reason == BT_R_NOT_A_FILE)
		inner.reason = BT_R_BAD_ID;
	if (r)
		return bt_error_pass(error, &inner, r);
	ssize_t length = bt_object_pread(object, text, sizeof(text), 0);
	bt_object_close(object);
	if (length < 0)
		return bt_fail_sys(error, (int)-length, BT_ID_NAME, "read");
	if (!parse(text, (size_t)length, store->id))
		return bt_fail_damaged(error, BT_R_BAD_ID, BT_ID_NAME, BT_NO_OFFSET);
	return 0;
}

/* 0 or -errno */
static int compose(char *text, size_t size)
{
	char id[BT_STORE_ID_SIZE] = "", created[32] = "";
	time_t now = time(NULL);
	struct tm utc;
	int r = bt_random_hex(id, (sizeof(id) - 1) / 2);

	if (!r && gmtime_r(&now, &utc))
		strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", &utc);
	snprintf(text, size, ID_BEGIN "%s\",\"created\":\"%s\"}\n", id, created);
	return r;
}

/* If two programs make the same store, both get the id of the first one. */
int bt_identity_give(struct bt_store *store, bool *ret_given, struct bt_error *error)
{
	struct bt_upload *upload = NULL;
	struct bt_error inner = {0};
	char text[160];
	int r = compose(text, sizeof(text));

	if (r < 0)
		return bt_fail_sys(error, -r, BT_ID_NAME, "get random bytes");
	r = bt_backend_create(store->backend, BT_AREA_TOP, &upload, &inner);
	if (!r) {
		r = bt_upload_write(upload, text, strlen(text));
		r = r < 0 ? bt_fail_sys(&inner, -r, BT_ID_NAME, "write")
			  : bt_upload_publish(upload, BT_ID_NAME, &inner);
		bt_upload_close(upload);
	}
	if (r && r != BT_E_EXISTS)
		return bt_error_pass(error, &inner, r);
	*ret_given = !r;
	bt_identity_read(store, NULL);
	return 0;
}

const char *bt_store_id(const struct bt_store *store)
{
	return store->id;
}

bool bt_store_made(const struct bt_store *store)
{
	return store->made;
}
