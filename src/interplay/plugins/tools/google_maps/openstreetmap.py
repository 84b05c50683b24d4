"""Nominatim, Overpass and OSRM as one map."""

from __future__ import annotations

import logging

from interplay.contracts.failure import Failure, Refused
from interplay.plugins.tools.google_maps import osm, osrm
from interplay.plugins.tools.google_maps.config import Config
from interplay.plugins.tools.google_maps.mirrors import Kept, Mirrors
from interplay.plugins.tools.google_maps.nominatim import Nominatim
from interplay.plugins.tools.google_maps.overpass import Overpass
from interplay.plugins.tools.google_maps.places import Nearby, Place, Point, Route, Trip

log = logging.getLogger("interplay.tools.google_maps")

_ENGINES = {
    "driving": "fossgis_osrm_car",
    "walking": "fossgis_osrm_foot",
    "cycling": "fossgis_osrm_bike",
}


class OpenStreetMap:
    """What of the stack has an address."""

    name = "OpenStreetMap"
    credit = "Data © OpenStreetMap contributors, ODbL, https://www.openstreetmap.org/copyright"

    def __init__(self, config: Config) -> None:
        kept = Kept(config.cache_seconds, config.cache_entries)
        self._nominatim = Nominatim(Mirrors("Nominatim", config.nominatim, config, kept))
        self._overpass = Overpass(
            Mirrors("Overpass", config.overpass, config, kept), config.seconds
        )
        urls = {
            "driving": config.osrm,
            "walking": config.osrm_walking,
            "cycling": config.osrm_cycling,
        }
        self._osrm = {
            mode: Mirrors(f"OSRM ({mode})", url, config, kept, {400: osrm.NO_ROUTE})
            for mode, url in urls.items()
        }
        self.modes = tuple(mode for mode, mirrors in self._osrm.items() if mirrors)
        able: set[str] = set()
        if self._nominatim:
            able |= {"search", "details"}
        if self._overpass:
            able |= {"nearby", "details"}
        self.abilities = frozenset(able)

    def owns(self, id: str) -> bool:
        """Ids are a letter for the type and a number, such as N107775."""
        return osm.object_of(id) is not None

    async def search(self, text: str, here: Point | None, count: int) -> list[Place]:
        """See Maps."""
        return await self._nominatim.search(text, here, count)

    async def nearby(self, asked: Nearby) -> list[Place]:
        """See Maps. The place it is near to may be given as for routes."""
        near = await self._meant(asked.near, asked.here)
        point = _located(near)
        return await self._overpass.around(asked.what, point, asked.radius, asked.count)

    async def details(self, id: str) -> Place:
        """See Maps."""
        if not self._nominatim:
            return await self._overpass.lookup(id)
        try:
            return await self._nominatim.lookup(id)
        except Failure as failure:
            if not self._overpass:
                raise
            log.warning("Nominatim failed: %s", failure.message)
            return await self._overpass.lookup(id)

    async def route(self, trip: Trip) -> Route:
        """See Maps."""
        start = await self._meant(trip.start, trip.here)
        end = await self._meant(trip.end, trip.here)
        first, last = _located(start), _located(end)
        way = await osrm.way(self._osrm[trip.mode], first, last)
        return Route(
            start=start,
            end=end,
            meters=way.meters,
            seconds=way.seconds,
            summary=way.summary,
            steps=way.steps,
            url=f"https://www.openstreetmap.org/directions?engine={_ENGINES[trip.mode]}"
            f"&route={first}%3B{last}",
        )

    async def _meant(self, text: str, here: Point | None) -> Place:
        """The place a text names: an id, coordinates, nothing for the caller's own, or words."""
        if not text:
            if here is None:
                raise Refused("It is not known where the user is; name a place.")
            return Place(name="where the user is", point=here, url=_point_url(here))
        if (point := Point.read(text)) is not None:
            return Place(name=str(point), point=point, url=_point_url(point))
        id = text.removeprefix("places/")
        if self.owns(id) and "details" in self.abilities:
            return await self.details(id)
        if not self._nominatim:
            raise Refused(
                f"No Nominatim is configured that could find '{text[:80]}'; give coordinates such"
                " as 41.89,12.49."
            )
        found = await self._nominatim.search(text, here, 1)
        if not found:
            raise Refused(f"The map knows no place '{text[:80]}'.")
        return found[0]

    async def close(self) -> None:
        """Lets go of connections."""
        await self._nominatim.close()
        await self._overpass.close()
        for mirrors in self._osrm.values():
            await mirrors.close()


def _located(place: Place) -> Point:
    if place.point is None:
        raise Refused(f"The map does not say where '{place.name[:80]}' is.")
    return place.point


def _point_url(point: Point) -> str:
    return f"https://www.openstreetmap.org/#map=18/{point.latitude:.5f}/{point.longitude:.5f}"
