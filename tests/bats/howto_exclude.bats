#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The list of what to leave out of a home directory, on a home as people have it.
# shellcheck disable=SC2034,SC2154
load helper
load pages

LIST=$TOP/docs/how-to/home.exclude

# What people want back, and what programs make again: a file each.
KEPT=(
	documents/letter.odt documents/.hidden Downloads/form.pdf Pictures/2024/beach.jpg notes.txt bin/script
	.ssh/id_ed25519 .gnupg/private-keys-v1.d/key .bashrc .profile .gitconfig
	.mozilla/firefox/a.default/places.sqlite .mozilla/firefox/a.default/logins.json
	.thunderbird/b.default/prefs.js '.thunderbird/b.default/Mail/Local Folders/Inbox'
	.config/google-chrome/Default/Bookmarks '.config/google-chrome/Default/Login Data' .config/Code/User/settings.json
	.local/share/keyrings/login.keyring .local/share/evolution/mail/local/cur/1 .local/share/applications/mine.desktop
	.local/share/Steam/userdata/1/save .var/app/org.gimp.GIMP/config/GIMP/rc .var/app/org.gimp.GIMP/data/file
	snap/firefox/common/.mozilla/profile src/project/main.c src/project/package.json src/project/.git/HEAD
	src/project/cache.c src/project/tmp.d/file src/go/pkg/own.go 'Documents/.cache/mine'
)
GONE=(
	.cache/mozilla/x .local/share/Trash/files/old .mozilla/firefox/a.default/cache2/entries/x .xsession-errors.old
	.config/google-chrome/Default/Cache/x '.config/google-chrome/Default/Code Cache/js/x' .config/Code/CachedData/x
	'.config/google-chrome/Default/Service Worker/CacheStorage/x' .config/Slack/GPUCache/x
	.thunderbird/b.default/ImapMail/mail.example/Inbox .var/app/org.gimp.GIMP/cache/x snap/firefox/common/.cache/x
	.local/share/flatpak/runtime/org.gnome/x src/project/node_modules/left-pad/index.js src/project/__pycache__/a.pyc
	src/other/.venv/bin/python .cargo/registry/x .rustup/toolchains/x .m2/repository/x .npm/_cacache/x go/pkg/mod/x
	.local/share/containers/storage/x .local/share/Steam/steamapps/common/game/x Downloads/film.mkv.part
	documents/letter.odt~ documents/.letter.swp documents/x.tmp documents/.~lock.letter.odt#
)

make_home() {
	local file

	mkdir home
	for file in "${KEPT[@]}" "${GONE[@]}"; do
		mkdir -p "home/$(dirname "$file")"
		printf '%s' "$file" >"home/$file"
	done
	mkdir -p home/src/rust/target
	printf 'Signature: 8a477f597d28d172789f06886806bc55' >home/src/rust/target/CACHEDIR.TAG
	printf 'built' >home/src/rust/target/built
}

@test "the list leaves out what programs make again, and keeps what people want back" {
	make_home
	run -0 take home --exclude-caches --exclude-from "$LIST"
	backuptool ls -R latest --json | jq -r 'select(.type == "file").path' | sort >taken
	diff <(printf '%s\n' "${KEPT[@]}" src/rust/target/CACHEDIR.TAG | sort) taken
	run -0 backuptool diff latest
	[ "$output" = 'no differences' ]
}

@test "the list is sound: each pattern once, none without a meaning" {
	[ -z "$(grep -v '^#' "$LIST" | sort | uniq -d)" ]
	[ -z "$(grep -E '[[:space:]]$' "$LIST" || true)" ]
	mkdir home
	touch home/file
	run -0 --separate-stderr take home --exclude-from "$LIST"
	[[ $stderr != *'can match nothing'* ]]
}

@test "what the list leaves out can be taken back in" {
	make_home
	run -0 take home --exclude-from "$LIST" --exclude '!/.local/share/containers/'
	run -0 backuptool ls latest:.local/share/containers/storage
	[ "$output" = x ]
}

@test "each command line of docs/how-to/exclude-list.md runs" {
	CHANGES=(
		"s#/usr/share/doc/backuptool/docs/how-to/home.exclude#$LIST#" # it need not be installed
	)
	make_home
	export HOME=$PWD/home BACKUPTOOL_STORE=$PWD/home/snapshots
	unset XDG_CONFIG_HOME
	cd home
	run_page "$TOP/docs/how-to/exclude-list.md"
}
