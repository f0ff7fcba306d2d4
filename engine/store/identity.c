/* SPDX-License-Identifier: MIT */
/* The id that tells a store from all others (FORMAT.md section 1). */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/io.h"
#include "base/publish.h"
#include "base/random.h"
#include "store/store_inside.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ID_BEGIN "{\"format\":\"backuptool\",\"id\":\""

/* What follows the id is for people. */
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
	char text[512];
	int fd = bt_open_file(bt_store_local_fd(store), BT_ID_NAME, O_RDONLY);
	ssize_t length = fd >= 0 ? bt_read_some(fd, text, sizeof(text)) : fd;

	store->id[0] = '\0';
	bt_close(&fd);
	if (length == -ENOENT)
		return 0;
	if (length == -EMEDIUMTYPE)
		return bt_fail_kind(error, BT_R_BAD_ID, bt_store_local_fd(store), BT_ID_NAME);
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

	if (r == 0 && gmtime_r(&now, &utc))
		strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", &utc);
	snprintf(text, size, ID_BEGIN "%s\",\"created\":\"%s\"}\n", id, created);
	return r;
}

/* Of two programs that make the same store, both have the id of the one that was first. */
int bt_identity_give(struct bt_store *store, bool *ret_given, struct bt_error *error)
{
	struct bt_publish out;
	struct bt_error inner = {0};
	char text[160];
	int r = compose(text, sizeof(text));

	if (r < 0)
		return bt_fail_sys(error, -r, BT_ID_NAME, "getrandom");
	r = bt_publish_begin_in_store(&out, bt_store_local_fd(store), &inner);
	if (r == 0) {
		r = bt_write_all(out.fd, text, strlen(text));
		r = r < 0 ? bt_fail_sys(&inner, -r, BT_ID_NAME, "write") : bt_publish_commit(&out, BT_ID_NAME, &inner);
		bt_publish_abort(&out);
	}
	if (r != 0 && r != BT_E_EXISTS)
		return bt_error_pass(error, &inner, r);
	*ret_given = r == 0;
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
