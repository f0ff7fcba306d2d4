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
/* Quotes inside of a text are escaped, so this is nowhere else. */
#define AT_REST	 ",\"at_rest\":\""
#define ZSTD	 AT_REST "zstd\""
#define TEXT_MAX 512

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

/* Without the file the text is empty. */
static int read_text(struct bt_store *store, char text[TEXT_MAX], size_t *ret_length, struct bt_error *error)
{
	static const struct bt_backend_name name = {BT_AREA_TOP, BT_ID_NAME};
	struct bt_error inner = {0};
	struct bt_object *object;
	int r = bt_object_open(store->backend, &name, NULL, &object, &inner);

	*ret_length = 0;
	if (inner.sys == ENOENT)
		return 0;
	if (inner.reason == BT_R_NOT_A_FILE)
		inner.reason = BT_R_BAD_ID;
	if (r)
		return bt_error_pass(error, &inner, r);
	ssize_t length = bt_object_pread(object, text, TEXT_MAX, 0);
	bt_object_close(object);
	if (length < 0)
		return bt_fail_sys(error, (int)-length, BT_ID_NAME, "read");
	char id[BT_STORE_ID_SIZE];
	if (!parse(text, (size_t)length, id))
		return bt_fail_damaged(error, BT_R_BAD_ID, BT_ID_NAME, BT_NO_OFFSET);
	*ret_length = (size_t)length;
	return 0;
}

/* Features that a program must know that changes the store, straight after the id. */
static int check_needs(const char *text, size_t length, struct bt_error *error)
{
	const size_t begin = strlen(ID_BEGIN) + BT_STORE_ID_SIZE;
	struct bt_error inner = {0};
	struct bt_json json;
	char sentence[sizeof(inner.detail) + 100];

	if (length < begin)
		return 0;
	bt_json_begin(&json, text + begin, length - begin, begin, &inner);
	if (!bt_needs_read(&json))
		return 0;
	snprintf(sentence, sizeof(sentence), "a newer version of this program is needed to change the store%s%s%s",
		 inner.detail[0] ? ", one that knows the feature '" : "", inner.detail, inner.detail[0] ? "'" : "");
	return bt_fail(error, BT_E_UNSUPPORTED, BT_ID_NAME, sentence);
}

static bool says_at_rest(const char *text, size_t length)
{
	return memmem(text, length, ZSTD, strlen(ZSTD));
}

int bt_identity_read(struct bt_store *store, struct bt_error *error)
{
	char text[TEXT_MAX];
	size_t length;
	int r = read_text(store, text, &length, error);

	store->id[0] = '\0';
	if (r)
		return r;
	parse(text, length, store->id);
	store->at_rest = says_at_rest(text, length);
	return 0;
}

int bt_identity_enter(struct bt_store *store, struct bt_error *error)
{
	char text[TEXT_MAX];
	size_t length;

	if (read_text(store, text, &length, NULL))
		return 0; /* which nothing depends on */
	store->at_rest = says_at_rest(text, length);
	return check_needs(text, length, error);
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

/* The same members, with this choice as the last one; false: it would be too long. */
static bool compose_choice(struct bt_buf *out, const char *text, size_t length, bool at_rest)
{
	const char *old = memmem(text, length, AT_REST, strlen(AT_REST));
	const char *end = memrchr(text, '}', length);

	if (!end)
		return false;
	const char *stop = old ? memchr(old + strlen(AT_REST), '"', (size_t)(end - old) - strlen(AT_REST)) : NULL;
	bt_buf_append(out, text, (size_t)((old ? old : end) - text));
	if (stop)
		bt_buf_append(out, stop + 1, (size_t)(end - stop) - 1);
	bt_buf_append(out, ZSTD, at_rest ? strlen(ZSTD) : 0);
	bt_buf_append(out, "}\n", 2);
	return (!old || stop) && out->length <= TEXT_MAX;
}

/* The old file or the new one is there at every moment. */
static int replace_text(struct bt_store *store, const struct bt_buf *text, struct bt_error *error)
{
	char name[32];
	const struct bt_backend_name temp = {BT_AREA_TOP, name};
	struct bt_upload *upload;
	int r = bt_backend_provisional(name, error);

	if (!r)
		r = bt_backend_create(store->backend, BT_AREA_TOP, &upload, error);
	if (r)
		return r;
	r = bt_upload_write(upload, text->data, text->length);
	r = r < 0 ? bt_upload_failed(upload, -r, error) : bt_upload_publish(upload, name, error);
	bt_upload_close(upload);
	if (r)
		return r;
	r = bt_backend_replace(store->backend, &temp, BT_ID_NAME, error);
	if (r) {
		bt_backend_remove(store->backend, &temp);
		return r;
	}
	int sys = bt_backend_settle(store->backend, BT_AREA_TOP);
	return sys ? bt_fail_sys(error, -sys, BT_ID_NAME, "sync") : 0;
}

int bt_identity_choose(struct bt_store *store, bool at_rest, struct bt_error *error)
{
	struct bt_buf wanted = {0};
	char text[TEXT_MAX];
	size_t length;
	struct bt_error inner = {0};
	int r = read_text(store, text, &length, &inner);

	if (r == BT_E_DAMAGED || (!r && !length)) { /* nowhere to remember it, which is no reason not to do it */
		store->at_rest = at_rest;
		return 0;
	}
	if (bt_error_pass(error, &inner, r))
		return r;
	if (says_at_rest(text, length) != at_rest) {
		if (!compose_choice(&wanted, text, length, at_rest))
			r = bt_fail(error, BT_E_INVALID, BT_ID_NAME, "has no room for another member");
		if (!r && wanted.failed)
			r = bt_fail(error, BT_E_NOMEM, NULL, NULL);
		if (!r)
			r = replace_text(store, &wanted, error);
	}
	bt_buf_free(&wanted);
	if (!r)
		store->at_rest = at_rest;
	return r;
}

enum bt_at_rest bt_store_at_rest(const struct bt_store *store)
{
	return store->at_rest ? BT_AT_REST_ZSTD : BT_AT_REST_PLAIN;
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
