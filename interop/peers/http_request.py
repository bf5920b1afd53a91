"""Requests of WHIP, WHEP and the servers' own interfaces."""

import urllib.error
import urllib.request

# Of a request, and of each other step of a call.
STEP_LIMIT_S = 20


def request(url, method, body=None, content_type="application/sdp"):
    """Status, headers and body of an HTTP response, also of one with a status above 399."""
    headers = {"Content-Type": content_type} if body else {}
    message = urllib.request.Request(url, method=method, data=body and body.encode(), headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(message, timeout=STEP_LIMIT_S) as response:
            return response.status, response.headers, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()
