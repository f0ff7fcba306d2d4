/* SPDX-License-Identifier: MIT */
#include "fs_fake.h"
#include "base/fail.h"
#include "view/pages.h"
#include <internal/store.h>
#include <internal/text.h>
#include <internal/view.h>
#include <internal/watch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX 256

struct bt_store {
	int unused;
};

struct bt_snapshot {
	uint32_t number;
	struct bt_snapshot_info info;
};

static struct {
	struct bt_digest id;
	struct bt_page page;
} pages[MAX];
static struct bt_snapshot snapshots[MAX];
static size_t page_count, snapshot_count;
static long pins;
static int opens;
static uint32_t numbers;
static struct bt_store the_store;

struct bt_store *fake_store(void)
{
	return &the_store;
}

long fake_pins(void)
{
	return pins;
}

int fake_opens(void)
{
	return opens;
}

struct bt_digest fake_id(unsigned number)
{
	struct bt_digest id = {{0}};

	memcpy(id.bytes, &number, sizeof(number));
	return id;
}

void fake_reset(void)
{
	page_count = snapshot_count = 0;
	pins = 0;
	opens = 0;
}

void fake_page(struct bt_digest id, const struct bt_entry *entries, size_t count)
{
	pages[page_count].id = id;
	pages[page_count++].page = (struct bt_page){.kind = BT_PAGE_ENTRIES, .count = count, .entries = entries};
}

void fake_leaves(struct bt_digest id, const struct bt_leaf *leaves, size_t count)
{
	pages[page_count].id = id;
	pages[page_count++].page = (struct bt_page){.kind = BT_PAGE_LEAVES, .count = count, .leaves = leaves};
}

void fake_snapshot(const char *name, struct bt_digest tree, bool xattrs)
{
	struct bt_snapshot *snapshot = &snapshots[snapshot_count++];

	snapshot->number = ++numbers;
	snapshot->info = (struct bt_snapshot_info){
		.name = name,
		.time = {.seconds = (int64_t)snapshot_count, .nanoseconds = 5},
		.root = {.name = "", .type = BT_DIR, .mode = 0700, .uid = 7, .gid = 8, .digest = tree},
		.xattrs = xattrs,
	};
}

void fake_drop_snapshot(const char *name)
{
	for (size_t i = 0; i < snapshot_count; i++)
		if (strcmp(snapshots[i].info.name, name) == 0) {
			memmove(&snapshots[i], &snapshots[i + 1], (snapshot_count - i - 1) * sizeof(*snapshots));
			snapshot_count--;
			return;
		}
}

const struct bt_roster *bt_roster_get(struct bt_store *store)
{
	static const char *roster_names[MAX];
	static uint32_t roster_numbers[MAX];
	static struct bt_roster roster = {.names = roster_names, .numbers = roster_numbers};

	for (size_t i = 0; i < snapshot_count; i++) {
		roster_names[i] = snapshots[i].info.name;
		roster_numbers[i] = snapshots[i].number;
	}
	roster.count = snapshot_count;
	return &roster;
}

void bt_roster_put(const struct bt_roster *roster)
{
}

size_t bt_store_snapshot_count(struct bt_store *store)
{
	return snapshot_count;
}

const char *bt_store_snapshot_name(struct bt_store *store, size_t index)
{
	return snapshots[index].info.name;
}

/* Files stay what they are, unlike the order. */
uint32_t bt_store_snapshot_number(struct bt_store *store, size_t index)
{
	return snapshots[index].number;
}

int bt_select(struct bt_store *store, const char *text, const struct bt_scope *scope, struct bt_choice *ret_choice,
	      struct bt_error *error)
{
	for (size_t i = snapshot_count; i-- > 0;) {
		const char *name = snapshots[i].info.name;

		if (scope->wanted && !scope->wanted(scope->arg, name))
			continue;
		if (strcmp(text, "latest") == 0 || strstr(name, text)) {
			*ret_choice = (struct bt_choice){.size = sizeof(struct bt_choice), .name = name};
			return 0;
		}
	}
	return BT_E_NOT_FOUND;
}

/* Snapshots here are of no host, no directory, and without tags. */
bool bt_filter_selects(const struct bt_filter *filter, const struct bt_snapshot_info *info)
{
	return !filter->host_count && !filter->target_count && !filter->tag_count;
}

