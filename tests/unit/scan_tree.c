/* SPDX-License-Identifier: MIT */
#include "scan_tree.h"

struct faults_of_calls faults;

static size_t copy_record(struct dirent64 *to, const struct dirent64 *from, const char *name)
{
	size_t length = strlen(name) + 1;
	size_t size = (offsetof(struct dirent64, d_name) + length + 7) / 8 * 8;

	to->d_ino = from->d_ino;
	to->d_off = from->d_off;
	to->d_type = faults.hide_types ? DT_UNKNOWN : from->d_type;
	to->d_reclen = (unsigned short)size;
	memcpy((char *)to + offsetof(struct dirent64, d_name), name, length);
	return size;
}

ssize_t getdents64(int fd, void *buffer, size_t length)
{
	static _Thread_local char real[4096];
	char long_name[301];
	size_t used = 0;
	ssize_t size;

	if (lseek(fd, 0, SEEK_CUR) == 0)
		atomic_fetch_add(&faults.listings, 1);
	if (!faults.hide_types && !faults.twice && faults.fail_after_first == 0 && !faults.longer_name)
		return syscall(SYS_getdents64, fd, buffer, length);
	if (faults.fail_after_first != 0 && lseek(fd, 0, SEEK_CUR) != 0) {
		errno = faults.fail_after_first;
		return -1;
	}
	memset(long_name, 'l', 300);
	long_name[300] = '\0';
	size = syscall(SYS_getdents64, fd, real, sizeof(real));
	for (ssize_t at = 0; at < size;) {
		const struct dirent64 *record = (const void *)(real + at);
		bool longer = faults.longer_name && strcmp(record->d_name, faults.longer_name) == 0;

		for (int copies = faults.twice ? 2 : 1; copies > 0; copies--)
			used += copy_record((void *)((char *)buffer + used), record,
					    longer ? long_name : record->d_name);
		at += record->d_reclen;
	}
	return size < 0 ? size : (ssize_t)used;
}

int statx(int fd, const char *path, int flags, unsigned mask, struct statx *stat)
{
	if (faults.statx_name && *path != '\0' &&
	    (faults.statx_name[0] == '*' || strcmp(path, faults.statx_name) == 0)) {
		if (faults.statx_removes && unlinkat(fd, path, 0) < 0)
			unlinkat(fd, path, AT_REMOVEDIR);
		errno = faults.statx_error;
		return -1;
	}
	/* Of a long name as a file system with long names would, where the kernel's would fail. */
	int r = (int)syscall(SYS_statx, fd, strlen(path) > 255 ? "." : path, flags, mask, stat);
	if (!r && faults.ages && *path == '\0')
		stat->stx_mtime.tv_sec = stat->stx_ctime.tv_sec = 1000;
	return r;
}

char top[64];

static int make_top_in(const char *where)
{
	snprintf(top, sizeof(top), "%s/bt-scan-XXXXXX", where);
	memset(&faults, 0, sizeof(faults));
	return mkdtemp(top) && chmod(top, 0755) == 0 ? 0 : -1;
}

int make_top(void **state)
{
	return make_top_in("/tmp");
}

int make_large_top(void **state)
{
	return access("/dev/shm", W_OK) == 0 ? make_top_in("/dev/shm") : make_top_in("/tmp");
}

int remove_top(void **state)
{
	char command[128];

	memset(&faults, 0, sizeof(faults));
	snprintf(command, sizeof(command), "rm -rf -- '%s'", top);
	return system(command);
}

const char *at_top(const char *name)
{
	static char paths[4][512];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", top, name);
	return path;
}

void make_directory(const char *name)
{
	assert_int_equal(mkdir(at_top(name), 0755), 0);
}

