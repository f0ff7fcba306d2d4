/* SPDX-License-Identifier: MIT */
/* How directories and chunk lists are cut into pages. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include "base/bytes.h"
#include "codec/hash.h"
#include "model_samples.h"
#include "store/file.h"

#include <stdio.h>

/* What a builder emitted. */
struct emitted {
	struct bt_hasher *hasher;
	struct bt_digest *ids;
	size_t count, capacity, fail_at;
	size_t largest, entries, leaves, indexes;
	size_t longest; /* most entries of a leaf */
	char last[256];
	struct bt_buf final; /* the last page */
};

static int note_leaf(struct emitted *emitted, const struct bt_page *page)
{
	for (size_t i = 0; i < page->count; i++) {
		assert_true(strcmp(emitted->last, page->entries[i].name) < 0);
		memcpy(emitted->last, page->entries[i].name, page->entries[i].name_length + 1u);
	}
	emitted->entries += page->count;
	emitted->leaves++;
	if (page->count > emitted->longest)
		emitted->longest = page->count;
	return 0;
}

static int emit(void *arg, const char *line, size_t length, struct bt_digest *ret_id)
{
	struct emitted *emitted = arg;
	struct bt_error error = {0};
	struct bt_page *page;
	size_t weight;

	if (emitted->fail_at && emitted->count + 1 == emitted->fail_at)
		return BT_E_SYSTEM;
	if (bt_page_parse(line, length, 0, &page, &weight, &error))
		fail_msg("%s at %d", bt_reason_name(error.reason), (int)error.offset);
	if (page->kind == BT_PAGE_ENTRIES)
		note_leaf(emitted, page);
	else
		assert_in_range(page->count, 2, BT_INDEX_PAGES);
	emitted->indexes += page->kind == BT_PAGE_LEAVES;
	bt_page_free(page);
	if (length > emitted->largest)
		emitted->largest = length;
	if (emitted->count == emitted->capacity) {
		emitted->capacity = emitted->capacity * 2 + 16;
		emitted->ids = realloc(emitted->ids, emitted->capacity * sizeof(*emitted->ids));
		assert_non_null(emitted->ids);
	}
	assert_int_equal(bt_hasher_digest(emitted->hasher, line, length, ret_id), 0);
	emitted->ids[emitted->count++] = *ret_id;
	emitted->final.length = 0;
	return bt_buf_append(&emitted->final, line, length);
}

static void begin(struct emitted *emitted, struct bt_page_builder *builder)
{
	*emitted = (struct emitted){.hasher = bt_hasher_new()};
	*builder = (struct bt_page_builder){.arg = emitted, .emit = emit};
	assert_non_null(emitted->hasher);
}

static void clear(struct emitted *emitted)
{
	bt_hasher_free(emitted->hasher);
	free(emitted->ids);
	bt_buf_free(&emitted->final);
}

/* A file called "file" and number, padded to a name of the given length. */
static void make(struct bt_entry *entry, char name[256], unsigned number, unsigned length)
{
	int size = snprintf(name, 256, "file%06u", number);

	memset(name + size, 'x', 256 - (size_t)size);
	if (length < (unsigned)size)
		length = (unsigned)size;
	name[length] = 0;
	*entry = (struct bt_entry){
		.name = name, .name_length = (uint16_t)length, .type = BT_FILE, .has_digest = true, .size = number};
}

struct directory {
	unsigned first, count; /* numbers of the files, in steps of two */
	unsigned extra;	       /* one more number, odd, or 0 */
	unsigned changed;      /* a number + 1 whose file is not as in others, or 0 */
	unsigned length;       /* of the names */
};

static void add_changed(struct bt_page_builder *builder, unsigned number, unsigned length, unsigned mode)
{
	struct bt_entry entry;
	char name[256];

	make(&entry, name, number, length);
	entry.mode = (uint16_t)mode;
	assert_int_equal(bt_page_builder_add(builder, &entry), 0);
}

