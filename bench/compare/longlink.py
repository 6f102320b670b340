"""The same sshd at the other end of a long link, the same link for every forwarder."""
import contextlib
import json
import subprocess

import peers
from measure import rounds
from world import stop

METHOD = "a delaying TCP relay in user space (adit-link)"


@contextlib.contextmanager
def link(world, to, rtt_ms, mbit):
    """A port that leads to `to` over the link."""
    command = [world.program("adit-link"), "--to", str(to), "--delay", str(rtt_ms // 2), "--rate", str(mbit)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(process.stdout.readline())["port"]
    finally:
        stop(process)
        process.stdout.close()


def measure(world, turn, settings, classes, note, progress):
    for rtt in settings.link_rtts:
        with link(world, world.ssh_port, rtt, settings.link_mbit) as ssh_port, link(
            world, world.far_port, rtt, settings.link_mbit
        ) as far_port:
            running = []
            try:
                raw = [peer for peer in classes if peer is peers.Raw]
                running += peers.start_all(world, raw, note, far_port=far_port)
                others = [peer for peer in classes if peer is not peers.Raw]
                running += peers.start_all(world, others, note, ssh_port=ssh_port)

                def take(a_turn, peer, number, rtt=rtt):
                    a_turn.long(peer, number, rtt)

                rounds(turn, running, settings.rounds, take, lambda text, rtt=rtt: progress(f"{rtt} ms: {text}"))
            finally:
                for peer in running:
                    peer.stop()
