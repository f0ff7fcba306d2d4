/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include <backuptool/error.h>
#include <errno.h>
#include <internal/text.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const reasons[BT_REASONS] = {
	[BT_R_NONE] = "none",
	[BT_R_NOT_JSON] = "not-json",
	[BT_R_TRUNCATED] = "truncated",
	[BT_R_TRAILING_BYTES] = "trailing-bytes",
	[BT_R_BYTE_ORDER_MARK] = "byte-order-mark",
	[BT_R_DUPLICATE_KEY] = "duplicate-key",
	[BT_R_MISSING_KEY] = "missing-key",
	[BT_R_UNKNOWN_KEY] = "unknown-key",
	[BT_R_KEY_ORDER] = "key-order",
	[BT_R_WRONG_TYPE] = "wrong-type",
	[BT_R_UNKNOWN_FORMAT] = "unknown-format",
	[BT_R_UNKNOWN_VERSION] = "unknown-version",
	[BT_R_UNKNOWN_KIND] = "unknown-kind",
	[BT_R_DIGEST_MISMATCH] = "digest-mismatch",
	[BT_R_BAD_DIGEST] = "bad-digest",
	[BT_R_BAD_NAME] = "bad-name",
	[BT_R_UNSORTED] = "unsorted",
	[BT_R_DUPLICATE_NAME] = "duplicate-name",
	[BT_R_NEEDLESS_BASE64] = "needless-base64",
	[BT_R_BAD_UTF8] = "bad-utf8",
	[BT_R_BAD_ESCAPE] = "bad-escape",
	[BT_R_BAD_BASE64] = "bad-base64",
	[BT_R_BAD_OFFSET] = "bad-offset",
	[BT_R_BAD_SIZE] = "bad-size",
	[BT_R_BAD_FRAME] = "bad-frame",
	[BT_R_FRAME_SIZE] = "frame-size",
	[BT_R_TRAILING_FRAME] = "trailing-frame",
	[BT_R_BAD_NUMBER] = "bad-number",
	[BT_R_TOO_DEEP] = "too-deep",
	[BT_R_TOO_LARGE] = "too-large",
	[BT_R_BAD_MODE] = "bad-mode",
	[BT_R_BAD_TIME] = "bad-time",
	[BT_R_BAD_OWNER] = "bad-owner",
	[BT_R_BAD_TYPE] = "bad-type",
	[BT_R_BAD_TARGET] = "bad-target",
	[BT_R_BAD_XATTR] = "bad-xattr",
	[BT_R_BAD_HOLE] = "bad-hole",
	[BT_R_MISSING_PAGE] = "missing-page",
	[BT_R_MISSING_CONTENT] = "missing-content",
	[BT_R_CHANGED] = "changed",
	[BT_R_BAD_ID] = "bad-id",
	[BT_R_NOT_A_FILE] = "not-a-file",
	[BT_R_UNKNOWN_NEED] = "unknown-need",
	[BT_R_BAD_SEEK_TABLE] = "bad-seek-table",
};

const char *bt_reason_name(enum bt_reason reason)
{
	return (unsigned)reason < BT_REASONS && reasons[reason] ? reasons[reason] : "unknown";
}

/* Text that is cut between characters (and escapes) when it does not fit. */
struct line {
	char *text;
	size_t room, length; /* room without the NUL */
	bool full;
};

static void add_piece(struct line *line, const char *piece, size_t length)
{
	if (line->full || length > line->room - line->length) {
		line->full = true;
		return;
	}
	memcpy(line->text + line->length, piece, length);
	line->length += length;
	line->text[line->length] = 0;
}

static void add_text(struct line *line, const char *text)
{
	for (size_t n; *text; text += n) {
		n = bt_utf8_length(text, strnlen(text, 4));
		add_piece(line, text, n > 0 ? n : 1);
		n = n > 0 ? n : 1;
	}
}

static void add_byte_escape(struct line *line, unsigned char byte)
{
	char escape[5];

	snprintf(escape, sizeof(escape), "\\x%02x", byte);
	add_piece(line, escape, 4);
}

