"""What the command line understands; the commands themselves are imported when they run."""

import argparse
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

FORMATS = ("table", "json", "cyclonedx", "spdx", "sarif", "html", "csv", "asff", "junit", "gitlab")
_LONGEST_REGION: Final = 64
GATES = ("critical", "high", "medium", "low", "negligible", "any")

_SERVE_EXAMPLES = """\
examples:
  openinspector serve                                        on loopback, with a database in the data folder
  openinspector serve --region eu-west-1 --database-url postgresql://inspector@db/inspector
  openinspector serve --role worker --database-url postgresql://inspector@db/inspector --status-port 9100
  openinspector serve --host 0.0.0.0 --tls-certificate cert.pem --tls-key key.pem

then, in another shell, with a key of `openinspector keys create`:
  aws inspector2 list-findings --endpoint-url http://127.0.0.1:8080 --region us-east-1
"""

_KEYS_EXAMPLES = """\
examples:
  openinspector keys create --account 111122223333
  openinspector keys create --account 111122223333 --role reader --days 90 --note "the dashboard"
  openinspector keys create --account 111122223333 --format json
"""

_DECLARE_EXAMPLES = """\
examples:
  openinspector organization declare organization.toml

a file:
  id = "o-exampleorgid"
  management_account = "111122223333"
  [[accounts]]
  id = "444455556666"
  name = "shop"

Accounts that are no longer in the file have left the organization.
"""

_INGEST_EXAMPLES = """\
examples:
  openinspector ingest host --account 111122223333 --id i-0123456789abcdef0
  openinspector ingest sbom:bom.json --account 111122223333 --id i-0123456789abcdef0 --tag team=web

with --endpoint what was found goes to a service elsewhere, signed with the credentials that boto3 would find:
  openinspector ingest host --endpoint https://inspector.example --id i-0123456789abcdef0
  openinspector ingest --sbom bom.json --endpoint https://inspector.example --id i-0123456789abcdef0
  openinspector ingest --inventory host.json --endpoint https://inspector.example --id i-0123456789abcdef0

exit status: 0 done, 2 usage, 3 the scan was partial (then nothing is closed) or failed
"""

_USAGE_EXAMPLES = """\
examples:
  openinspector usage
  openinspector usage --account 111122223333 --account 444455556666 --days 7
  openinspector usage --format csv

COST is of what was used outside of the free trials, A MONTH what 30 days come to without one. Hours go on with what is
covered now, scans as they came. Prices are the public ones or those of the settings (docs/howto/see-usage.md).
"""

_REMATCH_EXAMPLES = """\
The service does this by itself soon after the advisory file has changed. By hand it is of use without one, after an
upgrade of openinspector (--full), and to go back to a file that was in force before.

examples:
  openinspector rematch
  openinspector rematch --full --format json

exit status: 0 the advisory file is in force, 2 usage, 3 it isn't: there is none, or another worker is at it
"""

_SCAN_EXAMPLES = """\
TARGET is found out from what it is, or said by a prefix:
  openinspector scan host                      this machine
  openinspector scan dir:/mnt/root             an unpacked root file system or a source tree
  openinspector scan image.tar                 docker save, or an OCI archive
  openinspector scan image:registry.example/app:1.2
  openinspector scan lambda:function.zip --lambda-layer deps.zip
  openinspector scan bom.json                  CycloneDX or SPDX

what needn't be done (docs/howto/suppress-findings.md):
  openinspector scan app.tar --vex app.openvex.json    what publishers say: OpenVEX, CycloneDX, CSAF
  openinspector scan app.tar --ignore-file risks.toml  what you accept, with owner, reason and a last day
  openinspector scan app.tar --baseline last.json --fail-on high    only what is new counts

exit status: 0 clean or below the gate, 1 the gate was hit, 2 usage, 3 the scan was partial or failed
"""

_UPDATE_EXAMPLES = """\
examples:
  openinspector db update                                    from the publishers
  openinspector db update --feed debian_tracker --feed kev   only these; the others stay as they are
  openinspector db update --mirror /media/usb/feeds          from a folder, on a machine without a network
  openinspector db update --mirror https://mirror.example/feeds --mirror-key mirror.key.pub

environment: OPENINSPECTOR_DB (the advisory file), OPENINSPECTOR_DATA (the folder of documents is in it),
OPENINSPECTOR_SETTINGS (addresses, feeds to leave out), OPENINSPECTOR_MIRROR, OPENINSPECTOR_MIRROR_KEY
exit status: 0 everything is up to date, 3 a feed could not be fetched or read (its previous advisories stay in force)
"""

