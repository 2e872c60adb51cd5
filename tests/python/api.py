"""Holds a running open door against its own OpenAPI document.

Usage: api.py ADDRESS [--examples N] [--seed N], with the client's token in TOKEN if it needs one.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import urllib.request

from openapi_spec_validator import OpenAPIV31SpecValidator

# 410 is what a time in the past gets, 422 what the system refuses: both are answers of a valid request.
# A page of the feed may be waited for, up to a minute: no test has that time.
CONFIG = """
[parameters]
"query.wait" = 1

[checks.positive_data_acceptance]
expected-statuses = ["2xx", 401, 403, 404, 409, 410, 422]

[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 409, 410, 415, 422]
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("--examples", default="25")
    parser.add_argument("--seed", default="7")
    asked = parser.parse_args()
    token = os.environ.get("TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{asked.address}/api/openapi.json"
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
        document = json.load(answer)
    problems = list(OpenAPIV31SpecValidator(document).iter_errors())
    for problem in problems:
        print(f"the document is not valid: {problem.json_path}: {problem.message}")
    if problems:
        return 1
    print(f"OpenAPI {document['openapi']}, valid: {len(document['paths'])} paths")
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as config:
        config.write(CONFIG)
        config.flush()
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", config.name]
        command += ["run", url, "--checks", "all", "--seed", asked.seed, "--no-color"]
        command += ["--max-examples", asked.examples, "--generation-database", "none"]
        command += ["--warnings", "off"]
        if "/api/published/stream" in document["paths"]:
            # A stream has no end that could be waited for.
            command += ["--exclude-path", "/api/published/stream"]
        for name, value in headers.items():
            command += ["--header", f"{name}: {value}"]
        return subprocess.run(command).returncode


if __name__ == "__main__":
    sys.exit(main())
