"""Processes of a cluster as children of the test, each with a group of its own, so that a packet tells who sent it."""

import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "Tests" / "ScenarioTests"))

from local_cluster import free_base_port  # noqa: E402
from report import Skip, eventually, expect  # noqa: E402

META = 2
LEASE = 1.0
# Groups that nobody has: a process is told by its group.
FIRST_GROUP = 47_100


def need_root(what):
    if os.geteuid() != 0:
        raise Skip(f"{what} needs root")


class Process:
    """One metasrv or datasrv: its command line, and the process while it runs."""

    def __init__(self, name, group, ports, arguments, logs):
        self.name, self.group, self.ports, self.arguments, self.logs = name, group, ports, arguments, logs
        self.child, self.stopped, self.environment = None, False, None

    def start(self):
        expect(self.child is None, f"{self.name} is already there")
        self.stopped = False
        command = list(map(str, self.arguments))
        if os.geteuid() == 0:
            command = ["setpriv", f"--regid={self.group}", "--clear-groups", *command]
        self.output = self.logs / f"{self.name}.out"
        with open(self.output, "wb") as output, open(self.logs / f"{self.name}.log", "ab") as errors:
            self.child = subprocess.Popen(command, stdout=output, stderr=errors, stdin=subprocess.DEVNULL,
                                          env=dict(os.environ, **(self.environment or {})))

    def is_ready(self):
        expect(self.child.poll() is None, f"{self.name} ended with {self.child.poll()} before it was ready: {self.last_words()}")
        return self.output.read_bytes() == b"ready\n"

    def wait_ready(self, seconds=60):
        eventually(self.is_ready, f"{self.name} is ready", seconds, 0.02)

    def last_words(self):
        return (self.logs / f"{self.name}.log").read_text(errors="replace")[-600:]

    def is_alive(self):
        return self.child is not None and self.child.poll() is None

    def signal(self, number):
        if self.is_alive():
            self.child.send_signal(number)

    def kill(self):
        """kill -9, and it is gone."""
        if self.child is not None:
            self.signal(signal.SIGKILL)
            self.child.wait(30)
            self.child = None

    def terminate(self):
        """SIGTERM; its exit code."""
        if self.child is None:
            return 0
        self.signal(signal.SIGTERM)
        code = self.child.wait(60)
        self.child = None
        return code


