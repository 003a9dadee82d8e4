# -*- coding: utf-8 -*-
"""The model of the coherence tests: registers that clients write and read at random, and what a read may say.

A register is one cached thing of OpenERP (a user's language, a translation, a record rule …). A
read that begins after a write's answer was given, through whichever worker of whichever node,
must see that write or a later one; a value that was rolled back is never seen. Each client's
orders follow from the seed, their interleaving does not. Valid on Python 2.7 and 3.

The clients are objects with `call(model, method, *arguments)`; the servers' half is
registers.py, which must be loaded into every worker.
"""
import os
import random
import threading
import time

SEED = int(os.environ.get('COHERENCE_SEED', '20261123'))
COMMIT, SLOW, ROLL_BACK, RAISE = 'commit', 'commit slowly', 'roll back', 'commit and raise'
#: begins before another client's signal, commits and signals after it; that other one must be there
OVERTAKEN = 'commit once another has signaled'
ENDINGS = [COMMIT] * 6 + [SLOW] * 2 + [ROLL_BACK] * 2 + [RAISE]
#: counts how often `put` was executed; not transactional, so a retry counts too
EXECUTIONS = 'coherence_executions'
_FRENCH = ("INSERT INTO res_lang (name, code, direction, date_format, time_format, grouping, decimal_point, "
           "active) VALUES ('French', 'fr_FR', 'ltr', '%d/%m/%Y', '%H:%M', '[]', ',', true)")


class Register(object):
    """One cached thing and the writes to it so far.

    :param detail: what `put` and `look` must know besides the record
    :param values: number of a write -> (value to write, value as it is read)
    """

    def __init__(self, kind, record, initial, values, detail=None):
        self.kind, self.record, self.detail = kind, record, detail
        self._values = values
        self._lock = threading.Lock()
        #: [value as read, begun, ended]; ended is None while the write runs
        self._writes = [[initial, 0.0, 0.0]]
        self._number = 0

    @property
    def place(self):
        """What `look` must be told."""
        return self.kind, self.record, self.detail

    def next_value(self):
        """(value to write, value as read) of the next write."""
        with self._lock:
            self._number += 1
            return self._values(self._number)

    def write_begins(self, value):
        write = [value, time.time(), None]
        with self._lock:
            self._writes.append(write)
        return write

    def write_failed(self, write):
        """A write that turned out never to have happened."""
        with self._lock:
            if write is not None:
                self._writes.remove(write)

    def problem(self, value, begun, ended):
        """None if a read between these times may have answered `value`, else what it may."""
        with self._lock:
            writes = [list(write) for write in self._writes]
        done = [write for write in writes if write[2] is not None and write[2] < begun]
        newest_start = max(write[1] for write in done)
        # superseded: over before another write began that was over before this read began
        possible = [write[0] for write in writes
                    if write[1] < ended and not (write[2] is not None and write[2] < newest_start)]
        if value in possible or self.kind == 'precision' and _is_mixed(value, possible):
            return None
        return '%s %s: read %r, possible were %r' % (self.kind, self.record, value, possible)


def _is_mixed(value, possible):
    """Whether each part of the value is possible for itself.

    A precision is read from the database and from the models' fields. While its
    write has committed but not yet answered, nothing has told the fields:

        t0 reader asks for signals: none   t1 writer commits   t2 reader's snapshot: new, fields: old
    """
    return len(value) == len(possible[0]) and all(
        part in [each[number] for each in possible] for number, part in enumerate(value))


class Game(object):
    """Several clients at the same registers, each in a thread of its own.

    :param faults: exceptions that a client raises when the server answers with an error
    :param writing: which share of the steps is a write
    :ivar problems: sentences; the game ends at the first
    :ivar orders: how many writes were ordered, by kind and by ending
    """

    def __init__(self, registers, faults, endings=ENDINGS, writing=0.25, seed=SEED):
        self.registers, self.faults, self.endings, self.writing = registers, faults, endings, writing
        self.seed = seed
        self.problems, self.failures = [], []
        self.orders = {}
        self.steps = 0
        self._lock = threading.Lock()

    def play(self, clients, steps, readers=()):
        """Each client takes so many steps; `readers` only read. Returns the problems."""
        players = [Player(self, client, steps, number, number < len(clients))
                   for number, client in enumerate(list(clients) + list(readers))]
        for player in players:
            player.start()
        for player in players:
            player.join(900)
            assert not player.is_alive(), "a worker hangs"
        print("seed %d: %d steps; writes: %s" % (self.seed, self.steps, ', '.join(
            '%s %d' % pair for pair in sorted(self.orders.items()))))
        if self.failures:
            raise RuntimeError("a client failed: %r" % self.failures[0])
        return self.problems

    def took(self, *what):
        with self._lock:
            self.steps += 1
            for one in what:
                self.orders[one] = self.orders.get(one, 0) + 1

    def judge(self, register, value, begun):
        """Note a problem if a read that began then may not have answered this by now."""
        problem = register.problem(value, begun, time.time())
        if problem:
            print(problem)
            self.problems.append(problem)

    def writes(self):
        """How many writes were ordered."""
        return sum(self.orders.get(ending, 0) for ending in set(ENDINGS))


class Player(threading.Thread):
    """One client: gives the orders that follow from its seed."""

    def __init__(self, game, client, steps, number, writes):
        super(Player, self).__init__()
        self.daemon = True
        self._game, self._client, self._steps, self._writes = game, client, steps, writes
        self._random = random.Random(game.seed + number)

    def run(self):
        game = self._game
        try:
            for _ in range(self._steps):
                if game.problems or game.failures:
                    break
                register, ending = self._random.choice(game.registers), self._random.choice(game.endings)
                if self._random.random() >= game.writing or not self._writes:
                    read(game, self._client, register)
                else:  # slow ones meet, so that some fail to be serialized and are tried again
                    write(game, self._client, game.registers[0] if ending == SLOW else register, ending)
        except Exception as error:
            game.failures.append(error)
            raise


