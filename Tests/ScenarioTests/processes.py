#!/usr/bin/env python3
"""Real processes on hard days: killed, cut off, stopped, misdirected. Usage: processes.py [--soak] [--only TEXT]"""

import argparse
import fcntl
import json
import os
import pathlib
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

import redis
from redis.cluster import RedisCluster

from local_cluster import DEAD_NODE, LOCAL, PROGRAMS, ROOT, Cluster, Load, Program, free_base_port
from report import Report, Skip, equal, eventually, expect
from resp import Connection, Error, Simple, pack

SOAK = False


# --- killed ---


def kill_9_under_load():
    with Cluster() as cluster:
        ports = [cluster.gateway_port(i) for i in (1, 2, 3)]
        rounds = 60 if SOAK else 5
        with Load(ports, writers=6, tolerate=DEAD_NODE) as load:
            load.wait_for(500)
            for turn in range(rounds):
                victim = f"d{turn % 3 + 1}"
                cluster.kill(victim)
                time.sleep(random.random() / 2)
                cluster.restart(victim)
                load.wait_for(300)
        equal(load.errors[:5], [], "errors that a dead node does not explain")
        count = load.verify(cluster.gateway_port(1))
        print(f"     {count} acknowledged writes are there after {rounds} kills, {load.tolerated} failed meanwhile")


def kill_9_of_everything():
    with Cluster() as cluster:
        with Load([cluster.gateway_port(i) for i in (1, 2, 3)], writers=6, tolerate=DEAD_NODE) as load:
            load.wait_for(1000)
            for name in ("m1", "d1", "d2", "d3", "m2"):
                cluster.kill(name)
        load.stop()
        cluster.up()
        cluster.wait_until_healthy()
        load.verify(cluster.gateway_port(2))
        equal([k["name"] for k in cluster.shardctl_json("keyspace", "ls")], ["default"])


def power_cut():
    """Data on an ext4 of its own, which is shut down without a flush: only what was synced survives."""
    if os.geteuid() != 0:
        raise Skip("mounting a file system needs root")
    with tempfile.TemporaryDirectory() as folder:
        image = os.path.join(folder, "disk")
        with open(image, "wb") as file:
            file.truncate(2 << 30)
        subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
        trial = os.path.join(folder, "trial")
        os.mkdir(trial)
        if subprocess.run(["mount", "-o", "loop", image, trial], capture_output=True).returncode != 0:
            raise Skip("this machine allows no loop mount")
        unmount(trial)
        cluster = Cluster(data=1, meta=1)
        mount = cluster.folder / "data" / "d1"
        mount.mkdir(parents=True)
        subprocess.run(["mount", "-o", "loop", image, mount], check=True)
        (mount / "lost+found").rmdir()
        try:
            with cluster:
                loads = []
                for turn in range(20 if SOAK else 3):
                    load = Load([cluster.gateway_port()], writers=8, prefix=f"cut{turn}", tolerate=(b"",))
                    loads.append(load)
                    with load:
                        load.wait_for(1500)
                        # EXT4_IOC_SHUTDOWN with NOLOGFLUSH: the plug of the disk.
                        handle = os.open(mount, os.O_RDONLY)
                        load.is_cut.set()
                        fcntl.ioctl(handle, 0x8004587D, struct.pack("I", 2))
                        os.close(handle)
                        time.sleep(0.2)
                    if pathlib.Path(f"/proc/{cluster.pid('d1')}").exists():
                        subprocess.run([LOCAL, "kill", "d1", "--dir", cluster.folder], capture_output=True, timeout=60)
                    unmount(mount)
                    subprocess.run(["mount", "-o", "loop", image, mount], check=True)
                    cluster.restart("d1")
                    for earlier in loads:
                        earlier.verify(cluster.gateway_port())
                print(f"     {sum(load.progress() for load in loads)} acknowledged writes survived {len(loads)} power cuts")
        finally:
            unmount(mount)