_SIGN_EXAMPLES = """\
examples:
  openinspector db keygen mirror.key                         once
  openinspector db update --documents mirror/
  openinspector db sign mirror/ --key mirror.key             and serve the folder
"""


def parser(command: str = "") -> argparse.ArgumentParser:
    """The whole command line; only what `command` understands where it is one: making the rest takes milliseconds."""
    top = _parser("openinspector", "Finds the vulnerabilities of hosts, images, functions and SBOMs, and says why.")
    top.add_argument("--version", "-V", action="store_true", help="print the version and stop")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for name, add in _COMMANDS.items():
        if command not in _COMMANDS or name == command:
            add(commands)
    return top


def _completion(commands: Any) -> None:
    completion = _command(commands, "completion", "print a shell completion script", "openinspector completion bash")
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"))
    completion.set_defaults(command=_later("completion"))


def _scan(commands: Any) -> None:
    scan = _command(commands, "scan", "find the vulnerabilities of a target", _SCAN_EXAMPLES)
    _target(scan)
    scan.add_argument("--format", choices=FORMATS, default="table", help="how to say it (default: table)")
    scan.add_argument("--output", metavar="FILE", help="where to write it (default: standard output)")
    scan.add_argument("--db", metavar="FILE", help="the advisory file (default: OPENINSPECTOR_DB, or the updated one)")
    scan.add_argument("--fail-on", choices=GATES, help="exit with 1 when something at least this severe is found")
    scan.add_argument("--severity", choices=GATES, default="any", help="leave out what is less severe (default: any)")
    scan.add_argument("--ignore-unfixed", action="store_true", help="leave out what has no fix")
    _waivers(scan)
    scan.add_argument(
        "--baseline", metavar="FILE", help="a former JSON report: --fail-on counts only what is not in it"
    )
    scan.add_argument("--show-suppressed", action="store_true", help="list suppressed findings in the table")
    scan.add_argument("--no-color", action="store_true", help="no colour, as NO_COLOR in the environment")
    scan.set_defaults(command=_later("scan"))


def _waivers(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--vex",
        metavar="FILE",
        action="append",
        default=[],
        help="a VEX document: OpenVEX, CycloneDX or CSAF (may be given several times)",
    )
    command.add_argument(
        "--ignore-file",
        metavar="FILE",
        help="accepted findings (default: .openinspector-ignore.toml in the working directory, if it is there)",
    )


def _sbom(commands: Any) -> None:
    sbom = _command(commands, "sbom", "list the packages of a target", "openinspector sbom dir:. --format cyclonedx")
    _target(sbom)
    sbom.add_argument("--format", choices=("cyclonedx", "spdx", "inventory"), default="cyclonedx")
    sbom.add_argument("--output", metavar="FILE", help="where to write it (default: standard output)")
    sbom.set_defaults(command=_later("sbom"))


def _explain(commands: Any) -> None:
    example = "openinspector explain CVE-2024-3094 host"
    explain = _command(commands, "explain", "say why a vulnerability is, or is not, reported", example)
    explain.add_argument("vulnerability", metavar="CVE")
    _target(explain)
    explain.add_argument("--db", metavar="FILE", help="the advisory file")
    _waivers(explain)
    _as_json(explain)
    explain.set_defaults(command=_later("explain"))


def _db(commands: Any) -> None:
    database = _command(commands, "db", "make and look at the advisory file", "openinspector db status")
    verbs = database.add_subparsers(metavar="VERB", required=True)
    _db_update(verbs)
    build = _command(
        verbs, "build", "compile a folder of feeds", "openinspector db build --feeds feeds/ --output advisories.sqlite"
    )
    build.add_argument("--feeds", metavar="DIR", required=True, help="a folder laid out as `db layout` lists")
    build.add_argument("--output", metavar="FILE", required=True)
    _as_json(build)
    build.set_defaults(command=_later("db", "build_command"))
    status = _command(verbs, "status", "age and size of each feed", "openinspector db status --format json")
    status.add_argument("--db", metavar="FILE", help="the advisory file")
    _as_json(status)
    status.set_defaults(command=_later("db", "status_command"))
    starter = _command(
        verbs,
        "starter",
        "compile the starter advisories that ship with this package",
        "openinspector db starter --output advisories.sqlite",
    )
    starter.add_argument("--output", metavar="FILE", help="the advisory file (default: where `scan` looks for it)")
    _as_json(starter)
    starter.set_defaults(command=_later("db", "starter_command"))
    difference = _command(
        verbs, "diff", "the package names whose advisories differ", "openinspector db diff old.sqlite new.sqlite"
    )
    difference.add_argument("older", metavar="A")
    difference.add_argument("newer", metavar="B")
    _as_json(difference)
    difference.set_defaults(command=_later("db", "diff_command"))
    layout = _command(
        verbs, "layout", "where each feed's documents lie in a folder of feeds", "openinspector db layout"
    )
    _as_json(layout)
    layout.set_defaults(command=_later("db", "layout_command"))