void make_file(const char *name, const char *text)
{
	int fd = open(at_top(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

void make_link(const char *target, const char *name)
{
	assert_int_equal(symlink(target, at_top(name)), 0);
}

static void make_socket(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_true((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", top, name) <
		    sizeof(address.sun_path));
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

void make_mixed_tree(void)
{
	char name[300];

	for (unsigned i = 0; i < 300; i++) {
		unsigned parent = i / 3;

		if (i < 3)
			snprintf(name, sizeof(name), "d%u", i);
		else if (i < 12)
			snprintf(name, sizeof(name), "d%u/d%u", parent - 1, i);
		else
			snprintf(name, sizeof(name), "d%u/e%u", i % 3, i);
		make_directory(name);
		for (unsigned k = 0; k < i % 7; k++) {
			size_t length = strlen(name);

			snprintf(name + length, sizeof(name) - length, "/file%u", k * 7919 % 100);
			make_file(name, "some text");
			name[length] = '\0';
		}
	}
	make_file("\xff\xfe not UTF-8 \x80", "x");
	make_file("line\nbreak", "");
	make_file("-n", "");
	make_file("a", "1");
	make_file("a.b", "2");
	make_file("ab", "3");
	make_file("A", "4");
	memset(name, 'n', 255);
	name[255] = '\0';
	make_file(name, "long");
	make_directory("a directory");
	assert_int_equal(link(at_top("a"), at_top("a directory/hard link")), 0);
	make_link("a", "a directory/link");
	make_link("..", "a directory/up");
	make_link("loop", "loop");
	make_link("/nowhere", "broken");
	assert_int_equal(mkfifo(at_top("fifo"), 0600), 0);
	make_socket("socket");
	if (geteuid() == 0)
		assert_int_equal(lchown(at_top("broken"), 12345, 23456), 0);
}

void add_line(struct bt_buf *lines, const char *path, const struct bt_found *found)
{
	char line[256];
	int length = snprintf(line, sizeof(line), "%o %llu %llu %llu %llu %llu %u %u %lld.%09u %lld.%09u ", found->mode,
			      (unsigned long long)found->size, (unsigned long long)found->inode,
			      (unsigned long long)found->dev, (unsigned long long)found->links,
			      (unsigned long long)found->rdev, found->uid, found->gid, (long long)found->mtime.seconds,
			      found->mtime.nanoseconds, (long long)found->ctime.seconds, found->ctime.nanoseconds);

	assert_int_equal(bt_buf_append(lines, line, (size_t)length), 0);
	assert_int_equal(bt_buf_append(lines, path, strlen(path) + 1), 0);
}

void check_listing(const struct bt_scan_dir *dir)
{
	for (size_t i = 0; i < dir->count; i++) {
		const struct bt_found *found = &dir->found[i];

		assert_int_equal(strlen(found->name), found->name_length);
		if (i > 0)
			assert_true(strcmp(dir->found[i - 1].name, found->name) < 0);
		if (found->child) {
			assert_ptr_equal(found->child->parent, dir);
			assert_string_equal(found->child->self.name, found->name);
			assert_int_equal(found->child->self.inode, found->inode);
		}
	}
}

static void take(struct walk *walk, const struct bt_scan_dir *dir)
{
	check_listing(dir);
	walk->directories++;
	walk->entries += dir->count;
	walk->excluded += dir->excluded;
	if (dir->error != 0) {
		walk->errors++;
		walk->last_error = dir->error;
	}
	for (size_t i = 0; i < dir->count && !walk->without_lines; i++) {
		char *path = bt_scan_path(dir, dir->found[i].name);

		add_line(&walk->lines, path, &dir->found[i]);
		free(path);
	}
}

void walk_scan(struct bt_scan *scan, struct walk *walk, void (*visit)(struct bt_scan *scan, struct bt_scan_dir *dir))
{
	struct bt_scan_dir *dir = bt_scan_root(scan);
	struct bt_error error = {0};

	while (dir) {
		uintptr_t at = (uintptr_t)dir->user;

		if (at == 0) {
			assert_int_equal(bt_scan_list(scan, dir, &error), 0);
			take(walk, dir);
			if (visit)
				visit(scan, dir);
		}
		while (at < dir->count && !dir->found[at].child)
			at++;
		dir->user = (void *)(at + 1);
		if (at < dir->count) {
			dir = dir->found[at].child;
		} else {
			struct bt_scan_dir *parent = dir->parent;

			if (visit)
				visit(scan, dir);
			bt_scan_done(scan, dir);
			dir = parent;
		}
	}
}

struct bt_scan *open_scan(const struct bt_scan_options *options)
{
	struct bt_error error = {0};
	struct bt_scan *scan = NULL;

	assert_int_equal(bt_scan_open(top, options, &scan, &error), 0);
	assert_non_null(scan);
	return scan;
}

struct walk walk_with(const struct bt_scan_options *options)
{
	struct bt_scan *scan = open_scan(options);
	struct walk walk = {0};

	walk_scan(scan, &walk, NULL);
	bt_scan_close(scan);
	return walk;
}

void assert_same_lines(const struct bt_buf *a, const struct bt_buf *b)
{
	assert_int_equal(a->length, b->length);
	if (a->length > 0)
		assert_memory_equal(a->data, b->data, a->length);
}

/* All paths of a walk, each followed by a comma. */
static char *paths_of(const struct walk *walk)
{
	const char *line = (const char *)walk->lines.data, *end = line + walk->lines.length;
	struct bt_buf paths = {0};

	for (; line < end; line += strlen(line) + 1) {
		const char *path = line;

		for (int blanks = 0; blanks < 10; blanks++)
			path = strchr(path, ' ') + 1;
		assert_int_equal(bt_buf_append(&paths, path, strlen(path)), 0);
		assert_int_equal(bt_buf_append(&paths, ",", 1), 0);
	}
	assert_int_equal(bt_buf_append(&paths, "", 1), 0);
	return (char *)paths.data;
}

void assert_paths(const struct bt_scan_options *options, const char *want, uint64_t excluded)
{
	for (unsigned threads = 0; threads < 4; threads++) {
		struct bt_scan_options with = *options;
		struct walk walk;
		char *paths;

		with.threads = threads;
		walk = walk_with(&with);
		paths = paths_of(&walk);
		assert_string_equal(paths, want);
		assert_int_equal(walk.excluded, excluded);
		free(paths);
		bt_buf_free(&walk.lines);
	}
}

size_t open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

size_t open_directories(struct bt_scan *scan)
{
	size_t count;

	pthread_mutex_lock(&scan->fds.lock);
	count = scan->fds.open;
	pthread_mutex_unlock(&scan->fds.lock);
	return count;
}

size_t weight_ahead(struct bt_scan *scan)
{
	size_t ahead;

	pthread_mutex_lock(&scan->lock);
	ahead = scan->ahead;
	pthread_mutex_unlock(&scan->lock);
	return ahead;
}