class Nodes:
    """A cluster; `with Nodes(3) as nodes:`. Its directory goes when nothing failed."""

    def __init__(self, data, programs=None, environments=None):
        self.data = data
        self.programs = pathlib.Path(programs or ROOT / ".build" / "release")
        self.environments = environments or {}
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ostraka-chaos-"))
        self.logs = self.folder / "logs"
        self.disk = self.folder / "disk"
        self.base = free_base_port(data)
        self.logs.mkdir()
        self.disk.mkdir()
        self.table = f"ostraka_chaos_{os.getpid()}"
        self.leaving = contextlib.ExitStack()
        self.processes = {}

    # Ports, as deploy/local gives them.
    def meta_port(self, index):
        return self.base + 10 * index

    def port(self, index):
        return self.base + 100 + 10 * index + 1

    def gateway(self, index):
        return self.port(index) + 1

    @property
    def gateways(self):
        return [self.gateway(i) for i in range(1, self.data + 1)]

    @property
    def ports(self):
        return [self.port(i) for i in range(1, self.data + 1)]

    @property
    def meta_addresses(self):
        return ",".join(f"127.0.0.1:{self.meta_port(i)}" for i in range(1, META + 1))

    @property
    def data_names(self):
        return [f"d{i}" for i in range(1, self.data + 1)]

    @property
    def names(self):
        return [f"m{i}" for i in range(1, META + 1)] + self.data_names

    def __getitem__(self, name):
        return self.processes[name]

    def _make(self):
        for index in range(1, META + 1):
            name, port = f"m{index}", self.meta_port(index)
            arguments = [self.programs / "metasrv", "--id", name, "--listen", f"127.0.0.1:{port}", "--log",
                         f"file:{self.disk}/metalog"]
            self.processes[name] = Process(name, FIRST_GROUP + index, [port], arguments, self.logs)
        for index in range(1, self.data + 1):
            name, port = f"d{index}", self.port(index)
            arguments = [self.programs / "datasrv", "--id", name, "--dir", self.disk / name, "--listen", f"127.0.0.1:{port}",
                         "--gateway", f"127.0.0.1:{port + 1}", "--peer", f"127.0.0.1:{port + 2}", "--meta",
                         self.meta_addresses, "--host", name, "--lease", str(int(LEASE * 1000)), "--cache", "16777216"]
            self.processes[name] = Process(name, FIRST_GROUP + META + index, [port, port + 1, port + 2], arguments, self.logs)
        for name, environment in self.environments.items():
            self.processes[name].environment = environment

    def start(self, names):
        for name in names:
            self[name].start()
        for name in names:
            self[name].wait_ready()

    def __enter__(self):
        self._make()
        try:
            self.start(self.names)
        except BaseException:
            self.__exit__(AssertionError)
            raise
        return self

    def __exit__(self, kind, *_):
        for process in self.processes.values():
            process.signal(signal.SIGCONT)
            process.kill()
        self.leaving.close()
        if kind is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            print(f"     its logs are kept: {self.logs}", flush=True)
            for name in self.names:
                if name in self.processes and (self.logs / f"{name}.log").exists():
                    lines = self[name].last_words().splitlines()[-4:]
                    print("".join(f"     {name}: {line[:300]}\n" for line in lines), end="", flush=True)

    def shardctl(self, *arguments, codes=(0,), seconds=60):
        done = subprocess.run([self.programs / "shardctl", "--meta", self.meta_addresses, *map(str, arguments)],
                              capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL)
        expect(done.returncode in codes, f"shardctl {arguments}: exit {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def shards(self):
        """All shards; None while no metasrv tells."""
        try:
            return json.loads(self.shardctl("-o", "json", "shard", "ls", codes=(0,)))
        except (AssertionError, ValueError, subprocess.TimeoutExpired):
            return None

    def is_whole(self, replicas=3):
        """Every shard serves and has all its members, and every node's latest word is of this metadata term."""
        shards = self.shards()
        if not shards or not all(s["state"] == "serving" and len(s["members"]) == replicas for s in shards):
            return False
        status = json.loads(self.shardctl("-o", "json", "status", codes=(0, 2, 5)))
        return status["health"] == "healthy"

    def wait_whole(self, seconds):
        """How long it took."""
        began = time.monotonic()
        try:
            eventually(self.is_whole, "all shards serve with all their members", seconds, 0.2)
        except AssertionError as error:
            status = self.shardctl("status", codes=(0, 2, 5))
            poor = [s for s in self.shards() or [] if s["state"] != "serving" or len(s["members"]) < 3]
            raise AssertionError(f"{error}\n{status}\n{json.dumps(poor[:4])}") from None
        return time.monotonic() - began

    # Partitions.

    def can_partition(self):
        need_root("a partition")
        for tool in ("nft", "setpriv"):
            if shutil.which(tool) is None:
                raise Skip(f"no {tool} here")
        done = subprocess.run(["nft", "-f", "-"], input=rules(f"{self.table}_trial", ["meta skgid 1 tcp dport { 1 } counter drop"]),
                              text=True, capture_output=True)
        if done.returncode != 0:
            raise Skip(f"this kernel takes no nftables rules: {done.stderr.strip().splitlines()[:1]}")
        subprocess.run(["nft", "delete", "table", "inet", f"{self.table}_trial"], check=True)
        self.leaving.callback(self.heal)

    def cut(self, pairs):
        """What the first of each pair sends to the second is lost, until `heal`."""
        lines = []
        for sender, receiver in pairs:
            ports = ", ".join(map(str, self[receiver].ports))
            lines.append(f"meta skgid {self[sender].group} tcp dport {{ {ports} }} counter drop")
        subprocess.run(["nft", "-f", "-"], input=rules(self.table, lines), text=True, check=True)

    def heal(self):
        """Packets pass again; gives how many were lost."""
        listed = subprocess.run(["nft", "-j", "list", "table", "inet", self.table], capture_output=True, text=True)
        if listed.returncode != 0:
            return 0
        subprocess.run(["nft", "delete", "table", "inet", self.table], check=True)
        found = [entry["rule"] for entry in json.loads(listed.stdout)["nftables"] if "rule" in entry]
        return sum(part["counter"]["packets"] for rule in found for part in rule["expr"] if "counter" in part)

    # Disks.

    def mount_disk(self, megabytes):
        """Everything lies on one ext4 in a file, whose power can be cut; before the start."""
        need_root("mounting a file system")
        self.image = self.folder / "image"
        with open(self.image, "wb") as file:
            file.truncate(megabytes << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", self.image], check=True)
        if subprocess.run(["mount", "-o", "loop", self.image, self.disk], capture_output=True).returncode != 0:
            raise Skip("this machine allows no loop mount")
        self.leaving.callback(lambda: unmount(self.disk))

    def cut_power(self):
        """EXT4_IOC_SHUTDOWN without flushing the journal: what was not synced is gone. Then all processes are gone too."""
        handle = os.open(self.disk, os.O_RDONLY)
        fcntl.ioctl(handle, 0x8004587D, struct.pack("I", 2))
        os.close(handle)
        for name in self.names:
            self[name].kill()
        unmount(self.disk)
        subprocess.run(["mount", "-o", "loop", self.image, self.disk], check=True)

    def small_disk(self, name, megabytes):
        """The node's directory in a file system of its own; before the start."""
        need_root("mounting a file system")
        path = self.disk / name
        path.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", path], capture_output=True)
        if done.returncode != 0:
            raise Skip(f"this machine mounts no tmpfs: {done.stderr.decode().strip()}")
        self.leaving.callback(lambda: unmount(path))
        return path


def rules(table, lines):
    """An nftables table that looks at what leaves a process of this machine."""
    body = "\n".join(lines)
    return f"table inet {table} {{\nchain out {{\ntype filter hook output priority 0\n{body}\n}}\n}}\n"


def unmount(path):
    eventually(lambda: subprocess.run(["umount", path], capture_output=True).returncode == 0 or not os.path.ismount(path),
               f"umount {path}", 20, 0.2)
