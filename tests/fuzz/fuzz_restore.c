/* SPDX-License-Identifier: MIT */
/*
 * A crafted snapshot, checked, and restored into a directory where traps lie: nothing beside that directory changes.
 *
 * The input is the pages of the snapshot, a line each, the last one that of the target directory. "$0" … "$9" become
 * the ids of the first pages, "%a", "%b", "%c" the digests of the contents that the file has: so all digests fit, and
 * what is mutated is what lies behind them.
 */
#include "base/buf.h"
#include "base/bytes.h"
#include "base/io.h"
#include "codec/hash.h"
#include "fuzz.h"
#include <backuptool/check.h>
#include <backuptool/restore.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME	  "snapshot_2026-11-22T10-30-00Z.json"
#define PAGES_MAX 10
#define CANARY	  "nobody writes here"

/* Up to the pages: three contents of 6, 240 and 256 bytes. */
static const char head[] =
	"{\"format\":\"backuptool\",\"version\":2,\"kind\":\"snapshot\",\"timestamp\":\"2026-11-22T10:30:00.1"
	"23456789Z\",\"host\":\"h\",\"target\":\"/home/me\",\"parent\":null,\"tags\":[\"a\",\"b\"],\n"
	"\"blocks\":[\n"
	"{\"zstd\":\"KLUv/ST2zQAAkGhlbGxvCkJhY2t1cCBUb29sIAEAwqdKGN3QaII=\"},\n"
	"{\"zstd\":\"KLUv/WQAAAEIAAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICEiIyQlJicoKSorLC0uLzAxMjM0NTY3"
	"ODk6Ozw9Pj9AQUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVpbXF1eX2BhYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5/gIGC"
	"g4SFhoeIiYqLjI2Oj5CRkpOUlZaXmJmam5ydnp+goaKjpKWmp6ipqqusra6vsLGys7S1tre4ubq7vL2+v8DBwsPExcbHyMnKy8zN"
	"zs/Q0dLT1NXW19jZ2tvc3d7f4OHi4+Tl5ufo6err7O3u7/Dx8vP09fb3+Pn6+/z9/v9LkM0G\"}\n"
	"],\n"
	"\"contents\":[\n"
	"{\"at\":181,\"length\":52,\"xxh3\":\"a4b2e71116c1c9c9dfaac63dd0c620ab\",\"size\":246,\"holds\":[[\"5"
	"891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03\",6],[\"42780c01aa422947f1b24b715b1a"
	"7aa1dd80620eee6782bfae88e80fecd1164e\",240]]},\n"
	"{\"at\":246,\"length\":360,\"xxh3\":\"a22c751593577acdbf3cd08da5a000f1\",\"size\":256,\"holds\":[[\""
	"40aff2e9d2d8922e47afd4648e6967497158785fbd1da870e7110266bf944880\",256]]}\n"
	"],\n";

static const char *const contents[] = {
	"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
	"42780c01aa422947f1b24b715b1a7aa1dd80620eee6782bfae88e80fecd1164e",
	"40aff2e9d2d8922e47afd4648e6967497158785fbd1da870e7110266bf944880",
};

struct craft {
	struct bt_buf file, index;
	char ids[PAGES_MAX][65];
	size_t count;
};

static void put(struct bt_buf *buf, const char *text, size_t length)
{
	FUZZ_CHECK(bt_buf_append(buf, text, length) == 0);
}

static void put_text(struct bt_buf *buf, const char *text)
{
	put(buf, text, strlen(text));
}

static void put_digest(struct bt_buf *buf, const char *parts[4])
{
	struct bt_hasher *hasher = bt_hasher_new();
	struct bt_digest digest;
	char hex[64];

	FUZZ_CHECK(hasher);
	bt_hasher_start(hasher);
	bt_hasher_add(hasher, parts[0], (size_t)(parts[1] - parts[0]));
	bt_hasher_add(hasher, parts[2], (size_t)(parts[3] - parts[2]));
	FUZZ_CHECK(bt_hasher_finish(hasher, &digest) == 0);
	bt_hasher_free(hasher);
	bt_hex_encode(hex, digest.bytes, sizeof(digest.bytes));
	put(buf, hex, sizeof(hex));
}

