#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Help, man pages and completions: all know every command and every option. Documents name what there is.
# shellcheck disable=SC2154
load helper

DOCS=$BUILD/scripts/docs

# "COMMAND OPTION LETTER" of all commands, a line each; LETTER may be empty.
all_options() {
	backuptool help --json | jq -r '.commands[] | .name as $n | .options[] | "\($n) \(.name) \(.letter // "")"'
}

# A man page as plain text without breaks, so that words can be looked for.
plain() {
	mandoc -Tutf8 -O width=1000 "$1" | sed $'s/.\b//g'
}

@test "every command and option is in its man page and its help" {
	count=0
	for command in $(backuptool help --json | jq -r '.commands[].name'); do
		plain "$DOCS/backuptool-$command.1" >page
		backuptool help "$command" >help
		grep -q "backuptool-$command(1)" <(plain "$DOCS/backuptool.1")
		while read -r name option letter; do
			[ "$name" = "$command" ] || continue
			grep -qE -- "^ +${letter:+-$letter, }--$option\b" page
			grep -qE -- "^ +${letter:+-$letter, }--$option\b" help
			count=$((count + 1))
		done < <(all_options)
		sed -n '/^Example:/,$s/^  //p' help >examples
		grep -q . examples
		while IFS= read -r line; do
			grep -qF -- "$line" page
		done <examples
	done
	[ "$count" -ge 60 ]
}

@test "a command's man page has the exit codes that it can give" {
	codes() {
		plain "$DOCS/$1.1" | sed -n '/^EXIT STATUS/,/^[A-Z]/{ /^EXIT STATUS/d; p; }' | grep -oE '^ +[0-9]+ ' | tr -d ' ' | tr '\n' ' '
	}
	[ "$(codes backuptool)" = "0 1 2 3 4 10 11 130 141 " ]
	[ "$(codes backuptool-diff)" = "0 1 2 3 4 10 11 130 141 " ]
	[ "$(codes backuptool-snapshot)" = "0 1 2 3 10 11 130 141 " ]
	[ "$(codes backuptool-run)" = "0 1 2 3 10 11 130 141 " ]
	[ "$(codes backuptool-config)" = "0 1 2 3 130 141 " ]
	[ "$(codes backuptool-help)" = "0 1 2 3 130 141 " ]
}

@test "man pages: no complaints of mandoc and groff" {
	count=0
	for page in "$DOCS"/*.[1578]; do
		[[ $page != */backupfs.8 || -x $BUILD/fs/backupfs ]]
		echo "$page"
		run -0 mandoc -Tlint -Wwarning "$page"
		[ "$output" = "" ]
		run -0 bash -c 'groff -ww -man -Tutf8 -Z "$1" >/dev/null' bash "$page"
		[ "$output" = "" ]
		count=$((count + 1))
	done
	[ "$count" -ge 15 ]
	man -l "$DOCS/backuptool.1" | grep -q 'keeps snapshots of directories'
}

@test "man 5 backuptool-format has the whole text" {
	plain "$DOCS/backuptool-format.5" | tr -s ' \n' ' ' >page
	grep -q 'This text is normative' page
	# every word of the source, without the marks, is there in the same order
	sed -E '1d; s/\[([^]]*)\]\([^)]*\)/\1/g; s/[`*|#]//g; s/^ *- / /; s/-{3,}//g' "$TOP/engine/FORMAT.md" |
		tr -cs 'A-Za-z0-9' '\n' | grep . | tr 'A-Z' 'a-z' >words
	tr -cs 'A-Za-z0-9' '\n' <page | grep . | tr 'A-Z' 'a-z' >page-words
	[ "$(wc -l <words)" -ge 2000 ]
	# tables of three columns change their order, nothing else does
	missing=$(diff <(sort -u words) <(sort -u page-words) | grep -c '^<' || true)
	[ "$missing" = 0 ]
	[ "$(grep -c '"open_sha256":"…"}}' "$TOP/engine/FORMAT.md")" = "$(plain "$DOCS/backuptool-format.5" | grep -c '"open_sha256":"…"}}')" ]
}

@test "backupfs --help and its man page agree" {
	[ -x "$BUILD/fs/backupfs" ] || skip "the mount is not built"
	plain "$DOCS/backupfs.8" >page
	"$BUILD/fs/backupfs" --help >help
	options=$(grep -oE '^  -o [a-z_]+' help | sort -u)
	[ "$(wc -l <<<"$options")" -ge 8 ]
	while read -r _ option; do
		grep -qE -- "^ +-o $option" page
	done <<<"$options"
	# and the other way round
	while read -r _ option; do
		grep -q -- "-o $option" help
	done < <(grep -oE '^ +-o [a-z_]+' page)
	# what holds without an option is what the code takes
	default=$(sed -n 's/^#define CACHE_DEFAULT ((size_t)\([0-9]*\) << 20)$/\1M/p' "$TOP/fs/bounds.c")
	grep -qE -- "^  -o cache=SIZE .*\($default\)$" help
	grep -A 2 -- "-o cache=SIZE" page | grep -qF "; $default if not given."
	for option in -f -d --help --version; do
		grep -q -- "$option" help
		grep -q -- "$option" page
	done
}

