"""What EXEC answers, byte for byte, when commands inside MULTI set something of the connection: the keyspace, the protocol, the
name, whether there are replies at all. The expectations are what redis-server 7.0.15 sends; `redis_py.py --reference` holds them
against it. Each conversation is held under several tags, so that its keys lie here, and on other nodes."""

import re
import threading

from report import equal, expect
from resp import Error, Simple, pack

OK, QUEUED, NIL = b"+OK\r\n", b"+QUEUED\r\n", b"$-1\r\n"
ONE = b"$1\r\n1\r\n"
TAGS = ("a", "b", "c", "d", "e")


def greeting(version):
    begin = b"%7" if version == 3 else b"*14"
    return (begin + b"\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:%d\r\n" % version
            + b"$2\r\nid\r\n:N\r\n$4\r\nmode\r\n$M\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n")


# Name, commands, what is answered to all of them together. `@k` is a key.
CONVERSATIONS = [
    ("select", ["MULTI", "SELECT 0", "SET @k 1", "SELECT 0", "GET @k", "EXEC", "GET @k"],
     OK + QUEUED * 4 + b"*4\r\n" + OK * 3 + ONE + ONE),
    ("a database that there is not", ["MULTI", "SELECT 99", "SET @k 1", "EXEC", "GET @k"],
     OK + QUEUED * 2 + b"*2\r\n-ERR DB index is out of range\r\n" + OK + ONE),
    ("hello there and back", ["MULTI", "HELLO 3", "GET @none", "HELLO 2", "GET @none", "EXEC", "GET @none"],
     OK + QUEUED * 4 + b"*4\r\n" + greeting(3) + b"_\r\n" + greeting(2) + NIL + NIL),
    ("hello that stays", ["SET @k 1", "MULTI", "GET @none", "HELLO 3", "GET @k", "GET @none", "EXEC", "GET @none"],
     OK + OK + QUEUED * 4 + b"*4\r\n" + NIL + greeting(3) + ONE + b"_\r\n" + b"_\r\n"),
    ("a hello that fails", ["MULTI", "HELLO 9", "HELLO 3 NOSUCH", "GET @none", "EXEC", "GET @none"],
     OK + QUEUED * 3 + b"*3\r\n-NOPROTO unsupported protocol version\r\n"
     + b"-ERR Syntax error in HELLO option 'NOSUCH'\r\n" + NIL + NIL),
    ("names", ["MULTI", "CLIENT SETNAME me", "SET @k 1", "CLIENT GETNAME", "HELLO 2 SETNAME you", "EXEC", "CLIENT GETNAME"],
     OK + QUEUED * 4 + b"*4\r\n" + OK * 2 + b"$2\r\nme\r\n" + greeting(2) + b"$3\r\nyou\r\n"),
    ("replies off", ["MULTI", "CLIENT REPLY OFF", "SET @k 1", "GET @k", "EXEC", "GET @k", "CLIENT REPLY ON", "GET @k"],
     OK + QUEUED * 3 + b"*3\r\n" + OK + ONE),
    ("replies off and on",
     ["MULTI", "SET @k 1", "CLIENT REPLY OFF", "GET @k", "CLIENT REPLY ON", "GET @k", "EXEC", "GET @k"],
     OK + QUEUED * 5 + b"*5\r\n" + OK + OK + ONE + ONE),
    ("replies on at last", ["CLIENT REPLY OFF", "MULTI", "SET @k 1", "CLIENT REPLY ON", "GET @k", "EXEC", "GET @k"],
     OK + ONE + ONE),
    ("a reply skipped", ["MULTI", "SET @k 1", "CLIENT REPLY SKIP", "GET @k", "EXEC", "GET @k", "GET @k"],
     OK + QUEUED * 3 + b"*3\r\n" + OK + ONE + ONE),
    ("nothing but the connection", ["MULTI", "CLIENT SETNAME me", "UNWATCH", "CLIENT GETNAME", "EXEC"],
     OK + QUEUED * 3 + b"*3\r\n" + OK * 2 + b"$2\r\nme\r\n"),
    ("arrays and errors among them", ["SET @k x", "MULTI", "MGET @k @none", "INCR @k", "CLIENT GETNAME", "STRLEN @k", "EXEC"],
     OK + OK + QUEUED * 4 + b"*4\r\n*2\r\n$1\r\nx\r\n" + NIL + b"-ERR value is not an integer or out of range\r\n" + NIL
     + b":1\r\n"),
]


