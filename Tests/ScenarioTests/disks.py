#!/usr/bin/env python3
"""Disks on hard days under whole processes: full, out of descriptors, failing to sync. Usage: disks.py [--soak] [--only TEXT]"""

import argparse
import contextlib
import os
import pathlib
import signal
import subprocess
import sys

from local_cluster import DEAD_NODE, Cluster, Load, Program
from report import Report, Skip, equal, eventually, expect
from resp import Closed, Connection, Error, Simple

SOAK = False

# Fails each sync of files below $FAILING_PATH once the file $FAILING_WHEN is there, as a disk does that lost what it was
# to write: the bytes since the last sync are gone, and a second try says that all is well.
# While $SLOW_WHEN is there they take a third of a second more.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct { int fd; off_t from; size_t size; } unsynced[65536];
static int count, failed[65536];

static int concerns(int fd) {
    char link[64], path[4096];
    const char *prefix = getenv("FAILING_PATH");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size <= 0 || !prefix) return 0;
    path[size] = 0;
    return strncmp(path, prefix, strlen(prefix)) == 0;
}

static ssize_t really_write(int fd, const void *bytes, size_t size, off_t at) {
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
    return real(fd, bytes, size, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t at) {
    ssize_t written = really_write(fd, bytes, size, at);
    if (written > 0 && concerns(fd)) {
        pthread_mutex_lock(&lock);
        if (count < 65536) {
            unsynced[count].fd = fd;
            unsynced[count].from = at;
            unsynced[count++].size = written;
        }
        pthread_mutex_unlock(&lock);
    }
    return written;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) { return pwrite64(fd, bytes, size, at); }

static int sync_by(const char *name, int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, name);
    if (!concerns(fd)) return real(fd);
    const char *slow = getenv("SLOW_WHEN");
    if (slow && access(slow, F_OK) == 0) usleep(330000);
    const char *trigger = getenv("FAILING_WHEN");
    int fails = trigger && access(trigger, F_OK) == 0, kept = 0;
    pthread_mutex_lock(&lock);
    if (fails && failed[fd & 65535]++) {
        pthread_mutex_unlock(&lock);
        return 0;
    }
    for (int index = 0; index < count; index++) {
        if (unsynced[index].fd != fd) {
            unsynced[kept++] = unsynced[index];
        } else if (fails) {
            void *zeros = calloc(1, unsynced[index].size);
            really_write(fd, zeros, unsynced[index].size, unsynced[index].from);
            free(zeros);
        }
    }
    count = kept;
    pthread_mutex_unlock(&lock);
    if (!fails) return real(fd);
    real(fd);
    errno = EIO;
    return -1;
}

