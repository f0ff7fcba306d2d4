/* SPDX-License-Identifier: MIT */
#include "output.h"
#include "tool.h"
#include <backuptool/confine.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* A signal handler has nowhere else to put them. */
static atomic_int seen;
static atomic_bool spared; /* the first one cancels nothing */
static atomic_bool silent;
static int woken = -1; /* an eventfd: readable from the first signal on */
struct message {
	char text[256];
	size_t length;
};
static struct message messages[2];
static const struct message *_Atomic message = messages;

/* Of what a handler may call, and no more: write and _exit. */
static void note(int number)
{
	static const uint64_t one = 1;
	const struct message *said = atomic_load(&message);
	int failed = errno;

	if (atomic_fetch_add(&seen, 1) > 0)
		_exit(TOOL_INTERRUPTED);
	if (!atomic_load(&silent))
		(void)!write(STDERR_FILENO, said->text, said->length);
	if (woken >= 0)
		(void)!write(woken, &one, sizeof(one));
	errno = failed;
}

static void fill_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
}

/* A thread that waits for a file system which does not answer runs no handler, and nobody else would be asked to: this
 * one takes what is pending then. It reaches no file, whatever becomes of the program. */
static void *listen_main(void *arg)
{
	struct pollfd there = {.fd = (int)(intptr_t)arg, .events = POLLIN};
	struct signalfd_siginfo info;
	struct bt_error unused = {0};

	(void)bt_confine(&(struct bt_confinement){0}, NULL, &unused);
	while (poll(&there, 1, -1) >= 0 || errno == EINTR)
		if (read(there.fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
			note((int)info.ssi_signo);
	return NULL;
}

/* Without it the handler alone has to do. */
static void start_listening(void)
{
	sigset_t ending, all, before;
	pthread_attr_t attributes;
	pthread_t thread;
	int fd;

	fill_set(&ending);
	fd = signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return;
	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN + 65536);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&thread, &attributes, listen_main, (void *)(intptr_t)fd) != 0)
		close(fd);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
}

static void write_message(struct message *said, const struct tool *tool, const char *kept)
{
	int length = snprintf(
		said->text, sizeof(said->text), "%sbackuptool %s: ending%s%s; press again to end at once\n",
		isatty(STDERR_FILENO) ? "\r\033[K" : "", tool->command->name, kept ? ": " : "", kept ? kept : "");

	said->length = length < (int)sizeof(said->text) ? (size_t)length : sizeof(said->text) - 1;
}

void tool_signals_ending(const struct tool *tool, const char *kept)
{
	struct message *said = messages + !!kept;

	if (atomic_load(&message) == said)
		return;
	if (!said->length) /* else a handler may be writing it */
		write_message(said, tool, kept);
	atomic_store(&message, said);
}

void tool_signals_watch(const struct tool *tool)
{
	struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};

	if (woken >= 0)
		return;
	write_message(messages, tool, tool->command->ending);
	atomic_store(&silent, tool->quiet);
	woken = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fill_set(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	start_listening();
}

bool tool_signals_seen(void)
{
	return atomic_load(&seen) > 0 && !atomic_load(&spared);
}

bool tool_signals_cancel(void *arg)
{
	return tool_signals_seen();
}

void tool_signals_spare_first(void)
{
	atomic_store(&spared, true);
}

bool tool_signals_first_seen(void)
{
	return atomic_load(&seen) > 0;
}

void tool_signals_silence(bool wanted)
{
	atomic_store(&silent, wanted);
}

int tool_signals_fd(void)
{
	return woken;
}
