# -*- coding: utf-8 -*-
"""Which differences between nodes are unsafe, which only worth showing. Pure functions.

Unsafe: another sealing key (nobody could read the other's sessions), another
PostgreSQL (sessions and cron of two systems would mix), another OpenERP
version on the same databases, two nodes with one name. Worth showing: other
addons, as they are for a while in every rolling update, and other databases.
"""

NAMESAKE = "a node named %s runs on %s already; set node_name in [cluster]"
_KEYS = "its secret key is not that of %s; copy the file secret_key_file from there"
_POSTGRES = "its PostgreSQL is not that of %s; check db_host and db_port, or set another redis_prefix"
_VERSION = "it runs OpenERP %s and %s runs %s; use one version (join_mismatch = warn lets it in)"

#: fields of a record that are compared in `list`, with the words shown when they differ
SHOWN = (('host_version', "version"), ('addons', "addons"), ('databases', "databases"),
         ('keys', "key"), ('postgres', "PostgreSQL"))


def refusal(record, others, warn_only=False):
    """Why a node with this record must not join those others, or None."""
    for other in others:
        if other['node'] == record['node']:
            if other.get('token') != record['token'] and other.get('machine') != record['machine']:
                return NAMESAKE % (record['node'], other.get('machine'))
            continue
        if _both(record, other, 'keys') and not set(record['keys']) & set(other['keys']):
            return _KEYS % other['node']
        if warn_only:
            continue
        if _differs(record, other, 'postgres'):
            return _POSTGRES % other['node']
        if _differs(record, other, 'host_version'):
            return _VERSION % (record['host_version'], other['node'], other['host_version'])
    return None


def differences(members):
    """For each node's name, in which respects it differs from most of the others."""
    found = dict((member['node'], []) for member in members)
    for field, word in SHOWN:
        values = [_comparable(member[field]) for member in members if member.get(field)]
        if len(set(values)) < 2:
            continue
        usual = max(sorted(set(values), key=str), key=values.count)
        for member in members:
            if member.get(field) and _comparable(member[field]) != usual:
                found[member['node']].append(word)
    return found


def _both(record, other, field):
    return record.get(field) and other.get(field)


def _differs(record, other, field):
    return _both(record, other, field) and record[field] != other[field]


def _comparable(value):
    return tuple(sorted(value)) if isinstance(value, (list, tuple)) else value
