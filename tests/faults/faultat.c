/* SPDX-License-Identifier: MIT */
/*
 * faultat MODE N [SET] -- COMMAND [ARG…]: runs a command with one fault at its N-th system call.
 *
 * The command is traced with all its threads and children, and the calls of SET are counted in one order over all of
 * them (strace's "when=" counts each call and thread apart). N = 0 only counts.
 *   MODE e      SIGKILL to the whole process group just before the call runs
 *        x      the same just after it has run
 *        s      a true short transfer: a read or write of half the bytes
 *        fNAME  the call fails with the errno NAME
 *        cNAME  it and every later one of SET do
 *        n      what the call names below $FAULTAT_BELOW is swapped for a symlink before it runs; only such calls count
 *        d      the directory that it names something in is
 *   SET  all (default); io: calls that move data or change state; w, r: writes, reads; m: memory
 * Exits as the command did (128 + signal when killed); the last line on stderr is "faultat: calls=N hit=NUMBER rc=RC".
 * x86-64 only, as registers are changed by name.
 */
#include "attack.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define PENDING_MAX 1024

struct trace {
	char mode;
	int fail_with;
	const char *set;
	long want, calls, hit;
	pid_t child, kill_after;
	pid_t failing[PENDING_MAX]; /* threads inside a call that is to fail */
	int failing_count;
};

static const long write_calls[] = {SYS_write, SYS_pwrite64, SYS_writev, SYS_pwritev, -1};
static const long read_calls[] = {SYS_read, SYS_pread64, SYS_readv, SYS_getdents64, -1};
/* brk does not fail: it says what the end is. */
static const long memory_calls[] = {SYS_mmap, SYS_mremap, -1};
static const long io_calls[] = {SYS_write,
				SYS_pwrite64,
				SYS_writev,
				SYS_pwritev,
				SYS_read,
				SYS_pread64,
				SYS_getdents64,
				SYS_openat,
				SYS_openat2,
				SYS_open,
				SYS_close,
				SYS_fsync,
				SYS_fdatasync,
				SYS_syncfs,
				SYS_ftruncate,
				SYS_fallocate,
				SYS_rename,
				SYS_renameat,
				SYS_renameat2,
				SYS_link,
				SYS_linkat,
				SYS_unlink,
				SYS_unlinkat,
				SYS_mkdir,
				SYS_mkdirat,
				SYS_symlinkat,
				SYS_symlink,
				SYS_mknodat,
				SYS_fchmod,
				SYS_fchmodat,
				SYS_fchown,
				SYS_fchownat,
				SYS_utimensat,
				SYS_fsetxattr,
				SYS_lsetxattr,
				SYS_setxattr,
				SYS_flock,
				SYS_fcntl,
				SYS_statx,
				SYS_newfstatat,
				SYS_fstat,
				SYS_copy_file_range,
				SYS_readlinkat,
				SYS_lseek,
				SYS_flistxattr,
				SYS_fgetxattr,
				-1};

static bool in_list(const long *list, long number)
{
	while (*list >= 0 && *list != number)
		list++;
	return *list == number;
}

static bool in_set(const char *set, long number)
{
	switch (*set) {
	case 'a':
		return true;
	case 'w':
		return in_list(write_calls, number);
	case 'r':
		return in_list(read_calls, number);
	case 'm':
		return in_list(memory_calls, number);
	default:
		return in_list(io_calls, number);
	}
}

static int errno_of(const char *name)
{
	static const struct {
		const char *name;
		int value;
	} names[] = {{"EIO", EIO},	 {"ENOSPC", ENOSPC}, {"EINTR", EINTR},	 {"ENOMEM", ENOMEM}, {"EDQUOT", EDQUOT},
		     {"EMFILE", EMFILE}, {"EROFS", EROFS},   {"EACCES", EACCES}, {"EAGAIN", EAGAIN}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i].name, name))
			return names[i].value;
	fprintf(stderr, "faultat: unknown errno %s\n", name);
	exit(2);
}

static void halve_transfer(pid_t thread, long number)
{
	struct user_regs_struct regs;

	if (!in_list(write_calls, number) && !in_list(read_calls, number))
		return;
	ptrace(PTRACE_GETREGS, thread, 0, &regs);
	if (regs.rdx > 1) {
		regs.rdx /= 2;
		ptrace(PTRACE_SETREGS, thread, 0, &regs);
	}
}

