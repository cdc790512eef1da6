"""The advisories in force."""

import pytest

from openinspector.errors import StoreError
from openinspector.model.advisory import Advisory, Affected
from openinspector.pipeline.in_force import InForce
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.part import write_part


def compiled(path, name):
    part = path.with_suffix(f".{name}.part")
    write_part(part, [Advisory(id="CVE-1", affected=(Affected(namespace="npm", name=name),))])
    fresh = path.with_suffix(f".{name}")
    compile_parts(fresh, [FeedState(name="osv", revision=1, digest=name, fetched="", parts=(part,))], {})
    fresh.replace(path)


def test_a_new_generation_takes_effect_and_the_old_one_can_still_be_asked(tmp_path, monkeypatch):
    path = tmp_path / "advisories.sqlite"
    monkeypatch.setenv("OPENINSPECTOR_DB", str(path))
    in_force = InForce()
    with pytest.raises(StoreError, match="no advisory file"):
        in_force()
    compiled(path, "old")
    old = in_force()
    assert in_force() is old
    compiled(path, "new")
    new = in_force()
    assert (old.speaks_of("npm", "old"), old.speaks_of("npm", "new")) == (True, False)
    assert (new.speaks_of("npm", "old"), new.speaks_of("npm", "new")) == (False, True)
    for each in (old, new):
        each.close()