def _db_update(verbs: Any) -> None:
    update = _command(verbs, "update", "fetch what changed, and compile it", _UPDATE_EXAMPLES)
    update.add_argument("--mirror", metavar="URL_OR_DIR", help="where everything comes from in place of the publishers")
    update.add_argument("--mirror-key", metavar="KEY", help="the mirror's public key, or a file with it")
    update.add_argument(
        "--feed", metavar="NAME", action="append", default=[], help="fetch this feed only (can be repeated)"
    )
    update.add_argument("--output", metavar="FILE", help="the advisory file (default: where `scan` looks for it)")
    update.add_argument(
        "--documents",
        metavar="DIR",
        help="where the documents are kept (default: `documents` beside the default advisory file)",
    )
    _as_json(update)
    update.set_defaults(command=_later("db", "update_command"))
    sign = _command(verbs, "sign", "sign a folder of feeds, to be a mirror", _SIGN_EXAMPLES)
    sign.add_argument("folder", metavar="DIR", help="a folder laid out as `db layout` lists")
    sign.add_argument("--key", metavar="FILE", required=True, help="the private key that `db keygen` made")
    sign.add_argument(
        "--version", metavar="N", type=int, dest="version_number", help="higher than the last (default: the next)"
    )
    _as_json(sign)
    sign.set_defaults(command=_later("db", "sign_command"))
    keygen = _command(
        verbs, "keygen", "make the key that a mirror is signed with", "openinspector db keygen mirror.key"
    )
    keygen.add_argument("file", metavar="FILE", help="for the private key; the public one goes to FILE.pub")
    _as_json(keygen)
    keygen.set_defaults(command=_later("db", "keygen_command"))


def _version_compare(commands: Any) -> None:
    example = "openinspector version-compare deb 1.0~rc1 1.0"
    versions = _command(commands, "version-compare", "say which of two versions is older", example)
    versions.add_argument("scheme", nargs="?", metavar="SCHEME")
    versions.add_argument("a", nargs="?", metavar="A")
    versions.add_argument("b", nargs="?", metavar="B")
    versions.add_argument("--stdin", action="store_true", help="read lines `scheme<TAB>a<TAB>b`")
    versions.set_defaults(command=_version_compare_command)


def _version_compare_command(chosen: argparse.Namespace) -> int:
    import sys

    from openinspector.cli.version_compare import run

    return run(chosen.scheme, chosen.a, chosen.b, stdin=sys.stdin if chosen.stdin else None, out=sys.stdout)


def _target(command: argparse.ArgumentParser, *, optional: bool = False) -> None:
    command.add_argument("target", metavar="TARGET", nargs="?" if optional else None)
    command.add_argument("--platform", metavar="OS/ARCH", default="", help="which image of an index to take")
    command.add_argument(
        "--lambda-layer", metavar="ZIP", action="append", default=[], help="a layer of the function (in their order)"
    )
    command.add_argument("--no-cache", action="store_true", help="read every layer anew")


