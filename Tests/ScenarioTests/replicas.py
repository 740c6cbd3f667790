#!/usr/bin/env python3
"""Three copies of every shard on real processes under load: all killed at once, without metasrv, and single ones killed under
other policies than ack all and read primary, with which Tests/ClusterTests/Chaos kills, stops and cuts off single ones.

  replicas.py [--soak] [--only WORD]
Every register has one writer, which counts it up; readers on all nodes read any of them. So what a read may give is an
interval: from the last value acknowledged before it began to the last one sent before it ended. A value outside of it, or
going back for one reader, is a history that no order explains."""

import collections
import contextlib
import os
import random
import shutil
import signal
import sys
import threading
import time

from disks import SHIM, compiled
from local_cluster import Cluster, Program
from report import Report, equal, eventually, expect, resident
from resp import Closed, Connection, Error, Simple, pack

SOAK = "--soak" in sys.argv
NODES = 3


class Registers:
    """Writers and readers of counted registers, through gateways that may go away."""

    def __init__(self, cluster, writers=6, readers=6):
        self.ports = [cluster.gateway_port(i) for i in range(1, NODES + 1)]
        self.halt = threading.Event()
        self.acknowledged, self.sent = [0] * writers, [0] * writers
        self.done, self.failed, self.faults = [0] * (writers + readers), [0] * (writers + readers), []
        self.refusals = collections.Counter()
        self.last_write = [time.monotonic()] * writers
        self.longest = [0.0] * writers
        self.threads = [threading.Thread(target=self._work, args=(self._write, i, i)) for i in range(writers)]
        self.threads += [threading.Thread(target=self._work, args=(self._read, i, writers + i)) for i in range(readers)]

    def _work(self, act, number, place):
        randomness = random.Random(place)
        connection, at, seen = None, place % len(self.ports), {}
        while not self.halt.is_set():
            try:
                connection = connection or Connection(self.ports[at], timeout=15)
                if act(connection, number, randomness, seen):
                    self.done[place] += 1
                else:
                    self.failed[place] += 1
            except (OSError, Closed):
                # The gateway is gone, or hangs: to the next one, as a client with a list of addresses goes.
                self.failed[place] += 1
                connection = connection and connection.close()
                at = (at + 1) % len(self.ports)
                self.halt.wait(0.02)
        if connection:
            connection.close()

    def _write(self, connection, number, _, __):
        self.sent[number] += 1
        value = self.sent[number]
        reply = connection.call("SET", f"register:{number}", value)
        if isinstance(reply, Simple):
            now = time.monotonic()
            self.longest[number] = max(self.longest[number], now - self.last_write[number])
            self.last_write[number] = now
            self.acknowledged[number] = value
            return True
        self.refusals[bytes(reply)[:70]] += 1
        if not (isinstance(reply, Error) and reply.startswith((b"TRYAGAIN", b"UNCERTAIN"))):
            self.faults.append(f"SET {number}: {reply!r}")
        return False

    def _read(self, connection, _, randomness, seen):
        number = randomness.randrange(len(self.sent))
        least = max(self.acknowledged[number], seen.get(number, 0))
        reply = connection.call("GET", f"register:{number}")
        most = self.sent[number]
        if isinstance(reply, Error):
            self.refusals[bytes(reply)[:70]] += 1
            if not reply.startswith(b"TRYAGAIN"):
                self.faults.append(f"GET {number}: {reply!r}")
            return False
        value = int(reply or 0)
        if not least <= value <= most:
            self.faults.append(f"register {number}: read {value}, which must be {least} to {most}")
        seen[number] = max(value, least)
        return True

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.halt.set()
        for thread in self.threads:
            thread.join(30)

    def judge(self, cluster, share):
        """After the trouble: nothing acknowledged is lost, and enough of the operations succeeded."""
        self.__exit__()
        expect(not self.faults, f"{len(self.faults)} faults, the first: {self.faults[:3]}")
        for port in self.ports:
            with Connection(port, timeout=30) as connection:
                for number, least in enumerate(self.acknowledged):
                    value = int(connection.call("GET", f"register:{number}") or 0)
                    expect(least <= value <= self.sent[number],
                           f"register {number}: {value} at the end, acknowledged {least}, sent {self.sent[number]}")
        done, failed = sum(self.done), sum(self.failed)
        expect(done > 500, f"only {done} operations succeeded: the run proves nothing")
        expect(done >= share * (done + failed),
               f"{done} of {done + failed} operations succeeded; refused: {self.refusals.most_common(5)}")
        print(f"     {done} operations, {failed} not executed or unknown, longest pause of a writer {max(self.longest):.2f} s")


def cluster_of_three(flow, data=NODES, flags=""):
    cluster = Cluster(data=data, keyspace=None, data_flags=flags)
    cluster.flow = flow
    return cluster


