"""Holds a value against a shape of Inspector's service model: what our answers are checked with.

Stricter than the client: unknown and missing members, types, enumerations, lengths, ranges, patterns, time zones.
"""

import re
from datetime import datetime, timedelta
from functools import cache

import botocore.session

_TYPES = {
    "string": str,
    "integer": int,
    "long": int,
    "double": (int, float),
    "float": (int, float),
    "boolean": bool,
    "timestamp": datetime,
    "list": list,
    "map": dict,
    "structure": dict,
}


@cache
def model():
    return botocore.session.get_session().get_service_model("inspector2")


def shape(name):
    return model().shape_for(name)


def problems(name, value):
    """What is wrong with a value of a shape, by path; nothing for a good one."""
    return list(_problems(shape(name), value, name))


def _problems(of, value, path):
    kind, limits = of.type_name, of.metadata
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{path}: {value!r} is no {kind}"
        return
    if kind == "structure":
        yield from (f"{path}.{name} is missing" for name in of.required_members if name not in value)
        for name, each in value.items():
            if name not in of.members:
                yield f"{path}.{name} is unknown"
            else:
                yield from _problems(of.members[name], each, f"{path}.{name}")
    elif kind == "list":
        for number, each in enumerate(value):
            yield from _problems(of.member, each, f"{path}[{number}]")
    elif kind == "map":
        for key, each in value.items():
            yield from _problems(of.key, key, f"{path} key")
            yield from _problems(of.value, each, f"{path}[{key}]")
    elif kind == "timestamp" and value.utcoffset() != timedelta(0):
        yield f"{path}: {value} is not in UTC"
    if kind in ("string", "list", "map"):
        size = len(value)
        if not limits.get("min", 0) <= size <= limits.get("max", size):
            yield f"{path}: {size} is not between {limits.get('min')} and {limits.get('max')}"
    in_numbers = kind in ("integer", "long", "double")
    if in_numbers and not limits.get("min", value) <= value <= limits.get("max", value):
        yield f"{path}: {value} is out of range"
    if kind == "string":
        if "enum" in limits and value not in limits["enum"]:
            yield f"{path}: {value} is none of its words"
        if "pattern" in limits and not re.search(rf"\A(?:{limits['pattern']})\Z", value):
            yield f"{path}: {value} does not match {limits['pattern']}"
        try:
            value.encode()
        except UnicodeEncodeError:
            yield f"{path}: {value!r} has no UTF-8"