def unmount(mount):
    def done():
        return subprocess.run(["umount", mount], capture_output=True).returncode == 0 or not os.path.ismount(mount)

    eventually(done, f"umount {mount}", 20, 0.2)


# --- stopped ---


def sigterm_drains():
    """A clean stop under load answers what it took, exits 0, and what was acknowledged is there."""
    with Cluster() as cluster:
        for name in ("d3", "m2"):
            arguments = cluster.command_line(name)
            cluster.kill(name)
            with Program(arguments) as program:
                program.ready()
                tolerate = DEAD_NODE + (b"ERR",) if name == "d3" else ()
                with Load([cluster.gateway_port(3 if name == "d3" else 1)], prefix=f"term{name}", tolerate=tolerate) as load:
                    load.wait_for(300)
                    program.terminate()
                    equal(program.wait(30), 0, f"exit code of {name} after SIGTERM")
                    time.sleep(0.1)
            cluster.restart(name)
            load.verify(cluster.gateway_port(1))


def metasrv_stopped():
    """Without any metasrv for a minute a healthy data plane goes on: no client sees an error."""
    with Cluster() as cluster:
        ports = [cluster.gateway_port(i) for i in (1, 2, 3)]
        client = RedisCluster(host="127.0.0.1", port=cluster.cluster_port(), socket_timeout=15)
        with Load(ports, writers=6) as load:
            load.wait_for(300)
            cluster.kill("m2")
            cluster.kill("m1")
            began, rounds = time.monotonic(), 0
            while time.monotonic() - began < 60:
                expect(client.set(f"nometa:{rounds}", rounds), "redis-py's cluster client writes")
                equal(client.get(f"nometa:{rounds}"), b"%d" % rounds)
                rounds += 1
            load.wait_for(300)
        equal(load.errors[:5], [], "errors while all metasrv were down")
        cluster.up()
        cluster.wait_until_healthy()
        load.verify(cluster.gateway_port(2))


def clients_that_leave_metasrv():
    """Requests, and behind them the end of their connection, are there before metasrv reads any: the first reply cannot be
    written, and what is left of the requests is read right then."""
    with Cluster(data=1, meta=1) as cluster:
        pid = cluster.pid("m1")
        for count in range(20, 400, 20):
            with Connection(cluster.meta_port()) as client:
                equal(client.call("PING"), b"PONG")
                os.kill(pid, signal.SIGSTOP)
                try:
                    client.send(b"META.ROUTES 0\r\n" * count)
                    client.close()
                finally:
                    os.kill(pid, signal.SIGCONT)
            with Connection(cluster.meta_port()) as client:
                equal(client.call("PING"), b"PONG", f"the reply behind {count} requests of a client that left")


def starts_in_any_order():
    """A datasrv without a metasrv waits; it serves once one is there."""
    cluster = Cluster(data=1, meta=1)
    with cluster:
        arguments = cluster.command_line("d1")
        cluster.kill("d1")
        cluster.kill("m1")
        with Program(arguments) as program:
            time.sleep(1)
            expect(program.process.poll() is None, f"it waits for a metasrv: {program.stderr()[-300:]}")
            cluster.restart("m1")
            program.ready()
            with Connection(cluster.gateway_port()) as connection:
                equal(connection.call("SET", "late", "1"), Simple(b"OK"))
            program.terminate()
            equal(program.wait(30), 0)


def directories_are_made():
    """A directory that is missing is made, with those above it; before that nobody need have been there."""
    with tempfile.TemporaryDirectory() as folder:
        base = free_base_port(1)
        meta = [PROGRAMS / "metasrv", "--id", "m1", "--listen", f"127.0.0.1:{base + 10}", "--log", f"file:{folder}/a/b/log"]
        data = [PROGRAMS / "datasrv", "--id", "d1", "--dir", f"{folder}/c/d/d1", "--meta", f"127.0.0.1:{base + 10}"]
        for index, flag in enumerate(("--listen", "--gateway", "--peer")):
            data += [flag, f"127.0.0.1:{base + 111 + index}"]
        with Program(data) as datasrv, Program(meta) as metasrv:
            for program in (metasrv, datasrv):
                program.ready()
            for program in (datasrv, metasrv):
                program.terminate()
                equal(program.wait(30), 0)