def create(cluster, *policy):
    cluster.shardctl(
        "keyspace", "create", "default", "--replicas", "3", "--flow", cluster.flow, "--shards", "8", *policy, "--yes")


def whole_again(cluster):
    """Every shard has its three members."""
    eventually(cluster.is_whole, "three members of every shard", 60, 0.3)


def trouble(flow, seconds, share, act, *policy):
    """Runs load and, every few seconds, `act`; then waits until all is whole and judges."""
    randomness = random.Random(f"{flow}{seconds}")
    with cluster_of_three(flow) as cluster:
        create(cluster, *policy)
        with Registers(cluster) as registers:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                time.sleep(randomness.uniform(1.0, 3.0))
                act(cluster, randomness)
                whole_again(cluster)
            registers.judge(cluster, share)


def killing(cluster, randomness):
    """kill -9 of any one process; it is started again a moment later."""
    name = randomness.choice(["d1", "d2", "d3", "d1", "d2", "d3", "m1", "m2"])
    os.kill(cluster.pid(name), signal.SIGKILL)
    time.sleep(randomness.uniform(0.2, 3.0))
    cluster.restart(name)


def kill_9_majority(flow):
    """kill -9 again and again where two of three members commit: a member that is away delays nobody."""
    trouble(flow, 900 if SOAK else 25, 0.95, killing, "--ack", "majority")


def kill_9_any(flow):
    """The same where every member answers reads, as linearizable as at the primary."""
    trouble(flow, 900 if SOAK else 25, 0.95, killing, "--read", "any")


def all_at_once(flow):
    """Every data node is killed at once: what was acknowledged is on all three disks."""
    def act(cluster, _):
        names = [f"d{i}" for i in range(1, NODES + 1)]
        for name in names:
            os.kill(cluster.pid(name), signal.SIGKILL)
        for name in names:
            cluster.restart(name)

    # While no node is there everything fails, and fast: how much is no measure of anything.
    trouble(flow, 300 if SOAK else 12, 0.0, act)


def without_metasrv(flow):
    """Leases are given by replicas to each other: without any metasrv reads and writes go on, and nobody sees an error."""
    with cluster_of_three(flow) as cluster:
        create(cluster)
        with Registers(cluster) as registers:
            for name in ("m1", "m2"):
                cluster.kill(name)
            time.sleep(60 if SOAK else 20)
            expect(sum(registers.failed) == 0, f"{sum(registers.failed)} operations failed without metasrv")
            for name in ("m1", "m2"):
                cluster.restart(name)
            registers.judge(cluster, 1.0)


class Keys:
    """Some keys, all of one value, written through d1 and read through d2."""

    def __init__(self, cluster):
        self.cluster, self.names = cluster, [f"key:{number}" for number in range(100)]

    def write(self, value):
        with Connection(self.cluster.gateway_port(1), timeout=30) as connection:
            for key in self.names:
                reply = connection.call("SET", key, value)
                expect(not isinstance(reply, Error), f"SET {key}: {reply!r}")

    def are(self, value):
        with Connection(self.cluster.gateway_port(2), timeout=30) as connection:
            return all(connection.call("GET", key) == value for key in self.names)

    def none_is_answered(self, seconds):
        end = time.monotonic() + seconds
        with Connection(self.cluster.gateway_port(2), timeout=30) as connection:
            while time.monotonic() < end:
                reply = connection.call("GET", self.names[0])
                expect(isinstance(reply, Error), f"a node that lacks something, alone, answered {reply!r}")


def old_directory(flow):
    """A node comes back with a copy of its directory from before, and nobody is left who heard what it had since: every metasrv
    was restarted, the other nodes are away. It serves nothing; with one of the others back all is there."""
    with cluster_of_three(flow) as cluster:
        create(cluster, "--min-in-sync", "1")
        whole_again(cluster)
        keys = Keys(cluster)
        keys.write("before")
        now, before = cluster.folder / "data" / "d2", cluster.folder / "d2.before"
        cluster.kill("d2")
        shutil.copytree(now, before)
        cluster.restart("d2")
        whole_again(cluster)
        keys.write("since")
        for name in ("d2", "m1", "m2"):
            cluster.kill(name)
        shutil.rmtree(now)
        before.rename(now)
        for name in ("m1", "m2"):
            cluster.restart(name)
        for name in ("d1", "d3"):
            cluster.kill(name)
        cluster.restart("d2")
        keys.none_is_answered(8)
        cluster.restart("d3")
        eventually(lambda: keys.are(b"since"), "all that was written, by another member", 60, 0.3)
        cluster.restart("d1")
        whole_again(cluster)


