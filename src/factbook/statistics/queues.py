"""Waiting in a queue before c equal servers, first come first served, with random (Poisson) arrivals and exponential service times: M/M/c.

Erlang 1917; formulae as in Gross, Shortle, Thompson & Harris 2008, Fundamentals of Queueing Theory, 4th ed., section 2.3. Real arrivals come in
bursts and real service times have other tails: the result is a budget, not a promise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

MOST: Final = 100_000


def erlang_c(load: float, servers: int) -> float:
    """The probability that an arrival waits, for `load` = arrivals × service time below the number of servers."""
    blocked = 1.0
    for count in range(1, servers + 1):
        blocked = load * blocked / (count + load * blocked)
    return _waits(blocked, load, servers)


def _waits(blocked: float, load: float, servers: int) -> float:
    """Erlang's C from his B."""
    return blocked / (1 - load / servers * (1 - blocked))


def wait(arrivals: float, service: float, servers: int, quantile: float | None = None) -> float | None:
    """The mean time in the queue, or a quantile of it; None where the queue grows without end."""
    load = arrivals * service
    return None if load >= servers else _wait(erlang_c(load, servers), arrivals, service, servers, quantile)


def response(arrivals: float, service: float, servers: int, quantile: float | None = None) -> float | None:
    """The mean time from arrival to the end of service, or a quantile of it; None where the queue grows without end."""
    load = arrivals * service
    return None if load >= servers else _response(erlang_c(load, servers), arrivals, service, servers, quantile)


def _wait(waits: float, arrivals: float, service: float, servers: int, quantile: float | None) -> float:
    spare = servers / service - arrivals
    if quantile is None:
        return waits / spare
    return max(0.0, math.log(waits / (1 - quantile)) / spare) if waits > 0 else 0.0


def _response(waits: float, arrivals: float, service: float, servers: int, quantile: float | None) -> float:
    if quantile is None:
        return service + waits / (servers / service - arrivals)
    excess = servers - 1 - arrivals * service

    def beyond(time: float) -> float:
        """The share of arrivals that take longer."""
        steps = time / service
        more = steps if abs(excess) < 1e-9 else -math.expm1(-excess * steps) / excess
        return math.exp(-steps) * (1 + waits * more)

    high = service
    while beyond(high) > 1 - quantile:
        high *= 2
    low = 0.0
    while high - low > 1e-13 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if beyond(middle) > 1 - quantile else (low, middle)
    return high


def servers_for(arrivals: float, service: float, limit: float, quantile: float | None = None, *, waiting: bool = False) -> int | None:
    """The smallest number of servers that keeps the response (or the waiting) within a limit; None where no number does."""
    load, blocked = arrivals * service, 1.0
    found: Callable[[float, float, float, int, float | None], float] = _wait if waiting else _response
    alone = 0.0 if waiting else service * (1.0 if quantile is None else -math.log1p(-quantile))
    if limit < alone or (limit == alone and not waiting):
        return None
    for count in range(1, MOST + 1):
        blocked = load * blocked / (count + load * blocked)
        if count > load and found(_waits(blocked, load, count), arrivals, service, count, quantile) <= limit:
            return count
    return None
