# SPDX-License-Identifier: MIT
. "$BENCH/tools/borg-lz4.sh"
level=zstd,3
unset -f copied
