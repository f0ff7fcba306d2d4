/* SPDX-License-Identifier: MIT */
/* The root, directories and versions/ over an engine in memory. */
#include "dirs.h"
#include "fs_fake.h"
#include "ops.h"
#include "root.h"
#include "versions.h"
#include "xattr.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TREE_A	 1u /* sub/ and x.txt */
#define TREE_B	 2u /* the same sub/, another x.txt */
#define TREE_SUB 3u /* y */
#define TREE_BIG 4u /* two leaves */
#define TREE_BAD 7u /* says that a leaf has more than it has */

static struct bt_entry file(const char *name, unsigned content)
{
	return (struct bt_entry){.name = name,
				 .name_length = (uint16_t)strlen(name),
				 .type = BT_FILE,
				 .mode = 0644,
				 .size = 10 + content,
				 .has_digest = true,
				 .digest = fake_id(1000 + content)};
}

static struct bt_entry directory(const char *name, unsigned tree)
{
	return (struct bt_entry){.name = name,
				 .name_length = (uint16_t)strlen(name),
				 .type = BT_DIR,
				 .mode = 0755,
				 .digest = fake_id(tree)};
}

static struct bt_entry tree_a[4], tree_b[3], tree_sub[1], leaf_one[3], leaf_two[2];
static struct bt_leaf leaves[2], bad_leaves[2];

static void make_store(void)
{
	fake_reset();
	tree_a[0] = directory("bad", TREE_BAD);
	tree_a[1] = directory("big", TREE_BIG);
	tree_a[2] = directory("sub", TREE_SUB);
	tree_a[3] = file("x.txt", 1);
	tree_b[0] = directory("new", TREE_SUB);
	tree_b[1] = directory("sub", TREE_SUB);
	tree_b[2] = file("x.txt", 2);
	tree_sub[0] = file("y", 3);
	leaf_one[0] = file("a", 4);
	leaf_one[1] = file("b", 5);
	leaf_one[2] = directory("c", TREE_SUB);
	leaf_two[0] = file("m", 6);
	leaf_two[1] = directory("n", TREE_SUB);
	leaves[0] = (struct bt_leaf){.name = "a", .name_length = 1, .entries = 3, .id = fake_id(5)};
	leaves[1] = (struct bt_leaf){.name = "m", .name_length = 1, .entries = 2, .id = fake_id(6)};
	memcpy(bad_leaves, leaves, sizeof(leaves));
	bad_leaves[1].entries = 3;
	fake_page(fake_id(TREE_A), tree_a, 4);
	fake_page(fake_id(TREE_B), tree_b, 3);
	fake_page(fake_id(TREE_SUB), tree_sub, 1);
	fake_leaves(fake_id(TREE_BIG), leaves, 2);
	fake_leaves(fake_id(TREE_BAD), bad_leaves, 2);
	fake_page(fake_id(5), leaf_one, 3);
	fake_page(fake_id(6), leaf_two, 2);
	fake_snapshot("snapshot_1.json", fake_id(TREE_A), false);
	fake_snapshot("snapshot_2.json", fake_id(TREE_B), false);
}

static int set_up(void **state)
{
	struct fs *fs = calloc(1, sizeof(*fs));

	make_store();
	fs->store = fake_store();
	fs->store_fd = -1;
	fs_begin(fs);
	log_open(&fs->log, false);
	*state = fs;
	return nodes_new(&fs->nodes) || root_new(fs, NULL) || versions_new(fs);
}

static int tear_down(void **state)
{
	struct fs *fs = *state;

	versions_free(fs);
	root_free(fs);
	nodes_free(fs->nodes);
	log_close(&fs->log);
	fs_end(fs);
	free(fs);
	return fake_pins() != 0; /* every page that was taken was given back */
}

static fuse_ino_t top(struct fs *fs, const char *name)
{
	struct fuse_entry_param param;

	assert_int_equal(top_lookup(fs, FUSE_ROOT_ID, name, &param), 0);
	return param.ino;
}

static struct fuse_entry_param below(struct fs *fs, fuse_ino_t parent, const char *name)
{
	struct dir dir;
	struct found found = {0};
	struct fuse_entry_param param = {0};

