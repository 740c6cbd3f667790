#!/usr/bin/env python3
"""Each command family against both ports, by raw RESP for bytes and by redis-py for what its users do.

  redis_py.py [--gateway H:P] [--cluster H:P] [--shardctl PATH]     (default: the OSTRAKA_ variables of deploy/local env)
  redis_py.py --reference      the same expectations against redis-server 7.0, which must be installed
Works in keyspace `default` and empties it: meant for a cluster of its own."""

import argparse
import json
import os
import random
import shlex
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import redis
from redis.cluster import RedisCluster

from cases import CASES
from report import Report, Skip, equal, eventually, expect, shorten
from resp import Closed, Connection, Error, Simple, pack
from transactions import TRANSACTION_TESTS

BYTES = {
    b"<crlf>": b"\r\n", b"<nul>": b"\0", b"<sp>": b" ", b"<empty>": b"", b"<ff>": b"\xff", b"<fe>": b"\xfe",
    b"<nfc>": "é".encode(), b"<nfd>": "e\u0301".encode(),
}
# Where Redis itself, asked as a reference, cannot keep what our contract promises: (case, port).
NOT_IN_REFERENCE = {("select", "cluster")}


def words(command, tag):
    """A case's command as its arguments in bytes."""
    result = []
    for word in shlex.split(command):
        data = word.encode()
        if data.startswith(b"@"):
            data = b"{" + tag + b"}" + data[1:]
        for name, value in BYTES.items():
            data = data.replace(name, value)
        result.append(data)
    return result


def matches(found, wanted):
    if callable(wanted) and not isinstance(wanted, type):
        return bool(wanted(found))
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(matches, found, wanted))
    if isinstance(wanted, (Error, Simple)) != isinstance(found, (Error, Simple)):
        return False
    if isinstance(wanted, Simple) and not isinstance(found, Simple):
        return False
    return type(found) in (type(wanted), bytes, int, type(None), Simple, Error) and found == wanted


class World:
    """What the tests are pointed at."""

    def __init__(self, gateway, cluster, shardctl=None, reference=False):
        self.gateway_port, self.cluster_port = gateway, cluster
        self.shardctl, self.reference = shardctl, reference
        self.gateway = redis.Redis(host="127.0.0.1", port=gateway, socket_timeout=15)
        self.cluster = RedisCluster(host="127.0.0.1", port=cluster, socket_timeout=15)

    def owner(self, key):
        """The cluster port of the node that owns the key's slot, as CLUSTER SLOTS has it."""
        with Connection(self.cluster_port) as seed:
            slot = seed.call("CLUSTER", "KEYSLOT", key)
            for first, last, primary, *_ in seed.call("CLUSTER", "SLOTS"):
                if first <= slot <= last:
                    return primary[1]
        raise AssertionError(f"no owner of slot {slot}")

    def raw(self, kind, key=b""):
        return Connection(self.gateway_port if kind == "gateway" else self.owner(key))


# --- byte for byte ---


def run_case(world, kind, name, lines):
    # The port is part of the tag: both ports lead to the same keys.
    tag = name.replace(" ", "-").encode() + b"-" + kind.encode()
    with world.raw(kind, b"{" + tag + b"}") as connection:
        wrong = []
        for command, wanted in lines:
            found = connection.call(*words(command, tag))
            if not matches(found, wanted):
                text = getattr(wanted, "__name__", None) or shorten(wanted, 200)
                wrong.append(f"\n     {command[:80]}\n       found  {shorten(found, 200)}\n       wanted {text}")
        if wrong:
            raise AssertionError(f"{len(wrong)} of {len(lines)} replies are not Redis's:" + "".join(wrong))


def inline_commands(world, kind):
    with world.raw(kind, b"{inline}") as connection:
        for line, wanted in [
            (b"PING\r\n", Simple(b"PONG")), (b"ping hello\n", b"hello"), (b"\r\nPING\r\n", Simple(b"PONG")),
            (b"SET {inline}k \"a b\\x41\\n\"\r\n", Simple(b"OK")), (b"GET {inline}k\r\n", b"a bA\n"),
            (b"SET {inline}k 'it\\'s'\r\n", Simple(b"OK")), (b"GET   {inline}k  \r\n", b"it's"),
        ]:
            connection.send(line)
            equal(connection.read(), wanted, repr(line))
        connection.send(b"SET {inline}k \"open\r\n")
        equal(connection.read(), Error(b"ERR Protocol error: unbalanced quotes in request"), "unbalanced quotes")
        expect(connection.closed_within(5), "the connection closes after a protocol error")


