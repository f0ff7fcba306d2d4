/* SPDX-License-Identifier: MIT */
/*
 * Events by fanotify: one mark tells what happens on the whole file system, each with the handle of the directory. A
 * handle stands for the directory wherever it is moved; its path is asked for when its first event is read.
 */
#include "base/io.h"
#include "watch/private.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK_MASK                                                                                                      \
	(FAN_MODIFY | FAN_ATTRIB | FAN_CLOSE_WRITE | FAN_OPEN | FAN_MOVED_FROM | FAN_MOVED_TO | FAN_CREATE |           \
	 FAN_DELETE | FAN_ONDIR)

/* Of directories: where they were last seen, and whether an opened file refers to one. Above that the number of moves
 * that had been seen by then: after another one, nothing is known of where directories are. */
enum { ELSEWHERE = 1, BELOW = 2, OWNER = 4, MOVES = 8 };
enum { DIRS_KEPT = 65536 };
/* Anybody may make directories of any depth on the file system. So the number of steps upwards between two takes is
 * bounded, and the number of levels of each. */
enum { STEPS_MAX = 16384, LEVELS_FIRST = 16, LEVELS_MAX = 1024 };

struct state {
	struct bt_names dirs; /* by file system and handle; data: the number of the take that knows of its change */
	char root[PATH_MAX];
	size_t root_length;
	pid_t self;
	unsigned moves;
	unsigned steps; /* upwards from what has no name, since the take */
	uintptr_t take;
};

/* What an event says. */
struct record {
	struct fanotify_event_metadata event; /* copied: the kernel aligns to 4 bytes, the structure to 8 */
	const unsigned char *dir, *file;      /* fsid and handle; NULL: not given */
	size_t dir_size, file_size;
	const char *name; /* in dir; NULL: dir itself */
};

/* Paths. */

/* What /proc calls fd, into text. 0 or an errno. */
static int name_of_fd(int fd, char text[PATH_MAX + 1])
{
	char link[32];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, text, PATH_MAX);
	if (length <= 0)
		return length < 0 ? errno : ENOENT;
	text[length] = '\0';
	return length < PATH_MAX ? 0 : ENAMETOOLONG;
}

/* The part of a path below the target that follows the target, or NULL. */
static const char *below(const struct state *state, const char *name)
{
	if (strncmp(name, state->root, state->root_length) != 0)
		return NULL;
	name += state->root_length;
	return *name == '/' ? name + 1 : *name ? NULL : name;
}

/* Whether the target lies below what has this name. */
static bool level_above(const struct state *state, const char *name)
{
	size_t length = strlen(name);

	if (strcmp(name, "/") == 0)
		return state->root_length > 0;
	return length < state->root_length && strncmp(name, state->root, length) == 0 && state->root[length] == '/';
}

/* The directory this number of levels above; the one above "/" is "/". */
static int climb(int fd, unsigned levels)
{
	char path[3 * LEVELS_MAX + 1];

	for (unsigned i = 0; i < levels; i++)
		memcpy(path + (size_t)3 * i, "../", 3);
	path[(size_t)3 * levels] = '\0';
	return openat(fd, path, O_PATH | O_CLOEXEC);
}

/* What is in doubt if something has no name, which is too long in most cases: it may be below the target. Those above
 * it say so. One that lies above the target, too, says nothing: then the step was too long. */
static enum bt_doubt doubt_of_nameless(struct state *state, int fd, char text[PATH_MAX + 1])
{
	int at = openat(fd, ".", O_PATH | O_CLOEXEC);
	unsigned levels = LEVELS_FIRST;
	bool grows = true, may_be = true;

	while (at >= 0 && state->steps < STEPS_MAX) {
		state->steps++;
		int up = climb(at, levels), failed = up < 0 ? errno : name_of_fd(up, text);

		if (failed == ENAMETOOLONG) {
			close(at);
			at = up;
			levels = grows && levels < LEVELS_MAX ? levels * 8 : levels;
			continue;
		}
		bt_close(&up);
		if (failed || below(state, text))
			break;
		may_be = level_above(state, text) && levels > 1;
		if (!may_be)
			break;
		grows = false;
		levels /= 2;
	}
	bt_close(&at);
	if (state->steps >= STEPS_MAX) /* by many elsewhere, in most cases: the next run begins again */
		return BT_DOUBT_OVERFLOW;
	return may_be ? BT_DOUBT_LIMIT : BT_DOUBT_NONE;
}