	assert_int_equal(dir_open(fs, parent, &dir), 0);
	int r = dir_find(fs, &dir, name, &found);
	if (!r)
		assert_int_equal(dir_entry(fs, &dir, &found, &param), 0);
	else
		assert_int_equal(r, ENOENT);
	dir_close(fs, &dir);
	return param;
}

static void the_root_lists_snapshots_without_opening_them(void **state)
{
	static const char *const expected[] = {"latest", "versions", "snapshot_1", "snapshot_2"};
	struct fs *fs = *state;
	struct top_entry entry;
	uint64_t offset = 2;

	for (size_t i = 0; i < 2; i++) { /* the links do open one: not theirs */
		assert_int_equal(top_entry_at(fs, FUSE_ROOT_ID, offset, &entry, &offset), 0);
		assert_string_equal(entry.name, expected[i]);
	}
	int opens = fake_opens();
	for (size_t i = 2; i < 4; i++) {
		assert_int_equal(top_entry_at(fs, FUSE_ROOT_ID, offset, &entry, &offset), 0);
		assert_string_equal(entry.name, expected[i]);
		assert_int_equal(entry.param.ino, 0);
	}
	assert_int_equal(top_entry_at(fs, FUSE_ROOT_ID, offset, &entry, &offset), ENOENT);
	assert_int_equal(fake_opens(), opens);
}

static void a_snapshot_has_its_own_time(void **state)
{
	struct fuse_entry_param param;

	assert_int_equal(top_lookup(*state, FUSE_ROOT_ID, "snapshot_2", &param), 0);
	assert_int_equal(param.attr.st_ctim.tv_sec, 2);
	assert_int_equal(param.attr.st_ctim.tv_nsec, 5);
	assert_int_equal(param.attr.st_mtim.tv_sec, 0); /* as it was recorded */
	assert_int_equal(param.attr.st_mode, S_IFDIR | 0700);
	assert_int_equal(param.attr.st_uid, 7);
	assert_int_equal(top(*state, "snapshot_3"), 0);
	assert_int_equal(top(*state, "snapshot_2.json"), 0);
}

static void latest_is_a_link_to_the_newest(void **state)
{
	char target[300];
	struct root_change change = {0};
	fuse_ino_t before = top(*state, "latest");

	assert_int_equal(top_readlink(*state, before, target, sizeof(target)), 0);
	assert_string_equal(target, "snapshot_2");
	fake_snapshot("snapshot_3.json", fake_id(TREE_A), false);
	assert_int_equal(root_update(*state, &change), 0);
	assert_int_equal(change.count, 1);
	free(change.serials);
	change = (struct root_change){0};
	fuse_ino_t after = top(*state, "latest");
	assert_true(after != before); /* so that what the kernel remembers of the old one does no harm */
	assert_int_equal(top_readlink(*state, after, target, sizeof(target)), 0);
	assert_string_equal(target, "snapshot_3");
	assert_int_equal(top_readlink(*state, top(*state, "snapshot_1"), target, sizeof(target)), EINVAL);
}

static void a_pruned_snapshot_vanishes_but_stays_readable(void **state)
{
	struct root_change change = {0};
	fuse_ino_t snapshot = top(*state, "snapshot_1"), unseen = top(*state, "snapshot_2");

	fake_drop_snapshot("snapshot_1.json");
	assert_int_equal(root_update(*state, &change), 0);
	assert_int_equal(change.count, 1);
	free(change.serials);
	change = (struct root_change){0};
	assert_int_equal(top(*state, "snapshot_1"), 0);
	assert_true(below(*state, snapshot, "x.txt").ino != 0);
	assert_int_equal(top(*state, "snapshot_2"), unseen);
	assert_int_equal(root_update(*state, &change), 0); /* nothing new */
	assert_int_equal(change.count, 0);
	fake_snapshot("snapshot_1.json", fake_id(TREE_A), false);
	assert_int_equal(root_update(*state, &change), 0);
	assert_int_equal(change.count, 1);
	free(change.serials);
	change = (struct root_change){0};
	assert_int_not_equal(top(*state, "snapshot_1"), snapshot); /* another file, for all that is known */
}

