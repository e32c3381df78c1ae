"""The main job on the system that the CDK deploys on the emulator."""

from tests.support.demos import assert_the_main_job_was_done, played_against


def test_the_main_job_is_done_by_the_system_as_it_was_deployed() -> None:
    assert_the_main_job_was_done(played_against("cdk"))
