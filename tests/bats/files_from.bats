#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What is taken is what a list says.
# shellcheck disable=SC2154
load helper

# The paths in the latest snapshot, one line.
taken() {
	backuptool ls -R latest | tr '\n' ' '
}

make_source() {
	mkdir -p src/docs/letters src/docs/other src/photos/2024 src/empty
	touch src/docs/letters/{a,b} src/docs/other/c src/photos/2024/x src/photos/y src/top src/.hidden
	chmod 750 src/photos
}

@test "a list says which files and directories are taken, with the way to them" {
	make_source
	cat >list <<-END
		# letters, with all that is in them
		docs/letters

		./photos//2024/x
		empty/
		docs/letters/a
		top
		top
	END
	run -0 take src --files-from list
	[ "$(taken)" = 'docs docs/letters docs/letters/a docs/letters/b empty photos photos/2024 photos/2024/x top ' ]
	[[ $output != *'left out'* ]]
	[[ $(backuptool ls -l latest) == *'drwxr-x---'*photos* ]]
	run -0 backuptool list -v
	[[ $output == *'options: files-from'* ]]
	# The same from standard input, and with a NUL after each path; the root is everything.
	(cd src && find docs/letters photos/2024 top empty -print0) >raw
	run -0 take src --skip-if-unchanged --files-from-raw raw
	[[ $output == *'nothing changed'* ]]
	run -0 take src --skip-if-unchanged --files-from - <list
	[[ $output == *'nothing changed'* ]]
	run -0 take src --files-from <(echo .)
	[ "$(taken)" = "$(cd src && find . -mindepth 1 -printf '%P\n' | sort | tr '\n' ' ')" ]
	# Several lists are one.
	run -0 take src --files-from <(echo top) --files-from-raw <(printf 'photos/y\0')
	[ "$(taken)" = 'photos photos/y top ' ]
}

@test "paths of a list may be absolute, as the directory is named or as it is" {
	make_source
	ln -s src link
	printf '%s\r\n' "$PWD/link/docs/other" "$PWD/src/top" >list
	run -0 take link --files-from list
	[ "$(taken)" = 'docs docs/other docs/other/c top ' ]
	printf '%s\n' "$PWD/src" >list
	run -0 take link/ --files-from list
	[[ $(taken) == *' top ' ]]
}

@test "what a list names and is not there is told, and the rest is taken" {
	make_source
	printf '%s\n' top docs/none none/at/all top/below docs >list
	run -3 --separate-stderr take src --files-from list
	[ "$(grep -c 'it is in the list of files, but not in the directory' <<<"$stderr")" = 3 ]
	for path in docs/none none/at/all top/below; do
		[[ $stderr == *"backuptool snapshot: $path: "* ]]
	done
	[[ $output == *'incomplete: 3 listed paths are not there'* ]]
	[ "$(taken)" = 'docs docs/letters docs/letters/a docs/letters/b docs/other docs/other/c top ' ]
	run -3 --separate-stderr backuptool snapshot --target-directory src --files-from list --json
	[ "$(jq .missing <<<"$output")" = 3 ]
	# What another rule leaves out is not missing.
	run -0 take src --files-from <(printf '%s\n' top docs/letters/a docs/letters/gone docs/other/c) -e letters/
	[ "$(taken)" = 'docs docs/other docs/other/c top ' ]
	head -c 2000 /dev/zero >src/large
	run -0 take src --files-from <(printf '%s\n' large top photos/y) --exclude-larger-than 1k --include top --include large
	[ "$(taken)" = 'top ' ]
	# A list without paths takes nothing.
	run -3 take src --files-from /dev/null
	[[ $output == *'nothing is left in src'* ]]
	[ "$(taken)" = '' ]
}

