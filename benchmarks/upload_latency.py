"""Upload sessions through the local cloud: from the last byte uploaded to the word on the desktop's socket.

Each size is a number of uploads, one after the other, each in a session of its own with an open socket, after every
function is warm. The clock starts when the last byte of the form has been handed to the network; in between are S3's
event, the function that looks at the object, two conditional writes, and the post to the socket. For comparison, what
a desktop that asked every 2.5 seconds would wait on average before its question, and S3's own answer to the upload.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import measure
from local.demo.upload_client import Desktop, browser, open_session

PHOTO = b"\xff\xd8\xff\xe0" + bytes(200_000)
WARM_UP = 10
CHUNK = 64 * 1024
POLL_MS = 2500.0


async def upload_and_wait(desktop: Desktop) -> tuple[float, float]:
    """Milliseconds from the last byte to the word, and to S3's answer."""
    async with desktop.listening() as socket:
        permission = await desktop.phone.permission()
        form = permission["form"]
        fields = {**form["fields"], "Content-Type": "image/jpeg"}
        plain = httpx.Request("POST", form["url"], data=fields, files={"file": ("photo", PHOTO, "image/jpeg")})
        body = plain.read()
        last_byte = 0.0

        async def chunks() -> AsyncIterator[bytes]:
            nonlocal last_byte
            for start in range(0, len(body), CHUNK):
                yield body[start : start + CHUNK]
            last_byte = time.perf_counter()

        headers = {"Content-Type": plain.headers["Content-Type"], "Content-Length": str(len(body))}
        word = asyncio.create_task(socket.hear("UPLOAD_COMPLETED"))
        answer = await desktop.http.post(form["url"], content=chunks(), headers=headers)
        answered = time.perf_counter()
        answer.raise_for_status()
        await word
        told = time.perf_counter()
    return 1000 * (told - last_byte), 1000 * (answered - last_byte)


async def uploads(rest_url: str, count: int) -> list[tuple[float, float]]:
    """The times of `count` uploads after the warm-up."""
    times = []
    async with browser(rest_url) as http:
        for number in range(WARM_UP + count):
            desktop = await open_session(http, f"198.51.{number // 250}.{number % 250}")
            times.append(await upload_and_wait(desktop))
    return times[WARM_UP:]


def main() -> None:
    """Measure and print."""
    arguments = measure.arguments(__doc__, sizes=[200])
    report = measure.Report("upload_latency")
    with measure.local_cloud() as cloud:
        for count in arguments.sizes:
            times = asyncio.run(uploads(cloud.rest_url, count))
            told = sorted(word for word, _ in times)
            report.medians[f"{count} uploads: to the word, p50"] = round(statistics.median(told), 1)
            report.medians[f"{count} uploads: to the word, p95"] = round(told[int(0.95 * (count - 1))], 1)
            report.medians[f"{count} uploads: to S3's answer, p50"] = round(
                statistics.median(answered for _, answered in times), 1
            )
            report.ratios[f"{count} uploads: a desktop that polls"] = round(POLL_MS / 2 / statistics.median(told), 1)
    report.show(arguments.json)


if __name__ == "__main__":
    main()
