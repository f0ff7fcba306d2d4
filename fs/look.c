/* SPDX-License-Identifier: MIT */
#include "look.h"
#include "loop.h"
#include "root.h"
#include "versions.h"
#include <sys/stat.h>
#include <time.h>

#define TICK_NS INT64_C(20000000) /* file systems that count time do not count it more coarsely, but for old ones */

static bool is_same(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool has_changed(const struct fs *fs)
{
	struct stat st;
	if (fstat(fs->store_fd, &st) != 0)
		return false;
	return !fs->settled || !is_same(&fs->changed, &st.st_mtim) || !is_same(&fs->changed_inode, &st.st_ctim);
}

static bool is_settled(const struct timespec *changed)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t age = (now.tv_sec - changed->tv_sec) * INT64_C(1000000000) + (now.tv_nsec - changed->tv_nsec);
	return age < 0 || age > TICK_NS; /* of another clock nothing can be said */
}

int look_again(struct fs *fs, struct bt_error *error)
{
	struct stat st;
	size_t before = fs->news.count;
	bool known = fstat(fs->store_fd, &st) == 0, settled = known && is_settled(&st.st_ctim);
	int code = bt_store_refresh(fs->store, error);
	if (code == 0 && root_update(fs, &fs->news) != 0)
		code = BT_E_NOMEM;
	if (code == BT_E_NOMEM && !error->code)
		*error = (struct bt_error){.code = BT_E_NOMEM, .offset = BT_NO_OFFSET};
	if (known) {
		fs->changed = st.st_mtim;
		fs->changed_inode = st.st_ctim;
	}
	fs->settled = settled && code == 0;
	if (fs->versions && fs->news.count > before)
		versions_outdate(fs);
	return code;
}

void look_if_changed(struct fs *fs)
{
	struct bt_error error = {0};
	if (!has_changed(fs) || !loop_pause())
		return;
	pthread_rwlock_wrlock(&fs->lock);
	if (has_changed(fs) && look_again(fs, &error) != 0) /* the thread that follows the store tries again */
		log_error(&fs->log, "looking at the store again", &error);
	pthread_rwlock_unlock(&fs->lock);
	loop_resume();
}
