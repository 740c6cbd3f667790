#!/usr/bin/env bash
# Measures SETs durable on three copies beside Redis with two replicas and WAIT 2, in one run, alternated.
# Usage: bench/replicated.sh [--rounds N] [--seconds S] [--keys N] [--out FILE] [--dir DIR] [--bin DIR]
#   --rounds N    rounds, each measuring both once per line of the table; odd ones Redis first (default 5)
#   --seconds S   of each measurement, after a fifth of it to warm up (default 4)
#   --keys N      keys (default 100000)
#   --out FILE    the table, Markdown (default bench/results/replicated.md)
#   --dir DIR     where all keep their files, on one file system (default a new directory under $TMPDIR)
#   --bin DIR     where metasrv and datasrv are (default .build/release)
# Redis: one primary and two replicas, appendonly yes, appendfsync always; each SET, or each pipeline of 16, is followed by
# WAIT 2. Ostraka: three datasrv, --sync always, three replicas, ack all, min-in-sync 2. One client, bench/replicated-set.c.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() { sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }
name=replicated
. bench/lib.sh

rounds=5 time=4 keys=100000 out=bench/results/replicated.md dir="" bin=.build/release
while [ $# -gt 0 ]; do
    case "$1" in
        --rounds | --seconds | --keys | --out | --dir | --bin)
            [ $# -ge 2 ] || die "$1 wants a value"
            case "$1" in --seconds) time=$2 ;; *) declare "${1#--}=$2" ;; esac
            shift
            ;;
        --help | -h)
            usage
            exit 0
            ;;
        *) die "unknown argument: $1 (see --help)" ;;
    esac
    shift
done
for tool in redis-server redis-cli cc; do
    command -v "$tool" >/dev/null || die "$tool is not installed: apt-get install redis gcc"
done
[ -x "$bin/datasrv" ] || die "no $bin/datasrv: swift build -c release -Xswiftc -cross-module-optimization"

begin_work "$dir"
client=$work/replicated-set
cc -O2 -o "$client" bench/replicated-set.c

for i in 0 1 2; do
    mkdir -p "$work/redis-$i"
    follow=()
    [ $i = 0 ] || follow=(--replicaof 127.0.0.1 17980)
    redis-server --port $((17980 + i)) --bind 127.0.0.1 --dir "$work/redis-$i" --save "" --appendonly yes \
        --appendfsync always "${follow[@]}" >"$work/redis-$i.log" 2>&1 &
    pids+=("$!")
done
both_follow() { grep -q connected_slaves:2 <<<"$(redis-cli -p 17980 info replication)"; }
await "Redis with two replicas" both_follow

start_cluster

: >"$work/samples"
measure() {
    local rate
    case "$1" in
        redis) rate=$("$client" redis 17980 "$2" "$3" "$time" "$keys") ;;
        ostraka) rate=$("$client" cluster 17911,17921,17931 "$2" "$3" "$time" "$keys") ;;
    esac
    echo "$1 $2 $3 $rate" >>"$work/samples"
}
shapes=("50 1" "200 1" "50 16")
for round in $(seq "$rounds"); do
    for shape in "${shapes[@]}"; do
        read -r connections pipeline <<<"$shape"
        order=(redis ostraka)
        [ $((round % 2)) = 1 ] || order=(ostraka redis)
        for server in "${order[@]}"; do measure "$server" "$connections" "$pipeline"; done
    done
    echo "round $round of $rounds"
done

# Median, least and greatest of NAME CONNECTIONS PIPELINE.
column() {
    awk -v n="$1" -v c="$2" -v p="$3" '$1 == n && $2 == c && $3 == p { print $4 }' "$work/samples" | spread
}
mkdir -p "$(dirname "$out")"
{
    echo "# SETs durable on three copies"
    echo
    echo "Recorded $(date -u +%Y-%m-%d) by \`bench/replicated.sh --rounds $rounds --seconds $time --keys $keys\` at"
    echo "$(git rev-parse --short HEAD), on $(nproc) processors, Linux $(uname -r), $(redis-server --version |
        awk '{ print $3 }' | sed 's/v=/redis-server /')."
    echo "All servers and the client share the machine and its disk. SETs of 100 bytes a second, medians of $rounds"
    echo "alternated rounds, least and greatest in brackets. Redis: WAIT 2 after each SET, or after each pipeline."
    echo
    echo "| connections x pipeline | Redis, two replicas, appendfsync always, WAIT 2 | Ostraka, three replicas, ack all | ratio |"
    echo "|---|---|---|---|"
    for shape in "${shapes[@]}"; do
        read -r connections pipeline <<<"$shape"
        read -r r_mid r_low r_high < <(column redis "$connections" "$pipeline")
        read -r o_mid o_low o_high < <(column ostraka "$connections" "$pipeline")
        awk -v c="$connections" -v p="$pipeline" -v rm="$r_mid" -v rl="$r_low" -v rh="$r_high" -v om="$o_mid" \
            -v ol="$o_low" -v oh="$o_high" 'BEGIN {
                printf "| %d x %d | %d (%d-%d) | %d (%d-%d) | %.2f |\n", c, p, rm, rl, rh, om, ol, oh, om / rm }'
    done
} >"$out"
cat "$out"