def unsynced(flow):
    """With --sync interval a node that did not stop cleanly may lack what it acknowledged: d2 does, its log as of its last
    sync is put in the place of it. Alone it serves nothing; with the others, that were killed as well, the longest log
    leads."""
    with cluster_of_three(flow, flags="--sync interval:60000") as cluster:
        create(cluster, "--min-in-sync", "1")
        whole_again(cluster)
        keys = Keys(cluster)
        keys.write("before")
        log, synced = cluster.folder / "data" / "d2" / "log", cluster.folder / "d2.synced"
        shutil.copytree(log, synced)
        keys.write("since")
        for name in ("d2", "d1", "d3"):
            cluster.kill(name)
        shutil.rmtree(log)
        synced.rename(log)
        cluster.restart("d2")
        keys.none_is_answered(8)
        for name in ("d1", "d3"):
            cluster.restart(name)
        eventually(lambda: keys.are(b"since"), "all that was written, by the longest log", 60, 0.3)
        whole_again(cluster)


@contextlib.contextmanager
def preloaded(cluster, source, **environment):
    """d2 runs under a shim, and three nodes are up, with a keyspace that is whole."""
    arguments = cluster.command_line("d2")
    cluster.kill("d2")
    shim = compiled(cluster.folder / "shim.so", source)
    with Program(arguments, dict(os.environ, LD_PRELOAD=str(shim), **environment)) as program:
        program.ready()
        eventually(lambda: all(node["state"] == "up" for node in cluster.shardctl_json("node", "ls")), "three nodes up", 60)
        create(cluster)
        whole_again(cluster)
        yield program
        program.terminate()


def info(cluster, number, field):
    """A number that INFO has of a node."""
    with Connection(cluster.gateway_port(number)) as connection:
        lines = connection.call("INFO").decode().splitlines()
    return next(int(line.split(":")[1]) for line in lines if line.startswith(f"{field}:"))


def slow_disk(flow):
    """The disk of d2 takes a third of a second for each sync, and fails none. It is left out of every shard, of which it was
    primary, too; the others go on without waiting for it. When its disk is well again it is a member again."""
    with cluster_of_three(flow) as cluster:
        log, trigger = cluster.folder / "data" / "d2" / "log", cluster.folder / "slow"

        def shards():
            return cluster.shardctl_json("shard", "ls", "default")

        def slowest():
            return info(cluster, 2, "log_sync_slowest_usec")

        with preloaded(cluster, SHIM, FAILING_PATH=f"{log}/", SLOW_WHEN=str(trigger)):
            with Registers(cluster) as registers:
                trigger.touch()
                eventually(lambda: slowest() > 300_000, "INFO tells of the slow syncs", 30, 0.1)
                eventually(lambda: all("d2" not in shard["members"] for shard in shards()), "d2 is left out", 60, 0.3)
                eventually(lambda: all(shard["primary"] in ("d1", "d3") for shard in shards()), "the others serve", 30, 0.3)
                before = sum(registers.done)
                eventually(lambda: sum(registers.done) > before + 2000, "clients wait for it no more", 60, 0.3)
                trigger.unlink()
                whole_again(cluster)
                registers.judge(cluster, 0.9)


def hung_member(flow):
    """d3 stands still and breaks no connection. Two of three go on, and keep for it in memory no more than a bound, however
    much is written. When it goes on it gets all of it."""
    megabytes = 1200
    with cluster_of_three(flow, flags="--cache 16777216") as cluster:
        create(cluster, "--ack", "majority")
        stopped = cluster.pid("d3")
        os.kill(stopped, signal.SIGSTOP)
        try:
            eventually(lambda: all(shard["primary"] != "d3" and shard["state"] == "serving"
                                   for shard in cluster.shardctl_json("shard", "ls", "default")), "the others serve", 30, 0.3)
            most = 0
            with Connection(cluster.gateway_port(1), timeout=60) as connection:
                value = os.urandom(1 << 20)
                for turn in range(0, megabytes, 8):
                    for index in range(turn, turn + 8):
                        connection.send(pack("SET", f"big:{index % 64}", value))
                    for index in range(8):
                        reply = connection.read()
                        expect(reply == Simple(b"OK"), f"a SET while d3 stands still: {reply!r}")
                    most = max(most, resident(cluster.pid("d1")), resident(cluster.pid("d2")))
            print(f"     {megabytes} MB written, a node had at most {most >> 20} MB of memory")
            expect(most < 600 << 20, f"a node has {most >> 20} MB of memory while another stands still")
        finally:
            os.kill(stopped, signal.SIGCONT)
        whole_again(cluster)


