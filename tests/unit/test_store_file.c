/* SPDX-License-Identifier: MIT */
/* Files of a store: what the writer writes the reader reads, and no damage goes unseen. */
#include "store_opened.h"

/* ---- writer and file ---- */

#define CLASSIC_HEADER "{\"format\":\"backuptool\",\"version\":2,\"kind\":\"classic\""

static struct bt_object *open_object(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	struct bt_object *object;
	assert_int_equal(bt_object_of_fd(fd, name, &object, NULL), 0);
	return object;
}

static int open_file(int dirfd, const char *name, struct bt_file **ret_file, struct bt_error *error)
{
	return bt_file_open(open_object(dirfd, name), name, ret_file, error);
}

static void test_empty_file(void **state)
{
	static const char expected[] = VOLUME_HEADER ",\n\"blocks\":[\n],\n\"contents\":[\n],\n\"trees\":[\n],\n"
						     "\"tree_index\":[\n],\n\"summary\":{},\n\"end\":{\"blocks\":97,";
	struct sample sample = sample_new();
	struct bt_writer *writer = sample_writer(sample.dirfd, VOLUME_HEADER);

	sample_seal(writer, "{}", VOLUME);
	bt_writer_free(writer);
	size_t size;
	unsigned char *text = sample_read(sample.dirfd, VOLUME, &size);
	assert_memory_equal(text, expected, strlen(expected));
	struct bt_file *file;
	assert_int_equal(open_file(sample.dirfd, VOLUME, &file, NULL), 0);
	assert_int_equal(bt_file_kind(file), BT_KIND_VOLUME);
	assert_int_equal(bt_file_sections(file)->blocks, 97);
	assert_int_equal(bt_file_sections(file)->size, size);
	assert_int_equal(bt_file_verify(file, NULL), 0);
	bt_file_free(file);
	free(text);
	sample_free(&sample);
}

struct counted {
	size_t contents, pages;
	struct bt_digest last;
	uint64_t sum;
};

static int count_content(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
			 uint32_t size)
{
	struct counted *counted = arg;

	counted->contents++;
	counted->last = *digest;
	counted->sum = bt_mix64(counted->sum ^ block->at ^ offset ^ size ^ digest->bytes[0]);
	return 0;
}

static int count_page(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length)
{
	struct counted *counted = arg;

	counted->pages++;
	counted->sum = bt_mix64(counted->sum ^ at ^ length ^ id->bytes[0]);
	return 0;
}

static void test_written_is_read(void **state)
{
	struct sample sample = sample_new();
	struct bt_writer *writer = write_small(sample.dirfd, SNAPSHOT_HEADER);

	assert_int_equal(bt_writer_contents(writer), 4);
	sample_seal(writer, "{\"root\":1}", SNAPSHOT);
	struct counted written = {0}, read = {0};
	const struct bt_index_visitor count_written = {&written, count_content, count_page};
	const struct bt_index_visitor count_read = {&read, count_content, count_page};
	assert_int_equal(bt_writer_visit(writer, &count_written), 0);
	bt_writer_free(writer);

	struct bt_file *file;
	assert_int_equal(open_file(sample.dirfd, SNAPSHOT, &file, NULL), 0);
	assert_int_equal(bt_file_kind(file), BT_KIND_SNAPSHOT);
	struct bt_text header = bt_file_header(file), summary = bt_file_summary(file);
	assert_int_equal(header.length, strlen(SNAPSHOT_HEADER));
	assert_memory_equal(header.bytes, SNAPSHOT_HEADER, header.length);
	assert_int_equal(summary.length, strlen("{\"root\":1}"));
	assert_memory_equal(summary.bytes, "{\"root\":1}", summary.length);
	assert_int_equal(bt_file_visit(file, &count_read, NULL), 0);
	assert_int_equal(read.contents, 4);
	assert_int_equal(read.pages, 3);
	assert_int_equal(read.sum, written.sum);
	assert_int_equal(bt_file_verify(file, NULL), 0);
	bt_file_free(file);
	sample_free(&sample);
}

