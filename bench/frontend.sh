#!/usr/bin/env bash
# Measures one datasrv beside redis-server in the same run, alternated, by redis-benchmark; writes a table of medians.
# Usage: bench/frontend.sh [--rounds N] [--keys N] [--sync never|always|both] [--out FILE] [--dir DIR] [--bin DIR]
#   --rounds N   rounds, each measuring both servers once per line of the table; odd ones redis first (default 5)
#   --keys N     keys, all of them written before the first round (default 1000000)
#   --sync WHAT  which pairs: never = no persistence against --sync never, always = appendonly yes and appendfsync
#                always against --sync always (default both)
#   --out FILE   the table, Markdown (default bench/results/frontend.md)
#   --dir DIR    where the servers keep their files; both on one file system (default a new directory under $TMPDIR)
#   --bin DIR    where metasrv and datasrv are (default .build/release)
# SET and GET of 100 bytes, 50 connections, -P 1 and -P 16. The client shares the machine with the server: the
# processor time of a server per operation is measured, too (/proc/PID/task/*/schedstat, all threads).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() { sed -n '2,13s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }
name=frontend
. bench/lib.sh

rounds=5 keys=1000000 sync=both out=bench/results/frontend.md dir="" bin=.build/release
while [ $# -gt 0 ]; do
    case "$1" in
        --rounds | --keys | --sync | --out | --dir | --bin)
            [ $# -ge 2 ] || die "$1 wants a value"
            declare "${1#--}=$2"
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
case "$rounds$keys" in *[!0-9]*) die "--rounds and --keys want numbers" ;; esac
case "$sync" in
    both) modes=(never always) ;;
    never | always) modes=("$sync") ;;
    *) die "--sync wants never, always or both" ;;
esac
for tool in redis-server redis-benchmark redis-cli; do
    command -v "$tool" >/dev/null || die "$tool is not installed: apt-get install redis"
done
for program in metasrv datasrv; do
    [ -x "$bin/$program" ] || die "no $bin/$program: swift build -c release -Xswiftc -cross-module-optimization"
done

begin_work "$dir"

redis_port=17990 meta_port=17910 data_port=17911 gateway_port=17912 peer_port=17913

answers() { [ "$(redis-cli -p "$1" ping 2>/dev/null)" = PONG ]; }
writes() { [ "$(redis-cli -p "$1" set probe 1 2>/dev/null)" = OK ]; }

start_redis() {
    local mode=$1 flags=(--save "" --appendonly no)
    [ "$mode" = always ] && flags=(--save "" --appendonly yes --appendfsync always)
    mkdir -p "$work/redis-$mode"
    redis-server --port $redis_port --bind 127.0.0.1 --dir "$work/redis-$mode" "${flags[@]}" \
        >"$work/redis-$mode.log" 2>&1 &
    redis_pid=$!
    pids+=("$redis_pid")
    await redis-server answers $redis_port
}

start_ostraka() {
    local mode=$1
    "$bin/metasrv" --id m1 --listen 127.0.0.1:$meta_port --log "file:$work/meta-$mode" >"$work/metasrv-$mode.log" 2>&1 &
    meta_pid=$!
    pids+=("$meta_pid")
    "$bin/datasrv" --id d1 --dir "$work/data-$mode" --listen 127.0.0.1:$data_port --gateway 127.0.0.1:$gateway_port \
        --peer 127.0.0.1:$peer_port --meta 127.0.0.1:$meta_port --sync "$mode" >"$work/datasrv-$mode.log" 2>&1 &
    data_pid=$!
    pids+=("$data_pid")
    await metasrv answers $meta_port
    await datasrv answers $gateway_port
    await "datasrv's ready" grep -qx ready "$work/datasrv-$mode.log"
    local wish='{"createKeyspace":{"keyspace":{"name":"default","scheme":{"kind":"hash"}},"plan":false}}'
    redis-cli -p $meta_port META.ADMIN "$wish" >"$work/create-$mode.log" 2>&1
    grep -q keyspaceCreated "$work/create-$mode.log" || die "no keyspace: $(cat "$work/create-$mode.log")"
    await "keyspace default" writes $gateway_port
}

# Every key once, with the names that redis-benchmark draws from.
load() {
    awk -v keys="$keys" 'BEGIN {
        value = sprintf("%100s", ""); gsub(/ /, "x", value)
        for (i = 0; i < keys; i++) printf "*3\r\n$3\r\nSET\r\n$16\r\nkey:%012d\r\n$100\r\n%s\r\n", i, value
    }' | redis-cli -p "$1" --pipe >"$work/load-$1.log" 2>&1 || die "loading failed: $(tail -1 "$work/load-$1.log")"
    grep -q 'errors: 0' "$work/load-$1.log" || die "loading had errors: $(tail -1 "$work/load-$1.log")"
}