/* Other people's text, at most limit bytes of it. The backslash is doubled so that escapes are what they seem. */
static void add_escaped(struct line *line, const char *text, size_t limit)
{
	size_t end = line->length + limit;

	for (size_t n; *text; text += n) {
		const unsigned char *bytes = (const unsigned char *)text;
		uint32_t character;

		n = bt_utf8_next(text, strnlen(text, 4), &character);
		if (line->length + 4 * (n > 0 ? n : 1) > end) {
			add_piece(line, "…", strlen("…"));
			return;
		}
		bool plain = n && !bt_is_deceptive(character);
		n = n > 0 ? n : 1;
		if (*text == '\\') {
			add_piece(line, "\\\\", 2);
		} else if (plain) {
			add_piece(line, text, n);
		} else {
			for (size_t i = 0; i < n; i++)
				add_byte_escape(line, bytes[i]);
		}
	}
}

static const char *phrase(enum bt_code code)
{
	switch (code) {
	case BT_OK:
		return "no error";
	case BT_E_SYSTEM:
		return "system call failed";
	case BT_E_NOMEM:
		return "out of memory";
	case BT_E_DAMAGED:
		return "damaged";
	case BT_E_NOT_FOUND:
		return "not found";
	case BT_E_EXISTS:
		return "exists already";
	case BT_E_INVALID:
		return "invalid argument";
	case BT_E_LOCKED:
		return "locked by another process";
	case BT_E_CANCELLED:
		return "cancelled";
	case BT_E_NO_STORE:
		return "there is no store here";
	case BT_E_INCOMPLETE:
		return "done, but not everything";
	case BT_E_UNSUPPORTED:
		return "not supported by the kernel or the file system";
	case BT_E_FOREIGN:
		return "a symbolic link of somebody else, which is not followed";
	}
	return "unknown error";
}

static void add_damage(struct line *line, const struct bt_error *error)
{
	char place[48];

	add_text(line, phrase(BT_E_DAMAGED));
	if (error->offset != BT_NO_OFFSET) {
		snprintf(place, sizeof(place), " at byte %" PRIu64, error->offset);
		add_text(line, place);
	}
	add_text(line, " (");
	add_text(line, bt_reason_name(error->reason));
	add_text(line, ")");
}

bool bt_error_is_newer(const struct bt_error *error)
{
	return error->code == BT_E_DAMAGED &&
	       (error->reason == BT_R_UNKNOWN_NEED || error->reason == BT_R_UNKNOWN_VERSION);
}

static void add_need(struct line *line, const struct bt_error *error)
{
	add_text(line, "a newer version of this program is needed");
	if (error->detail[0]) {
		add_text(line, ", one that knows the feature '");
		add_escaped(line, error->detail, 200);
		add_text(line, "'");
	}
	add_text(line, " (");
	add_text(line, bt_reason_name(error->reason));
	add_text(line, ")");
}

static void add_system(struct line *line, const struct bt_error *error)
{
	char description[96];

	if (error->detail[0]) {
		add_escaped(line, error->detail, 200);
		add_text(line, " failed");
	} else {
		add_text(line, phrase(BT_E_SYSTEM));
	}
	/* The GNU strerror_r may answer with a text of its own instead of filling the array. */
	add_text(line, ": ");
	add_text(line, strerror_r(error->sys, description, sizeof(description)));
}

void bt_error_text(const struct bt_error *error, char *text, size_t size)
{
	if (size == 0)
		return;
	struct line line = {.text = text, .room = size - 1};
	text[0] = 0;
	if (error->file[0]) {
		add_escaped(&line, error->file, 300);
		add_text(&line, ": ");
	}
	if (error->code == BT_E_SYSTEM) {
		add_system(&line, error);
		return;
	}
	if (error->code == BT_E_LOCKED && error->sys == ENOLCK) {
		add_escaped(&line, error->detail, 200);
		return;
	}
	if (error->code == BT_E_LOCKED && error->detail[0]) {
		add_text(&line, "locked by ");
		add_escaped(&line, error->detail, 200);
		return;
	}
	/* which says all */
	if ((error->code == BT_E_INCOMPLETE || error->code == BT_E_UNSUPPORTED || error->code == BT_E_INVALID) &&
	    error->detail[0]) {
		add_escaped(&line, error->detail, 200);
		return;
	}
	if (bt_error_is_newer(error)) {
		add_need(&line, error);
		return;
	}
	if (error->code == BT_E_DAMAGED)
		add_damage(&line, error);
	else
		add_text(&line, phrase(error->code));
	if (error->detail[0]) {
		add_text(&line, ": ");
		add_escaped(&line, error->detail, 200);
	}
}

void bt_error_escape(const char *text, char *escaped, size_t size)
{
	if (size == 0)
		return;
	struct line line = {.text = escaped, .room = size - 1};
	escaped[0] = 0;
	add_escaped(&line, text, line.room > strlen("…") ? line.room - strlen("…") : 0);
}
