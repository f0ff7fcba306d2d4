#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A configuration of several sources: what it says, what is refused, and what run, config and their tables make of it.
# shellcheck disable=SC2154,SC2016
load helper

# Two directories, and a configuration of both from standard input.
two_sources() {
	mkdir -p a b
	echo one >a/file
	echo two >b/file
	cat >config
}

plain_config() {
	two_sources <<-END
		# What is mine.

		[defaults]
		store = $WORK/store
		exclude = *.tmp
		keep-last = 2

		[source a]
		target-directory = $WORK/a
		exclude = /left out/

		[source b]
		target-directory=$WORK/b
		skip-if-unchanged = yes
		keep-last = 1
	END
}

run_it() {
	backuptool run --config config "$@"
}

# refused LINE SENTENCE: the configuration of standard input is, with just that.
refused() {
	cat >config
	chmod 644 config
	run -2 --separate-stderr backuptool run --config config
	[ -z "$output" ]
	stderr_is "backuptool run: config:$1: $2"
	run -1 --separate-stderr backuptool config check --config config
	stderr_is "backuptool config: config:$1: $2"
}

@test "run takes each source in turn, and shows what became of it" {
	plain_config
	mkdir 'a/left out'
	: >a/x.tmp
	run -0 --separate-stderr run_it --all
	stderr_is "backuptool run: a: made a new store at $WORK/store" \
		"backuptool run: b: nothing here matches the pattern '*.tmp'"
	[[ ${lines[0]} =~ ^SOURCE\ +RESULT\ +NEW\ +CHANGED\ +ADDED\ +PRUNED\ +CHECK\ +CODE\ +WHY$ ]]
	[[ ${lines[1]} =~ ^a\ +snapshot_.*\ 1\ +0\ +4\ B\ +0\ +0$ ]]
	[[ ${lines[2]} =~ ^b\ +snapshot_.*\ 1\ +0\ +4\ B\ +0\ +0$ ]]
	[ "${#lines[@]}" = 3 ]
	output=$(backuptool --store store list --json | jq -c '[.[] | [.target, .files, .excluded]]')
	[ "$output" = "[[\"$WORK/a\",1,2],[\"$WORK/b\",1,null]]" ]
	run -0 --separate-stderr run_it --all --quiet
	[ -z "$output$stderr" ]
	run -0 --separate-stderr run_it --all
	[[ ${lines[2]} =~ ^b\ +unchanged\ +0\ +0\ +0\ B\ +0\ +0$ ]]
	# the rules of a keep two, and those of b, which count instead of the defaults, one
	[[ ${lines[1]} =~ ^a\ .*\ 0\ +0\ +0\ B\ +1\ +0$ ]]
	run -0 backuptool --store store list --json
	[ "$(jq -c '[.[].target] | sort' <<<"$output")" = "[\"$WORK/a\",\"$WORK/a\",\"$WORK/b\"]" ]
}

@test "the rules of a source leave the snapshots of others alone" {
	plain_config
	run_it --all -q
	backuptool --store store snapshot -q --target-directory b --host other
	backuptool --store store snapshot -q --target-directory b --host other
	echo more >>b/file
	run_it b -q
	echo more >>b/file
	run -0 --separate-stderr run_it b
	[[ ${lines[1]} =~ ^b\ .*\ 0\ +1\ +[0-9]+\ B\ +1\ +0$ ]]
	[ "$(backuptool --store store list --host other --names | wc -l)" = 2 ]
	[ "$(backuptool --store store list --target a --names | wc -l)" = 1 ]
}

@test "a source that fails leaves the others their turn, and the code is the worst" {
	plain_config
	run_it --all -q
	mv a elsewhere
	run -1 --separate-stderr run_it --all
	stderr_is "backuptool run: a: there is no directory $WORK/a"
	[[ ${lines[1]} =~ ^a\ +failed\ +1\ \ there\ is\ no\ directory\ $WORK/a$ ]]
	[[ ${lines[2]} =~ ^b\ +unchanged ]]
	mv elsewhere a
	rm b/file
	run -3 --separate-stderr run_it --all # the newest one that had something stays
	[[ $stderr == *"b: nothing is left in $WORK/b"* ]]
	[ "$(backuptool --store store list --target b --names | wc -l)" = 2 ]
	mv a elsewhere
	run -1 run_it --all
	sed -i "s|^target-directory=.*|&\nstore = $WORK/nowhere/store|" config
	run -1 run_it --all
	run -10 --separate-stderr run_it b
	stderr_is "backuptool run: b: there is no directory in which the store $WORK/nowhere/store could be made: is the disk mounted?"
}

