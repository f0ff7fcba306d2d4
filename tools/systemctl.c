/* SPDX-License-Identifier: MIT */
#include "systemctl.h"
#include "output.h"
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

bool systemctl_runs(bool system)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	tool_auto char *path = system	 ? tool_format("/run/systemd/system")
			       : runtime ? tool_format("%s/systemd/private", runtime)
					 : tool_format("%s", "");

	return *path && access(path, F_OK) == 0;
}

/* output: where it is written, or -1. */
static bool run(const char *const *words, int output)
{
	posix_spawn_file_actions_t actions;
	pid_t process;
	int status = -1;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (output >= 0)
		posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	else
		posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&process, words[0], &actions, NULL, (char *const *)(uintptr_t)words, environ) != 0 ||
	    waitpid(process, &status, 0) != process)
		status = -1;
	posix_spawn_file_actions_destroy(&actions);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool systemctl_do(bool system, const char *verb, const char *unit)
{
	const char *const words[] = {"systemctl", system ? "--system" : "--user", verb, unit, NULL};

	return run(words, -1);
}

char *systemctl_property(bool system, const char *unit, const char *property)
{
	const char *const words[] = {
		"systemctl", system ? "--system" : "--user", "show", "--value", "--property", property, unit, NULL};
	char *value = NULL;
	size_t room = 0;
	FILE *output = tmpfile();
	bool done = output && run(words, fileno(output));

	if (output)
		rewind(output);
	if (!done || getline(&value, &room, output) < 0) {
		free(value);
		value = NULL;
	}
	if (output)
		fclose(output);
	if (value)
		value[strcspn(value, "\n")] = '\0';
	return value;
}
