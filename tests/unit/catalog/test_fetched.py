"""Which files belong to packages that were fetched, and which to projects."""

import pytest

from openinspector.catalog.fetched import is_fetched
from openinspector.pipeline.registry import formats

FETCHED = [
    "app/node_modules/uri-js/yarn.lock",
    "node_modules/a/package-lock.json",
    "usr/lib/python3/dist-packages/a/requirements.txt",
    "var/task/python/lib/python3.12/site-packages/a/poetry.lock",
    "go/pkg/mod/golang.org/x/net@v0.17.0/go.mod",
    "root/go/pkg/mod/github.com/!burnt!sushi/toml@v1.2.1/go.mod",
    "usr/local/cargo/registry/src/index.crates.io-6f17d22bba15001f/serde-1.0.188/Cargo.lock",
    "root/.cargo/git/checkouts/tool-0123456789abcdef/1a2b3c4/Cargo.lock",
    "usr/share/cargo/registry/serde-1.0.152/Cargo.lock",
    "app/vendor/bundle/ruby/3.2.0/gems/rack-2.2.7/Gemfile.lock",
    "usr/share/rubygems-integration/all/gems/rake-13.0.6/Gemfile.lock",
    "app/vendor/symfony/console/composer.lock",
    "app/deps/phoenix/mix.lock",
    "root/.pub-cache/hosted/pub.dev/http-1.0.0/pubspec.lock",
    "ios/Pods/Thing/Podfile.lock",
    "app/.build/checkouts/swift-nio/Package.resolved",
    "usr/share/doc/python3-pip/requirements.txt",
]
PROJECTS = [
    "app/yarn.lock",
    "requirements.txt",
    "src/node_modules_copy/package-lock.json",
    "go.mod",
    "app/pkg/mod/go.mod",
    "app/vendor/composer.lock",
    "app/gems/Gemfile.lock",
    "usr/src/app/Cargo.lock",
    "app/deps/mix.lock",
    "app/registry/src/Cargo.lock",
]


@pytest.mark.parametrize("path", FETCHED)
def test_a_fetched_packages_own_files_are_known(path):
    assert is_fetched(path)


@pytest.mark.parametrize("path", PROJECTS)
def test_a_projects_files_are_not_taken_for_fetched_ones(path):
    assert not is_fetched(path)


@pytest.mark.parametrize("path", FETCHED)
def test_no_reader_of_lock_files_wants_them(path):
    base = path.rpartition("/")[2]
    wanting = [each for each in formats().values() if base in each.wants.names or path.endswith(each.wants.suffixes)]
    assert wanting
    assert not any(each.accepts(path) for each in wanting)


def test_what_npm_writes_into_node_modules_is_wanted():
    assert formats()["npm.lock"].accepts("app/node_modules/.package-lock.json")
    assert not formats()["npm.lock"].accepts("app/.package-lock.json")
