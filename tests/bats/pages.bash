# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What a page of the documentation tells to type is typed here: each indented line, in the order of the page, in one
# shell. A fenced block that follows the comment "<!-- file PATH -->" is written to that path. A block that follows
# "<!-- not run: WHY -->" is not run; a test of its own may say how it is checked.

# page_steps PAGE [--inline]: its lines and files as calls of "line" and "file", for eval; with --inline also what stands
# in the text as `backuptool …`.
page_steps() {
	python3 - "$@" <<-'END'
		import re, shlex, sys
		inline = '--inline' in sys.argv
		path = reason = fence = None
		begun = ''
		for line in open(sys.argv[1], encoding='utf-8'):
		    line = line.rstrip('\n')
		    if fence is not None:
		        if line.startswith('```'):
		            if path:
		                print('file', path, shlex.quote(''.join(fence)))
		            path = fence = None
		        else:
		            fence.append(line + '\n')
		    elif line.startswith('```'):
		        fence = []
		    elif line.startswith('    ') and not reason:
		        begun += re.sub(r'  +# .*', '', line[4:])
		        if begun.endswith('\\'):
		            begun = begun[:-1]
		        else:
		            print('line', shlex.quote(begun))
		            begun = ''
		    elif line.startswith('<!-- file '):
		        path = line.split()[2]
		    elif line.startswith('<!-- not run: '):
		        reason = line
		    elif line and not line.startswith('    '):
		        reason = None
		        for code in re.findall(r'`((?:backuptool|backupfs) [^`]+)`', line) if inline else []:
		            print('line', shlex.quote(code))
	END
}

# page_lines PAGE [--inline]: the lines that are run, one each.
page_lines() {
	line() { printf '%s\n' "$1"; }
	file() { :; }
	eval "$(page_steps "$@")"
}

# adapted TEXT: it, with the CHANGES that the test declared.
adapted() {
	local change changes=()
	for change in "${CHANGES[@]}"; do
		changes+=(-e "$change")
	done
	printf '%s' "$1" | if [ "${#changes[@]}" = 0 ]; then cat; else sed "${changes[@]}"; fi
}

# run_page PAGE [--inline]: runs it, and fails after the last line if one failed, or if there is none. CHANGES are for sed:
# in what lines and files are adapted to this place; the test that declares them says why. A function before_line may do
# something first, or say by its status 1 that the line is not for here.
run_page() {
	local count=0 failed=0
	line() {
		local status=0
		! declare -F before_line >/dev/null || before_line "$1" || return 0
		echo "\$ $(adapted "$1")"
		count=$((count + 1))
		eval "$(adapted "$1")" </dev/null >"$WORK/output" 2>&1 3>&- || status=$?
		tail -n 40 "$WORK/output"
		[ "$status" = 0 ] && return
		echo "not as the page says: it ended with $status"
		failed=$((failed + 1))
	}
	file() {
		echo "writes $1"
		mkdir -p "$(dirname "$1")"
		adapted "$2" >"$1"
	}
	eval "$(page_steps "$@")"
	[ "$count" -gt 0 ] && [ "$failed" = 0 ]
}
