"""The tables of an advisory file.

One immutable SQLite file holds one generation. `affected` is clustered by package and lower bound, bounds being
version sort keys (see `versions/`), so that "which advisories contain this version" is a walk over a few adjacent
rows that SQLite does alone.

affected.package   → package.id: a name in a namespace (`debian:12`, with `#src` behind it where the name is a source
                   package's)
affected.lo, hi    sort keys: lo <= key < hi; hi NULL is open
affected.flags     see the constants below
affected.qualifier → qualifier.id: what else must hold, and the publisher's word for it
unaffected         what a publisher calls not affected, whatever the version
overruled          of an advisory's vulnerabilities those that a better authority speaks of (see `store/overrule.py`)
advisory.record    msgpack of `Advisory` without its `affected`, compressed with zstd
mention            which advisories speak of a vulnerability, under its canonical name
alias              another name of a vulnerability → its canonical name (the CVE where there is one)
"""

FORMAT = 3  # raised with every change of the tables

UPPER_INCLUSIVE = 1  # `bound` is the last affected version, not the fixed one
LOWER_EXCLUSIVE = 2  # affected only after `introduced`
UNREADABLE = 4  # a bound that its scheme can't read: whoever has the package is undecided
EXACT = 8  # the scheme's order is not total here: compare the texts
OVERRULED = 16  # a better authority speaks of all that this range is about: kept to explain, never matched
PARTLY_OVERRULED = 32  # of some of it: the table `overruled` says of what

TABLES = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE feed(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL, digest TEXT NOT NULL,
    newest TEXT NOT NULL, fetched TEXT NOT NULL, advisories INTEGER NOT NULL, affected INTEGER NOT NULL,
    enrichments INTEGER NOT NULL, problems INTEGER NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL);
CREATE TABLE package(id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, name TEXT NOT NULL, UNIQUE(namespace, name));
CREATE TABLE affected(
    package INTEGER NOT NULL, lo BLOB NOT NULL, advisory INTEGER NOT NULL, part INTEGER NOT NULL, hi BLOB,
    introduced TEXT, bound TEXT, flags INTEGER NOT NULL, qualifier INTEGER NOT NULL,
    PRIMARY KEY(package, lo, advisory, part)) WITHOUT ROWID;
CREATE TABLE unaffected(
    package INTEGER NOT NULL, advisory INTEGER NOT NULL, qualifier INTEGER NOT NULL,
    PRIMARY KEY(package, advisory, qualifier)) WITHOUT ROWID;
CREATE TABLE overruled(
    package INTEGER NOT NULL, advisory INTEGER NOT NULL, qualifier INTEGER NOT NULL, vulnerability TEXT NOT NULL,
    PRIMARY KEY(package, advisory, qualifier, vulnerability)) WITHOUT ROWID;
CREATE TABLE qualifier(
    id INTEGER PRIMARY KEY, state TEXT NOT NULL, module TEXT NOT NULL, arches TEXT NOT NULL, repository TEXT NOT NULL,
    severity TEXT NOT NULL, note TEXT NOT NULL, UNIQUE(state, module, arches, repository, severity, note));
CREATE TABLE advisory(
    id INTEGER PRIMARY KEY, feed INTEGER NOT NULL, name TEXT NOT NULL, vulnerabilities TEXT NOT NULL,
    record BLOB NOT NULL);
CREATE TABLE mention(
    vulnerability TEXT NOT NULL, advisory INTEGER NOT NULL, PRIMARY KEY(vulnerability, advisory)) WITHOUT ROWID;
CREATE TABLE alias(name TEXT PRIMARY KEY, canonical TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX alias_of ON alias(canonical, name);
CREATE TABLE rejected(vulnerability TEXT PRIMARY KEY) WITHOUT ROWID;
"""

# Facts about vulnerabilities: in the parts (one document each) as in the whole.
ENRICHMENT_TABLES = """
CREATE TABLE epss(
    vulnerability TEXT PRIMARY KEY, score REAL NOT NULL, percentile REAL, date TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE kev(vulnerability TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE exploit(
    vulnerability TEXT NOT NULL, source TEXT NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY(vulnerability, source)) WITHOUT ROWID;
CREATE TABLE weakness(id TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE nickname(vulnerability TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
"""

ENRICHMENTS = ("epss", "kev", "exploit", "weakness", "nickname")
