/* SPDX-License-Identifier: MIT */
/* Volumes first, then the snapshots that need them; and the other way round to remove (FORMAT.md section 1). */
#include <backuptool/mirror.h>

#include "base/fail.h"
#include "base/io.h"
#include "base/sized.h"
#include "base/voice.h"
#include "store/store_inside.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STEP ((size_t)1 << 20)
#define TAIL 1024 /* at least the last line of a file, which has the digest of all of it */

/* A file of the mirror as it was at the beginning. */
struct mate {
	const struct bt_slot *slot;
	bool wanted; /* the store has it, too */
};

struct mirror {
	struct bt_store *from, *to; /* to: the mirror at the beginning, to be read; NULL: there was none */
	struct bt_backend *place;   /* the mirror, to be changed; NULL: nothing is */
	int lock;		    /* of the mirror */
	int64_t newest;		    /* second of the store's newest snapshot */
	struct bt_mirror_options options;
	const struct bt_observer *observer;
	struct mate *mates; /* by path */
	size_t count;
	struct bt_mirror_result result;
	struct bt_progress progress;
	struct bt_pace pace;
	unsigned char *buffer;
	struct bt_error *error;
};

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct mate *)a)->slot->path, ((const struct mate *)b)->slot->path);
}

static int list_mates(struct mirror *mirror)
{
	size_t count = mirror->to ? bt_store_file_count(mirror->to) : 0;

	mirror->mates = calloc(count + 1, sizeof(*mirror->mates));
	mirror->buffer = malloc(STEP);
	if (!mirror->mates || !mirror->buffer)
		return bt_fail(mirror->error, BT_E_NOMEM, NULL, NULL);
	for (size_t i = 0; i < count; i++)
		mirror->mates[i].slot = bt_slot(mirror->to, (uint32_t)i);
	mirror->count = count;
	qsort(mirror->mates, count, sizeof(*mirror->mates), by_path);
	return 0;
}

static struct mate *find_mate(const struct mirror *mirror, const struct bt_slot *slot)
{
	const struct mate key = {.slot = slot};

	return mirror->count ? bsearch(&key, mirror->mates, mirror->count, sizeof(key), by_path) : NULL;
}

static struct bt_backend_name name_of(const struct bt_slot *slot)
{
	return (struct bt_backend_name){bt_area_of(slot->id.snapshot), slot->id.stored};
}

/* The last bytes of a file: their number, or -errno. */
static ssize_t read_tail(struct bt_store *store, const struct bt_slot *slot, unsigned char tail[TAIL])
{
	struct bt_error unused = {0};
	struct bt_object *object;
	uint64_t size = slot->id.size;

	if (bt_slot_object(store, slot, &object, &unused))
		return -EIO;
	ssize_t length = bt_object_pread(object, tail, TAIL, size > TAIL ? size - TAIL : 0);
	bt_object_close(object);
	return length;
}

static bool has_same_end(const struct mirror *mirror, const struct bt_slot *slot, const struct bt_slot *mate)
{
	unsigned char ours[TAIL], theirs[TAIL];
	ssize_t length = read_tail(mirror->from, slot, ours);

	return length >= 0 && read_tail(mirror->to, mate, theirs) == length && !memcmp(ours, theirs, (size_t)length);
}

/* A volume never changes under its name; a snapshot is written again by a tag or a repair. */
static bool is_same(const struct mirror *mirror, const struct bt_slot *slot, const struct bt_slot *mate)
{
	return slot->id.size == mate->id.size && (!slot->id.snapshot || has_same_end(mirror, slot, mate));
}

static int note_progress(struct mirror *mirror, const char *path, size_t bytes)
{
	if (bt_cancelled(mirror->observer))
		return bt_fail(mirror->error, BT_E_CANCELLED, NULL, NULL);
	mirror->result.bytes += bytes;
	mirror->progress.bytes += bytes;
	if (bt_pace_due(&mirror->pace, mirror->observer)) {
		mirror->progress.path = path;
		mirror->observer->progress(mirror->observer->arg, &mirror->progress);
	}
	return 0;
}