# --- misdirected: one line that says what is wrong, and no crash ---


def refused(arguments, *names, seconds=30, usage=False):
    """The program ends by itself with 1; the last line on standard error has each of the words in it, and is the only one
    but for its log's."""
    with Program(arguments) as program:
        code = program.wait(seconds)
        lines = [line for line in program.stderr().splitlines() if line.strip()]
        equal(code, 1, f"exit code: {lines[-3:]}")
        expect(lines, "it says nothing on standard error")
        said = lines[-1].lower()
        complaints = [line for line in lines if not re.match(r"\S+ (info|notice|warning) ", line)]
        expect(usage or len(complaints) == 1, f"one line that says it: {complaints}")
        for name in names:
            expect(any(word.lower() in said for word in name.split("|")), f"the line names {name}: {lines[-1]}")
        expect(not any("Fatal error" in line or "crashed" in line for line in lines), f"it crashed: {lines[:3]}")


def directory_of_another_cluster():
    with Cluster(data=1, meta=1) as other:
        arguments = other.command_line("d1")
        other.kill("d1")
        with Cluster(data=1, meta=1) as cluster:
            elsewhere = list(arguments)
            elsewhere[arguments.index("--meta") + 1] = cluster.meta_addresses
            refused(elsewhere, str(other.folder / "data" / "d1"), "belongs to cluster", "start it with",
                    cluster.meta_addresses)
            equal([node["id"] for node in cluster.shardctl_json("node", "ls")], ["d1"], "nodes of this cluster")
            equal([node["state"] for node in cluster.shardctl_json("node", "ls")], ["up"], "nodes of this cluster")
        # Nothing of it was changed by that: among its own it is welcome.
        other.restart("d1")
        other.wait_until_healthy()


def second_process_on_a_directory():
    with Cluster(data=1, meta=1) as cluster:
        arguments = cluster.command_line("d1")
        for flag in ("--listen", "--gateway", "--peer", "--http"):
            arguments[arguments.index(flag) + 1] = "127.0.0.1:0"
        refused(arguments, str(cluster.folder), "another|in use|lock|already")
        with Connection(cluster.gateway_port()) as connection:
            equal(connection.call("SET", "still", "here"), Simple(b"OK"))


def port_in_use():
    with Cluster(data=1, meta=1) as cluster:
        with tempfile.TemporaryDirectory() as folder:
            arguments = cluster.command_line("d1")
            arguments[arguments.index("--dir") + 1] = folder
            arguments[arguments.index("--id") + 1] = "d9"
            refused(arguments, "in use", str(cluster.base + 100)[:-2])
            arguments = cluster.command_line("m1")
            arguments[arguments.index("--log") + 1] = f"file:{folder}/log"
            refused(arguments, "in use", str(cluster.meta_port()))


