from auth_service.passwords import hash_password, matches


def test_a_password_matches_its_own_hash_only():
    stored = hash_password("correct horse")

    assert matches("correct horse", stored)
    assert not matches("wrong horse", stored)


def test_the_same_password_gets_another_hash_each_time():
    assert hash_password("same") != hash_password("same")
