"""Counts what passed and what failed; the last line is `N passed, M failed`."""

import sys
import time
import traceback


class Skip(Exception):
    """This machine cannot run the test; says why. Counted neither as passed nor as failed, and shown at the end."""


class Report:
    def __init__(self):
        self.passed = 0
        self.skipped = []
        self.failed = []

    def test(self, name, body, *arguments):
        """Runs one test; an exception is its failure."""
        began = time.monotonic()
        try:
            body(*arguments)
        except Skip as reason:
            self.skipped.append(f"{name}: {reason}")
            print(f"SKIP {name}: {reason}", flush=True)
            return False
        except Exception as error:  # noqa: BLE001: whatever it is, it failed
            self.failed.append(name)
            print(f"FAIL {name}: {type(error).__name__}: {error}", flush=True)
            if not isinstance(error, AssertionError):
                traceback.print_exc(limit=-4, file=sys.stdout)
            return False
        self.passed += 1
        print(f"ok   {name} ({time.monotonic() - began:.2f} s)", flush=True)
        return True

    def finish(self):
        for line in self.skipped:
            print(f"not run here: {line}")
        for name in self.failed:
            print(f"failed: {name}")
        print(f"{self.passed} passed, {len(self.failed)} failed", flush=True)
        sys.exit(1 if self.failed or not self.passed else 0)


def resident(pid):
    """Bytes of memory a process has; fails when it is gone."""
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    raise AssertionError("the process is gone")


def expect(condition, message):
    if not condition:
        raise AssertionError(message)


def equal(found, wanted, what="reply"):
    if found != wanted:
        raise AssertionError(f"{what}: found {shorten(found)}, wanted {shorten(wanted)}")


def shorten(value, limit=300):
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + "..."


def eventually(condition, what, seconds=10.0, pause=0.02):
    """Polls until the condition gives a true value, which is returned; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(pause)