def _serve(commands: Any) -> None:
    serve = _command(commands, "serve", "serve Inspector's API over PostgreSQL", _SERVE_EXAMPLES)
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen at (default: 127.0.0.1)")
    serve.add_argument("--port", type=int, default=8080, metavar="N", help="(default: 8080)")
    _region(serve, "the region that it is (default: us-east-1)")
    serve.add_argument("--tls-certificate", metavar="FILE", help="a certificate with its chain, PEM")
    serve.add_argument("--tls-key", metavar="FILE", help="its private key, PEM")
    roles = "the API, a worker, or the API with workers of its own (default: all)"
    serve.add_argument("--role", choices=("all", "api", "worker"), default="all", help=roles)
    serve.add_argument("--workers", type=int, default=1, metavar="N", help="worker processes of `all` (default: 1)")
    serve.add_argument(
        "--lanes", type=int, default=4, metavar="N", help="chores that a worker does at a time (default: 4)"
    )
    serve.add_argument("--status-port", type=int, metavar="N", help="health and metrics at a port of their own")
    serve.add_argument("--status-host", default="127.0.0.1", metavar="HOST", help="its address (default: 127.0.0.1)")
    serve.add_argument("--owned", action="store_true", help=argparse.SUPPRESS)
    serve.add_argument("--holder", type=int, default=0, help=argparse.SUPPRESS)
    serve.add_argument("--ended", type=int, nargs="*", default=(), help=argparse.SUPPRESS)
    _storage(serve)
    serve.set_defaults(command=_later("serve"))


def _keys(commands: Any) -> None:
    keys = _command(
        commands, "keys", "make, list and end access keys", "openinspector keys list --account 111122223333"
    )
    verbs = keys.add_subparsers(metavar="VERB", required=True)
    create = _command(verbs, "create", "make a key, and show its secret once", _KEYS_EXAMPLES)
    _account(create)
    create.add_argument("--role", choices=("admin", "reader", "ingest"), default="admin", help="(default: admin)")
    create.add_argument("--days", type=int, metavar="N", help="when it expires (default: never)")
    create.add_argument("--note", metavar="TEXT", default="", help="whose it is")
    _storage(create)
    _as_json(create)
    create.set_defaults(command=_later("keys", "create_command"))
    listed = _command(verbs, "list", "list an account's keys", "openinspector keys list --account 111122223333")
    _account(listed)
    _storage(listed)
    _as_json(listed)
    listed.set_defaults(command=_later("keys", "list_command"))
    disable = _command(verbs, "disable", "end a key for good", "openinspector keys disable OIAKABCDEFGHIJKLMNOP")
    disable.add_argument("key", metavar="KEY")
    _storage(disable)
    disable.set_defaults(command=_later("keys", "disable_command"))


def _sinks(commands: Any) -> None:
    sinks = _command(
        commands, "sinks", "see who is sent events, and what they did not take", "openinspector sinks list"
    )
    verbs = sinks.add_subparsers(metavar="VERB", required=True)
    listed = _command(verbs, "list", "list the sinks, and how it goes with each", "openinspector sinks list")
    _storage(listed)
    _as_json(listed)
    listed.set_defaults(command=_later("sinks", "list_command"))
    dead = _command(verbs, "dead", "list the events that a sink did not take", "openinspector sinks dead hub")
    dead.add_argument("sink", metavar="SINK")
    dead.add_argument("--most", type=int, metavar="N", default=100, help="the latest N (default: 100)")
    _storage(dead)
    _as_json(dead)
    dead.set_defaults(command=_later("sinks", "dead_command"))
    retry = _command(
        verbs, "retry", "have those sent again, and the sink tried at once", "openinspector sinks retry hub"
    )
    retry.add_argument("sink", metavar="SINK")
    _storage(retry)
    _as_json(retry)
    retry.set_defaults(command=_later("sinks", "retry_command"))


def _ingest(commands: Any) -> None:
    ingest = _command(commands, "ingest", "scan a target, and hand in to the service what was found", _INGEST_EXAMPLES)
    _target(ingest, optional=True)
    ingest.add_argument("--sbom", metavar="FILE", help="as TARGET sbom:FILE")
    ingest.add_argument(
        "--inventory", metavar="FILE", help="in place of TARGET: what `sbom --format inventory` has written"
    )
    ingest.add_argument("--account", metavar="ID", help="12 digits (with --endpoint: that of the key)")
    _region(ingest, "(default: us-east-1)")
    kinds = ("AWS_EC2_INSTANCE", "AWS_ECR_CONTAINER_IMAGE", "AWS_LAMBDA_FUNCTION")
    ingest.add_argument("--type", choices=kinds, default=kinds[0], help=f"(default: {kinds[0]})")
    ingest.add_argument("--id", required=True, help="i-… of an instance, the ARN of an image or a function")
    ingest.add_argument("--tag", metavar="NAME=VALUE", action="append", default=[], help="a tag of the resource")
    ingest.add_argument("--endpoint", metavar="URL", help="the service (default: the database of this machine)")
    ingest.add_argument("--profile", metavar="NAME", help="whose credentials of AWS's configuration files sign")
    ingest.add_argument("--ca-bundle", metavar="FILE", help="who vouches for the service, PEM (default: AWS_CA_BUNDLE)")
    ingest.add_argument("--plain-http", action="store_true", help="speak to another machine without TLS")
    _storage(ingest)
    _as_json(ingest)
    ingest.set_defaults(command=_later("ingest"))


