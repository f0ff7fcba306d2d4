/* SPDX-License-Identifier: MIT */
#include "restore/owners.h"

#include "base/account.h"
#include "base/fail.h"
#include "base/vec.h"
#include "model/owners.h"
#include <stdio.h>
#include <string.h>

static const char *const words[] = {[BT_OWNER_USER] = "user", [BT_OWNER_GROUP] = "group"};

static int by_from(const void *a, const void *b)
{
	const struct bt_restore_owner *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

static void sort(struct bt_restore_owners *owners, enum bt_owner_kind kind)
{
	if (owners->kinds[kind].count)
		qsort(owners->kinds[kind].list, owners->kinds[kind].count, sizeof(*owners->kinds[kind].list), by_from);
}

/* Among the first ones of the list. */
static struct bt_restore_owner *find_among(const struct bt_restore_owners *owners, enum bt_owner_kind kind,
					   size_t count, uint32_t id)
{
	const struct bt_restore_owner key = {.from = id};

	return count ? bsearch(&key, owners->kinds[kind].list, count, sizeof(key), by_from) : NULL;
}

static struct bt_restore_owner *find(const struct bt_restore_owners *owners, enum bt_owner_kind kind, uint32_t id)
{
	return find_among(owners, kind, owners->kinds[kind].count, id);
}

static int add_owner(struct bt_restore_owners *owners, enum bt_owner_kind kind, const struct bt_restore_owner *owner)
{
	if (bt_vec_room(owners->kinds[kind].list, owners->kinds[kind].count, owners->kinds[kind].room))
		return BT_E_NOMEM;
	owners->kinds[kind].list[owners->kinds[kind].count++] = *owner;
	return 0;
}

/* A number that is written out. */
static bool parse_number(const char *text, uint32_t *ret_id)
{
	uint64_t number = 0;

	for (const char *c = text; *c; c++) {
		if (*c < '0' || *c > '9' || number > UINT32_MAX)
			return false;
		number = number * 10 + (uint64_t)(*c - '0');
	}
	if (!*text || number >= UINT32_MAX)
		return false;
	*ret_id = (uint32_t)number;
	return true;
}

static int nobody(enum bt_owner_kind kind, const char *name, const char *where, struct bt_error *error)
{
	char text[200];

	snprintf(text, sizeof(text), "there is no %s '%.100s' %s", words[kind], name, where);
	return bt_fail(error, BT_E_INVALID, NULL, text);
}

static int add_change(struct bt_restore_owners *owners, const struct bt_owner_change *change, struct bt_error *error)
{
	const struct bt_owner_name *list = NULL;
	size_t count = bt_owners_list(owners->names, change->kind, &list), found = 0;
	struct bt_restore_owner owner = {0};
	int r = 0;

	if (!bt_account_id(change->kind, change->to, &owner.to) && !parse_number(change->to, &owner.to))
		return nobody(change->kind, change->to, "on this machine", error);
	for (size_t i = 0; i < count && !r; i++) {
		if (strcmp(list[i].name, change->from) != 0)
			continue;
		found++;
		owner.from = list[i].id;
		r = add_owner(owners, change->kind, &owner);
	}
	if (found)
		return r;
	if (!parse_number(change->from, &owner.from))
		return nobody(change->kind, change->from, "in the snapshot", error);
	return add_owner(owners, change->kind, &owner);
}

static int add_changes(struct bt_restore_owners *owners, const struct bt_restore_options *options,
		       struct bt_error *error)
{
	int r = 0;

	for (size_t i = 0; i < options->change_count && !r; i++)
		r = add_change(owners, &options->changes[i], error);
	for (enum bt_owner_kind kind = 0; kind < BT_OWNER_KINDS && !r; kind++) {
		const struct bt_restore_owner *list = owners->kinds[kind].list;

		sort(owners, kind);
		for (size_t i = 1; i < owners->kinds[kind].count && !r; i++)
			if (list[i].from == list[i - 1].from && list[i].to != list[i - 1].to)
				r = bt_fail(error, BT_E_INVALID, NULL, "a user or group is mapped to two others");
	}
	return r;
}

/* The name that the number has on this machine. 0 or BT_E_NOMEM. */
static int find_here(struct bt_restore_owners *owners, struct bt_owner_note *note)
{
	char here[BT_ACCOUNT_SIZE];

	if (!bt_account_name(note->kind, note->id, here))
		return 0;
	note->here = bt_arena_copy(&owners->arena, here, strlen(here));
	return note->here ? 0 : BT_E_NOMEM;
}

/* Somebody of the snapshot, who may have another number here, none, or a number that is somebody else's. */
static int add_named(struct bt_restore_owners *owners, enum bt_owner_kind kind, const struct bt_owner_name *name,
		     bool by_name)
{
	struct bt_restore_owner owner = {
		.from = name->id, .to = name->id, .note = {.kind = kind, .id = name->id, .name = name->name}};
	struct bt_owner_note *note = &owner.note;

	note->has_id = bt_account_id(kind, name->name, &note->here_id);
	if (note->has_id && note->here_id == name->id)
		return 0;
	int r = find_here(owners, note);
	if (by_name && note->has_id)
		owner.to = note->here_id;
	else if (by_name)
		note->doubt = BT_OWNER_UNKNOWN;
	else if (note->has_id || note->here)
		note->doubt = BT_OWNER_CLASH;
	else
		return r;
	return r ? r : add_owner(owners, kind, &owner);
}

/* Those of whom nothing else is said. For what is only told a slow directory service has limited time. */
static int add_all_named(struct bt_restore_owners *owners, bool by_name)
{
	int64_t end = bt_account_deadline();
	int r = 0;

	for (enum bt_owner_kind kind = 0; kind < BT_OWNER_KINDS && !r; kind++) {
		const struct bt_owner_name *list = NULL;
		size_t count = bt_owners_list(owners->names, kind, &list), changed = owners->kinds[kind].count;

		for (size_t i = 0; i < count && !r && (by_name || bt_account_in_time(end)); i++)
			if (!find_among(owners, kind, changed, list[i].id))
				r = add_named(owners, kind, &list[i], by_name);
		sort(owners, kind);
	}
	return r;
}

static int open_names(struct bt_restore_owners *owners, struct bt_store *store, const struct bt_snapshot *snapshot,
		      bool needed, struct bt_error *error)
{
	struct bt_error failed = {0};
	int r = bt_owners_open(store, snapshot, &owners->names, &failed);

	/* That they cannot be told of is no reason to restore nothing. */
	return needed || r == BT_E_NOMEM ? bt_error_pass(error, &failed, r) : 0;
}

int bt_restore_owners_init(struct bt_restore_owners *owners, struct bt_store *store, const struct bt_snapshot *snapshot,
			   const struct bt_restore_options *options, bool privileged, struct bt_error *error)
{
	bool by_name = options->owners == BT_OWNERS_NAME, needed = by_name || options->change_count;

	owners->leave = options->owners == BT_OWNERS_NONE;
	owners->tells = options->owner && privileged;
	if (options->owners > BT_OWNERS_NONE || (owners->leave && options->change_count))
		return bt_fail(error, BT_E_INVALID, NULL, "owners that are not set cannot be mapped");
	if (owners->leave || options->count_only || (!needed && !owners->tells))
		return 0;
	int r = open_names(owners, store, snapshot, needed, error);
	if (!r)
		r = add_changes(owners, options, error);
	if (!r)
		r = add_all_named(owners, by_name);
	return r == BT_E_NOMEM ? bt_fail(error, r, NULL, "restore the snapshot") : r;
}

void bt_restore_owners_free(struct bt_restore_owners *owners)
{
	for (int kind = 0; kind < BT_OWNER_KINDS; kind++)
		free(owners->kinds[kind].list);
	bt_arena_free(&owners->arena);
	bt_owners_close(owners->names);
}

uint32_t bt_restore_owner(const struct bt_restore_owners *owners, enum bt_owner_kind kind, uint32_t id)
{
	const struct bt_restore_owner *owner = find(owners, kind, id);

	return owner ? owner->to : id;
}

int bt_restore_xattr(const struct bt_restore_owners *owners, const struct bt_xattr *xattr,
		     struct bt_restored_xattr *ret_xattr)
{
	size_t length = bt_acl_length(xattr);
	unsigned char *made = NULL;

	*ret_xattr = (struct bt_restored_xattr){.xattr = *xattr};
	for (size_t i = 0; i < length; i++) {
		enum bt_owner_kind kind;
		uint32_t id;

		if (!bt_acl_owner(xattr, i, &kind, &id) || bt_restore_owner(owners, kind, id) == id)
			continue;
		if (!made) {
			made = malloc(xattr->value_length);
			if (!made)
				return BT_E_NOMEM;
			memcpy(made, xattr->value, xattr->value_length);
			ret_xattr->xattr.value = ret_xattr->made = made;
		}
		bt_acl_set_owner(made, i, bt_restore_owner(owners, kind, id));
	}
	return 0;
}

static void count_owner(struct bt_restore_owners *owners, enum bt_owner_kind kind, uint32_t id)
{
	struct bt_restore_owner *owner = find(owners, kind, id);

	if (!owner || owner->last == owners->counted)
		return;
	owner->last = owners->counted;
	owner->note.entries++;
}

void bt_restore_owners_count(struct bt_restore_owners *owners, const struct bt_entry *entry)
{
	enum bt_owner_kind kind;
	uint32_t id;

	if (!owners->tells || (!owners->kinds[BT_OWNER_USER].count && !owners->kinds[BT_OWNER_GROUP].count))
		return;
	owners->counted++;
	count_owner(owners, BT_OWNER_USER, entry->uid);
	count_owner(owners, BT_OWNER_GROUP, entry->gid);
	for (uint32_t i = 0; entry->extra && i < entry->extra->xattr_count; i++) {
		const struct bt_xattr *xattr = &entry->extra->xattrs[i];

		for (size_t at = 0, length = bt_acl_length(xattr); at < length; at++)
			if (bt_acl_owner(xattr, at, &kind, &id))
				count_owner(owners, kind, id);
	}
}

static int by_entries(const void *a, const void *b)
{
	const struct bt_owner_note *x = a, *y = b;

	if (x->entries != y->entries)
		return x->entries > y->entries ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

void bt_restore_owners_tell(struct bt_restore_owners *owners, const struct bt_restore_options *options)
{
	size_t count = 0;
	struct bt_owner_note *notes =
		calloc(owners->kinds[BT_OWNER_USER].count + owners->kinds[BT_OWNER_GROUP].count + 1, sizeof(*notes));

	if (!notes || !owners->tells) {
		free(notes);
		return;
	}
	for (int kind = 0; kind < BT_OWNER_KINDS; kind++)
		for (size_t i = 0; i < owners->kinds[kind].count; i++) {
			const struct bt_owner_note *note = &owners->kinds[kind].list[i].note;

			if (note->doubt && note->entries)
				notes[count++] = *note;
		}
	qsort(notes, count, sizeof(*notes), by_entries);
	for (size_t i = 0; i < count; i++)
		options->owner(options->arg, &notes[i]);
	free(notes);
}
