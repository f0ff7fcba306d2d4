/* SPDX-License-Identifier: MIT */
/* What no snapshot holds, in state/: written, replaced, read, and refused. */
#include "remote_backend.h"
#include "store/state_text.h"
#include "store_samples.h"
#include <errno.h>

static const struct bt_store_options creating = {.size = sizeof(creating), .create = true};

static struct bt_state *state_of(enum bt_state_task task, const char *host, const char *target)
{
	struct bt_state *state = calloc(1, sizeof(*state));

	state->task = task;
	snprintf(state->host, sizeof(state->host), "%s", host);
	snprintf(state->target, sizeof(state->target), "%s", target);
	state->time = (struct bt_time){1700000000, 5};
	return state;
}

static struct bt_store *open_store(const struct sample *sample, bool read_only)
{
	const struct bt_store_options reading = {.size = sizeof(reading), .read_only = true};
	struct bt_store *store = NULL;

	assert_int_equal(bt_store_open_with(sample->path, read_only ? &reading : &creating, NULL, &store, NULL), 0);
	return store;
}

struct seen {
	size_t count;
	char targets[8][32];
};

static void see(void *arg, const struct bt_state *state)
{
	struct seen *seen = arg;

	assert_true(seen->count < 8);
	snprintf(seen->targets[seen->count++], sizeof(seen->targets[0]), "%.31s", state->target);
}

static void assert_same(const struct bt_state *a, const struct bt_state *b)
{
	struct bt_buf texts[2] = {0};

	assert_int_equal(bt_state_write(&texts[0], a), 0);
	assert_int_equal(bt_state_write(&texts[1], b), 0);
	assert_int_equal(texts[0].length, texts[1].length);
	assert_memory_equal(texts[0].data, texts[1].data, texts[0].length);
	bt_buf_free(&texts[0]);
	bt_buf_free(&texts[1]);
}

static void test_round_trip(void **unused)
{
	struct sample sample = sample_new();
	struct bt_store *store = open_store(&sample, false);
	struct bt_state *state = state_of(BT_STATE_RUN, "h", "/home/\xff\"\\\n"), *found = calloc(1, sizeof(*found));
	struct seen seen = {0};

	assert_false(bt_state_get(store, BT_STATE_RUN, state->host, state->target, found));
	assert_int_equal(bt_state_list(store, see, &seen), 0);
	memset(state->error, '\x01', sizeof(state->error) - 1);
	snprintf(state->snapshot, sizeof(state->snapshot), "%s", SNAPSHOT);
	state->exit = 130;
	state->failures = 7;
	state->next.seconds = -1;
	state->count = UINT64_C(1) << 52;
	assert_int_equal(bt_state_put(store, state, NULL), 0);
	assert_true(bt_state_get(store, BT_STATE_RUN, state->host, state->target, found));
	assert_same(state, found);
	state->error[0] = '\0';
	assert_int_equal(bt_state_put(store, state, NULL), 0);
	assert_true(bt_state_get(store, BT_STATE_RUN, state->host, state->target, found));
	assert_same(state, found);
	assert_false(bt_state_get(store, BT_STATE_PRUNE, state->host, state->target, found));
	assert_int_equal(bt_state_list(store, see, &seen), 0);
	assert_int_equal(seen.count, 1);
	free(state);
	free(found);
	bt_store_close(store);
	sample_free(&sample);
}

