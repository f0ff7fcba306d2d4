/* SPDX-License-Identifier: MIT */
#include "attr.h"
#include "paths.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

static const struct attr_rules plain;

static struct bt_entry file_of(unsigned content)
{
	return (struct bt_entry){
		.name = "f",
		.name_length = 1,
		.type = BT_FILE,
		.mode = 0640,
		.uid = 3,
		.gid = 4,
		.size = 5000,
		.mtime = {.seconds = -7, .nanoseconds = 999999999},
		.has_digest = true,
		.digest = {{(unsigned char)content}},
	};
}

static void a_file_shows_what_it_has(void **state)
{
	struct bt_entry file = file_of(1);
	struct stat st;

	attr_fill(&plain, &file, 77, &st);
	assert_int_equal(st.st_ino, 77);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	assert_int_equal(st.st_uid, 3);
	assert_int_equal(st.st_gid, 4);
	assert_int_equal(st.st_size, 5000);
	assert_int_equal(st.st_blocks, 16);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(st.st_mtim.tv_sec, -7);
	assert_int_equal(st.st_mtim.tv_nsec, 999999999);
}

static void holes_take_no_blocks(void **state)
{
	const struct bt_extent holes[] = {{0, 4096}, {8192, 1 << 20}};
	struct bt_extra extra = {.holes = holes, .hole_count = 2};
	struct bt_entry file = file_of(1);
	struct stat st;

	file.size = (1 << 20) + 8192 + 100;
	file.extra = &extra;
	attr_fill(&plain, &file, 77, &st);
	assert_int_equal(attr_data_bytes(&file), 4096 + 100);
	assert_int_equal(st.st_blocks, 16);
	assert_int_equal(st.st_size, file.size);
}

static void types_show_their_own(void **state)
{
	struct bt_extra extra = {.target = "abc", .target_length = 3, .dev_major = 8, .dev_minor = 300, .links = 4};
	struct bt_entry entry = {.type = BT_SYMLINK, .mode = 0777, .extra = &extra};
	struct attr_rules rules = {.umask = 077};
	struct stat st;

	attr_fill(&rules, &entry, 1, &st);
	assert_int_equal(st.st_mode, S_IFLNK | 0777);
	assert_int_equal(st.st_size, 3);
	assert_int_equal(st.st_nlink, 4);
	entry.type = BT_BLOCKDEV;
	attr_fill(&rules, &entry, 1, &st);
	assert_int_equal(st.st_mode, S_IFBLK | 0700);
	assert_int_equal(st.st_rdev, makedev(8, 300));
	entry.type = BT_FIFO;
	attr_fill(&plain, &entry, 1, &st);
	assert_int_equal(st.st_mode, S_IFIFO | 0777);
	assert_int_equal(st.st_rdev, 0);
}

static void options_change_owner_and_mode(void **state)
{
	struct attr_rules rules = {.set_uid = true, .uid = 11, .set_gid = true, .gid = 12, .umask = 0027};
	struct bt_entry file = file_of(1);
	struct stat st;

	file.mode = 06777;
	attr_fill(&rules, &file, 1, &st);
	assert_int_equal(st.st_uid, 11);
	assert_int_equal(st.st_gid, 12);
	assert_int_equal(st.st_mode & 07777, 06750);
}

/* A list as the kernel keeps it: of each entry its tag, rights, and id. */
static size_t make_acl(unsigned char *value, const unsigned (*entries)[2], size_t count)
{
	memcpy(value, "\2\0\0\0", 4);
	for (size_t i = 0; i < count; i++) {
		const unsigned char entry[8] = {(unsigned char)entries[i][0], 0, (unsigned char)entries[i][1]};

		memcpy(value + 4 + 8 * i, entry, sizeof(entry));
	}
	return 4 + 8 * count;
}

static unsigned mode_shown(unsigned mode, const char *name, const unsigned char *value, size_t length)
{
	struct bt_xattr xattrs[] = {{.name = "user.x", .name_length = 6},
				    {.name = name, .name_length = (uint32_t)strlen(name), .value = value}};
	struct bt_extra extra = {.xattrs = xattrs, .xattr_count = 2};
	struct bt_entry file = file_of(1);
	struct attr_rules lists = {.acls = true};
	struct stat st;

	xattrs[1].value_length = (uint32_t)length;
	file.extra = &extra;
	file.mode = (uint16_t)mode;
	attr_fill(&lists, &file, 1, &st);
	assert_int_equal(st.st_mode & 07777, mode);
	attr_fill(&plain, &file, 1, &st);
	assert_int_equal(attr_has_acl(&file), strcmp(name, "system.posix_acl_access") == 0);
	return st.st_mode & 07777;
}

enum { U = 1, USER = 2, G = 4, GROUP = 8, MASK = 16, O = 32 };