static void add_file(struct bt_page_builder *builder, unsigned number, unsigned length)
{
	add_changed(builder, number, length, 0);
}

static void build(struct bt_page_builder *builder, const struct directory *directory, struct bt_digest *ret_tree)
{
	for (unsigned i = 0; i < directory->count; i++) {
		unsigned number = directory->first + i * 2;

		add_changed(builder, number, directory->length, number + 1 == directory->changed);
		if (number + 1 == directory->extra)
			add_file(builder, directory->extra, directory->length);
	}
	assert_int_equal(bt_page_builder_finish(builder, ret_tree), 0);
}

static void test_an_empty_directory_is_an_empty_leaf(void **state)
{
	struct bt_page_builder builder;
	struct emitted emitted;
	struct bt_digest tree;

	begin(&emitted, &builder);
	assert_int_equal(bt_page_builder_finish(&builder, &tree), 0);
	assert_int_equal(emitted.count, 1);
	assert_int_equal(emitted.final.length, 14);
	assert_memory_equal(emitted.final.data, "{\"entries\":[]}", 14);
	assert_true(bt_digest_equal(&tree, &emitted.ids[0]));
	bt_page_builder_free(&builder);
	clear(&emitted);
}

static void check_leaves(unsigned count, unsigned length, size_t least, size_t most)
{
	struct bt_page_builder builder;
	struct emitted emitted;
	struct bt_digest tree;

	begin(&emitted, &builder);
	build(&builder, &(struct directory){.count = count, .length = length}, &tree);
	assert_int_equal(emitted.entries, count);
	assert_in_range(emitted.leaves, least, most);
	assert_int_equal(emitted.count, emitted.leaves + emitted.indexes);
	assert_int_equal(!emitted.indexes, emitted.leaves == 1);
	assert_true(emitted.indexes <= 1 + emitted.leaves / 8);
	assert_true(emitted.largest <= BT_LEAF_TEXT);
	assert_true(emitted.longest <= (count <= 2048 ? BT_LEAF_ENTRIES : BT_LEAF_WIDE));
	assert_true(bt_digest_equal(&tree, &emitted.ids[emitted.count - 1]));
	bt_page_builder_free(&builder);
	clear(&emitted);
}

static void test_a_small_directory_is_one_leaf(void **state)
{
	check_leaves(1, 10, 1, 1);
	check_leaves(BT_LEAF_ALONE, 10, 1, 1);
	check_leaves(BT_LEAF_ALONE, 255, 1, 1);
	check_leaves(BT_LEAF_ALONE + 1, 10, 2, 3);
	check_leaves(200, 10, 8, 16);
	check_leaves(2048, 10, 110, 140);
	check_leaves(20000, 10, 600, 740);
}

static void make_large(struct bt_entry *entry, char name[256], unsigned number, struct bt_extra *extra)
{
	make(entry, name, number, 10);
	entry->extra = extra;
}

/* Bytes for one more entry. */
static size_t room_left(const struct bt_page_builder *builder)
{
	return BT_LEAF_TEXT - strlen("{\"entries\":[,]}") - builder->leaf.length;
}