/* More pages than stay in memory. */
/* More than wait in memory. */
static void add_large_pages(struct bt_writer *writer)
{
	char *line = malloc(100001);

	assert_non_null(line);
	for (int i = 0; i < 35; i++) {
		memset(line, 'a' + i % 26, 100000);
		line[i] = 0;
		line[99000 + i] = 0;
		line[0] = '{';
		memset(line + i, 'x', 1);
		sample_page(writer, line);
	}
	free(line);
}

static void test_spooled_pages(void **state)
{
	struct sample sample = sample_new();
	struct bt_writer *writer = sample_writer(sample.dirfd, VOLUME_HEADER);

	add_large_pages(writer);
	sample_seal(writer, "{}", VOLUME);
	bt_writer_free(writer);
	struct bt_file *file;
	struct counted read = {0};
	const struct bt_index_visitor visitor = {&read, count_content, count_page};
	assert_int_equal(open_file(sample.dirfd, VOLUME, &file, NULL), 0);
	assert_int_equal(bt_file_verify(file, NULL), 0);
	assert_int_equal(bt_file_visit(file, &visitor, NULL), 0);
	assert_int_equal(read.pages, 35);
	bt_file_free(file);
	sample_free(&sample);
}

/* The same bytes as of one that is published, in a file that has its name already, and no other name. */
static void test_to_a_descriptor(void **state)
{
	struct sample sample = sample_new();
	struct bt_buf header = {.data = (unsigned char *)VOLUME_HEADER, .length = strlen(VOLUME_HEADER)},
		      summary = {.data = (unsigned char *)"{}", .length = 2};
	struct bt_upload *upload;
	size_t sizes[2];
	int fd = openat(sample.dirfd, "open", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(bt_upload_to_fd(fd, &upload, NULL), 0);
	struct bt_writer *writer, *published = sample_writer(sample.dirfd, VOLUME_HEADER);
	assert_int_equal(bt_writer_new(upload, &header, &writer, NULL), 0);
	add_large_pages(writer);
	add_large_pages(published);
	assert_int_equal(bt_writer_finish(writer, &summary, NULL), 0);
	assert_int_equal(bt_writer_seal(writer, &summary, "other", NULL), BT_E_INVALID);
	sample_seal(published, "{}", VOLUME);
	bt_writer_free(writer);
	bt_writer_free(published);
	assert_int_equal(close(fd), 0);
	unsigned char *open = sample_read(sample.dirfd, "open", &sizes[0]);
	unsigned char *named = sample_read(sample.dirfd, VOLUME, &sizes[1]);
	assert_int_equal(sizes[0], sizes[1]);
	assert_memory_equal(open, named, sizes[0]);
	free(open);
	free(named);
	sample_free(&sample);
}

static void write_elsewhere(struct bt_writer *writer, const struct bt_block *blocks, const struct bt_held *held)
{
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(bt_writer_elsewhere(writer, &blocks[i], &held[i], 1, NULL), 0);
	assert_int_equal(bt_writer_block(writer, &(struct bt_block_text){"AAAA", 4, {{0}}}, held, 1, NULL),
			 BT_E_INVALID);
	add_large_pages(writer);
	assert_int_equal(bt_writer_elsewhere(writer, blocks, held, 1, NULL), BT_E_INVALID);
}

/* Blocks that lie in another file, and then more pages than wait in memory, which go out at once. */
static void test_blocks_elsewhere(void **state)
{
	static const char before[] = CLASSIC_HEADER ",\n\"blocks\":[\n],\n\"contents\":[\n{\"at\":7,\"length\":8,";
	const struct bt_held held[] = {
		{sample_content_digest(1, 5), 5}, {sample_content_digest(2, 6), 6}, {sample_content_digest(3, 4), 4}};
	const struct bt_block blocks[] = {{.at = 7, .length = 8, .size = 5},
					  {.at = 40, .length = 8, .size = 6},
					  {.at = 60, .length = 8, .size = 4}};
	struct sample sample = sample_new();
	struct bt_writer *writer = sample_writer(sample.dirfd, CLASSIC_HEADER);
	struct counted read = {0};
	const struct bt_index_visitor visitor = {&read, count_content, count_page};
	struct bt_file *file;
	size_t size;

	write_elsewhere(writer, blocks, held);
	assert_true(bt_writer_size(writer) > 1000000);
	sample_seal(writer, "{}", VOLUME);
	assert_int_equal(bt_writer_contents(writer), 0);
	bt_writer_free(writer);
	unsigned char *text = sample_read(sample.dirfd, VOLUME, &size);
	assert_memory_equal(text, before, strlen(before));
	sample_write(sample.dirfd, "source", before, strlen(before)); /* where the blocks lie, in a way */
	assert_int_equal(bt_file_open_classic(open_object(sample.dirfd, VOLUME), open_object(sample.dirfd, "source"),
					      VOLUME, &file, NULL),
			 0);
	assert_int_equal(bt_file_visit(file, &visitor, NULL), 0);
	assert_int_equal(read.pages, 35);
	assert_int_equal(read.contents, 3);
	bt_file_free(file);
	free(text);
	sample_free(&sample);
}

static void test_name_taken(void **state)
{
	struct sample sample = sample_new();
	struct bt_buf summary = {.data = (unsigned char *)"{}", .length = 2, .capacity = 2};
	struct bt_writer *writer = sample_writer(sample.dirfd, VOLUME_HEADER);
	struct bt_error error = {0};
	struct bt_file *file;

	sample_write(sample.dirfd, "taken", "", 0);
	assert_int_equal(bt_writer_seal(writer, &summary, "taken", &error), BT_E_EXISTS);
	assert_int_equal(bt_writer_seal(writer, &summary, "free", NULL), 0);
	assert_int_equal(bt_writer_seal(writer, &summary, "more", NULL), BT_E_INVALID);
	bt_writer_free(writer);
	assert_int_equal(open_file(sample.dirfd, "free", &file, NULL), 0);
	bt_file_free(file);
	sample_free(&sample);
}

static void test_writer_limits(void **state)
{
	struct sample sample = sample_new();
	struct bt_writer *writer = sample_writer(sample.dirfd, VOLUME_HEADER);
	struct bt_held none = {.size = 0}, large = {.size = BT_BLOCK_MAX}, one = {.size = 1};
	struct bt_held over[2] = {large, one};
	const struct bt_block_text whole = {"AAAA", 4, {{0}}}, cut = {"AAA", 3, {{0}}};

	assert_int_equal(bt_writer_block(writer, &whole, &none, 1, NULL), BT_E_INVALID);
	assert_int_equal(bt_writer_block(writer, &whole, &one, 0, NULL), BT_E_INVALID);
	assert_int_equal(bt_writer_block(writer, &cut, &one, 1, NULL), BT_E_INVALID);
	assert_int_equal(bt_writer_block(writer, &whole, over, 2, NULL), BT_E_INVALID);
	assert_int_equal(bt_writer_page(writer, "", 0, &one.digest, NULL), BT_E_INVALID);
	bt_writer_free(writer);
	struct bt_buf header = {.data = calloc(1, BT_HEADER_MAX), .length = BT_HEADER_MAX, .capacity = BT_HEADER_MAX};
	assert_int_equal(bt_writer_new(sample_upload(sample.dirfd), &header, &writer, NULL), BT_E_INVALID);
	bt_buf_free(&header);
	sample_free(&sample);
}

/* ---- damage ---- */

struct reading {
	struct bt_file *file;
	struct bt_decompressor *decompressor;
	struct bt_error *error;
};

static int read_block(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
		      uint32_t size)
{
	const struct reading *reading = arg;
	struct bt_buf text = {0};
	unsigned char data[4096];

	assert_in_range(block->size, 1, sizeof(data));
	int r = offset ? 0 : bt_file_block(reading->file, block, reading->decompressor, &text, data, reading->error);
	bt_buf_free(&text);
	return r;
}

/* Reads everything there is; 0 only if every byte was found right. Contents are not compared with their digests. */
static int read_all(int dirfd, const char *name, struct bt_error *error)
{
	struct reading reading = {.decompressor = bt_decompressor_new(), .error = error};
	const struct bt_index_visitor visitor = {&reading, read_block, NULL};
	int r = open_file(dirfd, name, &reading.file, error);

	if (!r) {
		r = bt_file_verify(reading.file, error);
		if (!r)
			r = bt_file_visit(reading.file, &visitor, error);
		bt_file_free(reading.file);
	}
	bt_decompressor_free(reading.decompressor);
	return r;
}

static void test_every_bit(void **state)
{
	struct sample sample = sample_new();
	struct bt_writer *writer = write_small(sample.dirfd, VOLUME_HEADER);
	size_t size;

	sample_seal(writer, "{}", VOLUME);
	bt_writer_free(writer);
	unsigned char *data = sample_read(sample.dirfd, VOLUME, &size);
	int fd = openat(sample.dirfd, VOLUME, O_RDWR | O_CLOEXEC);
	assert_int_equal(read_all(sample.dirfd, VOLUME, NULL), 0);
	for (size_t i = 0; i < size * 8; i++) {
		unsigned char changed = data[i / 8] ^ (unsigned char)(1 << i % 8);
		struct bt_error error = {0};

		assert_int_equal(pwrite(fd, &changed, 1, (off_t)(i / 8)), 1);
		assert_int_equal(read_all(sample.dirfd, VOLUME, &error), BT_E_DAMAGED);
		assert_string_equal(error.file, VOLUME);
		assert_int_not_equal(error.reason, BT_R_NONE);
		assert_int_equal(pwrite(fd, &data[i / 8], 1, (off_t)(i / 8)), 1);
	}
	assert_int_equal(read_all(sample.dirfd, VOLUME, NULL), 0);
	close(fd);
	free(data);
	sample_free(&sample);
}

/* Visiting alone finds what changed in the two lists. */
static void test_changed_lists(void **state)
{
	static const char *const places[] = {"\"holds\":[[\"", "\"tree_index\":[\n[\""};
	struct sample sample = sample_new();
	struct bt_writer *writer = write_small(sample.dirfd, VOLUME_HEADER);
	const struct bt_index_visitor nothing = {NULL, NULL, NULL};
	size_t size;

	sample_seal(writer, "{}", VOLUME);
	bt_writer_free(writer);
	unsigned char *data = sample_read(sample.dirfd, VOLUME, &size);
	for (size_t i = 0; i < 2; i++) {
		unsigned char *digit = memmem(data, size, places[i], strlen(places[i]));
		struct bt_error error = {0};
		struct bt_file *file;

		assert_non_null(digit);
		digit += strlen(places[i]);
		unsigned char right = *digit;
		*digit = right == '0' ? '1' : '0';
		sample_write(sample.dirfd, VOLUME, data, size);
		*digit = right;
		assert_int_equal(open_file(sample.dirfd, VOLUME, &file, NULL), 0);
		assert_int_equal(bt_file_visit(file, &nothing, &error), BT_E_DAMAGED);
		assert_int_equal(error.reason, BT_R_DIGEST_MISMATCH);
		bt_file_free(file);
	}
	free(data);
	sample_free(&sample);
}

static void test_every_truncation(void **state)
{
	struct sample sample = sample_new();
	struct bt_writer *writer = write_small(sample.dirfd, SNAPSHOT_HEADER);
	size_t size;

	sample_seal(writer, "{\"root\":1}", SNAPSHOT);
	bt_writer_free(writer);
	unsigned char *data = sample_read(sample.dirfd, SNAPSHOT, &size);
	for (size_t i = 0; i < size; i++) {
		struct bt_error error = {0};

		sample_write(sample.dirfd, SNAPSHOT, data, i);
		assert_int_equal(read_all(sample.dirfd, SNAPSHOT, &error), BT_E_DAMAGED);
		assert_int_equal(error.reason, BT_R_TRUNCATED);
	}
	free(data);
	sample_free(&sample);
}

/* text with the part replaced must be refused for this reason. */
static void assert_refused(int dirfd, const char *text, size_t size, const char *part, const char *by,
			   enum bt_reason reason)
{
	struct bt_error error = {0};
	struct bt_file *file;
	const char *at = memmem(text, size, part, strlen(part));

	assert_non_null(at);
	size_t before = (size_t)(at - text), after = size - before - strlen(part);
	char *changed = malloc(size + strlen(by));
	memcpy(changed, text, before);
	memcpy(changed + before, by, strlen(by));
	memcpy(changed + before + strlen(by), at + strlen(part), after);
	sample_write(dirfd, "x", changed, before + strlen(by) + after);
	free(changed);
	assert_int_equal(open_file(dirfd, "x", &file, &error), BT_E_DAMAGED);
	assert_string_equal(bt_reason_name(error.reason), bt_reason_name(reason));
}

static void test_reasons(void **state)
{
	struct sample sample = sample_new();
	struct bt_writer *writer = write_small(sample.dirfd, VOLUME_HEADER);
	size_t size;

	sample_seal(writer, "{}", VOLUME);
	bt_writer_free(writer);
	char *text = (char *)sample_read(sample.dirfd, VOLUME, &size);
	int fd = sample.dirfd;
	assert_refused(fd, text, size, "{\"format", "\xef\xbb\xbf{\"format", BT_R_BYTE_ORDER_MARK);
	assert_refused(fd, text, size, "{\"format", "[\"format", BT_R_NOT_JSON);
	assert_refused(fd, text, size, "{\"format", "{\"size", BT_R_UNKNOWN_FORMAT);
	assert_refused(fd, text, size, "\"backuptool\"", "\"othertool\"", BT_R_UNKNOWN_FORMAT);
	assert_refused(fd, text, size, "\"version\":2", "\"version\":3", BT_R_UNKNOWN_VERSION);
	assert_refused(fd, text, size, "\"volume\"", "\"disc\"", BT_R_UNKNOWN_KIND);
	assert_refused(fd, text, size, "\"volume\"", "\"classic\"", BT_R_UNKNOWN_KIND);
	assert_refused(fd, text, size, "}}\n", "}}\n\n", BT_R_TRAILING_BYTES);
	assert_refused(fd, text, size, "}}\n", "}}\n ", BT_R_TRAILING_BYTES);
	assert_refused(fd, text, size, "}}\n", "}}", BT_R_TRUNCATED);
	assert_refused(fd, text, size, "\"end\":{\"blocks\":", "\"end\":{\"blocks\":1", BT_R_BAD_OFFSET);
	assert_refused(fd, text, size, ",\"index_sha256\"", ",\"index_sha255\"", BT_R_UNKNOWN_KEY);
	assert_refused(fd, text, size, "10:30", "10:31", BT_R_DIGEST_MISMATCH);
	free(text);
	sample_free(&sample);
}

/* A file of this header and summary is refused although all digests are right. */
static void assert_made_refused(const char *header, const char *summary, enum bt_reason reason)
{
	struct sample sample = sample_new();
	struct bt_writer *writer = sample_writer(sample.dirfd, header);
	struct bt_error error = {0};
	struct bt_file *file;

	sample_seal(writer, summary, "x");
	bt_writer_free(writer);
	assert_int_equal(open_file(sample.dirfd, "x", &file, &error), BT_E_DAMAGED);
	assert_string_equal(bt_reason_name(error.reason), bt_reason_name(reason));
	sample_free(&sample);
}

static void test_volume_rules(void **state)
{
#define V "{\"format\":\"backuptool\",\"version\":2,\"kind\":\"volume\""
	assert_made_refused(V ",\"timestamp\":\"2026-13-22T10:30:00.123456789Z\"", "{}", BT_R_BAD_TIME);
	assert_made_refused(V ",\"timestamp\":\"2026-11-22T10:30:00Z\"", "{}", BT_R_BAD_TIME);
	assert_made_refused(V, "{}", BT_R_MISSING_KEY);
	assert_made_refused(V ",\"host\":\"h\",\"timestamp\":\"2026-11-22T10:30:00.123456789Z\"", "{}",
			    BT_R_UNKNOWN_KEY);
	assert_made_refused(VOLUME_HEADER ",\"Host\":\"h\"", "{}", BT_R_BAD_NAME);
	assert_made_refused(VOLUME_HEADER ",\"kind\":\"h\"", "{}", BT_R_DUPLICATE_KEY);
	assert_made_refused(VOLUME_HEADER "}", "{}", BT_R_TRAILING_BYTES);
	assert_made_refused(VOLUME_HEADER, "{\"files\":1,}", BT_R_NOT_JSON);
	assert_made_refused(VOLUME_HEADER, "{,\"files\":1}", BT_R_NOT_JSON);
	assert_made_refused(VOLUME_HEADER, "{\"Files\":1}", BT_R_BAD_NAME);
	assert_made_refused(VOLUME_HEADER, "{}}", BT_R_TRAILING_BYTES);
	assert_made_refused(VOLUME_HEADER, "{\n}", BT_R_BAD_OFFSET);
	assert_made_refused(V ",\"needs\":[\"sealed\"]", "{}", BT_R_UNKNOWN_NEED);
	assert_made_refused("{\"format\":\"backuptool\",\"version\":2,\"kind\":\"snapshot\",\"needs\":[\"sealed\"],[",
			    "strange", BT_R_UNKNOWN_NEED);
#undef V
}

/* A volume may have members of a newer program, in its header and in its summary. */
static void test_volumes_of_a_newer_program(void **state)
{
	struct sample sample = sample_new();
	struct bt_writer *writer = sample_writer(sample.dirfd, VOLUME_HEADER ",\"host\":\"h\",\"n\":[null]");
	struct bt_error error = {0};
	struct bt_file *file;

	sample_seal(writer, "{\"files\":1,\"n\":{}}", "x");
	bt_writer_free(writer);
	assert_int_equal(open_file(sample.dirfd, "x", &file, &error), 0);
	bt_file_free(file);
	sample_free(&sample);
}

static void test_an_unknown_need_is_told_by_its_name(void **state)
{
	struct bt_error error = {.code = BT_E_DAMAGED, .reason = BT_R_UNKNOWN_NEED, .file = "x", .detail = "sealed"};
	char text[640];

	bt_error_text(&error, text, sizeof(text));
	assert_string_equal(text, "x: a newer version of this program is needed, one that knows the feature 'sealed' "
				  "(unknown-need)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_file),
		cmocka_unit_test(test_written_is_read),
		cmocka_unit_test(test_spooled_pages),
		cmocka_unit_test(test_name_taken),
		cmocka_unit_test(test_to_a_descriptor),
		cmocka_unit_test(test_writer_limits),
		cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_changed_lists),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_volume_rules),
		cmocka_unit_test(test_volumes_of_a_newer_program),
		cmocka_unit_test(test_an_unknown_need_is_told_by_its_name),
		cmocka_unit_test(test_blocks_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
