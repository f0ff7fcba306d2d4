/* SPDX-License-Identifier: MIT */
#include "hook_process.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What a request has at most: all of it is one packet. */
#define REQUEST_MAX ((size_t)192 << 10)
enum { GRACE_MS = 5000, NAP_MS = 20, CANCEL = 'c', CANNOT_RUN = 127 };

/* What is known in the keeper, and must outlive it. */
struct shared {
	pid_t group;
};

/* command, NUL, and the texts of the environment, each with its NUL */
struct request {
	int64_t timeout_ms;
	char texts[];
};

struct keeper {
	int socket, children; /* children: a signalfd */
	int output;	      /* -1: none */
	pid_t hook;	      /* 0 once it was waited for */
	pid_t group;
	sigset_t mask;
	int status;
};

static int64_t hook_clock(void)
{
	struct timespec time;

	clock_gettime(CLOCK_BOOTTIME, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Until the hook is a leader it has no group of its own. */
static bool send_signal(const struct keeper *keeper, int number)
{
	return kill(-keeper->group, number) == 0 || (keeper->hook && kill(keeper->hook, number) == 0);
}

static bool take_status(struct keeper *keeper)
{
	if (keeper->hook && waitpid(keeper->hook, &keeper->status, WNOHANG) == keeper->hook)
		keeper->hook = 0;
	return !keeper->hook;
}

/* The texts of the environment: to begin with, text is NULL; NULL at the end. */
static const char *next_text(const struct request *request, size_t size, const char *text)
{
	if (!text)
		text = request->texts;
	text += strlen(text) + 1;
	return text < request->texts + size ? text : NULL;
}

static bool is_changed(const struct request *request, size_t size, const char *variable)
{
	size_t length = strcspn(variable, "=");

	for (const char *text = next_text(request, size, NULL); text; text = next_text(request, size, text))
		if (strcspn(text, "=") == length && strncmp(text, variable, length) == 0)
			return true;
	return false;
}

/* NULL: out of memory */
static const char **make_environment_of(const struct request *request, size_t size)
{
	size_t count = 1, filled = 0;
	const char **environment;

	for (char **variable = environ; *variable; variable++)
		count++;
	environment = calloc(count + size, sizeof(*environment));
	for (char **variable = environ; environment && *variable; variable++)
		if (!is_changed(request, size, *variable))
			environment[filled++] = *variable;
	for (const char *text = next_text(request, size, NULL); environment && text;
	     text = next_text(request, size, text))
		if (strchr(text, '='))
			environment[filled++] = text;
	return environment;
}

/* Its output may be read by a program that reads JSON. */
static _Noreturn void become_hook(const struct keeper *keeper, const struct request *request, size_t size)
{
	const char *const words[] = {"sh", "-c", request->texts, NULL};
	const char **environment = make_environment_of(request, size);
	int null = open("/dev/null", O_RDONLY);

	setsid();
	if (!environment || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(keeper->output < 0 ? STDERR_FILENO : keeper->output, STDOUT_FILENO) < 0)
		_exit(CANNOT_RUN);
	if (null > STDERR_FILENO)
		close(null);
	signal(SIGXFSZ, SIG_DFL);
	sigprocmask(SIG_SETMASK, &keeper->mask, NULL);
	execve("/bin/sh", (char *const *)(uintptr_t)words, (char *const *)(uintptr_t)environment);
	_exit(CANNOT_RUN);
}

/* The hook, and what it started and left in its group. */
static void end_group(struct keeper *keeper)
{
	int64_t deadline = hook_clock() + GRACE_MS;

	send_signal(keeper, SIGTERM);
	send_signal(keeper, SIGCONT);
	while ((!take_status(keeper) || send_signal(keeper, 0)) && hook_clock() < deadline)
		poll(NULL, 0, NAP_MS);
	send_signal(keeper, SIGKILL);
	deadline = hook_clock() + GRACE_MS;
	while (!take_status(keeper) && hook_clock() < deadline)
		poll(NULL, 0, NAP_MS);
}

static struct hook_result ended(int status)
{
	if (WIFSIGNALED(status))
		return (struct hook_result){HOOK_KILLED, WTERMSIG(status)};
	return (struct hook_result){HOOK_ENDED, WEXITSTATUS(status)};
}

/* Whether the program wants the hook to end, or has ended itself. */
static bool is_cancelled(const struct keeper *keeper)
{
	char byte;
	ssize_t got = recv(keeper->socket, &byte, sizeof(byte), MSG_DONTWAIT);

	return got >= 0 || (errno != EAGAIN && errno != EINTR);
}

static struct hook_result keep(struct keeper *keeper, int64_t timeout_ms)
{
	struct pollfd woken[] = {{.fd = keeper->children, .events = POLLIN}, {.fd = keeper->socket, .events = POLLIN}};
	int64_t start = hook_clock(), left = -1;
	struct signalfd_siginfo info;

	for (;;) {
		if (take_status(keeper))
			return ended(keeper->status);
		left = timeout_ms < 0 ? -1 : start + timeout_ms - hook_clock();
		if (timeout_ms >= 0 && left <= 0) {
			end_group(keeper);
			return (struct hook_result){HOOK_TIMED_OUT, 0};
		}
		poll(woken, 2, left > 1000000 ? 1000000 : (int)left);
		(void)!read(keeper->children, &info, sizeof(info));
		if (woken[1].revents && is_cancelled(keeper)) {
			end_group(keeper);
			return (struct hook_result){HOOK_CANCELLED, 0};
		}
	}
}

static void answer(int socket, struct hook_result result)
{
	(void)!send(socket, &result, sizeof(result), MSG_NOSIGNAL);
}

/* One for each hook. */
static _Noreturn void be_keeper(struct keeper keeper, const struct request *request, size_t size, struct shared *shared)
{
	int socket = keeper.socket;
	sigset_t child;

	setpgid(0, 0);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	keeper.children = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	keeper.hook = fork();
	if (keeper.hook == 0)
		become_hook(&keeper, request, size);
	if (keeper.output >= 0)
		close(keeper.output);
	keeper.group = shared->group = keeper.hook;
	if (keeper.hook < 0 || keeper.children < 0) {
		answer(socket, (struct hook_result){HOOK_FAILED, errno});
		_exit(1);
	}
	answer(socket, keep(&keeper, request->timeout_ms));
	_exit(0);
}

static void serve(const struct keeper *wanted, const struct request *request, size_t size, struct shared *shared)
{
	int socket = wanted->socket, status = 0;
	pid_t keeper;

	shared->group = 0;
	keeper = fork();
	if (keeper == 0)
		be_keeper(*wanted, request, size, shared);
	if (wanted->output >= 0)
		close(wanted->output);
	if (keeper < 0) {
		answer(socket, (struct hook_result){HOOK_FAILED, errno});
		return;
	}
	while (waitpid(keeper, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFSIGNALED(status)) /* it has answered */
		return;
	if (shared->group > 0)
		kill(-shared->group, SIGKILL);
	answer(socket, (struct hook_result){HOOK_KILLED, WTERMSIG(status)});
}

/* A packet, and the descriptor that came with it, or -1. */
static ssize_t receive(int socket, struct request *request, int *ret_output)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec data = {request, REQUEST_MAX};
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	const struct cmsghdr *header;
	ssize_t got;

	do {
		got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	*ret_output = -1;
	header = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(ret_output, CMSG_DATA(header), sizeof(*ret_output));
	return got;
}

/* A packet that is no request is one to cancel a hook that has ended by now. */
static _Noreturn void serve_all(int socket, const sigset_t *mask)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct request *request = malloc(REQUEST_MAX + 1);
	struct keeper wanted = {.socket = socket, .mask = *mask};
	ssize_t got = 1;

	if (!request || shared == MAP_FAILED)
		_exit(1);
	while (got > 0) {
		got = receive(socket, request, &wanted.output);
		if (got <= (ssize_t)sizeof(*request))
			continue;
		((char *)request)[got] = '\0';
		serve(&wanted, request, (size_t)got - sizeof(*request), shared);
	}
	_exit(0);
}

int hook_process_start(void)
{
	sigset_t all, mask;
	int pair[2], failed;
	pid_t process;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	process = fork();
	if (process == 0) {
		close(pair[0]);
		setsid();
		prctl(PR_SET_NAME, "backuptool-hook");
		serve_all(pair[1], &mask);
	}
	failed = errno;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	close(pair[1]);
	if (process < 0)
		close(pair[0]);
	errno = failed;
	return process < 0 ? -1 : pair[0];
}

static void put_text(char **at, const char *text)
{
	size_t size = strlen(text) + 1;

	memcpy(*at, text, size);
	*at += size;
}

static ssize_t send_request(int fd, struct request *request, size_t size, int output)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.room = {0}};
	struct iovec data = {request, size};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};

	if (output >= 0) {
		control.header = (struct cmsghdr){
			.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(output))};
		memcpy(CMSG_DATA(&control.header), &output, sizeof(output));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL);
}

