"""Recorded load of mixed commands: raw sockets on gateway and cluster ports, redis-py's single-server and cluster clients.

Nobody here sends a command again whose outcome is unknown. Keys come in groups `letter:{tag}`, each on one shard in every
scheme; hot groups are few and are left for new ones every few seconds, which keeps the histories of single keys short."""

import random
import threading
import traceback
import time

import redis
import redis.backoff
import redis.cluster
import redis.exceptions
import redis.retry

from history import word
from resp import Closed, Connection, Error, pack

LETTERS = "abcdefgh"
KEYSPACES = {
    "default": ["--scheme", "hash", "--shards", "6"],
    "rings": ["--scheme", "ring", "--vnodes", "2"],
    "ranges": ["--scheme", "range", "--split-at", "c,e,g"],
    "lists": ["--scheme", "list", "--values", "s1=a,b;s2=c,d;s3=e", "--separator", ":"],
}
# MOVED comes for these on the cluster port; the others are forwarded.
SLOT_KEYSPACES = ("default", "rings")
HOT_SECONDS, COLD_SECONDS = 5, 45
HOT_GROUPS, COLD_GROUPS = 2, 60
DEFINITE = (b"TRYAGAIN", b"OVERLOADED", b"READONLY", b"MOVED", b"STALE", b"EXECABORT", b"CROSSSLOT", b"ERR value is not an integer")
PACE = 0.004
# What redis-py raises; the one of its cluster client is no RedisError.
REDIS_PY = (redis.exceptions.RedisError, redis.exceptions.RedisClusterException)


class Strange(Exception):
    """A reply that no such command has: a failure of the test."""


def outcome_of_error(line):
    if line.startswith(b"UNCERTAIN"):
        return "unknown"
    if line.startswith(DEFINITE):
        return "refused"
    raise Strange(repr(line))


def told(reply, action):
    """The outcome that a reply states; `action` is the word of the history."""
    if isinstance(reply, Error):
        return outcome_of_error(reply)
    kind = action.split(" ", 1)[0]
    if kind == "set" and reply == b"OK":
        return "ok"
    if kind == "setnx" and (reply is None or reply == b"OK"):
        return "number 0" if reply is None else "number 1"
    if kind in ("get", "exchange", "getdel") and (reply is None or isinstance(reply, bytes)):
        return "nil" if reply is None else f"value {word(reply)}"
    if kind in ("exists", "delete", "increment", "append") and isinstance(reply, int):
        return f"number {reply}"
    raise Strange(f"{action}: {reply!r}")


class Request:
    """Commands that go out in one piece, and what each does to its key."""

    def __init__(self, name, commands, actions):
        self.name, self.commands, self.actions = name, commands, actions

    def outcomes(self, replies):
        last = replies[-1]
        if isinstance(last, Error):
            return outcome_of_error(last)
        if self.name == "MULTI":
            if not isinstance(last, list) or len(last) != 3 or last[1] != b"OK":
                raise Strange(f"MULTI: {replies!r}")
            last = [last[0], last[2]]
        if self.name in ("MGET", "MULTI"):
            if not isinstance(last, list) or len(last) != len(self.actions):
                raise Strange(f"{self.name}: {replies!r}")
            return [told(reply, action) for reply, (_, action) in zip(last, self.actions)]
        if self.name == "MSET":
            if last != b"OK":
                raise Strange(f"MSET: {last!r}")
            return "ok"
        return [told(last, self.actions[0][1])]


class Values:
    """Values that nobody else writes."""

    def __init__(self, client):
        self.prefix, self.count = f"{client}.", 0

    def next(self):
        self.count += 1
        return f"{self.prefix}{self.count}"


def group(randomness, began):
    """The common part of the keys of a group."""
    age = time.monotonic() - began
    letter = randomness.choice(LETTERS)
    if randomness.random() < 0.5:
        return f"{LETTERS[randomness.randrange(HOT_GROUPS)]}:{{h{int(age / HOT_SECONDS)}}}"
    return f"{letter}:{{k{randomness.randrange(COLD_GROUPS)}.{int(age / COLD_SECONDS)}}}"