/* A failure of the one that is read is in unread, any other one in error. */
static int pour(struct mirror *mirror, struct bt_object *object, struct bt_upload *upload, const char *path,
		struct bt_error *unread)
{
	uint64_t size = bt_object_size(object);
	int r = 0;

	for (uint64_t at = 0; at < size && !r;) {
		ssize_t length = bt_object_pread(object, mirror->buffer, STEP, at);

		if (length <= 0)
			return bt_fail_sys(unread, length ? (int)-length : EIO, path, "read");
		int sys = bt_upload_write(upload, mirror->buffer, (size_t)length);
		r = sys ? bt_upload_failed(upload, -sys, mirror->error) : note_progress(mirror, path, (size_t)length);
		at += (uint64_t)length;
	}
	return r;
}

/* Before each step that another program could not bear: on a network the lock may have been lost without a word. */
static int see_alone(struct mirror *mirror)
{
	return bt_backend_lock_again(mirror->place, mirror->lock, BT_LOCK_EXCLUSIVE)
		       ? bt_fail_lost(mirror->error, NULL, "the mirror's lock was lost; nothing more was changed")
		       : 0;
}

/* Gives it a name that nobody has, and then the one of the file that it replaces. */
static int publish(struct mirror *mirror, struct bt_upload *upload, const struct bt_backend_name *name, bool replace)
{
	char temp[32];
	int r;

	if (!replace)
		return bt_upload_publish(upload, name->name, mirror->error);
	r = bt_backend_provisional(temp, mirror->error);
	if (!r)
		r = bt_upload_publish(upload, temp, mirror->error);
	if (!r)
		r = see_alone(mirror);
	if (!r)
		r = bt_backend_replace(mirror->place, &(struct bt_backend_name){name->area, temp}, name->name,
				       mirror->error);
	return r;
}

/* Takes the object over. */
static int copy_object(struct mirror *mirror, struct bt_object *object, const struct bt_backend_name *name,
		       bool replace, struct bt_error *unread)
{
	struct bt_upload *upload = NULL;
	int r = bt_backend_reach(mirror->place, name->area, mirror->error);

	if (!r)
		r = bt_backend_create(mirror->place, name->area, &upload, mirror->error);
	if (!r)
		r = pour(mirror, object, upload, name->name, unread);
	if (!r)
		r = publish(mirror, upload, name, replace);
	bt_upload_close(upload);
	bt_object_close(object);
	return r;
}

static int pass_over(struct mirror *mirror, const char *path, const struct bt_error *unread)
{
	mirror->result.unread++;
	bt_tell(mirror->observer, path, unread);
	return 0;
}

/* Damage that came into the store does not take the place of what is sound. */
static bool may_replace(struct mirror *mirror, const struct bt_slot *slot, struct bt_error *unread)
{
	struct bt_file *file;

	return !bt_store_file(mirror->from, slot->id.ordinal, &file, unread);
}

static int copy_file(struct mirror *mirror, const struct bt_slot *slot, const struct mate *mate)
{
	const struct bt_backend_name name = name_of(slot);
	struct bt_error unread = {0};
	struct bt_object *object;
	int r;

	if (mate && !may_replace(mirror, slot, &unread))
		return pass_over(mirror, slot->path, &unread);
	mirror->result.files++;
	if (slot->id.snapshot)
		*(mate ? &mirror->result.replaced : &mirror->result.added) += 1;
	if (!mirror->place) {
		mirror->result.bytes += slot->id.size;
		return 0;
	}
	r = bt_slot_object(mirror->from, slot, &object, &unread);
	if (!r)
		r = copy_object(mirror, object, &name, mate, &unread);
	return unread.code ? pass_over(mirror, slot->path, &unread) : r;
}