def damaged_metadata_log():
    with Cluster(data=1, meta=1) as cluster:
        for index in range(3):
            cluster.shardctl("keyspace", "create", f"k{index}", "--yes")
        arguments = cluster.command_line("m1")
        cluster.local("down")
        slots = sorted((cluster.folder / "metalog").glob("slot-*"))
        expect(len(slots) > 2, f"slots of the log: {[path.name for path in slots]}")
        # Not the newest: a half-written last entry is no damage.
        victim = slots[len(slots) // 2]
        data = bytearray(victim.read_bytes())
        data[len(data) // 2] ^= 0xFF
        victim.write_bytes(data)
        refused(arguments, "damage|checksum|corrupt", victim.name)


def missing_library():
    """A program whose library is not there: the loader's one line names it, and deploy/local says what to install."""
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "datasrv")
        with open(PROGRAMS / "datasrv", "rb") as file:
            data = file.read()
        found = re.search(rb"libleveldb\.so\.\w+", data)
        expect(found, "datasrv uses LevelDB's library")
        other = b"libleveldb.so.".ljust(len(found[0]), b"9")
        with open(program, "wb") as file:
            file.write(data.replace(found[0] + b"\0", other + b"\0"))
        os.chmod(program, 0o755)
        with Program([program, "--version"]) as started:
            equal(started.wait(20), 127, started.stderr())
            lines = started.stderr().splitlines()
            expect(len(lines) == 1 and other.decode() in lines[0], f"one line that names it: {lines}")
        done = subprocess.run(["bash", "-c", '. deploy/lib/machine.sh; explain_missing_libraries "$0"', program], cwd=ROOT,
                              capture_output=True, text=True, timeout=20)
        equal(done.stdout,
              f"datasrv needs {other.decode()}, which this machine lacks: apt-get install libleveldb1d\n")


def bad_flags():
    with tempfile.TemporaryDirectory() as folder:
        log = f"file:{folder}/log"
        refused([PROGRAMS / "metasrv", "--nonsense"], "nonsense|help", usage=True)
        refused([PROGRAMS / "metasrv", "--id", "m1", "--listen", "nowhere", "--log", log], "nowhere|help")
        refused([PROGRAMS / "metasrv", "--id", "m1", "--listen", "0.0.0.0:0", "--log", log], "secret|loopback|help")
        data = ["--id", "d1", "--gateway", "127.0.0.1:0", "--peer", "127.0.0.1:0", "--meta", "127.0.0.1:1"]
        refused([PROGRAMS / "datasrv", *data, "--listen", "127.0.0.1:0", "--dir", "/proc/ostraka"], "/proc/ostraka")
        refused([PROGRAMS / "datasrv", *data, "--listen", "127.0.0.1:0", "--dir", "/dev/null/d1"], "/dev/null/d1")
        refused([PROGRAMS / "metasrv", "--id", "m1", "--listen", "127.0.0.1:0", "--log", "file:/dev/null/log"],
                "/dev/null/log")
        refused([PROGRAMS / "datasrv", *data, "--listen", "127.0.0.1:0", "--dir", folder, "--sync", "perhaps"],
                "perhaps|sync|help")
        config = os.path.join(folder, "c.yaml")
        with open(config, "w") as file:
            file.write("id: d1\nlissen: 127.0.0.1:0\n")
        refused([PROGRAMS / "datasrv", "--config", config, "--check-config"], "lissen")
        for program in ("metasrv", "datasrv", "shardctl"):
            for flag in ("--version", "--help"):
                done = subprocess.run([PROGRAMS / program, flag], capture_output=True, timeout=20)
                expect(done.returncode == 0 and done.stdout.strip(), f"{program} {flag}: {done}")


# --- the shard map moves ---


def reassigned_under_load():
    """An empty shard changes its node 200 times; nobody who reads there or writes beside it sees an error."""
    turns = 1000 if SOAK else 200
    with Cluster() as cluster:
        shards = cluster.shardctl_json("shard", "ls", "default")
        moving = shards[5]
        first, end = moving["from"], moving["to"]
        tags = keys_in_slots(cluster, first, end, 4)
        clients = [redis.Redis(host="127.0.0.1", port=cluster.gateway_port(i), socket_timeout=15) for i in (1, 2, 3)]
        clients.append(RedisCluster(host="127.0.0.1", port=cluster.cluster_port(), socket_timeout=15))
        errors, reads = [], [0] * len(clients)
        halt = threading.Event()

        def read(number, client):
            try:
                while not halt.is_set():
                    for key in tags:
                        if client.get(key) is not None:
                            raise AssertionError(f"{key} has a value")
                        reads[number] += 1
            except Exception as error:  # noqa: BLE001: reported below
                errors.append(repr(error))

        threads = [threading.Thread(target=read, args=(number, client)) for number, client in enumerate(clients)]
        outside = OutsideLoad([cluster.gateway_port(i) for i in (1, 2, 3)], writers=3, prefix="beside")
        outside.avoid = lambda key, cache={}: cache.setdefault(key, first <= slot_of(key) < end)
        with outside as load:
            for thread in threads:
                thread.start()
            for _ in range(turns):
                # Each of them meets the change: a client that is slower than the changes follows sixteen and gives up.
                seen = list(reads)
                reassign(cluster, moving["id"])
                eventually(lambda: errors or all(now > then for now, then in zip(reads, seen)), "a read of every client", 30, 0.002)
                if errors:
                    break
            halt.set()
            for thread in threads:
                thread.join(30)
        equal(errors[:3], [], "errors of the readers")
        equal(load.errors[:3], [], "errors of the writers")
        load.verify(cluster.gateway_port(1))
        print(f"     {turns} re-assignments, {sum(reads)} reads of the moving shard, {load.progress()} writes beside it")


class OutsideLoad(Load):
    """A load that leaves out the keys for which `avoid` is true: those of the moving shard."""

    def key(self, writer, number):
        return self.placed(f"{self.prefix}:{writer}:{number}")

    def placed(self, key):
        suffix = 0
        while self.avoid(f"{key}.{suffix}"):
            suffix += 1
        return f"{key}.{suffix}"


def slot_of(key):
    crc = 0
    for byte in key.encode():
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021) & 0xFFFF if crc & 0x8000 else crc << 1 & 0xFFFF
    return crc % 16384