def split_at_every_byte(world, kind):
    stream = pack("SET", "{split}k", b"v\r\n\0w") + pack("GET", "{split}k") + b"PING\r\n"
    wanted = [Simple(b"OK"), b"v\r\n\0w", Simple(b"PONG")]
    with world.raw(kind, b"{split}") as connection:
        for cut in range(1, len(stream)):
            connection.send(stream[:cut])
            connection.send(stream[cut:])
            equal([connection.read() for _ in wanted], wanted, f"cut at {cut}")
        for index in range(len(stream)):
            connection.send(stream[index : index + 1])
        equal([connection.read() for _ in wanted], wanted, "byte by byte")


def pipeline_order(world, kind):
    count = 5000
    with world.raw(kind, b"{order}") as connection:
        data = b"".join(pack("SET", b"{order}%d" % i, i) + pack("GET", b"{order}%d" % i) for i in range(count))
        sender = threading.Thread(target=connection.send, args=(data,))
        sender.start()
        for index in range(count):
            equal(connection.read(), Simple(b"OK"), f"reply {2 * index}")
            equal(connection.read(), b"%d" % index, f"reply {2 * index + 1}")
        sender.join()


def client_reply(world, kind):
    with world.raw(kind) as connection:
        connection.send(pack("CLIENT", "REPLY", "OFF") + pack("PING") + pack("CLIENT", "REPLY", "ON") + pack("ECHO", "x"))
        equal([connection.read(), connection.read()], [Simple(b"OK"), b"x"])
        connection.send(pack("CLIENT", "REPLY", "SKIP") + pack("PING") + pack("ECHO", "y"))
        equal(connection.read(), b"y")
        connection.send(pack("QUIT"))
        equal(connection.read(), Simple(b"OK"))
        expect(connection.closed_within(5), "QUIT closes")


def client_kill(world, kind):
    with world.raw(kind) as victim, world.raw(kind) as killer:
        own = victim.call("CLIENT", "ID")
        equal(killer.call("CLIENT", "KILL", "ID", own), 1)
        expect(victim.closed_within(5), "the killed connection closes")
        listed = killer.call("CLIENT", "LIST")
        expect(b"id=%d " % own not in listed, "the killed client is no longer listed")


def client_pause(world, kind):
    with world.raw(kind, b"{pause}") as one, world.raw(kind, b"{pause}") as other:
        equal(one.call("CLIENT", "PAUSE", "20000", "WRITE"), Simple(b"OK"))
        equal(other.call("GET", "{pause}none"), None)
        other.send(pack("SET", "{pause}k", "1"))
        other.socket.settimeout(0.3)
        try:
            raise AssertionError(f"a write answered while paused: {other.read()!r}")
        except (socket.timeout, TimeoutError):
            pass
        equal(one.call("CLIENT", "UNPAUSE"), Simple(b"OK"))
        other.socket.settimeout(10)
        equal(other.read(), Simple(b"OK"))


def watch_sees_others(world, kind):
    with world.raw(kind, b"{watch}") as one, world.raw(kind, b"{watch}") as other:
        equal(one.call("SET", "{watch}k", "1"), Simple(b"OK"))
        equal(one.call("WATCH", "{watch}k"), Simple(b"OK"))
        equal(other.call("SET", "{watch}k", "2"), Simple(b"OK"))
        equal(one.call("MULTI"), Simple(b"OK"))
        equal(one.call("SET", "{watch}k", "3"), Simple(b"QUEUED"))
        equal(one.call("EXEC"), None)
        equal(other.call("GET", "{watch}k"), b"2")
        equal(one.call("WATCH", "{watch}e"), Simple(b"OK"))
        equal(other.call("SET", "{watch}e", "x", "PX", "1"), Simple(b"OK"))
        eventually(lambda: other.call("EXISTS", "{watch}e") == 0, "expiry")
        equal(one.call("MULTI"), Simple(b"OK"))
        equal(one.call("GET", "{watch}k"), Simple(b"QUEUED"))
        equal(one.call("EXEC"), None, "a watched key was written")


