/* SPDX-License-Identifier: MIT */
/* The names of a store in memory: as they are, as they were settled, and what goes wrong. */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/vec.h"
#include "memory_inside.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct memory *all;
static char directory[64]; /* of the locks of all of them, each a file of their path */
int memory_locks = -1;

int memory_begin(struct memory *memory, enum memory_op op)
{
	const struct memory_plan *plan = &memory->plan;

	pthread_mutex_lock(&memory->lock);
	memory->owed = 0;
	memory->calls[op]++;
	memory->calls[MEMORY_ANY]++;
	if (memory->down)
		return -EIO;
	if (!plan->nth || memory->struck || (plan->op != op && plan->op != MEMORY_ANY) ||
	    memory->calls[plan->op] != plan->nth)
		return 0;
	memory->struck = true;
	if (plan->fault == MEMORY_FAILS)
		return -plan->sys;
	memory->down = plan->fault == MEMORY_CUT;
	memory->owed = plan->sys;
	return 0;
}

int memory_end(struct memory *memory, int r)
{
	r = r ? r : -memory->owed;
	memory->owed = 0;
	pthread_mutex_unlock(&memory->lock);
	return r;
}

struct memory_blob *memory_blob_new(struct memory *memory, const struct bt_buf *bytes)
{
	struct memory_blob *blob = calloc(1, sizeof(*blob));
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	blob->references = 1;
	blob->number = ++memory->numbers;
	blob->mtime = (struct bt_time){now.tv_sec, (uint32_t)now.tv_nsec};
	bt_buf_append(&blob->bytes, bytes->data, bytes->length);
	return blob;
}

struct bt_stamp memory_stamp(const struct memory_blob *blob)
{
	struct bt_stamp stamp = {0};

	memcpy(stamp.identity, &blob->number, sizeof(blob->number));
	return stamp;
}

struct memory_blob *memory_blob_ref(struct memory_blob *blob)
{
	blob->references++;
	return blob;
}

void memory_blob_unref(struct memory_blob *blob)
{
	if (!blob || --blob->references)
		return;
	bt_buf_free(&blob->bytes);
	free(blob);
}

static struct memory_name *find(const struct memory_names *names, enum bt_area area, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (names->names[i].area == area && !strcmp(names->names[i].name, name))
			return &names->names[i];
	return NULL;
}

const struct memory_name *memory_find(const struct memory_names *names, enum bt_area area, const char *name)
{
	return find(names, area, name);
}

static struct memory_name *append(struct memory_names *names, enum bt_area area, const char *name,
				  struct memory_blob *blob)
{
	int r = bt_vec_room(names->names, names->count, names->room);

	assert(!r && strlen(name) < sizeof(names->names->name));
	struct memory_name *added = &names->names[names->count++];
	*added = (struct memory_name){.area = area, .blob = blob ? memory_blob_ref(blob) : NULL};
	strcpy(added->name, name);
	return added;
}

static void drop(struct memory_names *names, struct memory_name *name)
{
	memory_blob_unref(name->blob);
	names->count--;
	memmove(name, name + 1, (size_t)(names->names + names->count - name) * sizeof(*name));
}

static void apply(struct memory_names *names, const struct memory_name *change)
{
	struct memory_name *old = find(names, change->area, change->name);
	struct memory_blob *blob = change->blob ? memory_blob_ref(change->blob) : NULL;

	if (old)
		drop(names, old);
	if (blob)
		append(names, change->area, change->name, blob);
	memory_blob_unref(blob);
}

static struct memory_names copy(const struct memory_names *names)
{
	struct memory_names result = {0};

	for (size_t i = 0; i < names->count; i++) {
		const struct memory_name *name = &names->names[i];
		struct memory_name *added = append(&result, name->area, name->name, name->blob);

		added->number = name->number;
		added->after = name->after;
	}
	return result;
}

void memory_names_free(struct memory_names *names)
{
	while (names->count)
		drop(names, &names->names[names->count - 1]);
	free(names->names);
	*names = (struct memory_names){0};
}

static void change(struct memory *memory, enum bt_area area, const char *name, struct memory_blob *blob, uint64_t after)
{
	struct timespec now;
	struct memory_name *added = append(&memory->pending, area, name, blob);

	added->number = ++memory->numbers;
	added->after = after;
	if (memory->plan.lag && !bt_vec_room(memory->history, memory->history_count, memory->history_room))
		memory->history[memory->history_count++] = copy(&memory->live);
	apply(&memory->live, added);
	clock_gettime(CLOCK_REALTIME, &now);
	memory->times[area] = (struct bt_time){now.tv_sec, (uint32_t)now.tv_nsec};
	memory->changes++;
}

void memory_put(struct memory *memory, enum bt_area area, const char *name, struct memory_blob *blob)
{
	change(memory, area, name, blob, 0);
}

void memory_take(struct memory *memory, const struct bt_backend_name *name, const struct bt_backend_name *to)
{
	const struct memory_name *put = to ? &memory->pending.names[memory->pending.count - 1] : NULL;
	char copied[BT_BACKEND_PATH_SIZE];

	snprintf(copied, sizeof(copied), "%s", name->name);
	change(memory, name->area, copied, NULL, put ? put->number : 0);
}

/* At a cut the call under way settles nothing. */
void memory_settle(struct memory *memory, enum bt_area area)
{
	for (size_t i = 0; !memory->down && i < memory->pending.count;) {
		struct memory_name *name = &memory->pending.names[i];

		if (name->area != area) {
			i++;
			continue;
		}
		apply(&memory->durable, name);
		drop(&memory->pending, name);
		memory->settled++;
	}
}