# completed WORD…: what bash offers for the last word.
completed() {
	bash --norc -c '
		. "$1/backuptool"
		shift
		line="backuptool $*" line=${line// = /=}
		COMP_WORDS=(backuptool "$@") COMP_CWORD=$#
		COMP_LINE=$line COMP_POINT=${#line}
		_backuptool backuptool "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
		printf "%s\n" "${COMPREPLY[@]}"
	' bash "$DOCS" "$@"
}

@test "bash completes every command and option" {
	completed "" >commands
	diff <(sort commands) <(backuptool help --json | jq -r '.commands[].name' | sort)
	[ "$(completed sna)" = snapshot ]
	while read -r command option letter; do
		completed "$command" "--$option" | grep -qx -- "--$option"
		[ -z "$letter" ] || completed "$command" - | grep -qx -- "-$letter"
	done < <(all_options | awk '!seen[$2]++')
	completed - | grep -qx -- --version
}

@test "bash completes snapshots, choices, directories and files" {
	small_tree src
	take src
	take src
	run -0 completed remove ""
	output_is latest "$(newest 1 | sed 's/snapshot_//; s/.json//')" "$(newest | sed 's/snapshot_//; s/.json//')"
	run -0 completed remove latest snap
	output_is "$(newest 1 | sed 's/.json//')" "$(newest | sed 's/.json//')"
	[ "$(completed restore --snapshot-file la)" = latest ]
	[ "$(completed restore --snapshot-file = la)" = latest ]
	mv snapshots 'other store'
	[ "$(completed remove 20)" = "" ]
	[ "$(completed --store 'other\ store' remove 20 | wc -l)" = 2 ]
	[ "$(completed remove --store = 'other\ store' 20 | wc -l)" = 2 ]
	[ "$(BACKUPTOOL_STORE='other store' completed remove 20 | wc -l)" = 2 ]
	[ "$(completed restore --overwrite n)" = never ]
	[ "$(completed snapshot --target-directory s)" = src ]
	[ "$(completed snapshot --exclude-from src/docs/a)" = src/docs/a.txt ]
	[ "$(completed snapshot --target-directory src/docs/a)" = "" ]
	[ "$(completed export latest src/l)" = src/link ]
	[ "$(completed snapshot --exclude s)" = "" ]
	[ "$(completed help ta)" = tag ]
	# The second operand of diff may be a snapshot or a directory; a third one is none.
	[ "$(BACKUPTOOL_STORE='other store' completed diff latest 20 | wc -l)" = 2 ]
	[ "$(BACKUPTOOL_STORE='other store' completed diff latest sr)" = src ]
	[ "$(completed diff latest src s)" = "" ]
	[ "$(completed diff latest src ''; completed mount src '')" = "" ]
}

@test "zsh completes commands, options and snapshots" {
	zsh -n "$DOCS/_backuptool"
	small_tree src
	take src
	cp -r snapshots elsewhere
	lines=()
	while read -r command; do
		lines+=("backuptool $command --")
	done < <(backuptool help --json | jq -r '.commands[].name')
	timeout 120 zsh -f "$TESTS/bats/zsh_complete" "$DOCS" 'backuptool ' "${lines[@]}" 'backuptool remove 20' \
		'backuptool --store elsewhere remove 20' 'backuptool --store none remove l' \
		'backuptool restore --overwrite ' 'backuptool diff latest l' 'backuptool diff latest s' >offered
	diff <(sed -n 's/^backuptool |//p' offered | sort) <(backuptool help --json | jq -r '.commands[].name' | sort)
	diff <(sed -nE 's/^backuptool ([a-z]+) --\|--/\1 /p' offered | tr -d = | sort) \
		<(all_options | cut -d ' ' -f 1,2 | sort)
	name=$(newest | sed 's/snapshot_//; s/.json//')
	grep -qx "backuptool remove 20|$name" offered
	grep -qx "backuptool --store elsewhere remove 20|$name" offered
	diff <(grep 'store none' offered) - <<<'backuptool --store none remove l|latest'
	grep -qx 'backuptool restore --overwrite |never' offered
	grep -qx 'backuptool diff latest l|latest' offered
	grep -qxE 'backuptool diff latest s\|src/?' offered
}

# A configuration with the sources home and photos.
config_of_two() {
	printf '[source home]\ntarget-directory=/h\nstore=/s\n[source photos]\ntarget-directory=/p\nstore=/s\n' >"$1"
	chmod 644 "$1"
}

@test "bash, zsh and fish complete the sources of a configuration" {
	config_of_two config
	[ "$(completed config s)" = show ]
	[ "$(completed run --config config ho)" = home ]
	run -0 completed config check --config = config ''
	output_is home photos
	timeout 120 zsh -f "$TESTS/bats/zsh_complete" "$DOCS" 'backuptool run --config config ' 'backuptool config ' \
		'backuptool config show --config config p' >offered
	diff <(grep -v STARTED offered | sort) - <<-END
		backuptool config show --config config p|photos
		backuptool config |check
		backuptool config |show
		backuptool run --config config |home
		backuptool run --config config |photos
	END
	[ "$(in_fish 'backuptool run --config=config p')" = photos ]
	in_fish 'backuptool config ' | grep -qx check
	in_fish 'backuptool config show --config config ' | grep -qx home
}

# in_fish LINE: what fish offers at the end of the line.
in_fish() {
	HOME=$WORK fish --no-config -c 'source $argv[1]; complete -C $argv[2]' "$DOCS/backuptool.fish" "$1" | cut -f 1
}

@test "fish completes commands, options and snapshots" {
	fish -n "$DOCS/backuptool.fish"
	small_tree src
	take src
	diff <(in_fish 'backuptool ' | sort) <(backuptool help --json | jq -r '.commands[].name' | sort)
	for command in $(backuptool help --json | jq -r '.commands[].name'); do
		in_fish "backuptool $command --" | sort >offered
		diff offered <(all_options | awk -v c="$command" '$1 == c { print "--" $2 }' | sort)
	done
	in_fish 'backuptool remove 20' | grep -qx "$(newest | sed 's/snapshot_//; s/.json//')"
	mv snapshots elsewhere
	[ "$(in_fish 'backuptool --store elsewhere remove 20' | wc -l)" = 1 ]
	[ "$(in_fish 'backuptool remove --store=elsewhere 20' | wc -l)" = 1 ]
	in_fish 'backuptool restore --overwrite ' | grep -qx never
	in_fish 'backuptool --store elsewhere diff latest l' | grep -qx latest
	in_fish 'backuptool diff latest s' | grep -qx src/
}

@test "SECURITY.md names tests that there are" {
	local name count=0
	while read -r name; do
		case $name in
		*.bats) [ -f "$TESTS/bats/$name" ] ;;
		test_*) [ -f "$TESTS/unit/$name.c" ] ;;
		fuzz_*) [ -f "$TESTS/fuzz/$name.c" ] ;;
		esac || {
			echo "there is no $name"
			return 1
		}
		count=$((count + 1))
	done < <(grep -oE '`([a-z_]+\.bats|(test|fuzz)_[a-z_]+)`' "$TOP/SECURITY.md" | tr -d '`' | sort -u)
	[ "$count" -gt 20 ]
}