static void note_wanted(struct mirror *mirror)
{
	for (uint32_t i = 0; i < bt_store_file_count(mirror->from); i++) {
		const struct bt_slot *slot = bt_slot(mirror->from, i);
		struct mate *mate = slot->id.gone ? NULL : find_mate(mirror, slot);

		if (mate)
			mate->wanted = true;
		if (!slot->id.gone && slot->id.snapshot && slot->seconds > mirror->newest)
			mirror->newest = slot->seconds;
	}
}

/* The file of a removed snapshot becomes a volume when others need something of it: the mirror has it already, under
 * the name of the snapshot. */
static const struct bt_slot *find_former(const struct mirror *mirror, const struct bt_slot *volume)
{
	for (size_t i = 0; i < mirror->count; i++) {
		const struct mate *mate = &mirror->mates[i];

		if (mate->slot->id.snapshot && !mate->wanted && mate->slot->id.size == volume->id.size &&
		    has_same_end(mirror, volume, mate->slot))
			return mate->slot;
	}
	return NULL;
}

/* Gives it the name of the volume, too. False: it is to be copied. */
static bool reuse_former(struct mirror *mirror, const struct bt_slot *volume)
{
	const struct bt_slot *former = volume->id.snapshot ? NULL : find_former(mirror, volume);
	struct bt_error unused = {0};

	if (!former || !mirror->place)
		return former;
	const struct bt_backend_name from = name_of(former), to = name_of(volume);
	return !bt_backend_reach(mirror->place, to.area, &unused) &&
	       !bt_backend_twin(mirror->place, &from, &to, &unused);
}

static int copy_kind(struct mirror *mirror, bool snapshots)
{
	uint32_t count = (uint32_t)bt_store_file_count(mirror->from);
	int r = 0;

	for (uint32_t i = 0; i < count && !r; i++) {
		const struct bt_slot *slot = bt_slot(mirror->from, i);
		const struct mate *mate = find_mate(mirror, slot);

		if (slot->id.gone || slot->id.snapshot != snapshots)
			continue;
		mirror->result.snapshots += snapshots;
		if (mate ? !is_same(mirror, slot, mate->slot) : !reuse_former(mirror, slot))
			r = copy_file(mirror, slot, mate);
	}
	return r;
}

static int settle(struct mirror *mirror, enum bt_area area)
{
	int sys = mirror->place && !bt_backend_find(mirror->place, area) ? bt_backend_settle(mirror->place, area) : 0;

	return sys ? bt_fail_sys(mirror->error, -sys, NULL, "sync the mirror") : 0;
}

static int remove_file(struct mirror *mirror, const struct bt_slot *slot)
{
	const struct bt_backend_name name = name_of(slot);
	int r = mirror->place ? see_alone(mirror) : 0;

	if (r)
		return r;
	int sys = mirror->place ? bt_backend_remove(mirror->place, &name) : 0;
	if (sys && sys != -ENOENT)
		return bt_fail_sys(mirror->error, -sys, slot->path, "remove");
	mirror->result.removed += slot->id.snapshot;
	return 0;
}

/* As long as something of the store is not here, what it no longer has may be all that is left of it. */
static int remove_kind(struct mirror *mirror, bool snapshots)
{
	int r = 0;

	for (size_t i = 0; i < mirror->count && !r; i++) {
		const struct mate *mate = &mirror->mates[i];

		if (mate->wanted || mate->slot->id.snapshot != snapshots)
			continue;
		mirror->result.extra += snapshots;
		mirror->result.newer += snapshots && mate->slot->seconds > mirror->newest;
		if (mirror->options.delete_extra && !mirror->result.unread)
			r = remove_file(mirror, mate->slot);
	}
	return r ? r : settle(mirror, bt_area_of(snapshots));
}

static int copy_id(struct mirror *mirror)
{
	const struct bt_backend_name name = {BT_AREA_TOP, BT_ID_NAME};
	struct bt_object *object;
	int r = bt_object_open(mirror->from->backend, &name, NULL, &object, mirror->error);

	return r ? r : copy_object(mirror, object, &name, mirror->to && mirror->to->id[0], mirror->error);
}

