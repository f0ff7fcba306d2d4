/* SPDX-License-Identifier: MIT */
/* Chunks that are right, of a file that is not: the digest of the whole decides. */
#include "restore/run.h" /* BT_LARGE */
#include "store_samples.h"
#include <backuptool/export.h>
#include <backuptool/restore.h>
#include <errno.h>

#define CHUNK ((size_t)1 << 20)

/* A snapshot of one file, which is the same chunk count times. */
static void put_snapshot(const struct sample *sample, unsigned count, const struct bt_digest *whole)
{
	struct bt_writer *writer = sample_writer(sample->dirfd, SNAPSHOT_HEADER);
	struct bt_digest chunk = sample_content_digest(1, CHUNK);
	char line[4096], summary[1024], chunk_text[65], text[65];

	sample_contents(writer, 1, 1, CHUNK);
	bt_digest_text(&chunk, chunk_text);
	bt_digest_text(whole, text);
	int length = snprintf(line, sizeof(line),
			      "{\"entries\":[{\"name\":\"f\",\"type\":\"file\",\"mode\":\"0644\",\"uid\":%u,\"gid\":%u,"
			      "\"size\":%zu,\"mtime\":[0,0],\"sha256\":\"%s\",\"chunks\":[",
			      geteuid(), getegid(), count * CHUNK, text);
	for (unsigned i = 0; i < count; i++)
		length += snprintf(line + length, sizeof(line) - (size_t)length, "%s[\"%s\",%zu]", i ? "," : "",
				   chunk_text, CHUNK);
	strcpy(line + length, "]}]}");
	struct bt_digest root = sample_page(writer, line);
	bt_digest_text(&root, text);
	snprintf(summary, sizeof(summary),
		 "{\"root\":{\"type\":\"dir\",\"mode\":\"0755\",\"uid\":%u,\"gid\":%u,\"mtime\":[0,0],\"tree\":\"%s\"},"
		 "\"files\":1,\"directories\":1,\"others\":0,\"directory_size\":%zu,\"stored_size\":1,\"new\":1,"
		 "\"changed\":0,\"unchanged\":0,\"errors\":0,\"xattrs\":false}",
		 geteuid(), getegid(), text, count * CHUNK);
	sample_seal(writer, summary, SNAPSHOT);
	bt_writer_free(writer);
}

static void note_problem(void *arg, const char *path, const struct bt_error *error)
{
	struct bt_error *ret_told = arg;

	assert_non_null(strstr(path, "f"));
	*ret_told = *error;
}

/* output/f and output.json, as far as they are right. */
static void bring(const struct sample *sample, const char *output, int wanted, struct bt_error ret_told[2])
{
	const struct bt_restore_options options = {.size = sizeof(options), .threads = 2};
	const struct bt_observer restored = {.arg = &ret_told[0], .problem = note_problem};
	const struct bt_observer exported = {.arg = &ret_told[1], .problem = note_problem};
	struct bt_snapshot *snapshot;
	struct bt_store *store;
	char json[64];

	snprintf(json, sizeof(json), "%s.json", output);
	assert_int_equal(bt_store_open(sample->path, NULL, &store, NULL), 0);
	assert_int_equal(bt_snapshot_open(store, SNAPSHOT, &snapshot, NULL), 0);
	assert_int_equal(bt_restore(store, snapshot, output, &options, &restored, NULL, NULL), wanted);
	assert_int_equal(bt_export_classic(store, snapshot, json, false, &exported, NULL, NULL), wanted);
	bt_snapshot_close(snapshot);
	bt_store_close(store);
	struct stat status;
	assert_int_equal(stat(json, &status), 0);
	assert_int_equal(status.st_size > (off_t)CHUNK, !wanted);
	assert_int_equal(unlink(json), 0);
}

static struct bt_digest digest_of_chunks(unsigned count)
{
	unsigned char *data = malloc(count * CHUNK), *chunk = sample_bytes(1, CHUNK);

	for (unsigned i = 0; i < count; i++)
		memcpy(data + i * CHUNK, chunk, CHUNK);
	struct bt_digest digest = sample_digest(data, count * CHUNK);
	free(chunk);
	free(data);
	return digest;
}

static void bring_chunks(unsigned count, bool right)
{
	struct sample sample = sample_new();
	struct bt_digest whole = digest_of_chunks(count);
	struct bt_error told[2] = {0};
	char output[] = "/tmp/bt-output-XXXXXX", path[64];

	assert_non_null(mkdtemp(output));
	whole.bytes[31] ^= right ? 0 : 1;
	put_snapshot(&sample, count, &whole);
	bring(&sample, output, right ? 0 : BT_E_INCOMPLETE, told);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(told[i].code, right ? 0 : BT_E_DAMAGED);
		assert_int_equal(told[i].reason, right ? BT_R_NONE : BT_R_DIGEST_MISMATCH);
	}
	snprintf(path, sizeof(path), "%s/f", output);
	assert_int_equal(unlink(path), right ? 0 : -1);
	assert_int_equal(rmdir(output), 0); /* there was nothing else in it */
	sample_free(&sample);
}

static void test_digest_of_the_whole(void **state)
{
	static const unsigned counts[] = {2, BT_LARGE / CHUNK + 1};

	for (size_t i = 0; i < 2; i++) {
		bring_chunks(counts[i], true);
		bring_chunks(counts[i], false);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_digest_of_the_whole)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