static void without_its_list_a_mode_grants_no_more(void **state)
{
	static const struct {
		unsigned mode, shown, entries[8][2];
	} cases[] = {
		/* nobody is named: the mask bounds the group alone */
		{0754, 0754, {{U, 7}, {G, 5}, {O, 4}}},
		{0707, 0707, {{U, 7}, {G, 5}, {MASK, 0}, {O, 7}}},
		{0777, 0757, {{U, 7}, {G, 5}, {MASK, 7}, {O, 7}}},
		/* the bits of the group are a mask for others */
		{0640, 0600, {{U, 6}, {USER, 4}, {G, 0}, {MASK, 4}, {O, 0}}},
		{0660, 0640, {{U, 6}, {USER, 6}, {G, 4}, {MASK, 6}, {O, 0}}},
		/* who is named with less may be of the group, or anybody */
		{0644, 0600, {{U, 6}, {USER, 0}, {G, 4}, {MASK, 4}, {O, 4}}},
		{0775, 0744, {{U, 7}, {USER, 4}, {G, 7}, {MASK, 7}, {O, 5}}},
		{0775, 0700, {{U, 7}, {USER, 4}, {USER, 1}, {G, 7}, {MASK, 7}, {O, 5}}},
		/* a member of the group keeps what that has, whatever another one of his lacks */
		{0775, 0770, {{U, 7}, {G, 7}, {GROUP, 0}, {MASK, 7}, {O, 5}}},
		{0755, 0751, {{U, 7}, {G, 5}, {GROUP, 1}, {MASK, 5}, {O, 5}}},
		/* of what they are given, they have what the mask leaves */
		{0747, 0744, {{U, 7}, {USER, 7}, {G, 7}, {GROUP, 7}, {MASK, 4}, {O, 7}}},
		{0607, 0600, {{U, 6}, {USER, 7}, {G, 7}, {MASK, 0}, {O, 7}}},
		/* no list gives what the mode does not; other bits stay */
		{06444, 06444, {{U, 7}, {G, 7}, {MASK, 7}, {O, 7}}},
		/* no lists at all */
		{0777, 0700, {{U, 7}, {USER, 7}, {G, 7}, {O, 7}}},
		{0777, 0700, {{U, 7}, {GROUP, 7}, {G, 7}, {O, 7}}},
		{0777, 0700, {{U, 7}, {G, 7}, {MASK, 7}}},
		{0777, 0700, {{U, 7}, {MASK, 7}, {O, 7}}},
		{0777, 0700, {{G, 7}, {MASK, 7}, {O, 7}}},
		{0777, 0700, {{U, 7}, {G, 8}, {O, 7}}},
		{0777, 0700, {{U, 7}, {G, 7}, {3, 7}, {O, 7}}},
		{0777, 0700, {{U, 7}, {G, 7}, {64, 7}, {O, 7}}},
		{0777, 0700, {{0, 0}}},
	};
	unsigned char value[4 + 8 * 8];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t count = 0;

		while (cases[i].entries[count][0])
			count++;
		size_t length = make_acl(value, cases[i].entries, count);
		assert_int_equal(mode_shown(cases[i].mode, "system.posix_acl_access", value, length), cases[i].shown);
		/* what is missing of it is noticed */
		if (length > 4)
			assert_int_equal(mode_shown(0777, "system.posix_acl_access", value, length - 1), 0700);
		assert_int_equal(mode_shown(0777, "system.posix_acl_default", value, length), 0777);
	}
}

static void a_list_that_is_none_grants_nothing(void **state)
{
	static const unsigned whole[][2] = {{U, 7}, {G, 7}, {O, 7}};
	static const struct {
		size_t at;
		unsigned char other;
	} cases[] = {{0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 0}, {5, 1}, {6, 8}, {7, 1}};
	unsigned char value[4 + 8 * 3];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t length = make_acl(value, whole, 3);

		assert_int_equal(mode_shown(0777, "system.posix_acl_access", value, length), 0777);
		value[cases[i].at] = cases[i].other;
		assert_int_equal(mode_shown(0777, "system.posix_acl_access", value, length), 0700);
	}
	assert_int_equal(mode_shown(0777, "system.posix_acl_access", NULL, 0), 0700);
}

static void equal_files_are_one_inode_at_one_path(void **state)
{
	struct bt_entry file = file_of(1), same = file_of(1), other = file_of(2);
	uint64_t path = attr_path_below(attr_path_top(), "f", 1), elsewhere = attr_path_below(path, "f", 1);

	assert_true(attr_ino(&file, path, 0) == attr_ino(&same, path, 0)); /* in any snapshot */
	assert_true(attr_ino(&file, path, 1) != attr_ino(&same, path, 2)); /* where each has its own */
	assert_true(attr_is_shareable(&file));
	assert_true(attr_ino(&file, path, 1) != attr_ino(&other, path, 1));
	assert_true(attr_ino(&file, path, 1) != attr_ino(&file, elsewhere, 1)); /* no hard link */
	same.mtime.nanoseconds--;
	assert_true(attr_ino(&file, path, 1) != attr_ino(&same, path, 1));
	same = file_of(1);
	same.mode = 0600;
	assert_true(attr_ino(&file, path, 1) != attr_ino(&same, path, 1));
	same = file_of(1);
	same.uid = 0;
	assert_true(attr_ino(&file, path, 1) != attr_ino(&same, path, 1));
}