/* The call's number becomes an invalid one, so that it does nothing; its result is set when it returns. A close that
 * fails has closed the descriptor all the same. */
static void start_failing(struct trace *trace, pid_t thread, long number)
{
	struct user_regs_struct regs;

	if (trace->failing_count == PENDING_MAX)
		return;
	if (number != SYS_close) {
		ptrace(PTRACE_GETREGS, thread, 0, &regs);
		regs.orig_rax = (unsigned long long)-1;
		ptrace(PTRACE_SETREGS, thread, 0, &regs);
	}
	trace->failing[trace->failing_count++] = thread;
}

static void on_entry(struct trace *trace, pid_t thread, const struct __ptrace_syscall_info *info)
{
	bool later = (trace->mode == 'c') && trace->calls + 1 > trace->want;
	bool attacks = trace->mode == 'n' || trace->mode == 'd';
	long number = (long)info->entry.nr;
	char path[PATH_MAX];

	if (!in_set(trace->set, number) || (attacks && !attack_find(thread, info, trace->mode == 'd', path)))
		return;
	trace->calls++;
	if (!trace->want || (trace->calls != trace->want && !later))
		return;
	trace->hit = number;
	if (trace->mode == 'e')
		kill(-trace->child, SIGKILL);
	else if (trace->mode == 'x')
		trace->kill_after = thread;
	else if (attacks)
		attack_swap(path);
	else if (trace->mode == 's')
		halve_transfer(thread, number);
	else
		start_failing(trace, thread, number);
}

static void on_exit_of_call(struct trace *trace, pid_t thread)
{
	struct user_regs_struct regs;

	if (trace->kill_after == thread) {
		kill(-trace->child, SIGKILL);
		trace->kill_after = 0;
	}
	for (int i = 0; i < trace->failing_count; i++) {
		if (trace->failing[i] != thread)
			continue;
		ptrace(PTRACE_GETREGS, thread, 0, &regs);
		regs.rax = (unsigned long long)-trace->fail_with;
		ptrace(PTRACE_SETREGS, thread, 0, &regs);
		trace->failing[i] = trace->failing[--trace->failing_count];
		return;
	}
}

/* Handles one stop of a thread; returns the signal to deliver. */
static int on_stop(struct trace *trace, pid_t thread, int signal)
{
	struct __ptrace_syscall_info info;

	if (signal != (SIGTRAP | 0x80))
		return signal == SIGTRAP || signal == SIGSTOP ? 0 : signal;
	memset(&info, 0, sizeof(info));
	ptrace(PTRACE_GET_SYSCALL_INFO, thread, (void *)sizeof(info), &info);
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		on_entry(trace, thread, &info);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		on_exit_of_call(trace, thread);
	return 0;
}

static void start(struct trace *trace, char **command)
{
	int status;

	trace->child = fork();
	if (!trace->child) {
		setpgid(0, 0);
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		execvp(command[0], command);
		_exit(127);
	}
	waitpid(trace->child, &status, 0);
	ptrace(PTRACE_SETOPTIONS, trace->child, 0,
	       PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
		       PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC);
	ptrace(PTRACE_SYSCALL, trace->child, 0, 0);
}

static int follow(struct trace *trace)
{
	int status, rc = 0;
	pid_t thread;

	for (thread = waitpid(-1, &status, __WALL); thread >= 0; thread = waitpid(-1, &status, __WALL)) {
		if (WIFSTOPPED(status)) {
			int signal = on_stop(trace, thread, WSTOPSIG(status));

			ptrace(PTRACE_SYSCALL, thread, 0, signal);
		} else if (thread == trace->child) {
			rc = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		}
	}
	return rc;
}

int main(int argc, char **argv)
{
	struct trace trace = {.hit = -1, .set = "all"};
	int rc;

	if (argc < 5) {
		fprintf(stderr, "usage: faultat MODE N [SET] -- COMMAND [ARG...]\n");
		return 2;
	}
	trace.mode = argv[1][0];
	if (trace.mode == 'f' || trace.mode == 'c')
		trace.fail_with = errno_of(argv[1] + 1);
	trace.want = atol(argv[2]);
	argv += 3;
	if (strcmp(*argv, "--"))
		trace.set = *argv++;
	start(&trace, argv + 1);
	rc = follow(&trace);
	fprintf(stderr, "faultat: calls=%ld hit=%ld rc=%d\n", trace.calls, trace.hit, rc);
	return rc;
}
