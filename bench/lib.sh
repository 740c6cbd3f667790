# What the benches share: to be sourced, with `name` set to the script's own.

die() {
    echo "$name: $*" >&2
    exit 1
}

# begin_work DIR: sets `work`, where the servers keep their files: DIR, or a new directory that goes at the end. Processes whose
# ids are put into `pids` are ended with the script.
pids=()
begin_work() {
    kept=$1
    work=${1:-$(mktemp -d "${TMPDIR:-/tmp}/ostraka-$name.XXXXXX")}
    mkdir -p "$work"
    trap end_work EXIT
}
end_work() {
    stop "${pids[@]}"
    [ -n "$kept" ] || rm -rf "$work"
}

# stop PID...: ends processes, and waits for them.
stop() {
    local pid
    for pid in "$@"; do kill "$pid" 2>/dev/null || true; done
    for pid in "$@"; do wait "$pid" 2>/dev/null || true; done
}

# await NAME COMMAND...: waits, at most half a minute, until the command succeeds.
await() {
    for _ in $(seq 300); do
        if "${@:2}" >/dev/null 2>&1; then return; fi
        sleep 0.1
    done
    die "$1 did not come up: see $work"
}

# start_cluster: one metasrv and three datasrv of `bin` in `work`, each on a host of its own, and keyspace `default` on all three.
start_cluster() {
    local i
    "$bin/metasrv" --id m1 --listen 127.0.0.1:17930 --log "file:$work/meta" >"$work/metasrv.log" 2>&1 &
    pids+=("$!")
    for i in 1 2 3; do
        "$bin/datasrv" --id d$i --dir "$work/data-$i" --listen 127.0.0.1:179${i}1 --gateway 127.0.0.1:179${i}2 \
            --peer 127.0.0.1:179${i}4 --meta 127.0.0.1:17930 --host h$i --sync always >"$work/datasrv-$i.log" 2>&1 &
        pids+=("$!")
        await "datasrv d$i" grep -qx ready "$work/datasrv-$i.log"
    done
    "$bin/shardctl" --meta 127.0.0.1:17930 keyspace create default --replicas 3 --shards 12 --yes >"$work/create.log" 2>&1 ||
        die "no keyspace: $(cat "$work/create.log")"
}

# Median, least and greatest of the numbers on standard input.
spread() {
    sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2, v[1], v[NR] }'
}
