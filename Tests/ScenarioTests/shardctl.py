#!/usr/bin/env python3
"""shardctl as its users meet it: a process, its output, its exit code. Usage: shardctl.py [--only TEXT]

A small cluster of real processes (1 metasrv, 2 datasrv) is started for it; the last tests take it apart."""

import argparse
import base64
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time

from local_cluster import PROGRAMS, Cluster, free_base_port
from report import Report, equal, eventually, expect

SHARDCTL = PROGRAMS / "shardctl"
DOWN_AFTER_MS = 1500
NODE = {"id", "uuid", "state", "address", "gateway", "zone", "host", "weight", "primaries", "replicas", "bytes"}
KEYSPACE = {"name", "scheme", "shards", "replicas", "flow", "ack", "minInSync", "read", "state"}
SHARD = {"id", "keyspace", "from", "to", "epoch", "flow", "ack", "primary", "members", "learners", "state"}
STATUS = {"health", "faultTolerance", "nodes", "shards", "tasks", "meta", "routeVersion", "warnings"}


class Done:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f"exit {self.code}: {self.out[-400:]!r} {self.err[-400:]!r}"


class Tool:
    """Runs shardctl against one cluster, or against none."""

    def __init__(self, meta=None):
        self.environment = {k: v for k, v in os.environ.items() if k not in ("OSTRAKA_META", "NO_COLOR")}
        if meta:
            self.environment["OSTRAKA_META"] = meta

    def run(self, *arguments, code=0):
        """Runs it without a terminal; `code` is how it must end, or several."""
        done = subprocess.run([SHARDCTL, *map(str, arguments)], capture_output=True, text=True, timeout=90,
                              stdin=subprocess.DEVNULL, env=self.environment)
        done = Done(done.returncode, done.stdout, done.stderr)
        wanted = code if isinstance(code, tuple) else (code,)
        expect(done.code in wanted, f"shardctl {' '.join(map(str, arguments))}: wanted exit {wanted}: {done}")
        expect("\x1b" not in done.out + done.err, f"colour or a progress line without a terminal: {done}")
        if done.code:
            expect("Fatal error" not in done.err, f"it crashed: {done}")
        return done

    def document(self, *arguments, code=0):
        """`-o json`: one document on standard output and nothing else."""
        return one_document(self.run(*arguments, "-o", "json", code=code))

    def table(self, *arguments, code=0):
        """The lines of a table, each split at two spaces or more."""
        out = self.run(*arguments, code=code).out
        expect(out.endswith("\n"), f"the output ends with a newline: {out!r}")
        for line in out.splitlines():
            expect(line == line.rstrip(), f"a line ends with spaces: {line!r}")
        return [re.split(r" {2,}", line.strip()) for line in out.splitlines()]

    def refused(self, *arguments, code=3, says=()):
        """Refused with one line on standard error, and nothing on standard output."""
        done = self.run(*arguments, code=code)
        equal(done.out, "", f"standard output of the refused {arguments}")
        last = done.err.splitlines()[-1] if done.err else ""
        for word in says:
            expect(word in last, f"{arguments}: the line says {word!r}: {done.err!r}")
        expect(len(done.err.splitlines()) <= 2, f"{arguments}: one line, perhaps after the plan: {done.err!r}")
        return done

    def on_terminal(self, *arguments, keys=b"", ask=None, extra=None, interrupt_at=None):
        """Runs it on a terminal of its own, as a user does; `keys` are typed once it has written `ask`, Ctrl-C is
        pressed once it has written `interrupt_at`. Gives all that was written, and the exit code."""
        master, slave = pty.openpty()
        environment = dict(self.environment, TERM="xterm", **(extra or {}))
        process = subprocess.Popen([SHARDCTL, *map(str, arguments)], stdin=slave, stdout=slave, stderr=slave,
                                   env=environment, start_new_session=True,
                                   preexec_fn=lambda: os_controlling_terminal())
        os.close(slave)
        shown, deadline = b"", time.monotonic() + 90
        try:
            while True:
                ready, _, _ = select.select([master], [], [], max(0, deadline - time.monotonic()))
                expect(ready, f"{arguments} still runs on its terminal: {shown[-300:]!r}")
                try:
                    data = os.read(master, 65536)
                except OSError:  # the last process on it has ended
                    data = b""
                if not data:
                    break
                shown += data
                if keys and ask in shown:
                    os.write(master, keys)
                    keys = b""
                if interrupt_at and interrupt_at in shown:
                    os.write(master, b"\x03")
                    interrupt_at = None
            code = process.wait(30)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            os.close(master)
        return Done(code, shown.decode(errors="replace").replace("\r\n", "\n"), "")


