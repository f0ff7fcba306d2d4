/* SPDX-License-Identifier: MIT */
#include "store_samples.h"
#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>

#define SNAPSHOT "snapshot_2026-11-22T10-30-00Z.json"
#define VOLUME	 "00112233445566778899aabbccddeeff.json"

/* ---- writer and file ---- */

static int open_file(int dirfd, const char *name, struct bt_file **ret_file, struct bt_error *error)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return bt_file_open(fd, name, ret_file, error);
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

/* Two blocks, three pages. */
static struct bt_writer *write_small(int dirfd, const char *header)
{
	struct bt_writer *writer = sample_writer(dirfd, header);
	sample_contents(writer, 1, 3, 50);
	sample_contents(writer, 10, 1, 200);
	sample_page(writer, "{\"entries\":[]}");
	sample_page(writer, "{\"entries\":[1]}");
	sample_page(writer, "{\"entries\":[2,3]}");
	return writer;
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
static void test_spooled_pages(void **state)
{
	struct sample sample = sample_new();
	struct bt_writer *writer = sample_writer(sample.dirfd, VOLUME_HEADER);
	char *line = malloc(100001);
	for (int i = 0; i < 35; i++) {
		memset(line, 'a' + i % 26, 100000);
		line[i] = 0;
		line[99000 + i] = 0;
		line[0] = '{';
		memset(line + i, 'x', 1);
		sample_page(writer, line);
	}
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
	free(line);
	sample_free(&sample);
}

static void test_name_taken(void **state)
{
	struct sample sample = sample_new();
	struct bt_buf summary = {(unsigned char *)"{}", 2, 2};
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
	assert_int_equal(bt_writer_block(writer, "AAAA", 4, &none, 1, NULL), BT_E_INVALID);
	assert_int_equal(bt_writer_block(writer, "AAAA", 4, &one, 0, NULL), BT_E_INVALID);
	assert_int_equal(bt_writer_block(writer, "AAA", 3, &one, 1, NULL), BT_E_INVALID);
	assert_int_equal(bt_writer_block(writer, "AAAA", 4, over, 2, NULL), BT_E_INVALID);
	assert_int_equal(bt_writer_page(writer, "", 0, &one.digest, NULL), BT_E_INVALID);
	bt_writer_free(writer);
	struct bt_buf header = {calloc(1, BT_HEADER_MAX), BT_HEADER_MAX, BT_HEADER_MAX};
	assert_int_equal(bt_writer_new(sample.dirfd, &header, &writer, NULL), BT_E_INVALID);
	bt_buf_free(&header);
	sample_free(&sample);
}

/* ---- damage ---- */

/* Reads everything there is; 0 only if every byte was found right. */
static int read_all(int dirfd, const char *name, struct bt_error *error)
{
	struct bt_file *file;
	int r = open_file(dirfd, name, &file, error);
	if (r)
		return r;
	r = bt_file_verify(file, error);
	bt_file_free(file);
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
	assert_made_refused(VOLUME_HEADER ",\"host\":\"h\"", "{}", BT_R_UNKNOWN_KEY);
	assert_made_refused(VOLUME_HEADER, "{\"files\":1}", BT_R_UNKNOWN_KEY);
	assert_made_refused(VOLUME_HEADER, "{\n}", BT_R_BAD_OFFSET);
#undef V
}

/* ---- store ---- */

static struct bt_store *open_store_with(const struct sample *sample, const struct bt_store_options *options)
{
	struct bt_store *store;
	assert_int_equal(bt_store_open_with(sample->path, options, NULL, &store, NULL), 0);
	return store;
}

static struct bt_store *open_store(const struct sample *sample)
{
	const struct bt_store_options create = {.create = true};
	return open_store_with(sample, &create);
}

static void assert_content(struct bt_store *store, uint64_t seed, size_t size)
{
	unsigned char *data = sample_bytes(seed, size);
	struct bt_digest digest = sample_digest(data, size);
	struct bt_pin pin;
	struct bt_error error = {0};
	assert_int_equal(bt_store_pin(store, &digest, size, &pin, &error), 0);
	assert_int_equal(pin.size, size);
	assert_memory_equal(pin.data, data, size);
	bt_store_unpin(store, &pin);
	free(data);
}

static void test_open(void **state)
{
	struct sample sample = sample_new();
	struct bt_store *store;
	char path[128];
	snprintf(path, sizeof(path), "%s/new", sample.path);
	assert_int_equal(bt_store_open_with(path, NULL, NULL, &store, NULL), BT_E_NO_STORE);
	struct bt_store_options create = {.create = true};
	assert_int_equal(bt_store_open_with(path, &create, NULL, &store, NULL), 0);
	struct stat st;
	assert_int_equal(fstat(bt_store_dirfd(store), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(bt_store_snapshot_count(store), 0);
	assert_null(bt_store_snapshot_name(store, 0));
	bt_store_close(store);
	struct bt_store_options read_only = {.create = true, .read_only = true};
	snprintf(path, sizeof(path), "%s/other", sample.path);
	assert_int_equal(bt_store_open_with(path, &read_only, NULL, &store, NULL), BT_E_NO_STORE);
	sample_write(sample.dirfd, "plain", "", 0);
	snprintf(path, sizeof(path), "%s/plain", sample.path);
	struct bt_error error = {0};
	assert_int_equal(bt_store_open_with(path, NULL, NULL, &store, &error), BT_E_NO_STORE);
	assert_int_equal(error.sys, ENOTDIR);
	error = (struct bt_error){0};
	assert_int_equal(bt_store_open_with(path, &create, NULL, &store, &error), BT_E_NO_STORE);
	assert_int_equal(error.sys, ENOTDIR);
	sample_free(&sample);
}

static void assert_store(const struct sample *sample, int expected, const char *mark)
{
	struct bt_store *store = NULL;
	int code = bt_store_open_with(sample->path, NULL, NULL, &store, NULL);
	bt_store_close(store);
	if (code != expected)
		fail_msg("%s: %d", mark, code);
}

/* What makes a directory a store. */
static void test_no_store(void **state)
{
	static const char *const files[] = {"lock", SNAPSHOT};
	struct sample sample = sample_new();
	struct bt_store *store;
	const struct bt_store_options nothing_made = {.create = true, .read_only = true};
	assert_store(&sample, BT_E_NO_STORE, "empty");
	sample_write(sample.dirfd, "snapshot_of_something.json", "{}", 2);
	sample_write(sample.dirfd, "contents", "", 0);
	assert_int_equal(mkdirat(sample.dirfd, "lock", 0700), 0);
	assert_int_equal(mkdirat(sample.dirfd, SNAPSHOT, 0700), 0);
	assert_store(&sample, BT_E_NO_STORE, "others");
	assert_int_equal(bt_store_open_with(sample.path, &nothing_made, NULL, &store, NULL), 0);
	assert_int_equal(bt_store_snapshot_count(store), 0);
	bt_store_close(store);
	assert_int_equal(unlinkat(sample.dirfd, "contents", 0), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(unlinkat(sample.dirfd, files[i], AT_REMOVEDIR), 0);
		sample_write(sample.dirfd, files[i], "", 0);
		assert_store(&sample, 0, files[i]);
		assert_int_equal(unlinkat(sample.dirfd, files[i], 0), 0);
		assert_store(&sample, BT_E_NO_STORE, "others");
		assert_int_equal(mkdirat(sample.dirfd, files[i], 0700), 0);
	}
	assert_int_equal(mkdirat(sample.dirfd, "contents", 0700), 0);
	assert_store(&sample, 0, "contents");
	sample_free(&sample);
}

static void write_snapshot(const struct sample *sample, const char *name)
{
	struct bt_writer *writer = sample_writer(sample->dirfd, SNAPSHOT_HEADER);
	sample_page(writer, "{\"entries\":[]}");
	sample_seal(writer, "{}", name);
	bt_writer_free(writer);
}

static void test_catalogue(void **state)
{
	static const char *const names[] = {
		"snapshot_2026-11-22T10-30-00Z-2.json", "snapshot_2026-11-22T10-30-00Z-10.json",
		"snapshot_2026-11-22T10-30-00Z.json",	"snapshot_2026-11-21T23-59-59Z.json",
		"snapshot_2027-01-01T00-00-00Z.json",	"snapshot_2026-11-22T10-30-00Z-1.json"};
	static const char *const sorted[] = {
		"snapshot_2026-11-21T23-59-59Z.json",	 "snapshot_2026-11-22T10-30-00Z.json",
		"snapshot_2026-11-22T10-30-00Z-1.json",	 "snapshot_2026-11-22T10-30-00Z-2.json",
		"snapshot_2026-11-22T10-30-00Z-10.json", "snapshot_2027-01-01T00-00-00Z.json"};
	struct sample sample = sample_new();
	for (size_t i = 0; i < 6; i++)
		write_snapshot(&sample, names[i]);
	sample_write(sample.dirfd, "snapshot_2026-11-22T10-30-00Z.json~", "x", 1);
	sample_write(sample.dirfd, "notes.txt", "x", 1);
	assert_int_equal(mkdirat(sample.dirfd, "snapshot_2028-11-22T10-30-00Z.json", 0700), 0);
	assert_int_equal(symlinkat(sorted[0], sample.dirfd, "snapshot_2029-11-22T10-30-00Z.json"), 0);
	struct bt_store *store = open_store(&sample);
	assert_int_equal(bt_store_snapshot_count(store), 6);
	for (size_t i = 0; i < 6; i++) {
		uint32_t ordinal;
		assert_string_equal(bt_store_snapshot_name(store, i), sorted[i]);
		assert_int_equal(bt_store_file_named(store, sorted[i], &ordinal), 0);
		assert_string_equal(bt_store_file_id(store, ordinal)->name, sorted[i]);
		assert_true(bt_store_file_id(store, ordinal)->snapshot);
	}
	uint32_t ordinal;
	assert_int_equal(bt_store_file_named(store, "snapshot_2026-11-22T10-30-01Z.json", &ordinal), BT_E_NOT_FOUND);
	assert_int_equal(bt_store_file_named(store, "notes.txt", &ordinal), BT_E_NOT_FOUND);
	bt_store_close(store);
	sample_free(&sample);
}

/* Neither of the directories in a store may lie elsewhere. */
static void test_directories_are_no_links(void **state)
{
	struct sample sample = sample_new(), outside = sample_new();
	int fd;
	write_snapshot(&sample, SNAPSHOT);
	sample_volume(&outside, VOLUME, 1, 1);
	char contents[80];
	snprintf(contents, sizeof(contents), "%s/contents", outside.path);
	assert_int_equal(symlinkat(contents, sample.dirfd, "contents"), 0);
	assert_int_equal(symlinkat(outside.path, sample.dirfd, "cache"), 0);
	struct bt_store *store = open_store(&sample);
	assert_int_equal(bt_store_file_count(store), 1);
	struct bt_error error = {0};
	assert_int_equal(bt_store_contents_dirfd(store, &fd, &error), BT_E_SYSTEM);
	assert_string_equal(error.file, "contents");
	assert_int_equal(bt_store_cache_dirfd(store), -1);
	bt_store_close(store);
	sample_free(&sample);
	sample_free(&outside);
}

static bool is_decoded(struct bt_store *store, const struct bt_digest *digest, uint64_t size)
{
	struct bt_pin pin;
	if (bt_store_pin_decoded(store, digest, size, &pin, NULL))
		return false;
	assert_int_equal(pin.size, size);
	bt_store_unpin(store, &pin);
	return true;
}

static void test_contents_and_pages(void **state)
{
	struct sample sample = sample_new();
	struct bt_writer *writer = write_small(sample.dirfd, SNAPSHOT_HEADER);
	sample_seal(writer, "{}", SNAPSHOT);
	bt_writer_free(writer);
	sample_volume(&sample, VOLUME, 1000, 2500);
	struct bt_store *store = open_store(&sample);
	assert_content(store, 1, 50);
	assert_content(store, 3, 50);
	assert_content(store, 10, 200);
	assert_content(store, 1000, 8);
	assert_content(store, 3499, 8);
	assert_content(store, 3499, 8);
	struct bt_error error = {0};
	assert_int_equal(try_content(store, 4000, 8, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_MISSING_CONTENT);
	assert_int_equal(strlen(error.detail), 64);
	struct bt_digest digest = sample_content_digest(1, 50);
	struct bt_pin pin;
	error = (struct bt_error){0};
	assert_int_equal(bt_store_pin(store, &digest, 51, &pin, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_BAD_SIZE);

	struct bt_buf line = {0};
	struct bt_location location;
	struct bt_digest id = sample_digest("{\"entries\":[2,3]}", 17);
	assert_int_equal(bt_store_page(store, &id, &line, &location, NULL), 0);
	assert_int_equal(line.length, 17);
	assert_memory_equal(line.data, "{\"entries\":[2,3]}", 17);
	id.bytes[31] ^= 1;
	error = (struct bt_error){0};
	assert_int_equal(bt_store_page(store, &id, &line, &location, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_MISSING_PAGE);
	/* a content is not a page, nor the other way round */
	assert_int_equal(bt_store_find(store, &digest, true, &location, NULL), BT_E_NOT_FOUND);
	assert_int_equal(bt_store_find(store, &digest, false, &location, NULL), 0);
	assert_true(is_decoded(store, &digest, 50));
	digest = sample_content_digest(2500, 8);
	assert_false(is_decoded(store, &digest, 8));
	bt_store_prefetch(store, &digest);
	assert_true(is_decoded(store, &digest, 8));
	bt_buf_free(&line);
	bt_store_close(store);
	sample_free(&sample);
}

static void test_add_and_refresh(void **state)
{
	struct sample sample = sample_new();
	struct bt_store *store = open_store(&sample), *other = open_store(&sample);
	struct bt_error error = {0};
	struct bt_digest digest = sample_content_digest(1, 50);
	struct bt_location location;
	assert_int_equal(bt_store_find(store, &digest, false, &location, NULL), BT_E_NOT_FOUND);
	assert_int_equal(bt_store_find(other, &digest, false, &location, NULL), BT_E_NOT_FOUND);
	struct bt_writer *writer = write_small(bt_store_dirfd(store), SNAPSHOT_HEADER);
	sample_seal(writer, "{}", SNAPSHOT);
	assert_int_equal(bt_store_add_file(store, SNAPSHOT, true, writer, &error), 0);
	bt_writer_free(writer);
	int fd;
	assert_int_equal(bt_store_contents_dirfd(store, &fd, NULL), 0);
	writer = sample_writer(fd, VOLUME_HEADER);
	sample_contents(writer, 20, 3, 10);
	sample_seal(writer, "{}", VOLUME);
	assert_int_equal(bt_store_add_file(store, VOLUME, false, writer, &error), 0);
	bt_writer_free(writer);
	assert_content(store, 1, 50);
	assert_content(store, 22, 10);
	uint32_t ordinal;
	assert_int_equal(bt_store_file_named(store, SNAPSHOT, &ordinal), 0);
	assert_int_equal(bt_store_file_named(other, SNAPSHOT, &ordinal), BT_E_NOT_FOUND);
	assert_int_equal(bt_store_refresh(store, NULL), 0);
	assert_int_equal(bt_store_refresh(other, NULL), 0);
	assert_int_equal(bt_store_snapshot_count(store), 1);
	assert_int_equal(bt_store_snapshot_count(other), 1);
	assert_int_equal(bt_store_file_count(store), 2);
	assert_int_equal(bt_store_file_count(other), 2);
	assert_content(store, 1, 50);
	assert_content(other, 1, 50);
	assert_content(other, 21, 10);

	/* gone, but open: still readable. Not opened: gone. */
	struct bt_store *late = open_store(&sample);
	assert_int_equal(unlinkat(sample.dirfd, SNAPSHOT, 0), 0);
	assert_int_equal(bt_store_refresh(other, NULL), 0);
	assert_int_equal(bt_store_refresh(late, NULL), 0);
	assert_int_equal(bt_store_snapshot_count(other), 0);
	assert_int_equal(bt_store_file_count(other), 2);
	assert_content(other, 2, 50);
	assert_content(other, 22, 10);
	assert_int_equal(try_content(late, 2, 50, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_MISSING_CONTENT);
	assert_content(late, 22, 10);
	assert_int_equal(bt_store_damaged_count(late), 0);
	bt_store_close(late);
	bt_store_close(other);
	bt_store_close(store);
	sample_free(&sample);
}

/* A snapshot that is replaced under its name, or becomes a volume. */
static void test_replaced_and_moved(void **state)
{
	struct sample sample = sample_new();
	close(sample_contents_dir(&sample));
	struct bt_writer *writer = write_small(sample.dirfd, SNAPSHOT_HEADER);
	sample_seal(writer, "{}", SNAPSHOT);
	bt_writer_free(writer);
	struct bt_store *store = open_store(&sample);
	assert_content(store, 1, 50);
	assert_int_equal(renameat(sample.dirfd, SNAPSHOT, sample.dirfd, "contents/" VOLUME), 0);
	writer = sample_writer(sample.dirfd, SNAPSHOT_HEADER);
	sample_contents(writer, 77, 1, 30);
	sample_seal(writer, "{}", SNAPSHOT);
	bt_writer_free(writer);
	assert_int_equal(bt_store_refresh(store, NULL), 0);
	assert_int_equal(bt_store_file_count(store), 3);
	assert_true(bt_store_file_id(store, 0)->gone);
	assert_int_equal(bt_store_snapshot_count(store), 1);
	uint32_t ordinal;
	assert_int_equal(bt_store_file_named(store, SNAPSHOT, &ordinal), 0);
	assert_int_not_equal(ordinal, 0);
	assert_content(store, 1, 50);
	assert_content(store, 77, 30);
	bt_store_close(store);
	store = open_store(&sample);
	assert_content(store, 1, 50);
	assert_content(store, 77, 30);
	bt_store_close(store);
	sample_free(&sample);
}

static void test_damaged_file_is_left_out(void **state)
{
	struct sample sample = sample_new();
	sample_volume(&sample, VOLUME, 1000, 10);
	sample_volume(&sample, "ffeeddccbbaa99887766554433221100.json", 2000, 10);
	struct bt_writer *writer = write_small(sample.dirfd, SNAPSHOT_HEADER);
	sample_seal(writer, "{}", SNAPSHOT);
	bt_writer_free(writer);
	size_t size;
	unsigned char *data = sample_read(sample.dirfd, "contents/" VOLUME, &size);
	sample_write(sample.dirfd, "contents/" VOLUME, data, size / 2);
	free(data);
	struct bt_store *store = open_store(&sample);
	assert_content(store, 2005, 8);
	assert_content(store, 1, 50);
	struct bt_error error = {0};
	assert_int_equal(try_content(store, 1005, 8, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_MISSING_CONTENT);
	assert_int_equal(bt_store_damaged_count(store), 1);
	assert_string_equal(bt_store_damaged(store, 0)->file, "contents/" VOLUME);
	assert_int_equal(bt_store_damaged(store, 0)->reason, BT_R_TRUNCATED);
	assert_null(bt_store_damaged(store, 1));
	assert_int_equal(bt_store_survey(store, NULL), 0);
	assert_int_equal(bt_store_damaged_count(store), 1);
	bt_store_close(store);
	sample_free(&sample);
}

/* Damage inside a block: the other file's copy serves; without one it is an error, never wrong bytes. */
static void test_second_copy(void **state)
{
	struct sample sample = sample_new();
	sample_volume(&sample, VOLUME, 1000, 10);
	size_t size;
	unsigned char *data = sample_read(sample.dirfd, "contents/" VOLUME, &size);
	char *block = memmem(data, size, "{\"zstd\":\"", 9);
	assert_non_null(block);
	block[40] = block[40] == 'A' ? 'B' : 'A';
	sample_write(sample.dirfd, "contents/" VOLUME, data, size);
	free(data);
	struct bt_store *store = open_store(&sample);
	struct bt_error error = {0};
	assert_int_equal(try_content(store, 1005, 8, &error), BT_E_DAMAGED);
	assert_string_equal(error.file, "contents/" VOLUME);
	sample_volume(&sample, "ffeeddccbbaa99887766554433221100.json", 1000, 10);
	assert_int_equal(bt_store_refresh(store, NULL), 0);
	assert_content(store, 1005, 8);
	bt_store_close(store);
	sample_free(&sample);
}

/* All digests of the file are right, but its lists state others than a content and a page have. */
static void test_lying_lists(void **state)
{
	static const char line[] = "{\"entries\":[]}";
	struct sample sample = sample_new();
	struct bt_writer *writer = sample_writer(sample.dirfd, SNAPSHOT_HEADER);
	struct bt_held held[] = {{sample_content_digest(1, 100), 100}, {sample_content_digest(2, 100), 100}};
	struct bt_digest id = sample_content_digest(3, 100);
	unsigned char *data = sample_bytes(1, 200);
	sample_block(writer, data, 200, held, 2);
	assert_int_equal(bt_writer_page(writer, line, strlen(line), &id, NULL), 0);
	sample_seal(writer, "{}", SNAPSHOT);
	bt_writer_free(writer);
	free(data);
	struct bt_store *store = open_store(&sample);
	struct bt_error errors[3] = {0};
	struct bt_location location;
	struct bt_buf page = {0};
	struct bt_file *file;
	assert_content(store, 1, 100);
	assert_int_equal(try_content(store, 2, 100, &errors[0]), BT_E_DAMAGED);
	assert_int_equal(bt_store_page(store, &id, &page, &location, &errors[1]), BT_E_DAMAGED);
	assert_int_equal(bt_store_file(store, 0, &file, NULL), 0);
	assert_int_equal(bt_file_verify(file, &errors[2]), BT_E_DAMAGED);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(errors[i].reason, BT_R_DIGEST_MISMATCH);
	bt_buf_free(&page);
	bt_store_close(store);
	sample_free(&sample);
}

/* Whatever one bit of a file does: what comes out is right, or nothing does. */
static void test_every_bit_through_the_store(void **state)
{
	struct sample sample = sample_new();
	struct bt_writer *writer = write_small(sample.dirfd, SNAPSHOT_HEADER);
	sample_seal(writer, "{}", SNAPSHOT);
	bt_writer_free(writer);
	size_t size;
	unsigned char *data = sample_read(sample.dirfd, SNAPSHOT, &size);
	int fd = openat(sample.dirfd, SNAPSHOT, O_RDWR | O_CLOEXEC);
	static const struct bt_store_options options = {.read_only = true};
	for (size_t i = 0; i < size; i++) {
		unsigned char changed = data[i] ^ (unsigned char)(1 << i % 8);
		assert_int_equal(pwrite(fd, &changed, 1, (off_t)i), 1);
		struct bt_store *store = open_store_with(&sample, &options);
		for (uint64_t seed = 1; seed <= 3; seed++)
			try_content(store, seed, 50, NULL);
		try_content(store, 10, 200, NULL);
		struct bt_buf line = {0};
		struct bt_location location;
		struct bt_digest id = sample_digest("{\"entries\":[]}", 14);
		if (!bt_store_page(store, &id, &line, &location, NULL))
			assert_memory_equal(line.data, "{\"entries\":[]}", 14);
		bt_buf_free(&line);
		bt_store_close(store);
		assert_int_equal(pwrite(fd, &data[i], 1, (off_t)i), 1);
	}
	close(fd);
	free(data);
	sample_free(&sample);
}

static void test_lock(void **state)
{
	struct sample sample = sample_new();
	struct bt_store *store = open_store(&sample);
	int shared, again, alone;
	assert_int_equal(bt_store_lock(store, BT_LOCK_SHARED, NULL, &shared, NULL), 0);
	assert_int_equal(bt_store_lock(store, BT_LOCK_SHARED, NULL, &again, NULL), 0);
	assert_int_equal(bt_store_lock(store, BT_LOCK_EXCLUSIVE, NULL, &alone, NULL), BT_E_LOCKED);
	close(shared);
	close(again);
	assert_int_equal(bt_store_lock(store, BT_LOCK_EXCLUSIVE, NULL, &alone, NULL), 0);
	close(alone);
	bt_store_close(store);
	sample_free(&sample);
}

static void set_old(int dirfd)
{
	const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
	assert_int_equal(futimens(dirfd, old), 0);
}

/* The directories' times are as if nothing had changed, as where a network file system remembers them. */
static void test_read_again_under_the_lock(void **state)
{
	struct sample sample = sample_new();
	int contents = sample_contents_dir(&sample), lock;
	for (enum bt_lock_kind kind = BT_LOCK_SHARED; kind <= BT_LOCK_PRUNER; kind++) {
		char name[64];
		snprintf(name, sizeof(name), "%032x.json", kind);
		set_old(contents);
		set_old(sample.dirfd);
		struct bt_store *store = open_store(&sample);
		size_t count = bt_store_file_count(store);
		sample_volume(&sample, name, 10, 1);
		set_old(contents);
		set_old(sample.dirfd);
		assert_int_equal(bt_store_lock(store, kind, NULL, &lock, NULL), 0);
		set_old(sample.dirfd); /* the lock's file may be new */
		assert_int_equal(bt_store_refresh(store, NULL), 0);
		assert_int_equal(bt_store_file_count(store), count + 1);
		close(lock);
		bt_store_close(store);
	}
	close(contents);
	sample_free(&sample);
}

/* More files than descriptors. */
static void test_few_descriptors(void **state)
{
	struct sample sample = sample_new();
	struct rlimit old, low;
	char name[64];
	for (unsigned i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "%032x.json", i);
		sample_volume(&sample, name, i * 10, 5);
	}
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = 40;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	struct bt_store_options options = {.cache_bytes = 1};
	struct bt_store *store = open_store_with(&sample, &options);
	for (int round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 60; i++)
			assert_content(store, i * 10 + 3, 8);
	}
	/* another file under the name of one that had to be closed */
	assert_int_equal(unlinkat(sample.dirfd, "contents/00000000000000000000000000000000.json", 0), 0);
	sample_volume(&sample, "00000000000000000000000000000000.json", 7000, 5);
	struct bt_error error = {0};
	assert_int_equal(try_content(store, 3, 8, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_CHANGED);
	/* one that is gone and cannot be opened again stays open */
	assert_content(store, 593, 8);
	assert_int_equal(unlinkat(sample.dirfd, "contents/0000000000000000000000000000003b.json", 0), 0);
	assert_int_equal(bt_store_refresh(store, NULL), 0);
	for (unsigned i = 1; i < 59; i++)
		assert_content(store, i * 10 + 3, 8);
	assert_content(store, 593, 8);
	bt_store_close(store);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	sample_free(&sample);
}

static size_t open_below(const struct sample *sample)
{
	char command[256];
	size_t count = 0;
	snprintf(command, sizeof(command), "ls -l /proc/%d/fd | grep -c '%s/.*json'", (int)getpid(), sample->path);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_int_equal(fscanf(pipe, "%zu", &count), 1);
	pclose(pipe);
	return count;
}

/* What was never read stays readable when it is removed, more files than are kept open by default; until it is let go.
 */
static void test_hold_and_release(void **state)
{
	struct sample sample = sample_new();
	struct bt_error error = {0};
	char name[64], path[96];
	for (unsigned i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "%032x.json", i);
		sample_volume(&sample, name, i * 10, 5);
	}
	struct bt_store_options options = {.open_files = 310};
	struct bt_store *store = open_store_with(&sample, &options);
	bt_store_hold(store);
	assert_int_equal(open_below(&sample), 300);
	assert_false(bt_store_holds_removed(store));
	for (unsigned i = 0; i < 300; i += 2) {
		snprintf(path, sizeof(path), "contents/%032x.json", i);
		assert_int_equal(unlinkat(sample.dirfd, path, 0), 0);
	}
	assert_int_equal(bt_store_refresh(store, NULL), 0);
	for (unsigned i = 0; i < 300; i++)
		assert_content(store, i * 10 + 3, 8);
	assert_int_equal(bt_store_damaged_count(store), 0);
	assert_true(bt_store_holds_removed(store));
	bt_store_release(store);
	assert_false(bt_store_holds_removed(store));
	assert_int_equal(bt_store_refresh(store, NULL), 0);
	bt_store_hold(store);
	assert_int_equal(open_below(&sample), 150);
	assert_content(store, 13, 8);
	assert_int_equal(try_content(store, 24, 8, &error), BT_E_DAMAGED);
	assert_int_equal(error.reason, BT_R_MISSING_CONTENT);
	bt_store_close(store);

	options.open_files = 20;
	store = open_store_with(&sample, &options);
	bt_store_hold(store);
	assert_int_equal(open_below(&sample), 20);
	for (unsigned i = 1; i < 300; i += 2)
		assert_content(store, i * 10 + 3, 8);
	assert_true(open_below(&sample) <= 21); /* what is held counts; one more is in use */
	bt_store_close(store);
	sample_free(&sample);
}

static unsigned slow_calls;

static void count_slow(void)
{
	slow_calls++;
}

static void test_before_slow(void **state)
{
	struct sample sample = sample_new();
	sample_volume(&sample, "00000000000000000000000000000001.json", 10, 5);
	struct bt_store_options options = {.before_slow = count_slow};
	struct bt_store *store = open_store_with(&sample, &options);
	slow_calls = 0;
	assert_content(store, 13, 8);
	assert_true(slow_calls >= 2); /* the index, the file */
	unsigned before = slow_calls;
	assert_content(store, 13, 8);
	assert_content(store, 14, 8);
	assert_int_equal(slow_calls, before);
	bt_store_close(store);
	sample_free(&sample);
}

/* ---- threads ---- */

struct reader {
	struct bt_store *store;
	unsigned number;
	int failures;
};

static void *read_many(void *arg)
{
	struct reader *reader = arg;
	uint64_t state = reader->number;
	for (int i = 0; i < 400; i++) {
		uint64_t seed = 1000 + bt_mix64(state++ * 77) % 3000;
		unsigned char *data = sample_bytes(seed, 8);
		struct bt_digest digest = sample_digest(data, 8);
		struct bt_pin pin;
		if (bt_store_pin(reader->store, &digest, 8, &pin, NULL)) {
			reader->failures++;
		} else {
			reader->failures += memcmp(pin.data, data, 8) != 0;
			bt_store_unpin(reader->store, &pin);
		}
		free(data);
	}
	return NULL;
}

static void *add_many(void *arg)
{
	struct reader *reader = arg;
	for (unsigned i = 0; i < 20; i++) {
		char name[64];
		int fd;
		struct bt_writer *writer;
		reader->failures += bt_store_contents_dirfd(reader->store, &fd, NULL) != 0;
		writer = sample_writer(fd, VOLUME_HEADER);
		sample_contents(writer, 9000 + i * 10, 10, 8);
		snprintf(name, sizeof(name), "%032x.json", i + 1);
		sample_seal(writer, "{}", name);
		reader->failures += bt_store_add_file(reader->store, name, false, writer, NULL) != 0;
		bt_writer_free(writer);
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct sample sample = sample_new();
	sample_volume(&sample, VOLUME, 1000, 3000);
	struct bt_store_options options = {.cache_bytes = 20000};
	struct bt_store *store = open_store_with(&sample, &options);
	struct reader readers[4];
	pthread_t threads[4];
	for (unsigned i = 0; i < 4; i++) {
		readers[i] = (struct reader){store, i, 0};
		assert_int_equal(pthread_create(&threads[i], NULL, i ? read_many : add_many, &readers[i]), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(readers[i].failures, 0);
	}
	for (unsigned i = 0; i < 200; i++)
		assert_content(store, 9000 + i, 8);
	bt_store_close(store);
	sample_free(&sample);
}

/* ---- version 1 files ---- */

static bool fake_detect(int fd)
{
	char first[4] = {0};
	return pread(fd, first, 4, 0) == 4 && !memcmp(first, "old:", 4);
}

/* The version 1 file of these tests is "old:" and the Base64 of a content of 30 bytes. */
static int fake_derive(int fd, const char *name, int out, const struct bt_observer *observer, struct bt_error *error)
{
	static const char sections[] = ",\n\"blocks\":[\n],\n\"contents\":[\n";
	char text[4096], hex[65];
	struct bt_digest digest = sample_content_digest(5, 30), sum;
	struct bt_hasher *hasher = bt_hasher_new();
	bt_digest_text(&digest, hex);
	const char *tail = strstr(VOLUME_HEADER, "\"volume\"") + 8;
	int n = snprintf(text, sizeof(text), "%.*s\"classic\"%s%s",
			 (int)(strstr(VOLUME_HEADER, "\"volume\"") - VOLUME_HEADER), VOLUME_HEADER, tail, sections);
	int blocks = n - (int)strlen(sections) + 2, contents = blocks + 14;
	n += snprintf(text + n, sizeof(text) - (size_t)n,
		      "{\"at\":4,\"length\":40,\"size\":30,\"holds\":[[\"%s\",30]]}\n],\n", hex);
	int trees = n;
	n += snprintf(text + n, sizeof(text) - (size_t)n, "\"trees\":[\n],\n");
	int index = n;
	n += snprintf(text + n, sizeof(text) - (size_t)n, "\"tree_index\":[\n],\n");
	int summary = n;
	bt_hasher_start(hasher);
	bt_hasher_add(hasher, text + contents, (size_t)(trees - contents));
	bt_hasher_add(hasher, text + index, (size_t)(summary - index));
	bt_hasher_finish(hasher, &sum);
	bt_digest_text(&sum, hex);
	n += snprintf(
		text + n, sizeof(text) - (size_t)n,
		"\"summary\":{},\n\"end\":{\"blocks\":%d,\"contents\":%d,\"trees\":%d,\"tree_index\":%d,\"summary\":%d,"
		"\"index_sha256\":\"%s\",",
		blocks, contents, trees, index, summary, hex);
	bt_hasher_start(hasher);
	bt_hasher_add(hasher, text, (size_t)blocks);
	bt_hasher_add(hasher, text + summary, (size_t)(n - summary));
	bt_hasher_finish(hasher, &sum);
	bt_digest_text(&sum, hex);
	n += snprintf(text + n, sizeof(text) - (size_t)n, "\"open_sha256\":\"%s\",", hex);
	bt_hasher_digest(hasher, text, (size_t)n, &sum);
	bt_digest_text(&sum, hex);
	n += snprintf(text + n, sizeof(text) - (size_t)n, "\"file_sha256\":\"%s\"}}\n", hex);
	bt_hasher_free(hasher);
	return write(out, text, (size_t)n) == n ? 0 : BT_E_SYSTEM;
}

static const struct bt_foreign fake_foreign = {fake_detect, fake_derive};

static void write_old(const struct sample *sample)
{
	char text[45] = "old:";
	unsigned char *data = sample_bytes(5, 30);
	bt_base64_encode(text + 4, data, 30);
	free(data);
	sample_write(sample->dirfd, SNAPSHOT, text, 44);
}

static size_t count_cached(const struct sample *sample, const char *pattern)
{
	char command[256];
	size_t count = 0;
	snprintf(command, sizeof(command), "ls %s/cache 2>/dev/null | grep -c '%s'", sample->path, pattern);
	FILE *pipe = popen(command, "r");
	assert_int_equal(fscanf(pipe, "%zu", &count), 1);
	pclose(pipe);
	return count;
}

static void test_derived_file(void **state)
{
	struct sample sample = sample_new();
	struct bt_store *store;
	struct bt_file *file;
	write_old(&sample);
	struct bt_store_options read_only = {.read_only = true};
	assert_int_equal(bt_store_open_with(sample.path, &read_only, &fake_foreign, &store, NULL), 0);
	assert_content(store, 5, 30);
	bt_store_close(store);
	assert_int_equal(faccessat(sample.dirfd, "cache", F_OK, 0), -1);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(bt_store_open_with(sample.path, NULL, &fake_foreign, &store, NULL), 0);
		assert_content(store, 5, 30);
		assert_int_equal(bt_store_file(store, 0, &file, NULL), 0);
		assert_int_equal(bt_file_kind(file), BT_KIND_CLASSIC);
		assert_int_equal(bt_file_verify(file, NULL), 0);
		assert_int_equal(bt_store_damaged_count(store), 0);
		bt_store_close(store);
		assert_int_equal(count_cached(&sample, "classic-"), 1);
	}
	/* what is in the cache may be anything */
	char command[256];
	snprintf(command, sizeof(command), "for f in %s/cache/*; do echo nonsense > $f; done", sample.path);
	assert_int_equal(system(command), 0);
	assert_int_equal(bt_store_open_with(sample.path, NULL, &fake_foreign, &store, NULL), 0);
	assert_content(store, 5, 30);
	bt_store_close(store);
	/* nor may it lie elsewhere */
	snprintf(command, sizeof(command), "cd %s/cache && for f in *; do mv $f .. && ln -s ../$f $f; done",
		 sample.path);
	assert_int_equal(system(command), 0);
	assert_int_equal(bt_store_open_with(sample.path, NULL, &fake_foreign, &store, NULL), 0);
	assert_content(store, 5, 30);
	bt_store_close(store);
	snprintf(command, sizeof(command), "test -z \"$(find %s/cache -name 'classic-*' -type l)\"", sample.path);
	assert_int_equal(system(command), 0);
	/* without knowing version 1 the file is one that cannot be read */
	store = open_store(&sample);
	assert_int_equal(bt_store_survey(store, NULL), 0);
	assert_int_equal(bt_store_damaged_count(store), 1);
	bt_store_close(store);
	sample_free(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_file),
		cmocka_unit_test(test_written_is_read),
		cmocka_unit_test(test_spooled_pages),
		cmocka_unit_test(test_name_taken),
		cmocka_unit_test(test_writer_limits),
		cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_changed_lists),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_volume_rules),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_no_store),
		cmocka_unit_test(test_catalogue),
		cmocka_unit_test(test_directories_are_no_links),
		cmocka_unit_test(test_contents_and_pages),
		cmocka_unit_test(test_add_and_refresh),
		cmocka_unit_test(test_replaced_and_moved),
		cmocka_unit_test(test_damaged_file_is_left_out),
		cmocka_unit_test(test_hold_and_release),
		cmocka_unit_test(test_before_slow),
		cmocka_unit_test(test_second_copy),
		cmocka_unit_test(test_lying_lists),
		cmocka_unit_test(test_every_bit_through_the_store),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_read_again_under_the_lock),
		cmocka_unit_test(test_few_descriptors),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_derived_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