@test "a list that goes out of the directory is refused with its line" {
	make_source
	printf 'top\n\n# no\n../other\n' >list
	run -2 take src --files-from list
	[[ $output == *"list, line 4: '../other' has '..' in it; write the path without"* ]]
	run -2 take src --files-from <(printf '%s\n' "$PWD/src/top" "$PWD/srcx/top")
	[[ $output == *", line 2: '$PWD/srcx/top' does not lie in the directory that is taken"* ]]
	run -2 take src --files-from-raw - < <(printf 'top\0docs/../top\0')
	[[ $output == *"standard input, path 2: 'docs/../top' has '..' in it"* ]]
	printf 'top\0docs' >raw
	run -2 take src --files-from raw
	[[ $output == *"--files-from-raw reads paths with a NUL after each"* ]]
	run -2 take src --files-from missing
	[[ $output == *"--files-from 'missing' is not a file that can be read"* ]]
	[ ! -e snapshots ]
}

@test "what a list did not name is left alone later on" {
	make_source
	run -0 take src --files-from <(printf '%s\n' docs/letters top)
	run -0 backuptool diff latest
	[ "$output" = 'no differences' ]
	printf 'changed' >src/top
	rm src/docs/letters/b
	touch src/docs/letters/new
	run -0 backuptool diff latest
	[ "$(grep '^[-+MTU] ' <<<"$output" | tr '\n' ' ')" = '- docs/letters/b M top ' ]
	run -0 backuptool restore --snapshot-file latest --output-directory src --delete --json
	[ "$(jq .deleted <<<"$output")" = 0 ]
	[ -e src/docs/letters/new ]
	[ -e src/docs/letters/b ]
	[ -e src/.hidden ]
	run -0 backuptool diff latest --all-files
	[[ $output == *'+ .hidden'* ]]
	run -0 --separate-stderr take src
	[[ $stderr == *'the rules differ from those of the last snapshot'* ]]
}

@test "names of any bytes may be listed" {
	mkdir src
	touch src/$'new\nline' src/'#hash' src/$'\xff' src/' blank ' src/$'cr\r'
	run -0 take src --files-from-raw <(printf '%s\0' $'new\nline' '#hash' $'\xff' ' blank ' $'cr\r')
	[ "$(backuptool ls -0 latest | tr -cd '\0' | wc -c)" = 5 ]
	run -0 take src --files-from <(printf '%s\n' './#hash' ' blank ' $'\xff')
	[ "$(backuptool ls -0 latest | tr -cd '\0' | wc -c)" = 3 ]
}

@test "a job and a service go by a list, and --watch does not" {
	make_source
	echo photos/y >list
	run -0 backuptool job --target-directory src --interval 1s --duration 1s --files-from list
	[ "$(taken)" = 'photos photos/y ' ]
	run -2 backuptool job --target-directory src --interval 1s --duration 1s --files-from list --watch
	[[ $output == *'leave one of them out'* ]]
	run -0 backuptool schedule --target-directory src --interval 1h --print --files-from list --iexclude-from list
	[[ $output == *"--files-from=$PWD/list"*"--iexclude-from=$PWD/list"* ]]
	run -2 backuptool schedule --target-directory src --interval 1h --print --files-from - <list
	[[ $output == *'--files-from must name a file that stays'* ]]
	cat >conf <<-END
		[source home]
		store = $PWD/snapshots
		target-directory = $PWD/src
		files-from = $PWD/list
	END
	run -0 backuptool run --config conf home
	[ "$(taken)" = 'photos photos/y ' ]
	echo ../photos >>list
	run -2 backuptool run --config conf home
	[[ $output == *"list, line 2: '../photos' has '..' in it"* ]]
}

@test "an ordinary user's list may name what cannot be read" {
	reachable_tool
	mkdir theirs
	chmod 777 theirs
	cd theirs
	as_user mkdir -p src/closed src/open
	as_user touch src/closed/file src/open/file
	as_user chmod 0 src/closed
	printf '%s\n' closed/file open/file >list
	run -3 as_user backuptool snapshot --target-directory src --files-from list
	[ "$(grep -c 'closed' <<<"$output")" = 1 ]
	run -0 as_user backuptool ls -R latest
	[ "$(tr '\n' ' ' <<<"$output")" = 'closed open open/file ' ]
	as_user chmod 700 src/closed
}
