#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What of a directory is taken: by size, attribute, files of patterns, and what is asked for; and that what compares or
# removes goes by the same.
# shellcheck disable=SC2154
load helper

# The paths in the latest snapshot, one line.
taken() {
	backuptool ls -R latest | tr '\n' ' '
}

left() {
	(cd src && find . -mindepth 1 -printf '%P\n' | sort)
}

# What diff with the directory and restore --delete make of the rules: nothing, until something changes.
same_by_its_rules() {
	left >before
	run -0 backuptool diff latest
	[ "$output" = 'no differences' ]
	run -0 backuptool restore --snapshot-file latest --output-directory src --delete --json
	[ "$(jq .deleted <<<"$output")" = 0 ]
	left | diff before -
}

@test "large files are left out, counted and summed up" {
	mkdir src
	head -c 2048 /dev/zero >src/fits
	head -c 2049 /dev/zero >src/large
	head -c 1M /dev/zero >src/larger
	run -0 take src --exclude-larger-than 2k
	[[ $output == *'; 2 entries left out, of them 2 files (1.0 MiB) for the size'* ]]
	[ "$(taken)" = 'fits ' ]
	same_by_its_rules
	run -0 --separate-stderr backuptool snapshot --target-directory src --exclude-larger-than 2KiB --json
	[ "$(jq -c '[.excluded, .too_large, .too_large_bytes, .rules_changed]' <<<"$output")" = '[2,2,1050625,null]' ]
	run -0 backuptool list -v
	[[ $output == *'options: exclude-larger-than:2048'* ]]
	head -c 3000 /dev/zero >src/fits
	printf 'new' >src/new
	run -0 backuptool diff latest
	[ "$(grep '^[-+MTU] ' <<<"$output" | sort)" = $'+ new\n- fits' ]
	run -0 backuptool diff latest --exclude-larger-than 4k
	[ "$(grep '^[-+MTU] ' <<<"$output" | sort)" = $'+ large\n+ new\nM fits' ]
	for size in 0 -1 2x 1.5M k '' 99999999999G; do
		run -2 backuptool snapshot --target-directory src --exclude-larger-than "$size"
		[[ $output == *"is not a size"* ]]
	done
}

@test "letter case does not matter to --iexclude" {
	mkdir -p src/Tmp
	touch src/{a.ISO,b.iso,c.Iso,keep.iso,Tmp/file,tmp.d,É,é}
	run -0 take src --iexclude '*.iso' --exclude '!keep.iso' --iexclude tmp/ --iexclude 'É'
	[ "$(taken)" = 'keep.iso tmp.d é ' ]
	same_by_its_rules
	printf '# images\r\n*.ISO\r\n' >rules
	run -0 take src --iexclude-from rules
	[ "$(taken)" = 'Tmp Tmp/file tmp.d É é ' ]
	run -0 --separate-stderr take src -n --iexclude '*.png'
	stderr_is "backuptool snapshot: nothing here matches the pattern '*.[pP][nN][gG]'" ||
		[[ $stderr == *"nothing here matches the pattern '*.[pP][nN][gG]'"* ]]
	run -2 take src --iexclude-from missing
}

@test "what chattr marks is left out, where the file system can tell" {
	mkdir -p src/dir
	touch src/plain src/marked src/dir/below
	chattr +d src/marked src/dir || skip "this file system has no such attribute"
	[[ $(lsattr -d src/marked) == *d* ]] || skip "this file system has no such attribute"
	run -0 take src --exclude-nodump
	[[ $output == *'2 entries left out'* ]]
	[ "$(taken)" = 'plain ' ]
	same_by_its_rules
	chattr -d src/marked
	run -0 backuptool diff latest
	[ "$(grep '^[-+MTU] ' <<<"$output")" = '+ marked' ]
	run -0 backuptool restore --snapshot-file latest --output-directory src --delete --json
	[ "$(jq .deleted <<<"$output")" = 1 ]
	[ -e src/dir/below ]
}

@test "files of patterns hold below their directories, and the nearest decides" {
	mkdir -p src/a/b src/c
	touch src/{top,x.o} src/a/{top,y.o,z.log} src/a/b/{y.o,z.o,z.log,w} src/c/x.o
	printf '*.o\n/top\n' >src/.backupignore
	printf '!y.o\n*.log\n/b/w\n' >src/a/.backupignore
	printf '!z.log\n' >src/a/b/.backupignore
	run -0 take src --ignore-file .backupignore
	[ "$(taken)" = '.backupignore a a/.backupignore a/b a/b/.backupignore a/b/y.o a/b/z.log a/top a/y.o c ' ]
	same_by_its_rules
	# A path in it is compared by the files that are there; patterns of the command line come first.
	run -0 backuptool diff latest:a/b src/a/b
	[ "$(grep '^[-+MTU] ' <<<"$output" | tr '\n' ' ')" = '+ w + z.o ' ]
	printf 'new' | tee src/a/new src/a/b/new.log src/a/b/new.o >/dev/null
	mkdir -p src/c/d
	touch src/c/d/new.o src/c/d/new
	run -0 backuptool restore --snapshot-file latest --output-directory src --delete --json
	[ "$(jq .deleted <<<"$output")" = 2 ]
	[ -e src/a/b/new.o ]
	[ -e src/c/d/new.o ]
	[ ! -e src/c/d/new ]
	run -0 take src --ignore-file .backupignore --exclude '!*.o' --exclude c/
	[[ $(taken) == *' a/b/z.o '*' x.o ' ]]
	run -2 take src --ignore-file a/.ignore
	[[ $output == *"--ignore-file 'a/.ignore' is not the name of a file, without a path"* ]]
}

