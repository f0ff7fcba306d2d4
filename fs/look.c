/* SPDX-License-Identifier: MIT */
#include "look.h"
#include "loop.h"
#include "root.h"
#include "versions.h"
#include <errno.h>
#include <sys/stat.h>
#include <time.h>

#define TICK_NS INT64_C(20000000) /* file systems other than old ones have times at least this fine */

static bool is_same(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool has_changed(struct fs *fs)
{
	struct look *look = &fs->look;
	struct stat st;

	if (fstat(fs->store_fd, &st) != 0)
		return false;
	pthread_mutex_lock(&look->lock);
	bool same = look->settled && is_same(&look->changed, &st.st_mtim) && is_same(&look->changed_inode, &st.st_ctim);
	pthread_mutex_unlock(&look->lock);
	return !same;
}

static bool is_settled(const struct timespec *changed)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	int64_t age = (now.tv_sec - changed->tv_sec) * INT64_C(1000000000) + (now.tv_nsec - changed->tv_nsec);
	return age < 0 || age > TICK_NS; /* the age is unknown if another clock gave the time */
}

static void note_times(struct look *look, const struct stat *st, bool settled)
{
	pthread_mutex_lock(&look->lock);
	look->changed = st->st_mtim;
	look->changed_inode = st->st_ctim;
	look->settled = settled;
	pthread_mutex_unlock(&look->lock);
}

/* Call it with looking held. The times are taken before, so that the next look sees what changes meanwhile. */
static int look(struct fs *fs, struct bt_error *error)
{
	struct stat st;
	size_t before = fs->look.news.count;
	bool known = fstat(fs->store_fd, &st) == 0, settled = known && is_settled(&st.st_ctim);
	int code = bt_store_refresh(fs->store, error);

	if (code == 0 && root_update(fs, &fs->look.news) != 0)
		code = BT_E_NOMEM;
	if (code == BT_E_NOMEM && !error->code)
		*error = (struct bt_error){.code = BT_E_NOMEM, .offset = BT_NO_OFFSET};
	if (known)
		note_times(&fs->look, &st, settled && code == 0);
	if (fs->look.news.count == before)
		return code;
	if (fs->versions)
		versions_outdate(fs);
	fs->look.changes++;
	return code;
}

int look_again(struct fs *fs, struct root_change *ret_news, struct bt_error *error)
{
	pthread_mutex_lock(&fs->look.looking);
	int code = look(fs, error);
	*ret_news = fs->look.news;
	fs->look.news = (struct root_change){0};
	pthread_mutex_unlock(&fs->look.looking);
	return code;
}

/* A failure here is tried again by the thread that follows the store. */
bool look_came(struct fs *fs, unsigned changes)
{
	struct bt_error error = {0};

	loop_slow(fs);
	pthread_mutex_lock(&fs->look.looking);
	int code = has_changed(fs) ? look(fs, &error) : 0;
	pthread_mutex_unlock(&fs->look.looking);
	if (code)
		log_error(&fs->log, "looking at the store again", &error);
	return look_changes(fs) != changes;
}

void look_if_changed(struct fs *fs)
{
	if (has_changed(fs))
		look_came(fs, 0);
}

unsigned look_changes(const struct fs *fs)
{
	return fs->look.changes;
}

void look_pause(struct fs *fs)
{
	pthread_mutex_lock(&fs->look.looking);
}

void look_resume(struct fs *fs)
{
	pthread_mutex_unlock(&fs->look.looking);
}

struct timespec look_changed(struct fs *fs)
{
	pthread_mutex_lock(&fs->look.lock);
	struct timespec changed = fs->look.changed;
	pthread_mutex_unlock(&fs->look.lock);
	return changed;
}

static bool is_gone(const struct bt_error *error)
{
	return error->sys == ENOENT || error->sys == ESTALE || error->reason == BT_R_MISSING_PAGE ||
	       error->reason == BT_R_MISSING_CONTENT || error->reason == BT_R_CHANGED || bt_error_is_newer(error);
}

static long now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

bool look_retry(struct fs *fs, unsigned *version, struct bt_error *error)
{
	struct bt_error unused = {0};
	unsigned before = *version;

	if (!is_gone(error))
		return false;
	loop_slow(fs);
	pthread_mutex_lock(&fs->look.looking);
	if (bt_store_version(fs->store) == before && fs->look.missed != now_seconds()) {
		if (error->reason == BT_R_CHANGED)
			bt_store_doubt(fs->store);
		if (look(fs, &unused) != 0 || bt_store_version(fs->store) == before)
			fs->look.missed = now_seconds();
	}
	pthread_mutex_unlock(&fs->look.looking);
	*version = bt_store_version(fs->store);
	if (*version == before)
		return false;
	*error = (struct bt_error){0};
	return true;
}
