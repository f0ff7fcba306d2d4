/* SPDX-License-Identifier: MIT */
#include "restore_world.h"

static void note_problem(void *arg, const char *path, const struct bt_error *error)
{
	struct back *back = arg;

	assert_true(back->told_count < 64);
	struct told *told = &back->told[back->told_count++];
	snprintf(told->path, sizeof(told->path), "%s", path);
	told->error = *error;
}

static void note_entry(void *arg, enum bt_event event, const char *path)
{
	struct back *back = arg;

	back->events[event]++;
	if (back->watch && strcmp(path, back->watch) == 0)
		back->watched = (int)event;
}

static void note_progress(void *arg, const struct bt_progress *progress)
{
	((struct back *)arg)->progress = *progress;
}

static bool note_cancelled(void *arg)
{
	struct back *back = arg;

	return back->cancel_after && atomic_fetch_add(&back->asked, 1) >= back->cancel_after;
}

/* In memory where that has room and extended attributes: every restore syncs its file system. */
static bool fits(const char *parent)
{
	struct statvfs space;

	return statvfs(parent, &space) == 0 && (uint64_t)space.f_bavail * space.f_frsize > 512 * MEGA &&
	       setxattr(parent, "user.x", "x", 1, 0) == 0;
}

void back_begin(struct back *back)
{
	*back = (struct back){.watched = -1, .parent = "/dev/shm/bt-restore-XXXXXX"};
	if (!mkdtemp(back->parent) || !fits(back->parent)) {
		rmdir(back->parent);
		strcpy(back->parent, "/tmp/bt-restore-XXXXXX");
		assert_non_null(mkdtemp(back->parent));
	}
	assert_int_equal(chmod(back->parent, 0755), 0);
	world_begin_at(&back->world, back->parent);
	snprintf(back->output, sizeof(back->output), "%s/output", back->world.base);
	back->options = (struct bt_restore_options){.size = sizeof(back->options), .threads = 2};
	back->result.size = sizeof(back->result);
	back->observer = (struct bt_observer){.size = sizeof(back->observer),
					      .arg = back,
					      .problem = note_problem,
					      .entry = note_entry,
					      .progress = note_progress,
					      .cancelled = note_cancelled};
}

void back_end(struct back *back)
{
	world_end(&back->world);
	rmdir(back->parent);
}

int restore_now(struct back *back)
{
	struct bt_snapshot *snapshot = world_snapshot(&back->world, back->world.result.name);

	back->error = (struct bt_error){0};
	back->told_count = 0;
	memset(back->events, 0, sizeof(back->events));
	back->watched = -1;
	int r = bt_restore(back->world.store, snapshot, back->output, &back->options, &back->observer, &back->result,
			   &back->error);
	assert_int_equal(r, back->error.code);
	bt_snapshot_close(snapshot);
	return r;
}

void expect(struct back *back, int wanted)
{
	int r = restore_now(back);
	char text[640];

	for (size_t i = 0; wanted == 0 && i < back->told_count; i++) {
		bt_error_text(&back->told[i].error, text, sizeof(text));
		print_error("told: %s: %s\n", back->told[i].path, text);
	}
	if (r != wanted) {
		bt_error_text(&back->error, text, sizeof(text));
		fail_msg("restore: %s", text);
	}
	if (wanted == 0)
		assert_int_equal(back->told_count, 0);
}

const char *in_output(struct back *back, const char *name)
{
	return path_below(back->output, name);
}