/* What stands for a digest at this place, or NULL. */
static const char *digest_at(const struct craft *craft, const char *at, const char *end)
{
	if (end - at < 2)
		return NULL;
	if (at[0] == '$' && at[1] >= '0' && (size_t)(at[1] - '0') < craft->count)
		return craft->ids[at[1] - '0'];
	return at[0] == '%' && at[1] >= 'a' && at[1] <= 'c' ? contents[at[1] - 'a'] : NULL;
}

static void put_page(struct craft *craft, const char *at, const char *end)
{
	size_t begin = craft->file.length;
	char line[128];

	while (at < end) {
		const char *digest = digest_at(craft, at, end);

		if (digest)
			put(&craft->file, digest, 64);
		else
			put(&craft->file, at, 1);
		at += digest ? 2 : 1;
	}
	struct bt_buf id = {0};
	const char *page = (char *)craft->file.data + begin, *page_end = (char *)craft->file.data + craft->file.length;
	put_digest(&id, (const char *[]){page, page_end, page, page});
	memcpy(craft->ids[craft->count], id.data, 64);
	bt_buf_free(&id);
	snprintf(line, sizeof(line), "%s[\"%s\",%zu,%zu]", craft->count ? ",\n" : "", craft->ids[craft->count], begin,
		 craft->file.length - begin);
	put_text(&craft->index, line);
	craft->count++;
}

static void put_pages(struct craft *craft, const char *at, const char *end)
{
	while (at < end && craft->count < PAGES_MAX) {
		const char *line = memchr(at, '\n', (size_t)(end - at));

		if (craft->count)
			put_text(&craft->file, ",\n");
		put_page(craft, at, line ? line : end);
		at = line ? line + 1 : end;
	}
}

static void put_end(struct craft *craft, const size_t at[5])
{
	struct bt_buf *file = &craft->file;
	char line[256];

	snprintf(line, sizeof(line),
		 "\"end\":{\"blocks\":%zu,\"contents\":%zu,\"trees\":%zu,\"tree_index\":%zu,\"summary\":%zu,"
		 "\"index_sha256\":\"",
		 at[0], at[1], at[2], at[3], at[4]);
	put_text(file, line);
	FUZZ_CHECK(bt_buf_reserve(file, 512) == 0); /* so that it stays where it is */
	const char *text = (char *)file->data;
	put_digest(file, (const char *[]){text + at[1], text + at[2], text + at[3], text + at[4]});
	put_text(file, "\",");
	const char *open[4] = {text, text + at[0], text + at[4], text + file->length};
	put_text(file, "\"open_sha256\":\"");
	put_digest(file, open);
	put_text(file, "\"}}\n");
}

static void craft_file(struct craft *craft, const uint8_t *data, size_t size)
{
	size_t at[5] = {(size_t)(strstr(head, "\"blocks\":[") - head), (size_t)(strstr(head, "\"contents\":[") - head),
			sizeof(head) - 1};
	char line[512];

	put_text(&craft->file, head);
	put_text(&craft->file, "\"trees\":[\n");
	put_pages(craft, (const char *)data, (const char *)data + size);
	put_text(&craft->file, craft->count ? "\n],\n" : "],\n");
	at[3] = craft->file.length;
	put_text(&craft->file, "\"tree_index\":[\n");
	put(&craft->file, (char *)craft->index.data, craft->index.length);
	put_text(&craft->file, craft->count ? "\n],\n" : "],\n");
	at[4] = craft->file.length;
	snprintf(line, sizeof(line),
		 "\"summary\":{\"root\":{\"type\":\"dir\",\"mode\":\"0755\",\"uid\":0,\"gid\":0,\"mtime\":[1,2],"
		 "\"tree\":\"%s\"},"
		 "\"files\":3,\"directories\":2,\"others\":0,\"directory_size\":502,\"stored_size\":412,\"new\":3,"
		 "\"changed\":0,\"unchanged\":0,\"errors\":0,\"xattrs\":false},\n",
		 craft->count ? craft->ids[craft->count - 1] : contents[0]);
	put_text(&craft->file, line);
	put_end(craft, at);
}

