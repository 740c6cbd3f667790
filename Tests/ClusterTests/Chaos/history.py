"""What clients asked and were told, in the format that `shardsim --check-history` judges (Sources/Simulator/Checkers/HistoryFile.swift)."""

import subprocess
import threading
import time
from collections import Counter

from report import expect

_plain = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789,:._-")


def word(value):
    """Bytes as a word of a history."""
    if not value:
        return "%"
    return "".join(chr(byte) if byte in _plain else f"%{byte:02x}" for byte in value)


class History:
    """Operations of all clients. A client's part is its own list: nothing is shared while they run."""

    def __init__(self):
        self.parts = []
        # Set just before the power goes: what is answered from then on is no promise of a machine that is off.
        self.is_cut = threading.Event()

    def client(self):
        part = Client(self, len(self.parts))
        self.parts.append(part)
        return part

    @property
    def keys(self):
        """(keyspace, key) of all that was ever asked for, sorted."""
        return sorted({(entry[0], entry[1]) for part in self.parts for entry in part.entries})

    def counts(self):
        return sum((part.counts for part in self.parts), Counter())

    def commands(self):
        return sum((part.commands for part in self.parts), Counter())

    def lines(self):
        for part in self.parts:
            for keyspace, key, invoked, returned, action, outcome in part.entries:
                yield f"{keyspace}/{key} {part.number} 0 {invoked} {returned} {action} {outcome}"

    def write(self, path, lines=None):
        with open(path, "w") as file:
            file.write("ostraka-history 1\n")
            for line in lines if lines is not None else self.lines():
                file.write(line + "\n")


class Client:
    def __init__(self, history, number):
        self.history, self.number = history, number
        self.entries, self.counts, self.commands = [], Counter(), Counter()

    def note(self, keyspace, invoked, actions, outcomes, command):
        """One request: its actions by key, and the outcome of each, or one outcome for all."""
        returned = time.monotonic_ns()
        if self.history.is_cut.is_set():
            outcomes = "unknown" if outcomes != "refused" else outcomes
        for index, (key, action) in enumerate(actions):
            outcome = outcomes if isinstance(outcomes, str) else outcomes[index]
            self.entries.append((keyspace, key, invoked, returned, action, outcome))
        first = outcomes if isinstance(outcomes, str) else outcomes[0]
        self.counts[first if first in ("refused", "unknown") else "done"] += 1
        self.commands[command] += 1


def check(shardsim, path):
    """The checker's exit code and what it says."""
    done = subprocess.run([shardsim, "--check-history", path], capture_output=True, text=True, timeout=1800)
    return done.returncode, done.stdout + done.stderr


def judge(shardsim, path):
    code, said = check(shardsim, path)
    expect(code == 0, f"the history in {path} is not linearizable or not judged (exit {code}):\n{said[-3500:]}")
    return said.strip().splitlines()[-1]
