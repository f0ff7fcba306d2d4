# SPDX-License-Identifier: MIT
# The progress line. The first one is drawn at once, so that the smallest tree has one.

load helper

# The lines that were drawn, one each.
drawn() {
	tr '\r' '\n' <<<"$output" | grep -F $'\033[K' | sed 's/\x1b\[K.*//' | grep .
}

# A store of ./src with one directory that has a nasty, long name.
long_tree() {
	deep=$'src/red\e[31m/and/quite/some/levels/of/directories/with/long/names'
	mkdir -p "$deep"
	seq 100000 >"$deep/numbers.txt"
	take src -q
}

@test "each long command has a progress line, which says what is at hand" {
	long_tree
	on_terminal 250 backuptool snapshot --target-directory src --force
	drawn | grep -E '^ *[0-9]+ %  [01] files?  .* of 575\.1 KiB  .*/s  red\\x1b\[31m/and/.*/names/numbers\.txt$'
	on_terminal 250 backuptool restore --snapshot-file latest --output-directory out
	drawn | grep -E '^ *[0-9]+ %  [01] files?  .* of 575\.1 KiB'
	on_terminal 250 backuptool check
	drawn | grep -E '^ *[0-9]+ %  [0-9] files?  .* of .* KiB.*  snapshot_.*\.json$'
	on_terminal 250 "backuptool dump latest >dumped"
	drawn | grep -E '^  0 %  0 files  0 B of 575\.1 KiB  \./$'
	on_terminal 250 backuptool export --classic latest classic.json
	drawn | grep -E '^ *[0-9]+ %  1 file  .* of 575\.1 KiB  .*  src/red|red.*numbers\.txt$'
	on_terminal 250 backuptool diff latest ./src
	drawn | grep -E '^0 files  0 B|numbers\.txt$'
	on_terminal 250 backuptool stats
	drawn | grep -E '^  0 %  0 of 2  snapshot_.*\.json$'
	on_terminal 250 backuptool prune --snapshot-number 1
	drawn | grep -E '^  0 %  0 of 1  snapshot_.*\.json$'
}

@test "prune says how much of the volumes is copied" {
	mkdir src
	head -c 300000 /dev/urandom >src/kept
	head -c 300000 /dev/urandom >src/dropped
	take src -q
	rm src/dropped
	take src -q
	# Slow enough between looking at what is needed and copying it for a further line.
	on_terminal 250 strace -f -o /dev/null -e inject=renameat2:delay_exit=200000 backuptool prune --snapshot-number 1
	drawn | grep -E '^[ 0-9]+ %  0 files  39[0-9]\.[0-9] KiB of 39[0-9]\.[0-9] KiB  .*/s  contents/[0-9a-f]{32}\.json$'
}

@test "the line moves within a file, and while check looks at directories whose contents are read" {
	mkdir -p src/{1..6}
	head -c 2000000 /dev/urandom >src/big
	for i in {1..6}; do echo "$i" >"src/$i/file"; done
	take src -q
	on_terminal 250 "strace -f -o /dev/null -e inject=write:delay_exit=10000 backuptool dump latest >dumped"
	drawn | grep -E '^ *[1-9][0-9] %  6 files  [1-9].* of 1\.9 MiB  .*  \./big$'
	tar -xOf dumped ./big | cmp - src/big
	on_terminal 250 strace -f -o /dev/null -e inject=pread64:delay_exit=150000 backuptool check
	[ "$(drawn | grep -c '^100 %  1 file')" -ge 4 ]
}

@test "the end of a restore and of a snapshot is writing to disk" {
	long_tree
	on_terminal 250 backuptool restore --snapshot-file latest --output-directory out
	[ "$(drawn | tail -n 1)" = "100 %  1 file  575.1 KiB of 575.1 KiB  writing to disk" ]
	on_terminal 250 backuptool snapshot --target-directory src --force
	[ "$(drawn | tail -n 1)" = "1 file  575.1 KiB  writing to disk" ]
}

@test "the line fits into the terminal, and no control character of a name reaches it" {
	long_tree
	mkdir "src/äöü漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字"
	for columns in 10 20 50 60 61 62 63 79 80 81 100; do
		for command in "snapshot --force --target-directory src" check "diff latest ./src" "dump latest >dumped"; do
			on_terminal "$columns" "backuptool $command"
			drawn >lines
			python3 - "$columns" <<-'EOF'
				import sys, unicodedata
				for line in open("lines").read().splitlines():
				    width = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)
				    assert 0 < width < int(sys.argv[1]), line
				    assert line.isprintable(), line
			EOF
		done
	done
	on_terminal 60 backuptool check
	drawn | grep -E '  ….*\.json$'
}

@test "no line with --no-progress, -q, NO_COLOR, into a pipe" {
	long_tree
	for command in check "restore --snapshot-file latest --output-directory out" "prune --snapshot-number 5" "dump latest >dumped"; do
		on_terminal 80 "backuptool $command"
		[[ $output == *$'\033[K'* ]]
		for none in "backuptool --no-progress" "backuptool -q" "NO_COLOR=1 backuptool" "TERM=dumb backuptool"; do
			on_terminal 80 "${none/backuptool/backuptool ${command%% *}} ${command#"${command%% *}"}"
			[[ $output != *$'\033'* ]]
		done
		on_terminal 80 "backuptool $command 2>errors"
		[ ! -s errors ]
	done
}
