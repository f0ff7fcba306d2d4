/* SPDX-License-Identifier: MIT */
/* With BT_TEST_AT_REST in the environment, tests run as if each store had chosen that its files lie compressed. */
#include "at_rest_store.h"
#include "store/store_inside.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int __real_bt_identity_enter(struct bt_store *store, struct bt_error *error);
int __wrap_bt_identity_enter(struct bt_store *store, struct bt_error *error);

int __wrap_bt_identity_enter(struct bt_store *store, struct bt_error *error)
{
	int r = __real_bt_identity_enter(store, error);

	if (getenv("BT_TEST_AT_REST"))
		store->at_rest = true;
	return r;
}

const char *lies_at(char *path, size_t size)
{
	size_t length = strlen(path);

	if (access(path, F_OK) && length + sizeof(BT_REST_SUFFIX) <= size) {
		memcpy(path + length, BT_REST_SUFFIX, sizeof(BT_REST_SUFFIX));
		if (access(path, F_OK))
			path[length] = '\0';
	}
	return path;
}
