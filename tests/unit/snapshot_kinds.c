/* SPDX-License-Identifier: MIT */
#include "snapshot_kinds.h"

void put_sparse(struct world *world, const char *name)
{
	int fd = open(in_source(world, name), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	unsigned char *data = noise(3 * MIB, 77);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 40 * MIB), 0);
	assert_int_equal(pwrite(fd, data, 4096, 8 * MIB), 4096);
	assert_int_equal(pwrite(fd, data, 3 * MIB, 20 * MIB), 3 * MIB);
	assert_int_equal(close(fd), 0);
	free(data);
}

static void put_socket(struct world *world, const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", in_source(world, name));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

void set_mtime(const char *path, int64_t seconds, long nanoseconds)
{
	const struct timespec times[2] = {{0, UTIME_OMIT}, {seconds, nanoseconds}};

	assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

void put_all_kinds(struct world *world)
{
	static const size_t sizes[] = {0,      1,	4095,	      100000,	  512 << 10, (512 << 10) + 1,
				       700000, 1500000, 3 * MIB + 17, 9 * MIB + 1};
	char name[300];

	umask(022);
	put_dir(world, "sizes");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		snprintf(name, sizeof(name), "sizes/%zu", sizes[i]);
		put_noise(world, name, sizes[i], i);
	}
	put_dir(world, "empty");
	put_dir(world, "a");
	put_dir(world, "a/b");
	put_text(world, "a/b/deep.txt", "deep");
	put_text(world, "a.txt", "between a and a/ in another order");
	put_text(world, "na\xefve", "a name in Latin-1");
	put_text(world, "line\nbreak \"and\" \\", "x");
	memset(name, 'n', 255);
	name[255] = 0;
	put_text(world, name, "the longest name");
	assert_int_equal(symlink("a/b/deep.txt", in_source(world, "link")), 0);
	assert_int_equal(symlink("\xff\xfe nowhere", in_source(world, "dangling")), 0);
	assert_int_equal(mkfifo(in_source(world, "fifo"), 0600), 0);
	put_socket(world, "socket");
	if (geteuid() == 0) {
		assert_int_equal(mknod(in_source(world, "null"), S_IFCHR | 0666, makedev(1, 3)), 0);
		assert_int_equal(mknod(in_source(world, "disk"), S_IFBLK | 0660, makedev(259, 1000000)), 0);
		assert_int_equal(chown(in_source(world, "a.txt"), 12345, 4294967294), 0);
	}
	put_sparse(world, "sparse");
	assert_int_equal(truncate(in_source(world, "a/hole"), 0), -1);
	put_text(world, "a/hole", "");
	assert_int_equal(truncate(in_source(world, "a/hole"), 30000), 0);
	put_text(world, "one", "hard links");
	assert_int_equal(link(in_source(world, "one"), in_source(world, "two")), 0);
	assert_int_equal(link(in_source(world, "one"), in_source(world, "a/three")), 0);
	assert_int_equal(link(in_source(world, "sizes/1500000"), in_source(world, "sizes/z")), 0);
	assert_int_equal(chmod(in_source(world, "one"), 06751), 0);
	assert_int_equal(chmod(in_source(world, "empty"), 01777), 0);
	set_mtime(in_source(world, "a/b/deep.txt"), -1234567, 999999999);
	set_mtime(in_source(world, "link"), 5000000000, 1);
	lsetxattr(in_source(world, "a.txt"), "user.zebra", "z", 1, 0);
	lsetxattr(in_source(world, "a.txt"), "user.apple", "\0\1\2", 3, 0);
	lsetxattr(in_source(world, "a"), "user.empty", "", 0, 0);
	lsetxattr(in_source(world, "link"), "trusted.of a link", "t", 1, 0);
}
