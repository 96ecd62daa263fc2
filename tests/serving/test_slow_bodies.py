"""The time limit for the arrival of bodies."""

import asyncio

import pytest

from ml_project.errors import BodyTooSlowError
from ml_project.serving.slow_bodies import SlowBodies


def run(*readings, seconds=0.05):
    """Return what becomes of some readings under a limit, all of them at the same time."""

    async def read_all():
        bodies = SlowBodies(seconds)
        watching = asyncio.create_task(bodies.watch())
        results = await asyncio.gather(*[read(bodies, reading) for reading in readings], return_exceptions=True)
        watching.cancel()
        return results

    async def read(bodies, reading):
        return await bodies.limit(reading())

    return asyncio.run(read_all())


async def quick():
    await asyncio.sleep(0)
    return b"body"


async def never():
    await asyncio.Event().wait()


async def broken():
    raise ConnectionError("gone")


def test_limit_body_in_time_is_returned():
    assert run(quick) == [b"body"]


def test_limit_body_that_does_not_come_is_ended_and_others_are_not():
    late, body, error = run(never, quick, broken)
    assert isinstance(late, BodyTooSlowError)
    assert str(late) == "The body did not arrive within 0.05 seconds; send it faster, or fewer records"
    assert body == b"body"
    assert isinstance(error, ConnectionError)


def test_limit_task_goes_on_afterwards():
    async def read_twice():
        bodies = SlowBodies(0.05)
        watching = asyncio.create_task(bodies.watch())
        with pytest.raises(BodyTooSlowError):
            await bodies.limit(never())
        await asyncio.sleep(0.2)  # were the task still watched or cancelled, this would end it
        body = await bodies.limit(quick())
        watching.cancel()
        return body

    assert asyncio.run(read_twice()) == b"body"


def test_limit_cancelled_by_others_is_cancelled():
    async def cancel():
        reading = asyncio.create_task(SlowBodies(100).limit(never()))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    asyncio.run(cancel())
