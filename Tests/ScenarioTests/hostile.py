#!/usr/bin/env python3
"""Bad input and bad clients against a live node: no crash, no stall of others above a second, memory that returns.

  hostile.py --gateway H:P --cluster H:P --pid PID[,PID...] [--max-clients N]
The first PID is the datasrv that serves both ports, the others are the rest of its cluster. Each test runs while a well-behaved client pings and writes beside it."""

import argparse
import os
import random
import resource
import socket
import threading
import time

from report import Report, equal, eventually, expect, resident
from resp import Closed, Connection, Error, Simple, pack

MIB = 1 << 20


def memory(pids):
    """Resident bytes of the processes together; fails when one is gone."""
    return sum(resident(pid) for pid in pids)


class Witness:
    """A well-behaved client: notes the longest time that a SET or PING took meanwhile, and every failure."""

    def __init__(self, port):
        self.port, self.halt = port, threading.Event()
        self.worst, self.rounds, self.error = 0.0, 0, None
        self.thread = threading.Thread(target=self.run)

    def run(self):
        try:
            with Connection(self.port) as connection:
                while not self.halt.is_set():
                    began = time.monotonic()
                    equal(connection.call("SET", "witness", self.rounds), Simple(b"OK"))
                    equal(connection.call("GET", "witness"), b"%d" % self.rounds)
                    self.worst = max(self.worst, time.monotonic() - began)
                    self.rounds += 1
                    time.sleep(0.002)
        except Exception as error:  # noqa: BLE001: reported by the test
            self.error = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.halt.set()
        self.thread.join(20)
        if kind is None:
            expect(self.error is None, f"the client beside it failed: {self.error!r}")
            expect(self.rounds > 0, "the client beside it did nothing")
            expect(self.worst < 1.0, f"the client beside it was stalled for {self.worst:.2f} s")


class Target:
    def __init__(self, gateway, cluster, pids, max_clients):
        self.ports = {"gateway": gateway, "cluster": cluster}
        self.gateway, self.pids, self.max_clients = gateway, pids, max_clients

    def both(self):
        return self.ports.values()


def last_reply(connection):
    """The reply before the peer closed, None without one."""
    try:
        return connection.read()
    except Closed:
        return None
    except (socket.timeout, TimeoutError):
        return "no answer"


def protocol_errors(target):
    """Bytes that are not RESP: Redis's own words where it has them, then the connection is closed."""
    cases = [
        (b"*x\r\n", b"ERR Protocol error: invalid multibulk length"),
        (b"*2147483648\r\n", b"ERR Protocol error: invalid multibulk length"),
        (b"*9223372036854775808\r\n", b"ERR Protocol error: invalid multibulk length"),
        (b"*+1\r\n$4\r\nPING\r\n", b"ERR Protocol error: invalid multibulk length"),
        (b"*01\r\n$4\r\nPING\r\n", b"ERR Protocol error: invalid multibulk length"),
        (b"*1\r\n:4\r\n", b"ERR Protocol error: expected '$', got ':'"),
        (b"*1\r\n$-1\r\n", b"ERR Protocol error: invalid bulk length"),
        (b"*1\r\n$x\r\n", b"ERR Protocol error: invalid bulk length"),
        (b"*1\r\n$+4\r\nPING\r\n", b"ERR Protocol error: invalid bulk length"),
        (b"*1\r\n$04\r\nPING\r\n", b"ERR Protocol error: invalid bulk length"),
        (b"*1\r\n$9223372036854775808\r\n", b"ERR Protocol error: invalid bulk length"),
        (b"*1\r\n*1\r\n$4\r\nPING\r\n", b"ERR Protocol error: expected '$', got '*'"),
        (b"*2\r\n$4\r\nECHO\r\n*1\r\n", b"ERR Protocol error: expected '$', got '*'"),
        (b"GET \"open\r\n", b"ERR Protocol error: unbalanced quotes in request"),
        (b"x" * (65 * 1024), b"ERR Protocol error: too big inline request"),
        (b"*" + b"1" * (65 * 1024), b"ERR Protocol error: too big mbulk count string"),
        (b"*1\r\n$" + b"1" * (65 * 1024), b"ERR Protocol error: too big bulk count string"),
    ]
    for port in target.both():
        for data, wanted in cases:
            with Connection(port) as connection:
                connection.send(data)
                equal(last_reply(connection), Error(wanted), repr(data[:40]))
                expect(connection.closed_within(5), f"{data[:40]!r}: closed after the error")