def keys_in_slots(cluster, first, end, count):
    found = [key for key in (f"empty:{i}" for i in range(5000)) if first <= slot_of(key) < end]
    expect(len(found) >= count, "keys in the moving shard")
    with Connection(cluster.cluster_port()) as connection:
        equal(connection.call("CLUSTER", "KEYSLOT", found[0]), slot_of(found[0]), "this test's idea of a slot")
    return found[:count]


def reassign(cluster, shard):
    """META.RECONFIGURE: the shard goes to the next node, as an operator who knows that it is empty may do."""
    answer = {}

    def accepted():
        routes = cluster.meta_call("META.ROUTES", "0")
        configuration = next(s for s in routes["shards"] if s["id"] == shard)
        nodes = sorted(node["id"] for node in routes["nodes"])
        holder = configuration["members"][0]["node"]
        epoch = configuration["epoch"] + 1
        target = nodes[(nodes.index(holder) + 1) % len(nodes)]
        wished = dict(configuration, epoch=epoch, learners=[], members=[{"node": target, "incarnation": epoch}],
                      proposal={"proposer": "test", "request": epoch})
        request = {"expected": configuration["epoch"], "configuration": wished}
        answer.update(cluster.meta_call("META.RECONFIGURE", json.dumps(request)))
        # While the last hand-over is under way the next one is refused: that is a rule, not a failure.
        expect(answer["accepted"] or "try again" in answer.get("refusal", ""), f"META.RECONFIGURE: {answer}")
        return answer["accepted"]

    eventually(accepted, f"the shard is given on ({answer})", 20)


# --- seen from outside ---


