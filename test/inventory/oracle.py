#!/usr/bin/env python3
"""Prints what Ansible makes of inventories: one JSON line for each line of standard input.

Input: {"sources": [...]}. Output: {"hosts": {name: vars}, "names": {name: groups}, "groups": {name: {hosts, children}}}
or {"error": text}. One process reads them all, because starting Ansible takes a second.
"""
import json
import os
import sys

os.environ["ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"] = "true"

from ansible.cli.inventory import INTERNAL_VARS  # noqa: E402
from ansible.inventory.manager import InventoryManager  # noqa: E402
from ansible.parsing.ajson import AnsibleJSONEncoder  # noqa: E402
from ansible.parsing.dataloader import DataLoader  # noqa: E402
from ansible.utils.display import Display  # noqa: E402
from ansible.vars.manager import VariableManager  # noqa: E402

Display.warning = lambda *args, **kwargs: None


class Encoder(AnsibleJSONEncoder):
    def default(self, o):
        return sorted(o) if isinstance(o, set) else super().default(o)


def read(sources):
    loader = DataLoader()
    inventory = InventoryManager(loader=loader, sources=sources)
    variables = VariableManager(loader=loader, inventory=inventory)
    hosts, names = {}, {}
    for host in inventory.get_hosts():
        found = variables.get_vars(host=host, include_hostvars=False, stage="all")
        hosts[host.name] = {key: value for key, value in found.items() if key not in INTERNAL_VARS}
        names[host.name] = sorted(group.name for group in host.get_groups())
    groups = {
        name: {"hosts": [host.name for host in group.hosts], "children": [child.name for child in group.child_groups]}
        for name, group in inventory.groups.items()
    }
    return {"hosts": hosts, "names": names, "groups": groups}


for line in sys.stdin:
    try:
        answer = read(json.loads(line)["sources"])
        text = json.dumps(answer, cls=Encoder)
    except Exception as error:  # the answer is "refused", whatever it is
        text = json.dumps({"error": str(error)})
    print(text, flush=True)