def expiry_hides(world, kind):
    with world.raw(kind, b"{expiry}") as connection:
        equal(connection.call("SET", "{expiry}k", "v", "PX", "60"), Simple(b"OK"))
        began = time.monotonic()
        eventually(lambda: connection.call("GET", "{expiry}k") is None, "the key expires", 5)
        expect(time.monotonic() - began >= 0.05, "it expired too early")
        for command, wanted in [(("EXISTS", "{expiry}k"), 0), (("TTL", "{expiry}k"), -2), (("STRLEN", "{expiry}k"), 0),
                                (("TYPE", "{expiry}k"), Simple(b"none")), (("INCR", "{expiry}k"), 1)]:
            equal(connection.call(*command), wanted, repr(command))


def large_values(world, kind):
    with world.raw(kind, b"{large}") as connection:
        for size in (1 << 16, 1 << 20, 16 << 20):
            value = random.Random(size).randbytes(size)
            equal(connection.call("SET", "{large}k", value), Simple(b"OK"), f"{size} bytes")
            expect(connection.call("GET", "{large}k") == value, f"{size} bytes come back")
        equal(connection.call("APPEND", "{large}k", "") if world.reference else 16 << 20, 16 << 20)
        key = b"{large}" + b"k" * ((64 << 10) - 7)
        equal(connection.call("SET", key, "x"), Simple(b"OK"), "a key of 64 KiB")
        equal(connection.call("DEL", key, "{large}k"), 2)


BYTE_TESTS = [
    inline_commands, split_at_every_byte, pipeline_order, client_reply, client_kill, client_pause, watch_sees_others,
    expiry_hides, large_values, *TRANSACTION_TESTS,
]


# --- as redis-py's users write it; the gateway as one server, the cluster port as a cluster ---


def many_keys(client):
    keys = {f"many:{i}".encode(): random.Random(i).randbytes(i % 300) for i in range(2000)}
    for key, value in keys.items():
        expect(client.set(key, value) is True, f"set {key}")
    for key, value in keys.items():
        equal(client.get(key), value, repr(key))
    equal(client.delete(*keys) if not isinstance(client, RedisCluster) else sum(map(client.delete, keys)), 2000)


def pipelines(client):
    pipe = client.pipeline(transaction=False) if not isinstance(client, RedisCluster) else client.pipeline()
    for index in range(1000):
        pipe.set(f"pipe:{index}", index)
        pipe.incr(f"pipe:{index}")
    replies = pipe.execute()
    equal(replies[0::2], [True] * 1000)
    equal(replies[1::2], list(range(1, 1001)))


def size(client):
    """DBSIZE of the keyspace: redis-py's cluster client asks one node unless it is told otherwise."""
    return client.dbsize(target_nodes="primaries") if isinstance(client, RedisCluster) else client.dbsize()


def scans(client):
    client.flushdb()
    wanted = {f"scan:{i}".encode() for i in range(1500)}
    for key in wanted:
        client.set(key, "x")
    client.set("other", "y")
    found = list(client.scan_iter(match="scan:*", count=50))
    equal(set(found), wanted, "keys that SCAN gave")
    equal(set(client.scan_iter(match="scan:1[0-4]?9")), {k for k in wanted if len(k) == 9 and k[5:6] == b"1"
                                                        and k[6:7] in b"01234" and k[8:9] == b"9"})
    equal(len(set(client.scan_iter(_type="string"))), 1501)
    equal(list(client.scan_iter(_type="hash")), [])
    equal(size(client), 1501)
    every = {"target_nodes": "primaries"} if isinstance(client, RedisCluster) else {}
    equal(set(client.keys("scan:1??", **every)), {f"scan:{i}".encode() for i in range(100, 200)})
    expect(client.randomkey() in wanted | {b"other"}, "RANDOMKEY gives a key that is there")
    client.flushdb()
    equal(size(client), 0)
    equal(list(client.scan_iter()), [])


