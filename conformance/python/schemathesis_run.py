"""Generated queries by schemathesis: whatever is asked, no answer is a 5xx, is no JSON or hides a failure inside.

Its own check `not_a_server_error` is not used: in GraphQL it takes any answer without data for one, such as a plain refusal
of a page that is too large.
"""

import time
from collections import Counter

from checks import check, endpoint, finish

EXAMPLES = 200
LIMIT_S = 60
REQUEST_TIMEOUT_S = 10

try:
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

    load_schema = schemathesis.graphql.from_url
except (ImportError, AttributeError) as missing:
    print(f"skipped: this schemathesis has no GraphQL mode ({missing})")
    finish()

statuses: Counter[int] = Counter()
end = time.monotonic() + LIMIT_S


def assert_no_failure_inside(response) -> None:
    statuses[response.status_code] += 1
    assert response.status_code < 500, f"{response.status_code}: {response.text[:300]}"
    for error in response.json().get("errors", []):
        code = error.get("extensions", {}).get("errorCode", "")
        assert not code.startswith("ERR-5"), error


def fuzz(operation, examples: int) -> None:
    # Derandomised: every run sends the same queries, as long as the schema stays.
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case) -> None:
        if time.monotonic() < end:
            assert_no_failure_inside(case.call(timeout=REQUEST_TIMEOUT_S))

    ask()


schemathesis.graphql.scalar(
    "Decimal", st.from_regex(r"[0-9]{1,6}(\.[0-9]{1,2})?", fullmatch=True).map(schemathesis.graphql.nodes.String)
)
# A file is sent in a form of several parts, which this does not write.
WITH_FILES = {"Mutation.importCollection"}
operations = []


def load() -> None:
    found = (result.ok() for result in load_schema(endpoint).get_all_operations())
    operations.extend(operation for operation in found if operation.label not in WITH_FILES)
    assert operations, "no root field"


check("the schema loads by introspection", load)
for operation in operations:
    check(operation.label, lambda: fuzz(operation, max(5, EXAMPLES // len(operations))))
print(f"{statuses.total()} queries, by status: {dict(sorted(statuses.items()))}")
finish()
