"""Harvests: what is kept of a tree, and how much of it at most."""

from openinspector.catalog.formats.requirements import PLUGIN
from openinspector.catalog.harvest import Harvester
from openinspector.model.problem import Problem


def test_of_a_path_that_comes_twice_the_later_file_counts():
    harvester = Harvester([PLUGIN])
    harvester.take("requirements.txt", [PLUGIN], b"a==1\n")
    harvester.take("requirements.txt", [PLUGIN], b"a==2\n")
    ((_, reading),) = harvester.finish().readings["requirements.txt"]
    assert [each.version for each in reading.packages] == ["2"]


def test_problems_without_end_are_counted():
    harvester = Harvester([PLUGIN])
    for at in range(10_050):
        harvester.problem(Problem(path=str(at), reason="x"))
    problems = harvester.finish().problems
    assert len(problems) == 10_001
    assert (problems[-1].count, problems[-1].partial) == (50, True)
