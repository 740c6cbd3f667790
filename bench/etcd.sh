#!/usr/bin/env bash
# Measures SETs durable on three copies beside puts on a three-member etcd, at 1,000 connections, in one run, alternated.
# Usage: bench/etcd.sh [--rounds N] [--seconds S] [--note TEXT] [--out FILE] [--dir DIR] [--bin DIR]
#   --rounds N    rounds, each measuring both; odd ones etcd first (default 3)
#   --seconds S   of each measurement of Ostraka, after a fifth of it to warm up; etcd's takes its own 60 (default 20)
#   --note TEXT   a line for the record: what else the machine was doing, say
#   --out FILE    the table, Markdown (default bench/results/etcd.md)
#   --dir DIR     where all keep their files, on one file system (default a new directory under $TMPDIR)
#   --bin DIR     where metasrv and datasrv are (default .build/release)
# etcd: three members with its defaults (every put synced on a majority), `etcdctl check perf --load=xl`: 1,000 clients, keys of
# 275 bytes, values of 1,024, at most 15,000 a second. Ostraka: three datasrv, --sync always, three replicas, ack all,
# min-in-sync 2; keys and values of the same sizes, then of 16 and 100 bytes, by bench/replicated-set.c over 1,000 connections.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() { sed -n '2,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }
name=etcd
. bench/lib.sh

rounds=3 time=20 note="" out=bench/results/etcd.md dir="" bin=.build/release
while [ $# -gt 0 ]; do
    case "$1" in
        --rounds | --seconds | --note | --out | --dir | --bin)
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
for tool in etcd etcdctl cc; do
    command -v "$tool" >/dev/null || die "$tool is not installed: apt-get install etcd-server etcd-client gcc"
done
[ -x "$bin/datasrv" ] || die "no $bin/datasrv: swift build -c release -Xswiftc -cross-module-optimization"
ulimit -n "$(ulimit -H -n)"

begin_work "$dir"
client=$work/replicated-set
cc -O2 -o "$client" bench/replicated-set.c

export ETCDCTL_API=3
members="" endpoints=""
for i in 1 2 3; do
    members+=",e$i=http://127.0.0.1:178${i}1"
    endpoints+=",http://127.0.0.1:178${i}0"
done
for i in 1 2 3; do
    etcd --name e$i --data-dir "$work/etcd-$i" --listen-client-urls "http://127.0.0.1:178${i}0" \
        --advertise-client-urls "http://127.0.0.1:178${i}0" --listen-peer-urls "http://127.0.0.1:178${i}1" \
        --initial-advertise-peer-urls "http://127.0.0.1:178${i}1" --initial-cluster "${members#,}" \
        --initial-cluster-state new --quota-backend-bytes 8589934592 >"$work/etcd-$i.log" 2>&1 &
    pids+=("$!")
done
await "etcd with three members" etcdctl --endpoints "${endpoints#,}" endpoint health

start_cluster

: >"$work/samples"
measure() {
    local rate said
    case "$1" in
        etcd)
            # It ends with 1 where it finds the throughput too low, and says it all the same.
            said=$(etcdctl --endpoints "${endpoints#,}" check perf --load=xl 2>&1 || true)
            rate=$(sed -nE 's/.*[Tt]hroughput(:| is| too low:) *([0-9]+) writes\/s.*/\2/p' <<<"$said" | head -n 1)
            [ -n "$rate" ] || die "etcdctl check perf gave no throughput: $said"
            ;;
        same) rate=$("$client" cluster 17911,17921,17931 1000 1 "$time" 100000 1024 275) ;;
        small) rate=$("$client" cluster 17911,17921,17931 1000 1 "$time" 100000) ;;
    esac
    echo "$1 $rate" >>"$work/samples"
}
for round in $(seq "$rounds"); do
    order=(etcd same small)
    [ $((round % 2)) = 1 ] || order=(small same etcd)
    for kind in "${order[@]}"; do measure "$kind"; done
    echo "round $round of $rounds: $(tail -n 3 "$work/samples" | tr '\n' ' ')"
done

# Median, least and greatest of one kind.
column() { awk -v n="$1" '$1 == n { print $2 }' "$work/samples" | spread; }
mkdir -p "$(dirname "$out")"
read -r e_mid e_low e_high < <(column etcd)
read -r s_mid s_low s_high < <(column same)
read -r t_mid t_low t_high < <(column small)
{
    echo "# SETs durable on three copies beside etcd, 1,000 connections"
    echo
    echo "Recorded $(date -u +%Y-%m-%d) by \`bench/etcd.sh --rounds $rounds --seconds $time\` at $(git rev-parse --short HEAD), on $(nproc)"
    echo "processors, Linux $(uname -r), etcd $(etcd --version | awk 'NR == 1 { print $3 }'). All servers and the clients share the machine and its"
    echo "disk; each client costs what it costs (etcdctl's is of Go over gRPC). Writes a second, medians of $rounds alternated rounds,"
    echo "least and greatest in brackets.${note:+ $note}"
    echo
    echo "| | keys, values | writes a second | ratio to etcd |"
    echo "|---|---|---|---|"
    echo "| etcd, three members, \`etcdctl check perf --load=xl\` (at most 15,000 are asked for) | 275, 1024 bytes | $e_mid ($e_low-$e_high) | |"
    awk -v m="$s_mid" -v l="$s_low" -v h="$s_high" -v e="$e_mid" 'BEGIN {
        printf "| Ostraka, three replicas, ack all | 275, 1024 bytes | %d (%d-%d) | %.1f |\n", m, l, h, m / e }'
    awk -v m="$t_mid" -v l="$t_low" -v h="$t_high" -v e="$e_mid" 'BEGIN {
        printf "| Ostraka, three replicas, ack all | 16, 100 bytes | %d (%d-%d) | %.1f |\n", m, l, h, m / e }'
} >"$out"
cat "$out"
