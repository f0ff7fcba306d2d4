/* SPDX-License-Identifier: MIT */
#include "check_world.h"
#include "at_rest_store.h"

static void note(void *arg, const struct bt_finding *finding)
{
	struct seen *seen = arg;
	size_t used = strlen(seen->text), room = sizeof(seen->text) - used;

	seen->count++;
	used += (size_t)snprintf(seen->text + used, room, "%s %s\n", finding->file ? finding->file : "-",
				 bt_reason_name(finding->error->reason));
	for (size_t i = 0; i < finding->hurt_count && used < sizeof(seen->text); i++) {
		const struct bt_hurt *hurt = &finding->hurts[i];

		used += (size_t)snprintf(seen->text + used, sizeof(seen->text) - used, "  %s:%s %lld+%llu\n",
					 hurt->snapshot,
					 hurt->names  ? "(names)"
					 : hurt->path ? hurt->path
						      : "*",
					 (long long)hurt->offset, (unsigned long long)hurt->length);
	}
	assert_true(used < sizeof(seen->text));
	if (finding->hurts_more)
		snprintf(seen->text + used, sizeof(seen->text) - used, "  +%llu\n",
			 (unsigned long long)finding->hurts_more);
}

int check_with(struct world *world, bool read_only, const struct bt_check_options *options, struct seen *seen,
	       struct bt_check_result *result)
{
	const struct bt_store_options how = {.size = sizeof(how), .read_only = read_only, .cache_bytes = 1 << 20};
	struct bt_check_options serial = {.size = sizeof(serial), .threads = 1};
	struct bt_store *store;

	world->error = (struct bt_error){0};
	*seen = (struct seen){0};
	assert_int_equal(bt_store_open(world->store_path, &how, &store, &world->error), 0);
	int r = bt_check(store, options ? options : &serial, note, seen, NULL, result, &world->error);
	bt_store_close(store);
	assert_int_equal(result->findings, seen->count);
	if (result->newer && r == BT_E_INCOMPLETE) /* what a newer version made is no damage */
		return r;
	assert_int_equal(r, seen->count ? BT_E_DAMAGED : 0);
	return r;
}

int check(struct world *world, const struct bt_check_options *options, struct seen *seen)
{
	struct bt_check_result result = {.size = sizeof(result)};

	return check_with(world, true, options, seen, &result);
}

void make_small(struct world *world, char first[64], char second[64], char volume[64])
{
	char **names;

	world_begin(world);
	put_text(world, "a.txt", "in the volume");
	put_dir(world, "below");
	put_text(world, "below/b.txt", "in the volume, too");
	age(); /* so that below's page stays the same */
	world_snap(world);
	char *oldest = strdup(world->result.name);
	put_text(world, "c.txt", "in the first");
	world_snap(world);
	snprintf(first, 64, "%s", world->result.name);
	put_text(world, "d.txt", "in the second");
	world_snap(world);
	snprintf(second, 64, "%s", world->result.name);
	assert_int_equal(bt_store_refresh(world->store, NULL), 0);
	assert_int_equal(bt_prune(world->store, (const char *const *)&oldest, 1, NULL, NULL, NULL, &world->error), 0);
	free(oldest);
	bt_store_close(world->store);
	world->store = NULL;
	char path[512];
	snprintf(path, sizeof(path), "%s/contents", world->store_path);
	assert_int_equal(list_names(path, &names), 1);
	snprintf(volume, 64, "contents/%s", names[0]);
	free(names[0]);
	free(names);
}

int open_in_store(const struct world *world, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", world->store_path, name);
	int fd = open(lies_at(path, sizeof(path)), O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

void put_byte(int fd, uint64_t at, unsigned char byte)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
	assert_int_equal(futimens(fd, (const struct timespec[]){st.st_atim, st.st_mtim}), 0);
}

unsigned char get_byte(int fd, uint64_t at)
{
	unsigned char byte;

	assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
	return byte;
}