static void another_file_of_the_same_name_is_another_snapshot(void **state)
{
	struct fs *fs = *state;
	struct root_change change = {0};
	fuse_ino_t before = top(fs, "snapshot_2");

	assert_int_not_equal(below(fs, before, "x.txt").ino, 0);
	fake_drop_snapshot("snapshot_2.json");
	fake_snapshot("snapshot_2.json", fake_id(TREE_SUB), false);
	assert_int_equal(root_update(fs, &change), 0);
	assert_int_equal(change.count, 2); /* one that came, one that went */
	free(change.serials);
	change = (struct root_change){0};
	fuse_ino_t after = top(fs, "snapshot_2");
	assert_int_not_equal(after, before);
	assert_int_equal(below(fs, after, "x.txt").ino, 0);
	assert_int_not_equal(below(fs, before, "x.txt").ino, 0);
	assert_int_equal(top(fs, "latest"), node_pack((struct node){NODE_TOP, TOP_LINK, node_unpack(after).index}));
}

static void what_the_kernel_knows_of_a_removed_snapshot_is_needed(void **state)
{
	struct fs *fs = *state;
	struct root_change change = {0};
	struct fuse_entry_param param;

	assert_int_equal(top_lookup(fs, FUSE_ROOT_ID, "snapshot_1", &param), 0);
	op_entry_known(fs, &param);
	op_entry_known(fs, &param);
	assert_false(root_is_needed(fs, node_unpack(param.ino).index));
	fake_drop_snapshot("snapshot_1.json");
	assert_int_equal(root_update(fs, &change), 0);
	free(change.serials);
	change = (struct root_change){0};
	assert_true(root_is_needed(fs, node_unpack(param.ino).index));
	op_forgotten(fs, param.ino, 1);
	assert_true(root_is_needed(fs, node_unpack(param.ino).index));
	op_forgotten(fs, param.ino, 1);
	assert_false(root_is_needed(fs, node_unpack(param.ino).index));
	root_close_gone(fs);
	struct root_snapshot snapshot;
	struct fuse_entry_param other;
	assert_int_equal(root_open(fs, node_unpack(param.ino).index, &snapshot), ENOENT); /* it was given back */
	assert_int_equal(top_lookup(fs, FUSE_ROOT_ID, "snapshot_2", &other), 0);
	assert_int_equal(root_open(fs, node_unpack(other.ino).index, &snapshot), 0);
}

static void equal_leaves_share_nodes_between_snapshots(void **state)
{
	struct fs *fs = *state;
	fuse_ino_t one = below(fs, top(fs, "snapshot_1"), "sub").ino, two = below(fs, top(fs, "snapshot_2"), "sub").ino;

	assert_true(one != two); /* directories never */
	assert_int_equal(below(fs, one, "y").ino, below(fs, two, "y").ino);
	assert_int_equal(below(fs, one, "y").attr.st_ino, below(fs, two, "y").attr.st_ino);
	fuse_ino_t elsewhere = below(fs, top(fs, "snapshot_2"), "new").ino;
	assert_true(below(fs, one, "y").ino != below(fs, elsewhere, "y").ino); /* no hard link */
	assert_true(below(fs, one, "y").attr.st_ino != below(fs, elsewhere, "y").attr.st_ino);
}

static void with_own_xattrs_nodes_know_their_snapshot(void **state)
{
	struct fs *fs = *state;
	struct held held;

	fs->options.xattr = XATTR_ON;
	fuse_ino_t one = below(fs, below(fs, top(fs, "snapshot_1"), "sub").ino, "y").ino;
	fuse_ino_t two = below(fs, below(fs, top(fs, "snapshot_2"), "sub").ino, "y").ino;
	assert_true(one != two);
	assert_int_equal(held_get(fs, two, &held), 0);
	assert_int_equal(held.snapshot, 1);
	held_end(fs, &held);
}