/* 1: the path of what fd stands for, relative to the target, is in path; 0: it is not below it. BT_E_NOMEM. */
static int path_of_fd(struct bt_watch *watch, int fd, struct bt_buf *path)
{
	struct state *state = watch->state;
	struct stat status;

	path->length = 0;
	if (bt_buf_reserve(path, PATH_MAX + 1) != 0)
		return BT_E_NOMEM;
	char *text = (char *)path->data;
	int failed = name_of_fd(fd, text);
	if (fstat(fd, &status) < 0 || status.st_nlink == 0)
		return 0;
	if (failed) {
		bt_watch_doubt(watch, doubt_of_nameless(state, fd, text));
		return 0;
	}
	const char *rest = below(state, text);
	if (!rest)
		return 0;
	path->length = strlen(rest);
	memmove(text, rest, path->length + 1);
	return 1;
}

static int path_of_handle(struct bt_watch *watch, const void *key, size_t size, struct bt_buf *path)
{
	union {
		struct file_handle handle;
		unsigned char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} copy = {0};

	size -= sizeof(fsid_t);
	if (size > sizeof(copy))
		return 0;
	memcpy(copy.bytes, (const unsigned char *)key + sizeof(fsid_t), size);
	int fd = open_by_handle_at(watch->root, &copy.handle, O_PATH | O_CLOEXEC);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
		bt_watch_doubt(watch, BT_DOUBT_LIMIT);
	if (fd < 0)
		return 0;
	int r = path_of_fd(watch, fd, path);
	close(fd);
	return r;
}

static int path_of(struct bt_watch *watch, const void *directory, struct bt_buf *ret_path)
{
	const struct bt_name *dir = directory;
	int r = path_of_handle(watch, dir->text, dir->length, ret_path);

	return r > 0 ? 0 : r ? r : BT_E_NOT_FOUND;
}

/* Events. */

/* One of the information records after an event. */
static void take_info(struct record *record, const struct fanotify_event_info_header *header)
{
	const struct fanotify_event_info_fid *fid = (const void *)header;
	const unsigned char *key = (const unsigned char *)&fid->fsid;
	struct file_handle handle;

	memcpy(&handle, fid->handle, sizeof(handle));
	size_t size = sizeof(fid->fsid) + sizeof(handle) + handle.handle_bytes;
	if (header->info_type == FAN_EVENT_INFO_TYPE_FID) {
		record->file = key;
		record->file_size = size;
		return;
	}
	record->dir = key;
	record->dir_size = size;
	if (header->info_type == FAN_EVENT_INFO_TYPE_DFID_NAME)
		record->name = (const char *)key + size;
	if (record->name && strcmp(record->name, ".") == 0)
		record->name = NULL;
}

static bool read_event(const unsigned char *data, size_t size, struct fanotify_event_metadata *ret_event)
{
	if (size < sizeof(*ret_event))
		return false;
	memcpy(ret_event, data, sizeof(*ret_event));
	return FAN_EVENT_OK(ret_event, (long)size);
}

static struct record read_record(const struct fanotify_event_metadata *event, const unsigned char *data)
{
	struct record record = {.event = *event};

	for (size_t at = event->metadata_len; at + sizeof(struct fanotify_event_info_header) <= event->event_len;) {
		const struct fanotify_event_info_header *header = (const void *)(data + at);

		if (header->info_type == FAN_EVENT_INFO_TYPE_FID || header->info_type == FAN_EVENT_INFO_TYPE_DFID ||
		    header->info_type == FAN_EVENT_INFO_TYPE_DFID_NAME)
			take_info(&record, header);
		if (header->len == 0)
			break;
		at += header->len;
	}
	return record;
}

