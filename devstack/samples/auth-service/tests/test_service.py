import pytest

from auth_service.errors import InvalidToken, NameTaken, WrongCredentials
from auth_service.service import AuthService
from auth_service.tokens import Tokens


class Clock:
    def __init__(self):
        self.now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def service(clock):
    service = AuthService(Tokens(lifetime=60, clock=clock))
    service.register("ada", "correct horse")
    return service


def test_whoever_knows_the_password_gets_a_token_of_their_own(service):
    assert service.who_is(service.sign_in("ada", "correct horse")) == "ada"


@pytest.mark.parametrize(("name", "password"), [("ada", "wrong horse"), ("bob", "correct horse")])
def test_wrong_credentials_are_refused(service, name, password):
    with pytest.raises(WrongCredentials):
        service.sign_in(name, password)


def test_a_name_is_registered_once(service):
    with pytest.raises(NameTaken):
        service.register("ada", "another horse")


def test_a_token_expires(service, clock):
    token = service.sign_in("ada", "correct horse")
    clock.now += 60

    with pytest.raises(InvalidToken):
        service.who_is(token)


def test_an_invented_token_is_refused(service):
    with pytest.raises(InvalidToken):
        service.who_is("an invented token")


def test_signing_out_makes_a_token_worthless(service):
    token = service.sign_in("ada", "correct horse")
    service.sign_out(token)

    with pytest.raises(InvalidToken):
        service.who_is(token)