def read(game, client, register):
    """One read, judged."""
    game.took()
    begun = time.time()
    game.judge(register, client.call('res.users', 'look', *register.place), begun)


def read_all(game, client):
    """All registers at once, judged; the pid of the worker that answered."""
    begun = time.time()
    values, pid = client.call('res.users', 'look_at_all', [register.place for register in game.registers])
    for register, value in zip(game.registers, values):
        game.judge(register, value, begun)
    return pid


def write(game, client, register, ending):
    """One write that ends as ordered."""
    game.took(register.kind, ending)
    value, as_read = register.next_value()
    begun = register.write_begins(as_read) if ending != ROLL_BACK else None
    try:
        client.call('res.users', 'put', register.kind, register.record, value, ending, register.detail)
    except game.faults as fault:
        if 'could not serialize' in str(fault):  # tried again and again, never committed
            return register.write_failed(begun)
        assert 'the end that the test wants' in str(fault), fault
    if begun is not None:
        begun[2] = time.time()
    return None


def prepare(postgres, database):
    """What a fresh database needs before any worker loads it."""
    postgres.query(_FRENCH, database)
    postgres.query("CREATE SEQUENCE %s" % EXECUTIONS, database)
    postgres.query("ALTER SEQUENCE %s OWNER TO %s" % (EXECUTIONS, postgres.role), database)


def executions(postgres, database):
    """How often `put` was executed, retries included."""
    last, called = postgres.query("SELECT last_value, is_called FROM %s" % EXECUTIONS, database)[0]
    return int(last) if called in (True, 't') else 0


def make_registers(call):
    """Make the records that the registers stand for. `call` is an administrator's client's."""
    zones = [zone for zone, _ in call('res.users', 'fields_get', ['tz'])['tz']['selection']]
    reader = call('res.users', 'create', {'name': 'reader', 'login': 'reader'})
    group = call('res.groups', 'create', {'name': 'Readers', 'users': [(6, 0, [reader])]})
    registers = []
    for number in range(3):
        registers += [_user(call, number, zones), _term(call), _rule(call, number, reader),
                      _parameter(call, number)]
    for number in range(2):
        registers += [_menu(call, reader), _right(call, number, reader, group), _workflow(call, number)]
    for precision in call('decimal.precision', 'search', [('name', 'in', ['Product Price', 'Discount'])]):
        name = call('decimal.precision', 'read', [precision], ['name'])[0]['name']
        call('decimal.precision', 'write', [precision], {'digits': 2})
        registers.append(Register('precision', precision, [2, 2],
                                  lambda n: ((n + 1) % 7 + 1, [(n + 1) % 7 + 1] * 2), name))
    return registers


def _user(call, number, zones):
    user = call('res.users', 'create', {'name': 'u', 'login': 'user %d' % number})

    def values(n):
        value = [['en_US', 'fr_FR'][n % 2], zones[n % len(zones)]]
        return value, value
    call('res.users', 'write', [user], {'lang': 'en_US', 'tz': zones[0]})
    return Register('user', user, ['en_US', zones[0]], values)


def _term(call):
    term = call('ir.translation', 'create', {'type': 'code', 'lang': 'fr_FR', 'name': 't', 'value': 'v0'})
    call('ir.translation', 'write', [term], {'src': 'source %d' % term, 'value': 'v0'})
    return Register('term', term, 'v0', lambda n: ('v%d' % n,) * 2)


def _rule(call, number, reader):
    model = 'res.partner.%s' % ['bank', 'category', 'title'][number]
    rule = call('ir.rule', 'create', {'name': 'r', 'domain_force': "[('name', '!=', 'v0')]",
                                      'model_id': _model(call, model)})
    return Register('rule', rule, ['v0'], lambda n: ('v%d' % n, ['v%d' % n]), [reader, model])


def _parameter(call, number):
    parameter = call('ir.config_parameter', 'create', {'key': 'k%d' % number, 'value': 'v0'})
    return Register('parameter', parameter, 'v0', lambda n: ('v%d' % n,) * 2)


def _menu(call, reader):
    menu = call('ir.ui.menu', 'create', {'name': 'm', 'action': 'ir.actions.act_window,%d' % call(
        'ir.actions.act_window', 'search', [('res_model', '=', 'res.partner')])[0]})
    return Register('menu', menu, True, lambda n: ([], True) if n % 2 == 0 else ([1], False), reader)


def _right(call, number, reader, group):
    model = ['ir.cron', 'ir.rule'][number]
    right = call('ir.model.access', 'create', {
        'name': 'a', 'group_id': group, 'perm_read': True, 'perm_unlink': False,
        'model_id': _model(call, model)})
    return Register('right', right, False, lambda n: (bool(n % 2),) * 2, [reader, model])


def _workflow(call, number):
    model = ['res.country', 'res.currency'][number]
    record = call(model, 'search', [])[0]
    workflow = call('workflow', 'create', {'name': 'w', 'osv': model, 'on_create': False})
    call('workflow.activity', 'create', {'name': 'begin', 'wkf_id': workflow, 'flow_start': True,
                                         'kind': 'dummy'})
    return Register('workflow', workflow, False, lambda n: (bool(n % 2),) * 2, [model, record])


def _model(call, name):
    return call('ir.model', 'search', [('model', '=', name)])[0]