def transactions(client):
    if isinstance(client, RedisCluster):
        return
    with client.pipeline(transaction=True) as pipe:
        pipe.set("{tx}a", 1).incr("{tx}a").get("{tx}a")
        equal(pipe.execute(), [True, 2, b"2"])
    client.set("{tx}n", 0)

    def add():
        own = redis.Redis(host="127.0.0.1", port=client.connection_pool.connection_kwargs["port"])
        for _ in range(25):
            own.transaction(lambda pipe: (value := int(pipe.get("{tx}n")), pipe.multi(), pipe.set("{tx}n", value + 1)),
                            "{tx}n")

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(client.get("{tx}n"), b"100", "increments by WATCH, MULTI, EXEC from four connections")


def counters(client):
    def add():
        for _ in range(500):
            client.incr("counter")

    client.delete("counter")
    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(client.get("counter"), b"2000")


def bits_and_ttl(client):
    client.delete("bits", "ttl") if not isinstance(client, RedisCluster) else (client.delete("bits"), client.delete("ttl"))
    client.setbit("bits", 7, 1)
    equal(client.bitcount("bits"), 1)
    equal(client.bitpos("bits", 1), 7)
    equal(client.bitfield("bits").get("u8", 0).execute(), [1])
    client.set("ttl", "x", ex=100)
    expect(99 <= client.ttl("ttl") <= 100, "ttl")
    client.persist("ttl")
    equal(client.ttl("ttl"), -1)


def lock_without_lua(client):
    """The lock recipe that needs no script: SET NX PX, and GET before DEL."""
    client.delete("lock")
    expect(client.set("lock", "me", nx=True, px=30000) is True, "the first takes it")
    expect(client.set("lock", "you", nx=True, px=30000) is None, "the second does not")
    equal(client.get("lock"), b"me")
    equal(client.delete("lock"), 1)


API_TESTS = [many_keys, pipelines, scans, transactions, counters, bits_and_ttl, lock_without_lua]


# --- what only this server promises, and how it differs from Redis by contract ---


def two_shards(world):
    """Keys that lie on two shards."""
    with Connection(world.gateway_port) as connection:
        first = connection.call("SHARD.WHERE", "split:0")[0]
        for index in range(1, 1000):
            if connection.call("SHARD.WHERE", f"split:{index}")[0] != first:
                return "split:0", f"split:{index}"
    raise AssertionError("1000 keys on one shard")


def gateway_scatters(world):
    client = world.gateway
    keys = [f"scatter:{i}" for i in range(200)]
    expect(client.mset({key: i for i, key in enumerate(keys)}), "mset over shards")
    equal(client.mget(keys + ["scatter:none"]), [b"%d" % i for i in range(200)] + [None])
    equal(client.exists(*keys), 200)
    equal(client.touch(*keys), 200)
    equal(client.unlink(*keys[:100]), 100)
    equal(client.delete(*keys), 100)


def gateway_crossslot(world):
    one, two = two_shards(world)
    with Connection(world.gateway_port) as connection:
        for command in [("MSETNX", one, "1", two, "2"), ("RENAME", one, two), ("RENAMENX", one, two), ("COPY", one, two),
                        ("BITOP", "OR", one, two), ("LCS", one, two), ("WATCH", one, two)]:
            reply = connection.call(*command)
            expect(isinstance(reply, Error) and reply.startswith(b"CROSSSLOT"), f"{command}: {reply!r}")
        equal(connection.call("MULTI"), Simple(b"OK"))
        equal(connection.call("SET", one, "1"), Simple(b"QUEUED"))
        reply = connection.call("SET", two, "2")
        expect(isinstance(reply, Error) and reply.startswith(b"CROSSSLOT"), f"queued over shards: {reply!r}")
        reply = connection.call("EXEC")
        expect(isinstance(reply, Error) and reply.startswith(b"EXECABORT"), f"EXEC: {reply!r}")
        equal(connection.call("EXISTS", one, two), 0, "nothing was executed")