# in_code DOCUMENT: what it has between backquotes or indented, a line each, but for what has to be filled in.
in_code() {
	{
		grep -oE '`[^`]+`' "$TOP/$1" | tr -d '`'
		sed -n 's/^    //p' "$TOP/$1"
	} | grep -v …
}

@test "every file that ARCHITECTURE.md and CONTRIBUTING.md name is there" {
	local path count=0
	while read -r path; do
		[ -e "$TOP/$path" ] || {
			echo "there is no $path"
			return 1
		}
		count=$((count + 1))
	done < <(for document in ARCHITECTURE CONTRIBUTING; do in_code $document.md; done |
		grep -oE '(^|[ (])(engine|fs|tools|include|scripts|tests)/[A-Za-z0-9_./-]*[A-Za-z0-9_]' | tr -d ' (' | sort -u)
	[ "$count" -gt 60 ]
	while read -r path; do
		[ -f "$TOP/$path" ]
	done < <(grep -ohE '\]\([A-Za-z/]+\.md' "$TOP"/{ARCHITECTURE,CONTRIBUTING,CHANGELOG,README}.md | tr -d ']()')
}

@test "every function, type and constant that ARCHITECTURE.md names is there" {
	local name count=0
	while read -r name; do
		grep -rqw --include='*.[ch]' -e "$name" "$TOP"/{engine,include,fs,tools} || {
			echo "there is no $name"
			return 1
		}
		count=$((count + 1))
	done < <(in_code ARCHITECTURE.md | grep -v / | grep -oE '\b[a-z]+(_[a-z]+)+\b|\bBT_[A-Z_]+\b' | sort -u)
	[ "$count" -gt 80 ]
}

@test "every room is described" {
	local room count=0
	for room in "$TOP"/engine/*/; do
		grep -qF "| \`engine/$(basename "$room")\` | " "$TOP/ARCHITECTURE.md" || {
			echo "$room is not described"
			return 1
		}
		count=$((count + 1))
	done
	[ "$count" -ge 17 ]
}

@test "one test can be chosen, as README.md says" {
	grep -qxF '    meson test -C build store' "$TOP/README.md"
	run -0 meson test -C "$BUILD" --no-rebuild store
	[[ $output =~ 1/1.*\ store\ +OK ]]
	grep -qxF '    BUILD=$PWD/build bats tests/bats/prune.bats -f dry' "$TOP/README.md"
	run -0 bats --count -f dry "$TESTS/bats/prune.bats"
	[ "$output" -ge 1 ]
}
