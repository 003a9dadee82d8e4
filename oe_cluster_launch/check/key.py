# -*- coding: utf-8 -*-
"""The key file: there, for its owner alone, and the same as on the other nodes."""
import os

from oe_cluster_launch import shared_state
from oe_cluster_launch.check.result import fail, from_faults, ok, warn
from oe_cluster_launch.sealing import key_file


def file(context):
    """It can be read, is closed to others and holds valid keys; or this node may make it."""
    path = context.settings.secret_key_file
    faults = shared_state.key_faults(context.settings, context.store())
    if os.path.exists(path):
        count = 0 if faults else len(key_file.read_keys(path))
        return from_faults(faults, "%s holds %d key%s" % (path, count, '' if count == 1 else 's'))
    return from_faults(faults, "%s does not exist: the first node makes it" % path)


def same_everywhere(context):
    """The newest key is that of the other nodes."""
    path = context.settings.secret_key_file
    if not os.path.exists(path):
        return ok("there is none yet to compare")
    mine = [key_file.fingerprint(key) for key in key_file.read_keys(path)]
    others = [member for member in context.others() if member.get('keys')]
    foreign = [member['node'] for member in others if not set(member['keys']) & set(mine)]
    if foreign:
        return fail("no key in it is one of %s: sessions of one are unreadable to the other"
                    % ', '.join(foreign), "Copy the file from there (mode 0600, owned by the node's user)",
                    'secret_key_file', path)
    older = [member['node'] for member in others if member['keys'][0] != mine[0]]
    if older:
        return warn("its newest key is not the newest of %s: a rotation is not finished" % ', '.join(older),
                    "Copy the file that has the newest key to every node, and reload each",
                    'secret_key_file', path)
    if not others:
        return ok("%s, and no other node runs to compare with" % mine[0])
    return ok("%s, as on %s" % (mine[0], ', '.join(member['node'] for member in others)))