def cluster_port_is_a_cluster(world):
    one, two = two_shards(world)
    with Connection(world.owner(one)) as connection:
        for command in [("MGET", one, two), ("MSET", one, "1", two, "2"), ("DEL", one, two), ("RENAME", one, two)]:
            equal(connection.call(*command), Error(b"CROSSSLOT Keys in request don't hash to the same slot"), str(command))
        owners = {}
        for index in range(200):
            owners.setdefault(world.owner(f"moved:{index}"), f"moved:{index}")
        expect(len(owners) > 1, "more than one node owns slots")
        for port, key in owners.items():
            if port == world.owner(one):
                continue
            reply = connection.call("GET", key)
            slot = connection.call("CLUSTER", "KEYSLOT", key)
            equal(reply, Error(b"MOVED %d 127.0.0.1:%d" % (slot, port)))
        info = connection.call("INFO")
        expect(b"cluster_enabled:1" in info and b"redis_mode:cluster" in info, "INFO on the cluster port")
        equal(connection.call("HELLO", "3")[b"mode"], b"cluster")
    with Connection(world.gateway_port) as connection:
        info = connection.call("INFO")
        expect(b"cluster_enabled:0" in info and b"redis_mode:standalone" in info, "INFO on the gateway port")
        expect(b"ostraka_version:" in info, "INFO names the version")
        equal(connection.call("HELLO", "3")[b"mode"], b"standalone")


def cluster_commands(world):
    with Connection(world.cluster_port) as connection:
        info = dict(line.split(b":", 1) for line in connection.call("CLUSTER", "INFO").split(b"\r\n") if line)
        equal(info[b"cluster_state"], b"ok")
        equal(info[b"cluster_slots_assigned"], b"16384")
        for field in (b"cluster_known_nodes", b"cluster_size", b"cluster_current_epoch", b"cluster_my_epoch",
                      b"cluster_slots_ok", b"cluster_slots_pfail", b"cluster_slots_fail",
                      b"cluster_stats_messages_sent", b"cluster_stats_messages_received"):
            expect(field in info, f"CLUSTER INFO has {field}")
        covered = [0] * 16384
        nodes = connection.call("CLUSTER", "NODES").decode().splitlines()
        expect(sum("myself" in line for line in nodes) == 1, "one line is myself")
        for line in nodes:
            fields = line.split(" ")
            expect(len(fields) >= 8 and len(fields[0]) == 40, f"a line of CLUSTER NODES: {line}")
            for span in fields[8:]:
                first, _, last = span.partition("-")
                for slot in range(int(first), int(last or first) + 1):
                    covered[slot] += 1
        equal(set(covered), {1}, "owners of each slot in CLUSTER NODES")
        equal(connection.call("CLUSTER", "MYID"), next(l.split(" ")[0].encode() for l in nodes if "myself" in l))
        slots = connection.call("CLUSTER", "SLOTS")
        equal(sum(last - first + 1 for first, last, *_ in slots), 16384)
        expect(all(len(entry[2]) >= 3 and len(entry[2][2]) == 40 for entry in slots), "a node id in CLUSTER SLOTS")
        shards = connection.call("CLUSTER", "SHARDS")
        total = 0
        for shard in shards:
            fields = dict(zip(shard[0::2], shard[1::2]))
            spans = fields[b"slots"]
            total += sum(last - first + 1 for first, last in zip(spans[0::2], spans[1::2]))
            for node in fields[b"nodes"]:
                names = dict(zip(node[0::2], node[1::2]))
                expect({b"id", b"port", b"ip", b"endpoint", b"role", b"replication-offset", b"health"} <= set(names),
                       f"fields of a node in CLUSTER SHARDS: {names}")
        equal(total, 16384, "slots in CLUSTER SHARDS")
        equal(connection.call("CLUSTER", "KEYSLOT", "foo{bar}{zap}"), 5061)
    key = "{count}k"
    with Connection(world.owner(key)) as connection:
        slot = connection.call("CLUSTER", "KEYSLOT", key)
        before = connection.call("CLUSTER", "COUNTKEYSINSLOT", slot)
        connection.call("SET", key, "x")
        equal(connection.call("CLUSTER", "COUNTKEYSINSLOT", slot), before + 1)
        equal(connection.call("DEL", key), 1)