cpu() { cat /proc/"$1"/task/*/schedstat 2>/dev/null | awk '{ sum += $1 } END { printf "%.0f", sum }'; }

# measure NAME PORT PID TEST PIPELINE REQUESTS
# Appends mode, name, test, pipeline, requests a second, processor time of an operation in ns.
measure() {
    local before after rate
    before=$(cpu "$3")
    rate=$(redis-benchmark -p "$2" -c 50 -P "$5" -n "$6" -r "$keys" -d 100 -t "$4" --csv 2>/dev/null |
        awk -F'"' -v test="$4" 'tolower($2) == test { print $4 }')
    after=$(cpu "$3")
    [ -n "$rate" ] || die "redis-benchmark gave no result for $1 $4 -P $5"
    awk -v a="$before" -v b="$after" -v n="$6" -v head="$mode $1 $4 $5 $rate" \
        'BEGIN { printf "%s %.0f\n", head, (b - a) / n }' >>"$work/samples"
}

# Requests per measurement: a few seconds each.
requests() {
    case "$1-$2" in
        never-1) echo 200000 ;;
        never-16) echo 2000000 ;;
        always-1) echo 100000 ;;
        *) echo 1000000 ;;
    esac
}

: >"$work/samples"
for mode in "${modes[@]}"; do
    start_redis "$mode"
    start_ostraka "$mode"
    load $redis_port
    load $gateway_port
    for round in $(seq "$rounds"); do
        for pipeline in 1 16; do
            for test in set get; do
                count=$(requests "$mode" "$pipeline")
                if [ $((round % 2)) = 1 ]; then
                    measure redis $redis_port "$redis_pid" "$test" "$pipeline" "$count"
                    measure ostraka $gateway_port "$data_pid" "$test" "$pipeline" "$count"
                else
                    measure ostraka $gateway_port "$data_pid" "$test" "$pipeline" "$count"
                    measure redis $redis_port "$redis_pid" "$test" "$pipeline" "$count"
                fi
            done
        done
        echo "sync $mode: round $round of $rounds"
    done
    stop "$redis_pid" "$data_pid" "$meta_pid"
done

# Median, least and greatest of field F of the samples of MODE NAME TEST PIPELINE.
column() {
    awk -v m="$1" -v n="$2" -v t="$3" -v p="$4" -v f="$5" \
        '$1 == m && $2 == n && $3 == t && $4 == p { print $f }' "$work/samples" | spread
}

mkdir -p "$(dirname "$out")"
{
    echo "# One datasrv beside redis-server"
    echo
    echo "Recorded $(date -u +%Y-%m-%d) by \`bench/frontend.sh --rounds $rounds --keys $keys --sync $sync\` at"
    echo "$(git rev-parse --short HEAD), on $(nproc) processors"
    echo "($(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo)),"
    echo "Linux $(uname -r), $(redis-server --version | awk '{ print $3 }' | sed 's/v=/redis-server /')."
    echo "Client and servers share the machine. The client is"
    echo "\`redis-benchmark -c 50 -P PIPELINE -r $keys -d 100 -t TEST\`, against the gateway port; all keys were"
    echo "written before. Medians of $rounds alternated rounds, least and greatest in brackets."
    echo
    echo "Sync \`never\`: redis-server without persistence. Sync \`always\`: redis-server with appendonly yes and"
    echo "appendfsync always. CPU is the server's processor time per operation over all threads, in microseconds."
    echo
    echo "| sync | test | -P | redis-server, ops/s | datasrv, ops/s | ratio | CPU redis-server | CPU datasrv |"
    echo "|---|---|---|---|---|---|---|---|"
    for mode in "${modes[@]}"; do
        for pipeline in 1 16; do
            for test in set get; do
                read -r r_mid r_low r_high < <(column "$mode" redis $test $pipeline 5)
                read -r o_mid o_low o_high < <(column "$mode" ostraka $test $pipeline 5)
                read -r r_cpu _ < <(column "$mode" redis $test $pipeline 6)
                read -r o_cpu _ < <(column "$mode" ostraka $test $pipeline 6)
                awk -v mode="$mode" -v test="$test" -v p="$pipeline" -v rm="$r_mid" -v rl="$r_low" -v rh="$r_high" \
                    -v om="$o_mid" -v ol="$o_low" -v oh="$o_high" -v rc="$r_cpu" -v oc="$o_cpu" 'BEGIN {
                    printf "| %s | %s | %d | %.0f (%.0f-%.0f) | %.0f (%.0f-%.0f) | %.2f | %.2f | %.2f |\n",
                        mode, toupper(test), p, rm, rl, rh, om, ol, oh, om / rm, rc / 1000, oc / 1000 }'
            done
        done
    done
} >"$out"
cat "$out"
