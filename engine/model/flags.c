/* SPDX-License-Identifier: MIT */
#include "model/flags.h"

#include <backuptool/view.h>
#include <linux/fs.h>

static const struct {
	char letter;
	uint32_t bit;
} letters[] = {
	{'s', FS_SECRM_FL},	{'u', FS_UNRM_FL},	   {'c', FS_COMPR_FL},	{'S', FS_SYNC_FL},
	{'i', FS_IMMUTABLE_FL}, {'a', FS_APPEND_FL},	   {'d', FS_NODUMP_FL}, {'A', FS_NOATIME_FL},
	{'m', FS_NOCOMP_FL},	{'j', FS_JOURNAL_DATA_FL}, {'t', FS_NOTAIL_FL}, {'D', FS_DIRSYNC_FL},
	{'T', FS_TOPDIR_FL},	{'C', FS_NOCOW_FL},	   {'x', FS_DAX_FL},	{'P', FS_PROJINHERIT_FL},
	{'F', FS_CASEFOLD_FL},
};
#define LETTERS (sizeof(letters) / sizeof(*letters))

_Static_assert(LETTERS + 1 == BT_FLAGS_TEXT_SIZE, "room for every letter");

void bt_flags_text(uint32_t flags, char text[BT_FLAGS_TEXT_SIZE])
{
	size_t length = 0;

	for (size_t i = 0; i < LETTERS; i++)
		if (flags & letters[i].bit)
			text[length++] = letters[i].letter;
	text[length] = 0;
}

bool bt_flags_parse(const char *text, size_t length, uint32_t *ret_flags)
{
	uint32_t flags = 0;
	size_t at = 0;

	for (size_t i = 0; i < LETTERS && at < length; i++)
		if (text[at] == letters[i].letter) {
			flags |= letters[i].bit;
			at++;
		}
	*ret_flags = flags;
	return length > 0 && at == length;
}