def shard_commands(world):
    with Connection(world.gateway_port) as connection:
        reply = connection.call("SHARD.WHERE", "anything")
        expect(isinstance(reply, list) and len(reply) >= 3 and isinstance(reply[0], int) and isinstance(reply[1], int),
               f"SHARD.WHERE: {reply!r}")
        status = connection.call("SHARD.STATUS")
        expect(not isinstance(status, Error) and status, f"SHARD.STATUS: {status!r}")


def limits(world):
    with Connection(world.gateway_port) as connection:
        for command in [("SET", b"k" * ((64 << 10) + 1), "x"), ("SET", "{limit}k", b"v" * ((16 << 20) + 1))]:
            try:
                reply = connection.call(*command)
                expect(isinstance(reply, Error) and reply.startswith(b"ERR "), f"over the limit: {shorten(reply)}")
            except (Closed, BrokenPipeError, ConnectionResetError):
                raise AssertionError("over the limit: closed without a reply") from None
    with Connection(world.gateway_port) as connection:
        equal(connection.call("PING"), Simple(b"PONG"))
        equal(connection.call("GET", "{limit}k"), None)
        equal(connection.call("SELECT", "nosuch"), Error(b"ERR no such keyspace 'nosuch'"))


def shardctl(world, *arguments, code=0):
    done = subprocess.run([world.shardctl, *arguments], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    expect(done.returncode in (code if isinstance(code, tuple) else (code,)),
           f"shardctl {arguments}: exit {done.returncode}, {done.stdout} {done.stderr}")
    return done.stdout


def other_keyspaces(world):
    if not world.shardctl:
        return
    for name, scheme in [("ringed", ["ring", "--vnodes", "8"]), ("ordered", ["range", "--split-at", "g,n,t"]),
                         ("listed", ["list", "--values", "s1=de,at;s2=fr", "--separator", ":"])]:
        done = subprocess.run([world.shardctl, "keyspace", "create", name, "--scheme", *scheme, "--yes"],
                              capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        expect(done.returncode in (0, 3), f"keyspace create {name}: {done.returncode} {done.stderr}")
        for port in (world.gateway_port, world.cluster_port):
            with Connection(port) as connection:
                equal(connection.call("SELECT", name), Simple(b"OK"))
                for key in ("apple", "kiwi", "zebra", "de:berlin", "fr:paris", "xx:none"):
                    reply = connection.call("SET", key, key.upper())
                    if isinstance(reply, Error) and reply.startswith(b"MOVED") and name == "ringed":
                        continue
                    equal(reply, Simple(b"OK"), f"{name} {key} on {port}")
                    equal(connection.call("GET", key), key.upper().encode())
    listed = json.loads(shardctl(world, "-o", "json", "keyspace", "ls"))
    equal({k["name"]: k["scheme"] for k in listed if k["name"] in ("ringed", "ordered", "listed")},
          {"ringed": "ring", "ordered": "range", "listed": "list"})
    shardctl(world, "keyspace", "create", "ordered", "--scheme", "range", "--yes", code=3)


def select_inside_multi(world):
    """A SELECT inside MULTI says where the keys behind it are; keys of two keyspaces are keys of two shards."""
    if not world.shardctl:
        return
    shardctl(world, "keyspace", "create", "single", "--shards", "1", "--yes", code=(0, 3))
    for port in (world.gateway_port, world.cluster_port):
        with Connection(port) as connection:
            def call(*commands):
                return [connection.call(*command.split(" ")) for command in commands]

            deleted = call("SELECT single", "DEL a", "DEL b")[1]
            if port == world.cluster_port and isinstance(deleted, Error) and deleted.startswith(b"MOVED"):
                continue
            found = call("SELECT 0", "MULTI", "SELECT single", "SET a 1", "SET b 2", "GET a", "EXEC", "GET b")
            equal(found[6], [Simple(b"OK"), Simple(b"OK"), Simple(b"OK"), b"1"], f"on {port}")
            equal(found[7], b"2", "it stays selected")
            found = call("SELECT 0", "MULTI", "SET a 1", "SELECT single", "SET a 1", "EXEC", "SELECT single", "GET a")
            if not (port == world.cluster_port and found[2].startswith(b"MOVED")):
                expect(found[4].startswith(b"CROSSSLOT"), f"keys of two keyspaces: {found[4]!r}")
            expect(found[5].startswith(b"EXECABORT"), f"{found[5]!r}")
            found = call("SELECT single", "MULTI", "SELECT nosuch", "GET a", "EXEC")
            equal(found[4], [Error(b"ERR no such keyspace 'nosuch'"), b"1"])


def command_docs(world):
    """COMMAND DOCS says of every command that redis-server 7.0 has too what that one says, arguments included; what a command
    costs, and which file of the code it is in, is our own."""
    if not shutil.which("redis-server"):
        raise Skip("no redis-server to compare with")
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        server = start_reference(folder, port)
        try:
            with Connection(port) as redis7, Connection(world.gateway_port) as own:
                for connection in (redis7, own):
                    connection.call("HELLO", "3")
                wanted, found = redis7.call("COMMAND", "DOCS"), own.call("COMMAND", "DOCS")
                both = sorted(set(wanted) & set(found))
                expect(len(both) > 70, f"only {len(both)} commands are in both")
                for name in both:
                    theirs, ours = wanted[name].pop(b"subcommands", {}), found[name].pop(b"subcommands", {})
                    for title, one, other in [(name, found[name], wanted[name]),
                                              *((sub, ours[sub], theirs[sub]) for sub in sorted(set(ours) & set(theirs)))]:
                        for own_word in (b"complexity", b"group"):
                            one.pop(own_word), other.pop(own_word)
                        equal(one, other, title.decode())
        finally:
            server.kill()
            server.wait()


def ordered_ranges(world):
    if not world.shardctl:
        return
    with Connection(world.gateway_port) as connection:
        equal(connection.call("SELECT", "ordered"), Simple(b"OK"))
        connection.call("FLUSHDB")
        names = sorted(random.Random(7).sample([a + b + c for a in "abgmnstz" for b in "aeiou" for c in "lrx"], 90))
        for name in names:
            equal(connection.call("SET", name, "v" + name), Simple(b"OK"))
        pairs = [[name.encode(), b"v" + name.encode()] for name in names]
        equal(connection.call("SHARD.RANGE", "-", "+"), pairs, "the whole range, in order over shards")
        equal(connection.call("SHARD.RANGE", "-", "+", "REV"), pairs[::-1])
        equal(connection.call("SHARD.RANGE", "-", "+", "LIMIT", "7"), pairs[:7])
        equal(connection.call("SHARD.RANGE", "-", "+", "LIMIT", "7", "REV"), pairs[::-1][:7])
        inside = [pair for pair in pairs if b"b" <= pair[0] < b"n"]
        equal(connection.call("SHARD.RANGE", "b", "n"), inside)
        equal(connection.call("SHARD.RANGE", "b", "n", "REV"), inside[::-1])
        first, later = names[10], names[20]
        equal([p[0].decode() for p in connection.call("SHARD.RANGE", first, later)], names[10:20], "from in, to out")
        equal(connection.call("SHARD.RANGE", "x", "x"), [])
        equal(connection.call("DBSIZE"), 90)
        equal(set(scan_all(connection)), {name.encode() for name in names}, "SCAN of a range keyspace")
        reply = connection.call("SELECT", "0")
        equal(reply, Simple(b"OK"))
        reply = connection.call("SHARD.RANGE", "-", "+")
        expect(isinstance(reply, Error), f"SHARD.RANGE on a hash keyspace: {shorten(reply)}")


def scan_all(connection, *options):
    cursor, found = b"0", []
    for _ in range(10_000):
        cursor, keys = connection.call("SCAN", cursor, *options)
        expect(0 <= int(cursor) < 1 << 64 and cursor == str(int(cursor)).encode(), f"cursor {cursor!r}")
        found += keys
        if cursor == b"0":
            return found
    raise AssertionError("SCAN does not end")


def scan_under_writes(world):
    """What is there throughout is returned, whatever else comes and goes."""
    client = world.gateway
    steady = {f"steady:{i}".encode() for i in range(2000)}
    pipe = client.pipeline(transaction=False)
    for key in steady:
        pipe.set(key, "x")
    pipe.execute()
    halt = threading.Event()

    def churn():
        with Connection(world.gateway_port) as connection:
            index = 0
            while not halt.is_set():
                connection.call("SET", f"churn:{index % 500}", "y")
                connection.call("DEL", f"churn:{(index + 250) % 500}")
                index += 1

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        with Connection(world.gateway_port) as connection:
            for count in ("10", "1000"):
                found = scan_all(connection, "COUNT", count)
                equal(steady - set(found), set(), f"keys missed by SCAN COUNT {count}")
                steady_found = [key for key in found if key in steady]
                equal(len(steady_found), len(set(steady_found)), "a steady key given twice")
    finally:
        halt.set()
        thread.join()


def resp3(world):
    client = redis.Redis(host="127.0.0.1", port=world.gateway_port, protocol=3, socket_timeout=15)
    client.set("three", "3")
    equal(client.get("three"), b"3")
    equal(client.mget("three", "none"), [b"3", None])


OWN_TESTS = [
    gateway_scatters, gateway_crossslot, cluster_port_is_a_cluster, cluster_commands, shard_commands, limits,
    other_keyspaces, select_inside_multi, command_docs, ordered_ranges, scan_under_writes, resp3,
]


# --- the reference: two redis-servers, one alone, one as a cluster of one ---


def start_reference(folder, port, *arguments):
    server = subprocess.Popen(
        ["redis-server", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", folder, "--bind", "127.0.0.1",
         *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers():
        try:
            with Connection(port) as connection:
                return connection.call("PING") == b"PONG"
        except OSError:
            return False

    eventually(answers, "redis-server answers")
    return server


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def reference_world(folder, servers):
    expect(shutil.which("redis-server"), "--reference wants redis-server on PATH")
    alone, clustered = free_port(), random.randrange(20000, 30000)
    servers.append(start_reference(folder, alone))
    servers.append(start_reference(folder, clustered, "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf"))
    with Connection(clustered) as connection:
        connection.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
        eventually(lambda: b"cluster_state:ok" in connection.call("CLUSTER", "INFO"), "the cluster of one is up")
    # A lone node knows no address of its own until it has been told.
    with Connection(clustered) as connection:
        connection.call("CONFIG", "SET", "cluster-announce-ip", "127.0.0.1")
    return World(alone, clustered, reference=True)


def run(world, only):
    report = Report()

    def wanted(name):
        return not only or only in name

    for kind in ("gateway", "cluster"):
        for name, lines in CASES:
            label = f"{kind}: {name}"
            if wanted(label) and not (world.reference and (name, kind) in NOT_IN_REFERENCE):
                report.test(label, run_case, world, kind, name, lines)
        for body in BYTE_TESTS:
            label = f"{kind}: {body.__name__}"
            if wanted(label):
                report.test(label, body, world, kind)
    for kind, client in (("gateway", world.gateway), ("cluster", world.cluster)):
        for body in API_TESTS:
            label = f"redis-py {kind}: {body.__name__}"
            if wanted(label):
                report.test(label, body, client)
    for body in [] if world.reference else OWN_TESTS:
        if wanted(f"own: {body.__name__}"):
            report.test(f"own: {body.__name__}", body, world)
    report.finish()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gateway", default=os.environ.get("OSTRAKA_GATEWAY"))
    parser.add_argument("--cluster", default=os.environ.get("OSTRAKA_CLUSTER"))
    parser.add_argument("--shardctl")
    parser.add_argument("--reference", action="store_true")
    parser.add_argument("--only", help="run the tests whose name has this in it")
    options = parser.parse_args()
    if options.reference:
        servers = []
        with tempfile.TemporaryDirectory() as folder:
            try:
                run(reference_world(folder, servers), options.only)
            finally:
                for server in servers:
                    server.kill()
                    server.wait()
    if not options.gateway or not options.cluster:
        parser.error("give --gateway and --cluster, or: eval \"$(deploy/local env)\"")
    port = lambda address: int(address.rsplit(":", 1)[1])  # noqa: E731
    run(World(port(options.gateway), port(options.cluster), options.shardctl), options.only)


if __name__ == "__main__":
    main()