@test "names, --all, or the only source" {
	plain_config
	run -2 --separate-stderr run_it
	stderr_is "backuptool run: which source is meant? name some of them, or give --all: a, b; see 'backuptool run --help'"
	run -2 --separate-stderr run_it pictures
	stderr_is "backuptool run: there is no source 'pictures'; there are: a, b; see 'backuptool run --help'"
	run -2 run_it a --all
	run -2 --separate-stderr backuptool --store other run --config config a
	[[ $stderr == *"config: it says which stores are meant, so leave out --store and --store-id"* ]]
	[ ! -e store ]
	run_it b a b -q
	[ "$(backuptool --store store list --names | wc -l)" = 2 ]
	sed -i '/source b/,$d' config
	run_it -q
	[ "$(backuptool --store store list --names | wc -l)" = 3 ]
}

@test "a dry run writes nothing" {
	plain_config
	run_it a -q
	sed -i "s/^exclude = \*.*/&\nbefore = touch ran\ncheck-every = 1d/" config
	echo more >>a/file
	run -0 --separate-stderr run_it a --dry-run
	[[ ${lines[1]} =~ ^a\ +dry\ run\ +0\ +1\  ]]
	[ ! -e ran ]
	[ "$(backuptool --store store list --names | wc -l)" = 1 ]
	run_it a -q
	[ -e ran ]
	echo 'watch = yes' >>config # which is for a job
	[ "$(run_it b --json | jq -c 'select(.event == "run") | [.walk, .doubt]')" = '["full",null]' ]
}

