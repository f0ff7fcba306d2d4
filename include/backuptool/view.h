/* SPDX-License-Identifier: MIT */
/*
 * Looking into snapshots: directories, entries and file contents, decoded on demand and verified.
 *
 * Pages (parsed parts of directories) are reference-counted, immutable, and cached within a byte budget. An entry
 * belongs to its page: keep the page while you use it.
 */
#ifndef BACKUPTOOL_VIEW_H
#define BACKUPTOOL_VIEW_H

#include <backuptool/store.h>
#include <stdbool.h>

BT_C_BEGIN

enum bt_type { BT_FILE = 1, BT_DIR, BT_SYMLINK, BT_FIFO, BT_SOCKET, BT_CHARDEV, BT_BLOCKDEV };

struct bt_extent {
	uint64_t offset, length;
};
struct bt_chunk {
	struct bt_digest digest;
	uint64_t size;
}; /* a content; or a chunk page, with the number of bytes that it stands for */
struct bt_xattr {
	const char *name;
	const unsigned char *value;
	uint32_t name_length, value_length;
};

/* Members that few entries have. */
struct bt_extra {
	const struct bt_chunk *chunks;	    /* of a file in several contents */
	const struct bt_chunk *chunk_pages; /* or of a file in very many */
	const struct bt_extent *holes;
	const uint64_t *hole_sums; /* bytes of each hole and of all holes before it: to find where a byte lies */
	const struct bt_xattr *xattrs;
	uint32_t chunk_count, chunk_page_count, hole_count, xattr_count;
	bool has_chunks; /* chunks are given, but their number may be 0 */
	bool torn;
	const char *error;    /* errno name, or NULL */
	const char *boundary; /* of a directory that was not entered because another file system begins there: the type
				 of that file system as in /proc/self/mountinfo ("tmpfs", "fuse.sshfs"), or
				 "btrfs-subvolume". The tree of such a directory is empty, which says nothing about its
				 contents. NULL: not such a directory */
	uint32_t flags;	      /* inode flags of a file or directory: bits of FS_IOC_GETFLAGS in BT_INODE_FLAGS */
	uint32_t project;     /* project id of a file or directory; 0: none */
	const char *target;   /* symlink; NUL-terminated */
	uint32_t target_length;
	uint32_t dev_major, dev_minor;
	uint64_t inode, links, dev; /* links 0: not given */
	const char *further;  /* members that this version does not know, as they stand in the file: ",\"x\":1"; NULL:
				 none */
	struct bt_time btime; /* birth time, if has_btime */
	bool has_btime;
};

/*
 * The inode flags that are recorded and restored: those that a user can set. Flags that a file system sets itself
 * (extents, indexed directories, encryption) are not included. bt_flags_text writes their letters as lsattr(1) and
 * chattr(1) do, in the order of the bits: "iad".
 */
#define BT_INODE_FLAGS	   UINT32_C(0x6283c4ff)
#define BT_FLAGS_TEXT_SIZE 18 /* all of them, and NUL */
void bt_flags_text(uint32_t flags, char text[BT_FLAGS_TEXT_SIZE]);

struct bt_entry {
	const char *name;	 /* NUL-terminated; "" for the root */
	struct bt_digest digest; /* file: sha256 (if has_digest); dir: id of its page */
	uint64_t size;		 /* files */
	struct bt_time mtime;
	uint32_t uid, gid;
	uint16_t mode; /* 07777 */
	uint16_t name_length;
	uint8_t type; /* enum bt_type */
	bool has_digest, has_stat;
	uint64_t stat;		      /* fingerprint */
	const struct bt_extra *extra; /* NULL if all of it would be zero */
};

#define BT_DESCRIPTION_MAX 4096

struct bt_snapshot_info {
	const char *name; /* file name in the store */
	bool classic;
	struct bt_time time;
	const char *host, *target, *parent; /* parent NULL if none; target may hold any bytes but NUL */
	const char *const *tags;
	size_t tag_count;
	struct bt_entry root; /* the target directory */
	uint64_t files, directories, others;
	uint64_t directory_size, stored_size, file_size; /* file_size: of the snapshot file */
	uint64_t added_size;				 /* bytes that it added to the disk: its file and its volumes */
	uint64_t created, changed, unchanged;
	uint64_t errors;     /* entries that could not be read, or are torn */
	uint64_t torn;	     /* of these */
	uint64_t removed;    /* entries of the parent, of any type, that do not exist any more */
	uint64_t left_out;   /* entries that rules left out, among those that were looked at */
	uint64_t boundaries; /* directories that were not entered: another file system begins there */
	bool xattrs;
	bool has_names;		/* of users and groups: see owners.h */
	struct bt_digest names; /* id of their page */
	const char
		*program; /* that took it, with its version, as "backuptool 0.1.0"; here and below NULL: not recorded */
	const char *user; /* who ran that: a name, or a number that has none */
	const char *const *rules; /* exclude patterns in their order, as they were given; any bytes but NUL */
	size_t rule_count;
	/* Other options, sorted: "birth-times", "one-file-system", "exclude-caches", "exclude-if-present:NAME", and
	 * words of later versions. */
	const char *const *options;
	size_t option_count;
	bool rules_omitted; /* there were rules, which are too long to be recorded */
	bool pinned;	    /* never pruned */
	bool partial;	    /* taken while a longer run went on: not all of the directory is in it */
	bool has_expires;
	struct bt_time expires;	 /* it is of no use after this time */
	const char *description; /* one line of at most BT_DESCRIPTION_MAX bytes */
	/* Members that this version does not know, as they stand in the file: ",\"x\":1"; NULL: none. */
	const char *header_further, *summary_further;
	uint64_t removed_bytes; /* sizes of the files among the removed entries */
	const char *rewritten;	/* name of the snapshot that this one was made of (see rewrite.h); NULL: of none */
	bool streams; /* its files are what programs gave: there is no directory that it could be compared with */
};