/* Nothing is known any more of where directories are. */
static void forget_places(struct state *state)
{
	struct bt_name *dir;
	size_t at = 0;

	state->moves += MOVES;
	if (state->moves != 0)
		return;
	for (dir = bt_names_next(&state->dirs, &at); dir; dir = bt_names_next(&state->dirs, &at))
		dir->flags &= OWNER;
}

static unsigned place_of(const struct state *state, const struct bt_name *dir)
{
	return (dir->flags ^ state->moves) < MOVES ? dir->flags & (ELSEWHERE | BELOW) : 0;
}

/* Asks for the path when it is needed: the place is not known, or something is to be told. 1: path is it; 0: there is
 * nothing to tell. */
static int locate(struct bt_watch *watch, struct bt_name *dir, bool needed, struct bt_buf *path)
{
	const struct state *state = watch->state;
	unsigned place = place_of(state, dir);

	if (place & ELSEWHERE || (place & BELOW && !needed))
		return 0;
	int r = path_of_handle(watch, dir->text, dir->length, path);
	if (r >= 0)
		dir->flags = (dir->flags & OWNER) | state->moves | (r > 0 ? BELOW : ELSEWHERE);
	return r;
}

/* A directory that has come from anywhere: what lies below it is not known. */
static int arrived(struct bt_watch *watch, const char *name, struct bt_buf *path)
{
	int r = path->length > 0 ? bt_buf_append(path, "/", 1) : 0;

	if (!r)
		r = bt_buf_append(path, name, strlen(name) + 1);
	return r ? r : bt_watch_changed(watch, (char *)path->data, true);
}

static int in_directory(struct bt_watch *watch, const struct record *record, struct bt_buf *path)
{
	struct state *state = watch->state;
	uint64_t mask = record->event.mask;
	bool onto = record->name && mask & FAN_ONDIR && mask & (FAN_CREATE | FAN_MOVED_TO);
	bool change = mask & ~(uint64_t)(FAN_OPEN | FAN_ONDIR);
	struct bt_name *dir = bt_names_add(&state->dirs, NULL, record->dir, record->dir_size);

	if (!dir)
		return BT_E_NOMEM;
	change = change && (uintptr_t)dir->data != watch->takes;
	int r = locate(watch, dir, change || onto, path);
	if (r < 0 || place_of(state, dir) & ELSEWHERE)
		return r < 0 ? r : 0;
	if (r > 0 && change) {
		dir->data = (void *)(uintptr_t)watch->takes;
		r = bt_watch_changed(watch, (char *)path->data, false);
	}
	if (r >= 0 && record->name && !(mask & FAN_ONDIR) && mask & (FAN_OPEN | FAN_MODIFY | FAN_MOVED_TO)) {
		dir->flags |= OWNER;
		r = bt_watch_opened(watch, dir, record->name);
	}
	if (r >= 0 && onto)
		r = arrived(watch, record->name, path);
	if (state->dirs.table.count > BT_WATCH_MEMORY)
		bt_watch_doubt(watch, BT_DOUBT_OVERFLOW);
	return r < 0 ? r : 0;
}

/* Something happened to a file by itself, such as a link from somewhere else. */
static int to_file(struct bt_watch *watch, const struct record *record, struct bt_buf *path)
{
	int r = path_of_handle(watch, record->file, record->file_size, path);

	if (r <= 0)
		return r;
	char *slash = strrchr((char *)path->data, '/');
	if (slash)
		*slash = '\0';
	return bt_watch_changed(watch, slash ? (char *)path->data : "", false);
}

static int take_event(struct bt_watch *watch, const struct record *record, struct bt_buf *path)
{
	const struct fanotify_event_metadata *event = &record->event;
	struct state *state = watch->state;
	uint64_t mask = event->mask;

	if (event->vers != FANOTIFY_METADATA_VERSION)
		bt_watch_doubt(watch, BT_DOUBT_LOST);
	if (mask & FAN_Q_OVERFLOW)
		bt_watch_doubt(watch, BT_DOUBT_OVERFLOW);
	if ((mask & ~(uint64_t)FAN_ONDIR) == FAN_OPEN && (mask & FAN_ONDIR || event->pid == state->self))
		return 0;
	if (mask & FAN_ONDIR && mask & (FAN_MOVED_FROM | FAN_MOVED_TO))
		forget_places(state);
	if (record->dir)
		return in_directory(watch, record, path);
	return record->file ? to_file(watch, record, path) : 0;
}

