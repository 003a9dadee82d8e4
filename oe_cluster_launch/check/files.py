# -*- coding: utf-8 -*-
"""Files that every node needs: shared folders and attachments."""
from oe_cluster_launch import shared_paths
from oe_cluster_launch.check.result import fail, from_fault, from_faults, ok, warn


def shared_folders(context):
    """Each of shared_paths is there, takes a file, and holds what the other nodes have written."""
    paths = context.settings.shared_paths
    if not paths:
        return ok("shared_paths names none")
    store = context.store()
    results = []
    for path in paths:
        fault, others = shared_paths.look(store, path, context.node_name)
        if fault:
            results.append(from_fault(fault))
        elif others:
            results.append(ok("%s: the same folder as on %s" % (path, ', '.join(others))))
        else:
            results.append(ok("%s: can be written; no other node has been there to compare with" % path))
    return results


def attachments(context):
    """No database keeps attachments as files that other nodes do not have."""
    from oe_cluster_launch.seams.openerp7 import attachments as host_attachments
    host = context.host
    faults = host_attachments.faults(host, context.settings)
    judge = fail if context.settings.local_attachments == 'refuse' else warn
    return from_faults(faults, "in PostgreSQL or in a shared folder", judge)