@test "hooks run around each source, and 75 puts it off" {
	plain_config
	sed -i 's/^exclude = \*.*/&\nafter = echo "$BACKUPTOOL_SOURCE $BACKUPTOOL_COMMAND $BACKUPTOOL_EXIT" >>told\nhook-timeout = 1m/' config
	sed -i 's/^exclude = .left.*/&\nbefore = exit 75/; s/^skip-if.*/on-success = echo "good $BACKUPTOOL_NEW" >>told\non-failure=echo bad >>told/' config
	run -0 --separate-stderr run_it --all
	[[ ${lines[1]} =~ ^a\ +put\ off\ +0\ \ the\ hook\ \'exit\ 75\'\ ended\ with\ 75$ ]]
	[[ ${lines[2]} =~ ^b\ +snapshot_ ]]
	diff told <(printf '%s\n' 'a run 75' 'good 1' 'b run 0')
	rm told
	run -0 --separate-stderr run_it b # as for each snapshot, not only when it works again
	grep -qx 'good 0' told
	rm -r b told
	run -1 run_it b
	diff told <(printf '%s\n' bad 'b run 1')
}

@test "hooks keep the rights that the program was started with" {
	plain_config
	sed -i 's/^exclude = \*.*/&\nbefore = grep NoNewPrivs \/proc\/self\/status >>rights/' config
	run_it --all -q
	grep NoNewPrivs /proc/self/status >own
	diff <(cat own own) rights
}

@test "a check when one is due, and parts that take turns" {
	plain_config
	sed -i 's/^exclude = \*.*/&\ncheck-every = 7d\nsubset = 1\/3/' config
	run -0 --separate-stderr at 2026-03-01T10:00 backuptool run --config config --json --all
	[ "$(jq -c 'select(.event == "run") | [.source, .checked, .subset, .findings]' <<<"$output")" = '["a",true,"1/3",0]
["b",false,null,null]' ]
	run -0 --separate-stderr at 2026-03-05T10:00 backuptool run --config config --json a
	[ "$(jq -c 'select(.event == "run").checked' <<<"$output")" = false ]
	run -0 --separate-stderr at 2026-03-09T10:00 backuptool run --config config --json b
	[ "$(jq -c 'select(.event == "run") | [.source, .checked, .subset]' <<<"$output")" = '["b",true,"2/3"]' ]
	at 2026-03-17T10:00 backuptool run --config config a -q
	run -0 --separate-stderr at 2026-03-25T10:00 backuptool run --config config a
	[[ ${lines[1]} =~ \ no\ damage\ +0$ ]]
	backuptool --store store status | grep -q '1/3 of the contents'
}

@test "a check that finds damage: code 1, and the next one is not put off" {
	plain_config
	sed -i 's/^exclude = \*.*/&\ncheck-every = 7d/' config
	run -0 run_it a
	sed -i 's/check-every = 7d/check-every = 1h/' config
	for file in store/snapshot_*; do damage "$file" 400; done
	run -1 --separate-stderr at now+2hours backuptool run --config config b
	[[ ${lines[1]} =~ ^b\ +snapshot_.*\ damage\ +1\ \ the\ check\ has\ [1-9] ]]
	[[ $stderr == *"backuptool run: b: the check has "*" finding"*": 'backuptool check --store $WORK/store' says what that hurts" ]]
}

@test "config show: what counts for a source, and where it stands" {
	plain_config
	run -0 backuptool config show --config config b
	diff <(printf '%s\n' "$output" | tr -s ' ') - <<-END
		SOURCE KEY VALUE FROM
		b store $WORK/store config:4
		b exclude *.tmp config:5
		b target-directory $WORK/b config:13
		b skip-if-unchanged yes config:14
		b keep-last 1 config:15
	END
	run -0 backuptool config show --config config --json
	[ "$(jq -c '[.files, [.sources[] | [.name, .file, .line, (.settings | length)]]]' <<<"$output")" = '[["config"],[["a","config",8,5],["b","config",12,5]]]' ]
	[ "$(jq -c '.sources[0].settings[4]' <<<"$output")" = '{"key":"exclude","value":"/left out/","file":"config","line":10}' ]
	run -0 backuptool config show --names --config config
	output_is a b
	run -2 --separate-stderr backuptool config shwo
	stderr_is "backuptool config: 'shwo' is neither check nor show; see 'backuptool config --help'"
}

@test "config check: directories, stores, and patterns that match nothing" {
	plain_config
	run -0 --separate-stderr backuptool config check --config config
	[[ ${lines[1]} =~ ^a\ +$WORK/a\ +$WORK/store\ +fine$ ]]
	[ -z "$stderr" ]
	[ ! -e store ]
	printf './c\n*.o\n' >patterns
	cat >>config <<-END
		[source c]
		target-directory = $WORK/c
		store = $WORK/config
		[source d]
		target-directory = $WORK/a
		store = $WORK/nowhere/store
		exclude = $WORK/a/cache
		exclude-from = $WORK/patterns
		[source e]
		target-directory = $WORK/a
		store-id = 0123456789abcdef0123456789abcdef
	END
	run -1 --separate-stderr backuptool config check --config config
	[[ ${lines[1]} == *fine && ${lines[2]} == *fine && ${lines[3]} == *wrong && ${lines[4]} == *wrong && ${lines[5]} == *wrong ]]
	stderr_is "backuptool config: config:17: there is no directory $WORK/c" \
		"backuptool config: config:18: $WORK/config is not a directory, so it cannot be a store; name another with --store DIR" \
		"backuptool config: config:21: there is no directory in which the store $WORK/nowhere/store could be made: is the disk mounted?" \
		"backuptool config: config:22: the pattern '$WORK/a/cache' matches nothing: patterns begin at the directory, write '/cache'" \
		"backuptool config: config:23: the pattern './c' matches nothing: patterns begin at the directory, write '/c'" \
		"backuptool config: config:4: there is no store at $WORK/store: is the disk mounted?"
	run -1 backuptool config check --config config --json
	[ "$(jq -c '[[.sources[].fine], (.problems | length)]' <<<"${lines[0]}")" = '[[true,true,false,false,false],6]' ]
	run -0 backuptool config check --config config a
}

@test "what is wrong in a configuration is refused with its line" {
	mkdir a
	refused 2 "there is no key 'exlude'; did you mean 'exclude'?" <<<$'[source a]\nexlude = x\ntarget-directory=/\nstore=/s'
	refused 2 "there is no key '--exclude'; did you mean 'exclude'?" <<<$'[source a]\n--exclude = x\ntarget-directory=/\nstore=/s'
	refused 2 "there is no key 'json'" <<<$'[source a]\njson = yes\ntarget-directory=/\nstore=/s'
	refused 4 "store stands already in line 3, and counts only once" <<<$'[source a]\ntarget-directory=/\nstore=/s\nstore=/t'
	refused 4 "keep-daily 'seven' is not a whole number above 0, or all" <<<$'[source a]\ntarget-directory=/\nstore=/s\nkeep-daily = seven'
	refused 4 "one-file-system 'true' is not yes or no" <<<$'[source a]\ntarget-directory=/\nstore=/s\none-file-system = true'
	refused 4 "check-every 'often' is not a span such as 12h, 7d or 4w" <<<$'[source a]\ntarget-directory=/\nstore=/s\ncheck-every = often'
	refused 3 "store 'snapshots' is not a path that begins with / or ~/" <<<$'[source a]\ntarget-directory=/\nstore=snapshots'
	refused 2 "leave out the quotes of target-directory: a value goes to the end of its line" <<<$'[source a]\ntarget-directory="/"\nstore=/s'
	refused 1 "the source a has no target-directory" <<<$'[source a]\nstore=/s'
	refused 1 "the source a has no store" <<<$'[source a]\ntarget-directory = /'
	refused 1 "there is no section [home]; did you mean [source home]?" <<<'[home]'
	refused 1 "there is no section [default]; did you mean [defaults]?" <<<'[default]'
	refused 1 "a line that begins with [ ends with ]" <<<'[source a'
	refused 1 "'a b' cannot be the name of a source: that has letters, digits, and . _ - @ + inside" <<<'[source a b]'
	refused 1 "'hello' has no =: write 'key = value', or # before a remark" <<<'hello'
	refused 1 "a key is missing before the =" <<<'= x'
	refused 1 "a line [source NAME] or [defaults] is missing before the first key" <<<'store = /s'
	refused 4 "[defaults] stands before all sources, since it is for all of them" <<<$'[source a]\ntarget-directory=/\nstore=/s\n[defaults]'
	refused 4 "the source a stands already in config:1" <<<$'[source a]\ntarget-directory=/\nstore=/s\n[source a]\ntarget-directory=/\nstore=/s'
	printf '[source a]\ntarget-directory=/\nstore=/s\ntag=\0\n' >nul
	refused 4 "it has a NUL character, so the file is no text" <nul
}

@test "all mistakes are named at once, and nothing is done" {
	plain_config
	printf 'colour = red\n[source c]\n' >>config
	run -2 --separate-stderr run_it a
	stderr_is "backuptool run: config:16: there is no key 'colour'" \
		"backuptool run: config:17: the source c has no target-directory"
	[ ! -e store ]
}

@test "a flag that is no, and keys that repeat" {
	plain_config
	sed -i 's/^exclude = \*.*/&\nskip-if-unchanged = yes\ntag = each/; s/^skip-if-unchanged = yes$/skip-if-unchanged = no\ntag = b, c/' config
	run -2 --separate-stderr run_it --all
	stderr_is "backuptool run: config:17: tag 'b, c' is not one tag; repeat the option for each"
	sed -i 's/^tag = b, c/tag = b c\ntag = ü/; s/keep-last = 1/keep-last = 3/' config
	run_it --all -q
	run_it --all -q
	[ "$(backuptool --store store list --target a --names | wc -l)" = 1 ]
	[ "$(backuptool --store store list --target b --json | jq -c '[.[].tags]')" = '[["b c","each","ü"],["b c","each","ü"]]' ]
}

@test "values are taken as they are: blanks, marks, and any bytes of a path" {
	local odd=$'a "b" #c\xff\\'
	mkdir "$odd"
	: >"$odd/file"
	printf '\xef\xbb\xbf[source one]\r\n\t target-directory \t=  %s \t\r\nstore = %s\r\nbefore = printf "%%s" "x  y" > printed\n' \
		"$WORK/$odd" "$WORK/store" >config
	run_it -q
	[ "$(cat printed)" = 'x  y' ]
	run -0 backuptool config show --config config --json
	[ "$(jq -r '.sources[0].settings[0].value_b64' <<<"$output" | base64 -d)" = "$WORK/$odd" ]
	[ "$(backuptool --store store list --json | jq -r '.[0].target_b64' | base64 -d)" = "$WORK/$odd" ]
}

@test "~/ is the home directory, at the beginning of a path alone" {
	plain_config
	mkdir -p home/docs home/~
	export HOME=$WORK/home
	printf '[source h]\ntarget-directory = ~/docs\nstore = ~/~/store\nexclude = ~/x\ntag = ~/t\n' >config
	run_it -q
	[ "$(backuptool --store 'home/~/store' list --json | jq -c '.[0] | [.target, .rules, .tags]')" = "[\"$WORK/home/docs\",[\"~/x\"],[\"~/t\"]]" ]
	printf '[source h]\ntarget-directory = ~root/x\nstore = $HOME/store\n' >config
	run -2 --separate-stderr run_it
	stderr_is "backuptool run: config:2: target-directory '~root/x' is not a path that begins with / or ~/" \
		"backuptool run: config:3: store '\$HOME/store' is not a path that begins with / or ~/"
}

@test "a configuration that others may write is refused" {
	plain_config
	chmod g+w config
	run -2 --separate-stderr run_it --all
	stderr_is "backuptool run: config: others may write to it, and so have commands run with your rights; 'chmod go-w config' keeps them out"
	chmod 646 config
	run -2 run_it --all
	chmod 600 config
	run_it --all -q
	run -2 --separate-stderr backuptool run --config a
	stderr_is "backuptool run: a: it is no file"
	run -2 --separate-stderr backuptool run --config nowhere
	stderr_is "backuptool run: nowhere: it cannot be read: No such file or directory"
	is_root || skip "an ordinary user gives no files away"
	chown 65534 config
	run -2 --separate-stderr run_it --all
	stderr_is "backuptool run: config: it belongs to another user, whose commands would run with your rights; if it is right, make it yours with 'chown'"
	chown 0:0 config
	chmod 644 config
	reachable_tool
	run -0 as_user ./backuptool config show --config config # that of root is trusted
}

# A home of an ordinary user, with a configuration, and a program that the user can reach.
user_home() {
	reachable_tool
	mkdir -p home/.config/backuptool home/docs home/pictures
	echo x >home/docs/file
	echo y >home/pictures/file
	printf '[defaults]\nstore = ~/store\n\n[source docs]\ntarget-directory = ~/docs\n' >home/.config/backuptool/config
	printf '# no section here\ntarget-directory = ~/pictures\n' >home/.config/backuptool/pictures.conf
	! is_root || chown -R 65534:65534 home
}

@test "an ordinary user's configuration, and NAME.conf beside it, as cron runs it" {
	user_home
	run -0 --separate-stderr as_user env -i HOME="$WORK/home" /bin/sh -c "$WORK/backuptool run --all"
	[[ ${lines[1]} =~ ^docs\ +snapshot_ ]]
	[[ ${lines[2]} =~ ^pictures\ +snapshot_ ]]
	stderr_is "backuptool run: docs: made a new store at $WORK/home/store"
	run -0 as_user env -i HOME="$WORK/home" "$WORK/backuptool" run pictures --quiet
	[ -z "$output" ]
	as_user mkdir home/other
	as_user mv home/.config/backuptool home/other/
	run -0 as_user env -i HOME="$WORK/home" XDG_CONFIG_HOME="$WORK/home/other" "$WORK/backuptool" config show --names
	output_is docs pictures
	run -2 --separate-stderr as_user env -i HOME="$WORK/home" "$WORK/backuptool" run --all
	stderr_is "backuptool run: $WORK/home/.config/backuptool/config: there is no such file, nor a NAME.conf beside it; 'backuptool config --help' shows one"
}

@test "root's configuration is that of the machine" {
	is_root || skip "only root has it"
	[ ! -e /etc/backuptool ] || skip "this machine has one"
	mkdir -p home/.config/backuptool
	printf '[source a]\ntarget-directory=/\nstore=/s\n' >home/.config/backuptool/config
	HOME=$WORK/home run -2 --separate-stderr backuptool run
	stderr_is "backuptool run: /etc/backuptool/config: there is no such file, nor a NAME.conf beside it; 'backuptool config --help' shows one"
}

@test "a file NAME.conf is one source without sections" {
	user_home
	confs=home/.config/backuptool
	user() {
		as_user env HOME="$WORK/home" "$WORK/backuptool" "$@"
	}
	rm "$confs/config"
	echo 'store = ~/store' >>"$confs/pictures.conf"
	user run -q
	[ "$(user --store home/store list --names | wc -l)" = 1 ]
	run -0 user config show pictures --config "$confs/pictures.conf" --names
	output_is pictures
	printf '[source x]\n' >"$confs/y.conf"
	run -1 --separate-stderr user config check
	[[ $stderr == *"y.conf:1: a file NAME.conf is one source without sections; sections stand in the file 'config'"* ]]
	rm "$confs/y.conf"
	printf '[source pictures]\ntarget-directory = /\nstore = /s\n' >"$confs/config"
	run -1 --separate-stderr user config check
	[[ $stderr == *"pictures.conf:1: the source pictures stands already in "*"/config:1" ]]
}

@test "a NAME.conf of the systemd template is a source, too" {
	user_home
	{
		echo "BACKUPTOOL_STORE=\"$WORK/home/store\""
		echo "OPTIONS=--target-directory=$WORK/home/pictures --interval 1h -x --skip-if-unchanged --keep-daily=30 --exclude='a b'"
		echo "LC_ALL=C.UTF-8"
	} >home/.config/backuptool/unit.conf
	export HOME=$WORK/home
	run -0 as_user ./backuptool config show unit
	diff <(printf '%s\n' "$output" | tr -s ' ' | cut -d ' ' -f 2,3- | sed 's/ [^ ]*:\([0-9]\)$/ \1/') - <<-END
		KEY VALUE FROM
		store $WORK/home/store 1
		target-directory $WORK/home/pictures 2
		interval 1h 2
		one-file-system yes 2
		skip-if-unchanged yes 2
		keep-daily 30 2
		exclude a b 2
	END
	as_user ./backuptool run unit -q
	echo "OPTIONS=--target-directory=/ --interval=1h --every" >home/.config/backuptool/unit.conf
	run -2 --separate-stderr as_user ./backuptool run unit
	[[ $stderr == *"unit.conf:1: OPTIONS: there is no option --every"* ]]
}

@test "a signal ends the run in progress, and the others are not begun" {
	plain_config
	sed -i 's/^exclude = .left.*/&\nbefore = touch begun; exec sleep 60/' config
	backuptool run --config config --all >out 2>err 3>&- &
	pid=$!
	wait_until test -e begun
	kill -TERM "$pid"
	wait "$pid" && false || [ $? = 130 ]
	grep -qE '^a +put off' out
	grep -qE '^b +not begun' out
}

# Two sources that say when, one that does not, and one that cannot work.
timed_config() {
	mkdir -p a b
	echo one >a/file
	printf '%s\n' '[defaults]' "store = $WORK/store" 'interval = 1s' '[source a]' "target-directory = $WORK/a" 'keep-last = 2' \
		'on-success = echo "$BACKUPTOOL_RUN" >>again' '[source b]' "target-directory = $WORK/b" >config
}

@test "job --config: each source when it is due, until the duration has passed" {
	timed_config
	printf '[source gone]\ntarget-directory = %s/gone\ngive-up-after = 1\n' "$WORK" >>config
	run -1 --separate-stderr backuptool job --config config --duration 2s 3>&-
	for source in a b; do
		[ "$(grep -cE "^$source: run [12]: snapshot_" <<<"$output")" = 2 ]
	done
	[ "$(grep -c '^gone: ' <<<"$output")" = 1 ]
	grep -qx "gone: run 1: no snapshot: there is no directory $WORK/gone" <<<"$output"
	stderr_is "backuptool job: a: made a new store at $WORK/store" \
		"backuptool job: gone: there is no directory $WORK/gone" \
		"backuptool job: gone: gave up after 1 failed runs in a row"
	[[ ${lines[-1]} == "5 runs in "*" 4 snapshots, "*" 1 failed, "* ]]
	[ ! -e again ] # it did not fail before
	[ "$(backuptool --store store list --target a --names | wc -l)" = 2 ]
	run -0 backuptool job --config config --duration 1s --json --at-start a 3>&-
	[ "$(jq -c '[.event, .source, .run, .exit]' <<<"$output")" = '["run","a",1,0]
["summary",null,null,0]' ]
	[ "$(backuptool --store store list --target a --names | wc -l)" = 2 ]
}

@test "job --config: no source waits for another one that is always due" {
	timed_config
	sed -i 's/^interval = .*/interval = 1ms/' config
	run -0 --separate-stderr backuptool job --config config --duration 100ms 3>&-
	[[ ${lines[0]} == "a: run 1: "* && ${lines[1]} == "b: run 1: "* ]]
}

@test "job --config: a snapshot expires after its own time, not that of the job" {
	timed_config
	sed -i 's/^interval = .*/&\nexpires = 1h/' config
	backuptool job --config config --duration 3s -q a 3>&-
	[ "$(backuptool --store store list --json | jq -c '[.[] | (.expires[:19] + "Z" | fromdate) - (.time[:19] + "Z" | fromdate)] | unique')" = '[3600]' ]
	[ "$(backuptool --store store list --json | jq -r '.[].expires' | sort -u | wc -l)" = 2 ]
}

@test "job --config ends at a signal, and checks when one is due" {
	timed_config
	sed -i 's/^interval = .*/at = 00:00,12:00\ncheck-every = 1d/' config
	backuptool job --config config --at-start >out 2>err 3>&- &
	pid=$!
	wait_until grep -q '^b: run 1: ' out
	kill -TERM "$pid"
	wait "$pid"
	grep -q '^2 runs in ' out
	backuptool --store store status | grep -q '^last check: '
}

@test "job --config: the sources that say when, and no options that stand in the file" {
	timed_config
	sed -i 's/^interval = .*//; s/^keep-last = 2/interval = 1s\nat = 03:00/' config
	run -2 --separate-stderr backuptool job --config config
	stderr_is "backuptool job: config:4: the source a has both interval and at; one of them says when"
	sed -i '/^interval/d; /^at = /d' config
	run -2 --separate-stderr backuptool job --config config
	stderr_is "backuptool job: config: no source says when: give one 'interval = TIME' or 'at = TIME'"
	run -2 --separate-stderr backuptool job --config config a
	stderr_is "backuptool job: config:4: the source a does not say when: give it 'interval = TIME' or 'at = TIME'"
	run -2 --separate-stderr backuptool job --config config --exclude x
	stderr_is "backuptool job: with --config, --exclude stands in the configuration; see 'backuptool job --help'"
	run -2 --separate-stderr backuptool job --target-directory a --interval 1s --duration 1s b
	stderr_is "backuptool job: 'b' is one argument too many; see 'backuptool job --help'"
	[ ! -e store ]
}

@test "schedule --config: one service for all sources" {
	timed_config
	printf '[source by-hand]\ntarget-directory = %s/a\n' "$WORK" >>config
	sed -i 's/^interval = 1s$//; s/^keep-last = 2/interval = 1s/; s/^\[source by-hand/interval = 1s\n&/' config
	run -0 --separate-stderr backuptool schedule --config config --print
	printf '%s\n' "$output" >unit
	grep -qx "Description=Snapshots as $WORK/config says" unit
	mapfile -d '' -t words < <("$TESTS/bats/exec_start.py" unit)
	[ "${words[*]:1}" = "job --config=$WORK/config" ]
	[ ! -e store ]
	run -0 "${words[@]}" --duration 1s 3>&- # what the service would do, for a run of each
	[[ $output == *"a: run 1: "* && $output == *"b: run 1: "* && $output != *by-hand* ]]
	run -0 --separate-stderr backuptool schedule --config config --yes --print b
	grep -q " --yes b\$" <<<"$output"
	export XDG_CONFIG_HOME=$WORK/home
	run -0 --separate-stderr backuptool schedule --config config --json
	[ -s "$(jq -r .path <<<"$output")" ]
	[[ $(jq -r .name <<<"$output") == backuptool-*config-*.service ]]
	run -2 --separate-stderr backuptool schedule --config config by-hand
	stderr_is "backuptool schedule: config:11: the source by-hand does not say when: give it 'interval = TIME' or 'at = TIME'"
	run -2 --separate-stderr backuptool schedule --config config --at 03:00
	stderr_is "backuptool schedule: with --config, --at stands in the configuration; see 'backuptool schedule --help'"
}