static void files_with_links_are_not_shared_between_snapshots(void **state)
{
	struct fs *fs = *state;
	struct bt_extra extra = {.links = 2, .inode = 7};
	struct held held;
	struct stat st;

	tree_sub[0].extra = &extra;
	fuse_ino_t one = below(fs, top(fs, "snapshot_1"), "sub").ino, two = below(fs, top(fs, "snapshot_2"), "sub").ino;
	struct fuse_entry_param first = below(fs, one, "y"), second = below(fs, two, "y");
	assert_true(first.ino != second.ino);
	assert_true(first.attr.st_ino != second.attr.st_ino);
	assert_int_equal(below(fs, one, "y").ino, first.ino);
	assert_int_equal(held_get(fs, second.ino, &held), 0);
	assert_int_equal(held.snapshot, 1);
	held_end(fs, &held);
	assert_int_equal(held_attr(fs, second.ino, &st), 0);
	assert_memory_equal(&st, &second.attr, sizeof(st));
	fuse_ino_t elsewhere = below(fs, top(fs, "snapshot_2"), "new").ino; /* another name of the same */
	assert_true(below(fs, elsewhere, "y").attr.st_ino == second.attr.st_ino);
	tree_sub[0].extra = NULL;
}

static void separate_files_are_not_shared_between_snapshots(void **state)
{
	struct fs *fs = *state;
	struct stat st;

	fs->options.separate = true;
	fuse_ino_t one = below(fs, top(fs, "snapshot_1"), "sub").ino, two = below(fs, top(fs, "snapshot_2"), "sub").ino;
	struct fuse_entry_param first = below(fs, one, "y"), second = below(fs, two, "y");
	assert_true(first.ino != second.ino);
	assert_true(first.attr.st_ino != second.attr.st_ino);
	assert_int_equal(held_attr(fs, first.ino, &st), 0);
	assert_memory_equal(&st, &first.attr, sizeof(st));
}

static void nodes_lead_back_to_entries(void **state)
{
	struct fs *fs = *state;
	struct held held;
	fuse_ino_t big = below(fs, top(fs, "snapshot_1"), "big").ino;
	static const char *const names[] = {"a", "b", "c", "m", "n"};

	for (size_t i = 0; i < 5; i++) {
		struct fuse_entry_param param = below(fs, big, names[i]);
		struct stat st;

		assert_int_equal(held_get(fs, param.ino, &held), 0);
		assert_string_equal(held.entry->name, names[i]);
		held_end(fs, &held);
		assert_int_equal(held_attr(fs, param.ino, &st), 0);
		assert_memory_equal(&st, &param.attr, sizeof(st));
	}
	assert_int_equal(below(fs, big, "bb").ino, 0);
	assert_int_equal(below(fs, big, "").ino, 0);
	assert_int_equal(below(fs, big, "z").ino, 0);
}

static void a_large_directory_is_walked_over_its_leaves(void **state)
{
	struct fs *fs = *state;
	static const char names[] = "abcmn";
	struct dir dir;
	struct found found = {0};

	assert_int_equal(dir_open(fs, below(fs, top(fs, "snapshot_1"), "big").ino, &dir), 0);
	assert_int_equal(dir_count(&dir), 5);
	for (uint64_t i = 0; i < 5; i++) { /* forwards */
		assert_int_equal(dir_at(fs, &dir, i, &found), 0);
		assert_int_equal(found.entry->name[0], names[i]);
	}
	assert_int_equal(dir_at(fs, &dir, 5, &found), ENOENT);
	for (uint64_t i = 5; i-- > 0;) { /* and back, as seekdir may */
		assert_int_equal(dir_at(fs, &dir, i, &found), 0);
		assert_int_equal(found.entry->name[0], names[i]);
	}
	assert_int_equal(dir_at(fs, &dir, UINT64_MAX, &found), ENOENT);
	dir_close(fs, &dir);
}

static void a_wrong_count_is_damage(void **state)
{
	struct fs *fs = *state;
	struct dir dir;
	struct found found = {0};

	assert_int_equal(dir_open(fs, below(fs, top(fs, "snapshot_1"), "bad").ino, &dir), 0);
	assert_int_equal(dir_at(fs, &dir, 0, &found), 0);
	assert_int_equal(dir_at(fs, &dir, 4, &found), EIO);
	assert_int_equal(dir_find(fs, &dir, "m", &found), EIO);
	dir_close(fs, &dir);
}