static void write_file(int dirfd, const char *path, const void *data, size_t size)
{
	int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	FUZZ_CHECK(fd >= 0 && bt_write_all(fd, data, size) == 0);
	close(fd);
}

/* Names of the inputs lead out of the target if they are followed. */
static void lay_traps(int base)
{
	static const char *const names[] = {"target/a", "target/sub", "target/b.txt"};

	FUZZ_CHECK(!mkdirat(base, "store", 0700) && !mkdirat(base, "outside", 0755) && !mkdirat(base, "target", 0755));
	write_file(base, "outside/canary", CANARY, strlen(CANARY));
	FUZZ_CHECK(!symlinkat("../outside", base, names[0]) && !symlinkat("../outside", base, names[1]) &&
		   !symlinkat("../outside/canary", base, names[2]));
}

static int count_entries(int base, const char *path)
{
	int fd = openat(base, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), count = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	FUZZ_CHECK(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2;
}

struct outside {
	struct stat directory, canary;
};

static struct outside look_outside(int base)
{
	struct outside outside;

	FUZZ_CHECK(!fstatat(base, "outside", &outside.directory, AT_SYMLINK_NOFOLLOW) &&
		   !fstatat(base, "outside/canary", &outside.canary, AT_SYMLINK_NOFOLLOW));
	return outside;
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
	       a->st_size == b->st_size && a->st_nlink == b->st_nlink && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void try_store(const char *store_path, const char *target, size_t variant)
{
	const struct bt_store_options how = {.size = sizeof(how), .read_only = true, .cache_bytes = 1 << 20};
	const struct bt_restore_options options = {.size = sizeof(options),
						   .overwrite = (enum bt_overwrite)(variant % 3),
						   .delete_extra = variant & 4,
						   .threads = 1};
	const struct bt_check_options serial = {.size = sizeof(serial), .threads = 1};
	struct bt_restore_result result = {.size = sizeof(result)};
	struct bt_check_result checked = {.size = sizeof(checked)};
	struct bt_snapshot *snapshot;
	struct bt_store *store;
	int r;

	FUZZ_CHECK(bt_store_open(store_path, &how, &store, NULL) == 0);
	int sound = bt_check(store, &serial, NULL, NULL, NULL, &checked, NULL);
	FUZZ_CHECK(sound == 0 || sound == BT_E_DAMAGED);
	if (bt_snapshot_open(store, NAME, &snapshot, NULL) == 0) {
		r = bt_restore(store, snapshot, target, &options, NULL, &result, NULL);
		FUZZ_CHECK(!r || r == BT_E_INCOMPLETE || r == BT_E_DAMAGED || r == BT_E_NOT_FOUND || r == BT_E_SYSTEM);
		bt_snapshot_close(snapshot);
	}
	bt_store_close(store);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *place)
{
	return remove(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[] = "/dev/shm/bt-restore-XXXXXX", store[64], target[64];
	struct craft craft = {0};
	int base = mkdtemp(path) ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	FUZZ_CHECK(base >= 0);
	craft_file(&craft, data, size);
	lay_traps(base);
	write_file(base, "store/" NAME, craft.file.data, craft.file.length);
	snprintf(store, sizeof(store), "%s/store", path);
	snprintf(target, sizeof(target), "%s/target", path);
	struct outside before = look_outside(base);
	try_store(store, target, size);
	struct outside after = look_outside(base);
	FUZZ_CHECK(same(&before.directory, &after.directory) && same(&before.canary, &after.canary));
	FUZZ_CHECK(count_entries(base, "outside") == 1 && count_entries(base, ".") == 3);
	close(base);
	nftw(path, remove_one, 64, FTW_PHYS | FTW_DEPTH);
	bt_buf_free(&craft.file);
	bt_buf_free(&craft.index);
	return 0;
}
