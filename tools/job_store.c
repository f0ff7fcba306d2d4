/* SPDX-License-Identifier: MIT */
#include "job_store.h"
#include "output.h"
#include <errno.h>
#include <internal/policy.h>
#include <internal/state.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define WAITING_REFUSED 64 /* connections that wait: each is a second job that was refused */

char *job_store_task(const char *host, const char *target)
{
	return tool_format("job %s %s", host, target);
}

void job_store_init(struct job_store *store, const struct tool *tool, char *host, char *target)
{
	*store = (struct job_store){.tool = *tool, .host = host, .target = target, .claim = -1, .socket = -1};
	store->task = job_store_task(host, target);
}

static void let_go(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int refuse(const struct job_store *store)
{
	tool_auto char *target = tool_escape(store->target);

	tool_say(&store->tool, "another job protects %s in this store already; end it first, or name another store",
		 target);
	return TOOL_LOCKED;
}

/* FNV-1a */
static uint64_t hash(uint64_t value, const char *text)
{
	do {
		value = (value ^ (unsigned char)*text) * UINT64_C(1099511628211);
	} while (*text++);
	return value;
}

static socklen_t address_of(const char *id, const char *task, struct sockaddr_un *address)
{
	uint64_t number = hash(UINT64_C(14695981039346656037), task);
	int length = snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1, "backuptool-job-%s-%016" PRIx64, id,
			      number);

	address->sun_family = AF_UNIX;
	address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}

/* Whether the name is held by somebody whose word counts: root or this user. A queue that is full is one of many
 * refused. */
static bool held_by_peer(const struct sockaddr_un *address, socklen_t length)
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t size = sizeof(peer);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool held = false;

	if (fd < 0)
		return false;
	if (connect(fd, (const struct sockaddr *)address, length) < 0)
		held = errno == EAGAIN;
	else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
		held = peer.uid == 0 || peer.uid == geteuid();
	close(fd);
	return held;
}

/* Without sockets the claim in the store has to do. */
static int take_name(struct job_store *store)
{
	struct sockaddr_un address;
	socklen_t length = address_of(store->id, store->task, &address);
	int fd;

	if (store->socket >= 0 || !*store->id)
		return TOOL_OK;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, length) == 0 && listen(fd, WAITING_REFUSED) == 0) {
		store->socket = fd;
		return TOOL_OK;
	}
	if (fd >= 0)
		close(fd);
	return errno == EADDRINUSE && held_by_peer(&address, length) ? refuse(store) : TOOL_OK;
}

bool job_store_waits(const char *id, const char *task)
{
	struct sockaddr_un address;
	socklen_t length = address_of(id, task, &address);

	return *id && held_by_peer(&address, length);
}

void job_store_answer(const struct job_store *store)
{
	int fd;

	do {
		fd = store->socket < 0 ? -1 : accept4(store->socket, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			close(fd);
	} while (fd >= 0);
}

static int claim(struct job_store *store)
{
	struct bt_error error = {0};

	if (bt_store_claim(store->store, store->task, &store->claim, &error) == 0)
		return TOOL_OK;
	return error.code == BT_E_LOCKED ? refuse(store) : tool_fail(&store->tool, &error);
}

/* From now on no other store is the right one. */
static void remember(struct job_store *store)
{
	if (*store->id)
		return;
	memccpy(store->id, bt_store_id(store->store), 0, sizeof(store->id) - 1);
	store->made = bt_store_made(store->store);
	store->tool.store_id = *store->id ? store->id : store->tool.store_id;
}

int job_store_open(struct job_store *store, bool create)
{
	int r;

	if (store->store)
		return TOOL_OK;
	r = tool_store_open(&store->tool, create, &store->store);
	if (r == TOOL_OK) {
		remember(store);
		r = claim(store);
	}
	if (r == TOOL_OK)
		r = take_name(store);
	if (r != TOOL_OK)
		job_store_close(store);
	return r;
}

bool job_store_look(struct job_store *store)
{
	const struct bt_store_options options = {
		.size = sizeof(options), .id = tool_store_wanted(&store->tool), .read_only = true};
	struct bt_error unused = {0};

	return bt_store_open(store->tool.store, &options, &store->store, &unused) == 0;
}

void job_store_close(struct job_store *store)
{
	let_go(&store->claim);
	bt_store_close(store->store);
	store->store = NULL;
}

void job_store_free(struct job_store *store)
{
	job_store_close(store);
	let_go(&store->socket);
	free(store->host);
	free(store->target);
	free(store->task);
}

/* Not a partial one: the run that took it is still to be done. */
static bool is_own(const struct job_store *store, const char *name)
{
	struct bt_snapshot *snapshot;
	struct bt_error unused = {0};
	bool own;

	if (bt_snapshot_open(store->store, name, &snapshot, &unused))
		return false;
	own = !bt_snapshot_info(snapshot)->partial && strcmp(bt_snapshot_info(snapshot)->host, store->host) == 0 &&
	      strcmp(bt_snapshot_info(snapshot)->target, store->target) == 0;
	bt_snapshot_close(snapshot);
	return own;
}

/* Milliseconds since a time in seconds. */
static int64_t age_of(int64_t seconds)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return ((int64_t)now.tv_sec - seconds) * 1000 + now.tv_nsec / 1000000;
}

/* A run that found nothing changed since a snapshot that is there counts as one. */
static bool find_unchanged(const struct job_store *store, int64_t younger, int64_t *ret_age)
{
	tool_auto struct bt_state *run = tool_alloc(sizeof(*run));
	int64_t age;

	if (!bt_state_get(store->store, BT_STATE_RUN, store->host, store->target, run) || run->exit != TOOL_OK ||
	    run->count || !*run->snapshot)
		return false;
	age = age_of(run->time.seconds);
	if (age < 0 || age >= younger || !is_own(store, run->snapshot))
		return false;
	*ret_age = age;
	return true;
}

static const char *find_snapshot(const struct job_store *store, int64_t younger, int64_t *ret_age)
{
	for (size_t i = bt_store_snapshot_count(store->store); i-- > 0;) {
		const char *name = bt_store_snapshot_name(store->store, i);
		int64_t seconds, age;
		unsigned clash;

		if (bt_snapshot_name_parse(name, &seconds, &clash))
			continue;
		age = age_of(seconds);
		if (age >= younger) /* so are all before it */
			return NULL;
		if (age < 0 || !is_own(store, name))
			continue;
		*ret_age = age;
		return name;
	}
	return NULL;
}

bool job_store_newest(const struct job_store *store, int64_t younger, int64_t *ret_age, char **ret_name)
{
	int64_t age = 0;
	const char *name = find_snapshot(store, younger, &age);

	if (find_unchanged(store, name ? age : younger, ret_age)) {
		*ret_name = tool_format("the last run, which found nothing changed");
		return true;
	}
	if (!name)
		return false;
	*ret_age = age;
	*ret_name = tool_format("%s", name);
	return true;
}
