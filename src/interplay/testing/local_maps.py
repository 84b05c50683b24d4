"""LocalMaps: a small town on loopback, as Nominatim, Overpass, OSRM and Google's maps tell of it.

It answers in the forms those services document, refuses what they refuse, and evaluates the part of
Overpass QL that unions of filters around a point need.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from interplay.testing.local_web import LocalWeb, Page, Request

KEY = "local-key"
"""The key the Google half takes."""
_LIBRARIES = ("python", "aiohttp", "curl", "requests")
_STATEMENT = re.compile(
    r'nwr((?:\["(?:[^"\\]|\\.)*"(?:=|~)"(?:[^"\\]|\\.)*"(?:,i)?\])+)'
    r"\(around:(\d+),(-?[\d.]+),(-?[\d.]+)\);"
)
_FILTER = re.compile(r'\["((?:[^"\\]|\\.)*)"(=|~)"((?:[^"\\]|\\.)*)"(,i)?\]')
_QUERY = re.compile(r"(?s)\[out:json\]\[timeout:\d+\];(.*)")
_UNION = re.compile(r"(?s)\((.+)\);out center( \d+)?;")
_ONE = re.compile(r"(node|way|relation)\((\d+)\);out center;")
_LICENCE = "Data © OpenStreetMap contributors, ODbL 1.0. http://osm.org/copyright"


class Thing(msgspec.Struct, kw_only=True):
    """One object of the town."""

    type: str = "node"
    id: int
    lat: float
    lon: float
    tags: dict[str, str]
    google: dict[str, Any] = {}
    """What only Google's half says of it, in that form."""

    @property
    def name(self) -> str:
        """Its name."""
        return self.tags.get("name", "")

    @property
    def google_id(self) -> str:
        """Its id in Google's half."""
        return f"ChIJlocal{self.id:06d}xyz"


TOWN = "Sankt Amund, Amrum County, Norland"
THINGS = [
    Thing(
        type="relation",
        id=77,
        lat=54.6500,
        lon=8.3300,
        tags={"place": "town", "name": "Sankt Amund", "population": "2300"},
    ),
    Thing(
        id=101,
        lat=54.6510,
        lon=8.3310,
        tags={
            "amenity": "pharmacy",
            "name": "Harbour Pharmacy",
            "opening_hours": "Mo-Fr 08:00-18:00",
            "addr:street": "Quay",
            "addr:housenumber": "3",
            "wheelchair": "yes",
        },
        google={
            "rating": 4.5,
            "userRatingCount": 12,
            "businessStatus": "OPERATIONAL",
            "primaryTypeDisplayName": {"text": "Pharmacy", "languageCode": "en"},
            "regularOpeningHours": {
                "openNow": True,
                "weekdayDescriptions": ["Monday: 8:00 AM – 6:00 PM"],  # noqa: RUF001
            },
            "websiteUri": "https://pharmacy.example/",
            "reviews": [
                {
                    "name": "places/ChIJlocal000101xyz/reviews/R1",
                    "relativePublishTimeDescription": "2 weeks ago",
                    "rating": 5,
                    "text": {"text": "Friendly, and open early [1].", "languageCode": "en"},
                    "originalText": {"text": "Friendly.", "languageCode": "en"},
                    "authorAttribution": {"displayName": "Ada", "uri": "https://maps.example/a"},
                    "publishTime": "2026-11-01T10:00:00Z",
                    "googleMapsUri": "https://maps.example/r1",
                }
            ],
        },
    ),
    Thing(
        type="way",
        id=202,
        lat=54.6600,
        lon=8.3400,
        tags={"amenity": "pharmacy", "name": "Dune Pharmacy"},
    ),
    Thing(
        id=303,
        lat=54.6505,
        lon=8.3320,
        tags={"amenity": "restaurant", "name": "Da Piero", "cuisine": "pizza;pasta"},
    ),
    Thing(
        id=404,
        lat=54.6700,
        lon=8.3000,
        tags={"man_made": "lighthouse", "tourism": "attraction", "name": "Old Lighthouse"},
    ),
]