/* Exactly at the limit of bytes, and one more. */
static void test_the_limit_of_bytes_is_exact(void **state)
{
	static const unsigned char value[3000];
	struct bt_xattr xattr = {.name = "user.x", .name_length = 6, .value = value, .value_length = sizeof(value)};
	struct bt_extra extra = {.xattrs = &xattr, .xattr_count = 1};

	for (unsigned over = 0; over < 2; over++) {
		struct bt_page_builder builder;
		struct emitted emitted;
		struct bt_buf text = {0};
		struct bt_digest tree;
		struct bt_entry entry;
		char name[256];
		unsigned i;

		begin(&emitted, &builder);
		for (i = 0; room_left(&builder) > 5000; i++) {
			make_large(&entry, name, i, &extra);
			assert_int_equal(bt_page_builder_add(&builder, &entry), 0);
		}
		for (; room_left(&builder) > 400; i++)
			add_file(&builder, i, 10);
		assert_true(i < BT_LEAF_ALONE);
		make(&entry, name, i, 10);
		assert_int_equal(bt_entry_write(&text, &entry), 0);
		make(&entry, name, i, 10 + (unsigned)(room_left(&builder) - text.length) + over);
		assert_int_equal(bt_page_builder_add(&builder, &entry), 0);
		bt_buf_free(&text);
		assert_int_equal(bt_page_builder_finish(&builder, &tree), 0);
		if (over)
			assert_true(emitted.leaves > 1);
		else
			assert_int_equal(emitted.final.length, BT_LEAF_TEXT);
		bt_page_builder_free(&builder);
		clear(&emitted);
	}
}

/* Pages of b that a does not have. */
static size_t changed(const struct emitted *a, const struct emitted *b)
{
	size_t count = 0;

	for (size_t i = 0; i < b->count; i++) {
		size_t j = 0;

		while (j < a->count && !bt_digest_equal(&a->ids[j], &b->ids[i]))
			j++;
		count += j == a->count;
	}
	return count;
}

static void build_again(struct bt_page_builder *builder, const struct directory *directory, struct emitted *again,
			struct bt_digest *ret_tree)
{
	*again = (struct emitted){.hasher = bt_hasher_new()};
	builder->arg = again;
	build(builder, directory, ret_tree);
}

/* Of 100,000 entries: the leaf and an index page of each level are new; more only if the name ends pages, or the leaf
 * ends elsewhere for having one entry more. */
static void test_one_insertion_changes_few_pages(void **state)
{
	struct directory directory = {.count = 100000, .length = 10};
	struct bt_page_builder builder;
	struct emitted before, after;
	struct bt_digest tree, again;
	size_t sum = 0;

	begin(&before, &builder);
	build(&builder, &directory, &tree);
	assert_int_equal(before.entries, 100000);
	assert_in_range(before.leaves, 2800, 3400);
	for (unsigned at = 1; at < 200000; at += 13334) {
		directory.extra = at;
		build_again(&builder, &directory, &after, &again);
		assert_int_equal(after.entries, 100001);
		assert_false(bt_digest_equal(&tree, &again));
		assert_in_range(changed(&before, &after), 4, 16);
		sum += changed(&before, &after);
		clear(&after);
	}
	assert_true(sum <= 15 * 7);
	directory.extra = 0;
	build_again(&builder, &directory, &after, &again);
	assert_true(bt_digest_equal(&tree, &again)); /* all that was inserted is gone */
	clear(&after);
	bt_page_builder_free(&builder);
	clear(&before);
}

/* Entries go from the front, one by one. All that follows moves by as many, and now and then the place where leaves get
 * wide moves by a leaf, which the names soon make up for. */
static void test_what_goes_from_the_front_moves_few_pages(void **state)
{
	struct directory directory = {.count = 10000, .length = 10};
	struct bt_page_builder builder;
	struct emitted before, after;
	struct bt_digest tree, again;
	size_t sum = 0;

	begin(&before, &builder);
	build(&builder, &directory, &tree);
	assert_in_range(before.longest, BT_LEAF_ENTRIES + 1, BT_LEAF_WIDE);
	for (unsigned i = 0; i < 100; i++) {
		directory.first += 2;
		directory.count--;
		build_again(&builder, &directory, &after, &again);
		assert_int_equal(after.entries, directory.count);
		assert_in_range(changed(&before, &after), 3, 16);
		sum += changed(&before, &after);
		clear(&before);
		before = after;
	}
	assert_true(sum <= 100 * 5);
	bt_page_builder_free(&builder);
	clear(&before);
}

