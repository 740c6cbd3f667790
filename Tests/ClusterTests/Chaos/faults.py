"""What is done to a cluster while clients work on it: each class makes one trouble at a time, and ends it.

`whole`: seconds until all serve again; `share` of the requests is executed at least; `least`: so many troubles at least,
`soak_least` in the soak."""

import pathlib
import signal
import sys
import time

from disks import SHIM, compiled, fill
from nodes import LEASE
from report import eventually, expect

# A grantor's wait, in which a partition may or may not cost somebody the lease.
WAIT = 1.25 * LEASE


class Kill:
    """kill -9 of any one process, which is started again a moment later."""

    name, whole, share, least = "kill -9", 45, 0.95, 3
    pause = (0.5, 2.5)

    def prepare(self, nodes):
        pass

    def act(self, run):
        primaries = [s["id"] for s in run.nodes.shards() or [] if s["keyspace"] == "default"]
        by_node = {name: [] for name in run.nodes.names}
        for shard in run.nodes.shards() or []:
            if shard["id"] in primaries and shard["primary"]:
                by_node[shard["primary"]].append(shard["id"])
        name = run.randomness.choice(run.nodes.data_names * 3 + ["m1", "m2"])
        moment = time.monotonic()
        run.nodes[name].kill()
        run.deaths += [(shard, moment) for shard in by_node[name]]
        run.told(f"kill {name}")
        run.sleep(0.2, 3.0)
        run.nodes.start([name])
        run.told(f"started {name}")


class Pause:
    """SIGSTOP for half a lease to three leases: who wakes up must not answer by what it had."""

    name, whole, share, least = "pauses", 45, 0.5, 3
    pause = (0.3, 2.0)

    def prepare(self, nodes):
        pass

    def act(self, run):
        name = run.randomness.choice(run.nodes.data_names * 3 + ["m1", "m2"])
        run.told(f"stop {name}")
        run.nodes[name].signal(signal.SIGSTOP)
        try:
            run.sleep(0.5 * LEASE, 3 * LEASE)
        finally:
            run.nodes[name].signal(signal.SIGCONT)


class Partition:
    """One of isolate, halves, bridge and one-way, for a tenth of a grantor's wait to three of them."""

    name, whole, share, least = "partitions", 60, 0.3, 3
    pause = (0.5, 2.0)

    def prepare(self, nodes):
        nodes.can_partition()

    def act(self, run):
        # By turns, so that a short run has them all.
        kind = ("isolate", "halves", "bridge", "one-way")[run.troubles % 4]
        names = run.nodes.names
        data = run.nodes.data_names
        run.randomness.shuffle(data)
        one, other = data[0], data[1]
        if kind == "isolate":
            # From the others alone, or from the metadata group too.
            others = [name for name in (names if run.randomness.random() < 0.5 else data) if name != one]
            pairs = both([one], others)
        elif kind == "halves":
            everyone = list(names)
            run.randomness.shuffle(everyone)
            size = run.randomness.randrange(1, len(everyone))
            pairs = both(everyone[:size], everyone[size:])
        elif kind == "bridge":
            # The rest in the middle hears both sides.
            size = (len(data) - 1) // 2
            pairs = both(data[:size], data[size : 2 * size])
        else:
            pairs = [(one, other)] if run.randomness.random() < 0.5 else [(one, name) for name in names if name != one]
        run.told(f"{kind} {' '.join(f'{a}>{b}' for a, b in pairs)}")
        run.nodes.cut(pairs)
        try:
            run.sleep(0.1 * WAIT, 3 * WAIT)
        finally:
            run.lost_packets += run.nodes.heal()

    def vacuous(self, run):
        return None if run.lost_packets > 50 else f"only {run.lost_packets} packets were lost"


def both(left, right):
    return [pair for a in left for b in right for pair in ((a, b), (b, a))]


class PowerCut:
    """The power of the one disk on which everything lies, with all nodes, under load."""

    name, whole, share, least, soak_least = "power cuts", 90, 0.0, 5, 200
    pause = (3.0, 5.0)

    def prepare(self, nodes):
        nodes.mount_disk(6000)

    def act(self, run):
        run.told("cut")
        run.history.is_cut.set()
        run.nodes.cut_power()
        run.nodes.start(run.nodes.names)
        run.history.is_cut.clear()


class FullDisk:
    """Somebody else fills the disk of one node, and makes room again; the node may end, and is started again."""

    name, whole, share, least = "full disk", 90, 0.3, 2
    pause = (2.0, 3.0)

    def prepare(self, nodes):
        self.path = nodes.small_disk("d2", 1024)

    def act(self, run):
        run.told("fill d2")
        node = run.nodes["d2"]
        filler = pathlib.Path(self.path) / "filler"
        fill(filler)
        run.sleep(2, 5)
        filler.unlink()
        if not node.is_alive():
            run.ended.append(node.last_words().splitlines()[-1:])
            expect("No space left on device" in node.last_words(), f"d2 ended: {node.last_words()}")
            node.kill()
            run.nodes.start(["d2"])


class FailingSync:
    """A sync of one node's log fails and what it was to write is lost: the node stops at once. It is not started again on
    that disk before somebody looked at it."""

    name, whole, share, least = "failing syncs", 90, 0.3, 2
    pause = (2.0, 3.0)

    def prepare(self, nodes):
        self.shim, self.trigger = nodes.folder / "shim.so", nodes.folder / "trigger"
        compiled(self.shim, SHIM)
        for name in nodes.data_names:
            nodes.environments[name] = {"LD_PRELOAD": str(self.shim), "FAILING_PATH": f"{nodes.disk}/{name}/log/",
                                        "FAILING_WHEN": f"{self.trigger}.{name}"}

    def act(self, run):
        name = run.randomness.choice(run.nodes.data_names)
        run.told(f"fail {name}")
        node = run.nodes[name]
        trigger = pathlib.Path(f"{self.trigger}.{name}")
        trigger.touch()
        eventually(lambda: not node.is_alive(), f"{name} stops at the first sync that fails", 20)
        words = node.last_words()
        expect("Input/output error" in words and "Fatal error" not in words, f"{name} ended: {words}")
        node.kill()
        trigger.unlink()
        suspect = run.nodes.disk / name / "suspect"
        expect(suspect.exists(), f"{name} marks its directory as suspect")
        suspect.unlink()
        run.nodes.start([name])


class Mixed:
    """Kills, pauses and partitions by turns, on nodes whose clocks run at different rates."""

    name, whole, share, least = "drifting clocks", 60, 0.3, 3
    pause = (0.5, 2.0)
    rates = (0.952, 1.048, 1.0, 1.03, 0.97)

    def prepare(self, nodes):
        self.kinds = [Kill(), Pause()]
        try:
            nodes.can_partition()
            self.kinds.append(Partition())
        except Exception as reason:  # noqa: BLE001: said, and done without
            print(f"     without partitions: {reason}", flush=True)
        for index, name in enumerate(nodes.data_names):
            nodes.environments[name] = {"OSTRAKA_TEST_CLOCK_RATE": str(self.rates[index % len(self.rates)])}

    def act(self, run):
        run.randomness.choice(self.kinds).act(run)
