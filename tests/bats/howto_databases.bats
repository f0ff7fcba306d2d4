#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# docs/how-to/databases.md: each line runs, in order, with servers of PostgreSQL and MariaDB and with a SQLite database that is
# written to meanwhile.
# shellcheck disable=SC2034,SC2154
load helper
load pages
load places

PAGE=$TOP/docs/how-to/databases.md

# The servers speak over sockets in the home directory alone, and end with the test.
start_postgres() {
	local programs
	programs=$(dirname "$(ls -d /usr/lib/postgresql/*/bin/initdb | tail -n 1)")
	export PGHOST=$HOME/postgres
	mkdir postgres
	"$programs/initdb" --auth=trust --no-sync --pgdata=postgres/data >/dev/null
	"$programs/postgres" -D postgres/data -k "$PGHOST" -c listen_addresses= -c fsync=off >postgres/log 2>&1 &
	servers+=($!)
	wait_until psql --quiet --command 'CREATE DATABASE shop' postgres 2>/dev/null
	psql --quiet --command 'CREATE TABLE orders (number int PRIMARY KEY, what text);
		INSERT INTO orders SELECT n, repeat(md5(n::text), 5) FROM generate_series(1, 5000) n' shop
}

start_mariadb() {
	mkdir mariadb
	printf '[client]\nuser=root\nsocket=%s/mariadb/socket\n' "$HOME" >.my.cnf
	mariadb-install-db --no-defaults --datadir="$HOME/mariadb/data" --auth-root-authentication-method=normal \
		--skip-test-db --innodb-flush-method=nosync >/dev/null
	mariadbd --no-defaults --datadir="$HOME/mariadb/data" --socket="$HOME/mariadb/socket" --skip-networking \
		--innodb-flush-method=nosync --innodb-buffer-pool-size=16M >mariadb/log 2>&1 &
	servers+=($!)
	wait_until mariadb --execute 'CREATE DATABASE wiki' 2>/dev/null
	mariadb wiki --execute 'CREATE TABLE pages (number int PRIMARY KEY, text varchar(200)) ENGINE=InnoDB;
		INSERT INTO pages SELECT seq, repeat(md5(seq), 5) FROM seq_1_to_5000'
}

# A program that has it open in WAL mode, and what it is told: rows that are in app.db-wal alone, one more before each line.
start_sqlite() {
	mkdir app
	mkfifo app/rows
	write_to_sqlite 'CREATE TABLE notes (text); INSERT INTO notes SELECT value FROM generate_series(1, 1000);'
	wait_until has_notes 1000
}

write_to_sqlite() {
	sqlite3 app/app.db <app/rows >/dev/null &
	writer=$!
	exec 8>app/rows
	printf "%s\n" ".timeout 10000" "PRAGMA journal_mode = wal; PRAGMA wal_autocheckpoint = 0; $1" >&8
}

has_notes() {
	[ "$(sqlite3 app/app.db 'SELECT count(*) FROM notes' 2>/dev/null)" = "$1" ]
}

has_late() {
	[ "$(sqlite3 app/app.db "SELECT count(*) FROM notes WHERE text = 'late'" 2>/dev/null)" = 1 ]
}

# Before the database is put in its place, the program that uses it ends. Later there is one again.
before_line() {
	case $1 in
	'rm -f ~/app/'*)
		exec 8>&-
		wait "$writer"
		writer=
		;;
	'mkdir -p -m 700 ~/dumps')
		write_to_sqlite "INSERT INTO notes VALUES ('late');"
		wait_until has_late
		;;
	esac
	[ -z "$writer" ] || echo "INSERT INTO notes VALUES ('another');" >&8
}

rows() {
	"$@" | sha256sum
}

# from_the_configuration FILE COMMAND…: but for the random words of newer versions of pg_dump.
from_the_configuration() {
	diff <(backuptool cat --target /databases "latest:$1" | grep -v restrict) <("${@:2}" | grep -v restrict)
}

databases_page() {
	servers=()
	trap 'kill "${servers[@]}" $writer 2>/dev/null; wait' EXIT
	start_postgres
	start_mariadb
	start_sqlite
	CHANGES=('s/^backuptool schedule .*/& --print/') # no systemd is here
	run_page "$PAGE"
	orders='SELECT * FROM orders ORDER BY number' pages='SELECT * FROM pages ORDER BY number'
	for database in shop_back shop_again; do
		[ "$(rows psql --csv --command "$orders" shop)" = "$(rows psql --csv --command "$orders" $database)" ]
	done
	[ "$(rows mariadb wiki --execute "$pages")" = "$(rows mariadb wiki_back --execute "$pages")" ]
	for database in app/app.db back/app.db; do
		[ "$(sqlite3 $database 'PRAGMA integrity_check')" = ok ]
		[ "$(sqlite3 $database "SELECT count(*) FROM notes WHERE text NOT IN ('another', 'late')")" = 1000 ]
	done
	[ "$(sqlite3 back/app.db "SELECT count(*) FROM notes WHERE text = 'late'")" = 1 ]
	# what the configuration takes is the same
	from_the_configuration shop.sql pg_dump shop
	backuptool cat --target /databases latest:app.sql | grep -q 'INSERT INTO notes VALUES'
	from_the_configuration roles.sql pg_dumpall --globals-only
	backuptool cat --target /databases latest:wiki.sql | grep -q 'INSERT INTO `pages` VALUES'
}

@test "databases: each line of the page runs, and PostgreSQL, MariaDB and SQLite have their rows again" {
	command -v mariadbd >/dev/null && command -v sqlite3 >/dev/null && ls /usr/lib/postgresql/*/bin/initdb >/dev/null || skip "not all servers are there"
	ordinary databases_page
}