/* Where pages end is a matter of names alone. */
static void test_one_change_changes_a_page_of_each_level(void **state)
{
	struct directory directory = {.count = 100000, .length = 10};
	struct bt_page_builder builder;
	struct emitted before, after;
	struct bt_digest tree, again;

	begin(&before, &builder);
	build(&builder, &directory, &tree);
	for (unsigned at = 0; at < 200000; at += 33334) {
		directory.changed = at + 1;
		build_again(&builder, &directory, &after, &again);
		assert_int_equal(after.count, before.count);
		assert_in_range(changed(&before, &after), 4, 5);
		clear(&after);
	}
	bt_page_builder_free(&builder);
	clear(&before);
}

/* How many zeros the hash of a name ends with. */
static unsigned zeros_of(const struct bt_entry *entry)
{
	return (unsigned)__builtin_ctzll(bt_hash_bytes(entry->name, entry->name_length, 0) | (uint64_t)1 << 63);
}

/* Names with hashes in this range, as somebody may have chosen them. */
static void build_chosen(struct emitted *emitted, unsigned least, unsigned most, unsigned count)
{
	struct bt_page_builder builder;
	struct bt_digest tree;
	struct bt_entry entry;
	char name[256];

	begin(emitted, &builder);
	for (unsigned i = 0, found = 0; found < count; i++) {
		make(&entry, name, i, 12);
		if (zeros_of(&entry) < least || zeros_of(&entry) > most)
			continue;
		assert_int_equal(bt_page_builder_add(&builder, &entry), 0);
		found++;
	}
	assert_int_equal(bt_page_builder_finish(&builder, &tree), 0);
	assert_int_equal(emitted->entries, count);
	bt_page_builder_free(&builder);
}

static void test_chosen_names_give_pages_within_the_limits(void **state)
{
	struct emitted emitted;

	build_chosen(&emitted, 0, 1, 20000); /* none ends a page */
	assert_int_equal(emitted.longest, BT_LEAF_WIDE);
	assert_int_equal(emitted.leaves, 2048 / BT_LEAF_ENTRIES + (20000 - 2048 + BT_LEAF_WIDE - 1) / BT_LEAF_WIDE);
	assert_int_equal(emitted.indexes, 4);
	clear(&emitted);
	build_chosen(&emitted, 2, 5, 20000); /* each ends a leaf, none an index page */
	assert_in_range(emitted.leaves, 2048 / 16 + (20000 - 2048) / 34, 2048 / 16 + (20000 - 2048) / 32 + 1);
	assert_int_equal(emitted.indexes, 11 + 1);
	clear(&emitted);
	build_chosen(&emitted, 10, 63, 600); /* each ends an index page, or several: those of one page are left out */
	assert_int_equal(emitted.leaves, 600);
	assert_in_range(emitted.indexes, 60, 150);
	clear(&emitted);
}

/* The same entries give the same pages from a builder that has been used before, even when that use failed. */
static void test_pages_do_not_depend_on_history(void **state)
{
	const struct directory directory = {.count = 3000, .length = 20}, other = {.first = 7, .count = 700};
	struct bt_page_builder builder;
	struct emitted fresh, used;
	struct bt_digest expected, tree;

	begin(&fresh, &builder);
	build(&builder, &directory, &expected);
	bt_page_builder_free(&builder);
	begin(&used, &builder);
	build(&builder, &other, &tree);
	used.fail_at = used.count + 1;
	add_file(&builder, 1, 10);
	assert_int_equal(bt_page_builder_finish(&builder, &tree), BT_E_SYSTEM);
	used.fail_at = 0;
	memset(used.last, 0, sizeof(used.last));
	build(&builder, &directory, &tree);
	assert_true(bt_digest_equal(&tree, &expected));
	bt_page_builder_free(&builder);
	clear(&fresh);
	clear(&used);
}