WALL = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, time);
    const char *trigger = getenv("WALL_WHEN");
    if (clock == CLOCK_REALTIME && trigger && access(trigger, F_OK) == 0) time->tv_sec += 3600;
    return result;
}
"""


def wrong_wall(flow):
    """The wall clock of d2 jumps an hour ahead: nothing expires early, and what gets a time to live there gets that time."""
    with cluster_of_three(flow) as cluster:
        trigger = cluster.folder / "ahead"

        def off():
            return info(cluster, 2, "wall_clock_off_msec")

        def lives(names):
            """Each is there, with ten minutes left, whichever node is asked."""
            for gateway in range(1, NODES + 1):
                with Connection(cluster.gateway_port(gateway)) as connection:
                    for name in names:
                        left = connection.call("PTTL", name)
                        expect(480_000 < left <= 606_000, f"{name} has {left} ms left by way of d{gateway}")
                        equal(connection.call("GET", name), b"v", f"{name} by way of d{gateway}")

        with preloaded(cluster, WALL, WALL_WHEN=str(trigger)) as program:
            early, late = [f"early{i}" for i in range(60)], [f"late{i}" for i in range(60)]
            with Connection(cluster.gateway_port(1)) as connection:
                for name in early:
                    connection.call("SET", name, "v", "EX", "600")
            equal(off(), 0, "its wall is believed")
            trigger.touch()
            eventually(lambda: off() > 3_500_000, "INFO tells that its wall is off", 30, 0.1)
            eventually(lambda: "wall clock" in program.stderr(), "its log tells it, too", 10, 0.1)
            with Connection(cluster.gateway_port(2)) as connection:
                for name in late:
                    connection.call("SET", name, "v", "EX", "600")
            lives(early + late)
            trigger.unlink()
            eventually(lambda: off() == 0, "its wall is believed again", 30, 0.1)
            lives(early + late)


def switching(flow):
    """Flow, ack and read mode are changed while clients work: each is a new epoch, none is an error."""
    other = "chain" if flow == "fanout" else "fanout"
    with cluster_of_three(flow) as cluster:
        create(cluster)
        with Registers(cluster) as registers:
            for setting in ("ack=majority", f"flow={other}", "ack=one", "ack=all", "read=any", f"flow={flow}",
                            "min-in-sync=3", "read=primary", "ack=majority"):
                cluster.shardctl("keyspace", "set", "default", setting, "--yes")
                whole_again(cluster)
                time.sleep(0.5)
            registers.judge(cluster, 0.99)


def leaving(flow):
    """Roles and copies are moved by an operator's word while clients work: none is an error."""
    with cluster_of_three(flow, data=4) as cluster:
        create(cluster)
        cluster.shardctl("keyspace", "create", "single", "--replicas", "1", "--shards", "4", "--yes")

        def node(name):
            return next(node for node in cluster.shardctl_json("node", "ls") if node["id"] == name)

        def members():
            return {len(shard["members"]) for shard in cluster.shardctl_json("shard", "ls", "default")}

        with Registers(cluster) as registers:
            shard = cluster.shardctl_json("shard", "ls", "default")[0]
            target = next(name for name in shard["members"] if name != shard["primary"])
            cluster.shardctl("shard", "promote", str(shard["id"]), "--to", target, "--yes")
            cluster.shardctl("node", "maintenance", "d1", "on", "--yes")
            eventually(lambda: node("d1")["primaries"] == sum(
                shard["primary"] == "d1" for shard in cluster.shardctl_json("shard", "ls", "single")),
                "d1 is primary only of what it alone has", 30, 0.3)
            cluster.shardctl("node", "maintenance", "d1", "off", "--yes")
            cluster.shardctl("node", "drain", "d4", "--yes")
            eventually(lambda: node("d4")["replicas"] == 0, "d4 is empty", 60, 0.3)
            cluster.kill("d4")
            eventually(lambda: cluster.shardctl("node", "remove", "d4", "--yes", code=(0, 3)) and
                       node("d4")["state"] == "removed", "d4 is removed", 30, 0.5)
            refused = cluster.shardctl("node", "drain", "d3", "--yes", code=3)
            expect(node("d3")["state"] == "up", f"three copies need three nodes: {refused}")
            cluster.shardctl("keyspace", "set", "default", "replicas=2", "--yes")
            eventually(lambda: members() == {2}, "two members of every shard", 60, 0.3)
            cluster.shardctl("keyspace", "set", "default", "replicas=3", "--yes")
            eventually(lambda: members() == {3}, "three members again", 60, 0.3)
            registers.judge(cluster, 0.99)


def main():
    only = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else ""
    report = Report()
    # One flow for each on a landing, both in the soak: the chaos tests have both each time.
    flows = ("fanout", "chain")
    for number, body in enumerate((kill_9_majority, kill_9_any, all_at_once, without_metasrv, switching, leaving, old_directory, unsynced, slow_disk,
                                   hung_member, wrong_wall)):
        for flow in flows if SOAK or only else (flows[number % 2],):
            name = f"replicas: {body.__name__} {flow}"
            if only in name:
                report.test(name, body, flow)
    report.finish()


if __name__ == "__main__":
    main()
