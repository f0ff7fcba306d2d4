/* SPDX-License-Identifier: MIT */
#include "store_samples.h"

struct sample sample_new(void)
{
	struct sample sample = {.path = "/tmp/bt-store-XXXXXX"};

	assert_non_null(mkdtemp(sample.path));
	sample.dirfd = open(sample.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(sample.dirfd >= 0);
	return sample;
}

static int sample_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void sample_free(struct sample *sample)
{
	close(sample->dirfd);
	nftw(sample->path, sample_remove, 16, FTW_DEPTH | FTW_PHYS);
}

int sample_contents_dir(const struct sample *sample)
{
	mkdirat(sample->dirfd, "contents", 0700);
	int fd = openat(sample->dirfd, "contents", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

unsigned char *sample_bytes(uint64_t seed, size_t size)
{
	unsigned char *data = malloc(size + 1);

	assert_non_null(data);
	for (size_t i = 0; i < size; i++)
		data[i] = (unsigned char)bt_mix64(seed * 1000003 + (i & 64 ? 0 : i));
	return data;
}

struct bt_digest sample_digest(const void *data, size_t size)
{
	struct bt_hasher *hasher = bt_hasher_new();
	struct bt_digest digest;

	assert_non_null(hasher);
	assert_int_equal(bt_hasher_digest(hasher, data, size, &digest), 0);
	bt_hasher_free(hasher);
	return digest;
}

struct bt_digest sample_content_digest(uint64_t seed, size_t size)
{
	unsigned char *data = sample_bytes(seed, size);
	struct bt_digest digest = sample_digest(data, size);

	free(data);
	return digest;
}

struct bt_upload *sample_upload(int dirfd)
{
	struct bt_upload *upload;

	assert_int_equal(bt_upload_to_directory(dirfd, &upload, NULL), 0);
	return upload;
}

struct bt_writer *sample_writer(int dirfd, const char *header)
{
	struct bt_buf text = {0};
	struct bt_writer *writer;

	assert_int_equal(bt_buf_append(&text, header, strlen(header)), 0);
	assert_int_equal(bt_writer_new(sample_upload(dirfd), &text, &writer, NULL), 0);
	bt_buf_free(&text);
	return writer;
}

void sample_block(struct bt_writer *writer, const void *data, size_t size, const struct bt_held *held, size_t count)
{
	struct bt_compressor *compressor = bt_compressor_new(3);
	unsigned char *frame = malloc(bt_frame_bound(size));
	size_t length;

	assert_int_equal(bt_compress(compressor, data, size, frame, &length), 0);
	char *text = malloc(BT_BASE64_SIZE(length));
	bt_base64_encode(text, frame, length);
	const struct bt_block_text block = {text, BT_BASE64_SIZE(length), bt_xxh3_of(frame, length)};
	assert_int_equal(bt_writer_block(writer, &block, held, count, NULL), 0);
	free(text);
	free(frame);
	bt_compressor_free(compressor);
}

void sample_contents(struct bt_writer *writer, uint64_t from, size_t count, uint32_t size)
{
	unsigned char *all = malloc(count * size);
	struct bt_held *held = malloc(count * sizeof(*held));

	for (size_t i = 0; i < count; i++) {
		unsigned char *data = sample_bytes(from + i, size);

		memcpy(all + i * size, data, size);
		held[i] = (struct bt_held){sample_digest(data, size), size};
		free(data);
	}
	sample_block(writer, all, count * size, held, count);
	free(held);
	free(all);
}

struct bt_digest sample_page(struct bt_writer *writer, const char *line)
{
	struct bt_digest id = sample_digest(line, strlen(line));

	assert_int_equal(bt_writer_page(writer, line, strlen(line), &id, NULL), 0);
	return id;
}

void sample_seal(struct bt_writer *writer, const char *summary, const char *name)
{
	struct bt_buf text = {0};

	assert_int_equal(bt_buf_append(&text, summary, strlen(summary)), 0);
	assert_int_equal(bt_writer_seal(writer, &text, name, NULL), 0);
	bt_buf_free(&text);
}

void sample_volume(const struct sample *sample, const char *name, uint64_t from, size_t count)
{
	int fd = sample_contents_dir(sample);
	struct bt_writer *writer = sample_writer(fd, VOLUME_HEADER);

	for (size_t done = 0; done < count; done += 1000)
		sample_contents(writer, from + done, count - done < 1000 ? count - done : 1000, 8);
	sample_seal(writer, "{}", name);
	bt_writer_free(writer);
	close(fd);
}

unsigned char *sample_read(int dirfd, const char *name, size_t *ret_size)
{
	struct stat st;
	int fd = openat(dirfd, name, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	unsigned char *data = malloc((size_t)st.st_size + 1);
	assert_int_equal(read(fd, data, (size_t)st.st_size), st.st_size);
	data[st.st_size] = 0;
	close(fd);
	*ret_size = (size_t)st.st_size;
	return data;
}

void sample_write(int dirfd, const char *name, const void *data, size_t size)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), (ssize_t)size);
	close(fd);
}

int try_content(struct bt_store *store, uint64_t seed, size_t size, struct bt_error *error)
{
	struct bt_digest digest = sample_content_digest(seed, size);
	struct bt_pin pin;
	int r = bt_store_pin(store, &digest, size, 0, &pin, error);

	if (!r) {
		unsigned char *data = sample_bytes(seed, size);

		assert_memory_equal(pin.data, data, size);
		free(data);
		bt_store_unpin(store, &pin);
	}
	return r;
}