def until_echo(connection, data):
    """What is answered to the bytes, up to the answer to an ECHO behind them."""
    mark = b"$11\r\nthe-very-end\r\n".replace(b"$11", b"$12")
    connection.send(data + pack("ECHO", "the-very-end"))
    found = connection.buffer
    while not found.endswith(mark):
        part = connection.socket.recv(65536)
        expect(part, f"closed after {found!r}")
        found += part
    connection.buffer = b""
    return found[: -len(mark)]


def masked(found):
    """Without what differs from server to server: a client's number, and whether there is a cluster."""
    found = re.sub(rb"\$2\r\nid\r\n:\d+\r\n", b"$2\r\nid\r\n:N\r\n", found)
    return re.sub(rb"\$4\r\nmode\r\n\$\d+\r\n[a-z]+\r\n", b"$4\r\nmode\r\n$M\r\n", found)


def conversations(world, kind):
    """All at once, as a pipeline, and one by one."""
    for tag in TAGS:
        tag = f"{{{kind}-{tag}}}"
        for name, commands, wanted in CONVERSATIONS:
            packed = [pack(*[tag + word[1:] if word.startswith("@") else word for word in command.split(" ")])
                      for command in commands]
            for parts in ([b"".join(packed)], packed):
                with world.raw(kind, tag.encode()) as connection:
                    connection.call("DEL", f"{tag}k")
                    found = b""
                    for part in parts[:-1]:
                        connection.send(part)
                    found += until_echo(connection, parts[-1])
                    equal(masked(found), wanted, f"{name}, {tag}, {'pipelined' if len(parts) == 1 else 'one by one'}")


def nothing_runs_after_a_change(world, kind):
    """A watched key was written: what the transaction would have set of the connection is not set."""
    for tag in TAGS:
        key = f"{{watched-{kind}-{tag}}}k"
        with world.raw(kind, key.encode()) as one, world.raw(kind, key.encode()) as other:
            equal(one.call("SET", key, "1"), Simple(b"OK"))
            equal(one.call("WATCH", key), Simple(b"OK"))
            equal(other.call("SET", key, "2"), Simple(b"OK"))
            for command in (("MULTI",), ("HELLO", "3"), ("CLIENT", "SETNAME", "me"), ("SET", key, "3")):
                expect(not isinstance(one.call(*command), Error), f"{command}")
            equal(until_echo(one, pack("EXEC")), b"*-1\r\n")
            equal(until_echo(one, pack("CLIENT", "GETNAME") + pack("GET", key + "none")), NIL + NIL)
            equal(other.call("GET", key), b"2")


def many_at_once(world, kind):
    """Transactions of several connections to the same shards keep their own replies."""
    errors = []

    def talk(number):
        try:
            for turn in range(30):
                key = f"{{many-{TAGS[(number + turn) % len(TAGS)]}}}{number}"
                with world.raw(kind, key.encode()) as connection:
                    data = b"".join(pack(*words) for words in (
                        ("MULTI",), ("CLIENT", "SETNAME", f"n{number}"), ("SET", key, turn), ("CLIENT", "GETNAME"), ("GET", key),
                        ("EXEC",), ("CLIENT", "GETNAME")))
                    name = b"$%d\r\nn%d\r\n" % (len(str(number)) + 1, number)
                    value = b"$%d\r\n%d\r\n" % (len(str(turn)), turn)
                    equal(until_echo(connection, data), OK + QUEUED * 4 + b"*4\r\n" + OK * 2 + name + value + name)
        except Exception as error:  # noqa: BLE001: reported below
            errors.append(error)

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    expect(not errors, f"{errors[:2]}")


TRANSACTION_TESTS = [conversations, nothing_runs_after_a_change, many_at_once]
