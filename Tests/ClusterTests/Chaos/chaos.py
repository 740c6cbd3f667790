#!/usr/bin/env python3
"""Chaos on real processes: clusters of 3 and 5 data nodes, keyspaces of every scheme and both flows, under recorded load.

  chaos.py [--soak] [--only TEXT] [--seconds S] [--seed N] [--keep DIR] [--pauses FILE]
    --soak         the long times: an hour of kills, half an hour of pauses and of partitions, 200 power cuts, drifting clocks
    --only TEXT    runs whose name has this in it
    --seconds S    trouble of each run, instead of the tier's
    --seed N       what happens when (by default by the clock; it is printed)
    --keep DIR     where histories are written (.build/chaos); those of good runs are removed without this
    --pauses FILE  writes how long shards took no write after their primary died, as Markdown

While something happens to the processes, every request of every client is recorded with the times of its sending and its reply
and its outcome: done, refused (INTERFACE: it was not executed), or unknown. Afterwards all shards must have their members again
within a bound, all keys are read, each node is killed once so that other copies serve, all keys are read again, and the whole
history must be linearizable key by key: by the checker of the simulator, which also finds lost acknowledged writes."""

import argparse
import os
import pathlib
import random
import statistics
import subprocess
import sys
import time

from nodes import META, ROOT, Nodes
from faults import FailingSync, FullDisk, Kill, Mixed, Partition, Pause, PowerCut
from history import History, check, judge
from load import Load, create_keyspaces, read_all
from report import Report, expect, resident

SHARDSIM = ROOT / ".build" / "release" / "shardsim"
# (class, data nodes, seconds in the quick tier, seconds in the soak)
RUNS = [
    (Kill, 3, 90, 1800), (Kill, 5, 90, 1800),
    (Pause, 5, 60, 900), (Pause, 3, 60, 900),
    (Partition, 3, 60, 900), (Partition, 5, 60, 900),
    (PowerCut, 3, 30, 2400),
    (FullDisk, 3, 15, 300), (FailingSync, 3, 15, 300),
]


class Run:
    """One cluster under one class of trouble."""

    def __init__(self, fault, data, seconds, seed, options):
        self.fault, self.data, self.seconds, self.seed, self.options = fault, data, seconds, seed, options
        is_soak = options.soak and not options.seconds
        self.least = getattr(fault, "soak_least", fault.least) if is_soak else fault.least
        self.randomness = random.Random(f"{seed}.{fault.name}.{data}")
        self.history = History()
        self.troubles, self.lost_packets, self.deaths, self.pauses, self.ended, self.diary = 0, 0, [], [], [], []

    def told(self, what):
        self.diary.append(f"{time.monotonic_ns()} {what}")

    def sleep(self, least, most):
        time.sleep(self.randomness.uniform(least, most))

    def file(self, ending):
        folder = pathlib.Path(self.options.keep or ROOT / ".build" / "chaos")
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{self.fault.name.replace(' ', '-')}-{self.data}-{self.seed}.{ending}"

    def perform(self, programs=None):
        self.nodes = nodes = Nodes(self.data, programs)
        try:
            self.fault.prepare(nodes)
        except BaseException:
            nodes.__exit__(None)
            raise
        with nodes:
            flows = ("fanout", "chain") if self.data == 3 else ("chain", "fanout")
            create_keyspaces(nodes, flows)
            try:
                with Load(nodes, self.history, self.seed) as self.load:
                    self.trouble()
                    during = self.history.counts()
                    healing = nodes.wait_whole(self.fault.whole)
                    time.sleep(0.5)
                self.memory = max(resident(nodes[name].child.pid) for name in nodes.data_names)
                read = self.read_back()
            finally:
                self.history.write(self.file("history"))
                self.note_pauses()
                self.file("diary").write_text("\n".join(sorted(self.diary)) + "\n")
            self.judge(during, healing, read)
            for name in nodes.names:
                nodes[name].terminate()

    def trouble(self):
        time.sleep(1.0)
        begun = time.monotonic()
        # A slow machine gets the time that its least number of troubles takes, within reason.
        while (passed := time.monotonic() - begun) < self.seconds or (
                self.troubles < self.least and passed < 10 * self.seconds):
            self.fault.act(self)
            self.troubles += 1
            self.nodes.wait_whole(self.fault.whole)
            self.sleep(*self.fault.pause)

    def read_back(self):
        """All keys, and all again while each of the nodes is gone, so that copies serve that were secondaries."""
        read = read_all(self.nodes, self.history, self.nodes.gateways)
        for index, name in enumerate(self.nodes.data_names):
            self.nodes[name].kill()
            left = [port for at, port in enumerate(self.nodes.gateways) if at != index]
            read += read_all(self.nodes, self.history, left)
            self.nodes.start([name])
            self.nodes.wait_whole(self.fault.whole)
        return read

    def judge(self, during, healing, read):
        verdict = judge(SHARDSIM, self.file("history"))
        expect(not self.load.strange, f"{len(self.load.strange)} strange replies: {self.load.strange[:3]}")
        done, failed = during["done"], during["refused"] + during["unknown"]
        print(f"     {self.troubles} troubles, {done} requests done, {during['refused']} refused, {during['unknown']} unknown "
              f"({100 * done / max(1, done + failed):.1f} % done), whole again after {healing:.1f} s, {read} keys read back")
        print(f"     {verdict}")
        for words in self.ended:
            print(f"     a node ended: {words}")
        if self.pauses:
            print(f"     {len(self.pauses)} deaths of primaries: no write for {statistics.median(self.pauses):.2f} s (median), "
                  f"{max(self.pauses):.2f} s at most")
        print(f"     a node has {self.memory >> 20} MB of memory at most")
        # Caches are small here; what is kept for others, and for those that come back, has a bound (RULES I19).
        expect(self.memory < 1 << 30, f"a node has {self.memory >> 20} MB of memory")
        # A run in which little happened proves nothing.
        expect(done > 20 * self.seconds, f"only {done} requests were done")
        expect(self.troubles >= self.least, f"only {self.troubles} troubles")
        vacuous = getattr(self.fault, "vacuous", lambda _: None)(self)
        expect(vacuous is None, vacuous)
        expect(done >= self.fault.share * (done + failed), f"{done} of {done + failed} requests were done")
        if not self.options.keep:
            self.file("history").unlink()
            self.file("diary").unlink()

    def note_pauses(self):
        """How long each shard took no write after its primary was killed; the load is over."""
        for shard, moment in self.deaths:
            pause = self.load.longest_pause(shard, moment)
            if pause is not None:
                self.pauses.append(pause)
            self.diary.append(f"{int(moment * 1e9)} no write on shard {shard} for "
                              + (f"{pause:.2f} s" if pause is not None else "the rest of the run"))


