"""The stubs are what the module has, and the examples of the documentation run."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import gan_metrics
from gan_metrics import _native

PACKAGE = Path(gan_metrics.__file__).parent
EXAMPLES = ["", ".divergences", ".evaluator", ".extractor", ".report", ".scoring", ".statistics", ".loggers", ".fidelity", ".cleanfid", ".testing"]


def test_stubs_have_every_name_of_the_module_and_no_other():
    tree = ast.parse((PACKAGE / "_native.pyi").read_text())
    stubs = {node.name: node for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    public = {name for name in dir(_native) if not name.startswith("_")}
    assert set(stubs) == public
    for name, node in stubs.items():
        if isinstance(node, ast.FunctionDef):
            assert arguments(node) == list(inspect.signature(getattr(_native, name)).parameters), name
            continue
        members = {member.name: member for member in node.body if isinstance(member, ast.FunctionDef)}
        kind = getattr(_native, name)
        expected = {member for member in vars(kind) if not member.startswith("_")}
        assert {member for member in members if member != "__new__"} == expected, name
        for member, stub in members.items():
            if "property" in decorators(stub):
                assert inspect.isgetsetdescriptor(vars(kind)[member]), (name, member)
                continue
            of_class = member == "__new__" or "staticmethod" in decorators(stub)
            actual = inspect.signature(kind if member == "__new__" else getattr(kind, member)) if has_signature(kind, member) else None
            if actual is not None:
                own = arguments(stub)[1:] if member == "__new__" or not of_class else arguments(stub)
                assert own == [one for one in actual.parameters if one != "self"], (name, member)


def has_signature(kind: type, member: str) -> bool:
    """A class has one only where it says so in its documentation."""
    return member != "__new__" or kind.__text_signature__ is not None


def arguments(node: ast.FunctionDef) -> list[str]:
    return [argument.arg for argument in node.args.args]


def decorators(node: ast.FunctionDef) -> set[str]:
    return {decorator.id for decorator in node.decorator_list if isinstance(decorator, ast.Name)}


def test_the_package_is_typed():
    assert (PACKAGE / "py.typed").exists()
    pytest.importorskip("mypy")
    # The source: among installed packages mypy would take all of them for parts of this one.
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", "python/gan_metrics"]
    found = subprocess.run(command, capture_output=True, text=True, cwd=root)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_run(name):
    module = importlib.import_module(f"gan_metrics{name}")
    found = doctest.testmod(module)
    assert found.failed == 0
    assert found.attempted > 0


def test_everything_public_is_documented():
    for name in gan_metrics.__all__:
        thing = getattr(gan_metrics, name)
        if not name.startswith("__"):
            assert inspect.getdoc(thing), name
            for member, value in vars(thing).items() if inspect.isclass(thing) else ():
                if not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, (property, classmethod))):
                    assert inspect.getdoc(getattr(thing, member)) or inspect.getdoc(value), f"{name}.{member}"
