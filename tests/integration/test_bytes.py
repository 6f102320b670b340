"""No byte lost: big, many and mixed streams arrive with the same SHA-256, with half-close either way, also while keys change."""
import hashlib
import os
import random
import socket
import struct
import threading

from world import UnixServer, WorldCase, connect, ends_with_reset, free_port, recv_all, recv_exactly, wait_for

GIB = 1 << 30
BLOCK = os.urandom(1 << 20)  # random data; each stream starts at its own place in it, so that no two are alike


def stream(seed, size):
    """`size` bytes that depend on `seed`, as memoryviews, cheaply."""
    at = (seed * 7919) % len(BLOCK)
    twice = memoryview(BLOCK + BLOCK)
    number = 0
    while size:
        head = struct.pack(">QQ", seed, number)[:size]
        yield memoryview(head)
        size -= len(head)
        part = twice[at : at + min(len(BLOCK), size)]
        yield part
        size -= len(part)
        number += 1


def digest(seed, size):
    h = hashlib.sha256()
    for part in stream(seed, size):
        h.update(part)
    return h.digest()


def serve(s):
    """The service behind the VM. A request is (what, seed, size): it sends a stream, or reads one to its end and answers
    with the hash; "both" does the two at the same time."""
    what, seed, size = struct.unpack(">BQQ", recv_exactly(s, 17))

    def send():
        for part in stream(seed, size):
            s.sendall(part)

    def hash_to_end():
        h = hashlib.sha256()
        while part := s.recv(1 << 18):
            h.update(part)
        return h.digest()

    if what == DOWN:
        send()
        s.shutdown(socket.SHUT_WR)  # half-close by the VM's side: ours stays open
        recv_all(s)
    elif what == UP:
        s.sendall(hash_to_end())  # the client half-closed and still gets the answer
    else:
        sender = threading.Thread(target=send)
        sender.start()
        h = hash_to_end()
        sender.join()
        s.sendall(h)


DOWN, UP, BOTH = 0, 1, 2


def request(s, what, seed, size):
    s.sendall(struct.pack(">BQQ", what, seed, size))


def run_down(port, seed, size):
    with connect(port, 120) as s:
        request(s, DOWN, seed, size)
        h = hashlib.sha256()
        got = 0
        while part := s.recv(1 << 18):
            h.update(part)
            got += len(part)
        s.shutdown(socket.SHUT_WR)
        assert got == size, f"down {seed}: {got} of {size} bytes"
        assert h.digest() == digest(seed, size), f"down {seed}: other bytes than were sent"


def run_up(port, seed, size):
    with connect(port, 120) as s:
        request(s, UP, seed, size)
        for part in stream(seed, size):
            s.sendall(part)
        s.shutdown(socket.SHUT_WR)
        assert recv_all(s) == digest(seed, size), f"up {seed}: other bytes than were sent"


def run_both(port, seed, size):
    with connect(port, 120) as s:
        request(s, BOTH, seed, size)
        failure = []

        def send():
            try:
                for part in stream(seed + 1, size):
                    s.sendall(part)
                s.shutdown(socket.SHUT_WR)
            except OSError as e:
                failure.append(e)

        sender = threading.Thread(target=send)
        sender.start()
        data = hashlib.sha256()
        left = size
        while left:
            part = s.recv(min(1 << 18, left))
            assert part, f"both {seed}: ended with {left} bytes to come"
            data.update(part)
            left -= len(part)
        answer = recv_all(s)
        sender.join()
        assert not failure, failure
        assert data.digest() == digest(seed, size), f"both {seed}: other bytes down"
        assert answer == digest(seed + 1, size), f"both {seed}: other bytes up"


def in_parallel(jobs):
    """Runs all jobs at once and fails with the first failure."""
    failures = []

    def run(job):
        try:
            job()
        except BaseException as e:  # whatever it was, it must fail the test and not only the thread
            failures.append(e)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failures:
        raise failures[0]


class Bytes(WorldCase):
    # web1 is a plain server; web2 changes keys every 16 MiB.
    world_yaml = """
tenant: 72f988bf-0000-4000-8000-2d7cd011db47
client: 5e2f1c1a-0000-4000-8000-9b1f0a6c7d01
secret: only-for-this-test
subscriptions:
  - {id: 11111111-2222-4333-8444-555555555555, name: bytes}
vms:
  - {group: rg-web, name: web1, os: linux}
  - {group: rg-web, name: web2, os: linux, sshd: ["RekeyLimit 16M"]}
"""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        path = cls.world.dir / "bytes.sock"
        cls.server = UnixServer(path, serve)
        cls.plain, cls.rekeying = free_port(), free_port()
        cls.world.config(
            f"""
  - name: web1
    vm: rg-web/web1
    local: ["{cls.plain}:{path}"]
  - name: web2
    vm: rg-web/web2
    local: ["{cls.rekeying}:{path}"]
"""
        )
        cls.world.adit("up", "--all")

    @classmethod
    def tearDownClass(cls):
        cls.server.close()
        super().tearDownClass()

    def test_one_gib_down(self):
        run_down(self.plain, 1, GIB)

    def test_one_gib_up(self):
        run_up(self.plain, 2, GIB)

    def test_64_flows_of_mixed_sizes_both_ways_at_once(self):
        rng = random.Random(20240601)
        jobs = []
        for seed in range(100, 164):
            size = rng.choice([0, 1, 13, 1000, 32768, 65536, 1 << 20, 5_000_011, 40 << 20])
            run = rng.choice([run_down, run_up, run_both])
            jobs.append(lambda run=run, seed=seed, size=size: run(self.plain, 2 * seed, size))
        in_parallel(jobs)

    def test_while_the_server_changes_keys_every_16_mib(self):
        in_parallel([lambda: run_down(self.rekeying, 10, GIB // 4), lambda: run_up(self.rekeying, 20, GIB // 4)])
        in_parallel([lambda seed=seed: run_both(self.rekeying, 2 * seed, 24 << 20) for seed in range(300, 308)])

    def test_a_reader_that_stops_delays_nobody_and_holds_no_more_than_the_window(self):
        before = resident(self.world.daemon_pid())
        stopped = [connect(self.plain, 120) for _ in range(8)]
        for s in stopped:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
            request(s, DOWN, 7, 64 << 20)
        run_down(self.plain, 8, 64 << 20)
        run_up(self.plain, 9, 64 << 20)
        grown = resident(self.world.daemon_pid()) - before
        # The window of each, twice for the allocator and the sanitizer's redzones, and what two running flows need.
        self.assertLess(grown, 8 * 2 * (2 << 20) + (96 << 20))
        for s in stopped:  # and they still get every byte
            h, left = hashlib.sha256(), 64 << 20
            while left:
                part = s.recv(min(1 << 18, left))
                self.assertTrue(part)
                h.update(part)
                left -= len(part)
            self.assertEqual(h.digest(), digest(7, 64 << 20))
            s.close()

    def test_a_vm_side_that_dies_is_a_reset_not_an_end(self):
        s = connect(self.plain, 60)
        request(s, DOWN, 11, 256 << 20)
        recv_exactly(s, 1 << 20)
        self.world.ctl("kill-ssh", "rg-web/web1")
        self.assertTrue(ends_with_reset(s))
        s.close()
        self.world.wait_state("web1", "up")


def resident(pid):
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")