static void made_up_nodes_are_refused(void **state)
{
	struct fs *fs = *state;
	struct held held;
	struct dir dir;
	fuse_ino_t file_node = below(fs, top(fs, "snapshot_1"), "x.txt").ino;

	assert_int_equal(dir_open(fs, file_node, &dir), ENOTDIR);
	assert_int_equal(dir_open(fs, top(fs, "latest"), &dir), ENOTDIR);
	assert_int_equal(held_get(fs, node_pack((struct node){.kind = NODE_SHARED, .number = 999, .index = 0}), &held),
			 ESTALE);
	assert_int_equal(held_get(fs, file_node + 1000, &held), ESTALE);
	assert_int_equal(held_get(fs, node_pack((struct node){.kind = NODE_OWN, .number = 999, .index = 0}), &held),
			 ESTALE);
	assert_int_equal(held_get(fs, FUSE_ROOT_ID, &held), EISDIR);
	assert_int_not_equal(
		held_get(fs, node_pack((struct node){.kind = NODE_TOP, .number = TOP_SNAPSHOT, .index = 99}), &held),
		0);
}

static void one_snapshot_can_be_the_root(void **state)
{
	struct fs *fs = *state;

	root_free(fs);
	char wanted[] = "snapshot_2";
	fs->options.snapshot = wanted;
	assert_int_equal(root_new(fs, NULL), 0);
	assert_false(top_is_list(fs, FUSE_ROOT_ID));
	assert_true(below(fs, FUSE_ROOT_ID, "new").ino != 0);
	assert_int_equal(below(fs, FUSE_ROOT_ID, "big").ino, 0);
	root_free(fs);
	char missing[] = "snapshot_9";
	fs->options.snapshot = missing;
	assert_int_equal(root_new(fs, NULL), BT_E_NOT_FOUND);
}

static void xattrs_are_refused_where_there_can_never_be_any(void **state)
{
	struct fs *fs = *state;

	assert_true(xattr_wanted(fs)); /* a snapshot with some may come */
	fs->options.xattr = XATTR_OFF;
	assert_false(xattr_wanted(fs));
	fs->options.xattr = XATTR_AUTO;
	root_free(fs);
	char without[] = "snapshot_2", with[] = "snapshot_3";
	fs->options.snapshot = without;
	assert_int_equal(root_new(fs, NULL), 0);
	assert_false(xattr_wanted(fs));
	fs->options.xattr = XATTR_ON;
	assert_true(xattr_wanted(fs));
	fs->options.xattr = XATTR_AUTO;
	root_free(fs);
	fake_snapshot("snapshot_3.json", fake_id(TREE_A), true);
	fs->options.snapshot = with;
	assert_int_equal(root_new(fs, NULL), 0);
	assert_true(xattr_wanted(fs));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct versions_entry *)a)->name, ((const struct versions_entry *)b)->name);
}

static size_t list_versions(struct fs *fs, fuse_ino_t node, struct versions_entry *entries, size_t max)
{
	size_t count = 0;
	uint64_t cookie = 0;

	while (count < max && versions_after(fs, node, cookie, &entries[count]) == 0)
		cookie = entries[count++].cookie;
	qsort(entries, count, sizeof(*entries), by_name);
	return count;
}

static void versions_show_each_content_once(void **state)
{
	struct fs *fs = *state;
	struct versions_entry entries[8];
	struct fuse_entry_param param;

	assert_int_equal(list_versions(fs, versions_top(fs), entries, 8), 5); /* bad big new sub x.txt */
	assert_string_equal(entries[0].name, "bad");
	assert_string_equal(entries[4].name, "x.txt");
	assert_true(S_ISDIR(entries[4].param.attr.st_mode));
	assert_int_equal(versions_lookup(fs, versions_top(fs), "x.txt", &param), 0);
	assert_int_equal(list_versions(fs, param.ino, entries, 8), 2);
	assert_string_equal(entries[0].name, "1970-01-01T00-00-01Z-e9030000.txt");
	assert_string_equal(entries[1].name, "1970-01-01T00-00-02Z-ea030000.txt");
	assert_int_equal(entries[0].param.attr.st_size, 11);
	assert_int_equal(entries[0].param.ino, below(fs, top(fs, "snapshot_1"), "x.txt").ino);
	assert_int_equal(versions_lookup(fs, param.ino, entries[1].name, &param), 0);
	assert_int_equal(param.attr.st_size, 12);
}

