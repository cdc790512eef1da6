"""Facts about a flaw from somebody other than the publisher of an advisory."""

from msgspec import Struct


class Epss(Struct, frozen=True, kw_only=True):
    """The probability that a flaw is exploited in the next 30 days; both numbers are fractions 0.0-1.0.

    Source: https://www.first.org/epss/data_stats
    """

    vulnerability: str
    score: float
    percentile: float | None = None
    date: str = ""


class Kev(Struct, frozen=True, kw_only=True):
    """An entry of CISA's Known Exploited Vulnerabilities catalogue; dates are `2021-12-10`."""

    vulnerability: str
    date_added: str
    due_date: str = ""
    required_action: str = ""
    name: str = ""
    ransomware: bool = False
    cwes: tuple[str, ...] = ()


class Exploit(Struct, frozen=True, kw_only=True):
    """A public exploit is known to exist: where (`exploit-db`, `cisa-ssvc`), under which ids, and since when."""

    vulnerability: str
    source: str
    ids: tuple[str, ...] = ()
    date: str = ""


class WeaknessName(Struct, frozen=True, kw_only=True):
    """The name of a CWE entry: `CWE-79`, `Improper Neutralization of Input …`."""

    id: str
    name: str


class Nickname(Struct, frozen=True, kw_only=True):
    """The name people know a flaw by: `CVE-2014-0160`, `Heartbleed`."""

    vulnerability: str
    name: str


Enrichment = Epss | Kev | Exploit | WeaknessName | Nickname