static int run(struct mirror *mirror)
{
	int r = list_mates(mirror);

	if (!r && mirror->place)
		r = copy_id(mirror);
	mirror->result.bytes = 0;
	note_wanted(mirror);
	if (!r)
		r = copy_kind(mirror, false);
	if (!r)
		r = settle(mirror, BT_AREA_CONTENTS);
	if (!r)
		r = copy_kind(mirror, true);
	if (!r)
		r = settle(mirror, BT_AREA_TOP);
	if (!r)
		r = remove_kind(mirror, true);
	return r ? r : remove_kind(mirror, false);
}

/* What is in the directory, if it is a store already. */
static int open_mirror(struct mirror *mirror, const char *directory)
{
	const struct bt_store_options options = {.size = sizeof(options), .read_only = true};
	struct bt_error inner = {0};
	int r = bt_store_open_with(directory, &options, NULL, &mirror->to, &inner);

	return r == BT_E_NO_STORE ? 0 : bt_error_pass(mirror->error, &inner, r);
}

static int refuse(const struct mirror *mirror, const char *why)
{
	return bt_fail(mirror->error, BT_E_INVALID, NULL, why);
}

static int check_identity(const struct mirror *mirror)
{
	int r = bt_identity_read(mirror->from, mirror->error);

	if (!r && mirror->to)
		r = bt_identity_read(mirror->to, mirror->error);
	if (r)
		return r;
	if (!mirror->from->id[0])
		return refuse(mirror, "the store has no id yet; the next snapshot gives it one");
	if (!mirror->to)
		return 0;
	if (bt_store_is_one(mirror->from, mirror->to))
		return refuse(mirror, "a store is not its own mirror");
	bool empty = !mirror->to->id[0] && !bt_store_file_count(mirror->to);
	return !empty && strcmp(mirror->from->id, mirror->to->id)
		       ? refuse(mirror, "the directory is another store, not a mirror of this one")
		       : 0;
}

/* The mirror is locked before it is listed. */
static int enter(struct mirror *mirror, const char *directory)
{
	const struct bt_backend_options options = {.make = true};
	const struct bt_lock_wait wait = {mirror->from->options.lock_wait_ms, mirror->observer};
	int r = open_mirror(mirror, directory);

	if (!r)
		r = check_identity(mirror);
	if (r || mirror->options.dry_run)
		return r;
	bt_store_close(mirror->to);
	mirror->to = NULL;
	r = bt_backend_open(directory, &options, &mirror->place, mirror->error);
	if (!r)
		r = bt_backend_lock(mirror->place, BT_LOCK_EXCLUSIVE, &wait, &mirror->lock, mirror->error);
	if (!r)
		bt_backend_sweep(mirror->place, false);
	if (!r)
		r = open_mirror(mirror, directory);
	return r ? r : check_identity(mirror);
}

static void leave(struct mirror *mirror)
{
	free(mirror->mates);
	free(mirror->buffer);
	bt_store_close(mirror->to);
	if (mirror->place)
		bt_backend_close(mirror->place, false);
}

int bt_mirror(struct bt_store *from, const char *directory, const struct bt_mirror_options *options,
	      const struct bt_observer *observer, struct bt_mirror_result *ret_result, struct bt_error *error)
{
	struct mirror mirror = {.from = from, .observer = observer, .lock = -1, .error = error};
	int reading = -1;

	if (bt_sized_take(&mirror.options, sizeof(mirror.options), options, error) || bt_sized_check(ret_result, error))
		return BT_E_INVALID;
	int r = bt_store_lock_for_reading(from, observer, &reading, error);
	if (!r)
		r = enter(&mirror, directory);
	if (!r)
		r = run(&mirror);
	leave(&mirror);
	bt_close(&mirror.lock);
	bt_close(&reading);
	if (!r && mirror.result.unread)
		r = bt_fail(error, BT_E_INCOMPLETE, NULL, "files of the store could not be read");
	bt_sized_give(ret_result, &mirror.result, sizeof(mirror.result));
	return r;
}
