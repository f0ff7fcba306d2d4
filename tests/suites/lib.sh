# SPDX-License-Identifier: MIT
# What the suites share; read with ". tests/suites/lib.sh" in the project's directory.
# shellcheck shell=sh

build_root=${TEST_BUILD:-build}
# Sanitizers end the program with this status, which no command uses.
export ASAN_OPTIONS=exitcode=99:detect_leaks=1:abort_on_error=0:allocator_may_return_null=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:exitcode=99
export TSAN_OPTIONS=halt_on_error=1:exitcode=99:second_deadlock_stack=1

# build_dir NAME: where the build of that name is.
build_dir() {
	if [ "$1" = gcc ]; then echo "$build_root"; else echo "$build_root-$1"; fi
}

# unit_names BUILD [ROOM…]: the unit tests of that build, of all rooms or of those whose names begin so, without those that fit the
# pattern UNIT_BUT.
unit_names() {
	build=$1
	shift
	tests/suites/meson_test "$build" | grep -E "^($(printf '%s|' "${@:-.}" | sed 's/|$//'))" | grep -v "${UNIT_BUT:-^$}"
}

# targets BUILD: what is to be built there; nothing: all.
targets() {
	[ -n "${rooms:-}" ] || return 0
	echo tools/backuptool fs/backupfs
	# libfuse before 3.14 has no such test.
	if grep -q '^build tests/fuzz/replay_fuse:' "$1/build.ninja"; then echo tests/fuzz/replay_fuse; fi
	# The names are words. A test with files at rest is the same program.
	# shellcheck disable=SC2086
	unit_names "$1" $rooms | sed 's|_at_rest$||; s|^|tests/unit/test_|' | sort -u
}

# build NAME [OPTION…]: builds in the directory of that name, where a warning is an error: it is one here, not for whoever
# builds the program with another compiler. Prints something only when that fails.
build() {
	name=$1
	dir=$(build_dir "$name")
	shift
	log=$(mktemp)
	# The targets are words. scripts/quickstart may have made the directory, without the tests.
	# shellcheck disable=SC2046
	if { if [ -f "$dir/build.ninja" ]; then meson configure "$dir" -Dtests=true -Dwerror=true; else
		meson setup "$dir" -Dwerror=true "$@"; fi &&
		ninja -C "$dir" $(targets "$dir"); } >"$log" 2>&1; then
		rm -f "$log"
		return 0
	fi
	grep -v "^\[[0-9]*/[0-9]*\] [CL]" "$log"
	rm -f "$log"
	return 1
}

build_gcc() { CC=gcc build gcc; }
build_clang() { CC=clang build clang; }
build_asan() { CC=gcc build asan -Db_sanitize=address,undefined -Db_lundef=false -Dinvariants=true; }
# Only what runs under it: the unit tests of these rooms, and the mount.
build_tsan() {
	rooms=$* # for targets
	CC=gcc build tsan -Db_sanitize=thread -Db_lundef=false
}
build_fuzz() { CC=clang build fuzz -Dfuzz=true; }

# each PREFIX FILE…: runs every file as the last argument of the prefix (words), as many at a time as there are
# processors, or JOBS, through tests/suites/one.
each() {
	prefix=$1
	shift
	[ $# -gt 0 ] || return 0
	lock=$(mktemp)
	# The prefix is a list of words.
	# shellcheck disable=SC2086
	printf '%s\0' "$@" | TAP_LOCK=$lock xargs -0 -n 1 -P "${JOBS:-$(nproc)}" tests/suites/one $prefix
	rm -f "$lock"
}

# unit_tests NAME [ROOM…]: runs the unit tests of that build, of all rooms or of those whose names begin so. ThreadSanitizer
# needs addresses that are not randomised.
unit_tests() {
	name=$1 dir=$(build_dir "$1")
	prefix="tests/suites/meson_test $dir"
	[ "$name" != tsan ] || prefix="setarch -R $prefix"
	shift
	export CMOCKA_MESSAGE_OUTPUT=TAP
	# The names are words.
	# shellcheck disable=SC2046
	each "$prefix" $(unit_names "$dir" "$@")
}

# replay NAME [TARGET…]: the committed inputs of all fuzz targets, or of those, in that build.
replay() {
	name=$1 dir=$(build_dir "$1") as=
	[ "$name" != tsan ] || as="setarch -R"
	shift
	for program in "$dir"/tests/fuzz/replay_*; do
		target=${program##*/replay_}
		{ [ -f "$program" ] && [ -x "$program" ]; } || continue
		case " ${*:-$target} " in *" $target "*) ;; *) continue ;; esac
		# shellcheck disable=SC2086
		if timeout 300 $as "$program" "tests/fuzz/corpus/$target"; then echo "ok - inputs of $target"; else echo "not ok - inputs of $target"; fi
	done
}