def redis_cli_tools():
    with Cluster() as cluster:
        pipe = redis.Redis(host="127.0.0.1", port=cluster.gateway_port()).pipeline(transaction=False)
        for index in range(3000):
            pipe.set(f"key:{index}", "x" * (index % 97))
        pipe.execute()
        seed, gateway = cluster.cluster_port(), str(cluster.gateway_port())
        check = subprocess.run(["redis-cli", "--cluster", "check", f"127.0.0.1:{seed}"], capture_output=True, text=True, timeout=60)
        text = check.stdout + check.stderr
        expect(check.returncode == 0, f"redis-cli --cluster check: {text}")
        for line in ("[OK] All nodes agree about slots configuration.", "[OK] All 16384 slots covered."):
            expect(line in text, f"redis-cli --cluster check says {line}: {text}")
        expect("[ERR]" not in text and "[WARNING]" not in text, f"redis-cli --cluster check: {text}")
        big = subprocess.run(["redis-cli", "-p", gateway, "--bigkeys"], capture_output=True, text=True, timeout=60)
        expect(big.returncode == 0 and "Sampled 3000 keys" in big.stdout, f"--bigkeys: {big.stdout[-600:]}{big.stderr}")
        # Line by line also into a pipe: it is ended by a signal.
        stat = subprocess.run(["timeout", "2.5", "stdbuf", "-oL", "redis-cli", "-p", gateway, "--stat", "-i", "0.5"],
                              capture_output=True, text=True)
        rows = [line for line in stat.stdout.splitlines() if line.strip() and line.strip()[0].isdigit()]
        expect(len(rows) >= 3 and int(rows[0].split()[0]) > 0, f"--stat: {stat.stdout}{stat.stderr}")
        for more in (["--scan", "--pattern", "key:1?"], ["--memkeys"], ["--latency", "-i", "1", "--raw"]):
            done = subprocess.run(["timeout", "20", "redis-cli", "-p", gateway, *more], capture_output=True, text=True)
            expect(done.returncode == 0 and "ERR" not in done.stdout, f"{more}: {done.stdout[-300:]}{done.stderr}")
        moved = subprocess.run(["redis-cli", "-c", "-p", str(seed)], input="".join(f"GET key:{i}\n" for i in range(1, 50)),
                               capture_output=True, text=True, timeout=30)
        expect(moved.returncode == 0 and "MOVED" not in moved.stdout, f"redis-cli -c: {moved.stdout[-300:]}")


