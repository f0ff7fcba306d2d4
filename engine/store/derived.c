/* SPDX-License-Identifier: MIT */
/* Files of version 2 that are derived from files of version 1, kept in cache/. */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/io.h"
#include "base/listing.h"
#include "base/made.h"
#include "base/publish.h"
#include "store/file_inside.h"
#include "store/store_inside.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
}

/* Version 2 begins with its format's name, without white space. A file that does not begin like a JSON object is left
 * to the reader of version 2, which refuses it. */
bool bt_is_classic(struct bt_object *object)
{
	static const char *const version_2[] = {"{\"format\"", "{\"version\"", "{\"kind\""};
	char text[4096];
	ssize_t got = bt_object_pread(object, text, sizeof(text), 0);
	size_t length = got > 0 ? (size_t)got : 0, at = 0;

	for (size_t i = 0; i < sizeof(version_2) / sizeof(version_2[0]); i++) {
		size_t size = strlen(version_2[i]);

		if (length >= size && memcmp(text, version_2[i], size) == 0)
			return false;
	}
	while (at < length && is_space(text[at]))
		at++;
	if (at == length || text[at++] != '{')
		return false;
	while (at < length && is_space(text[at]))
		at++;
	return at < length && text[at] == '"';
}

bool bt_slot_is_classic(const struct bt_store *store, const struct bt_slot *slot, struct bt_object *object)
{
	return slot->id.snapshot && store->readers.derive && bt_is_classic(object);
}

struct derived_name {
	char text[32]; /* classic-<16 hex>.json */
};

/* Other files get other names, so a derived file never stands for an earlier file of the same name. */
static struct derived_name name_of(const struct bt_slot *slot)
{
	struct derived_name name;
	uint64_t hash = bt_hash_bytes(slot->path, strlen(slot->path), slot->id.size);

	hash = bt_mix64(hash ^ (uint64_t)slot->id.mtime.seconds);
	hash = bt_mix64(hash ^ slot->id.mtime.nanoseconds);
	snprintf(name.text, sizeof(name.text), "classic-%016" PRIx64 ".json", hash);
	return name;
}

static int open_pair(struct bt_slot *slot, int fd, struct bt_object *source, struct bt_file **ret_file,
		     struct bt_error *error)
{
	struct bt_object *object;
	int r = bt_object_of_fd(fd, slot->path, &object, error);

	return r ? r : bt_file_open_classic(object, bt_object_ref(source), slot->path, ret_file, error);
}

static int derive_temporary(struct bt_store *store, struct bt_slot *slot, int source_fd, int *ret_fd,
			    struct bt_error *error)
{
	int fd = bt_scratch_file();

	if (fd < 0)
		return bt_fail_sys(error, -fd, slot->path, "create a temporary file");
	int r = store->readers.derive(source_fd, slot->path, fd, store->options.observer, error);
	if (r)
		bt_close(&fd);
	else
		*ret_fd = fd;
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct derived_name *)a)->text, ((const struct derived_name *)b)->text);
}

/* The sorted names of all derived files that may be needed; NULL: out of memory. */
static struct derived_name *list_wanted(struct bt_store *store, size_t *ret_count)
{
	size_t files = bt_store_file_count(store), count = 0;
	struct derived_name *wanted = calloc(files + 1, sizeof(*wanted));

	for (uint32_t i = 0; wanted && i < files; i++) {
		const struct bt_slot *slot = bt_slot(store, i);

		if (slot->id.snapshot && !slot->id.gone)
			wanted[count++] = name_of(slot);
	}
	if (wanted)
		qsort(wanted, count, sizeof(*wanted), by_name);
	*ret_count = count;
	return wanted;
}

static void remove_unwanted(int cachefd, const struct derived_name *wanted, size_t count)
{
	struct bt_listing listing;

	bt_listing_begin(&listing, cachefd);
	for (const char *name; (name = bt_listing_next(&listing));) {
		struct derived_name key = {{0}};

		if (strncmp(name, "classic-", strlen("classic-")) != 0)
			continue;
		if (strlen(name) < sizeof(key.text))
			memcpy(key.text, name, strlen(name));
		if (!bsearch(&key, wanted, count, sizeof(key), by_name))
			unlinkat(cachefd, name, 0);
	}
	bt_listing_end(&listing);
}

