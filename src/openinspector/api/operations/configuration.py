"""How resources are scanned: GetConfiguration, UpdateConfiguration.

Source: Inspector's API reference for both.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from openinspector.api.context import Context, Handler
from openinspector.api.errors import AccessDenied, ValidationFailed, field_failed
from openinspector.api.operations._standing import NO_ACCESS, membership, reach_of, with_members
from openinspector.model.account import SECTIONS, AmiSettings, Configuration, Ec2Settings, EcrSettings, Section
from openinspector.model.moment import moment_text, read_moment
from openinspector.store import accounts
from openinspector.store.organizations import configure_members, member_ids, set_inheritance

_MEMBERS: Final[Mapping[Section, str]] = {
    "ecr": "ecrConfiguration",
    "ec2": "ec2Configuration",
    "ami": "amiConfiguration",
}


def get_configuration(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """The settings of the caller, or of a member that it administers."""
    wanted = _account(context, given)
    with context.connect(context.account_id, *_others(context, wanted)) as connection:
        found = accounts.read_account(connection, context.region, wanted).configuration
    return {
        "ecrConfiguration": {"rescanDurationState": _ecr(found.ecr)},
        "ec2Configuration": _ec2(found.ec2),
        "amiConfiguration": _ami(found.ami),
    }


def update_configuration(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Changes settings: an administrator's are those of all its members too, but where one was given its own."""
    inherited = _inherited(given)
    wanted = _account(context, given)
    with context.connect(context.account_id) as connection:
        if membership(connection, context):
            raise AccessDenied("The settings of a member are its delegated administrator's to change.")
    if wanted == context.account_id:
        with with_members(context) as connection:
            heirs = member_ids(connection, context.region, context.account_id)
            was = accounts.lock(connection, context.region, {wanted, *heirs}, context.now)[wanted].configuration
            sections = _changes(was, given, moment_text(context.now))
            accounts.configure(connection, context.region, [wanted], sections, context.now)
            configure_members(connection, context.region, context.account_id, sections, context.now)
        return {}
    with context.connect(context.account_id, wanted) as connection:
        before = accounts.lock(connection, context.region, {wanted, context.account_id}, context.now)
        sections = _changes(before[wanted].configuration, given, moment_text(context.now))
        own = dict.fromkeys((name for name in SECTIONS if given.get(_MEMBERS[name])), False)
        for name in inherited:
            sections[name] = getattr(before[context.account_id].configuration, name)
            own[name] = True
        accounts.configure(connection, context.region, [wanted], sections, context.now)
        set_inheritance(connection, context.region, context.account_id, wanted, own, context.now)
    return {}


def _account(context: Context, given: Mapping[str, Any]) -> str:
    """Whose settings a call is about.

    Raises:
        AccessDenied: Somebody's who is no member of the caller's.
    """
    wanted: str = given.get("accountId", context.account_id)
    if not reach_of(context, [wanted]).allowed:
        raise AccessDenied(NO_ACCESS)
    return wanted


def _others(context: Context, wanted: str) -> tuple[str, ...]:
    return () if wanted == context.account_id else (wanted,)


def _inherited(given: Mapping[str, Any]) -> list[Section]:
    """The sections that a member is to have from its administrator again.

    Raises:
        ValidationFailed: The call asks for nothing, or for what excludes each other.
    """
    asked = given.get("updateConfigurationInheritance", {})
    inherited = [name for name, wire in _MEMBERS.items() if asked.get(wire)]
    set_here = [name for name, wire in _MEMBERS.items() if given.get(wire)]
    if not inherited and not set_here:
        raise ValidationFailed("The request changes no configuration.")
    if inherited:
        if "accountId" not in given:
            raise field_failed("accountId", "Inheritance is of a member account, which has to be named.")
        if {"ecr", "ec2"} & set(set_here) or set(inherited) & set(set_here):
            raise field_failed(
                "updateConfigurationInheritance", "A configuration is either set or inherited in one request."
            )
    return inherited


