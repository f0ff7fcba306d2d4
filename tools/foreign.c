/* SPDX-License-Identifier: MIT */
#include "foreign.h"
#include "confirm.h"
#include "output.h"
#include <backuptool/foreign.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

char *tool_user(unsigned uid)
{
	const struct passwd *user = getpwuid(uid);

	return user ? tool_format("%s", user->pw_name) : tool_format("user %u", uid);
}

unsigned tool_asker(void)
{
	const char *asked = getenv("SUDO_UID");

	return asked && geteuid() == 0 ? (unsigned)strtoul(asked, NULL, 10) : 0;
}

/* A link as it is to be shown. */
struct shown {
	char *link, *owner, *place;
};

/* Whether there is one that can be told of. */
static bool find_foreign(const char *path, unsigned also, struct bt_foreign_link *found, struct shown *shown)
{
	if (bt_foreign_link_find(path, also, found) != 1)
		return false;
	*shown = (struct shown){tool_escape(found->link), tool_user(found->owner), tool_escape(found->place)};
	return true;
}

static void end(struct bt_foreign_link *found, struct shown *shown)
{
	bt_foreign_link_free(found);
	free(shown->link);
	free(shown->owner);
	free(shown->place);
}

char *tool_foreign_doubt(const struct tool *tool, const char *path, bool dry)
{
	struct bt_foreign_link found;
	struct shown shown;
	char *place;

	if (tool->yes || !find_foreign(path, 0, &found, &shown))
		return tool_format("%s", path);
	tool_auto char *text = tool_format(
		"this goes to %s by %s, a symbolic link that belongs to %s; name %s itself if that is meant",
		shown.place, shown.link, shown.owner, shown.place);
	if (!dry)
		tool_doubt(tool, "%s", text);
	else if (!tool->quiet)
		tool_say(tool, "%s", text);
	place = tool_format("%s", found.place);
	end(&found, &shown);
	return place;
}

void tool_foreign_warn(const struct tool *tool, const char *path)
{
	struct bt_foreign_link found;
	struct shown shown;

	if (tool->quiet || !find_foreign(path, tool_asker(), &found, &shown))
		return;
	tool_say_once(tool,
		      "%s is a symbolic link that belongs to %s, who can put another store in the place of this one; "
		      "name %s itself to be sure of it",
		      shown.link, shown.owner, shown.place);
	end(&found, &shown);
}