class LocalMaps(LocalWeb):
    """`async with LocalMaps() as maps:` serves at the addresses `nominatim`, `overpass`, `osrm` and
    `google`; a page written with `on` stands in front of what it would answer."""

    def __init__(self, things: list[Thing] | None = None) -> None:
        super().__init__()
        self.things = list(THINGS if things is None else things)

    @property
    def nominatim(self) -> str:
        """Where Nominatim answers."""
        return self.url("/nominatim")

    @property
    def overpass(self) -> str:
        """Where Overpass answers."""
        return self.url("/overpass/api")

    @property
    def osrm(self) -> str:
        """Where OSRM answers."""
        return self.url("/osrm")

    @property
    def google(self) -> str:
        """Where Google's Places and Routes answer; the key is KEY."""
        return self.url("/google")

    def _page(self, target: str) -> Page:
        path = target.partition("?")[0]
        if target in self._pages or path in self._pages:
            return super()._page(target)
        request = self.requests[-1]
        query = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
        match unquote(path).split("/")[1:]:
            case ["nominatim", verb]:
                return self._nominatim(verb, query, request)
            case ["overpass", "api", "interpreter"]:
                return self._overpass(query.get("data", ""))
            case ["osrm", "route", "v1", _, coordinates]:
                return self._osrm(coordinates)
            case ["google", "v1", "places:searchText"]:
                return self._masked(request, "places", self._search_text(request))
            case ["google", "v1", "places", id]:
                return self._masked(request, "", self._details(id))
            case ["google", "directions", "v2:computeRoutes"]:
                return self._masked(request, "routes", self._routes(request))
            case _:
                return super()._page(target)

    def _nominatim(self, verb: str, query: dict[str, str], request: Request) -> Page:
        if request.headers.get("user-agent", "").lower().startswith(_LIBRARIES):
            return Page(status=403, body=b"<html>Access blocked: see the usage policy.</html>")
        if query.get("format") != "jsonv2":
            return _json({"error": {"code": 400, "message": "This double speaks jsonv2."}}, 400)
        if verb == "lookup":
            ids = query.get("osm_ids", "").split(",")
            found = [one for one in self.things if f"{one.type[0].upper()}{one.id}" in ids]
        elif "q" not in query:
            return _json({"error": {"code": 400, "message": "Nothing to search for."}}, 400)
        else:
            words = query["q"].lower().replace(",", " ").split()
            found = [one for one in self.things if _has(one, words)]
            if box := query.get("viewbox"):
                west, north, east, south = map(float, box.split(","))
                found.sort(key=lambda one: not (west < one.lon < east and south < one.lat < north))
        return _json([_jsonv2(one) for one in found[: int(query.get("limit", "10"))]])

    def _overpass(self, data: str) -> Page:
        wrong = Page(status=400, body=b"<html><body>Error: parse error</body></html>")
        whole = _QUERY.fullmatch(data)
        if whole is None:
            return wrong
        if one := _ONE.fullmatch(whole[1]):
            found = [t for t in self.things if (t.type, t.id) == (one[1], int(one[2]))]
        elif union := _UNION.fullmatch(whole[1]):
            statements = list(_STATEMENT.finditer(union[1]))
            if "".join(statement[0] for statement in statements) != union[1]:
                return wrong
            found = [t for t in self.things if any(_selects(s, t) for s in statements)]
        else:
            return wrong
        head = {
            "version": 0.6,
            "generator": "Overpass API 0.7.62.4",
            "osm3s": {"timestamp_osm_base": "2026-11-20T00:00:00Z", "copyright": _LICENCE},
        }
        return _json({**head, "elements": [_element(one) for one in found]})

    def _osrm(self, coordinates: str) -> Page:
        points = [tuple(map(float, pair.split(","))) for pair in coordinates.split(";")]
        for number, (lon, lat) in enumerate(points):
            if min(_meters(lat, lon, one.lat, one.lon) for one in self.things) > 20_000:
                message = f"Could not find a matching segment for coordinate {number}"
                return _json({"code": "NoSegment", "message": message}, 400)
        (west, south), (east, north) = points
        meters = round(1.3 * _meters(south, west, north, east), 1)
        seconds = round(meters / 10, 1)
        turns = [("depart", "", "Quay", ""), ("turn", "left", "Dune Road", "L 12"), ("arrive",) * 4]
        steps = [
            {
                "distance": 0 if type_ == "arrive" else meters / 2,
                "duration": 0 if type_ == "arrive" else seconds / 2,
                "name": "" if type_ == "arrive" else name,
                "mode": "driving",
                "driving_side": "right",
                "maneuver": {"type": type_, "location": [west, south]}
                | ({"modifier": modifier} if modifier not in ("", "arrive") else {}),
            }
            | ({"ref": ref} if ref not in ("", "arrive") else {})
            for type_, modifier, name, ref in turns
        ]
        leg = {"distance": meters, "duration": seconds, "summary": "Dune Road", "steps": steps}
        route = {"distance": meters, "duration": seconds, "weight_name": "routability"}
        ways = [{"name": "", "location": [lon, lat], "distance": 1.0} for lon, lat in points]
        return _json({"code": "Ok", "routes": [{**route, "legs": [leg]}], "waypoints": ways})

    def _search_text(self, request: Request) -> dict[str, Any]:
        asked: dict[str, Any] = json.loads(request.body)
        words = asked["textQuery"].lower().replace(",", " ").partition(" near ")[0].split()
        found = [_google(one) for one in self.things if _has(one, words)]
        return {"places": found[: asked.get("pageSize", 20)]} if found else {}

    def _details(self, id: str) -> dict[str, Any] | None:
        return next((_google(one) for one in self.things if one.google_id == id), None)

    def _routes(self, request: Request) -> dict[str, Any]:
        asked: dict[str, Any] = json.loads(request.body)
        if "Atlantis" in str(asked["destination"]):
            return {}
        steps: list[dict[str, Any]] = [
            {"distanceMeters": 400, "navigationInstruction": {"instructions": "Head north"}},
            {"distanceMeters": 800, "navigationInstruction": {"instructions": "Turn left"}},
        ]
        if asked["travelMode"] == "TRANSIT":
            stops = {"departureStop": {"name": "Quay"}, "arrivalStop": {"name": "Dunes"}}
            line = {"nameShort": "7", "name": "Island Line"}
            steps[1]["transitDetails"] = {"stopDetails": stops, "transitLine": line}
        route = {"distanceMeters": 1200, "duration": "180s", "description": "Dune Road"}
        return {"routes": [{**route, "legs": [{"steps": steps}]}]}

    @staticmethod
    def _masked(request: Request, top: str, answer: dict[str, Any] | None) -> Page:
        if request.headers.get("x-goog-api-key") != KEY:
            return _fault(403, "PERMISSION_DENIED")
        mask = request.headers.get("x-goog-fieldmask", "")
        fields = [field for field in mask.split(",") if field]
        if not fields or any(not field.startswith(top) or " " in field for field in fields):
            return _fault(400, "INVALID_ARGUMENT")
        if answer is None:
            return _fault(404, "NOT_FOUND")
        return _json(_kept(answer, [field.split(".") for field in fields]))


