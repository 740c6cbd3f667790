"""Clusters of real processes for tests, through deploy/local, each in a directory and on ports of its own."""

import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from report import equal, eventually, expect
from resp import Closed, Connection, Error, Simple

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOCAL = ROOT / "deploy" / "local"
PROGRAMS = ROOT / ".build" / "release"


_given_out = set()


def free_base_port(data):
    """A base port such that all ports a cluster of so many data nodes uses are free; it is given out once, since clusters of
    two threads may start side by side."""
    randomness = random.Random()
    for _ in range(200):
        base = randomness.randrange(10_000, 30_000, 200)
        if base in _given_out:
            continue
        wanted = [base + 10 * i + j for i in range(1, 4) for j in (0, 1)]
        wanted += [base + 100 + 10 * i + j for i in range(1, data + 2) for j in (1, 2, 3, 4)]
        if all(is_free(port) for port in wanted):
            _given_out.add(base)
            return base
    raise AssertionError("no free range of ports")


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


class Cluster:
    """`with Cluster() as cluster:` starts one and stops it; its directory is removed unless the test failed."""

    def __init__(self, data=3, meta=2, keyspace="default", data_flags="", meta_flags="", environment=None,
                 replicas=1):
        self.data, self.meta, self.keyspace, self.replicas = data, meta, keyspace, replicas
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ostraka-test-"))
        self.base = free_base_port(data)
        self.environment = dict(os.environ, OSTRAKA_DATASRV_FLAGS=data_flags, OSTRAKA_METASRV_FLAGS=meta_flags,
                                **(environment or {}))

    def __enter__(self):
        try:
            self.up()
            if self.keyspace:
                self.shardctl("keyspace", "create", self.keyspace, "--replicas", str(self.replicas), "--yes")
        except BaseException:
            self.__exit__(AssertionError)
            raise
        return self

    def __exit__(self, kind, *_):
        subprocess.run([LOCAL, "down", "--dir", self.folder], capture_output=True, timeout=120)
        if kind is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            print(f"     its directory is kept: {self.folder}", flush=True)
            for log in sorted((self.folder / "logs").glob("*.log")):
                lines = log.read_text(errors="replace").splitlines()[-5:]
                print("".join(f"     {log.name}: {line[:300]}\n" for line in lines), end="", flush=True)

    def local(self, *arguments, code=0):
        done = subprocess.run([LOCAL, *map(str, arguments), "--dir", self.folder], capture_output=True, text=True,
                              timeout=400, env=self.environment)
        expect(done.returncode == code, f"deploy/local {arguments}: exit {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def up(self):
        return self.local("up", "--data", self.data, "--meta", self.meta, "--base-port", self.base)

    def kill(self, name):
        self.local("kill", name)

    def restart(self, name):
        self.local("restart", name)

    def pid(self, name):
        return int((self.folder / "run" / f"{name}.pid").read_text().split()[0])

    def command_line(self, name):
        return pathlib.Path(f"/proc/{self.pid(name)}/cmdline").read_bytes().decode().split("\0")[:-1]

    def logs(self):
        return "".join(path.read_text(errors="replace") for path in (self.folder / "logs").glob("*"))

    def meta_port(self, index=1):
        return self.base + 10 * index

    def cluster_port(self, index=1):
        return self.base + 100 + 10 * index + 1

    def gateway_port(self, index=1):
        return self.cluster_port(index) + 1

    def http_port(self, name):
        index = int(name[1:])
        return self.meta_port(index) + 1 if name[0] == "m" else self.cluster_port(index) + 3

    @property
    def meta_addresses(self):
        return ",".join(f"127.0.0.1:{self.meta_port(i)}" for i in range(1, self.meta + 1))

    def shardctl(self, *arguments, code=0):
        """Its standard output; `code` is the exit code it must end with, or several."""
        done = subprocess.run([PROGRAMS / "shardctl", "--meta", self.meta_addresses, *arguments], capture_output=True,
                              text=True, timeout=90, stdin=subprocess.DEVNULL)
        expect(done.returncode in (code if isinstance(code, tuple) else (code,)), f"shardctl {arguments}: exit {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def shardctl_json(self, *arguments):
        return json.loads(self.shardctl("-o", "json", *arguments))

    def is_whole(self):
        """Whether every shard is served and has three members."""
        return all(len(shard["members"]) == 3 and shard["state"] == "serving" for shard in self.shardctl_json("shard", "ls"))

    def wait_until_healthy(self):
        """After metasrv processes have come back they hear of a node first, then it counts: 5 and 2 on the way."""
        def health():
            return json.loads(self.shardctl("-o", "json", "status", code=(0, 5, 2)))["health"]

        eventually(lambda: health() == "healthy", "healthy again", 40, 0.2)

    def meta_call(self, *arguments):
        """A META command, asked of the primary: the JSON document of its answer."""
        for index in range(1, self.meta + 1):
            try:
                with Connection(self.meta_port(index)) as connection:
                    reply = connection.call(*arguments)
            except (OSError, Closed):
                continue
            if isinstance(reply, Error) and reply.startswith(b"NOTPRIMARY"):
                continue
            expect(not isinstance(reply, Error), f"{arguments[0]}: {reply!r}")
            return json.loads(reply)
        raise AssertionError("no metasrv says that it is the primary")


class Program:
    """One process that the test itself is the parent of, so that it learns how it ended."""

    def __init__(self, arguments, environment=None):
        self.folder = tempfile.mkdtemp(prefix="ostraka-program-")
        self.stderr_path = os.path.join(self.folder, "stderr")
        with open(self.stderr_path, "wb") as stderr:
            self.process = subprocess.Popen(list(map(str, arguments)), stdout=subprocess.PIPE, stderr=stderr,
                                            stdin=subprocess.DEVNULL, env=environment)

    def ready(self, seconds=60):
        line = []
        reader = threading.Thread(target=lambda: line.append(self.process.stdout.readline()), daemon=True)
        reader.start()
        reader.join(seconds)
        equal(line[0] if line else None, b"ready\n", f"first line on standard output; standard error: {self.stderr()[-500:]}")

    def wait(self, seconds):
        """The exit code, negative for a signal."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {seconds} s: {self.stderr()[-500:]}") from None

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def stderr(self):
        with open(self.stderr_path, errors="replace") as file:
            return file.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Load:
    """Writers that note what was acknowledged, and every error. Each writer's key is written once, so that what was
    acknowledged has exactly one right value; `verify` reads all of it back."""

    def __init__(self, ports, writers=4, prefix="load", tolerate=(), value_bytes=100, pace=0.0):
        self.ports, self.prefix, self.tolerate = list(ports), prefix, tolerate
        self.value_bytes, self.pace = value_bytes, pace
        self.halt = threading.Event()
        # Set just before the power goes: what is answered from then on is no promise of a machine that is off. A file system
        # that is being shut down may end a sync that was under way with success.
        self.is_cut = threading.Event()
        self.acknowledged = [0] * writers
        self.lost = [set() for _ in range(writers)]
        self.errors, self.tolerated = [], 0
        self.threads = [threading.Thread(target=self._write, args=(i,)) for i in range(writers)]

    def key(self, writer, number):
        return f"{self.prefix}:{writer}:{number}"

    def value(self, writer, number):
        return f"{writer}-{number}-".ljust(self.value_bytes, "v").encode()

    def _write(self, writer):
        connection, number = None, 0
        while not self.halt.is_set():
            try:
                connection = connection or Connection(self.ports[writer % len(self.ports)], timeout=20)
                reply = connection.call("SET", self.key(writer, number), self.value(writer, number))
                if reply != b"OK" or not isinstance(reply, Simple):
                    raise Refused(reply)
                if self.is_cut.is_set():
                    self.lost[writer].add(number)
                elif number % 5 == 4:
                    found = connection.call("GET", self.key(writer, number - 2))
                    if isinstance(found, Error):
                        raise Refused(found)
            except Exception as error:  # noqa: BLE001: judged here
                self._note(error)
                self.lost[writer].add(number)
                if not isinstance(error, Refused):
                    connection = connection and connection.close()
                self.halt.wait(0.02)
            number += 1
            self.acknowledged[writer] = number
            if self.pace:
                self.halt.wait(self.pace)
        if connection:
            connection.close()

    def _note(self, error):
        text = error.args[0] if isinstance(error, Refused) else b"connection: " + type(error).__name__.encode()
        if any(text.startswith(begin) for begin in self.tolerate):
            self.tolerated += 1
        else:
            self.errors.append(bytes(text))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.halt.set()
        for thread in self.threads:
            if thread.is_alive():
                thread.join(30)

    def progress(self):
        return sum(self.acknowledged) - sum(map(len, self.lost))

    def wait_for(self, more, seconds=30):
        """Waits until so many more writes are acknowledged."""
        goal = self.progress() + more
        eventually(lambda: self.progress() >= goal, f"{more} more writes ({self.errors[:3]})", seconds)

    def verify(self, port):
        """Reads back all that was acknowledged; gives its number."""
        self.stop()
        checked = 0
        with Connection(port, timeout=30) as connection:
            for writer, count in enumerate(self.acknowledged):
                numbers = [n for n in range(count) if n not in self.lost[writer]]
                for start in range(0, len(numbers), 500):
                    part = numbers[start : start + 500]
                    reply = connection.call("MGET", *[self.key(writer, n) for n in part])
                    expect(isinstance(reply, list), f"reading back: {reply!r}")
                    for number, found in zip(part, reply):
                        equal(found, self.value(writer, number), f"acknowledged {self.key(writer, number)}")
                    checked += len(part)
        expect(checked > 0, "nothing was acknowledged")
        return checked


class Refused(Exception):
    """An error reply to a write."""


DEAD_NODE = (b"UNCERTAIN", b"TRYAGAIN", b"connection:")