static void test_names_must_increase(void **state)
{
	static const char *const bad[] = {"b", "a", "", ".", "..", "c/d"};
	struct bt_entry entry = {.name = "b", .name_length = 1, .type = BT_FIFO};
	struct bt_page_builder builder;
	struct emitted emitted;
	struct bt_digest tree;

	begin(&emitted, &builder);
	assert_int_equal(bt_page_builder_add(&builder, &entry), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		entry.name = bad[i];
		entry.name_length = (uint16_t)strlen(bad[i]);
		assert_int_equal(bt_page_builder_add(&builder, &entry), BT_E_INVALID);
	}
	entry = (struct bt_entry){.name = "c", .name_length = 1};
	assert_int_equal(bt_page_builder_add(&builder, &entry), BT_E_INVALID);
	assert_int_equal(bt_page_builder_finish(&builder, &tree), 0);
	assert_int_equal(emitted.entries, 1);
	bt_page_builder_free(&builder);
	clear(&emitted);
}

/* An entry larger than a leaf has one for itself; one larger than a page is refused and changes nothing. */
static void test_large_entries(void **state)
{
	size_t value_size = 200 << 10;
	struct bt_xattr xattr = {.name = "user.x",
				 .name_length = 6,
				 .value = calloc(1, BT_PAGE_MAX),
				 .value_length = (uint32_t)value_size};
	struct bt_extra extra = {.xattrs = &xattr, .xattr_count = 1};
	struct bt_page_builder builder;
	struct emitted emitted;
	struct bt_digest tree;
	struct bt_entry entry;
	char name[256];

	assert_non_null(xattr.value);
	begin(&emitted, &builder);
	for (unsigned i = 0; i < 3; i++) {
		make(&entry, name, i, 10);
		entry.extra = &extra;
		assert_int_equal(bt_page_builder_add(&builder, &entry), 0);
	}
	make(&entry, name, 5, 10);
	entry.extra = &extra;
	xattr.value_length = BT_PAGE_MAX;
	assert_int_equal(bt_page_builder_add(&builder, &entry), BT_E_INVALID);
	assert_int_equal(bt_page_builder_finish(&builder, &tree), 0);
	assert_int_equal(emitted.leaves, 3);
	emitted.leaves = 0;
	memset(emitted.last, 0, sizeof(emitted.last));
	make(&entry, name, 1, 10);
	entry.extra = &extra;
	xattr.value_length = (uint32_t)value_size;
	assert_int_equal(bt_page_builder_add(&builder, &entry), 0);
	assert_int_equal(bt_page_builder_finish(&builder, &tree), 0);
	assert_int_equal(emitted.leaves, 1);
	free((void *)xattr.value);
	bt_page_builder_free(&builder);
	clear(&emitted);
}

static void test_index_names_are_those_of_the_first_entries(void **state)
{
	static const char awkward[] = "a\",\"type\":\"\\\n\xff";
	struct bt_entry entry = {.name = awkward, .name_length = sizeof(awkward) - 1, .type = BT_FIFO};
	struct bt_page_builder builder;
	struct emitted emitted;
	struct bt_error error = {0};
	struct bt_digest tree;
	struct bt_page *page;
	size_t weight, entries = 0;

	for (unsigned raw = 0; raw < 2; raw++, entries = 0) {
		begin(&emitted, &builder);
		entry.name_length = (uint16_t)(sizeof(awkward) - 1 - raw);
		assert_int_equal(bt_page_builder_add(&builder, &entry), 0);
		build(&builder, &(struct directory){.count = 1000, .length = 10}, &tree);
		assert_int_equal(
			bt_page_parse((char *)emitted.final.data, emitted.final.length, 0, &page, &weight, &error), 0);
		assert_int_equal(page->kind, BT_PAGE_LEAVES);
		assert_int_equal(page->leaves[0].name_length, entry.name_length);
		assert_memory_equal(page->leaves[0].name, awkward, entry.name_length);
		for (size_t i = 0; i < page->count; i++)
			entries += page->leaves[i].entries;
		assert_int_equal(entries, 1001);
		bt_page_free(page);
		bt_page_builder_free(&builder);
		clear(&emitted);
	}
}

