/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include <backuptool/select.h>
#include <string.h>
#include <unistd.h>

void bt_host(char host[BT_HOST_SIZE])
{
	bool known = gethostname(host, BT_HOST_SIZE) == 0 && host[0] != 0;

	host[BT_HOST_SIZE - 1] = 0;
	if (!known || !bt_utf8_valid(host, strlen(host)))
		memcpy(host, "localhost", sizeof("localhost"));
}