def draw(randomness, values, began, single_slot):
    """A request at random. `single_slot`: for a port that takes several keys of one slot only."""
    base = group(randomness, began)
    key, counter, tail = base + "r", base + "c", base + "a"
    choice = randomness.randrange(100)
    if choice < 28:
        return Request("GET", [("GET", key)], [(key, "get")])
    if choice < 48:
        value = values.next()
        return Request("SET", [("SET", key, value)], [(key, f"set {value}")])
    if choice < 54:
        return Request("DEL", [("DEL", key)], [(key, "delete")])
    if choice < 59:
        value = values.next()
        return Request("SET NX", [("SET", key, value, "NX")], [(key, f"setnx {value}")])
    if choice < 64:
        value = values.next()
        return Request("GETSET", [("GETSET", key, value)], [(key, f"exchange {value}")])
    if choice < 74:
        return Request("INCR", [("INCR", counter)], [(counter, "increment 1")])
    if choice < 77:
        return Request("GET", [("GET", counter)], [(counter, "get")])
    if choice < 82:
        part = values.next() + ","
        return Request("APPEND", [("APPEND", tail, part)], [(tail, f"append {part}")])
    if choice < 85:
        return Request("GET", [("GET", tail)], [(tail, "get")])
    if choice < 89:
        keys = list(dict.fromkeys([key, counter, tail] if single_slot else [group(randomness, began) + "r" for _ in range(4)]))
        return Request("MGET", [("MGET", *keys)], [(name, "get") for name in keys])
    if choice < 92 and not single_slot:
        pairs = {group(randomness, began) + "r": values.next() for _ in range(3)}
        return Request("MSET", [("MSET", *(part for pair in pairs.items() for part in pair))],
                       [(name, f"set {value}") for name, value in pairs.items()])
    value = values.next()
    commands = [("MULTI",), ("GET", key), ("SET", key, value), ("INCR", counter), ("EXEC",)]
    # What is read and then set in one transaction is one exchange.
    return Request("MULTI", commands, [(key, f"exchange {value}"), (counter, "increment 1")])


class Unsent(Exception):
    """Nothing left this client."""


class RawGateway:
    """One socket on a gateway; when it breaks the next gateway in the list is taken."""

    name, single_slot = "gateway", False

    def __init__(self, ports, at, keyspace):
        self.ports, self.at, self.keyspace, self.connection = ports, at % len(ports), keyspace, None

    def _open(self, port):
        try:
            connection = Connection(port, timeout=8)
            if connection.call("SELECT", self.keyspace if self.keyspace != "default" else "0") != b"OK":
                raise Closed()
            return connection
        except (OSError, Closed):
            raise Unsent() from None

    def ask(self, request):
        if self.connection is None:
            self.at = (self.at + 1) % len(self.ports)
            self.connection = self._open(self.ports[self.at])
        return talk(self.connection, request)

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


def talk(connection, request):
    connection.send(b"".join(pack(*command) for command in request.commands))
    return [connection.read() for _ in request.commands]


class RawCluster(RawGateway):
    """A socket for each node's cluster port; follows MOVED, which says that nothing happened."""

    name, single_slot = "cluster", True

    def __init__(self, ports, at, keyspace):
        super().__init__(ports, at, keyspace)
        self.connections, self.homes = {}, {}

    def ask(self, request):
        base = request.actions[0][0].rpartition("}")[0]
        port = self.homes.get(base) or self.ports[self.at]
        for _ in range(4):
            try:
                if port not in self.connections:
                    self.connections[port] = self._open(port)
                replies = talk(self.connections[port], request)
            except Exception:
                self.homes.pop(base, None)
                self.at = (self.at + 1) % len(self.ports)
                if port in self.connections:
                    self.connections.pop(port).close()
                raise
            moved = next((reply for reply in replies if isinstance(reply, Error) and reply.startswith(b"MOVED")), None)
            if moved is None:
                return replies
            port = self.homes[base] = int(moved.rpartition(b":")[2])
        return replies

    def close(self):
        for connection in self.connections.values():
            connection.close()
        self.connections = {}


def plain(reply):
    """A reply of redis-py as the raw ones are."""
    if reply is True:
        return b"OK"
    if reply is False:
        return None
    return reply


