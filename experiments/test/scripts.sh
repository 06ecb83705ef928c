#!/usr/bin/env bash
# Every shell script through shellcheck, in TAP.
set -euo pipefail
n=0 bad=0
while read -r file; do
    n=$((n + 1))
    if report=$(shellcheck -x "$file"); then
        echo "ok $n $file"
    else
        echo "not ok $n $file"
        echo "$report"
        bad=1
    fi
done < <(git ls-files '*.sh' '*.bash' trace/attach)
exit "$bad"
