"""A page in somebody's browser reaches none of the stack's services."""

import httpx
import pytest

from devstack.aws.stack import LocalAws

SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/any/aws4_request"}
LIST_SECRETS = {**SIGNED, "X-Amz-Target": "AmazonSSM.DescribeParameters", "Content-Type": "application/x-amz-json-1.1"}


@pytest.mark.parametrize("browser", [{"Origin": "https://evil.example"}, {"Host": "rebound.evil.example"}])
def test_a_page_reads_no_secrets(fast_aws: LocalAws, browser: dict[str, str]) -> None:
    url = fast_aws.endpoints["AWS_ENDPOINT_URL"]
    assert httpx.post(url, content=b"{}", headers=LIST_SECRETS).status_code == 200
    refused = httpx.post(url, content=b"{}", headers=LIST_SECRETS | browser)
    assert (refused.status_code, refused.headers.get("access-control-allow-origin")) == (403, None)


def test_a_page_gets_no_leave_to_send_headers(fast_aws: LocalAws) -> None:
    asks = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL_SFN"):
        assert not httpx.options(fast_aws.endpoints[name], headers=asks).is_success


def test_a_page_invokes_no_function(fast_aws: LocalAws) -> None:
    url = f"{fast_aws.endpoints['AWS_ENDPOINT_URL_LAMBDA']}/2015-03-31/functions/discord-agent-puppet/invocations"
    answer = httpx.post(url, content=b"{}", headers={**SIGNED, "Origin": "null", "Content-Type": "text/plain"})
    assert answer.status_code == 403