bool exists(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

struct stat status_of(const char *path)
{
	struct stat status;

	if (lstat(path, &status))
		fail_msg("%s is missing", path);
	return status;
}

static void same_xattrs(int one, int two, const char *name)
{
	char path[2][300], names[2][4096], value[2][4096];
	ssize_t length[2];

	for (int i = 0; i < 2; i++) {
		snprintf(path[i], sizeof(path[i]), "/proc/self/fd/%d/%s", i ? two : one, name);
		length[i] = llistxattr(path[i], names[i], sizeof(names[i]));
		assert_true(length[i] >= 0);
	}
	assert_int_equal(length[0], length[1]);
	for (const char *at = names[0]; at < names[0] + length[0]; at += strlen(at) + 1) {
		ssize_t size = lgetxattr(path[0], at, value[0], sizeof(value[0]));

		assert_true(size >= 0);
		assert_int_equal(lgetxattr(path[1], at, value[1], sizeof(value[1])), size);
		assert_memory_equal(value[0], value[1], (size_t)size);
	}
}

static void same_data(int one, int two, off_t size)
{
	unsigned char *data[2] = {malloc(MEGA), malloc(MEGA)};

	for (off_t at = 0; at < size;) {
		ssize_t got = pread(one, data[0], MEGA, at);

		assert_true(got > 0);
		assert_int_equal(pread(two, data[1], MEGA, at), got);
		assert_memory_equal(data[0], data[1], (size_t)got);
		at += got;
	}
	for (off_t at = 0; at < size;) { /* the maps of holes */
		off_t data_at = lseek(one, at, SEEK_DATA);

		assert_int_equal(lseek(two, at, SEEK_DATA), data_at);
		if (data_at < 0)
			break;
		at = lseek(one, data_at, SEEK_HOLE);
		assert_int_equal(lseek(two, data_at, SEEK_HOLE), at);
	}
	free(data[0]);
	free(data[1]);
}

static void same_links(struct trees *trees, const struct stat *source, const struct stat *restored)
{
	assert_int_equal(source->st_nlink, restored->st_nlink);
	if (source->st_nlink < 2)
		return;
	for (size_t i = 0; i < trees->pair_count; i++) {
		if (trees->pairs[i].source != source->st_ino) {
			assert_int_not_equal(trees->pairs[i].restored, restored->st_ino);
			continue;
		}
		assert_int_equal(trees->pairs[i].restored, restored->st_ino);
		return;
	}
	trees->pairs = reallocarray(trees->pairs, trees->pair_count + 1, sizeof(*trees->pairs));
	trees->pairs[trees->pair_count++] = (struct pair){source->st_ino, restored->st_ino};
}

void same_entry(struct trees *trees, int one, int two, const char *name)
{
	struct stat a, b;
	char target[2][PATH_MAX];

	assert_int_equal(fstatat(one, name, &a, AT_SYMLINK_NOFOLLOW), 0);
	if (fstatat(two, name, &b, AT_SYMLINK_NOFOLLOW))
		fail_msg("%s is missing: %s", name, strerror(errno));
	assert_int_equal(a.st_mode, b.st_mode);
	if (trees->owners) {
		assert_int_equal(a.st_uid, b.st_uid);
		assert_int_equal(a.st_gid, b.st_gid);
	}
	if (a.st_mtim.tv_sec != b.st_mtim.tv_sec || a.st_mtim.tv_nsec != b.st_mtim.tv_nsec)
		fail_msg("%s has another mtime", name);
	same_xattrs(one, two, name);
	if (S_ISDIR(a.st_mode))
		return;
	same_links(trees, &a, &b);
	assert_int_equal(a.st_rdev, b.st_rdev);
	if (S_ISLNK(a.st_mode)) {
		ssize_t length = readlinkat(one, name, target[0], PATH_MAX);

		assert_int_equal(readlinkat(two, name, target[1], PATH_MAX), length);
		assert_memory_equal(target[0], target[1], (size_t)length);
	}
	if (S_ISREG(a.st_mode)) {
		int files[2] = {openat(one, name, O_RDONLY), openat(two, name, O_RDONLY)};

		assert_true(files[0] >= 0 && files[1] >= 0);
		assert_int_equal(a.st_size, b.st_size);
		same_data(files[0], files[1], a.st_size);
		close(files[0]);
		close(files[1]);
	}
}

static size_t names_of(int fd, char ***ret_names)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return list_names(path, ret_names);
}

static void same_tree(struct trees *trees, int one, int two)
{
	char **names[2];
	size_t count = names_of(one, &names[0]), restored = names_of(two, &names[1]);

	for (size_t i = 0; i < count && i < restored; i++)
		assert_string_equal(names[0][i], names[1][i]);
	assert_int_equal(count, restored);
	for (size_t i = 0; i < count; i++) {
		same_entry(trees, one, two, names[0][i]);
		struct stat status;
		fstatat(one, names[0][i], &status, AT_SYMLINK_NOFOLLOW);
		if (S_ISDIR(status.st_mode)) {
			int below[2] = {openat(one, names[0][i], O_RDONLY | O_DIRECTORY),
					openat(two, names[0][i], O_RDONLY | O_DIRECTORY)};

			assert_true(below[0] >= 0 && below[1] >= 0);
			same_tree(trees, below[0], below[1]);
			close(below[0]);
			close(below[1]);
		}
		free(names[0][i]);
		free(names[1][i]);
	}
	free(names[0]);
	free(names[1]);
}

void same_as_source(struct back *back)
{
	struct trees trees = {.owners = geteuid() == 0};
	int one = open(back->world.source, O_RDONLY | O_DIRECTORY), two = open(back->output, O_RDONLY | O_DIRECTORY);

	assert_true(one >= 0 && two >= 0);
	same_entry(&trees, one, two, ".");
	same_tree(&trees, one, two);
	close(one);
	close(two);
	free(trees.pairs);
}