static void a_birth_time_makes_no_other_inode(void **state)
{
	struct bt_extra extra = {.has_btime = true, .btime = {5, 6}};
	struct bt_entry file = file_of(1), born = file_of(1);

	born.extra = &extra;
	assert_true(attr_ino(&file, 100, 1) == attr_ino(&born, 100, 1));
}

static void hard_links_are_one_inode(void **state)
{
	struct bt_extra extra = {.inode = 9, .links = 2}, other = {.inode = 10, .links = 2};
	struct bt_entry a = file_of(1), b = file_of(1), c = file_of(1);

	a.extra = b.extra = &extra;
	c.extra = &other;
	assert_false(attr_is_shareable(&a)); /* programs that copy would join them */
	assert_true(attr_is_known(&a));
	assert_true(attr_ino(&a, 100, 1) == attr_ino(&b, 200, 1));
	assert_true(attr_ino(&a, 100, 1) != attr_ino(&b, 100, 2));
	assert_true(attr_ino(&a, 100, 1) != attr_ino(&c, 100, 1));
	other = extra;
	other.dev = 1;
	assert_true(attr_ino(&a, 100, 1) != attr_ino(&c, 100, 1));
}

static void directories_never_share(void **state)
{
	struct bt_entry dir = {.type = BT_DIR};

	assert_false(attr_is_shareable(&dir));
	assert_true(attr_ino(&dir, 1, 1) != attr_ino(&dir, 1, 2));
	assert_true(attr_ino(&dir, 1, 1) != attr_ino(&dir, 2, 1));
}

static void what_could_not_be_read_is_not_equal(void **state)
{
	struct bt_extra extra = {.error = "EACCES"};
	struct bt_entry file = file_of(0);

	file.has_digest = false;
	file.extra = &extra;
	assert_false(attr_is_shareable(&file) || attr_is_known(&file));
	assert_true(attr_ino(&file, 1, 1) != attr_ino(&file, 1, 2));
}

static void without_a_digest_the_chunks_tell(void **state)
{
	struct bt_chunk one[] = {{{{1}}, 5}}, two[] = {{{{2}}, 5}};
	struct bt_extra a = {.chunks = one, .chunk_count = 1}, b = {.chunks = two, .chunk_count = 1};
	struct bt_entry file = file_of(0);

	file.has_digest = false;
	file.extra = &a;
	uint64_t first = attr_ino(&file, 1, 1);
	file.extra = &b;
	assert_true(first != attr_ino(&file, 1, 1));
}

static void paths_do_not_run_together(void **state)
{
	uint64_t top = attr_path_top();

	assert_true(attr_path_below(attr_path_below(top, "a", 1), "b", 1) != attr_path_below(top, "ab", 2));
	assert_true(attr_path_below(attr_path_below(top, "a", 1), "b", 1) !=
		    attr_path_below(attr_path_below(top, "b", 1), "a", 1));
}

static void store_and_mount_point_may_not_overlap(void **state)
{
	assert_true(paths_overlap("/a/b", "/a/b"));
	assert_true(paths_overlap("/a/b", "/a"));
	assert_true(paths_overlap("/a", "/a/b/c"));
	assert_true(paths_overlap("/", "/a"));
	assert_false(paths_overlap("/a/b", "/a/bc"));
	assert_false(paths_overlap("/a/bc", "/a/b"));
	assert_false(paths_overlap("/mnt", "/srv"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_shows_what_it_has),
		cmocka_unit_test(holes_take_no_blocks),
		cmocka_unit_test(types_show_their_own),
		cmocka_unit_test(options_change_owner_and_mode),
		cmocka_unit_test(without_its_list_a_mode_grants_no_more),
		cmocka_unit_test(a_list_that_is_none_grants_nothing),
		cmocka_unit_test(equal_files_are_one_inode_at_one_path),
		cmocka_unit_test(hard_links_are_one_inode),
		cmocka_unit_test(a_birth_time_makes_no_other_inode),
		cmocka_unit_test(directories_never_share),
		cmocka_unit_test(what_could_not_be_read_is_not_equal),
		cmocka_unit_test(without_a_digest_the_chunks_tell),
		cmocka_unit_test(paths_do_not_run_together),
		cmocka_unit_test(store_and_mount_point_may_not_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