static struct bt_chunk *make_chunks(size_t count)
{
	struct bt_chunk *chunks = calloc(count, sizeof(*chunks));

	assert_non_null(chunks);
	for (size_t i = 0; i < count; i++) {
		uint64_t mixed = bt_mix64(i + 1);

		memcpy(chunks[i].digest.bytes, &mixed, sizeof(mixed));
		chunks[i].size = 1;
	}
	return chunks;
}

static size_t cut_all(const struct bt_chunk *chunks, size_t count, size_t *ends)
{
	size_t pages = 0;

	for (size_t at = 0; at < count; pages++) {
		size_t length = bt_chunk_page_cut(chunks + at, count - at);

		assert_in_range(length, 1, BT_CHUNK_PAGE_MAX);
		at += length;
		ends[pages] = at;
	}
	return pages;
}

static void test_chunk_pages(void **state)
{
	const size_t count = 200000;
	struct bt_chunk *chunks = make_chunks(count);
	size_t *before = calloc(count, sizeof(size_t)), *after = calloc(count, sizeof(size_t));
	size_t pages = cut_all(chunks, count, before), again, common = 0;

	assert_in_range(pages, count / 600, count / 430);
	assert_int_equal(bt_chunk_page_cut(chunks, 1), 1);
	/* One chunk in the middle is gone: the cuts behind it are where they were. */
	memmove(chunks + 1000, chunks + 1001, (count - 1001) * sizeof(*chunks));
	again = cut_all(chunks, count - 1, after);
	for (size_t i = 0, j = 0; i < pages && j < again; i++) {
		while (j < again && after[j] + 1 < before[i])
			j++;
		common += j < again && after[j] + 1 == before[i];
	}
	assert_true(common + 4 >= pages);
	for (size_t i = 0; i < count; i++)
		chunks[i] = (struct bt_chunk){.digest = DIGEST_B, .size = 1};
	assert_in_range(cut_all(chunks, count, after), count / BT_CHUNK_PAGE_MAX, count / 128 + 1);
	free(chunks);
	free(before);
	free(after);
}

static void test_copies(void **state)
{
	struct directory directory = {.length = 40};
	struct bt_page_builder builder, copy;
	struct emitted emitted, apart;
	struct bt_digest tree, part;

	begin(&emitted, &builder);
	begin(&apart, &copy);
	for (unsigned i = 0; i < 5000; i += 2) {
		add_file(&builder, i, 40);
		if (i % 50)
			continue;
		assert_int_equal(bt_page_builder_copy(&copy, &builder), 0);
		apart.last[0] = 0;
		for (directory.count = i / 2 + 1; directory.count < i / 2 + 200; directory.count++)
			add_file(&copy, directory.count * 2, 40);
		assert_int_equal(bt_page_builder_finish(&copy, &part), 0);
		apart.last[0] = 0;
		build(&copy, &directory, &tree);
		assert_memory_equal(&part, &tree, sizeof(tree));
	}
	bt_page_builder_free(&builder);
	bt_page_builder_free(&copy);
	clear(&emitted);
	clear(&apart);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_directory_is_an_empty_leaf),
		cmocka_unit_test(test_a_small_directory_is_one_leaf),
		cmocka_unit_test(test_the_limit_of_bytes_is_exact),
		cmocka_unit_test(test_one_insertion_changes_few_pages),
		cmocka_unit_test(test_what_goes_from_the_front_moves_few_pages),
		cmocka_unit_test(test_one_change_changes_a_page_of_each_level),
		cmocka_unit_test(test_chosen_names_give_pages_within_the_limits),
		cmocka_unit_test(test_pages_do_not_depend_on_history),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_names_must_increase),
		cmocka_unit_test(test_large_entries),
		cmocka_unit_test(test_index_names_are_those_of_the_first_entries),
		cmocka_unit_test(test_chunk_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