def _usage(commands: Any) -> None:
    usage = _command(commands, "usage", "say what accounts used, and what it costs", _USAGE_EXAMPLES)
    usage.add_argument(
        "--account", metavar="ID", action="append", default=[], help="12 digits, repeatable (default: all accounts)"
    )
    _region(usage, "(default: us-east-1)")
    usage.add_argument("--days", type=int, metavar="N", default=30, help="the last N, today included (default: 30)")
    _storage(usage)
    usage.add_argument(
        "--format", choices=("table", "json", "csv"), default="table", help="for people, or for programs"
    )
    usage.set_defaults(command=_later("usage"))


def _rematch(commands: Any) -> None:
    what = "put the advisory file in force: match again what it touches, and let findings follow"
    rematch = _command(commands, "rematch", what, _REMATCH_EXAMPLES)
    rematch.add_argument("--full", action="store_true", help="match everything, not only what differs")
    _storage(rematch)
    _as_json(rematch)
    rematch.set_defaults(command=_later("rematch"))


def _organization(commands: Any) -> None:
    what = "declare, show, and read from AWS the accounts that belong together"
    organization = _command(commands, "organization", what, "openinspector organization show")
    verbs = organization.add_subparsers(metavar="VERB", required=True)
    declare = _command(
        verbs, "declare", "make known the organization that a file declares, or what has changed", _DECLARE_EXAMPLES
    )
    declare.add_argument("file", metavar="FILE", help="TOML, with all accounts (docs/howto/organizations.md)")
    show = _command(
        verbs,
        "show",
        "show the organizations that are known, with their accounts",
        "openinspector organization show --format json",
    )
    sync = _command(
        verbs,
        "sync",
        "bring the organization up to date with AWS Organizations, as the service does by itself",
        "openinspector organization sync",
    )
    for verb, function in ((declare, "declare_command"), (show, "show_command"), (sync, "sync_command")):
        if verb is not show:
            _region(verb, "the region of the service (default: us-east-1)")
        _storage(verb)
        _as_json(verb)
        verb.set_defaults(command=_later("organization", function))


def _account(command: argparse.ArgumentParser) -> None:
    command.add_argument("--account", metavar="ID", required=True, help="12 digits")


def _region(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument("--region", type=_region_named, default="us-east-1", help=what)


def _region_named(text: str) -> str:
    """What ARNs can name as a region; it stands in them, and in what clients sign."""
    if not text.isascii() or not text.replace("-", "").isalnum() or text != text.lower() or len(text) > _LONGEST_REGION:
        raise argparse.ArgumentTypeError(f"{text!r} is no region: write us-east-1")
    return text


def _storage(command: argparse.ArgumentParser) -> None:
    command.add_argument("--data", metavar="DIR", help="the data folder (default: OPENINSPECTOR_DATA, or the user's)")
    command.add_argument(
        "--database-url",
        metavar="URL",
        help="a PostgreSQL of your own (default: one that is started in the data folder)",
    )


def _as_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--format", choices=("table", "json"), default="table", help="for people, or for programs")


def _command(commands: Any, name: str, what: str, examples: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(
        name,
        help=what,
        description=what[0].upper() + what[1:] + ".",
        epilog=examples if "\n" in examples else f"example: {examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return made


def _parser(name: str, what: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(prog=name, description=what)


def _later(module: str, function: str = "run") -> Callable[[argparse.Namespace], int]:
    def command(chosen: argparse.Namespace) -> int:
        run: Any = getattr(import_module(f"openinspector.cli.{module}"), function)
        return int(run(chosen))

    return command


_COMMANDS: Final = {
    "scan": _scan,
    "sbom": _sbom,
    "explain": _explain,
    "db": _db,
    "serve": _serve,
    "keys": _keys,
    "sinks": _sinks,
    "ingest": _ingest,
    "organization": _organization,
    "rematch": _rematch,
    "usage": _usage,
    "version-compare": _version_compare,
    "completion": _completion,
}
