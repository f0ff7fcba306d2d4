/* SPDX-License-Identifier: MIT */
/*
 * Errors: every function that can fail returns 0 or a negative enum bt_code and, when given one, fills a
 * struct bt_error. The first failure wins: a filled struct is not overwritten by later ones.
 */
#ifndef BACKUPTOOL_ERROR_H
#define BACKUPTOOL_ERROR_H

#include <backuptool/types.h>
#include <stdbool.h>

BT_C_BEGIN

/* The codes are below every negated errno, so that neither is ever taken for the other. */
enum bt_code {
	BT_OK = 0,
	BT_E_SYSTEM = -5001,	/* a system call failed: sys says how */
	BT_E_NOMEM = -5002,	/* out of memory */
	BT_E_DAMAGED = -5003,	/* a store file violates the format: reason and offset say why and where */
	BT_E_NOT_FOUND = -5004, /* no such snapshot, path, page or content */
	BT_E_EXISTS = -5005,	/* the file or directory to be made exists already */
	BT_E_INVALID = -5006,	/* an argument makes no sense */
	/* Another process holds the lock: detail says which. With sys ENOLCK the lock was lost, or another process
	 * removed a file that was being written: detail says which file. The call can be tried again. */
	BT_E_LOCKED = -5007,
	BT_E_CANCELLED = -5008,	  /* the caller asked to stop */
	BT_E_NO_STORE = -5009,	  /* there is no store at this place */
	BT_E_INCOMPLETE = -5010,  /* done, but not everything: details went to the observer */
	BT_E_UNSUPPORTED = -5011, /* the kernel or file system cannot do it */
	BT_E_FOREIGN = -5012,	  /* a symbolic link (file) of another user is on the way: see foreign.h */
};

/* Why a file was refused. The names (bt_reason_name) are stable and appear in messages, --json and tests. */
enum bt_reason {
	BT_R_NONE,
	BT_R_NOT_JSON,	      /* "not-json": a byte that the grammar does not allow here */
	BT_R_TRUNCATED,	      /* "truncated": ends before its end line */
	BT_R_TRAILING_BYTES,  /* "trailing-bytes": something after the end line */
	BT_R_BYTE_ORDER_MARK, /* "byte-order-mark" */
	BT_R_DUPLICATE_KEY,   /* "duplicate-key" */
	BT_R_MISSING_KEY,     /* "missing-key" */
	BT_R_UNKNOWN_KEY,     /* "unknown-key" */
	BT_R_KEY_ORDER,	      /* "key-order": known, but not at this place */
	BT_R_WRONG_TYPE,      /* "wrong-type": string for number and the like */
	BT_R_UNKNOWN_FORMAT,  /* "unknown-format": not ours */
	BT_R_UNKNOWN_VERSION, /* "unknown-version" */
	BT_R_UNKNOWN_KIND,    /* "unknown-kind" */
	BT_R_DIGEST_MISMATCH, /* "digest-mismatch" */
	BT_R_BAD_DIGEST,      /* "bad-digest": not 64 lower-case hex digits */
	BT_R_BAD_NAME, /* "bad-name": empty, ".", "..", with "/" or NUL, over 255 bytes; or the name of a file states
			  another time than its header */
	BT_R_UNSORTED, /* "unsorted": entries, tags, pages, holes or xattrs out of order */
	BT_R_DUPLICATE_NAME,  /* "duplicate-name" */
	BT_R_NEEDLESS_BASE64, /* "needless-base64": _b64 for valid UTF-8 */
	BT_R_BAD_UTF8,	      /* "bad-utf8" */
	BT_R_BAD_ESCAPE,      /* "bad-escape": an escape that the format does not use */
	BT_R_BAD_BASE64,      /* "bad-base64": white space, padding, tail bits, alphabet */
	BT_R_BAD_OFFSET,      /* "bad-offset": outside the file, overlapping, or with a gap */
	BT_R_BAD_SIZE,	      /* "bad-size": sizes that do not add up */
	BT_R_BAD_FRAME,	      /* "bad-frame": not one plain zstd frame, or one that does not decode */
	BT_R_FRAME_SIZE,      /* "frame-size": declares another size than the index */
	BT_R_TRAILING_FRAME,  /* "trailing-frame": a second or skippable frame */
	BT_R_BAD_NUMBER,      /* "bad-number": out of range, or not in its one spelling */
	BT_R_TOO_DEEP,	      /* "too-deep": nesting over 16 */
	BT_R_TOO_LARGE,	      /* "too-large": a line or list over its limit */
	BT_R_BAD_MODE,	      /* "bad-mode": of the mode, or of inode flags */
	BT_R_BAD_TIME,	      /* "bad-time": nanoseconds out of range, or not a timestamp */
	BT_R_BAD_OWNER,	      /* "bad-owner": 2^32-1 and above */
	BT_R_BAD_TYPE,	      /* "bad-type": an unknown type, or members that do not belong to it */
	BT_R_BAD_TARGET,      /* "bad-target": a link target, device or path that cannot be */
	BT_R_BAD_XATTR,	      /* "bad-xattr" */
	BT_R_BAD_HOLE,	      /* "bad-hole" */
	BT_R_MISSING_PAGE,    /* "missing-page": no file of the store holds it */
	BT_R_MISSING_CONTENT, /* "missing-content": no file of the store holds it */
	BT_R_CHANGED,	      /* "changed": the file is not the one that was opened */
	BT_R_BAD_ID,	      /* "bad-id": the file that tells a store from all others has no id */
	BT_R_NOT_A_FILE,      /* "not-a-file": a link, a directory, a pipe or a device has the name of a file */
	BT_R_UNKNOWN_NEED,    /* "unknown-need": needs a feature that this version does not know; detail: its name */
	BT_R_BAD_SEEK_TABLE, /* "bad-seek-table": the end of a file compressed at rest does not say where its frames are
			      */
	BT_REASONS
};

#define BT_NO_OFFSET UINT64_MAX

/* Where and why a call failed. Initialise it to zero: struct bt_error e = {0}. It owns no memory. */
struct bt_error {
	enum bt_code code;
	enum bt_reason reason;
	int sys;	  /* the errno for BT_E_SYSTEM, or where a function says so; else 0 */
	uint64_t offset;  /* byte in file, or BT_NO_OFFSET */
	char file[264];	  /* the store file or source file; "" if it is about none; never cut inside a character */
	char detail[200]; /* the step that failed: "open", "bad escape in name" …; may be "" */
};

/* "digest-mismatch" and so on; "none" for BT_R_NONE, "unknown" out of range. */
const char *bt_reason_name(enum bt_reason reason);

/*
 * One sentence without a final newline, such as
 *   snapshots/x.json: damaged at byte 217 (bad-base64)
 * written into text (size bytes, always terminated; 640 is enough). Control characters are escaped.
 */
void bt_error_text(const struct bt_error *error, char *text, size_t size);

/* Whether the file is sound as far as anybody can tell, and only a newer version of the program can read it. */
bool bt_error_is_newer(const struct bt_error *error);

/* Name of an errno as in <errno.h> ("EACCES"), or "EIO" for one that has no name here. */
const char *bt_errno_name(int sys);

BT_C_END

#endif