def http_endpoints():
    def fetch(port, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
            return response.status, response.read().decode()

    with Cluster() as cluster:
        client = redis.Redis(host="127.0.0.1", port=cluster.gateway_port())
        for index in range(200):
            client.set(f"m:{index}", index)
            client.get(f"m:{index}")
        for name in ("m1", "m2", "d1", "d2", "d3"):
            port = cluster.http_port(name)
            equal(fetch(port, "/healthz")[0], 200, f"{name} /healthz")
            equal(fetch(port, "/readyz")[0], 200, f"{name} /readyz")
            status, text = fetch(port, "/metrics")
            equal(status, 200)
            families = parse_metrics(text)
            expect(families, f"{name} has no metrics")
            try:
                fetch(port, "/nothing")
                raise AssertionError("an unknown path answers 200")
            except urllib.error.HTTPError as error:
                equal(error.code, 404)
        served = sum(value for name in ("d1", "d2", "d3")
                     for sample, value in parse_metrics(fetch(cluster.http_port(name), "/metrics")[1]).items()
                     if "command" in sample and ("_total" in sample or "_count" in sample))
        expect(served >= 400, f"commands counted: {served}")


def parse_metrics(text):
    """Prometheus text as sample -> value; fails on a line that is none."""
    samples = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        sample, _, value = line.rpartition(" ")
        expect(sample and sample not in samples, f"a sample twice, or none: {line}")
        samples[sample] = float(value)
    return samples


def silent_client_of_a_gateway():
    """Replies that nobody reads come from other nodes, too: none of them may fall over (frames are bounded)."""
    with Cluster() as cluster:
        with Connection(cluster.gateway_port()) as connection:
            for index in range(6):
                equal(connection.call("SET", f"big:{index}", b"x" * (1 << 20)), Simple(b"OK"))
            for name in ("d1", "d2", "d3"):
                pathlib.Path(f"/proc/{cluster.pid(name)}").stat()
        silent = Connection(cluster.gateway_port(), receive_buffer=4096)
        try:
            for index in range(200):
                silent.send(b"".join(pack("GET", f"big:{i}") for i in range(6)))
        except OSError:
            pass
        silent.close()
        # Sixteen times eight MiB in one pipeline: more than one frame between two nodes. How long it may take is not judged.
        with Connection(cluster.gateway_port(2), timeout=60) as connection:
            connection.send(b"".join(pack("SET", f"many:{i}", b"y" * (8 << 20)) for i in range(16)))
            for reply in (connection.read() for _ in range(16)):
                expect(reply == b"OK" or reply.startswith(b"UNCERTAIN"), f"16 values of 8 MiB: {reply!r}")
            equal(connection.call("PING"), Simple(b"PONG"))
        expect("stopped" not in cluster.local("status"), "every process lives")


def secrets_stay_secret():
    with tempfile.TemporaryDirectory() as folder:
        secret, password = "s3cret-between-processes", "pa55word-of-clients"
        for name, text in (("secret", secret), ("password", password)):
            path = os.path.join(folder, name)
            with open(path, "w") as file:
                file.write(text + "\n")
            os.chmod(path, 0o600)
        flags = f"--secret-file {folder}/secret"
        cluster = Cluster(keyspace=None, data_flags=f"{flags} --password-file {folder}/password", meta_flags=flags,
                          environment={"LOG_LEVEL": "trace"})
        with cluster:
            cluster.shardctl("keyspace", "create", "default", "--yes", "--secret-file", f"{folder}/secret")
            for port in (cluster.gateway_port(), cluster.cluster_port()):
                with Connection(port) as connection:
                    equal(connection.call("GET", "x"), Error(b"NOAUTH Authentication required."))
                    equal(connection.call("PING"), Error(b"NOAUTH Authentication required."))
                    equal(connection.call("AUTH", "wrong"),
                          Error(b"WRONGPASS invalid username-password pair or user is disabled."))
                    equal(connection.call("AUTH", password), Simple(b"OK"))
                    expect(not isinstance(connection.call("PING"), Error), "after AUTH")
                with Connection(port) as connection:
                    expect(isinstance(connection.call("HELLO", "3", "AUTH", "default", password), dict), "HELLO AUTH")
            with Connection(cluster.meta_port()) as connection:
                reply = connection.call("META.ROUTES", "0")
                expect(isinstance(reply, Error), "a metasrv with a secret tells strangers nothing")
            client = redis.Redis(host="127.0.0.1", port=cluster.gateway_port(), password=password)
            expect(client.set("a", "1") and client.get("a") == b"1", "redis-py with a password")
            listed = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True).stdout
            for word in (secret, password):
                expect(word not in listed, "a secret stands in the process list")
                expect(word not in cluster.logs(), "a secret stands in a log")


def without_a_keyspace():
    with Cluster(keyspace=None) as cluster:
        for port in (cluster.gateway_port(), cluster.cluster_port()):
            with Connection(port) as connection:
                equal(connection.call("GET", "a"), Error(b"ERR no keyspace 'default': shardctl keyspace create default"))
                equal(connection.call("PING"), Simple(b"PONG"))
                for command in (("HELLO",), ("INFO",), ("CLIENT", "ID"), ("COMMAND", "COUNT"), ("CLUSTER", "INFO"),
                                ("CONFIG", "GET", "maxmemory")):
                    expect(not isinstance(connection.call(*command), Error), f"{command} without a keyspace")
        status = cluster.shardctl_json("status")
        equal(status["health"], "healthy", "no keyspace is a warning, not ill health")
        cluster.shardctl("keyspace", "create", "default", code=3)  # no terminal, no --yes
        cluster.shardctl("keyspace", "create", "default", "--yes")
        cluster.shardctl("keyspace", "create", "default", "--yes", code=3)
        cluster.shardctl("keyspace", "create", "four", "--replicas", "4", "--yes", code=3)  # three hosts
        cluster.shardctl("keyspace", "show", "none", code=3)
        cluster.shardctl("keyspace", "drop", "none", "--yes", code=3)
        cluster.shardctl("nonsense", code=1)
        with Connection(cluster.gateway_port()) as connection:
            equal(connection.call("SET", "a", "1"), Simple(b"OK"), "at once after keyspace create has ended")
        shards = cluster.shardctl_json("shard", "ls", "default")
        equal((len(shards), shards[0]["from"], shards[-1]["to"]), (16, 0, 16384))
        nodes = cluster.shardctl_json("node", "ls")
        equal([node["id"] for node in nodes], ["d1", "d2", "d3"])
        primaries = [node["primaries"] for node in nodes]
        expect(sum(primaries) == 16 and max(primaries) - min(primaries) <= 1, f"shards spread evenly: {primaries}")
        meta = cluster.shardctl_json("meta", "status")
        expect(meta, "meta status")
        cluster.shardctl("keyspace", "drop", "default", "--yes")
        with Connection(cluster.gateway_port()) as connection:
            reply = connection.call("GET", "a")
            expect(isinstance(reply, Error), f"after drop: {reply!r}")
    nobody = f"127.0.0.1:{free_base_port(1)}"
    done = subprocess.run([PROGRAMS / "shardctl", "--meta", nobody, "status"], capture_output=True, timeout=60)
    equal(done.returncode, 2, "exit code when nothing is reachable")


