#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Output for programs: every member that --json prints stands in tools/OUTPUT.md.
# shellcheck disable=SC2154
load helper

# documented COMMAND: reads JSON and names members that the command's section does not have. How Base64 is marked stands above
# all sections.
documented() {
	sed -n "/^## $1\$/,/^## /p" "$TOP/tools/OUTPUT.md" | grep -o '`[a-z0-9_]*`' | tr -d '`' | sort -u >known
	jq -r 'paths | .[-1] | strings | sub("(^|_)b64$"; "") | select(. != "")' | sort -u >printed
	[ -s printed ] || return 1
	comm -13 known printed >missing
	[ ! -s missing ] || {
		echo "not documented for $1:" && cat missing
		return 1
	}
}

@test "every member of --json is documented" {
	shallow_tree src
	rm src/holes/huge
	: >$'src/odd\xff'
	settle
	backuptool snapshot --target-directory src --description before -e '*.o' -x --json | documented snapshot
	backuptool snapshot --target-directory src --json >taken
	[ "$(jq .rules_changed taken)" = true ]
	documented snapshot <taken
	printf 'x' >src/new
	rm src/sizes/1
	take src -q --tag a
	backuptool --store streams snapshot --from-command x=true --json >taken || [ $? = 3 ]
	[ "$(jq -c .empty_files taken)" = '["x"]' ]
	documented snapshot <taken
	backuptool --store streams list --json | documented list
	backuptool list --json | documented list
	backuptool ls latest -R --json >listed
	documented ls <listed
	backuptool find '*' --json | documented find
	backuptool versions sizes/1 --json | documented versions
	backuptool diff latest~1 latest --json | documented diff
	backuptool stats --frees --json | documented stats
	backuptool versions sizes --json | documented versions
	backuptool restore latest out --include '*' --include nowhere --json >restored || [ $? = 3 ]
	documented restore <restored
	backuptool prune --snapshot-number 1 --dry-run --json | documented prune
	backuptool prune --keep-free 1% --max-store 1G --dry-run --json | documented prune
	[ "$(jq -r 'select(.path_b64) | .path_b64' listed | wc -l)" -gt 1 ]
	backuptool tag latest --add b --remove a --json >tagged
	[ "$(jq -c . tagged)" = "{\"name\":\"$(newest)\",\"tags\":[\"b\"],\"pinned\":false}" ]
	documented tag <tagged
	backuptool export --classic latest classic.json --json | documented export
	backuptool copy --to other --json | documented copy
	backuptool du --json | documented du
	backuptool rewrite --store other latest --exclude /sizes --keep-original --json | documented rewrite
	backuptool rewrite --store other latest --exclude /new --yes --json | documented rewrite
	backuptool list --store other --json | documented list
	backuptool mirror twin --json | documented mirror
	backuptool job --target-directory src --interval 10ms --duration 20ms --json >runs
	[ "$(jq -r .event runs | sort -u | tr '\n' ' ')" = "run summary " ]
	documented job <runs
	mkdir emptied
	touch emptied/file
	take emptied -q
	rm emptied/file
	backuptool job --target-directory emptied --interval 1s --duration 0 --keep-last 1 --json >runs || [ $? = 3 ]
	[ "$(jq -c 'select(.event == "run") | [.emptied, .shrank, .removed_entries]' runs)" = "[true,true,1]" ]
	documented job <runs
	export XDG_CONFIG_HOME=$PWD/config
	backuptool schedule --target-directory src --interval 1h --print --json >shown
	documented schedule <shown
	diff <(jq -rj .service shown) <(backuptool schedule --target-directory src --interval 1h --print)
	[ "$(jq -c keys_unsorted shown)" = '["name","service","store_id"]' ]
	backuptool schedule --target-directory src --interval 1h --json >written
	documented schedule <written
	diff <(jq -rj .service written) "$(jq -r .path written)"
	[ "$(jq -c '[.replaced, .commands[1]]' written)" = "[false,\"systemctl --user enable --now $(jq -r .name shown)\"]" ]
	backuptool schedule --target-directory src --at 03:00 --timer --json >written
	documented schedule <written
	diff <(jq -rj .timer written) "$(jq -r .timer_path written)"
	backuptool schedule --list --json | documented schedule
	backuptool schedule --remove "$(jq -r .name written)" --json | documented schedule
	printf '[source src]\ntarget-directory = %s/src\nstore = %s/others\ncheck-every = 1h\nsubset = 1/2\n' "$PWD" "$PWD" >sources
	backuptool run --config sources --json >runs
	[ "$(jq -r .event runs | tr '\n' ' ')" = "run summary " ]
	documented run <runs
	echo 'interval = 1h' >>sources
	backuptool job --config sources --json --duration 1s --at-start >runs
	jq -c 'select(.event == "run") | del(.run)' runs | documented run
	backuptool config show --config sources --json | documented config
	backuptool config check --config sources --json | documented config
	backuptool help --json | documented help
	backuptool help snapshot --json | documented help
	name=$(newest)
	backuptool remove latest --target emptied --yes --dry-run --json | documented remove
	backuptool remove latest --target emptied --yes --json >removed
	[ "$(jq -c '[.dry_run, .snapshots, .removed]' removed)" = "[false,[\"$name\"],1]" ]
	documented remove <removed
}

@test "every member of check --json is documented" {
	small_tree src
	take src -q
	backuptool check --json | documented check
	damage "snapshots/$(newest)" "$(($(jq '.contents[0].at' "snapshots/$(newest)") + 30))"
	run -1 --separate-stderr backuptool check --json
	[ "$(jq '.findings[0].hurts | length' <<<"$output")" -gt 0 ]
	documented check <<<"$output"
	run --separate-stderr backuptool check --repair --json
	[ "$(jq '.repairs | length' <<<"$output")" -gt 0 ]
	documented check <<<"$output"
}
