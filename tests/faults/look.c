/* SPDX-License-Identifier: MIT */
/*
 * look STORE: reads all snapshots with the functions that the mount stands on, and prints a line for each entry with
 * the digest of its bytes. Exits 1 with the error when one of them fails: what it printed up to there is right.
 */
#include <backuptool/store.h>
#include <backuptool/view.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS 16

struct look {
	struct bt_store *store;
	struct bt_error error;
	EVP_MD_CTX *hash;
};

static int read_all(struct look *look, const struct bt_entry *entry, const char *path)
{
	unsigned char data[50000], digest[32];
	uint64_t at = 0;
	size_t size = sizeof(data);

	if (!EVP_DigestInit_ex2(look->hash, EVP_sha256(), NULL))
		return BT_E_NOMEM;
	while (size == sizeof(data)) {
		int r = bt_entry_pread(look->store, entry, data, sizeof(data), at, &size, &look->error);

		if (r)
			return r;
		at += size;
		if (!EVP_DigestUpdate(look->hash, data, size))
			return BT_E_NOMEM;
	}
	if (at != entry->size || !EVP_DigestFinal_ex(look->hash, digest, NULL))
		return BT_E_NOMEM;
	printf("%s %" PRIu64 " ", path, at);
	for (size_t i = 0; i < sizeof(digest); i++)
		printf("%02x", digest[i]);
	printf("\n");
	return 0;
}

/* It could not be read when the snapshot was taken. */
static bool is_unread(const struct bt_entry *entry)
{
	return entry->extra && entry->extra->error;
}

static int look_at(struct look *look, const struct bt_entry *entry, const char *path)
{
	if (is_unread(entry)) {
		printf("%s error %s\n", path, entry->extra->error);
		return 0;
	}
	if (entry->type == BT_FILE)
		return read_all(look, entry, path);
	printf("%s %d %s\n", path, entry->type, entry->type == BT_SYMLINK ? entry->extra->target : "");
	return 0;
}

/* A tree of few levels, with the directories on the way open. */
static int look_below(struct look *look, const struct bt_entry *root)
{
	struct bt_dir *dirs[LEVELS];
	size_t lengths[LEVELS] = {0}, depth = 1;
	char path[4096] = "";
	int r = bt_dir_new(look->store, &root->digest, &dirs[0], &look->error);

	if (r)
		return r;
	while (depth && !r) {
		const struct bt_entry *entry;
		size_t length = lengths[depth - 1];

		path[length] = 0;
		r = bt_dir_next(dirs[depth - 1], &entry, &look->error);
		if (r)
			break;
		if (!entry) {
			bt_dir_free(dirs[--depth]);
			continue;
		}
		snprintf(path + length, sizeof(path) - length, "/%s", entry->name);
		r = look_at(look, entry, path);
		if (!r && entry->type == BT_DIR && !is_unread(entry) && depth < LEVELS) {
			r = bt_dir_new(look->store, &entry->digest, &dirs[depth], &look->error);
			if (!r)
				lengths[depth++] = strlen(path);
		}
	}
	while (depth)
		bt_dir_free(dirs[--depth]);
	return r;
}

static int look_all(struct look *look)
{
	int r = 0;

	for (size_t i = 0; !r && i < bt_store_snapshot_count(look->store); i++) {
		struct bt_snapshot *snapshot;

		r = bt_snapshot_open(look->store, bt_store_snapshot_name(look->store, i), &snapshot, &look->error);
		if (r)
			break;
		printf("%s\n", bt_snapshot_info(snapshot)->name);
		r = look_below(look, &bt_snapshot_info(snapshot)->root);
		bt_snapshot_close(snapshot);
	}
	return r;
}

int main(int argc, char **argv)
{
	const struct bt_store_options options = {.size = sizeof(options), .cache_bytes = 1 << 20};
	struct look look = {.hash = EVP_MD_CTX_new()};
	int r = argc == 2 && look.hash ? bt_store_open(argv[1], &options, &look.store, &look.error) : BT_E_INVALID;

	if (!r) {
		r = look_all(&look);
		bt_store_close(look.store);
	}
	EVP_MD_CTX_free(look.hash);
	if (fflush(stdout) || ferror(stdout))
		r = BT_E_SYSTEM;
	if (r)
		fprintf(stderr, "look: error %d, %s %s\n", r, bt_reason_name(look.error.reason), look.error.file);
	return r ? 1 : 0;
}
