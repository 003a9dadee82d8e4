# -*- coding: utf-8 -*-
"""Keys in a file, seals that hold, pickles that do nothing."""
import collections
import datetime
import os
import stat
import threading

import pytest

from oe_cluster_launch.compat import PICKLE_PROTOCOL, pickle
from oe_cluster_launch.errors import ConfigurationError, PermissionRefused, SealError
from oe_cluster_launch.sealing import Sealing, key_file, seal
from oe_cluster_launch.sealing.pickles import ForeignClass, Pickles, allowed_names


@pytest.fixture
def path(tmpdir):
    return str(tmpdir.join('secret.key'))


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


# -------------------------------------------------------------------- the file

def test_a_new_file_holds_one_key_that_only_its_owner_can_read(path):
    assert key_file.create(path) is True
    assert mode(path) == 0o600
    assert len(key_file.read_keys(path)) == 1


def test_a_file_that_is_there_is_never_replaced(path):
    key_file.create(path)
    before = key_file.read_keys(path)
    assert key_file.create(path) is False
    assert key_file.read_keys(path) == before
    assert os.listdir(os.path.dirname(path)) == ['secret.key']


def test_of_many_that_create_at_once_one_wins_and_all_read_its_key(path):
    made, seen = [], []

    def create():
        made.append(key_file.create(path))
        seen.append(tuple(key_file.read_keys(path)))
    threads = [threading.Thread(target=create) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made.count(True) == 1 and len(made) == 16
    assert len(set(seen)) == 1


@pytest.mark.parametrize('wrong', [0o640, 0o604, 0o660, 0o644, 0o620, 0o601])
def test_a_file_that_others_can_use_is_refused_with_the_remedy(path, wrong):
    key_file.create(path)
    os.chmod(path, wrong)
    with pytest.raises(PermissionRefused) as caught:
        key_file.read_keys(path)
    assert 'chmod 600' in str(caught.value) and '%04o' % wrong in str(caught.value)


@pytest.mark.parametrize('content, words', [
    (b'', 'holds no key'), (b'# only a comment\n\n', 'holds no key'),
    (b'not a key\n', 'key 1 is not a Fernet key'), (b'QUJD\n', 'key 1 is not a Fernet key'),
    (key_file.new_key() + b'\n' + key_file.new_key()[:-5] + b'\n', 'key 2 is not a Fernet key')])
def test_a_file_without_good_keys_is_refused_and_no_key_is_shown(path, content, words):
    with open(path, 'wb') as target:
        target.write(content)
    os.chmod(path, 0o600)
    with pytest.raises(ConfigurationError) as caught:
        key_file.read_keys(path)
    assert words in str(caught.value)
    for line in content.decode('ascii').split():
        assert len(line) < 20 or line not in str(caught.value)


def test_a_missing_file_names_the_command_that_makes_it(path):
    with pytest.raises(ConfigurationError) as caught:
        key_file.read_keys(path)
    assert 'oe-cluster-launch key new' in str(caught.value)


def test_rotation_puts_a_new_key_on_top_and_drops_the_oldest_in_the_end(path):
    key_file.create(path)
    first = key_file.read_keys(path)
    second = key_file.rotate(path)
    assert second[1:] == first and key_file.read_keys(path) == second
    assert mode(path) == 0o600
    for _ in range(5):
        key_file.rotate(path)
    assert len(key_file.read_keys(path)) == key_file.KEYS_KEPT
    assert first[0] not in key_file.read_keys(path)


def test_a_fingerprint_tells_keys_apart_and_nothing_else():
    one, two = key_file.new_key(), key_file.new_key()
    assert key_file.fingerprint(one) == key_file.fingerprint(one) != key_file.fingerprint(two)
    assert key_file.fingerprint(one).encode('ascii') not in one


# -------------------------------------------------------------------- seals

def sealing_of(*keys):
    return Sealing(None, list(keys) or [key_file.new_key()])


def test_what_was_sealed_comes_back_only_at_its_place():
    sealing = sealing_of()
    token = sealing.seal(b'payload', 'session', 'id', u'n\xe4me')
    assert sealing.unseal(token, 'session', 'id', u'n\xe4me') == b'payload'
    for place in [('session', 'id', 'name'), ('session', 'other', u'n\xe4me'), ('sessionid', '', u'n\xe4me'),
                  ('session', 'id'), ('session', 'id', u'n\xe4me', ''), ()]:
        with pytest.raises(SealError):
            sealing.unseal(token, *place)


def test_nothing_of_the_payload_can_be_read_in_the_token():
    assert b'payload' not in sealing_of().seal(b'payload', 'place')


def test_equal_payloads_have_different_tokens():
    sealing = sealing_of()
    assert sealing.seal(b'x', 'p') != sealing.seal(b'x', 'p')


def test_after_a_rotation_old_tokens_open_and_are_known_as_old():
    old, new = key_file.new_key(), key_file.new_key()
    token = sealing_of(old).seal(b'x', 'p')
    assert sealing_of(new, old).unseal_and_tell(token, 'p') == (b'x', False)
    assert sealing_of(old, new).unseal_and_tell(token, 'p') == (b'x', True)
    with pytest.raises(SealError):
        sealing_of(new).unseal(token, 'p')


def test_nodes_with_different_keys_are_told_by_their_fingerprints():
    old, new = key_file.new_key(), key_file.new_key()
    rotated, behind = sealing_of(new, old), sealing_of(old)
    assert rotated.understands(behind.fingerprint)
    assert not behind.understands(rotated.fingerprint)


@pytest.mark.parametrize('token', [b'', b'x', b'gAAAA', b'\xff\xfe', b'gAAAAABk' * 20, b' '])
def test_nonsense_is_a_seal_error(token):
    with pytest.raises(SealError):
        sealing_of().unseal(token, 'p')
    with pytest.raises(SealError):
        sealing_of().verify(token, 'p')


def test_a_signature_holds_for_its_place_and_key_alone():
    key = key_file.new_key()
    signed = sealing_of(key).sign(b'payload', 'cache', 'k')
    assert sealing_of(key_file.new_key(), key).verify(signed, 'cache', 'k') == b'payload'
    for sealing, place in [(sealing_of(key), ('cache', 'other')), (sealing_of(), ('cache', 'k'))]:
        with pytest.raises(SealError):
            sealing.verify(signed, *place)
    for at in range(len(signed)):
        changed = bytearray(signed)
        changed[at] ^= 1
        with pytest.raises(SealError):
            sealing_of(key).verify(bytes(changed), 'cache', 'k')


def test_a_key_file_that_was_replaced_is_read_when_a_token_cannot_be_opened(path, monkeypatch):
    key_file.create(path)
    here = Sealing(path)
    key_file.rotate(path)
    token = Sealing(path).seal(b'x', 'p')
    monkeypatch.setattr(seal, 'RELOAD_INTERVAL_SECONDS', 0)
    assert here.unseal(token, 'p') == b'x'
    assert here.fingerprint == Sealing(path).fingerprint


def test_what_was_opened_before_a_rotation_is_known_as_old_after_it(path, monkeypatch):
    key_file.create(path)
    here = Sealing(path)
    token = here.seal(b'x', 'p')
    assert here.unseal_and_tell(token, 'p') == (b'x', True)
    key_file.rotate(path)
    monkeypatch.setattr(seal, 'RELOAD_INTERVAL_SECONDS', 0)
    assert here.reload()
    assert here.unseal_and_tell(token, 'p') == (b'x', False)


def test_a_token_that_was_opened_is_still_refused_elsewhere_and_the_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(seal, 'OPENED_KEPT', 5)
    sealing = sealing_of()
    tokens = [sealing.seal(b'%d' % number, 'p') for number in range(50)]
    for _ in range(2):
        for number, token in enumerate(tokens):
            assert sealing.unseal(token, 'p') == b'%d' % number
            with pytest.raises(SealError):
                sealing.unseal(token, 'q')
            with pytest.raises(SealError):
                sealing.unseal(token[:-1], 'p')
    assert len(sealing._opened._young) + len(sealing._opened._old) <= 10


def test_what_was_sealed_here_is_known_but_nothing_long(monkeypatch):
    monkeypatch.setattr(seal, 'LONGEST_KEPT_BYTES', 1000)
    sealing = sealing_of()
    short, long_one = sealing.seal(b'x', 'p'), sealing.seal(b'x' * 1000, 'p')
    assert list(sealing._opened._young) == [(short, ('p',))]
    assert sealing.unseal_and_tell(short, 'p') == (b'x', True)
    assert sealing.unseal(long_one, 'p') == b'x' * 1000 and len(sealing._opened._young) == 1


def test_a_key_file_that_was_spoilt_changes_nothing(path, monkeypatch, caplog):
    key_file.create(path)
    here = Sealing(path)
    token, before = here.seal(b'x', 'p'), here.fingerprint
    os.chmod(path, 0o644)
    with open(path, 'ab') as target:
        target.write(b'rubbish\n')
    with pytest.raises(SealError):
        here.unseal(b'foreign', 'p')
    assert here.fingerprint == before and here.unseal(token, 'p') == b'x'
    assert 'is not used' in caplog.text


# -------------------------------------------------------------------- pickles

class Allowed(object):
    def __init__(self, value):
        self.value = value


class Forbidden(object):
    created = 0

    def __init__(self):
        Forbidden.created += 1

    def __reduce__(self):
        return Forbidden, ()


ALLOWED = Pickles([(__name__, 'Allowed')])


@pytest.mark.parametrize('value', [
    None, True, 1, 10 ** 30, 1.5, b'bytes', u't\xebxt', [1], (1, 2), {'a': {'b': [None]}}, {1, 2},
    frozenset([1]), datetime.datetime(2014, 2, 9), datetime.date(2014, 2, 9), datetime.timedelta(1),
    collections.OrderedDict([('b', 1), ('a', 2)]), complex(1, 2), bytearray(b'x')], ids=repr)
def test_plain_data_comes_back_as_it_was(value):
    again = ALLOWED.load(ALLOWED.dump(value))
    assert again == value and type(again) is type(value)


def test_a_class_on_the_list_comes_back():
    assert ALLOWED.load(ALLOWED.dump(Allowed([1]))).value == [1]


@pytest.mark.parametrize('protocol', range(2, PICKLE_PROTOCOL + 1))
def test_a_class_that_is_not_on_the_list_is_never_called(protocol):
    data = pickle.dumps([Allowed(1), Forbidden()], protocol)
    before = Forbidden.created
    with pytest.raises(ForeignClass) as caught:
        ALLOWED.load(data)
    assert Forbidden.created == before
    assert '%s:Forbidden' % __name__ in str(caught.value) and 'unpickle_allow' in str(caught.value)


@pytest.mark.parametrize('data', [
    b'', b'.', b'no pickle', b'\x80\x02', b"cos\nsystem\n(S'true'\ntR.", b"c__builtin__\neval\n(S'1'\ntR.",
    b'cbuiltins\nexec\n.', b'\x80\x04\x8c\x02os\x8c\x06system\x93.', b'(I1\nI2\n', b'\x80\xff.',
    b"c%s\nAllowed.value\n." % __name__.encode('ascii')])
def test_what_is_no_pickle_of_ours_is_a_seal_error(data):
    with pytest.raises(SealError):
        ALLOWED.load(data)


def test_the_setting_adds_classes():
    assert allowed_names(('a.b:C', 'd:E')) == [('a.b', 'C'), ('d', 'E')]
    data = pickle.dumps(Forbidden(), 2)
    assert isinstance(Pickles(allowed_names(['%s:Forbidden' % __name__])).load(data), Forbidden)
