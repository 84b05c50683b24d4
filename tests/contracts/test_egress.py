"""The guard: what may be connected to, however it is written."""

from __future__ import annotations

import pytest

from interplay.contracts.egress import LONGEST_URL, EgressRefused, Guard, Unresolvable

PUBLIC = "93.184.215.14"
PUBLIC_V6 = "2606:4700::6810:85e5"


def answering(*addresses: str):
    """A resolver that always answers these."""

    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    return resolve


@pytest.mark.parametrize(
    ("url", "one_form"),
    [
        ("https://example.com", "https://example.com/"),
        ("HTTPS://EXAMPLE.com.:8443/a?b=c#d", "https://example.com:8443/a?b=c"),
        ("https://example.com:443/a%20b?x=%2F", "https://example.com/a%20b?x=%2F"),
        ("https://b\u00fccher.example/\u00e9", "https://xn--bcher-kva.example/%C3%A9"),
        (f"https://{PUBLIC}/", f"https://{PUBLIC}/"),
        (f"https://[{PUBLIC_V6.upper()}]:9/", f"https://[{PUBLIC_V6}]:9/"),
        ("http://example.com/", "http://example.com/"),
    ],
)
def test_a_url_has_one_form(url: str, one_form: str):
    place = Guard().check(url)
    assert place.url == one_form
    assert Guard().check(place.url) == place


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:93.184.215.14",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2001::1",
        "2001:db8::1",
        "3fff::1",
        "100::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "4000::1",
    ],
)
async def test_an_address_that_is_not_public_is_refused(address: str):
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(EgressRefused, match="may not reach"):
        Guard().check(f"https://{host}/")
    with pytest.raises(EgressRefused) as refused:
        await Guard(resolve=answering(address)).pin("https://inside.example/")
    assert address not in str(refused.value)
    with pytest.raises(EgressRefused):
        await Guard().addresses(address, 443)


@pytest.mark.parametrize("address", [PUBLIC, PUBLIC_V6, "1.1.1.1", "172.32.0.1", "100.128.0.1"])
async def test_a_public_address_is_permitted(address: str):
    pinned = await Guard(resolve=answering(address)).pin("https://example.com/x")
    assert (pinned.addresses, pinned.place.host) == ([address], "example.com")


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.1",
        "127.0.1",
        "127.0.0.01",
        "1.2.3.4.5",
        "256.1.1.1",
        "example.0x",
        "0",
        "[::1%25lo]",
        "[fe80::1%eth0]",
        "[v1.x]",
        "[127.0.0.1]",
        "a..b",
        ".example.com",
        "exa%6dple.com",
        "exam ple.com",
        "a" * 64 + ".com",
        "b\u00fc\u3000cher.example",
    ],
)
def test_a_host_written_in_an_unusual_form_is_refused(host: str):
    with pytest.raises(EgressRefused):
        Guard(["0.0.0.0/0", "::/0"]).check(f"https://{host}/")


@pytest.mark.parametrize(
    "host",
    [
        "\uff11\uff12\uff17.0.0.1",
        "127\u30020\u30020\u30021",
        "\u2460\u2461\u2466.0.0.1",
        "127.0.0.1.",
        "LOCALHOST",
        "any.localhost",
        "localhost.",
    ],
)
def test_a_loopback_host_in_disguise_is_refused(host: str):
    with pytest.raises(EgressRefused, match="loopback"):
        Guard().check(f"https://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://example.com@127.0.0.1/",
        "https://example.com\\@127.0.0.1/",
        "https://example.com/\n",
        "https://exam\tple.com/",
        "https://example.com/a b",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com:x/",
        "https:///path",
        "https://",
        "//example.com/",
        "example.com",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "javascript:alert(1)",
        "",
        "https://example.com/" + "a" * LONGEST_URL,
    ],
)
def test_what_is_no_plain_url_is_refused(url: str):
    with pytest.raises(EgressRefused):
        Guard(["0.0.0.0/0", "::/0"]).check(url)


def test_any_port_will_do():
    assert Guard().check("https://example.com:22/").port == 22


async def test_only_what_is_permitted_of_several_addresses_is_answered():
    guard = Guard(resolve=answering("10.0.0.1", PUBLIC, "::1", PUBLIC_V6))
    assert (await guard.pin("https://example.com/")).addresses == [PUBLIC, PUBLIC_V6]


async def test_an_operator_can_allow_networks():
    guard = Guard(["10.1.0.0/16", "fd00::/8", "127.0.0.1"], resolve=answering("10.1.2.3"))
    assert guard.check("https://10.1.9.9/").host == "10.1.9.9"
    assert guard.check("https://[fd00::7]/").host == "fd00::7"
    assert guard.check("https://localhost/").host == "localhost"
    assert (await guard.pin("https://inside.example/")).addresses == ["10.1.2.3"]
    for url in ("https://10.2.0.1/", "https://127.0.0.2/", "https://[::ffff:10.1.0.1]/"):
        with pytest.raises(EgressRefused):
            guard.check(url)


@pytest.mark.parametrize("text", ["10.0.0/8", "everything", "", "10.0.0.0/33", "::1%lo"])
def test_a_network_that_is_none_is_a_value_error(text: str):
    with pytest.raises(ValueError, match="is no network"):
        Guard([text])


async def test_plain_http_can_be_kept_to_allowed_networks():
    with pytest.raises(EgressRefused, match="Only https"):
        Guard().check("http://example.com/", plain=False)
    guard = Guard(["10.0.0.0/8"], resolve=answering(PUBLIC, "10.0.0.7"))
    assert (await guard.pin("http://mixed.example/", plain=False)).addresses == ["10.0.0.7"]
    assert guard.check("http://10.0.0.7/", plain=False).scheme == "http"
    for url in (f"http://{PUBLIC}/", "http://127.0.0.1/"):
        with pytest.raises(EgressRefused):
            guard.check(url, plain=False)
    with pytest.raises(EgressRefused, match="Only https"):
        await Guard(["10.0.0.0/8"], resolve=answering(PUBLIC)).pin("http://x.example/", plain=False)
    assert (await guard.pin("https://mixed.example/", plain=False)).addresses == [
        PUBLIC,
        "10.0.0.7",
    ]


async def test_a_host_without_addresses_is_unresolvable():
    async def fails(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    for resolve in (fails, answering()):
        with pytest.raises(Unresolvable, match=r"gone\.example"):
            await Guard(resolve=resolve).pin("https://gone.example/")


async def test_an_address_with_a_zone_is_never_permitted():
    with pytest.raises(EgressRefused):
        await Guard(["fe80::/10"], resolve=answering("fe80::1%eth0")).pin("https://x.example/")


async def test_the_system_resolves_localhost():
    pinned = await Guard(["127.0.0.0/8", "::1/128"]).pin("https://localhost:8443/")
    assert set(pinned.addresses) <= {"127.0.0.1", "::1"}
    assert pinned.place.port == 8443
