"""A function in a process of its own, as in Lambda: it sees the unpacked archives and Python's own library, no more.

`python -I -S -B worker.py HANDLER PATH...`; each line of its input is an event, each line of its output an answer.
"""

import json
import sys
import traceback


class Context:
    """What Lambda tells a function about its invocation."""

    function_name = "packaged"
    function_version = "$LATEST"
    memory_limit_in_mb = 1769
    invoked_function_arn = "arn:aws:lambda:eu-west-1:000000000000:function:packaged"
    aws_request_id = "00000000-0000-0000-0000-000000000001"
    log_group_name = log_stream_name = "packaged"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 60_000


def foreign(allowed: tuple[str, ...]) -> list[str]:
    """The modules that came from elsewhere than the archives and Python's own library."""
    files = ((name, getattr(module, "__file__", None)) for name, module in list(sys.modules.items()))
    return [name for name, file in files if file and file != __file__ and not file.startswith(allowed)]


def main(function: str, paths: list[str]) -> None:
    own = [path for path in sys.path if path and "site-packages" not in path and not path.endswith("/tests/package")]
    sys.path[:] = paths + own
    answers, sys.stdout = sys.stdout, sys.stderr  # what a function prints is its log
    import app  # the packaged one

    handler = getattr(app, function)
    for line in sys.stdin:
        try:
            answer = {"result": handler(json.loads(line), Context())}
        except Exception as error:  # noqa: BLE001  # the test reports it
            answer = {"error": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()}
        answer["foreign"] = foreign((*paths, *own))
        answer["modules"] = sorted({name.partition(".")[0] for name in sys.modules})
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