def wrong_terminators(target):
    """As Redis 7.0: what stands behind a bulk string is two bytes whatever they are, a line ends with CR and one byte."""
    pong = b"+PONG\r\n"
    cases = [
        (b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n", pong * 2, False),
        (b"*1\r\n$4\r\nPING\n\r", pong, False),
        (b"*1\rx$4\rxPING\r\n", pong, False),
        # No CR, so no end of the first line.
        (b"*1\n$4\nPING\n", b"", False),
        (b"*1\r\r\n$4\r\nPING\r\n", b"-ERR Protocol error: expected '$', got ' '\r\n", True),
        (b"*1\r\n$4\n\nPING\r\n", b"-ERR Protocol error: invalid bulk length\r\n", True),
        # An inline command ends at its NUL: this one is empty.
        (b"\x00\x01\x02\r\n", b"", False),
        (b"\xff\xfe\r\n", "-ERR unknown command '\ufffd\ufffd', with args beginning with: \r\n".encode(), False),
    ]
    for port in target.both():
        for data, wanted, closes in cases:
            with Connection(port) as connection:
                connection.send(data)
                # What is answered or closed came before this; a half-closed connection is closed once all is answered.
                connection.socket.shutdown(socket.SHUT_WR)
                equal((data, drained(connection.socket)), (data, wanted))
            if closes:
                with Connection(port) as connection:
                    connection.send(data)
                    equal(drained(connection.socket), wanted)
        with Connection(port) as connection:
            equal(connection.call("PING"), Simple(b"PONG"))


def drained(peer):
    """All bytes until the other side closes, waiting at most 10 s."""
    peer.settimeout(10)
    received = b""
    while piece := peer.recv(4096):
        received += piece
    return received


def deep_nesting(target):
    for port in target.both():
        with Connection(port) as connection:
            try:
                connection.send(b"*1\r\n" * 200_000)
            except OSError:
                pass  # closed while we were still sending: as it should
            reply = None
            try:
                reply = last_reply(connection)
            except OSError:
                pass
            expect(reply is None or isinstance(reply, Error), f"nested arrays: {reply!r}")
            expect(connection.closed_within(5), "closed")


def http_verbs(target):
    """A browser made to speak to us is cut off: nothing of its request's body may run."""
    for port in target.both():
        for verb in (b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\nSET http-victim owned\r\n",
                     b"Host: localhost\r\nSET http-victim owned\r\n", b"post / http/1.1\r\nSET http-victim owned\r\n"):
            with Connection(port) as connection:
                connection.send(verb)
                expect(connection.closed_within(5), f"{verb[:20]!r}: closed")
    with Connection(target.gateway) as connection:
        equal(connection.call("EXISTS", "http-victim"), 0)


def declared_lengths(target):
    """A thousand connections each announce 16 MiB and send a little: memory follows what was received."""
    for port in target.both():
        before = memory(target.pids)
        with Witness(target.gateway):
            held = []
            try:
                for index in range(1000):
                    connection = Connection(port)
                    if index % 2:
                        connection.send(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$16777216\r\nabc")
                    else:
                        connection.send(b"*1048576\r\n$3\r\nabc\r\n")
                    held.append(connection)
                time.sleep(0.5)
                grown = memory(target.pids) - before
                expect(grown < 64 * MIB, f"memory grew by {grown / MIB:.0f} MiB for 1000 announcements")
            finally:
                for connection in held:
                    connection.close()


def huge_announcements(target):
    """Lengths up to Redis's own 512 MiB limit and beyond ours: refused or waited for, never allocated."""
    before = memory(target.pids)
    with Witness(target.gateway):
        held = []
        for length in (16777217, 67108864, 536870912, 536870913, 2147483648, 1 << 62):
            connection = Connection(target.gateway)
            connection.send(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\nabc" % length)
            held.append(connection)
        time.sleep(0.3)
        grown = memory(target.pids) - before
        for connection in held:
            connection.close()
        expect(grown < 64 * MIB, f"memory grew by {grown / MIB:.0f} MiB")


def integer_edges(target):
    with Connection(target.gateway) as connection:
        connection.call("SET", "{edge}n", "1")
        for word in ("+5", "05", " 5", "5 ", "-0", "9223372036854775808", "-9223372036854775809", "1e3", "0x10", "",
                     "18446744073709551616", "99999999999999999999999999999999"):
            for command in (("INCRBY", "{edge}n", word), ("EXPIRE", "{edge}n", word), ("GETRANGE", "{edge}n", word, "1")):
                reply = connection.call(*command)
                equal(reply, Error(b"ERR value is not an integer or out of range"), repr(command))
        for command in (("SETRANGE", "{edge}n", "9223372036854775807", "x"), ("SETBIT", "{edge}n", "9223372036854775807", "1"),
                        ("EXPIRE", "{edge}n", "9223372036854775807"), ("BITFIELD", "{edge}n", "SET", "i64", "#9223372036854775807", "1"),
                        ("BITFIELD", "{edge}n", "GET", "i65", "0"), ("GETBIT", "{edge}n", "18446744073709551615"),
                        ("SCAN", "18446744073709551616"), ("SCAN", "0", "COUNT", "-9223372036854775808"),
                        ("SLOWLOG", "GET", "9223372036854775808"), ("CLUSTER", "KEYSLOT"), ("WAIT", "9223372036854775808", "0")):
            reply = connection.call(*command)
            expect(isinstance(reply, Error), f"{command}: {reply!r}")
        for command in (("GETRANGE", "{edge}n", "-9223372036854775808", "9223372036854775807"),
                        ("BITCOUNT", "{edge}n", "-9223372036854775808", "9223372036854775807"),
                        ("BITPOS", "{edge}n", "1", "-9223372036854775808", "9223372036854775807"),
                        ("GETRANGE", "{edge}n", "9223372036854775807", "-9223372036854775808"),
                        ("SCAN", "18446744073709551615")):
            expect(not isinstance(connection.call(*command), Error), f"{command} is no error in Redis")
        equal(connection.call("GET", "{edge}n"), b"1")


def backtracking_patterns(target):
    with Connection(target.gateway) as connection:
        for index in range(300):
            connection.call("SET", "a" * 60 + str(index), "x")
        with Witness(target.gateway):
            began = time.monotonic()
            for pattern in ("a*" * 40 + "b", "*a" * 40 + "b", "*" * 1000 + "b", "[" * 500, "\\" * 501, "[a-", "[^", "?" * 70):
                reply = connection.call("SCAN", "0", "MATCH", pattern, "COUNT", "100")
                expect(not isinstance(reply, Error), f"{pattern[:20]}: {reply!r}")
                connection.call("KEYS", pattern)
            expect(time.monotonic() - began < 10, "patterns that backtrack take for ever")
        for index in range(300):
            connection.call("DEL", "a" * 60 + str(index))


def unread_replies(target):
    """A client that asks and never reads, for a value here and for one on another node: closed at the output bound, memory
    comes back."""
    for key in sorted(keys_by_node(target).values()):
        with Connection(target.gateway) as connection:
            connection.call("SET", key, random.Random(1).randbytes(MIB))
        before = memory(target.pids)
        with Witness(target.gateway):
            connection = Connection(target.gateway, receive_buffer=4096)
            peak = 0
            try:
                for _ in range(400):
                    connection.send(pack("GET", key) * 4)
                    peak = max(peak, memory(target.pids))
            except OSError:
                pass
            finally:
                time.sleep(0.2)
                peak = max(peak, memory(target.pids))
                connection.close()
            expect(peak - before < 200 * MIB, f"memory grew by {(peak - before) / MIB:.0f} MiB under one silent client")
        eventually(lambda: memory(target.pids) - before < 64 * MIB, "memory comes back after the silent client", 20)


def keys_by_node(target):
    """A key of each node, by the node's name."""
    found = {}
    with Connection(target.gateway) as connection:
        for index in range(200):
            found.setdefault(connection.call("SHARD.WHERE", f"unread:{index}")[2], f"unread:{index}")
    equal(len(found), len(target.pids), "every node serves a shard")
    return found


def slow_loris(target):
    """Connections that send a byte now and then do not keep others waiting."""
    command = pack("SET", "loris", "x" * 50)
    with Witness(target.gateway):
        held = [Connection(target.gateway) for _ in range(200)]
        for index in range(len(command)):
            for connection in held:
                connection.send(command[index : index + 1])
        for connection in held:
            equal(connection.read(), Simple(b"OK"))
            connection.close()


def too_many_clients(target):
    """The connection past the limit is told so and closed; when others go, new ones are welcome."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and hard < target.max_clients + 500:
        raise AssertionError(f"this test needs {target.max_clients + 500} files, the hard limit is {hard}")
    held, refusal = [], None
    try:
        for _ in range(target.max_clients + 50):
            connection = socket.create_connection(("127.0.0.1", target.gateway), timeout=15)
            held.append(connection)
        probe = held[-1]
        probe.settimeout(10)
        try:
            refusal = probe.recv(200)
        except ConnectionResetError:
            refusal = b""
        equal(refusal, b"-ERR max number of clients reached\r\n", "what the connection past the limit is told")
        equal(probe.recv(10), b"", "and it is closed")
        first = held[0]
        first.sendall(b"PING\r\n")
        first.settimeout(10)
        equal(first.recv(100), b"+PONG\r\n", "the first connection still works")
    finally:
        for connection in held:
            connection.close()

    def welcome():
        try:
            with Connection(target.gateway) as connection:
                return connection.call("PING") == b"PONG"
        except (Closed, OSError):
            return False

    eventually(welcome, "new clients are welcome again", 20)


def random_bytes(target):
    """Noise, and commands with single bytes turned: whatever is answered, the server goes on."""
    randomness = random.Random(20261125)
    whole = pack("SET", "{noise}k", "v" * 20) + pack("BITFIELD", "{noise}k", "GET", "u8", "0") + pack("SCAN", "0")
    with Witness(target.gateway):
        for round_number in range(300):
            with Connection(list(target.both())[round_number % 2]) as connection:
                data = bytearray(whole)
                if round_number % 3 == 0:
                    data = bytearray(randomness.randbytes(400))
                else:
                    for _ in range(randomness.randrange(1, 4)):
                        data[randomness.randrange(len(data))] = randomness.randrange(256)
                try:
                    connection.send(bytes(data))
                    connection.socket.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                connection.closed_within(5)


def half_closed(target):
    """Who shuts down his sending side still gets the replies to what he sent."""
    for port in target.both():
        with Connection(port) as connection:
            connection.send(pack("PING") * 1000)
            connection.socket.shutdown(socket.SHUT_WR)
            for _ in range(1000):
                equal(connection.read(), Simple(b"PONG"))
            expect(connection.closed_within(5), "then it is closed")


def vanishing_clients(target):
    """Connections that are reset in the middle of commands and of replies."""
    with Witness(target.gateway):
        for index in range(500):
            connection = Connection(target.gateway)
            connection.send((pack("SET", "gone", "x" * 1000) * 20 + pack("GET", "gone") * 20)[: 50 * index + 1])
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            connection.close()


TESTS = [
    protocol_errors, wrong_terminators, deep_nesting, http_verbs, declared_lengths, huge_announcements, integer_edges,
    backtracking_patterns, unread_replies, slow_loris, random_bytes, half_closed, vanishing_clients, too_many_clients,
]


def settled(target, before):
    memory(target.pids)
    eventually(lambda: memory(target.pids) - before < 64 * MIB, f"memory within 64 MiB of before ({before / MIB:.0f} MiB)", 20)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--cluster", required=True)
    parser.add_argument("--pid", required=True)
    parser.add_argument("--max-clients", type=int, default=10_000)
    parser.add_argument("--only", help="run the tests whose name has this in it")
    options = parser.parse_args()
    port = lambda address: int(address.rsplit(":", 1)[-1])  # noqa: E731
    target = Target(port(options.gateway), port(options.cluster), [int(pid) for pid in options.pid.split(",")], options.max_clients)
    # Warm: what a first use allocates once is no growth.
    with Connection(target.gateway) as connection:
        for index in range(1000):
            connection.call("SET", f"warm:{index}", "x" * 1000)
    before = memory(target.pids)
    report = Report()
    for body in TESTS:
        if not options.only or options.only in body.__name__:
            report.test(f"hostile: {body.__name__}", body, target)
    report.test("hostile: the process lives and its memory is back", settled, target, before)
    report.finish()


if __name__ == "__main__":
    main()