# --- deploy/local itself ---


def local_is_safe_to_repeat():
    with Cluster(data=2, meta=1) as cluster:
        names = ("m1", "d1", "d2")
        pids = {name: cluster.pid(name) for name in names}
        cluster.up()
        equal({name: cluster.pid(name) for name in names}, pids, "up again starts nothing anew")
        expect("ready" in cluster.local("status"), "status")
        environment = cluster.local("env")
        expect(f"export OSTRAKA_GATEWAY=127.0.0.1:{cluster.gateway_port()}\n" in environment, environment)
        cluster.kill("d2")
        cluster.local("status", code=1)
        cluster.local("kill", "d2", code=1)
        cluster.local("kill", "d7", code=1)
        # The pid is another's now: nothing may happen to it.
        bystander = subprocess.Popen(["sleep", "1000"])
        try:
            (cluster.folder / "run" / "d2.pid").write_text(f"{bystander.pid} 1 {boot_id()}\n")
            cluster.local("kill", "d2", code=1)
            cluster.local("down")
            equal(bystander.poll(), None, "a process that deploy/local did not start")
        finally:
            bystander.kill()
            bystander.wait()
        cluster.local("down")
        cluster.local("restart")
        with Connection(cluster.gateway_port()) as connection:
            equal(connection.call("SET", "again", "1"), Simple(b"OK"))
        cluster.data = 3
        cluster.up()
        equal(len(cluster.shardctl_json("node", "ls")), 3, "up --data 3 adds a node")


def boot_id():
    return pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()


# It lasts a minute and asks for nothing but that nobody sees an error: it runs beside the first of the others.
BESIDE = metasrv_stopped
TESTS = [
    local_is_safe_to_repeat, without_a_keyspace, clients_that_leave_metasrv, starts_in_any_order, directories_are_made, bad_flags, missing_library, port_in_use, second_process_on_a_directory,
    directory_of_another_cluster, damaged_metadata_log, redis_cli_tools, http_endpoints, secrets_stay_secret, BESIDE,
    silent_client_of_a_gateway, sigterm_drains, kill_9_under_load, kill_9_of_everything, power_cut, reassigned_under_load,
]


def main():
    global SOAK
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--soak", action="store_true", help="many more rounds, for minutes each")
    parser.add_argument("--only", help="run the tests whose name has this in it")
    options = parser.parse_args()
    SOAK = options.soak
    report = Report()
    chosen = [body for body in TESTS if not options.only or options.only in body.__name__]

    def run(body):
        report.test(f"processes: {body.__name__}", body)

    beside = threading.Thread(target=run, args=(BESIDE,))
    if BESIDE in chosen:
        beside.start()
    for body in chosen:
        if body is BESIDE:
            beside.join()
        else:
            run(body)
    report.finish()


if __name__ == "__main__":
    sys.exit(main())