def os_controlling_terminal():
    """In the child: its standard input becomes the terminal that Ctrl-C comes from."""
    import fcntl
    import termios

    # A runner in the background of a script passes on that Ctrl-C is ignored.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def one_document(done):
    try:
        found = json.loads(done.out)
    except ValueError:
        raise AssertionError(f"standard output is not one JSON document: {done}") from None
    return found


def has(found, wanted, what):
    expect(wanted <= set(found), f"{what} lacks {sorted(wanted - set(found))}: {found}")


def b64(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


# --- without a cluster ---


def usage_errors(tool):
    nothing = Tool()
    for arguments, word in (
        (["nonsense"], "nonsense"), (["node", "nonsense"], "nonsense"), (["status", "--nonsense"], "nonsense"),
        (["status", "-o", "xml"], "xml"), (["status", "--meta", "nowhere"], "nowhere"),
        (["status", "--meta", "127.0.0.1:1,,"], "HOST:PORT"), (["status"], "OSTRAKA_META"),
        (["keyspace", "create"], "keyspace"), (["keyspace", "create", "9lives"], "9lives"),
        (["keyspace", "create", "k", "--scheme", "tree"], "tree"),
        (["keyspace", "create", "k", "--scheme", "ring", "--shards", "4"], "--shards"),
        (["keyspace", "create", "k", "--shards", "0"], "--shards"),
        (["keyspace", "create", "k", "--scheme", "range", "--split-at", "b,a"], "ascend"),
        (["keyspace", "create", "k", "--scheme", "list"], "--values"),
        (["keyspace", "create", "k", "--scheme", "list", "--values", "a=x;b=x"], "twice"),
        (["keyspace", "set", "default", "colour=red"], "colour"), (["keyspace", "set", "default"], "name=value"),
        (["node", "weight", "d1", "-1"], "weight"), (["node", "weight", "d1", "0"], "weight"),
        (["node", "maintenance", "d1", "perhaps"], "perhaps"), (["meta", "log", "--tail", "0"], "--tail"),
        (["shard", "show", "one"], "one"), (["shard", "where", "default"], "key"),
        (["route", "show", "--since", "-1"], "since"), (["key", "get"], "key"),
        (["key", "set", "a", "b", "--if-absent", "--if-present"], "--if-absent"),
        (["key", "set", "a", "b", "--ttl", "0"], "--ttl"), (["key", "scan", "--limit", "0"], "--limit"),
        (["key", "get", "!", "--base64", "--meta", "127.0.0.1:1"], "base64"),
        (["simulate", "scheme", "--nodes", "0"], "--nodes"), (["simulate", "scheme", "--weights", "1,x"], "--weights"),
        (["completion", "tcsh"], "tcsh"), (["status", "--secret-file", "/nowhere/s", "--meta", "127.0.0.1:1"], "/nowhere/s"),
    ):
        done = nothing.run(*arguments, code=1)
        equal(done.out, "", f"standard output of the usage error {arguments}")
        expect(word in done.err, f"{arguments}: standard error names {word!r}: {done.err!r}")


def nobody_answers(tool):
    nobody = Tool(f"127.0.0.1:{free_base_port(1)}")
    for arguments in (
        ["node", "ls"], ["node", "show", "d1"], ["node", "weight", "d1", "2", "--yes"], ["keyspace", "ls"],
        ["keyspace", "create", "k", "--yes"], ["keyspace", "drop", "k", "--yes"], ["shard", "ls"], ["shard", "show", "1"],
        ["shard", "where", "default", "a"], ["meta", "log"], ["route", "show"], ["key", "get", "a"],
        ["key", "set", "a", "b"], ["key", "del", "a"], ["key", "scan"], ["key", "explain", "a"],
    ):
        nobody.refused(*arguments, code=2)
    found = nobody.document("status", code=2)
    has(found, STATUS, "status")
    equal((found["health"], found["meta"]), ("down", {"primary": None, "standbys": []}))
    expect(found["warnings"], "status says why")
    expect("down" in nobody.run("status", code=2).out, "status as a table is written, too")
    equal([row["status"] for row in nobody.document("meta", "status", code=2)], [None])
    nobody.run("simulate", "scheme")


def help_everywhere(tool):
    """Every noun and verb has help; every example in it is one that is accepted."""
    closed = Tool(f"127.0.0.1:{free_base_port(1)}")
    top = tool.run("--help").out
    nouns = re.findall(r"^  ([a-z]+)  ", top[top.index("SUBCOMMANDS:"):], re.M)
    expect({"status", "node", "keyspace", "shard", "meta", "route", "key", "simulate", "completion"} <= set(nouns), top)
    expect("EXIT CODES:" in top and "EXAMPLES:" in top, "the exit codes and examples stand in the help")
    verbs = 0
    for noun in nouns:
        text = tool.run(noun, "--help").out
        paths = [[noun]]
        if "SUBCOMMANDS:" in text:
            found = re.findall(r"^  ([a-z]+)(?: \(default\))?(?:  |$)", text[text.index("SUBCOMMANDS:"):], re.M)
            paths = [[noun, verb] for verb in found]
            expect(paths, f"verbs of {noun}: {text}")
        for path in paths:
            verbs += 1
            text = tool.run(*path, "--help").out
            equal(text, tool.run("help", *path).out, f"shardctl help {' '.join(path)}")
            examples = re.findall(r"^ *(?:source <\()?shardctl (.*?)\)?$", text[text.index("EXAMPLES:"):].split("\n\n")[0], re.M)
            expect(examples, f"shardctl {' '.join(path)} --help has examples: {text}")
            for example in examples:
                words = subprocess.run(["bash", "-c", f"printf '%s\\0' {example.split(' > ')[0]}"], capture_output=True,
                                       text=True, check=True).stdout.split("\0")[:-1]
                equal(words[: len(path)], path, f"an example of {path}")
                # Without a cluster it gets no further than to look for one; usage would be 1.
                closed.run(*words, code=0 if path[0] in ("simulate", "completion") else 2)
    expect(verbs >= 24, f"{verbs} verbs found in the help")
    equal(tool.run("--version").out.count("\n"), 1)


def completions(tool):
    for shell, word in (("bash", "complete"), ("zsh", "#compdef"), ("fish", "complete")):
        text = tool.run("completion", shell).out
        expect(word in text and "keyspace" in text and "explain" in text, f"completion {shell}: {text[:200]}")
        if shutil.which(shell):
            done = subprocess.run([shell, "-n"], input=text, capture_output=True, text=True, timeout=30)
            equal((done.returncode, done.stderr), (0, ""), f"{shell} reads its completion script")
    # What bash would offer behind `shardctl shard `.
    script = tool.run("completion", "bash").out
    offered = subprocess.run(
        ["bash", "-c", script + "\nCOMP_WORDS=(shardctl shard ''); COMP_CWORD=2; _shardctl shardctl '' shard; printf '%s\\n' \"${COMPREPLY[@]}\""],
        capture_output=True, text=True, timeout=30)
    expect({"ls", "show", "where"} <= set(offered.stdout.split()), f"bash offers {offered.stdout.split()} {offered.stderr}")


def simulated_schemes(tool):
    rows = Tool().document("simulate", "scheme", "--nodes", "8", "--add", "1")
    expect(len(rows) >= 5, f"every scheme side by side: {rows}")
    for row in rows:
        has(row, {"scheme", "mapping", "moved", "ideal", "skewBefore", "skewAfter", "metadataBytes"}, "a scheme")
        expect(0 <= row["moved"] <= 1, f"a share: {row}")
        expect(abs(row["ideal"] - 1 / 9) < 1e-9, f"a ninth goes to the ninth of equal nodes: {row}")
        expect(row["metadataBytes"] > 0, f"{row}")
    for name in ("hash", "ring", "range", "list"):
        expect(any(row["scheme"].startswith(name) for row in rows), f"{name} is there")
    table = Tool().table("simulate", "scheme", "--nodes", "3", "--add", "2", "--weights", "1,1,2")
    equal(table[0], ["SCHEME", "MAPPING", "SHARDS", "MOVED", "IDEAL", "SKEW", "METADATA"])
    equal(len(table), 1 + len(rows))


# --- looking at a cluster ---


def statuses(tool):
    found = tool.document("status")
    has(found, STATUS, "status")
    equal((found["health"], found["nodes"]), ("healthy", {"up": 2, "down": 0}))
    equal(set(found["shards"]), {"total", "serving", "underReplicated"})
    equal(set(found["meta"]), {"primary", "standbys"})
    equal((found["meta"]["primary"], found["meta"]["standbys"]), (tool.environment["OSTRAKA_META"], []))
    equal(found["tasks"], [])
    expect(isinstance(found["routeVersion"], int), f"{found}")
    facts = {row[0]: row[1:] for row in tool.table("status") if len(row) > 1}
    equal(facts["health"], ["healthy"])
    equal(facts["nodes"], ["2 up, 0 down"])
    expect({"fault tolerance", "shards", "metadata", "route version"} <= set(facts), f"{facts}")


def global_options(tool):
    """Before the noun and after the verb, joined or not, the environment or the flag."""
    address = tool.environment["OSTRAKA_META"]
    bare = Tool()
    wanted = tool.document("node", "ls")
    for arguments in (
        ["--meta", address, "-o", "json", "node", "ls"], [f"--meta={address}", "-ojson", "node", "ls"],
        ["node", "ls", "--meta", address, "--output", "json"], ["--output=json", "node", "ls", f"--meta={address}"],
        ["-o", "json", "node", "--meta", address, "ls"], ["--yes", "--meta", address, "node", "ls", "-o", "json"],
    ):
        equal([node["id"] for node in one_document(bare.run(*arguments))], [node["id"] for node in wanted], arguments)
    # The flag goes over the environment.
    Tool("127.0.0.1:1").run("node", "ls", "--meta", address)
    tool.refused("node", "ls", "--meta", f"127.0.0.1:{free_base_port(1)}", code=2)
    # One of several that answers is enough.
    Tool(f"127.0.0.1:{free_base_port(1)},{address}").run("node", "ls")
    # An option that only looks like a global one, and a key that looks like an option.
    tool.run("key", "set", "--", "--yes", "v")
    equal(tool.run("key", "get", "--", "--yes").out, "v\n")
    tool.run("key", "del", "--", "--yes")


def nodes(tool):
    found = tool.document("node", "ls")
    equal([node["id"] for node in found], ["d1", "d2"])
    for node in found:
        has(node, NODE, "a node")
        equal((node["state"], node["weight"]), ("up", 1))
        expect(re.fullmatch(r"[0-9a-f-]{32,36}", node["uuid"]), f"uuid: {node}")
        expect(re.fullmatch(r"127\.0\.0\.1:\d+", node["address"]), f"address: {node}")
    table = tool.table("node", "ls")
    equal(table[0], ["ID", "STATE", "ADDRESS", "GATEWAY", "ZONE", "HOST", "WEIGHT", "PRIMARIES", "REPLICAS", "BYTES"])
    equal([row[:2] for row in table[1:]], [["d1", "up"], ["d2", "up"]])
    shown = tool.document("node", "show", "d2")
    equal(shown["uuid"], found[1]["uuid"])
    facts = dict((row + [""])[:2] for row in tool.table("node", "show", "d2"))
    equal((facts["id"], facts["state"], facts["cluster port"]), ("d2", "up", found[1]["address"]))
    tool.refused("node", "show", "d9", says=["d9"])


def node_changes(tool):
    tool.refused("node", "weight", "d1", "2", says=["--yes"])
    equal(tool.document("node", "show", "d1")["weight"], 1)
    plan = tool.document("node", "weight", "d1", "2", "--plan")
    expect(plan["plan"] is True and plan["summary"], f"{plan}")
    equal(tool.document("node", "show", "d1")["weight"], 1, "after a plan")
    done = tool.document("node", "weight", "d1", "2", "--yes")
    has(done, {"routeVersion", "summary"}, "a change")
    equal(tool.document("node", "show", "d1")["weight"], 2)
    tool.run("--yes", "node", "weight", "d1", "1")
    tool.run("node", "maintenance", "d1", "on", "--yes")
    expect("maintenance" in tool.run("node", "ls").out, "maintenance is shown")
    expect(any("maintenance" in line for line in tool.document("status")["warnings"]), "and is a warning")
    tool.run("node", "maintenance", "d1", "off", "--yes")
    tool.refused("node", "remove", "d1", "--yes", says=["d1"])
    tool.refused("node", "remove", "d9", "--yes", says=["d9"])
    tool.refused("node", "weight", "d9", "2", "--yes", says=["d9"])


def metadata(tool):
    rows = tool.document("meta", "status")
    equal(len(rows), 1)
    has(rows[0]["status"], {"cluster", "id", "role", "term", "position", "routeVersion", "primary"}, "META.STATUS")
    equal((rows[0]["status"]["id"], rows[0]["status"]["role"]), ("m1", "primary"))
    table = tool.table("meta", "status")
    equal(table[0], ["ADDRESS", "ID", "ROLE", "TERM", "POSITION", "ROUTE-VERSION", "PRIMARY"])
    equal(table[1][1:3], ["m1", "primary"])
    log = tool.document("meta", "log", "--tail", "3")
    equal(len(log), 3)
    positions = [entry["position"] for entry in log]
    equal(positions, list(range(positions[0], positions[0] + 3)), "oldest first")
    for entry in log:
        has(entry, {"position", "term", "wall", "command"}, "an entry")
    table = tool.table("meta", "log", "--tail", "1024")
    equal(table[0], ["POSITION", "TERM", "TIME", "COMMAND"])
    expect(any("create keyspace 'default'" in row[-1] for row in table), f"{table[:9]}")
    expect(any("register node d1" in row[-1] for row in table), f"{table[:9]}")


def routes(tool):
    whole = tool.document("route", "show")
    has(whole, {"cluster", "since", "version", "keyspaces", "shards", "nodes", "droppedKeyspaces", "droppedShards"}, "a delta")
    expect([k["name"] for k in whole["keyspaces"]] == ["default"] and len(whole["nodes"]) == 2, f"{str(whole)[:300]}")
    before = whole["version"]
    tool.run("keyspace", "create", "passing", "--shards", "2", "--replicas", "1", "--yes")
    delta = tool.document("route", "show", "--since", before)
    equal(([k["name"] for k in delta["keyspaces"]], len(delta["shards"]), delta["since"]), (["passing"], 2, before))
    tool.run("keyspace", "drop", "passing", "--yes")
    delta = tool.document("route", "show", "--since", delta["version"])
    expect(delta["droppedKeyspaces"] and len(delta["droppedShards"]) == 2, f"tombstones: {delta}")
    text = tool.run("route", "show").out
    for word in ("version", "CLUSTER PORT", "KEYSPACE", "EPOCH", "[0, "):
        expect(word in text, f"route show has {word!r}: {text}")
    now = tool.document("route", "show")["version"]
    equal(tool.document("route", "show", "--since", now)["shards"], [])


# --- keyspaces and shards ---


def keyspaces(tool):
    tool.refused("keyspace", "create", "k", "--replicas", "1", says=["--yes", "--plan"])
    plan = tool.document("keyspace", "create", "k", "--shards", "4", "--replicas", "1", "--plan")
    equal(plan["plan"], True)
    expect("create" in plan["summary"] and "4 shards" in plan["summary"], f"{plan['summary']}")
    expect("plan: " in tool.run("keyspace", "create", "k", "--replicas", "1", "--plan").out, "the plan as text")
    equal([k["name"] for k in tool.document("keyspace", "ls")], ["default"], "nothing is made by a plan or a refusal")
    made = tool.document("keyspace", "create", "k", "--shards", "4", "--replicas", "1", "--yes")
    has(made, KEYSPACE, "a keyspace")
    equal((made["name"], made["scheme"], made["shards"], made["state"]), ("k", "hash", 4, "serving"))
    equal({s["state"] for s in tool.document("shard", "ls", "k")}, {"serving"}, "at once")
    tool.refused("keyspace", "create", "k", "--replicas", "1", "--yes", says=["k"])
    shown = tool.document("keyspace", "show", "k")
    equal(shown, next(k for k in tool.document("keyspace", "ls") if k["name"] == "k"), "show is the object of ls")
    facts = dict((row + [""])[:2] for row in tool.table("keyspace", "show", "k"))
    equal((facts["scheme"], facts["shards"], facts["state"]), ("hash", "4", "serving"))
    table = tool.table("keyspace", "ls")
    equal(table[0], ["NAME", "SCHEME", "SHARDS", "REPLICAS", "FLOW", "ACK", "MIN-IN-SYNC", "READ", "STATE"])
    tool.refused("keyspace", "show", "none", says=["none"])
    tool.refused("keyspace", "drop", "none", "--yes", says=["none"])
    tool.refused("keyspace", "drop", "k", says=["--yes"])
    expect(tool.document("keyspace", "drop", "k", "--plan")["plan"] is True, "a plan")
    equal(len(tool.document("shard", "ls", "k")), 4, "still there")
    has(tool.document("keyspace", "drop", "k", "--yes"), {"routeVersion", "summary"}, "drop")
    tool.refused("shard", "ls", "k", says=["k"])


def keyspace_settings(tool):
    tool.run("keyspace", "create", "k", "--shards", "2", "--replicas", "1", "--yes")
    tool.refused("keyspace", "set", "k", "split-bytes=1000000", says=["--yes"])
    tool.run("keyspace", "set", "k", "split-bytes=1000000", "auto-split=on", "--yes")
    equal(tool.document("keyspace", "show", "k")["settings"], {"split-bytes": "1000000", "auto-split": "on"})
    expect("1000000" in tool.run("keyspace", "show", "k").out, "settings are shown")
    epochs = [s["epoch"] for s in tool.document("shard", "ls", "k")]
    tool.run("keyspace", "set", "k", "ack=one", "--yes")
    shards = tool.document("shard", "ls", "k")
    equal([s["epoch"] for s in shards], [e + 1 for e in epochs], "a new policy is a new epoch")
    equal({s["ack"] for s in shards}, {"one"})
    for setting, code in (("ack=some", 1), ("min-in-sync=9", (1, 3)), ("split-bytes=x", 1), ("auto-split=maybe", 1)):
        expect(tool.run("keyspace", "set", "k", setting, "--yes", code=code).err, f"{setting} says why")
    tool.refused("keyspace", "set", "none", "ack=all", "--yes", says=["none"])
    tool.run("keyspace", "drop", "k", "--yes")


def schemes(tool):
    """Every scheme is made, and its shards look as the contract says."""
    tool.run("keyspace", "create", "ringed", "--scheme", "ring", "--vnodes", "3", "--replicas", "1", "--yes")
    ring = tool.document("shard", "ls", "ringed")
    equal((ring[0]["from"], ring[-1]["to"]), (0, 16384))
    for left, right in zip(ring, ring[1:]):
        equal(left["to"], right["from"], "arcs leave no gap")
    expect(all(isinstance(s["from"], int) for s in ring), "slot bounds are numbers")
    tool.run("keyspace", "create", "ranged", "--scheme", "range", "--split-at", "g,n", "--replicas", "1", "--yes")
    ranged = tool.document("shard", "ls", "ranged")
    equal([(s["from"], s["to"]) for s in ranged], [(None, b64("g")), (b64("g"), b64("n")), (b64("n"), None)])
    equal([row[2] for row in tool.table("shard", "ls", "ranged")[1:]], ['[*, "g")', '["g", "n")', '["n", *)'])
    tool.run("keyspace", "create", "listed", "--scheme", "list", "--values", "eu=berlin,paris;us=boston", "--separator",
             "/", "--replicas", "1", "--yes")
    listed = tool.document("shard", "ls", "listed")
    equal([s["values"] for s in listed], [[b64("berlin"), b64("paris")], [b64("boston")], []])
    equal([row[2] for row in tool.table("shard", "ls", "listed")[1:]], ["berlin,paris", "boston", "(all other values)"])
    equal(tool.document("shard", "where", "listed", "paris/7")["shard"], listed[0]["id"])
    equal(tool.document("shard", "where", "listed", "rome/7")["shard"], listed[2]["id"])
    equal(tool.document("shard", "where", "ranged", "house")["shard"], ranged[1]["id"])
    everything = tool.document("shard", "ls")
    ids = [s["id"] for s in everything]
    equal(len(set(ids)), len(ids), "ids are unique in the cluster")
    for shard in everything:
        has(shard, SHARD, "a shard")
        expect(shard["primary"] in ("d1", "d2") and shard["primary"] in shard["members"], f"{shard}")
    shown = tool.document("shard", "show", ids[0])
    equal({k: shown[k] for k in SHARD}, {k: everything[0][k] for k in SHARD})
    facts = dict((row + [""])[:2] for row in tool.table("shard", "show", ids[0]))
    equal((facts["id"], facts["state"]), (str(ids[0]), "serving"))
    tool.refused("shard", "show", "999999", says=["999999"])
    tool.refused("shard", "ls", "none", says=["none"])
    tool.refused("shard", "where", "none", "a", says=["none"])
    equal(tool.table("shard", "ls")[0],
          ["ID", "KEYSPACE", "RANGE", "EPOCH", "PRIMARY", "MEMBERS", "LEARNERS", "STATE", "BYTES"])
    dropped = set(ids)
    for name in ("ringed", "ranged", "listed"):
        tool.run("keyspace", "drop", name, "--yes")
    tool.run("keyspace", "create", "after", "--shards", "1", "--replicas", "1", "--yes")
    expect(not dropped & {s["id"] for s in tool.document("shard", "ls", "after")}, "ids are never used again")
    tool.run("keyspace", "drop", "after", "--yes")


# --- keys ---


def keys(tool):
    equal(tool.run("key", "set", "user1", "Ada").out, "OK\n")
    equal(tool.run("key", "get", "user1").out, "Ada\n")
    equal(tool.document("key", "get", "user1"), {"key": b64("user1"), "value": b64("Ada")})
    equal(tool.document("key", "set", "user1", "Grace", "--if-absent", code=3), {"key": b64("user1"), "stored": False})
    equal(tool.document("key", "set", "user2", "Grace", "--if-absent"), {"key": b64("user2"), "stored": True})
    tool.refused("key", "set", "user3", "x", "--if-present", says=["no such key"])
    tool.refused("key", "get", "user3", says=["no such key", "default"])
    equal(tool.document("key", "get", "user3", code=3), {"key": b64("user3"), "value": None})
    raw = bytes(range(256))
    tool.run("key", "set", b64(raw), b64(raw[::-1]), "--base64")
    equal(tool.run("key", "get", b64(raw), "--base64").out, b64(raw[::-1]) + "\n")
    equal(tool.run("key", "set", "brief", "x", "--ttl", "1").out, "OK\n")
    eventually(lambda: tool.run("key", "get", "brief", code=(0, 3)).code == 3, "a key with --ttl 1 is gone", 20)
    equal(sorted(tool.run("key", "scan", "--match", "user*").out.split()), ["user1", "user2"])
    equal(sorted(tool.document("key", "scan", "--match", "user*")["keys"]), [b64("user1"), b64("user2")])
    equal(len(tool.document("key", "scan", "--limit", "1")["keys"]), 1)
    equal(tool.run("key", "del", "user1", "user2", "user3").out, "2\n")
    equal(tool.document("key", "del", "user1"), {"deleted": 0})
    equal(tool.document("key", "scan", "--match", "user*"), {"keys": []})
    equal(tool.run("key", "scan", "--match", "user*").out, "")
    for verb in (["get", "a"], ["set", "a", "b"], ["del", "a"], ["scan"], ["explain", "a"]):
        tool.refused("key", *verb, "--keyspace", "none", says=["none"])
    tool.run("key", "del", b64(raw), "--base64")


def explanations(tool):
    found = tool.document("key", "explain", "{user1}.cart")
    equal((found["key"], found["keyspace"], found["scheme"], found["slot"], found["part"]),
          (b64("{user1}.cart"), "default", "hash", 8106, b64("user1")), "the slot as redis-cli's CLUSTER KEYSLOT has it")
    equal(tool.document("shard", "where", "default", "{user1}.cart"), found, "shard where says the same")
    shard = next(s for s in tool.document("shard", "ls", "default") if s["from"] <= 8106 < s["to"])
    equal((found["shard"], found["primary"], found["members"]), (shard["id"], shard["primary"], shard["members"]))
    node = tool.document("node", "show", found["primary"])
    equal((found["address"], found["gateway"]), (node["address"], node["gateway"]))
    facts = dict((row + [""])[:2] for row in tool.table("key", "explain", "{user1}.cart"))
    equal((facts["hash tag"], facts["slot"], facts["cluster port"]), ("user1", "8106", node["address"]))


# --- a terminal ---


def colours(tool):
    for arguments in (["status"], ["node", "ls"], ["keyspace", "ls"], ["shard", "ls"], ["meta", "status"]):
        shown = tool.on_terminal(*arguments)
        expect(shown.code == 0 and "\x1b[" in shown.out, f"colour on a terminal: {shown}")
        plain = re.sub(r"\x1b\[[0-9;]*m", "", shown.out)
        equal([line.split() for line in plain.splitlines()][0],
              [line.split() for line in tool.run(*arguments).out.splitlines()][0], "but for colour it is the same text")
    for extra in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        environment = Tool(tool.environment["OSTRAKA_META"])
        shown = environment.on_terminal("status", extra=extra) if "TERM" not in extra else dumb(environment)
        expect(shown.code == 0 and "\x1b" not in shown.out, f"no colour with {extra}: {shown}")
    shown = tool.on_terminal("node", "ls", "-o", "json")
    expect("\x1b" not in shown.out, f"JSON has no colour: {shown}")
    equal([node["id"] for node in json.loads(shown.out)], ["d1", "d2"])


def dumb(tool):
    """Standard output on a terminal of the kind `dumb`."""
    master, slave = pty.openpty()
    process = subprocess.Popen([SHARDCTL, "status"], stdin=subprocess.DEVNULL, stdout=slave, stderr=subprocess.DEVNULL,
                               env=dict(tool.environment, TERM="dumb"))
    code = process.wait(60)
    os.close(slave)
    text = os.read(master, 65536).decode()
    os.close(master)
    return Done(code, text, "")


def questions(tool):
    ask = b"[y/N] "
    shown = tool.on_terminal("keyspace", "create", "asked", "--shards", "2", "--replicas", "1", ask=ask, keys=b"n\n")
    equal(shown.code, 3, f"exit code after No: {shown}")
    expect("plan: " in shown.out and "nothing was changed" in shown.out, f"{shown}")
    shown = tool.on_terminal("keyspace", "create", "asked", "--shards", "2", "--replicas", "1", ask=ask, keys=b"\x04")
    equal(shown.code, 3, f"exit code after the end of input: {shown}")
    shown = tool.on_terminal("keyspace", "create", "asked", "--shards", "2", "--replicas", "1", interrupt_at=ask)
    expect(shown.code not in (0, 6), f"Ctrl-C at the question is no detached task: {shown}")
    tool.refused("keyspace", "show", "asked")
    shown = tool.on_terminal("keyspace", "create", "asked", "--shards", "2", "--replicas", "1", ask=ask, keys=b"y\n")
    equal(shown.code, 0, f"exit code after Yes: {shown}")
    equal(tool.document("keyspace", "show", "asked")["state"], "serving")
    # JSON stays one document when the question goes to standard error.
    tool.run("keyspace", "drop", "asked", "--yes")


# --- hard days ---


def detached(tool, cluster):
    """A node that answers nobody: what was made is there, Ctrl-C detaches, `--detach` does not wait."""
    os.kill(cluster.pid("d2"), signal.SIGSTOP)
    try:
        shown = tool.on_terminal("keyspace", "create", "slow", "--shards", "4", "--replicas", "1", "--yes",
                                 interrupt_at=b"shards serve")
        equal(shown.code, 6, f"exit code when Ctrl-C detaches: {shown}")
        expect("shardctl shard ls slow" in shown.out, f"it says where to look: {shown}")
        equal(tool.document("keyspace", "show", "slow")["shards"], 4, "the keyspace is made all the same")
        tool.run("keyspace", "create", "later", "--shards", "4", "--replicas", "1", "--yes", "--detach")
    finally:
        os.kill(cluster.pid("d2"), signal.SIGCONT)
    for name in ("slow", "later"):
        eventually(lambda: tool.document("keyspace", "show", name)["state"] == "serving", f"{name} serves", 40, 0.2)
        tool.run("keyspace", "drop", name, "--yes")
    cluster.wait_until_healthy()


def unhealthy(tool, cluster):
    cluster.kill("d2")
    eventually(lambda: tool.run("status", code=(0, 5)).code == 5, "status sees that a node is gone", 30, 0.2)
    found = tool.document("status", code=5)
    expect(found["health"] in ("degraded", "down") and found["nodes"] == {"up": 1, "down": 1}, f"{found}")
    expect(any("d2" in line for line in found["warnings"]), f"{found}")
    lost = [s for s in tool.document("shard", "ls") if s["members"] == ["d2"]]
    expect(all(s["primary"] is None and s["state"] == "down" for s in lost), f"no primary serves: {lost[:2]}")
    equal(tool.document("node", "show", "d2")["state"], "down")
    if lost:
        tool.refused("node", "remove", "d2", "--yes", says=["d2"])
    cluster.restart("d2")
    cluster.wait_until_healthy()
    tool.run("status")


def without_metasrv(tool, cluster):
    cluster.kill("m1")
    found = tool.document("status", code=2)
    equal((found["health"], found["meta"]["primary"]), ("down", None))
    tool.refused("node", "ls", code=2)
    cluster.restart("m1")
    cluster.wait_until_healthy()


ALONE = [usage_errors, nobody_answers, help_everywhere, completions, simulated_schemes]
LOOKING = [statuses, global_options, nodes, node_changes, metadata, routes, keyspaces, keyspace_settings, schemes, keys,
           explanations, colours, questions]
HARD = [detached, unhealthy, without_metasrv]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="run the tests whose name has this in it")
    options = parser.parse_args()
    report = Report()

    def chosen(tests):
        return [body for body in tests if not options.only or options.only in body.__name__]

    for body in chosen(ALONE):
        report.test(f"shardctl: {body.__name__}", body, Tool())
    if chosen(LOOKING + HARD):
        with Cluster(data=2, meta=1, meta_flags=f"--down-after {DOWN_AFTER_MS}") as cluster:
            tool = Tool(cluster.meta_addresses)
            for body in chosen(LOOKING):
                report.test(f"shardctl: {body.__name__}", body, tool)
            for body in chosen(HARD):
                report.test(f"shardctl: {body.__name__}", body, tool, cluster)
    report.finish()


if __name__ == "__main__":
    sys.exit(main())
