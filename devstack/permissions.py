"""The command ``discord-agent iam``: what is granted and nothing has used."""

from pathlib import Path

from deployment.iam.documents import Place
from deployment.iam.usage import compare, read, table, wrong
from devstack.aws.names import ACCOUNT, REGION
from discord_agent.system import SYSTEM


def run(folder: Path) -> int:
    """Print the table and what is wrong with it; 1 if anything is."""
    lines = compare(SYSTEM, Place(ACCOUNT, REGION), read(folder))
    for text in table(lines):
        print(text)
    faults = wrong(lines)
    for line in faults:
        print(f"WRONG: {line.role}: {line.granted.action} on {line.granted.resource}: {line.wrong}")
    for line in lines:
        if line.doubtful:
            print(f"used after all: {line.role}: {line.granted.action} on {line.granted.resource}: {line.unexercised}")
    unused = sum(not line.used for line in lines)
    print(f"{len(lines)} granted, {unused} of them not used here, {len(faults)} wrong")
    return 1 if faults else 0
