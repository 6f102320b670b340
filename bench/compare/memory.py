"""Resident memory: with idle flows, each count in a fresh process, and with many VMs at once."""
from peers import Adit, SshGcm
from world import Trouble

MINUTES = 10000  # so many flows take minutes, mostly sshd's: once is enough for a figure that does not vary


def idle_flows(world, results, settings, classes, note, progress):
    """A fresh forwarder for each count: memory that an allocator keeps from a former, busier time is not charged."""
    for number in range(settings.memory_rounds):
        for peer_class in classes:
            if peer_class.name == "raw" or peer_class.pings_only or peer_class.missing():
                continue
            held = {}
            for flows in settings.idle_flows:
                if number > 0 and flows >= MINUTES:
                    continue
                progress(f"memory, round {number + 1}: {peer_class.title} with {flows:,} idle flows")
                try:
                    peer = peer_class.for_flows(world, flows).start()
                except Trouble as trouble:
                    if number == 0 and flows == settings.idle_flows[0]:
                        note(f"{peer_class.title}: memory not measured: {trouble}")
                    break
                try:
                    got = world.load("idle", peer.port, "--flows", flows, "--pid", peer.pids[0], seconds=400)
                except Trouble as trouble:
                    note(f"{peer_class.title}: {flows:,} idle flows: {trouble}")
                    continue
                finally:
                    peer.stop()
                if got["flows"] < flows or got["alive"] < got["flows"]:
                    note(
                        f"{peer_class.title}: {flows:,} idle flows: only {got['flows']:,} could be opened, of which "
                        f"{got['alive']:,} still echoed ({got['short_of'] or 'the others fell silent'})"
                    )
                    continue
                held[flows] = got["rss_kib"]
                results.add(f"rss_{flows}", peer_class.name, number, got["rss_kib"] * 1024 / 1e6)
            if len(held) > 1:
                few, many = min(held), max(held)
                results.add("rss_each", peer_class.name, number, (held[many] - held[few]) * 1024 / 1e3 / (many - few))


def many_vms(world, results, settings, classes, note, progress):
    """All VMs are the same sshd: what is measured is what the client keeps for each."""
    count = settings.vms
    for peer_class in classes:
        is_adit = issubclass(peer_class, Adit)
        if peer_class.pings_only or (not is_adit and peer_class is not SshGcm):
            continue
        progress(f"memory: {peer_class.title} with {count} VMs")
        running = []
        try:
            if is_adit:
                running.append(peer_class(world, vms=count).start())
            else:
                for _ in range(count):
                    running.append(peer_class(world).start())
            pids = [pid for peer in running for pid in peer.pids]
            results.add("rss_vms", peer_class.name, 0, sum(resident(pid) for pid in pids) / 1e6)
        except Trouble as trouble:
            note(f"{peer_class.title}: {count} VMs: {trouble}")
        finally:
            for peer in running:
                peer.stop()


def resident(pid):
    """VmRSS in bytes."""
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    raise Trouble(f"process {pid} has no VmRSS")