struct memory_names memory_listed(struct memory *memory)
{
	size_t lag = memory->plan.lag < memory->history_count ? memory->plan.lag : memory->history_count;

	return copy(lag ? &memory->history[memory->history_count - lag] : &memory->live);
}

static void forget_history(struct memory *memory)
{
	while (memory->history_count)
		memory_names_free(&memory->history[--memory->history_count]);
}

static struct memory *make(void)
{
	static unsigned count;
	struct memory *memory = calloc(1, sizeof(*memory));

	snprintf(memory->path, sizeof(memory->path), "memory:%u", ++count);
	if (!all) {
		strcpy(directory, "/tmp/bt-memory-XXXXXX");
		memory_locks = mkdtemp(directory) ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
		assert(memory_locks >= 0);
	}
	pthread_mutex_init(&memory->lock, NULL);
	memory->next = all;
	all = memory;
	return memory;
}

struct memory *memory_new(void)
{
	return make();
}

struct memory *memory_copy(struct memory *memory)
{
	struct memory *result = make();

	result->live = copy(&memory->live);
	result->durable = copy(&memory->durable);
	result->pending = copy(&memory->pending);
	result->numbers = memory->numbers;
	memcpy(result->times, memory->times, sizeof(result->times));
	return result;
}

void memory_free(struct memory *memory)
{
	struct memory **link = &all;

	while (*link != memory)
		link = &(*link)->next;
	*link = memory->next;
	forget_history(memory);
	free(memory->history);
	memory_names_free(&memory->live);
	memory_names_free(&memory->durable);
	memory_names_free(&memory->pending);
	unlinkat(memory_locks, memory->path, 0);
	if (!all) {
		close(memory_locks);
		rmdir(directory);
	}
	pthread_mutex_destroy(&memory->lock);
	free(memory);
}

const char *memory_path(const struct memory *memory)
{
	return memory->path;
}

struct bt_stamp memory_spoil(struct memory *memory, enum bt_area area, const char *name, const char *text,
			     size_t offset)
{
	char at_rest[80];

	snprintf(at_rest, sizeof(at_rest), "%s.zst", name);
	if (!find(&memory->live, area, name)) { /* it lies compressed: the digest of its frames */
		name = at_rest;
		text = "\x5d\x2a\x4d\x18";
		offset = 20;
	}
	const struct bt_buf *bytes = &find(&memory->live, area, name)->blob->bytes;
	struct memory_blob *blob = memory_blob_new(memory, bytes);
	size_t at = bytes->length - strlen(text);

	while (memcmp(blob->bytes.data + at, text, strlen(text)) != 0)
		at--;
	unsigned char *byte = &blob->bytes.data[at + strlen(text) + offset];
	*byte = *byte == '0' ? '1' : '0';
	memory_put(memory, area, name, blob);
	memory_settle(memory, area);
	memory_blob_unref(blob);
	return memory_stamp(blob);
}

bool memory_has(struct memory *memory, const struct bt_stamp *stamp)
{
	for (size_t i = 0; i < memory->live.count; i++) {
		struct bt_stamp found = memory_stamp(memory->live.names[i].blob);

		if (bt_stamp_same(&found, stamp))
			return true;
	}
	return false;
}

struct memory *memory_named(const char *path)
{
	struct memory *memory = all;

	while (memory && strcmp(memory->path, path) != 0)
		memory = memory->next;
	return memory;
}

void memory_set_plan(struct memory *memory, const struct memory_plan *plan)
{
	memory->plan = *plan;
	memset(memory->calls, 0, sizeof(memory->calls));
	memory->struck = memory->down = false;
	forget_history(memory);
}

unsigned memory_calls(const struct memory *memory, enum memory_op op)
{
	return memory->calls[op];
}

uint64_t memory_changes(const struct memory *memory)
{
	return memory->changes + memory->settled;
}

bool memory_struck(const struct memory *memory)
{
	return memory->struck;
}

static bool survives(const struct memory_name *change, unsigned which)
{
	return which == 1 || (which > 1 && bt_mix64(change->number * 31 + which) & 1);
}

/* Whether the change that has to be there first did not survive. */
static bool lacks(const struct memory_names *pending, const bool *there, uint64_t after)
{
	for (size_t i = 0; i < pending->count; i++)
		if (after && pending->names[i].number == after)
			return !there[i];
	return false;
}

void memory_power_on(struct memory *memory, unsigned which)
{
	bool *there = calloc(memory->pending.count + 1, sizeof(*there));

	for (size_t i = 0; i < memory->pending.count; i++) {
		const struct memory_name *change = &memory->pending.names[i];

		there[i] = survives(change, which) && !lacks(&memory->pending, there, change->after);
		if (there[i])
			apply(&memory->durable, change);
	}
	free(there);
	memory_names_free(&memory->pending);
	memory_names_free(&memory->live);
	memory->live = copy(&memory->durable);
	memory->changes++;
	memory_set_plan(memory, &(struct memory_plan){0});
}

ssize_t memory_pread(const struct bt_buf *bytes, void *data, size_t length, uint64_t offset)
{
	uint64_t left = offset < bytes->length ? bytes->length - offset : 0;
	size_t got = length < left ? length : (size_t)left;

	if (got)
		memcpy(data, bytes->data + offset, got);
	return (ssize_t)got;
}

bool memory_keep(struct bt_object *object, bool keep)
{
	return keep;
}

void memory_release(struct bt_object *object)
{
}

int memory_upload_failed(const struct bt_upload *upload, int sys, struct bt_error *error)
{
	return bt_fail_sys(error, sys, NULL, "write");
}