@test "a file of patterns that cannot be used is named" {
	mkdir -p src/a src/b src/c
	touch src/{a,b,c}/x.o
	printf '*.o\0' >src/a/.backupignore
	(printf '*.o\n'; head -c 1100000 /dev/zero | tr '\0' '#') >src/b/.backupignore
	mkfifo src/c/.backupignore
	run -3 take src --ignore-file .backupignore
	[[ $output == *"a/.backupignore: use the patterns of the file failed: "* ]]
	[[ $output == *"b/.backupignore: use the patterns of the file failed: File too large"* ]]
	[ "$(taken)" = 'a a/.backupignore a/x.o b b/.backupignore b/x.o c c/.backupignore c/x.o ' ]
	run -3 backuptool diff latest
	touch src/a/new
	run -3 backuptool restore --snapshot-file latest --output-directory src --delete --yes
	[ -e src/a/new ]
}

@test "only what --include matches is taken, and the way to it" {
	mkdir -p src/docs/letters/old src/docs/other src/empty/deep src/photos/2024 src/photos/2025
	touch src/docs/letters/{a,old/b} src/docs/{other/c,d.jpg} src/photos/2024/{x.jpg,x.raw} src/photos/y.JPG
	run -0 take src --include '*.jpg' --include /docs/letters/ --exclude /docs/letters/a
	[ "$(taken)" = 'docs docs/d.jpg docs/letters docs/letters/old docs/letters/old/b photos photos/2024 photos/2024/x.jpg ' ]
	same_by_its_rules
	mkdir -p src/empty/new src/way/to
	touch src/empty/new/file
	run -0 backuptool diff latest
	[ "$output" = 'no differences' ]
	touch src/way/to/z.jpg src/way/to/z.txt
	run -0 backuptool diff latest
	[ "$(grep '^[-+MTU] ' <<<"$output" | tr '\n' ' ')" = '+ way/ + way/to/ + way/to/z.jpg ' ]
	run -0 backuptool diff latest:docs src/docs
	[[ $output == 'no differences' ]]
	run -0 backuptool restore --snapshot-file latest --output-directory src --delete --json
	[ "$(jq .deleted <<<"$output")" = 1 ]
	[ -e src/way/to/z.txt ]
	# What led to something leads nowhere now.
	rm src/photos/2024/x.jpg
	run -0 take src -v --include '*.jpg' --include /docs/letters/ --exclude /docs/letters/a
	[[ $output == *'D photos/2024/x.jpg'*'D photos/2024 '*'D photos '*'; 3 entries removed'* ]]
	[ "$(taken)" = 'docs docs/d.jpg docs/letters docs/letters/old docs/letters/old/b ' ]
	run -3 --separate-stderr take src -n --include '*.png' --include "$PWD/src/docs"
	[[ $stderr == *"the pattern '$PWD/src/docs' matches nothing: patterns begin at the directory, write '/docs'"* ]]
	[[ $stderr == *"nothing here matches the pattern '*.png'"* ]]
	run -2 take src --include '!x'
	[[ $output == *"which begins neither with ! nor with #"* ]]
}

@test "an ordinary user's directory that cannot be read is named where it may lead to something" {
	mkdir -p theirs/src/closed
	touch theirs/src/x.jpg
	chmod -R 777 theirs
	reachable_tool
	as_user chmod 0 theirs/src/closed 2>/dev/null || chmod 0 theirs/src/closed
	is_root && chown -R nobody theirs
	cd theirs
	run -3 as_user backuptool snapshot --target-directory src --include '*.jpg'
	[[ $output == *'closed'* ]]
	run -0 as_user backuptool ls -R latest
	[ "$(tr '\n' ' ' <<<"$output")" = 'closed x.jpg ' ]
}

@test "a job goes by all of them, and --watch says with which it does not go" {
	mkdir -p src/keep
	touch src/keep/a.jpg src/keep/a.txt
	run -0 backuptool job --target-directory src --interval 1s --duration 1s --include '*.jpg' --exclude-larger-than 1M
	[ "$(taken)" = 'keep keep/a.jpg ' ]
	for words in '--ignore-file .backupignore' --exclude-nodump; do
		# shellcheck disable=SC2086
		run -2 backuptool job --target-directory src --interval 1s --duration 1s --watch $words
		[[ $output == *'leave one of them out'* ]]
		# shellcheck disable=SC2086
		run -2 backuptool schedule --target-directory src --interval 1h --print --watch $words
		[[ $output == *'leave one of them out'* ]]
	done
	cat >conf <<-END
		[defaults]
		store = $PWD/snapshots
		[source home]
		target-directory = $PWD/src
		include = *.jpg
		iexclude = *.JPEG
		exclude-larger-than = 10M
		exclude-nodump = yes
		ignore-file = .backupignore
		interval = 1h
	END
	run -0 backuptool run --config conf --all
	run -0 backuptool list -v
	[[ $output == *'exclude-larger-than:10485760, exclude-nodump, ignore-file:.backupignore, include:*.jpg'* ]]
	printf 'watch = yes\n' >>conf
	run -1 backuptool config check --config conf
	[[ $output == *'leave one of them out'* ]]
}