def _changes(was: Configuration, given: Mapping[str, Any], now: str) -> dict[Section, msgspec.Struct]:
    """The sections that a call changes, whole. What it leaves out stays, as does all where it says what is anyway."""
    ecr, ec2, ami = (given.get(_MEMBERS[name]) for name in SECTIONS)
    changed: dict[Section, msgspec.Struct] = {}
    if ecr:
        changed["ecr"] = _changed_ecr(was.ecr, ecr, now)
    if ec2:
        changed["ec2"] = _changed_ec2(was.ec2, ec2, now)
    if ami:
        changed["ami"] = _changed_ami(was.ami, ami, now)
    return changed


def _changed_ecr(was: EcrSettings, given: Mapping[str, Any], now: str) -> EcrSettings:
    told = _given(
        given,
        rescanDuration="rescan_duration",
        pullDateRescanDuration="pull_date_rescan_duration",
        pullDateRescanMode="pull_date_rescan_mode",
    )
    new = msgspec.structs.replace(was, **told)
    return new if new == was and was.updated_at else msgspec.structs.replace(new, updated_at=now)


def _changed_ec2(was: Ec2Settings, given: Mapping[str, Any], now: str) -> Ec2Settings:
    has_scanner = given.get("activateVMScanner", was.has_vm_scanner)
    since = was.vm_scanner_since
    if has_scanner != was.has_vm_scanner:
        since = now if has_scanner else ""
    return Ec2Settings(scan_mode=given["scanMode"], has_vm_scanner=has_scanner, vm_scanner_since=since)


def _changed_ami(was: AmiSettings, given: Mapping[str, Any], now: str) -> AmiSettings:
    mode = given["scanModeConfiguration"]
    told = _given(given, createdWithin="created_within", lastLaunchedWithin="last_launched_within")
    told |= _given(
        mode, scanMode="scan_mode", excludeCopiedAmis="exclude_copied", excludeBackupDlmAmis="exclude_backups"
    )
    tags = mode.get("tags")
    if tags is not None:
        told["tag_key"] = tags[0]["key"] if tags else ""
        told["tag_value"] = tags[0].get("value") if tags else None
    new = msgspec.structs.replace(was, **told)
    if new.scan_mode == "TARGET_SCANNING" and not new.tag_key:
        raise field_failed(
            "amiConfiguration.scanModeConfiguration.tags", "TARGET_SCANNING needs the tag of the images that it is for."
        )
    return new if new == was and was.updated_at else msgspec.structs.replace(new, updated_at=now)


def _given(asked: Mapping[str, Any], **names: str) -> dict[str, Any]:
    return {ours: asked[wire] for wire, ours in names.items() if asked.get(wire) is not None}


def _ecr(settings: EcrSettings) -> dict[str, Any]:
    return {
        "rescanDuration": settings.rescan_duration,
        "pullDateRescanDuration": settings.pull_date_rescan_duration,
        "pullDateRescanMode": settings.pull_date_rescan_mode,
        "status": "SUCCESS",
        "updatedAt": _moment(settings.updated_at),
    }


def _ec2(settings: Ec2Settings) -> dict[str, Any]:
    return {
        "scanModeState": {"scanMode": settings.scan_mode, "scanModeStatus": "SUCCESS"},
        "vmScannerState": {
            "activated": settings.has_vm_scanner,
            "activatedAt": _moment(settings.vm_scanner_since),
            "status": "SUCCESS",
        },
    }


def _ami(settings: AmiSettings) -> dict[str, Any]:
    mode: dict[str, Any] = {
        "scanMode": settings.scan_mode,
        "excludeCopiedAmis": settings.exclude_copied,
        "excludeBackupDlmAmis": settings.exclude_backups,
    }
    if settings.tag_key:
        mode["tags"] = [{"key": settings.tag_key, "value": settings.tag_value}]
    return {
        "createdWithin": settings.created_within,
        "lastLaunchedWithin": settings.last_launched_within,
        "scanModeConfiguration": mode,
        "status": "SUCCESS",
        "updatedAt": _moment(settings.updated_at),
    }


def _moment(text: str) -> datetime | None:
    return read_moment(text) if text else None


OPERATIONS: Final[Mapping[str, Handler]] = {
    "GetConfiguration": get_configuration,
    "UpdateConfiguration": update_configuration,
}