int bt_snapshot_open(struct bt_store *store, const char *name, struct bt_snapshot **ret_snapshot,
		     struct bt_error *error)
{
	for (size_t i = 0; i < snapshot_count; i++)
		if (strcmp(snapshots[i].info.name, name) == 0) {
			*ret_snapshot = malloc(sizeof(**ret_snapshot));
			**ret_snapshot = snapshots[i];
			opens++;
			return 0;
		}
	return BT_E_NOT_FOUND;
}

void bt_snapshot_close(struct bt_snapshot *snapshot)
{
	free(snapshot);
}

const struct bt_snapshot_info *bt_snapshot_info(const struct bt_snapshot *snapshot)
{
	return &snapshot->info;
}

int bt_page_get(struct bt_store *store, const struct bt_digest *id, const struct bt_page **ret_page,
		struct bt_error *error)
{
	for (size_t i = 0; i < page_count; i++)
		if (memcmp(&pages[i].id, id, sizeof(*id)) == 0) {
			*ret_page = &pages[i].page;
			pins++;
			return 0;
		}
	return BT_E_DAMAGED;
}

int bt_page_read(struct bt_store *store, struct bt_page_reader *reader, const struct bt_digest *id, bool in_order,
		 const struct bt_page **ret_page, struct bt_error *error)
{
	return bt_page_get(store, id, ret_page, error);
}

int bt_page_skim(struct bt_store *store, struct bt_page_reader *reader, const struct bt_digest *id, bool in_order,
		 const struct bt_page_skim *skim, bool *ret_passes, struct bt_error *error)
{
	*ret_passes = false;
	return 0;
}

void bt_page_leave(struct bt_store *store, struct bt_page_reader *reader, const struct bt_page *page, bool once)
{
	bt_page_put(store, page);
}

void bt_page_reader_free(struct bt_page_reader *reader)
{
}

int bt_page_get_kind(struct bt_store *store, const struct bt_digest *id, enum bt_page_kind kind,
		     const struct bt_page **ret_page, struct bt_error *error)
{
	int r = bt_page_get(store, id, ret_page, error);

	if (r || (*ret_page)->kind == kind)
		return r;
	bt_page_put(store, *ret_page);
	return BT_E_DAMAGED;
}

int bt_page_fail(struct bt_store *store, const struct bt_page *page, enum bt_reason reason, struct bt_error *error)
{
	if (error)
		error->code = BT_E_DAMAGED;
	return BT_E_DAMAGED;
}

void bt_page_ref(struct bt_store *store, const struct bt_page *page)
{
	pins++;
}

void bt_page_put(struct bt_store *store, const struct bt_page *page)
{
	if (page)
		pins--;
}

void bt_error_text(const struct bt_error *error, char *text, size_t size)
{
	if (size)
		*text = '\0';
}

bool bt_error_is_newer(const struct bt_error *error)
{
	return false;
}

void bt_error_escape(const char *text, char *escaped, size_t size)
{
	snprintf(escaped, size, "%s", text);
}

/* What nothing here calls, but the library refers to. */
int bt_entry_stored(struct bt_store *store, const struct bt_entry *file, uint64_t *ret_bytes, struct bt_error *error)
{
	return BT_E_UNSUPPORTED;
}

int bt_readahead_new(struct bt_store *store, struct bt_readahead **ret_readahead)
{
	return BT_E_UNSUPPORTED;
}

void bt_readahead_free(struct bt_readahead *readahead)
{
}

void bt_readahead_next(struct bt_readahead *readahead, const struct bt_entry *file)
{
}

int bt_slice_start(struct bt_store *store, const struct bt_entry *file, uint64_t offset, unsigned flags,
		   struct bt_slice *ret_slice, struct bt_error *error)
{
	return BT_E_UNSUPPORTED;
}

void bt_slice_end(struct bt_store *store, struct bt_slice *slice)
{
}

int bt_entry_pread(struct bt_store *store, const struct bt_entry *file, void *data, size_t size, uint64_t offset,
		   size_t *ret_size, struct bt_error *error)
{
	return BT_E_UNSUPPORTED;
}

int bt_store_refresh(struct bt_store *store, struct bt_error *error)
{
	return 0;
}

void bt_store_doubt(struct bt_store *store)
{
}

unsigned bt_store_version(const struct bt_store *store)
{
	return 0;
}

bool bt_watch_foreign(int directory)
{
	return true;
}

int bt_fail(struct bt_error *error, enum bt_code code, const char *file, const char *detail)
{
	return code;
}