struct bt_snapshot;
/* name as bt_store_snapshot_name gives it (see also bt_select). A version 1 file is scanned once and remembered in
 * cache/. The store must outlive the snapshot. BT_E_NOT_FOUND: there is no such name, or it was removed since the store
 * was last refreshed. */
int bt_snapshot_open(struct bt_store *store, const char *name, struct bt_snapshot **ret_snapshot,
		     struct bt_error *error);
void bt_snapshot_close(struct bt_snapshot *snapshot);
const struct bt_snapshot_info *bt_snapshot_info(const struct bt_snapshot *snapshot);

/* A part of a directory. An entry that was looked up lives in one. */
struct bt_page;
void bt_page_put(struct bt_store *store, const struct bt_page *page); /* NULL is fine */

/* A directory, read page by page. One thread at a time may use it. */
struct bt_dir;
int bt_dir_new(struct bt_store *store, const struct bt_digest *tree, struct bt_dir **ret_dir, struct bt_error *error);
void bt_dir_free(struct bt_dir *dir); /* NULL is fine */

/* The entry after the last one given, in order; NULL at the end. An entry lives until the next call. */
int bt_dir_next(struct bt_dir *dir, const struct bt_entry **ret_entry, struct bt_error *error);
/* After a failure of next: skips the page that could not be read, so that next continues after it. False if there is
 * nothing more. */
bool bt_dir_skip(struct bt_dir *dir);
/* Finds the entry of a name; next continues after it. BT_E_NOT_FOUND, without error being filled: there is no such
 * entry. */
int bt_dir_find(struct bt_dir *dir, const char *name, size_t length, const struct bt_entry **ret_entry,
		struct bt_error *error);

/* Finds a path below an entry ("" or "/" is the entry itself; "." and empty components are skipped; symlinks are not
 * followed). The entry found lives in *ret_page, which the caller puts. */
int bt_path_lookup(struct bt_store *store, const struct bt_entry *from, const char *path,
		   const struct bt_page **ret_page, const struct bt_entry **ret_entry, struct bt_error *error);

/*
 * The bytes of a file without copying: the piece that begins at offset. data is NULL for a hole; length is at least 1
 * unless offset is at or after the end. Every byte of data is verified unless flags say otherwise. The data stays valid
 * until bt_slice_end. BT_E_INCOMPLETE, here and below: the file could not be read when the snapshot was taken.
 */
struct bt_slice {
	const unsigned char *data;
	uint64_t length;
	uint64_t before;   /* bytes of the file that lie right before data in memory */
	const void *block; /* tells the decoded block that data lies in from other blocks; NULL for a hole */
	bool fresh;	   /* the block was decoded for this call */
};
#define BT_SLICE_DECODED                                                                                               \
	1u /* be quick: if a block would have to be decoded, return BT_E_NOT_FOUND without filling error */
#define BT_SLICE_UNVERIFIED                                                                                            \
	2u /* do not compare data with its digest: the caller verifies the digest of the whole file */
int bt_slice_start(struct bt_store *store, const struct bt_entry *file, uint64_t offset, unsigned flags,
		   struct bt_slice *ret_slice, struct bt_error *error);
void bt_slice_end(struct bt_store *store, struct bt_slice *slice);

/* As pread(2): exactly min(size, file size - offset) bytes, or an error. ret_size may be NULL. */
int bt_entry_pread(struct bt_store *store, const struct bt_entry *file, void *data, size_t size, uint64_t offset,
		   size_t *ret_size, struct bt_error *error);

/*
 * The digest of a file in several contents. Each content is verified when it is read; only a caller that reads the
 * whole file can verify the digest of the file. Usage: begin, add every byte in order, end, free.
 */
struct bt_whole;
/* Holes of up to this many bytes are hashed as zeros, at the speed of other data. The digest of a file with more of
 * them may be left out, and is never compared: only its contents are verified (FORMAT.md §4). */
#define BT_WHOLE_HOLES ((uint64_t)1 << 30)
/* *ret_whole is NULL, which the other functions accept, if there is nothing to compare: the digest is that of the only
 * content, or is not given, or the file has more holes than that. */
int bt_whole_begin(const struct bt_entry *file, struct bt_whole **ret_whole, struct bt_error *error);
void bt_whole_add(struct bt_whole *whole, const void *data, uint64_t length); /* data NULL: zeros */
int bt_whole_end(struct bt_whole *whole, struct bt_error *error);	      /* BT_E_DAMAGED: the digest differs */
void bt_whole_free(struct bt_whole *whole);

BT_C_END

#endif
