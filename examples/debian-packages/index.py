"""The machine's Debian package index as records, and the answers that a plain pass over it gives.

Nothing here knows of DynamoDB: `load.py` compares what the table answers with what these functions answer.
"""

import collections
import re
import subprocess

# Fields kept as numbers; every other field stays the text that the index has.
NUMBERS = {"Installed-Size", "Size"}
# Fields that list packages, kept besides their text as a set of the names they mention.
RELATIONS = ("Depends", "Pre-Depends")


def read():
    """Yields each record of the index as a dict of its fields, in the index's own order."""
    process = subprocess.Popen(["apt-cache", "dumpavail"], stdout=subprocess.PIPE, text=True, encoding="utf-8")
    record, field = {}, None
    for line in process.stdout:
        line = line.rstrip("\n")
        if not line:
            if record:
                yield record
            record, field = {}, None
        elif line[0] in " \t":
            record[field] += "\n" + line
        else:
            field, _, text = line.partition(":")
            record[field] = text.strip()
    if record:
        yield record
    if process.wait() != 0:
        raise SystemExit("apt-cache dumpavail failed: run 'apt-get update' first")


def depends_on(record):
    """Names of the packages that a record needs, alternatives included, versions left out."""
    names = set()
    for relation in RELATIONS:
        for choice in re.split(r"[,|]", record.get(relation, "")):
            name = choice.split("(")[0].strip().split(":")[0]
            if name:
                names.add(name)
    return names


def installed_size(record):
    return int(record.get("Installed-Size", 0))


def _order(character):
    if character == "~":
        return -1
    return ord(character) if character.isalpha() else ord(character) + 256


def version_key(version):
    """A key that sorts versions as dpkg does (deb-version(7))."""
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, dash, revision = rest.rpartition("-")
    if not dash:
        upstream, revision = rest, ""

    def part(text):
        key = []
        for letters, digits in re.findall(r"(\D*)(\d*)", text):
            # The end of a run of letters sorts after '~' and before everything else.
            key.append(tuple(_order(letter) for letter in letters) + (0,))
            key.append(int(digits or 0))
        return key

    return int(epoch), part(upstream), part(revision)


class Plain:
    """The questions of the example, answered from lists in memory."""

    def __init__(self, records):
        self.by_key = {(record["Package"], record["Version"]): record for record in records}

    def newest(self, name):
        return max((version for package, version in self.by_key if package == name), key=version_key)

    def by_maintainer(self, maintainer):
        return sorted(key for key, record in self.by_key.items() if record["Maintainer"] == maintainer)

    def needing(self, name):
        return sorted(key for key, record in self.by_key.items() if name in depends_on(record))

    def sections(self):
        return collections.Counter(record["Section"] for record in self.by_key.values())

    def largest(self, section, count):
        sizes = [installed_size(record) for record in self.by_key.values() if record["Section"] == section]
        return sorted(sizes, reverse=True)[:count]

    def busiest_maintainer(self):
        return collections.Counter(record["Maintainer"] for record in self.by_key.values()).most_common(1)[0][0]
