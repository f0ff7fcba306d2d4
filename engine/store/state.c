/* SPDX-License-Identifier: MIT */
/* What no snapshot holds, in state/. */
#include "backend/upload.h"
#include "base/bytes.h"
#include "base/fail.h"
#include "store/state_text.h"
#include "store/store_inside.h"
#include <errno.h>
#include <internal/state.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE  32
#define HEX_DIGITS 16

static const char *const words[] = {[BT_STATE_RUN] = "run-", [BT_STATE_PRUNE] = "prune-", [BT_STATE_CHECK] = "check-"};

/* "run-0123456789abcdef": of a task of one host and directory. No end tells that it is JSON, so that nobody takes it
 * for one of the files that matter. */
static void name_of(const struct bt_state *state, char name[NAME_SIZE])
{
	uint64_t hash = bt_hash_bytes(state->host, strlen(state->host), 0);

	hash = bt_hash_bytes(state->target, strlen(state->target), hash);
	snprintf(name, NAME_SIZE, "%s%016" PRIx64, words[state->task], hash);
}

static int write_file(struct bt_store *store, const char *name, const struct bt_buf *text, struct bt_error *error)
{
	struct bt_upload *upload;
	int r = bt_backend_create(store->backend, BT_AREA_STATE, &upload, error);

	if (r)
		return r;
	r = bt_upload_write(upload, text->data, text->length);
	r = r < 0 ? bt_upload_failed(upload, -r, error) : bt_upload_replace(upload, name, error);
	bt_upload_close(upload);
	return r;
}

int bt_state_put(struct bt_store *store, const struct bt_state *state, struct bt_error *error)
{
	struct bt_buf text = {0};
	char name[NAME_SIZE];
	int r = store->read_only ? bt_fail_sys(error, EROFS, NULL, "write") : bt_identity_enter(store, error);

	if (!r)
		r = bt_state_write(&text, state);
	name_of(state, name);
	if (!r)
		r = write_file(store, name, &text, error);
	bt_buf_free(&text);
	return r;
}

/* Whether the file is this user's, root's or the owner's, and small. */
static bool read_file(struct bt_store *store, const char *file, const struct bt_stored *stored,
		      struct bt_state *ret_state)
{
	const struct bt_backend_name name = {BT_AREA_STATE, file};
	struct bt_object *object = NULL;
	char *text, own[NAME_SIZE];
	ssize_t got = -1;
	bool fine;

	if (!stored->is_file || !stored->trusted || stored->size > BT_STATE_FILE_MAX)
		return false;
	text = malloc(BT_STATE_FILE_MAX);
	if (text && !bt_object_open(store->backend, &name, stored, &object, NULL))
		got = bt_object_pread(object, text, BT_STATE_FILE_MAX, 0);
	fine = got > 0 && !bt_state_read(&(struct bt_text){text, (size_t)got}, ret_state, NULL);
	if (fine)
		name_of(ret_state, own);
	fine = fine && !strcmp(own, file);
	bt_object_close(object);
	free(text);
	return fine;
}

/* Another directory may have the same name by chance. */
bool bt_state_get(struct bt_store *store, enum bt_state_task task, const char *host, const char *target,
		  struct bt_state *ret_state)
{
	struct bt_state *wanted = calloc(1, sizeof(*wanted));
	char name[NAME_SIZE] = "";
	struct bt_stored stored;
	bool fits = wanted && strlen(host) < sizeof(wanted->host) && strlen(target) < sizeof(wanted->target);

	if (fits) {
		wanted->task = task;
		memcpy(wanted->host, host, strlen(host) + 1);
		memcpy(wanted->target, target, strlen(target) + 1);
		name_of(wanted, name);
	}
	free(wanted);
	return fits && !bt_backend_look(store->backend, BT_AREA_STATE, name, &stored) &&
	       read_file(store, name, &stored, ret_state) && !strcmp(ret_state->host, host) &&
	       !strcmp(ret_state->target, target);
}

struct listing {
	struct bt_store *store;
	void (*visit)(void *arg, const struct bt_state *state);
	void *arg;
	struct bt_state *state;
	size_t seen, refused;
};

static bool is_wanted(void *arg, const char *name)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strncmp(name, words[i], strlen(words[i])))
			return strlen(name) == strlen(words[i]) + HEX_DIGITS;
	return false;
}

static int see_file(void *arg, const char *name, const struct bt_stored *stored)
{
	struct listing *listing = arg;

	if (listing->seen++ >= BT_STATE_MOST)
		return 1;
	if (read_file(listing->store, name, stored, listing->state))
		listing->visit(listing->arg, listing->state);
	else
		listing->refused++;
	return 0;
}

size_t bt_state_list(struct bt_store *store, void (*visit)(void *arg, const struct bt_state *state), void *arg)
{
	struct listing listing = {
		.store = store, .visit = visit, .arg = arg, .state = calloc(1, sizeof(*listing.state))};
	const struct bt_list_visitor visitor = {&listing, is_wanted, see_file};

	if (listing.state)
		bt_backend_list(store->backend, BT_AREA_STATE, &visitor, NULL);
	free(listing.state);
	return listing.refused;
}

void bt_store_room(struct bt_store *store, struct bt_room *ret_room)
{
	*ret_room = (struct bt_room){0};
	for (uint32_t i = 0; i < bt_store_file_count(store); i++) {
		const struct bt_file_id *id = bt_store_file_id(store, i);

		if (!id->gone)
			ret_room->bytes += id->size;
	}
	bt_backend_room(store->backend, &ret_room->free, &ret_room->total);
}
