#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Files brought back by their place, by patterns, to where they were, and without losing what is there.
# shellcheck disable=SC2154
load helper

KEPT='.~before-restore-????-??-??T??-??-??Z~'

some_tree() {
	mkdir -p src/letters/old src/pictures
	echo may >src/letters/may.txt
	echo june >src/letters/june.txt
	echo april >src/letters/old/april.txt
	echo cat >src/pictures/cat.jpg
	echo text >src/pictures/cat.txt
	echo top >src/top.jpg
	touch -d @1600000000 src/letters/*.txt src/letters/old/* src/pictures/* src/top.jpg
	settle
	take src -q
}

# Whatever the names of the backups in a directory are.
kept() {
	compgen -G "$1$KEPT" || true
}

@test "SNAPSHOT[:PATH] DIR: everything, what is in a directory, or a file" {
	some_tree
	run -0 backuptool restore latest all
	same src all
	[[ ${lines[0]} == "restored $(newest) of $WORK/src to all" ]]
	run -0 backuptool restore latest:letters some
	same src/letters some
	run -0 backuptool restore "latest:$WORK/src/letters/old/april.txt" one
	[ "$(ls one)" = april.txt ]
	run -0 backuptool restore latest ways letters/may.txt top.jpg
	[ "$(cd ways && find . -type f | sort | tr '\n' ' ')" = "./letters/may.txt ./top.jpg " ]
	run -0 backuptool restore -o short latest:pictures
	same src/pictures short
	run -0 backuptool restore -s latest:letters -o long
	[ "$(ls long)" = letters ]
	same src/letters long/letters
	run -2 backuptool restore latest:letters x may.txt
	[[ $output == *": say what to restore either as SNAPSHOT:PATH or as a PATH after DIR; "* ]]
	run -1 backuptool restore latest:nothing x
	[[ $output == *": there is no nothing in "* ]]
	[ ! -e x ]
}

@test "what a restore lacks is said, also in the words of other programs" {
	some_tree
	run -2 backuptool restore
	[[ $output == *": say which snapshot, and where to: backuptool restore SNAPSHOT[:PATH] DIR; "* ]]
	run -2 backuptool restore latest
	[[ $output == *": say where to: backuptool restore SNAPSHOT[:PATH] DIR, or --in-place for where it was; "* ]]
	run -2 backuptool restore latest --target src
	[[ $output == *"; --target only tells of which directory the snapshot is; "* ]]
	run -2 backuptool restore --snapshot-file latest letters
	[[ $output == *": --output-directory DIR is missing; did you mean --output-directory letters?; "* ]]
	run -2 backuptool restore latest -t out
	[[ $output == *": there is no option -t: the output is an operand: backuptool restore SNAPSHOT DIR; "* ]]
	run -2 backuptool restore latest out --update
	[[ $output == *": there is no option --update: '--overwrite if-newer' leaves files that are newer; "* ]]
	run -2 backuptool restore latest out --no-clobber=x
	[[ $output == *": there is no option --no-clobber: '--overwrite never' leaves what is there; "* ]]
	run -2 backuptool restore latest out --in-place --force -o x
	[[ $output == *": --in-place and --output-directory do not go together; "* ]]
	run -2 backuptool restore latest out --force
	[[ $output == *": --force goes with --in-place; "* ]]
}

@test "a PATH in the place of DIR is a doubt" {
	some_tree
	run -1 backuptool restore latest letters/may.txt
	[[ $output == *": this makes a directory letters/may.txt for all that is restored; letters/may.txt is also a path in the snapshot: 'backuptool restore latest:letters/may.txt DIR' restores that: nothing was changed; give --yes to go on" ]]
	[ ! -e letters ]
	run -0 backuptool restore latest letters -y
	same src letters
	run -0 backuptool restore latest letters
}

@test "--include and --exclude: what matches, and the directories that lead there" {
	some_tree
	run -0 backuptool restore latest out --include '*.jpg'
	[ "$(cd out && find . | sort | tr '\n' ' ')" = ". ./pictures ./pictures/cat.jpg ./top.jpg " ]
	[ "$(stat -c '%a %y' src/pictures/cat.jpg)" = "$(stat -c '%a %y' out/pictures/cat.jpg)" ]
	run -0 backuptool restore latest two -i /letters -e old/
	[ "$(cd two && find . -type f | sort | tr '\n' ' ')" = "./letters/june.txt ./letters/may.txt " ]
	printf '%s\n' '# some' '*.txt' '!cat.txt' >patterns
	run -0 backuptool restore latest three --include-from patterns
	[ "$(cd three && find . -type f | wc -l)" = 3 ]
	run -0 backuptool restore latest four --exclude-from - letters <patterns
	[ "$(cd four && find . -type f | wc -l)" = 0 ]
	run -0 backuptool restore latest:letters five -i 'letters/old/'
	[ "$(cd five && find . -type f)" = ./old/april.txt ]
}

@test "patterns that match nothing are named, and a pattern as a PATH" {
	some_tree
	run -1 backuptool restore latest out --include '*.odt' --include '/nowhere'
	[[ $output == *": nothing here matches the patterns '*.odt', '/nowhere'"* ]]
	run -3 backuptool restore latest out --include '*.odt' --include 'may*' --json --exclude none
	[[ $output == *": nothing here matches the pattern '*.odt'"* ]]
	[[ $output == *": nothing here matches the pattern 'none'"* ]]
	[ "$(jq -c .unmatched <<<"${lines[-1]}")" = '["*.odt"]' ]
	[ -e out/letters/may.txt ]
	run -1 backuptool restore latest out --include "$WORK/src/letters"
	[[ $output == *": the pattern '$WORK/src/letters' matches nothing: patterns begin at the directory, write '/letters'"* ]]
	run -1 backuptool restore latest out '*.jpg'
	[[ $output == *": there is no \*.jpg in "*": a PATH is not a pattern; write --include '\*.jpg'" ]] ||
		[[ $output == *"there is no *.jpg in "*"a PATH is not a pattern; write --include '*.jpg'" ]]
}

@test "--delete with patterns removes what they select" {
	some_tree
	cp -a src out
	mkdir out/more
	touch out/more/{a.jpg,b.txt} out/letters/{a.jpg,b.txt}
	run -0 backuptool restore latest out --delete --include '*.jpg' -v
	[[ $output == *$'D letters/a.jpg\n'* && $output == *$'D more\n'* ]]
	[ "$(cd out && echo letters/[ab].* more/*)" = "letters/b.txt more/b.txt" ]
	run -0 backuptool restore latest out --delete --exclude '/more'
	[ -e out/more/b.txt ]
	[ ! -e out/letters/b.txt ]
}

@test "--overwrite if-newer leaves what is not older, and newer files are told of" {
	some_tree
	cp -a src out
	echo edited >out/letters/may.txt
	echo old >out/letters/june.txt
	touch -d @1500000000 out/letters/june.txt
	run -0 backuptool restore latest out --dry-run
	[[ $output == *$'\n'"1 file here is newer than the snapshot; '--overwrite if-newer' leaves it"* ]]
	[ "$(cat out/letters/june.txt)" = old ]
	on_terminal 120 backuptool restore latest out --overwrite if-newer
	[[ $output != *"leaves it"* ]]
	[[ $output == *"1 file here is newer than the snapshot and left as it is"* ]]
	[ "$(cat out/letters/may.txt out/letters/june.txt)" = $'edited\njune' ]
	run -0 backuptool restore latest out --overwrite if-newer --json
	[ "$(jq -c '[.newer, .written]' <<<"$output")" = '[1,0]' ]
	on_terminal 120 backuptool restore latest out --no-progress
	[[ ${lines[0]} == *": 1 file here is newer than the snapshot; '--overwrite if-newer' leaves it"* ]]
	[[ $output == *"1 file that was newer than the snapshot was replaced"* ]]
	same src out
}

@test "--backup keeps what is replaced and what is removed, and never what is equal" {
	some_tree
	cp -a src out
	echo edited >out/letters/may.txt
	rm -r out/letters/old out/top.jpg
	echo 'a file' >out/letters/old
	ln -s nowhere out/top.jpg
	mkdir out/extra
	touch out/extra/in
	run -0 backuptool restore latest out --backup --delete -n -v
	[ "$(grep -c '^K ' <<<"$output")" = 4 ]
	[ "$(cat out/letters/may.txt)" = edited ]
	run -0 backuptool restore latest out -b --delete -v
	[ "$(grep -c '^K ' <<<"$output")" = 4 ]
	[[ $output == *", 0 deleted, 4 kept under another name"* ]]
	[ "$(cat "$(kept out/letters/may.txt)" "$(kept out/letters/old)")" = $'edited\na file' ]
	[ -L "$(kept out/top.jpg)" ]
	[ -e "$(kept out/extra)/in" ]
	run -0 backuptool restore latest out --backup --delete --overwrite always
	[[ $output == *", 0 kept under another name"* ]]
	run -0 backuptool restore latest out --delete
	[[ $output == *", 0 deleted"* ]]
	run -0 backuptool restore latest out --delete --all-files --yes
	[[ $output == *", 5 deleted"* ]]
	same src out
}

@test "--backup=SUFFIX, a name that is taken, and an ending that cannot be one" {
	some_tree
	mkdir out
	echo mine >out/top.jpg
	echo taken >out/top.jpg.old
	run -0 backuptool restore latest out --backup=.old --json
	[ "$(jq .backed_up <<<"$output")" = 1 ]
	[ "$(cat out/top.jpg.old out/top.jpg.old.2)" = $'taken\nmine' ]
	run -0 backuptool restore latest out --backup=.old --delete
	[[ $output == *", 0 deleted, 0 kept"* ]]
	run -2 backuptool restore latest out --backup=a/b
	[[ $output == *": --backup 'a/b' is not the end of a name, such as .old or ~; "* ]]
	run -2 backuptool restore latest out --backup=
	run -2 backuptool restore latest out --backup --overwrite never
	[[ $output == *": '--overwrite never' replaces nothing: leave out --backup; "* ]]
}

@test "--in-place restores to where it was, and not on another host" {
	some_tree
	cp -a src before
	rm -r src/letters
	run -0 backuptool restore latest --in-place
	[[ ${lines[0]} == *" to $WORK/src" ]]
	same before src
	rm -r src
	run -0 backuptool restore latest:letters --in-place
	[ "$(ls src)" = letters ]
	take src -q --host elsewhere
	run -1 backuptool restore latest --host elsewhere --in-place
	[[ $output == *" is of $WORK/src on elsewhere, and this is "*": nothing was changed; --force restores to $WORK/src here" ]]
	rm -r src
	run -0 backuptool restore latest --host elsewhere --in-place --force
	[ -e src/letters ]
	mkdir -p a/b
	touch a/b/c
	take a/b -q
	rm -r a
	run -1 backuptool restore latest --target a/b --in-place
	[[ $output == *": $WORK/a/b is gone, and so is the directory around it: is a disk not there? Nothing was changed; --force makes both" ]]
	run -0 backuptool restore latest --target a/b --in-place --force
	[ -e a/b/c ]
}

@test "an ordinary user selects, keeps and restores in place" {
	is_root || skip "the other tests are run by one"
	mkdir home
	chmod 777 home .
	cd home
	# shellcheck disable=SC2016
	as_user bash -c 'set -e; mkdir -p d/in; echo a >d/in/a.txt; echo b >d/b.jpg; backuptool snapshot --target-directory d -q
		echo mine >d/in/a.txt; chmod 500 d/in
		backuptool restore latest --in-place -i "*.txt" --backup=.old -q
		[ "$(cat d/in/a.txt d/in/a.txt.old)" = "a
mine" ]; [ "$(stat -c %a d/in)" = 500 ]; backuptool restore latest:in/a.txt x -q; [ "$(ls x)" = a.txt ]'
}