/* Removes derived files that are not needed, once while the store is open: each time would be too much work with many
 * files of version 1. */
static void sweep(struct bt_store *store, int cachefd)
{
	size_t count;

	if (atomic_exchange(&store->swept, true))
		return;
	struct derived_name *wanted = list_wanted(store, &count);
	if (wanted)
		remove_unwanted(cachefd, wanted, count);
	free(wanted);
	bt_publish_sweep(cachefd, false);
}

static int derive_kept(struct bt_store *store, struct bt_slot *slot, int source_fd, int *ret_fd, struct bt_error *error)
{
	struct bt_publish publish = {.fd = -1};
	struct derived_name name = name_of(slot);
	int cachefd = bt_store_local_cache_fd(store);

	sweep(store, cachefd);
	int r = bt_publish_begin_in_store(&publish, cachefd, NULL);
	if (r)
		return derive_temporary(store, slot, source_fd, ret_fd, error);
	r = store->readers.derive(source_fd, slot->path, publish.fd, store->options.observer, error);
	/* without a name it can still be used this time */
	if (!r && bt_publish_replace(&publish, name.text, NULL) && publish.temp[0]) {
		unlinkat(publish.dirfd, publish.temp, 0);
		publish.temp[0] = 0;
	}
	if (r)
		bt_publish_abort(&publish);
	else
		*ret_fd = publish.fd;
	return r;
}

static int derive(struct bt_store *store, struct bt_slot *slot, struct bt_object *source, struct bt_file **ret_file,
		  struct bt_error *error)
{
	int fd = -1, source_fd = -1, r = bt_object_copy_fd(source, &source_fd);

	if (r)
		return bt_fail_sys(error, -r, slot->path, "open");
	if (store->read_only || bt_store_local_cache_fd(store) < 0)
		r = derive_temporary(store, slot, source_fd, &fd, error);
	else
		r = derive_kept(store, slot, source_fd, &fd, error);
	bt_close(&source_fd);
	return r ? r : open_pair(slot, fd, source, ret_file, error);
}

int bt_derived_open(struct bt_store *store, struct bt_slot *slot, struct bt_object *source, struct bt_file **ret_file,
		    struct bt_error *error)
{
	int cachefd = bt_store_local_cache_fd(store), r = BT_E_NOT_FOUND;
	struct derived_name name = name_of(slot);
	struct stat status;
	int fd = cachefd < 0 ? -1 : bt_open_file(cachefd, name.text, O_RDONLY);

	if (fd >= 0 && (fstat(fd, &status) || !bt_is_own(&status)))
		bt_close(&fd);
	if (fd >= 0)
		r = open_pair(slot, fd, source, ret_file, NULL);
	if (r)
		r = derive(store, slot, source, ret_file, error);
	bt_object_close(source);
	return r;
}

/* The old file may be in use elsewhere, so it is kept until the store is closed. */
static int replace(struct bt_store *store, struct bt_slot *slot, struct bt_error *error)
{
	struct bt_file *fresh = NULL;
	struct bt_object *source = NULL;
	int r = bt_slot_object(store, slot, &source, error);

	if (!r)
		r = bt_slot_text(store, slot, source, false, &source, error);
	if (r)
		return r;
	if (bt_slot_is_classic(store, slot, source))
		r = derive(store, slot, source, &fresh, error);
	bt_object_close(source);
	if (r || !fresh)
		return r;
	fresh->older = atomic_load(&slot->file);
	atomic_store(&slot->file, fresh);
	bt_slot_keep(slot);
	return 0;
}

int bt_derived_recheck(struct bt_store *store, struct bt_slot *slot, struct bt_error *error)
{
	struct bt_file *file = atomic_load(&slot->file);

	if (!file || bt_file_kind(file) != BT_KIND_CLASSIC || file->older || !bt_file_verify(file, NULL))
		return 0;
	return replace(store, slot, error);
}

int bt_store_derive(struct bt_store *store, uint32_t ordinal, struct bt_error *error)
{
	struct bt_slot *slot = bt_slot(store, ordinal);

	pthread_mutex_lock(&slot->lock);
	int r = replace(store, slot, error);
	pthread_mutex_unlock(&slot->lock);
	return r;
}
