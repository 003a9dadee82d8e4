# -*- coding: utf-8 -*-
"""Three versions of one value become one: what it was, mine and theirs.

    t0  node A opens the session          base
    t1  node B opens it, changes it, closes     theirs
    t2  node A changes something else     mine
    t3  node A closes: what B wrote must stay, and so must what A wrote

Dictionaries and objects are merged by key and by attribute, anything else is
taken whole: whoever changed it wins, and if both did, the later one (mine).
Nothing is changed in place. A deletion yields to a change of the same key.
"""
import copy

ABSENT = type('Absent', (), {'__repr__': lambda self: 'ABSENT'})()
_ATOMS = (type(None), bool, int, float, bytes, type(u''))


def same(left, right):
    """Whether two values are the same all the way down, types included (1 is not True)."""
    try:
        return _same(left, right)
    except Exception:  # an __eq__ of the host's, or a cycle: not provably the same
        return False


def _same(left, right):
    if left is right:
        return True
    if type(left) is not type(right):
        return False
    if isinstance(left, _ATOMS):
        return left == right
    if isinstance(left, dict):
        return (len(left) == len(right)
                and all(key in right and _same(left[key], right[key]) for key in left)
                and _same_attributes(left, right))
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(_same, left, right))
    if hasattr(left, '__dict__'):
        return _same_attributes(left, right)
    return bool(left == right)


def _same_attributes(left, right):
    mine, theirs = getattr(left, '__dict__', None), getattr(right, '__dict__', None)
    return mine == theirs if mine is None or theirs is None else (
        set(mine) == set(theirs) and all(_same(mine[name], theirs[name]) for name in mine))


def merge(base, mine, theirs, policy):
    """One value out of three; `base` may be ABSENT, the others are values.

    :param policy: says which attributes belong together and which content wins
    """
    if same(mine, theirs) or same(base, theirs):
        return mine
    if same(base, mine):
        return theirs
    if type(mine) is not type(theirs):
        return mine
    if type(mine) is dict:
        return _merge_keys(base if type(base) is dict else {}, mine, theirs, policy)
    if hasattr(mine, '__dict__') and not isinstance(mine, (dict, list, tuple, set, type)):
        merged = copy.copy(mine)
        merged.__dict__ = _merge_attributes(getattr(base, '__dict__', {}), mine.__dict__,
                                            theirs.__dict__, policy)
        return merged
    return mine


def _merge_attributes(base, mine, theirs, policy):
    """As :func:`_merge_keys`, but each of the policy's units is taken whole from one side."""
    merged = _merge_keys(base, mine, theirs, policy)
    for unit in policy.units:
        was, ours, other = (_part(side, unit) for side in (base, mine, theirs))
        if same(ours, was):
            chosen = other
        elif same(other, was):
            chosen = ours
        else:
            chosen = policy.prefer(was, ours, other)
        for name in unit:
            merged.pop(name, None)
        merged.update(chosen)
    return merged


def _part(side, names):
    return dict((name, side[name]) for name in names if name in side)


def _merge_keys(base, mine, theirs, policy):
    merged = {}
    for key in list(theirs) + [key for key in mine if key not in theirs]:
        was, ours, other = (side.get(key, ABSENT) for side in (base, mine, theirs))
        value = _merge_one(was, ours, other, policy)
        if value is not ABSENT:
            merged[key] = value
    return merged


def _merge_one(was, ours, other, policy):
    if ours is ABSENT:
        return ABSENT if same(was, other) else other
    if other is ABSENT:
        return ABSENT if same(was, ours) else ours
    return merge(was, ours, other, policy)
