/* SPDX-License-Identifier: MIT */
#include "attr.h"
#include "hash.h"
#include <string.h>
#include <sys/sysmacros.h>

#define BLOCK_UNIT     4096 /* space is shown in whole blocks of this size, as disk file systems do */
#define DIRECTORY_SIZE 4096

bool attr_rules_any(const struct attr_rules *rules)
{
	return rules->set_uid || rules->set_gid || rules->umask;
}

uint64_t attr_path_top(void)
{
	return HASH_SEED;
}

uint64_t attr_path_below(uint64_t path, const char *name, size_t length)
{
	return hash_bytes(path, name, length);
}

mode_t attr_type_bits(uint8_t type)
{
	static const mode_t bits[] = {
		[BT_FILE] = S_IFREG,	[BT_DIR] = S_IFDIR,	[BT_SYMLINK] = S_IFLNK, [BT_FIFO] = S_IFIFO,
		[BT_SOCKET] = S_IFSOCK, [BT_CHARDEV] = S_IFCHR, [BT_BLOCKDEV] = S_IFBLK};

	return type < sizeof(bits) / sizeof(*bits) ? bits[type] : 0;
}

bool attr_is_known(const struct bt_entry *entry)
{
	return entry->type != BT_DIR && !(entry->extra && entry->extra->error);
}

static bool has_links(const struct bt_entry *entry)
{
	return entry->extra && entry->extra->links > 1;
}

bool attr_is_shareable(const struct bt_entry *entry)
{
	return attr_is_known(entry) && !has_links(entry);
}

static uint64_t add_chunks(uint64_t hash, const struct bt_chunk *chunks, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		hash = hash_bytes(hash_add(hash, chunks[i].size), &chunks[i].digest, sizeof(chunks[i].digest));
	return hash;
}

static uint64_t add_extra(uint64_t hash, const struct bt_entry *entry, const struct bt_extra *extra)
{
	if (!entry->has_digest) {
		hash = add_chunks(hash, extra->chunks, extra->chunk_count);
		hash = add_chunks(hash, extra->chunk_pages, extra->chunk_page_count);
		for (uint32_t i = 0; i < extra->hole_count; i++)
			hash = hash_add(hash_add(hash, extra->holes[i].offset), extra->holes[i].length);
	}
	hash = hash_bytes(hash, extra->target, extra->target_length);
	hash = hash_add(hash_add(hash, extra->dev_major), extra->dev_minor);
	for (uint32_t i = 0; i < extra->xattr_count; i++) {
		hash = hash_bytes(hash, extra->xattrs[i].name, extra->xattrs[i].name_length);
		hash = hash_bytes(hash, extra->xattrs[i].value, extra->xattrs[i].value_length);
	}
	return hash;
}

/* Members of the extra that are not hashed, such as birth times, make no other number. */
static uint64_t add_metadata(uint64_t hash, const struct bt_entry *entry)
{
	static const struct bt_extra none = {0};

	hash = hash_add(hash, (uint64_t)entry->type << 16 | entry->mode);
	hash = hash_add(hash, (uint64_t)entry->uid << 32 | entry->gid);
	hash = hash_add(hash, entry->size);
	hash = hash_add(hash, (uint64_t)entry->mtime.seconds);
	hash = hash_add(hash, entry->mtime.nanoseconds);
	if (entry->has_digest)
		hash = hash_bytes(hash, &entry->digest, sizeof(entry->digest));
	return add_extra(hash, entry, entry->extra ? entry->extra : &none);
}

/* 63 bits, without the small numbers that file systems use for special files. */
static uint64_t usable(uint64_t hash)
{
	hash &= INT64_MAX;
	return hash < 1024 ? hash + 1024 : hash;
}

uint64_t attr_ino(const struct bt_entry *entry, uint64_t path, uint64_t snapshot)
{
	if (entry->type == BT_DIR)
		return usable(hash_add(snapshot, path));
	uint64_t hash = path;
	if (has_links(entry))
		hash = hash_add(hash_add(HASH_SEED, entry->extra->inode), entry->extra->dev);
	if (snapshot)
		hash = hash_add(hash, snapshot);
	return usable(add_metadata(hash, entry));
}

uint64_t attr_data_bytes(const struct bt_entry *entry)
{
	uint64_t data = entry->size;

	for (uint32_t i = 0; entry->extra && i < entry->extra->hole_count; i++)
		data -= entry->extra->holes[i].length;
	return data;
}

#define ACL_NAME    ATTR_ACL_PREFIX "access"
#define ACL_VERSION 2
#define ACL_HEADER  4
#define ACL_ENTRY   8

enum acl_tag { OWNER = 0x01, USER = 0x02, OWNING_GROUP = 0x04, GROUP = 0x08, MASK = 0x10, OTHER = 0x20 };