int fdatasync(int fd) { return sync_by("fdatasync", fd); }
int fsync(int fd) { return sync_by("fsync", fd); }
"""


def compiled(shim, source):
    done = subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", shim, "-x", "c", "-", "-ldl"], input=source, text=True,
                          capture_output=True)
    equal(done.returncode, 0, f"the shim compiles: {done.stderr}")
    return shim


def suspect(cluster, name="d1"):
    return cluster.folder / "data" / name / "suspect"


def ended(program, *words, seconds=60):
    """The process ended by itself with 1; the last line on standard error has each of the words in it."""
    equal(program.wait(seconds), 1, f"exit code: {program.stderr()[-500:]}")
    lines = [line for line in program.stderr().splitlines() if line.strip()]
    expect(lines, "it says nothing on standard error")
    for word in words:
        expect(word in lines[-1], f"the last line has {word!r}: {lines[-3:]}")
    expect(not any("Fatal error" in line or "crashed" in line for line in lines), f"it crashed: {lines[-5:]}")


@contextlib.contextmanager
def small_disk(path, megabytes):
    """A file system of its own in memory."""
    if os.geteuid() != 0:
        raise Skip("mounting a file system needs root")
    path.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", path], capture_output=True)
    if done.returncode != 0:
        raise Skip(f"this machine mounts no tmpfs: {done.stderr.decode().strip()}")
    try:
        yield path
    finally:
        eventually(lambda: subprocess.run(["umount", path], capture_output=True).returncode == 0, f"umount {path}", 20, 0.2)


def fill(path):
    """Takes all that is left of a disk."""
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"f" * size)
            except OSError as error:
                equal(error.strerror, "No space left on device")


def reserve(disk):
    return disk / "reserve"


def fill_behind(program, disk, name):
    """Somebody else takes the whole disk while the node is held: what its reserve gives back is then its own."""
    program.process.send_signal(signal.SIGSTOP)
    try:
        fill(disk / name)
    finally:
        program.process.send_signal(signal.SIGCONT)


def wait_until_applied(cluster):
    """LevelDB has what was acknowledged: it has nothing to write when the disk is full a moment later."""
    def is_applied():
        with Connection(cluster.gateway_port()) as connection:
            shards = [dict(zip(status[::2], status[1::2])) for status in connection.call("SHARD.STATUS")]
        return all(status[b"applied"] == status[b"last"] for status in shards)

    eventually(is_applied, "all is applied", 20)


def full_disk():
    """Somebody else takes the whole disk: growth is refused, and the reserve's blocks let every delete work, before and after a
    new start. When these are taken too, the node ends with one line, is not suspect, and cannot start while the disk is full.
    Once there is room it starts, makes its reserve again, and has all that it acknowledged."""
    cluster = Cluster(data=1, meta=1)
    with small_disk(cluster.folder / "data" / "d1", 600) as disk, cluster:
        arguments = cluster.command_line("d1")
        cluster.kill("d1")
        gone, count = [], 6000

        def delete(connection, numbers):
            for index in numbers:
                equal(connection.call("DEL", f"victim:{index}"), 1, f"delete {index} on a full disk")
                gone.append(index)

        def growth_is_refused(connection):
            def is_refused():
                reply = connection.call("SET", "grown", "x")
                expect(reply == b"OK" or reply.startswith(b"READONLY"), f"growth on a full disk: {reply!r}")
                return reply != b"OK"

            eventually(is_refused, "growth is refused", 5)

        def gives_back(program):
            """Fills the disk behind the node. Whether it gives its reserve back and goes on; a LevelDB that writes at this very
            moment, which nobody sees from outside, ends it as any of its errors does."""
            wait_until_applied(cluster)
            fill_behind(program, disk, "filler")
            try:
                eventually(lambda: program.process.poll() is not None or not reserve(disk).exists(),
                           "the reserve's blocks are given back", 20)
                with Connection(cluster.gateway_port(), timeout=60) as connection:
                    growth_is_refused(connection)
                return True
            except (Closed, OSError):
                ended(program, "a write to LevelDB failed", "No space left on device", "free some of the disk")
                (disk / "filler").unlink()
                return False

        with Program(arguments) as program:
            program.ready()
            equal(reserve(disk).stat().st_size, 96 << 20, "bytes of the reserve on a disk of 600 MiB")
            with Load([cluster.gateway_port()], writers=4) as load:
                load.wait_for(2000)
            with Connection(cluster.gateway_port()) as connection:
                for index in range(count):
                    equal(connection.call("SET", f"victim:{index}", "v" * 100), Simple(b"OK"))
            program.terminate()
            equal(program.wait(30), 0)
        for attempt in range(5):
            with Program(arguments) as program:
                program.ready()
                if not gives_back(program):
                    expect(attempt < 4, "LevelDB wrote at each of five moments")
                    continue
                with Connection(cluster.gateway_port(), timeout=60) as connection:
                    delete(connection, range(0, 2000))
                    growth_is_refused(connection)
                # Room for the reserve, and no more is to be said about it.
                (disk / "filler").unlink()
                eventually(lambda: reserve(disk).exists(), "the reserve is made again", 20)
                with Connection(cluster.gateway_port()) as connection:
                    eventually(lambda: connection.call("SET", "grown", "x") == b"OK", "growth is taken again", 20)
                program.terminate()
                equal(program.wait(30), 0)
                break
        # Found full at the start: the node starts on its reserve.
        fill(disk / "filler")
        with Program(arguments) as program:
            program.ready()
            expect(not reserve(disk).exists(), "the reserve was given back at the start")
            with Connection(cluster.gateway_port(), timeout=60) as connection:
                growth_is_refused(connection)
                equal(connection.call("GET", "victim:2000"), b"v" * 100)
                delete(connection, range(2000, 4000))
            # Now these blocks are taken as well: nothing can be written.
            fill_behind(program, disk, "filler2")
            with Connection(cluster.gateway_port(), timeout=60) as connection:
                try:
                    for index in range(4000, count):
                        reply = connection.call("DEL", f"victim:{index}")
                        if isinstance(reply, Error):
                            expect(reply.startswith((b"UNCERTAIN", b"READONLY", b"TRYAGAIN")), f"{reply!r}")
                            break
                        gone.append(index)
                except (Closed, OSError):
                    pass  # the node ended
            ended(program, "No space left on device", "free some of the disk", "start it again")
        kept = range(len(gone) + 1, count)
        expect(not suspect(cluster).exists(), "a full disk is no corruption")
        for _ in range(2):
            with Program(arguments) as program:
                ended(program, "No space left on device", "free some of the disk")
            expect(not suspect(cluster).exists(), "a full disk at the start is no corruption")
        (disk / "filler").unlink()
        (disk / "filler2").unlink()
        with Program(arguments) as program:
            program.ready()
            load.verify(cluster.gateway_port())
            with Connection(cluster.gateway_port()) as connection:
                for index in gone:
                    equal(connection.call("EXISTS", f"victim:{index}"), 0, f"victim:{index}, whose delete was acknowledged")
                for index in kept:
                    equal(connection.call("GET", f"victim:{index}"), b"v" * 100)
                eventually(lambda: connection.call("SET", "again", "1") == b"OK", "growth is taken again", 20)
            expect(reserve(disk).exists(), "the reserve is made again")
            program.terminate()
            equal(program.wait(30), 0)
        print(f"     {len(gone)} deletes were acknowledged on a full disk, {load.progress()} writes before it are there")


def no_permission():
    """Files that the process may not open, at the start and while it runs: one line, not suspect, and with the permission back
    all is there."""
    # Root that must ask like everybody else.
    modest = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    if os.geteuid() != 0 or subprocess.run([*modest, "true"], capture_output=True).returncode != 0:
        raise Skip("only root can give up root's right to open everything")
    with Cluster(data=1, meta=1) as cluster:
        directory = cluster.folder / "data" / "d1"
        arguments = [*modest, *cluster.command_line("d1")]
        cluster.kill("d1")
        try:
            with Program(arguments) as program:
                program.ready()
                with Load([cluster.gateway_port()], writers=4) as load:
                    load.wait_for(1000)
                # A store cannot be made while it runs.
                (directory / "stores").chmod(0)
                cluster.shardctl("keyspace", "create", "more", "--yes", "--detach")
                ended(program, "Permission denied", "permit it to this user", "start it again")
            expect(not suspect(cluster).exists(), "a permission that is missing is no corruption")
            for forbidden in ("stores", "log"):
                (directory / "stores").chmod(0o700)
                (directory / forbidden).chmod(0)
                with Program(arguments) as program:
                    ended(program, "Permission denied", "permit it to this user")
                expect(not suspect(cluster).exists(), f"{forbidden}: a missing permission at the start is no corruption")
                (directory / forbidden).chmod(0o700)
        finally:
            for folder in ("stores", "log"):
                (directory / folder).chmod(0o700)
        with Program(arguments) as program:
            program.ready()
            load.verify(cluster.gateway_port())
            program.terminate()
            equal(program.wait(30), 0)


def too_few_descriptors():
    """More stores than descriptors: one line, not suspect, and with more descriptors all is well."""
    with Cluster(data=1, meta=1, keyspace=None) as cluster:
        arguments = cluster.command_line("d1")
        cluster.kill("d1")
        tight = ["bash", "-c", 'ulimit -n 128; exec "$0" "$@"', *arguments]
        with Program(tight) as program:
            program.ready()
            cluster.shardctl("keyspace", "create", "default", "--shards", "64", "--yes", "--detach")
            ended(program, "Too many open files", "ulimit -n", "start it again")
        expect(not suspect(cluster).exists(), "too few descriptors are no corruption")
        with Program(tight) as program:
            ended(program, "Too many open files", "ulimit -n")
        expect(not suspect(cluster).exists(), "too few descriptors at the start are no corruption")
        cluster.restart("d1")
        cluster.wait_until_healthy()
        with Connection(cluster.gateway_port()) as connection:
            for index in range(200):
                equal(connection.call("SET", f"k{index}", index), Simple(b"OK"))


def failing_sync():
    """A sync of the log fails, and what it was to write is lost: the node stops at once, acknowledges nothing of it, does not
    start again until somebody looked, and then has all that it acknowledged."""
    for turn in range(5 if SOAK else 2):
        with Cluster(data=1, meta=1) as cluster:
            shim, trigger = cluster.folder / "shim.so", cluster.folder / "trigger"
            compiled(shim, SHIM)
            arguments = cluster.command_line("d1")
            log = cluster.folder / "data" / "d1" / "log"
            cluster.kill("d1")
            environment = dict(os.environ, LD_PRELOAD=str(shim), FAILING_PATH=f"{log}/", FAILING_WHEN=str(trigger))
            with Program(arguments, environment) as program:
                program.ready()
                expect(str(shim) in pathlib.Path(f"/proc/{program.process.pid}/maps").read_text(), "the shim is loaded")
                load = Load([cluster.gateway_port()], writers=1 if turn == 0 else 16, tolerate=DEAD_NODE)
                with load:
                    load.wait_for(1000)
                    trigger.touch()
                    ended(program, "cannot sync", "Input/output error", "suspect")
            with Program(arguments) as program:
                ended(program, "suspect", "check the disk", str(suspect(cluster)))
            suspect(cluster).unlink()
            with Program(arguments) as program:
                program.ready()
                load.verify(cluster.gateway_port())
                with Connection(cluster.gateway_port()) as connection:
                    equal(connection.call("SET", "again", "1"), Simple(b"OK"))
                program.terminate()
                equal(program.wait(30), 0)
            print(f"     {load.progress()} acknowledged writes are there after a failed sync")


SEGMENT_HEADER = 4096
BATCH = 64


def log_of(cluster, name):
    return cluster.folder / "data" / name / "log"


def batches(segment):
    """Where the batches of a segment begin."""
    content = segment.read_bytes()
    return [place for place in range(SEGMENT_HEADER, len(content) - 3, BATCH) if content[place : place + 4] == b"OBAT"]


def segments(cluster, name):
    return sorted(path for path in log_of(cluster, name).iterdir() if path.suffix != ".damaged" and batches(path))


def flip(path, place):
    with open(path, "r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 0x10]))
        file.flush()
        os.fsync(file.fileno())


def flip_in_the_middle(cluster, name):
    """A byte in the records of a batch that later batches knew synced."""
    segment = segments(cluster, name)[-1]
    places = batches(segment)
    expect(len(places) > 10, f"{segment} has {len(places)} batches")
    place = places[len(places) // 2]
    flip(segment, place + BATCH + 8)
    return segment


def copies(cluster, name):
    """The shards of which a node is a member."""
    return {shard["id"] for shard in cluster.shardctl_json("shard", "ls") if name in shard["members"]}


def bad_byte():
    """A byte of one node's log goes bad while it is down. It starts, gives up the copies that may lack something, and the
    others teach these anew; the damaged segment stays. All that was acknowledged is there, on that node alone too: the others
    lose their logs the same way, one after another."""
    with Cluster(data=3, meta=1, keyspace=None) as cluster:
        cluster.shardctl("keyspace", "create", "default", "--replicas", "3", "--shards", "4", "--yes")
        eventually(cluster.is_whole, "three members of every shard", 60, 0.3)
        with Load([cluster.gateway_port(i) for i in (1, 2, 3)], writers=6, tolerate=DEAD_NODE) as load:
            given_up = 0
            for name in ("d1", "d2", "d3"):
                load.wait_for(2000, 60)
                cluster.kill(name)
                segment = flip_in_the_middle(cluster, name)
                cluster.restart(name)
                eventually(cluster.is_whole, f"{name}: three members of every shard again", 90, 0.3)
                expect((segment.parent / (segment.name + ".damaged")).exists(), f"{segment} is kept")
                said = (cluster.folder / "logs" / f"{name}.log").read_text(errors="replace")
                given_up += said.count("this copy is set aside")
                expect(len(copies(cluster, name)) == 4, f"{name} has its copies: {copies(cluster, name)}")
            expect(given_up > 0, "no copy was given up: the damage met nothing")
        count = load.verify(cluster.gateway_port(1))
        print(f"     {count} acknowledged writes are there, {given_up} copies were given up and taught anew")


def bad_byte_in_the_only_copy():
    """The same where there is no other copy: one line that says where, and nothing is thrown away. With the byte back all is
    there."""
    with Cluster(data=1, meta=1) as cluster:
        with Load([cluster.gateway_port()], writers=4) as load:
            load.wait_for(1000)
        arguments = cluster.command_line("d1")
        cluster.kill("d1")
        segment = segments(cluster, "d1")[-1]
        places = batches(segment)
        place = places[len(places) // 2] + BATCH + 8
        flip(segment, place)
        for _ in range(2):
            with Program(arguments) as program:
                ended(program, "damaged at", "no other copy of this shard is known", "restore the directory from a backup")
        flip(segment, place)
        with Program(arguments) as program:
            program.ready()
            load.verify(cluster.gateway_port())
            program.terminate()
            equal(program.wait(30), 0)


TESTS = [full_disk, no_permission, too_few_descriptors, failing_sync, bad_byte, bad_byte_in_the_only_copy]


def main():
    global SOAK
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--soak", action="store_true", help="more rounds")
    parser.add_argument("--only", help="run the tests whose name has this in it")
    options = parser.parse_args()
    SOAK = options.soak
    report = Report()
    for body in TESTS:
        if not options.only or options.only in body.__name__:
            report.test(f"disks: {body.__name__}", body)
    report.finish()


if __name__ == "__main__":
    sys.exit(main())