static void versions_of_what_never_changed_are_one(void **state)
{
	struct fs *fs = *state;
	struct versions_entry entries[8];
	struct fuse_entry_param sub, y, none;

	assert_int_equal(versions_lookup(fs, versions_top(fs), "sub", &sub), 0);
	assert_int_equal(versions_lookup(fs, sub.ino, "y", &y), 0);
	assert_int_equal(list_versions(fs, y.ino, entries, 8), 1);
	assert_int_equal(versions_lookup(fs, sub.ino, "none", &none), 0);
	assert_int_equal(none.ino, 0);
	fuse_ino_t parent;
	assert_int_equal(versions_parent(fs, y.ino, &parent), 0);
	assert_int_equal(parent, sub.ino);
	versions_outdate(fs);
	assert_int_equal(list_versions(fs, y.ino, entries, 8), 1); /* built again from the path */
}

static void names_that_no_snapshot_has_leave_nothing_behind(void **state)
{
	struct fs *fs = *state;
	struct fuse_entry_param param;
	char name[16];

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "none%u", i);
		assert_int_equal(versions_lookup(fs, versions_top(fs), name, &param), 0);
		assert_int_equal(param.ino, 0);
	}
	assert_int_equal(versions_lookup(fs, versions_top(fs), "sub", &param), 0);
	assert_int_equal(node_unpack(param.ino).index, 1); /* the first below the top */
}

/* As from a file handle of another mount. */
static void directories_of_versions_that_never_were_are_stale(void **state)
{
	struct fs *fs = *state;
	struct versions *versions = fs->versions;
	struct versions_entry entry;
	struct fuse_entry_param param;
	struct stat st;
	fuse_ino_t nodes[] = {node_pack((struct node){NODE_TOP, TOP_VERSIONS, 77}), versions_top(fs)}, parent;

	for (int i = 0; i < 2; i++) { /* beyond those that were looked up; without -o versions */
		assert_int_equal(versions_attr(fs, nodes[i], &st), ESTALE);
		assert_int_equal(versions_parent(fs, nodes[i], &parent), ESTALE);
		assert_int_equal(versions_lookup(fs, nodes[i], "sub", &param), ESTALE);
		assert_int_equal(versions_after(fs, nodes[i], 0, &entry), ESTALE);
		fs->versions = NULL;
	}
	fs->versions = versions;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(directories_of_versions_that_never_were_are_stale),
		TEST(names_that_no_snapshot_has_leave_nothing_behind),
		TEST(the_root_lists_snapshots_without_opening_them),
		TEST(a_snapshot_has_its_own_time),
		TEST(latest_is_a_link_to_the_newest),
		TEST(a_pruned_snapshot_vanishes_but_stays_readable),
		TEST(another_file_of_the_same_name_is_another_snapshot),
		TEST(what_the_kernel_knows_of_a_removed_snapshot_is_needed),
		TEST(equal_leaves_share_nodes_between_snapshots),
		TEST(with_own_xattrs_nodes_know_their_snapshot),
		TEST(files_with_links_are_not_shared_between_snapshots),
		TEST(separate_files_are_not_shared_between_snapshots),
		TEST(nodes_lead_back_to_entries),
		TEST(a_large_directory_is_walked_over_its_leaves),
		TEST(a_wrong_count_is_damage),
		TEST(made_up_nodes_are_refused),
		TEST(one_snapshot_can_be_the_root),
		TEST(xattrs_are_refused_where_there_can_never_be_any),
		TEST(versions_show_each_content_once),
		TEST(versions_of_what_never_changed_are_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