/* *queued: number of events that are still to be taken. */
static int take_events(struct bt_watch *watch, size_t size, struct bt_buf *path, size_t *queued)
{
	const unsigned char *data = watch->records;
	struct fanotify_event_metadata event;
	int r = 0;

	while (!r && bt_watch_goes_on(watch) && read_event(data, size, &event)) {
		struct record record = read_record(&event, data);

		r = take_event(watch, &record, path);
		data += event.event_len;
		size -= event.event_len;
		*queued -= *queued > 0;
	}
	return r;
}

/* A file system has more directories than anybody needs to know of. */
static void sweep(struct state *state)
{
	struct bt_name *dir;
	size_t at = 0;

	while (state->dirs.table.count > DIRS_KEPT) {
		dir = bt_names_next(&state->dirs, &at);
		if (!dir)
			return;
		if (dir->flags & OWNER)
			continue;
		bt_names_remove(&state->dirs, dir);
		at--;
	}
}

static int drain(struct bt_watch *watch)
{
	struct state *state = watch->state;
	size_t queued = bt_watch_queued(watch) / FAN_EVENT_METADATA_LEN;
	struct bt_buf path = {0};
	int r = 0;

	sweep(state);
	if (state->take != watch->takes)
		state->steps = 0;
	state->take = watch->takes;
	while (!r && queued > 0 && bt_watch_goes_on(watch)) {
		ssize_t size = read(watch->events, watch->records, BT_WATCH_RECORDS);

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0 && errno == EAGAIN)
			break;
		if (size <= 0)
			bt_watch_doubt(watch, BT_DOUBT_LOST);
		else
			r = take_events(watch, (size_t)size, &path, &queued);
	}
	bt_buf_free(&path);
	return r;
}

static int place(struct bt_watch *watch, struct state *state)
{
	char link[32];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", watch->root);
	ssize_t length = readlink(link, state->root, sizeof(state->root) - 1);
	if (length <= 0)
		return BT_E_UNSUPPORTED;
	state->root[length] = '\0';
	state->root_length = length == 1 ? 0 : (size_t)length; /* "/" */
	state->self = getpid();
	return 0;
}

/* Whether handles can be opened, not only given. */
static bool handles_open(struct bt_watch *watch)
{
	union {
		struct file_handle handle;
		unsigned char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} own = {.handle.handle_bytes = MAX_HANDLE_SZ};
	int mount;

	if (name_to_handle_at(watch->root, "", &own.handle, &mount, AT_EMPTY_PATH) < 0)
		return false;
	int fd = open_by_handle_at(watch->root, &own.handle, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static int open_source(struct bt_watch *watch)
{
	struct state *state = calloc(1, sizeof(*state));

	if (!state)
		return BT_E_NOMEM;
	watch->state = state;
	if (place(watch, state) != 0 || !handles_open(watch))
		return BT_E_UNSUPPORTED;
	watch->events =
		fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_FID | FAN_REPORT_DFID_NAME | FAN_CLOEXEC | FAN_NONBLOCK,
			      O_RDONLY | O_CLOEXEC);
	if (watch->events < 0)
		return BT_E_UNSUPPORTED;
	if (fanotify_mark(watch->events, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, MARK_MASK, watch->root, NULL) < 0)
		return BT_E_UNSUPPORTED;
	return 0;
}

static void close_source(struct bt_watch *watch)
{
	struct state *state = watch->state;

	if (!state)
		return;
	bt_names_clear(&state->dirs);
	free(state);
	watch->state = NULL;
}

const struct bt_watch_source bt_watch_fanotify = {
	.kind = BT_WATCH_FANOTIFY,
	.open = open_source,
	.drain = drain,
	.path = path_of,
	.close = close_source,
};