static const struct bt_xattr *find_acl(const struct bt_entry *entry)
{
	for (uint32_t i = 0; entry->extra && i < entry->extra->xattr_count; i++) {
		const struct bt_xattr *xattr = &entry->extra->xattrs[i];

		if (xattr->name_length == strlen(ACL_NAME) && memcmp(xattr->name, ACL_NAME, strlen(ACL_NAME)) == 0)
			return xattr;
	}
	return NULL;
}

bool attr_has_acl(const struct bt_entry *entry)
{
	return find_acl(entry);
}

/* What each kind of entry of a list grants, combined for entries of the same kind, and which kinds there are. */
struct acl {
	unsigned rights[OTHER + 1], seen;
};

/* All numbers are little-endian. False: not a list that the kernel would accept. */
static bool read_acl(const struct bt_xattr *xattr, struct acl *ret_acl)
{
	const unsigned char *at = xattr->value, *end = at + xattr->value_length;
	unsigned needed = OWNER | OWNING_GROUP | OTHER;

	if (xattr->value_length % ACL_ENTRY != ACL_HEADER || at[0] != ACL_VERSION || at[1] || at[2] || at[3])
		return false;
	*ret_acl = (struct acl){0};
	memset(ret_acl->rights, 0xff, sizeof(ret_acl->rights));
	for (at += ACL_HEADER; at < end; at += ACL_ENTRY) {
		unsigned tag = at[0] | (unsigned)at[1] << 8, rights = at[2] | (unsigned)at[3] << 8;

		if (tag == 0 || tag > OTHER || (tag & (tag - 1)) || rights > 7)
			return false;
		ret_acl->rights[tag] &= rights;
		ret_acl->seen |= tag;
	}
	if (ret_acl->seen & (USER | GROUP))
		needed |= MASK;
	return (ret_acl->seen & needed) == needed;
}

/*
 * With a list, the group bits of the mode are its mask, which may be far more than the owning group has. Without the
 * list, a user has the rights of the first of these that fits: owner, member of the owning group, other. So
 * - owner: unchanged, since the list says nothing else of the owner;
 * - group: what the list grants to it, but no more than any user named in the list has, since this user may be a
 *   member. Named groups take nothing away: under the list a member has the rights of both;
 * - other: no more than any user or group named in the list has.
 * All but owner and other are limited by the mask. An invalid list leaves the bits of the owner only.
 */
uint16_t attr_mode_without_acl(const struct bt_entry *entry)
{
	const struct bt_xattr *xattr = find_acl(entry);
	struct acl acl;
	unsigned allowed = 07700;

	if (!xattr)
		return entry->mode;
	if (read_acl(xattr, &acl)) {
		unsigned users = acl.rights[USER] & (acl.seen & USER ? acl.rights[MASK] : 7);
		unsigned groups = acl.rights[GROUP] & (acl.seen & GROUP ? acl.rights[MASK] : 7);

		allowed |= (acl.rights[OWNING_GROUP] & acl.rights[MASK] & users & 7) << 3;
		allowed |= acl.rights[OTHER] & users & groups & 7;
	}
	return (uint16_t)(entry->mode & allowed);
}

static void fill_size(const struct bt_entry *entry, struct stat *st)
{
	if (entry->type == BT_FILE) {
		uint64_t data = attr_data_bytes(entry);

		st->st_size = (off_t)entry->size;
		st->st_blocks = (blkcnt_t)((data / BLOCK_UNIT + (data % BLOCK_UNIT != 0)) * (BLOCK_UNIT / 512));
	} else if (entry->type == BT_DIR) {
		st->st_size = DIRECTORY_SIZE;
		st->st_blocks = DIRECTORY_SIZE / 512;
	} else if (entry->type == BT_SYMLINK && entry->extra) {
		st->st_size = entry->extra->target_length;
	}
}

void attr_fill(const struct attr_rules *rules, const struct bt_entry *entry, uint64_t ino, struct stat *ret_stat)
{
	const struct bt_extra *extra = entry->extra;
	mode_t hidden = entry->type == BT_SYMLINK ? 0 : (mode_t)rules->umask;
	mode_t mode = rules->acls ? entry->mode : attr_mode_without_acl(entry);

	*ret_stat = (struct stat){
		.st_ino = ino,
		.st_mode = attr_type_bits(entry->type) | (mode & ~hidden),
		.st_nlink = extra && extra->links > 1 ? extra->links : 1,
		.st_uid = rules->set_uid ? rules->uid : entry->uid,
		.st_gid = rules->set_gid ? rules->gid : entry->gid,
		.st_blksize = BLOCK_UNIT,
		.st_mtim = {.tv_sec = entry->mtime.seconds, .tv_nsec = entry->mtime.nanoseconds},
	};
	ret_stat->st_atim = ret_stat->st_ctim = ret_stat->st_mtim;
	if (entry->type == BT_CHARDEV || entry->type == BT_BLOCKDEV)
		ret_stat->st_rdev = extra ? makedev(extra->dev_major, extra->dev_minor) : 0;
	fill_size(entry, ret_stat);
}
