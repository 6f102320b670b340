"""Right destination: a thousand connections opened at once to fifty destinations each reach their own."""
import selectors
import socket

from world import WorldCase, connect, free_port, free_ports, wait_for

DESTINATIONS = 50
OPENS = 1000


class Opens(WorldCase):
    def tearDown(self):
        self.world.adit("stop", check=False)

    def test_a_thousand_opens_at_once_to_fifty_destinations(self):
        first = 20000  # each of these services of a VM says its own port number first
        ports = dict(zip(free_ports(DESTINATIONS), range(first, first + DESTINATIONS)))
        specs = ",".join(f'"{here}:localhost:{there}"' for here, there in ports.items())
        self.world.config(f"  - name: web1\n    vm: rg-web/web1\n    local: [{specs}]\n")
        self.world.adit("up", "web1")

        selector = selectors.DefaultSelector()
        here = list(ports)
        for i in range(OPENS):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", here[i % DESTINATIONS]))
            selector.register(s, selectors.EVENT_READ, {"want": ports[here[i % DESTINATIONS]], "got": b""})

        right = 0

        def step():
            nonlocal right
            for key, _ in selector.select(0.2):
                try:
                    part = key.fileobj.recv(64)
                except OSError as e:
                    self.fail(f"a connection to {key.data['want']}: {e}\n{self.world.adit('status').stdout}{self.world.logs()}")
                self.assertTrue(part, f"a connection to {key.data['want']} ended without an answer")
                key.data["got"] += part
                if key.data["got"].endswith(b"\n"):
                    self.assertEqual(int(key.data["got"]), key.data["want"])
                    right += 1
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
            return right == OPENS

        wait_for("all thousand have answered", step, 120)
        self.assertEqual(right, OPENS)

    def test_a_destination_that_hangs_does_not_hold_up_the_others(self):
        hangs, works = free_port(), free_port()
        # 198.51.100.1 is for documentation (RFC 5737): inside the VM's network nothing answers there.
        self.world.config(
            f"""
  - name: web2
    vm: rg-web/web2
    local: ["{hangs}:198.51.100.1:80", "{works}:localhost:7"]
"""
        )
        self.world.adit("up", "web2")
        with connect(hangs):
            for _ in range(3):
                with connect(works, 20) as s:
                    s.sendall(b"?")
                    self.assertEqual(s.recv(1), b"?")
