# -*- coding: utf-8 -*-
"""What README.md and docs/ name exists: pages, headings, files, commands, options, settings, exit codes."""
import argparse
import glob
import io
import os
import re

import pytest

from oe_cluster_launch import cli, errors

PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGES = sorted(os.path.relpath(path, PROJECT) for path in [os.path.join(PROJECT, 'README.md')] + glob.glob(
    os.path.join(PROJECT, 'docs', '**', '*.md'), recursive=True))
#: written by `make bench`
MADE_LATER = {'docs/benchmarks/results.md'}
#: where a path in the text may begin
ROOTS = ('', 'docs', 'oe_cluster_launch', 'tests')


def read(*path):
    with io.open(os.path.join(PROJECT, *path), encoding='utf-8') as source:
        return source.read()


def without_blocks(text):
    return re.sub(r'(?ms)^ *```.*?^ *```', '', text)


def quoted(page):
    """What stands between backticks on a page, line breaks as spaces."""
    return [re.sub(r'\s+', ' ', words) for words in re.findall(r'`([^`]+)`', without_blocks(read(page)))]


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    return {re.sub(r'[^\w\- ]', '', heading.lower()).strip().replace(' ', '-')
            for heading in re.findall(r'(?m)^#+ (.*)$', without_blocks(read(page)))}


@pytest.mark.parametrize('page', PAGES)
def test_every_link_leads_somewhere(page):
    for target in re.findall(r'\]\(([^)]+)\)', without_blocks(read(page))):
        if re.match(r'https?:', target):
            continue
        path, _, anchor = target.partition('#')
        found = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        assert os.path.exists(os.path.join(PROJECT, found)) or found in MADE_LATER, target
        assert not anchor or anchor in anchors(found), target


def test_the_index_lists_every_page():
    index = read('docs', 'README.md')
    for page in PAGES:
        name = os.path.relpath(page, 'docs')
        assert name.startswith('..') or name == 'README.md' or '(%s)' % name in index, name


def parser_of(name):
    parser = argparse.ArgumentParser(prog=name)
    parser.add_argument('-c', '--config')
    cli.subcommands()[name].add_arguments(parser)
    return parser


def actions_of(parser):
    """{sub-action: parser}."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return action.choices
    return {}


def options_of(parser):
    own = {text for action in parser._actions for text in action.option_strings}
    return own.union(*[options_of(sub) for sub in actions_of(parser).values()])


def commands_named(page):
    """Every `oe-cluster-launch WORD ...` of a page, in its blocks too, as lists of words."""
    text = re.sub(r'\\\n', ' ', read(page))
    lines = re.findall(r'(?m)^(?:erp\d# )(oe-cluster-launch .*)$', text)
    return [line.split('  # ')[0].split('>')[0].split()[1:] for line in lines] + [
        words.split('`')[0].split('>')[0].split()[1:] for words in quoted(page)
        if words.startswith('oe-cluster-launch ')]


@pytest.mark.parametrize('page', [page for page in PAGES if not page.endswith('reference.md')])
def test_every_command_named_exists_with_its_options(page):
    known = cli.subcommands()
    for words in commands_named(page):
        if words[0].startswith('-') or words[0].isupper() or words[0] in ('COMMAND',):
            continue
        assert words[0] in known, words
        parser = parser_of(words[0])
        actions = actions_of(parser)
        if actions and len(words) > 1 and words[1].isalpha():
            assert words[1] in actions, words
        unknown = {word.split('=')[0] for word in words if re.match(r'--?[a-z]', word)} - options_of(parser)
        assert not unknown, words


@pytest.fixture(scope='module')
def words_of_the_code():
    """Every name in code, examples, units and tests, as one text: pages name a test by a part of its name."""
    found = set()
    for folder in ('oe_cluster_launch', 'conf', 'systemd', 'tests', 'benchmarks'):
        for parent, _, names in os.walk(os.path.join(PROJECT, folder)):
            for name in names:
                if name.endswith(('.py', '.conf', '.lua', '.service', '.socket', '.target', '.sh')) and (
                        name != os.path.basename(__file__)):
                    found.update(re.findall(r'\w+', read(parent, name)))
    return ' '.join(sorted(found))


#: of Redis, PostgreSQL, Python and shells, which our code need not mention
FOREIGN = {'max_connections', 'listen_addresses', 'pg_dump', 'pg_restore', 'oe_login', 'error_page',
           'ir_cron', 'auth_crypt'}


@pytest.mark.parametrize('page', PAGES)
def test_every_setting_and_name_exists(page, words_of_the_code):
    names = {match.group(1) for words in quoted(page)
             for match in [re.match(r'^([a-z]+(?:_[a-z0-9]+)+)(?: = .*)?$', words)] if match}
    assert [name for name in sorted(names - FOREIGN) if name not in words_of_the_code] == []


@pytest.mark.parametrize('page', PAGES)
def test_every_file_named_exists(page):
    for words in quoted(page):
        match = re.match(r'^((?:[\w.@-]+/)+[\w.@-]+\.(?:py|md|conf|lua|txt|service|socket|target))\b', words)
        if match:
            assert any(os.path.exists(os.path.join(PROJECT, root, match.group(1))) for root in ROOTS), words


@pytest.mark.parametrize('page', PAGES)
def test_every_make_target_exists(page):
    targets = set(re.findall(r'(?m)^([a-z-]+):', read('Makefile')))
    for words in quoted(page):
        match = re.match(r'^(?:[A-Z]+=\S+ )*make ([a-z-]+)', words)
        assert not match or match.group(1) in targets, words


def test_the_handbook_has_every_exit_code_and_says_whether_systemd_tries_again():
    rows = dict(re.findall(r'(?m)^\| (\d+) \|.*\| ([^|]*) \|$', read('docs', 'handbook.md')))
    codes = {value for name, value in vars(errors).items() if name.startswith('EXIT_')}
    unit = read('systemd', 'oe-cluster@.service')
    final = {int(code) for code in re.search(r'RestartPreventExitStatus=(.*)', unit).group(1).split()}
    for code in codes:
        again = rows[str(code)].startswith('yes')
        assert again == (code != 0 and code not in final), code