static int state_dir(const struct sample *sample)
{
	int fd;

	mkdirat(sample->dirfd, "state", 0700);
	fd = openat(sample->dirfd, "state", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* Each with a name that could be one of ours. */
static void test_refused(void **unused)
{
	static const char good[] =
		"{\"format\":\"backuptool-state\",\"task\":\"check\",\"host\":\"\",\"target\":\"\",\"time\":"
		"[1,2],\"exit\":0,\"error\":\"\",\"snapshot\":\"\",\"failures\":0,\"next\":[0,0],"
		"\"count\":0,\"part\":\"\"}\n";
	static const char *const texts[] = {"", "{}\n", "null\n", "{\"format\":\"backuptool-state\",\"task\":\"other\"",
					    good};
	struct sample sample = sample_new();
	struct bt_store *store = open_store(&sample, false);
	int fd = state_dir(&sample);
	struct seen seen = {0};
	unsigned char *large = calloc(1, BT_STATE_FILE_MAX + 1);

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) { /* the good one has a name of another */
		sample_write(fd, "run-0123456789abcdef", texts[i], strlen(texts[i]));
		assert_int_equal(bt_state_list(store, see, &seen), 1);
	}
	sample_write(fd, "run-0123456789abcdef", large, BT_STATE_FILE_MAX + 1);
	assert_int_equal(mkdirat(fd, "run-0000000000000001", 0700), 0);
	assert_int_equal(symlinkat("/etc/passwd", fd, "run-0000000000000002"), 0);
	assert_int_equal(mkfifoat(fd, "run-0000000000000003", 0600), 0);
	sample_write(fd, ".tmp-0123456789abcdef", good, strlen(good));
	sample_write(fd, "another-file", good, strlen(good));
	assert_int_equal(bt_state_list(store, see, &seen), 4);
	assert_int_equal(seen.count, 0);
	free(large);
	close(fd);
	bt_store_close(store);
	sample_free(&sample);
}

/* Nothing but the state is lost. */
static void test_nowhere(void **unused)
{
	struct sample sample = sample_new();
	struct bt_state *state = state_of(BT_STATE_CHECK, "", ""), *found = calloc(1, sizeof(*found));
	struct bt_error error = {0};
	struct bt_store *store = open_store(&sample, false);
	struct seen seen = {0};

	sample_write(sample.dirfd, "state", "", 0);
	assert_int_not_equal(bt_state_put(store, state, &error), 0);
	assert_false(bt_state_get(store, BT_STATE_CHECK, "", "", found));
	assert_int_equal(bt_state_list(store, see, &seen), 0);
	assert_int_equal(unlinkat(sample.dirfd, "state", 0), 0);
	bt_store_close(store);
	store = open_store(&sample, true);
	error = (struct bt_error){0};
	assert_int_not_equal(bt_state_put(store, state, &error), 0);
	assert_int_equal(error.sys, EROFS);
	assert_int_equal(faccessat(sample.dirfd, "state", F_OK, 0), -1);
	free(state);
	free(found);
	bt_store_close(store);
	sample_free(&sample);
}

static void test_claimed(void **unused)
{
	struct sample sample = sample_new();
	struct bt_store *store = open_store(&sample, false);
	char holder[BT_STATE_HOLDER_SIZE], own[32];
	int fd;

	assert_false(bt_store_claimed(store, "job a", holder));
	assert_int_equal(bt_store_claim(store, "job a", &fd, NULL), 0);
	assert_true(bt_store_claimed(store, "job a", holder));
	snprintf(own, sizeof(own), "(process %ld)", (long)getpid());
	assert_non_null(strstr(holder, own));
	assert_false(bt_store_claimed(store, "job b", holder));
	close(fd);
	assert_false(bt_store_claimed(store, "job a", holder));
	bt_store_close(store);
	sample_free(&sample);
}

static void test_room(void **unused)
{
	struct sample sample = sample_new();
	struct bt_store *store;
	struct bt_room room;
	struct stat status;

	close(sample_contents_dir(&sample));
	sample_volume(&sample, "00112233445566778899aabbccddeeff.json", 1, 3);
	assert_int_equal(fstatat(sample.dirfd, "contents/00112233445566778899aabbccddeeff.json", &status, 0), 0);
	store = open_store(&sample, false);
	bt_store_room(store, &room);
	assert_int_equal(room.bytes, status.st_size);
	assert_true(is_remote() ? !room.total : room.total > 0 && room.free <= room.total);
	bt_store_close(store);
	sample_free(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_refused), cmocka_unit_test(test_nowhere),
		cmocka_unit_test(test_claimed),	   cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
