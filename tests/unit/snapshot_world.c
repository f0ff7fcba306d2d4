/* SPDX-License-Identifier: MIT */
#include "snapshot_world.h"
#include <sys/syscall.h>

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	return remove(path);
}

void remove_tree(const char *path)
{
	nftw(path, remove_one, 64, FTW_DEPTH | FTW_PHYS);
}

void world_open_store(struct world *world)
{
	const struct bt_store_options options = {.size = sizeof(options), .create = true};

	bt_store_close(world->store);
	world->store = NULL;
	assert_int_equal(bt_store_open(world->store_path, &options, &world->store, &world->error), 0);
}

static void world_problem(void *arg, const char *path, const struct bt_error *error)
{
	struct world *world = arg;

	world->problems++;
	snprintf(world->problem_path, sizeof(world->problem_path), "%s", path);
	world->problem = *error;
}

void world_begin_at(struct world *world, const char *where)
{
	*world = (struct world){.options.size = sizeof(world->options), .result.size = sizeof(world->result)};
	snprintf(world->base, sizeof(world->base), "%s/bt-snapshot-XXXXXX", where);
	assert_non_null(mkdtemp(world->base));
	snprintf(world->source, sizeof(world->source), "%s/source", world->base);
	snprintf(world->store_path, sizeof(world->store_path), "%s/store", world->base);
	assert_int_equal(mkdir(world->source, 0755), 0);
	world->observer = (struct bt_observer){.arg = world, .problem = world_problem};
	world->options.threads = 2;
	world_open_store(world);
}

