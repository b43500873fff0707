#!/usr/bin/env bash
# Which test proves which rule: compares docs/semantics.md and docs/failures.md with the citations.
# SPDX-License-Identifier: MIT
#
#   tools/parity.sh           fails if an owed rule has neither a test nor a line in
#                             docs/later.txt, if a line there is stale (a test proves it),
#                             malformed or repeated, or if something cites an unknown rule
#   tools/parity.sh --table   prints rule -> tests as Markdown
#   tools/parity.sh --root D  works on another tree (for the script's own test)
#
# A citation is a number in brackets, [R14], several of them in one pair, [R14, C3],
# or side by side, [R14][C3]. It
# counts in every file under tests/ but the helpers (tests/support/) and the prose (*.md).
set -euo pipefail
export LC_ALL=C

# What the core owes. R numbers are rules; a whole letter is a family of failures.
owed_rules='1-78 80-83 85-88 115'
owed_families='A B C D E K L'

usage() { sed -n '4,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
table=no
while [ $# -gt 0 ]; do
  case $1 in
    --table) table=yes ;;
    --root) root=${2:?--root needs a folder}; shift ;;
    --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
cd "$root"

for file in docs/semantics.md docs/failures.md docs/later.txt; do
  [ -f "$file" ] || { echo "parity: $file is missing" >&2; exit 2; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The numbers that exist: list items "- **R14. ..." and table rows "| A1 | ...".
{
  grep -oE '^- \*\*R[0-9]+[a-z]?\.' docs/semantics.md | grep -oE 'R[0-9]+[a-z]?'
  grep -oE '^\| [A-L][0-9]+ \|' docs/failures.md | grep -oE '[A-L][0-9]+'
} | sort -V >"$work/known"

# Lines "path:line:number", one for each citation. "a[A1]" in code would count too; no test names
# an index so.
cites='\[[A-LR][0-9]+[a-z]?([,; ]+[A-LR][0-9]+[a-z]?)*\]'
: >"$work/cited_at"
if [ -d tests ]; then
  { grep -rInoE --exclude='*.md' --exclude-dir=support "$cites" tests || true; } |
    awk '{
      place = $0
      sub(/:\[.*/, "", place)
      rest = substr($0, length(place) + 1)
      while (match(rest, /[A-LR][0-9]+[a-z]?/)) {
        print place ":" substr(rest, RSTART, RLENGTH)
        rest = substr(rest, RSTART + RLENGTH)
      }
    }' | sort -uV >"$work/cited_at"
fi
sed 's/.*://' "$work/cited_at" | sort -u >"$work/cited"

grep -vE '^[[:space:]]*(#|$)' docs/later.txt >"$work/later_lines" || true
awk '{ print $1 }' "$work/later_lines" | sort >"$work/later"

is_owed() {  # is_owed NUMBER
  local family=${1%%[0-9]*} n range
  n=${1#"$family"}; n=${n%[a-z]}
  if [ "$family" != R ]; then [[ " $owed_families " == *" $family "* ]]; return; fi
  for range in $owed_rules; do
    [ "$n" -ge "${range%-*}" ] && [ "$n" -le "${range#*-}" ] && return
  done
  return 1
}

declare -A listed  # "FILE NUMBER", for each line of the three lists
for list in known cited later; do
  while IFS= read -r number; do listed["$list $number"]=yes; done <"$work/$list"
done
has() { [ -n "${listed["$1 $2"]-}" ]; }  # has LIST NUMBER

# sentence_at PATH LINE: the string literal that holds the citation, if it stands in one
sentence_at() {
  sed -n "${2}p" "$1" | { grep -oE '"[^"]*\[[A-LR][0-9]+[^"]*"' || true; } | head -n 1 |
    sed 's/^"//; s/"$//; s/|/\\|/g'
}

if [ "$table" = yes ]; then
  echo '| rule | tests |'
  echo '|---|---|'
  while IFS= read -r number; do
    cell=''
    while IFS= read -r place; do
      place=${place%:*}
      path=${place%:*} line=${place##*:}
      sentence=$(sentence_at "$path" "$line")
      cell+="${cell:+<br>}\`$path:$line\`${sentence:+ $sentence}"
    done < <(grep -E ":$number\$" "$work/cited_at" || true)
    reason=$(awk -v n="$number" \
      '$1 == n { sub(/^[^ \t]+[ \t]+/, ""); print; exit }' "$work/later_lines")
    [ -n "$cell" ] || cell=${reason:+later: $reason}
    if [ -z "$cell" ]; then is_owed "$number" && cell='**none**' || cell='not owed by the core'; fi
    printf '| %s | %s |\n' "$number" "$cell"
  done <"$work/known"
  exit 0
fi

failures=0
complain() { printf 'parity: %s\n' "$*"; failures=$((failures + 1)); }

while IFS= read -r number; do
  complain "$number stands twice in docs/semantics.md or docs/failures.md"
done < <(uniq -d "$work/known")

owed=0 proven=0 later=0
while IFS= read -r number; do
  is_owed "$number" || continue
  owed=$((owed + 1))
  if has cited "$number"; then proven=$((proven + 1))
  elif has later "$number"; then later=$((later + 1))
  else complain "$number has neither a test that cites it nor a line in docs/later.txt"
  fi
done < <(uniq "$work/known")

while read -r number reason; do
  has known "$number" || complain "docs/later.txt: there is no rule $number"
  [ -n "$reason" ] || complain "docs/later.txt: $number gives no reason"
  if has cited "$number"; then
    complain "docs/later.txt: $number is stale, a test proves it: $(
      grep -E ":$number\$" "$work/cited_at" |
      head -n 1 | sed 's/:[^:]*$//')"
  fi
done <"$work/later_lines"
while IFS= read -r number; do complain "docs/later.txt: $number has two lines"
done < <(uniq -d "$work/later")

while IFS= read -r number; do
  complain "there is no rule $number, but it is cited: $(
    grep -E ":$number\$" "$work/cited_at" | head -n 1 |
    sed 's/:[^:]*$//')"
done < <(comm -23 "$work/cited" <(sort -u "$work/known"))

if [ "$owed" -eq 0 ]; then
  complain 'no owed rule was found: has the form of docs/semantics.md changed?'
fi
printf 'parity: %d owed, %d with a test, %d later, %d complaints\n' \
  "$owed" "$proven" "$later" "$failures"
[ "$failures" -eq 0 ]