def _json(body: Any, status: int = 200) -> Page:
    headers = {"content-type": "application/json; charset=utf-8"}
    return Page(status=status, headers=headers, body=json.dumps(body).encode())


def _fault(status: int, word: str) -> Page:
    return _json({"error": {"code": status, "message": "Refused.", "status": word}}, status)


def _has(thing: Thing, words: list[str]) -> bool:
    own = " ".join(thing.tags.values()).lower()
    text = f"{own} {TOWN}".lower()
    return any(word in own for word in words) and all(word in text for word in words)


def _jsonv2(thing: Thing) -> dict[str, Any]:
    category, type_ = next(iter(thing.tags.items()))
    return {
        "place_id": 100_000 + thing.id,
        "licence": _LICENCE,
        "osm_type": thing.type,
        "osm_id": thing.id,
        "lat": f"{thing.lat:.7f}",
        "lon": f"{thing.lon:.7f}",
        "category": category,
        "type": type_,
        "place_rank": 30,
        "importance": 0.1,
        "addresstype": category,
        "name": thing.name,
        "display_name": ", ".join(dict.fromkeys([thing.name, *TOWN.split(", ")])),
        "extratags": {k: v for k, v in thing.tags.items() if k not in ("name", category)} or None,
        "boundingbox": [f"{thing.lat}", f"{thing.lat}", f"{thing.lon}", f"{thing.lon}"],
    }


def _element(thing: Thing) -> dict[str, Any]:
    where = {"lat": thing.lat, "lon": thing.lon}
    placed = where if thing.type == "node" else {"center": where}
    return {"type": thing.type, "id": thing.id, **placed, "tags": thing.tags}


def _selects(statement: re.Match[str], thing: Thing) -> bool:
    filters, radius, lat, lon = statement.groups()
    if _meters(float(lat), float(lon), thing.lat, thing.lon) > float(radius):
        return False
    for key, sign, value, fold in _FILTER.findall(filters):
        held, wanted = thing.tags.get(_unquoted(key)), _unquoted(value)
        if held is None or (sign == "=" and held != wanted):
            return False
        if sign == "~" and not re.search(wanted, held, re.IGNORECASE if fold else 0):
            return False
    return True


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _google(thing: Thing) -> dict[str, Any]:
    return {
        "name": f"places/{thing.google_id}",
        "id": thing.google_id,
        "displayName": {"text": thing.name, "languageCode": "en"},
        "formattedAddress": f"{thing.name}, {TOWN}",
        "location": {"latitude": thing.lat, "longitude": thing.lon},
        "googleMapsUri": f"https://maps.example/{thing.id}",
        **thing.google,
    }


def _kept(answer: Any, fields: list[list[str]]) -> Any:
    """What a field mask lets through."""
    if isinstance(answer, list):
        return [_kept(one, fields) for one in answer]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(answer, dict):
        return answer
    kept: dict[str, Any] = {}
    for name, value in answer.items():  # pyright: ignore[reportUnknownVariableType]
        inner = [field[1:] for field in fields if field[0] == name]
        if inner:
            kept[name] = value if [] in inner else _kept(value, inner)
    return kept


def _meters(south: float, west: float, north: float, east: float) -> float:
    middle = math.radians((south + north) / 2)
    return math.hypot(north - south, (east - west) * math.cos(middle)) * 111_195
