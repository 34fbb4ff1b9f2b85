"""python -m tests.bot.reason_table: print faults against the words that follow; code 1 below 95 % as expected."""

import asyncio
import sys

from tests.bot import test_exchange_answers, test_reasons


def main() -> int:
    """Print the table and return the exit code."""
    rows = [
        (case.name, (case.activity, case.reason), asyncio.run(test_reasons.word_after(case)))
        for case in test_reasons.CASES
    ]
    rows += [
        (case.name, (case.activity, case.reason), asyncio.run(test_exchange_answers.word_after(case)))
        for case in test_exchange_answers.CASES
    ]
    rows += [
        (reason, (activity, reason), asyncio.run(test_reasons.word_of_state(reason)))
        for reason, activity in test_reasons.STATES.items()
    ]
    for name, status in (("dead", "offline"), ("stuck", "stalled")):
        rows.append((name, (status, None), (test_reasons.word_of_service(name), None)))
    right = 0
    for name, expected, found in rows:
        right += found == expected
        print(f"{name:30} {found[0]:8} {found[1] or '-':22} {'as expected' if found == expected else expected}")
    print(f"{right} of {len(rows)} as expected")
    return 0 if right >= 0.95 * len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