bool hook_process_run(int fd, const char *command, const struct tool_texts *environment, int64_t timeout_ms, int output)
{
	size_t size = sizeof(struct request) + strlen(command) + 1;
	struct request *request;
	char *at;
	ssize_t sent = -1;

	for (size_t i = 0; i < environment->count; i++)
		size += strlen(environment->items[i]) + 1;
	request = size <= REQUEST_MAX ? calloc(1, size) : NULL;
	if (!request) {
		errno = size <= REQUEST_MAX ? ENOMEM : E2BIG;
		return false;
	}
	request->timeout_ms = timeout_ms;
	at = request->texts;
	put_text(&at, command);
	for (size_t i = 0; i < environment->count; i++)
		put_text(&at, environment->items[i]);
	sent = send_request(fd, request, size, output);
	free(request);
	return sent == (ssize_t)size;
}

void hook_process_cancel(int fd)
{
	static const char cancel = CANCEL;

	(void)!send(fd, &cancel, sizeof(cancel), MSG_NOSIGNAL);
}

void hook_process_result(int fd, struct hook_result *ret_result)
{
	ssize_t got;

	do {
		got = recv(fd, ret_result, sizeof(*ret_result), 0);
	} while (got < 0 && errno == EINTR);
	if (got != (ssize_t)sizeof(*ret_result)) /* the process itself was killed */
		*ret_result = (struct hook_result){HOOK_FAILED, got < 0 ? errno : ECONNRESET};
}
