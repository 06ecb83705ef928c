#!/usr/bin/env bash
# Every C file as clang-format leaves it, in TAP. Versions differ in small ways, so the check is
# made where the version is the one the sources are formatted with: Debian 12's.
set -euo pipefail
want=14
have=$(clang-format --version | sed 's/.*version \([0-9]*\).*/\1/')
if [[ $have != "$want" ]]; then
    echo "ok 1 formatting # skip clang-format $have here, the sources follow $want"
    exit 0
fi
n=0 bad=0
while read -r file; do
    n=$((n + 1))
    if clang-format --dry-run -Werror "$file" 2>/dev/null; then
        echo "ok $n $file"
    else
        echo "not ok $n $file: run make format"
        bad=1
    fi
done < <(git ls-files '*.c' '*.h')
exit "$bad"