void set_times(const char *path, int64_t seconds, long nanoseconds)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {seconds, nanoseconds}};

	assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

void put_link(struct back *back, const char *from, const char *to)
{
	assert_int_equal(link(in_source(&back->world, from), in_source(&back->world, to)), 0);
}

void put_symlink(struct back *back, const char *target, const char *name)
{
	assert_int_equal(symlink(target, in_source(&back->world, name)), 0);
}

static void put_sparse_file(struct back *back, const char *name, const off_t *places, size_t count, off_t size)
{
	unsigned char *data = noise(65536, 77);
	int fd = open(in_source(&back->world, name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(pwrite(fd, data, 65536, places[i]), 65536);
	assert_int_equal(fsync(fd), 0);
	close(fd);
	free(data);
}

void put_everything(struct back *back)
{
	struct world *world = &back->world;
	const off_t holes[] = {65536, 3 * 65536, 20 * (off_t)MEGA};
	char acl[28] = {2, 0, 0,  0,  1,  0,  6,  0, -1, -1, -1, -1, 4,	 0,
			4, 0, -1, -1, -1, -1, 32, 0, 0,	 0,  -1, -1, -1, -1};

	put_dir(world, "docs");
	put_dir(world, "docs/notes");
	put_dir(world, "empty");
	put_text(world, "docs/a.txt", "hello\n");
	put_text(world, "docs/empty", "");
	put_text(world, "docs/notes/\xff\xfe raw", "raw");
	put_text(world, "docs/notes/new\nline \"q\" \\", "quoted");
	put_text(world, "setuid", "s");
	put_noise(world, "docs/middle", 3 * MEGA + 17, 1);
	put_noise(world, "docs/large", 21 * MEGA + 5, 2);
	put_sparse_file(back, "docs/sparse", holes, 2, 5 * 65536);
	put_sparse_file(back, "docs/large-sparse", holes, 3, 24 * (off_t)MEGA);
	put_sparse_file(back, "docs/hole", NULL, 0, 8192 * 3);
	put_link(back, "docs/a.txt", "docs/notes/a-again");
	put_link(back, "docs/a.txt", "z-again");
	put_link(back, "docs/large", "empty/../large-again");
	put_symlink(back, "docs/a.txt", "link");
	put_symlink(back, "/nowhere/\xff", "docs/dangling");
	put_symlink(back, "..", "docs/up");
	put_link(back, "link", "link-again");
	assert_int_equal(mknod(in_source(world, "fifo"), S_IFIFO | 0640, 0), 0);
	assert_int_equal(mknod(in_source(world, "socket"), S_IFSOCK | 0600, 0), 0);
	assert_int_equal(mknod(in_source(world, "char"), S_IFCHR | 0620, makedev(1, 3)), 0);
	assert_int_equal(mknod(in_source(world, "block"), S_IFBLK | 0600, makedev(7, 300)), 0);
	assert_int_equal(setxattr(in_source(world, "docs/a.txt"), "user.colour", "blue", 4, 0), 0);
	assert_int_equal(setxattr(in_source(world, "docs/a.txt"), "trusted.x", "\0\xff", 2, 0), 0);
	assert_int_equal(setxattr(in_source(world, "docs"), "user.empty", "", 0, 0), 0);
	assert_int_equal(lsetxattr(in_source(world, "link"), "trusted.link", "t", 1, 0), 0);
	assert_int_equal(setxattr(in_source(world, "fifo"), "trusted.fifo", "f", 1, 0), 0);
	assert_int_equal(setxattr(in_source(world, "docs/notes"), "system.posix_acl_default", acl, 28, 0), 0);
	assert_int_equal(chown(in_source(world, "setuid"), 1234, 5678), 0);
	assert_int_equal(chmod(in_source(world, "setuid"), 06755), 0);
	assert_int_equal(lchown(in_source(world, "link"), 77, 78), 0);
	assert_int_equal(chown(in_source(world, "char"), 5, 6), 0);
	assert_int_equal(chmod(in_source(world, "docs/notes"), 01777), 0);
	assert_int_equal(chmod(in_source(world, "empty"), 0500), 0);
	assert_int_equal(chmod(in_source(world, "docs/middle"), 0), 0);
	set_times(in_source(world, "docs/empty"), -5, 999999999);
	set_times(in_source(world, "link"), 1000000000, 1);
	set_times(in_source(world, "fifo"), 4294967296, 7);
	set_times(in_source(world, "docs/notes"), 12345, 678);
	set_times(in_source(world, "empty"), 1, 2);
	set_times(in_source(world, ""), 1700000000, 5);
}

void append(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}
