from pathlib import Path

from sandbox.addresses import PORTS, Addresses, choose_addresses, claim_pod_network, free_addresses


def test_addresses_are_read_back_as_written(tmp_path: Path) -> None:
    addresses = choose_addresses("127.9")
    addresses.write(tmp_path)
    assert Addresses.read(tmp_path) == addresses


def test_no_two_ports_are_the_same() -> None:
    addresses = free_addresses(40)
    assert len(set(addresses)) == 40


def test_ports_are_below_the_ephemeral_ports() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(PORTS) < lowest


def test_two_sandboxes_never_share_a_pod_network() -> None:
    claims = [claim_pod_network() for _ in range(20)]
    networks = {network for network, _ in claims}
    for _, claim in claims:
        claim.close()
    assert len(networks) == 20