class RedisPy:
    """redis.Redis on a gateway, without retries of its own."""

    name, single_slot = "redis-py", False

    def __init__(self, ports, at, keyspace):
        self.ports, self.at, self.keyspace, self.client = ports, at % len(ports), keyspace, None

    def _connect(self):
        self.at = (self.at + 1) % len(self.ports)
        # `db` is what every connection of its pool selects first: a transaction takes one of its own.
        return redis.Redis(port=self.ports[self.at], db=0 if self.keyspace == "default" else self.keyspace, socket_timeout=8,
                           retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0), retry_on_timeout=False, protocol=2)

    def ask(self, request):
        if self.client is None:
            self.client = self._connect()
        try:
            if request.name == "MULTI":
                pipe = self.client.pipeline(transaction=True)
                for command in request.commands[1:-1]:
                    pipe.execute_command(*command)
                return [[plain(reply) for reply in pipe.execute()]]
            return [plain(self.client.execute_command(*request.commands[0]))]
        except redis.exceptions.ResponseError as error:
            # redis-py keeps the code of an error it knows to itself: of EXECABORT and MOVED, say.
            text = str(error).rpartition(" of pipeline caused error: ")[2]
            return [Error(self._code(error) + text.encode())]

    @staticmethod
    def _code(error):
        if isinstance(error, redis.exceptions.ExecAbortError):
            return b"EXECABORT "
        if isinstance(error, redis.exceptions.TryAgainError):
            return b"TRYAGAIN "
        if isinstance(error, redis.exceptions.MovedError):
            return b"MOVED "
        if isinstance(error, redis.exceptions.ReadOnlyError):
            return b"READONLY "
        if "not an integer" in str(error):
            return b"ERR "
        if str(error).startswith("no such keyspace"):
            # To the SELECT of a new connection while no metasrv is there: the command behind it was never sent.
            return b"TRYAGAIN "
        return b""

    def close(self):
        if self.client is not None:
            self.client.close()
        self.client = None


class RedisPyCluster(RedisPy):
    """redis.RedisCluster on the cluster ports, without retries after a broken connection. Transactions it has none."""

    name, single_slot = "redis-py cluster", True

    def _connect(self):
        nodes = [redis.cluster.ClusterNode("127.0.0.1", port) for port in self.ports]
        try:
            return redis.cluster.RedisCluster(startup_nodes=nodes, socket_timeout=8, cluster_error_retry_attempts=0,
                                              retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0), protocol=2)
        except (*REDIS_PY, OSError, IndexError):
            # An IndexError where no node knows of any primary yet, as after the loss of all of them at once.
            raise Unsent() from None

    def ask(self, request):
        try:
            return super().ask(request)
        except redis.exceptions.ClusterError as error:
            # Sixteen times MOVED or TRYAGAIN, which all say that nothing happened.
            if "TTL exhausted" in str(error):
                return [Error(b"TRYAGAIN TTL exhausted")]
            raise
        except IndexError:
            # The same as in `_connect`, when it asks for the map after a connection broke.
            raise Closed() from None


