"""The same sshd at the other end of a long link, the same link for every forwarder."""
import contextlib
import json
import subprocess

import namespace
import peers
from measure import rounds
from world import Trouble, stop

PACKETS = "packets of a TUN device, delayed in user space (adit-link --tun)"
RELAY = "a delaying TCP relay in user space (adit-link), because a TUN device needs root"


def method():
    return PACKETS if namespace.inside() else RELAY


@contextlib.contextmanager
def _link(world, *args):
    """adit-link while it is needed; its first line as a dict."""
    process = subprocess.Popen([world.program("adit-link"), *map(str, args)], stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        if not line:
            raise Trouble(f"adit-link ended with {process.wait()}")
        yield json.loads(line)
    finally:
        stop(process)
        process.stdout.close()


@contextlib.contextmanager
def _over_packets(world, far_port, rtt, mbit):
    ports = ["--to", world.ssh_port, "--to", far_port]
    with _link(world, "--tun", *ports, "--delay", rtt // 2, "--rate", mbit) as link:
        world.run("ip", "address", "add", f"{namespace.NEAR}/30", "dev", link["device"])
        world.run("ip", "link", "set", link["device"], "up")
        yield {"host": namespace.FAR, "port": far_port}, {"ssh_host": namespace.FAR}


@contextlib.contextmanager
def _over_relay(world, far_port, rtt, mbit):
    shape = ["--delay", rtt // 2, "--rate", mbit]
    with _link(world, "--to", world.ssh_port, *shape) as to_ssh, _link(world, "--to", far_port, *shape) as to_far:
        yield {"port": to_far["port"]}, {"ssh_port": to_ssh["port"]}


def measure(world, turn, settings, classes, note, progress):
    over = _over_packets if namespace.inside() else _over_relay
    far_port = world.start_far_end(namespace.NEAR) if namespace.inside() else world.far_port
    for rtt in settings.link_rtts:
        with over(world, far_port, rtt, settings.link_mbit) as (raw_way, ssh_way):
            running = []
            try:
                for peer_class in classes:
                    way = raw_way if peer_class is peers.Raw else ssh_way
                    running += peers.start_all(world, [peer_class], note, **way)

                def take(a_turn, peer, number, rtt=rtt):
                    a_turn.long(peer, number, rtt)

                rounds(turn, running, settings.rounds, take, lambda text, rtt=rtt: progress(f"{rtt} ms: {text}"))
            finally:
                for peer in running:
                    peer.stop()
