"""The error tree of the service: one root, and the picture in the module's docstring as the classes really are."""

import importlib
import pkgutil
import re

import pytest

from restbeat import service
from restbeat.service import errors
from restbeat.service.accounts.models import LoginRefusedError, NotAllowedError, TooOftenError
from restbeat.service.follow_up.models import LateError, LinkRefusedError
from restbeat.service.rendering.pdf import PaperError


def own_errors():
    """Return every exception class that a module of the service defines."""
    found = set()
    for module in pkgutil.walk_packages(service.__path__, f"{service.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, BaseException) and value.__module__.startswith(service.__name__):
                found.add(value)
    return found


def drawn_tree():
    """Return (class, parent) of each line of the tree in the docstring."""
    path, found = [], set()
    for line in errors.__doc__.splitlines():
        match = re.match(r"((?:│   |    |├── |└── )*)(\w+Error)\b", line)
        if match:
            depth = len(match.group(1)) // 4
            path[depth:] = [match.group(2)]
            found.add((match.group(2), path[depth - 1] if depth else "Exception"))
    return found


def test_every_error_of_the_service_has_one_root():
    assert all(issubclass(error, errors.ServiceError) for error in own_errors())


def test_the_docstring_draws_the_tree_as_it_is():
    assert drawn_tree() == {(error.__name__, error.__base__.__name__) for error in own_errors()}


@pytest.mark.parametrize(
    "error",
    [
        errors.UnknownError,
        errors.RefusedError,
        errors.StrapTakenError,
        LoginRefusedError,
        NotAllowedError,
        TooOftenError,
        LinkRefusedError,
        LateError,
        PaperError,
    ],
)
def test_a_refusal_is_a_request_that_cannot_be_met(error):
    assert issubclass(error, errors.RequestError)


@pytest.mark.parametrize("error", [errors.StorageError, errors.WorkerError, errors.CipherError, errors.MailError])
def test_a_failure_of_the_service_is_no_refusal(error):
    assert not issubclass(error, errors.RequestError)