class Load:
    """Clients that work until they are told to stop."""

    def __init__(self, nodes, history, seed, clients=14):
        self.history, self.halt, self.strange = history, threading.Event(), []
        self.began = time.monotonic()
        self.threads = []
        names = list(KEYSPACES)
        for number in range(clients):
            keyspace = names[number % len(names)]
            if number % 7 == 5:
                kind, ports = RedisPyCluster, nodes.ports
                keyspace = "default"
            elif number % 7 == 3:
                kind, ports = RedisPy, nodes.gateways
            elif number % 7 in (1, 6):
                kind, ports = RawCluster, nodes.ports
            else:
                kind, ports = RawGateway, nodes.gateways
            client = kind(ports, number, keyspace)
            self.threads.append(threading.Thread(target=self._work, args=(client, random.Random(f"{seed}.{number}"))))
        self.probes = {}
        for shard, key in find_probes(nodes).items():
            part = history.client()
            self.probes[shard] = []
            self.threads.append(threading.Thread(target=self._probe, args=(nodes, part, shard, key)))

    def _work(self, client, randomness):
        part = self.history.client()
        values = Values(part.number)
        while not self.halt.is_set():
            request = draw(randomness, values, self.began, client.single_slot)
            if request.name == "MULTI" and isinstance(client, RedisPyCluster):
                continue
            self._do(client, part, request)
            self.halt.wait(randomness.uniform(0, 2 * PACE))
        client.close()

    def _do(self, client, part, request):
        """One request, recorded; whether it succeeded."""
        invoked = time.monotonic_ns()
        name = f"{request.name}"
        try:
            outcomes = request.outcomes(client.ask(request))
        except Strange as error:
            self.strange.append(f"{client.name}: {error}")
            outcomes = "unknown"
        except Unsent:
            part.note(client.keyspace, invoked, request.actions, "refused", name)
            self.halt.wait(0.02)
            return False
        except (OSError, Closed, *REDIS_PY):
            client.close()
            outcomes = "unknown"
        except Exception as error:  # noqa: BLE001: a client that ends here would leave its request out of the history
            self.strange.append(f"{client.name}: {traceback.format_exc(limit=-3)}")
            client.close()
            outcomes = "unknown"
        part.note(client.keyspace, invoked, request.actions, outcomes, name)
        if outcomes in ("refused", "unknown"):
            self.halt.wait(0.02)
            return False
        return True

    def _probe(self, nodes, part, shard, key):
        """Writes to one shard all the time, so that it is known when it took none."""
        client, values = RawGateway(nodes.gateways, shard, "default"), Values(f"p{part.number}")
        while not self.halt.is_set():
            value = values.next()
            if self._do(client, part, Request("SET", [("SET", key, value)], [(key, f"set {value}")])):
                self.probes[shard].append(time.monotonic())
            self.halt.wait(0.02)
        client.close()

    def longest_pause(self, shard, moment):
        """From the last write acknowledged before a moment to the first one after it."""
        acknowledged = self.probes[shard]
        before = [at for at in acknowledged if at <= moment + 0.05]
        after = [at for at in acknowledged if at > moment + 0.05]
        return after[0] - before[-1] if before and after else None

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.halt.set()
        for thread in self.threads:
            thread.join(60)


def find_probes(nodes):
    """For each shard of `default` a key in it."""
    wanted = {s["id"] for s in nodes.shards() or [] if s["keyspace"] == "default"}
    found = {}
    with Connection(nodes.gateways[0]) as connection:
        for number in range(1000):
            shard = connection.call("SHARD.WHERE", f"probe{number}")[0]
            found.setdefault(int(shard), f"probe{number}")
            if set(found) >= wanted:
                break
    return found


def create_keyspaces(nodes, flows):
    """All schemes with three copies each; flows by turns."""
    for index, (name, options) in enumerate(KEYSPACES.items()):
        nodes.shardctl("keyspace", "create", name, *options, "--replicas", "3", "--flow", flows[index % len(flows)], "--yes")


def read_all(nodes, history, gateways, seconds=60):
    """Reads every key that the history knows, as part of the history; each read is tried until it has an outcome."""
    part, by_keyspace = history.client(), {}
    for keyspace, key in history.keys:
        by_keyspace.setdefault(keyspace, []).append(key)
    deadline, count = time.monotonic() + seconds, 0
    for index, (keyspace, keys) in enumerate(by_keyspace.items()):
        client = RawGateway(gateways, index, keyspace)
        for start in range(0, len(keys), 50):
            some = keys[start : start + 50]
            request = Request("MGET", [("MGET", *some)], [(key, "get") for key in some])
            while True:
                invoked = time.monotonic_ns()
                try:
                    outcomes = request.outcomes(client.ask(request))
                except (Unsent, OSError, Closed):
                    client.close()
                    outcomes = "unknown"
                part.note(keyspace, invoked, request.actions, outcomes, "MGET")
                if outcomes not in ("refused", "unknown"):
                    break
                if time.monotonic() > deadline:
                    raise AssertionError(f"{keyspace}: keys cannot be read within {seconds} s")
                time.sleep(0.1)
            count += len(some)
        client.close()
    return count