void world_begin(struct world *world)
{
	world_begin_at(world, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

void world_end(struct world *world)
{
	bt_store_close(world->store);
	remove_tree(world->base);
}

int world_setup(void **state)
{
	static struct world world;

	world_begin(&world);
	*state = &world;
	return 0;
}

int world_teardown(void **state)
{
	world_end(*state);
	return 0;
}

void age(void)
{
	usleep(120000);
}

int world_take(struct world *world)
{
	world->error = (struct bt_error){0};
	world->problems = 0;
	return bt_snapshot_take(world->store, world->source, &world->options, &world->observer, &world->result,
				&world->error);
}

void world_snap(struct world *world)
{
	int r = world_take(world);

	if (r) {
		char text[640];

		bt_error_text(&world->error, text, sizeof(text));
		print_error("%s\n", text);
	}
	assert_int_equal(r, 0);
	assert_int_equal(world->problems, 0);
}

const char *path_below(const char *directory, const char *name)
{
	static char paths[8][512];
	static unsigned turn;
	char *path = paths[turn++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

const char *in_source(struct world *world, const char *name)
{
	return path_below(world->source, name);
}

unsigned char *noise(size_t size, uint64_t seed)
{
	unsigned char *data = malloc(size + 8);

	assert_non_null(data);
	for (size_t i = 0; i < size; i += 8) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		uint64_t word = seed ^ (seed >> 29);
		memcpy(data + i, &word, 8);
	}
	return data;
}

void write_file(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	for (size_t at = 0; at < size;) {
		ssize_t put = write(fd, (const char *)data + at, size - at);

		assert_true(put > 0);
		at += (size_t)put;
	}
	assert_int_equal(close(fd), 0);
}

void put_text(struct world *world, const char *name, const char *text)
{
	write_file(in_source(world, name), text, strlen(text));
}

void put_noise(struct world *world, const char *name, size_t size, uint64_t seed)
{
	unsigned char *data = noise(size, seed);

	write_file(in_source(world, name), data, size);
	free(data);
}

void put_dir(struct world *world, const char *name)
{
	assert_int_equal(mkdir(in_source(world, name), 0755), 0);
}

static void compare_time(const struct timespec *source, const struct bt_time *stored)
{
	assert_int_equal(stored->seconds, source->tv_sec);
	assert_int_equal(stored->nanoseconds, source->tv_nsec);
}

static void compare_xattrs(const char *path, const struct bt_entry *entry)
{
	char names[4096], value[4096];
	ssize_t length = llistxattr(path, names, sizeof(names));
	uint32_t count = 0, stored = entry->extra ? entry->extra->xattr_count : 0;

	for (ssize_t i = 0; i < length; i += (ssize_t)strlen(names + i) + 1, count++) {
		ssize_t size = lgetxattr(path, names + i, value, sizeof(value));
		bool found = false;

		assert_true(size >= 0);
		for (uint32_t j = 0; j < stored; j++) {
			const struct bt_xattr *xattr = &entry->extra->xattrs[j];

			if (xattr->name_length != strlen(names + i) ||
			    memcmp(xattr->name, names + i, xattr->name_length) != 0)
				continue;
			found = true;
			assert_int_equal(xattr->value_length, size);
			assert_memory_equal(xattr->value, value, (size_t)size);
		}
		assert_true(found);
	}
	assert_int_equal(stored, count);
}

void compare_content(struct bt_store *store, const char *path, const struct bt_entry *entry)
{
	enum { PART = 1 << 20 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char *source = malloc(PART), *stored = malloc(PART);
	struct bt_hasher *hasher = bt_hasher_new();
	struct bt_digest digest;
	struct bt_error error = {0};

	assert_true(fd >= 0 && source && stored && hasher);
	bt_hasher_start(hasher);
	for (uint64_t at = 0; at < entry->size;) {
		ssize_t got = pread(fd, source, PART, (off_t)at);
		size_t have = 0;

		assert_true(got > 0);
		assert_int_equal(bt_entry_pread(store, entry, stored, (size_t)got, at, &have, &error), 0);
		assert_int_equal(have, got);
		assert_memory_equal(source, stored, (size_t)got);
		bt_hasher_add(hasher, source, (size_t)got);
		at += (uint64_t)got;
	}
	assert_int_equal(bt_hasher_finish(hasher, &digest), 0);
	assert_true(entry->has_digest);
	assert_memory_equal(&digest, &entry->digest, sizeof(digest));
	bt_hasher_free(hasher);
	free(source);
	free(stored);
	close(fd);
}

static uint8_t type_of(mode_t mode)
{
	return S_ISREG(mode)	? BT_FILE
	       : S_ISDIR(mode)	? BT_DIR
	       : S_ISLNK(mode)	? BT_SYMLINK
	       : S_ISFIFO(mode) ? BT_FIFO
	       : S_ISSOCK(mode) ? BT_SOCKET
	       : S_ISCHR(mode)	? BT_CHARDEV
				: BT_BLOCKDEV;
}

static void compare_birth(const char *path, const struct bt_entry *entry, struct compared *compared)
{
	struct statx status;

	/* The tests of the scan have a statx of their own. */
	assert_int_equal(syscall(SYS_statx, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BTIME, &status), 0);
	compared->births += (status.stx_mask & STATX_BTIME) && (status.stx_btime.tv_sec || status.stx_btime.tv_nsec);
	if (!entry->extra || !entry->extra->has_btime)
		return;
	assert_true(status.stx_mask & STATX_BTIME);
	assert_int_equal(entry->extra->btime.seconds, status.stx_btime.tv_sec);
	assert_int_equal(entry->extra->btime.nanoseconds, status.stx_btime.tv_nsec);
	compared->born++;
}

static void compare_entry(struct bt_store *store, const char *path, const struct bt_entry *entry,
			  struct compared *compared)
{
	struct stat st;
	char target[PATH_MAX];

	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(entry->type, type_of(st.st_mode));
	assert_int_equal(entry->mode, st.st_mode & 07777);
	assert_int_equal(entry->uid, st.st_uid);
	assert_int_equal(entry->gid, st.st_gid);
	compare_time(&st.st_mtim, &entry->mtime);
	compare_xattrs(path, entry);
	compare_birth(path, entry, compared);
	compared->files += entry->type == BT_FILE;
	compared->directories += entry->type == BT_DIR;
	compared->others += entry->type != BT_FILE && entry->type != BT_DIR;
	if (entry->type == BT_FILE) {
		compared->bytes += entry->size;
		assert_int_equal(entry->size, st.st_size);
		compare_content(store, path, entry);
	}
	if (entry->type == BT_SYMLINK) {
		ssize_t length = readlink(path, target, sizeof(target));

		assert_int_equal(entry->extra->target_length, length);
		assert_memory_equal(entry->extra->target, target, (size_t)length);
	}
	if (entry->type == BT_CHARDEV || entry->type == BT_BLOCKDEV) {
		assert_int_equal(entry->extra->dev_major, major(st.st_rdev));
		assert_int_equal(entry->extra->dev_minor, minor(st.st_rdev));
	}
	if (entry->type != BT_DIR && st.st_nlink > 1) {
		assert_int_equal(entry->extra->links, st.st_nlink);
		assert_int_equal(entry->extra->inode, st.st_ino);
	} else if (entry->extra) {
		assert_int_equal(entry->extra->links, 0);
	}
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

size_t list_names(const char *path, char ***ret_names)
{
	DIR *dir = opendir(path);
	struct dirent *record;
	size_t count = 0, room = 0;
	char **names = NULL;

	assert_non_null(dir);
	for (record = readdir(dir); record; record = readdir(dir)) {
		if (strcmp(record->d_name, ".") == 0 || strcmp(record->d_name, "..") == 0)
			continue;
		if (count == room) {
			room = room ? 2 * room : 16;
			names = reallocarray(names, room, sizeof(*names));
			assert_non_null(names);
		}
		names[count++] = strdup(record->d_name);
	}
	closedir(dir);
	if (count > 0)
		qsort(names, count, sizeof(*names), by_bytes);
	*ret_names = names;
	return count;
}

void compare_tree(struct bt_store *store, const char *path, const struct bt_entry *entry, struct compared *compared)
{
	struct bt_dir *dir;
	const struct bt_entry *child;
	struct bt_error error = {0};
	char **names, below[PATH_MAX];
	size_t count = list_names(path, &names), i = 0;

	assert_int_equal(bt_dir_new(store, &entry->digest, &dir, &error), 0);
	for (;; i++) {
		assert_int_equal(bt_dir_next(dir, &child, &error), 0);
		if (!child)
			break;
		assert_true(i < count);
		assert_int_equal(child->name_length, strlen(names[i]));
		assert_string_equal(child->name, names[i]);
		assert_in_range(snprintf(below, sizeof(below), "%s/%s", path, names[i]), 1, sizeof(below) - 1);
		compare_entry(store, below, child, compared);
		if (child->type == BT_DIR && !(child->extra && child->extra->error))
			compare_tree(store, below, child, compared);
		free(names[i]);
	}
	assert_int_equal(i, count);
	bt_dir_free(dir);
	free(names);
}

struct bt_snapshot *world_snapshot(struct world *world, const char *name)
{
	struct bt_snapshot *snapshot;

	assert_int_equal(bt_store_refresh(world->store, &world->error), 0);
	assert_int_equal(bt_snapshot_open(world->store, name, &snapshot, &world->error), 0);
	return snapshot;
}

void world_compare(struct world *world)
{
	struct compared compared = {0};

	world_open_store(world);
	struct bt_snapshot *snapshot = world_snapshot(world, world->result.name);
	const struct bt_snapshot_info *info = bt_snapshot_info(snapshot);
	compare_entry(world->store, world->source, &info->root, &compared);
	compare_tree(world->store, world->source, &info->root, &compared);
	assert_int_equal(compared.files, info->files);
	assert_int_equal(compared.directories, info->directories);
	assert_int_equal(compared.others, info->others);
	assert_int_equal(compared.bytes, info->directory_size);
	assert_int_equal(compared.born, world->options.birth_times ? compared.births : 0);
	assert_int_equal(info->files, world->result.files);
	assert_int_equal(info->created + info->changed + info->unchanged, info->files);
	bt_snapshot_close(snapshot);
}

struct looked look_up(struct world *world, const char *path)
{
	struct looked looked = {.snapshot = world_snapshot(world, world->result.name)};
	struct bt_error error = {0};
	int r = bt_path_lookup(world->store, &bt_snapshot_info(looked.snapshot)->root, path, &looked.page,
			       &looked.entry, &error);

	if (r) {
		assert_int_equal(r, BT_E_NOT_FOUND);
		looked.page = NULL;
		looked.entry = NULL;
	}
	return looked;
}

void drop_entry(struct world *world, struct looked *looked)
{
	bt_page_put(world->store, looked->page);
	bt_snapshot_close(looked->snapshot);
}

uint64_t size_of(int dirfd, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(dirfd, name, &st, 0), 0);
	return (uint64_t)st.st_size;
}

uint64_t snapshot_size(struct world *world)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", world->store_path, world->result.name);
	return size_of(AT_FDCWD, path);
}

size_t count_in_store(struct world *world, const char *below, const char *suffix)
{
	char path[256], **names;
	size_t count, matches = 0;

	snprintf(path, sizeof(path), "%s/%s", world->store_path, below);
	if (access(path, F_OK) != 0)
		return 0;
	count = list_names(path, &names);
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(names[i]), end = strlen(suffix);

		matches += length >= end && strcmp(names[i] + length - end, suffix) == 0;
		free(names[i]);
	}
	free(names);
	return matches;
}

void world_round(struct world *world, unsigned round)
{
	char text[64];

	snprintf(text, sizeof(text), "round %u", round);
	put_text(world, "a.txt", text);
	put_text(world, "d/b.txt", text);
	world_snap(world);
}

void world_remove_but(struct world *world, size_t keep)
{
	struct bt_store *store = open_another(world, 60000);
	struct bt_prune_result result = {.size = sizeof(result)};
	const struct bt_prune_options options = {.size = sizeof(options)};
	size_t count = bt_store_snapshot_count(store);
	const char **names = calloc(count, sizeof(*names));

	assert_non_null(names);
	for (size_t i = 0; i + keep < count; i++)
		names[i] = bt_store_snapshot_name(store, i);
	assert_int_equal(bt_prune(store, names, count - keep, &options, NULL, &result, &world->error), 0);
	free(names);
	bt_store_close(store);
}

struct bt_store *open_another(struct world *world, int lock_wait_ms)
{
	const struct bt_store_options options = {.size = sizeof(options), .lock_wait_ms = lock_wait_ms};
	struct bt_store *store;

	assert_int_equal(bt_store_open(world->store_path, &options, &store, NULL), 0);
	return store;
}

void retag_beside(struct world *world, const struct bt_tag_change *change)
{
	struct bt_store *store = open_another(world, 0);

	assert_int_equal(bt_snapshot_retag(store, bt_store_snapshot_name(store, 0), change, NULL, NULL), 0);
	bt_store_close(store);
}
