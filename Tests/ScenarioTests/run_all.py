#!/usr/bin/env python3
"""Runs the scripts of one tier and adds up what they counted. Usage: run_all.py scenarios|processes [--soak]"""

import pathlib
import re
import subprocess
import sys

from local_cluster import PROGRAMS, Cluster

HERE = pathlib.Path(__file__).resolve().parent


def script(name, *arguments):
    """Runs a script with its output shown; gives what its last line counted."""
    print(f"-- {name}", flush=True)
    process = subprocess.Popen([sys.executable, HERE / name, *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    last = ""
    for line in process.stdout:
        last = line
        if not re.fullmatch(r"\d+ passed, \d+ failed\n", line):
            print(line, end="", flush=True)
    process.wait()
    counted = re.fullmatch(r"(\d+) passed, (\d+) failed\n", last)
    if not counted:
        print(f"FAIL {name} ended with {process.returncode} and no count", flush=True)
        return 0, 1
    return int(counted[1]), int(counted[2])


def scenarios():
    with Cluster() as cluster:
        results = [script("redis_py.py", "--gateway", f"127.0.0.1:{cluster.gateway_port()}",
                          "--cluster", f"127.0.0.1:{cluster.cluster_port()}", "--shardctl",
                          write_shardctl(cluster))]
    with Cluster(data=2) as cluster:
        pids = ",".join(str(cluster.pid(name)) for name in ("d1", "d2"))
        results.append(script("hostile.py", "--gateway", f"127.0.0.1:{cluster.gateway_port()}", "--cluster",
                              f"127.0.0.1:{cluster.cluster_port()}", "--pid", pids))
    results.append(script("shardctl.py"))
    return results


def processes(*arguments):
    return [script(name, *arguments) for name in ("processes.py", "disks.py", "replicas.py")]


def write_shardctl(cluster):
    """shardctl with this cluster's addresses, as one command."""
    path = cluster.folder / "shardctl"
    path.write_text(f'#!/bin/sh\nOSTRAKA_META={cluster.meta_addresses} exec {PROGRAMS}/shardctl "$@"\n')
    path.chmod(0o755)
    return path


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in ("scenarios", "processes"):
        sys.exit(__doc__)
    results = scenarios() if sys.argv[1] == "scenarios" else processes(*sys.argv[2:])
    passed, failed = (sum(column) for column in zip(*results))
    print(f"{passed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
