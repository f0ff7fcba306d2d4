/* SPDX-License-Identifier: MIT */
#include "tool.h"
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

/* A signal handler has nowhere else to put them. */
static atomic_int seen;
static atomic_int spared; /* so many first ones do not cancel */

static void note(int number)
{
	if (atomic_fetch_add(&seen, 1) > atomic_load(&spared))
		_exit(TOOL_INTERRUPTED);
}

void tool_signals_watch(void)
{
	struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

bool tool_signals_seen(void)
{
	return atomic_load(&seen) > atomic_load(&spared);
}

bool tool_signals_cancel(void *arg)
{
	return tool_signals_seen();
}

void tool_signals_spare_first(void)
{
	atomic_store(&spared, 1);
}

bool tool_signals_first_seen(void)
{
	return atomic_load(&seen) > 0;
}