def self_test(options):
    """The checker finds what is planted in a recorded history: a stale read, a lost write, an effect of a refused one."""
    run = Run(Kill(), 3, 1, options.seed, options)
    with Nodes(3) as nodes:
        create_keyspaces(nodes, ("fanout", "chain"))
        with Load(nodes, run.history, options.seed):
            time.sleep(3)
        read_all(nodes, run.history, nodes.gateways)
    good = list(run.history.lines())
    path = run.file("planted")

    def verdict(lines):
        run.history.write(path, lines)
        return check(SHARDSIM, path)[0]

    expect(verdict(good) == 0, "the history of a healthy cluster is linearizable")
    last = max(int(line.split()[4]) for line in good)
    for index in (0, len(good) // 3, len(good) // 2):
        key = next(line.split()[0] for line in good[index:] if line.split()[5] == "set" and line.endswith(" ok"))
        later = [last + n * 1000 for n in range(1, 9)]
        write = [f"{key} 9001 0 {later[0]} {later[1]} set planted.1 ok", f"{key} 9001 0 {later[2]} {later[3]} set planted.2 ok"]
        expect(verdict(good + write + [f"{key} 9002 0 {later[4]} {later[5]} get value planted.2"]) == 0, "a read of the newest value")
        expect(verdict(good + write + [f"{key} 9002 0 {later[4]} {later[5]} get value planted.1"]) == 1, "a stale read is found")
        expect(verdict(good + write + [f"{key} 9002 0 {later[4]} {later[5]} get nil"]) == 1, "a lost write is found")
        refused = f"{key} 9001 0 {later[4]} {later[5]} set planted.3 refused"
        expect(verdict(good + write + [refused, f"{key} 9002 0 {later[6]} {later[7]} get value planted.3"]) == 1,
               "the effect of a refused write is found")
    counter = next(line.split() for line in good if " increment 1 number " in line)
    twice = " ".join([counter[0], "9003", "0", str(last + 1), str(last + 2), *counter[5:]])
    expect(verdict(good + [twice]) == 1, "a count that is given twice is found")
    path.unlink()
    print(f"     planted in {len(good)} operations")


def drifting_programs():
    """Servers whose clocks run at the rate that the environment names; never those of a release."""
    scratch = ROOT / ".build-drift"
    command = ["swift", "build", "-c", "release", "--scratch-path", scratch, "-Xswiftc", "-cross-module-optimization", "-Xswiftc",
               "-DOSTRAKA_TEST_CLOCK"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return scratch / "release"


def write_pauses(path, pauses, options):
    pauses = sorted(pauses)
    if not pauses:
        return
    revision = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()

    def at(share):
        return pauses[min(len(pauses) - 1, int(share * len(pauses)))]

    words = " --soak" if options.soak else ""
    words += f" --only '{options.only}'" if options.only else ""
    words += f" --seconds {options.seconds:g}" if options.seconds else ""
    path.write_text(f"""# No write on a shard after its primary dies

Recorded {time.strftime('%Y-%m-%d', time.gmtime())} by `Tests/ClusterTests/Chaos/chaos.py{words} --pauses {path}` at {revision}, on
{os.cpu_count()} processors. Primaries were killed with `kill -9` under the mixed load of the chaos test; lease 1 s. Per shard of a
hash keyspace: from its last acknowledged write before the kill to the first one after it, seen by a client that writes to
it every 20 ms.

| deaths | p50 | p90 | p99 | max |
|---|---|---|---|---|
| {len(pauses)} | {at(0.5):.2f} s | {at(0.9):.2f} s | {at(0.99):.2f} s | {pauses[-1]:.2f} s |
""")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--soak", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    parser.add_argument("--keep")
    parser.add_argument("--pauses")
    options = parser.parse_args()
    print(f"     seed {options.seed}", flush=True)
    report, pauses = Report(), []

    def one(fault, data, seconds, programs=None):
        run = Run(fault(), data, options.seconds or seconds, options.seed, options)
        try:
            run.perform(programs() if programs else None)
        finally:
            pauses.extend(run.pauses)

    if options.only in "chaos: self-test of the checker":
        report.test("chaos: self-test of the checker", self_test, options)
    for fault, data, quick, soak in RUNS:
        name = f"chaos: {fault.name}, {data} data nodes, {META} metasrv"
        if options.only in name:
            report.test(name, one, fault, data, soak if options.soak else quick)
    name = "chaos: drifting clocks, 3 data nodes, 2 metasrv"
    if options.soak and options.only in name:
        report.test(name, one, Mixed, 3, 600, drifting_programs)
    if options.pauses:
        write_pauses(pathlib.Path(options.pauses), pauses, options)
    report.finish()


if __name__ == "__main__":
    sys.exit(main())
