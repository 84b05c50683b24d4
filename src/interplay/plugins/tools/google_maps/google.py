"""Google's Places API (New) and Routes API, by key."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from interplay.contracts.egress import Guard
from interplay.contracts.failure import BadAnswer, Refused
from interplay.contracts.web_service import WebService, key_from
from interplay.plugins.tools.google_maps.config import Config
from interplay.plugins.tools.google_maps.places import (
    Nearby,
    Place,
    Point,
    Review,
    Route,
    Trip,
)

_PLACES, _ROUTES = "https://places.googleapis.com", "https://routes.googleapis.com"
_MOST = 20
_WIDEST = 50_000.0
_MODES = {"driving": "DRIVE", "walking": "WALK", "cycling": "BICYCLE", "transit": "TRANSIT"}
_LINKS = {"driving": "driving", "walking": "walking", "cycling": "bicycling", "transit": "transit"}
_FIELDS = (
    "id",
    "displayName",
    "formattedAddress",
    "location",
    "primaryTypeDisplayName",
    "googleMapsUri",
    "rating",
    "userRatingCount",
    "businessStatus",
    "priceLevel",
    "regularOpeningHours.weekdayDescriptions",
)
_MORE = (
    "editorialSummary",
    "internationalPhoneNumber",
    "websiteUri",
    "currentOpeningHours.openNow",
    "reviews",
)
_STEP = "routes.legs.steps."
_ROUTE_FIELDS = ",".join(
    (
        "routes.distanceMeters",
        "routes.duration",
        "routes.description",
        f"{_STEP}distanceMeters",
        f"{_STEP}navigationInstruction",
        f"{_STEP}transitDetails",
    )
)


class _Text(msgspec.Struct):
    text: str = ""


class _LatLng(msgspec.Struct):
    latitude: float = 0.0
    longitude: float = 0.0


class _Hours(msgspec.Struct, rename="camel"):
    weekday_descriptions: list[str] = []
    open_now: bool | None = None


class _Author(msgspec.Struct, rename="camel"):
    display_name: str = ""


class _Review(msgspec.Struct, rename="camel"):
    name: str = ""
    rating: float | None = None
    text: _Text = msgspec.field(default_factory=_Text)
    relative_publish_time_description: str = ""
    author_attribution: _Author = msgspec.field(default_factory=_Author)
    google_maps_uri: str | None = None


class _Place(msgspec.Struct, rename="camel"):
    id: str
    display_name: _Text = msgspec.field(default_factory=_Text)
    formatted_address: str = ""
    location: _LatLng | None = None
    primary_type_display_name: _Text = msgspec.field(default_factory=_Text)
    google_maps_uri: str | None = None
    rating: float | None = None
    user_rating_count: int | None = None
    business_status: str = ""
    price_level: str = ""
    regular_opening_hours: _Hours = msgspec.field(default_factory=_Hours)
    current_opening_hours: _Hours = msgspec.field(default_factory=_Hours)
    editorial_summary: _Text = msgspec.field(default_factory=_Text)
    international_phone_number: str = ""
    website_uri: str = ""
    reviews: list[_Review] = []


class _Found(msgspec.Struct):
    places: list[_Place] = []


class _Instruction(msgspec.Struct):
    instructions: str = ""


class _Stop(msgspec.Struct):
    name: str = ""


class _Stops(msgspec.Struct, rename="camel"):
    departure_stop: _Stop = msgspec.field(default_factory=_Stop)
    arrival_stop: _Stop = msgspec.field(default_factory=_Stop)


class _Line(msgspec.Struct, rename="camel"):
    name: str = ""
    name_short: str = ""


class _Transit(msgspec.Struct, rename="camel"):
    stop_details: _Stops = msgspec.field(default_factory=_Stops)
    transit_line: _Line = msgspec.field(default_factory=_Line)
    headsign: str = ""


class _Step(msgspec.Struct, rename="camel"):
    distance_meters: int = 0
    navigation_instruction: _Instruction = msgspec.field(default_factory=_Instruction)
    transit_details: _Transit | None = None


class _Leg(msgspec.Struct):
    steps: list[_Step] = []


class _Route(msgspec.Struct, rename="camel"):
    distance_meters: int = 0
    duration: str = "0s"
    description: str = ""
    legs: list[_Leg] = []


class _Routed(msgspec.Struct):
    routes: list[_Route] = []


class Google:
    """Google's map. Nothing it answers is kept: its terms forbid that."""

    name = "Google Maps"
    credit = "Data: Google Maps"
    abilities = frozenset({"search", "nearby", "details"})
    modes = tuple(_MODES)

    def __init__(self, config: Config, guard: Guard) -> None:
        self._config = config
        self._places = self._service("Google Places", config.places_url, _PLACES, guard)
        self._routes = self._service("Google Routes", config.routes_url, _ROUTES, guard)

    def _service(self, name: str, own: str, url: str, guard: Guard) -> WebService:
        return WebService(
            name,
            own or url,
            guard=None if own else guard,
            seconds=self._config.seconds,
            answer_bytes=self._config.answer_bytes,
        )

    def owns(self, id: str) -> bool:
        """Its ids are long and are no numbers."""
        return len(id) >= 12 and not id[1:].isdigit()

    async def search(self, text: str, here: Point | None, count: int) -> list[Place]:
        """See Maps."""
        return await self._found(text, here, 5_000.0, count)

    async def nearby(self, asked: Nearby) -> list[Place]:
        """See Maps. Google looks the other place up itself."""
        point = Point.read(asked.near) if asked.near else asked.here
        if point is None and not asked.near:
            raise Refused("It is not known where the user is; name a place.")
        text = asked.what if point is not None else f"{asked.what} near {asked.near}"
        return await self._found(text, point, asked.radius, asked.count)

    async def _found(self, text: str, here: Point | None, radius: float, count: int) -> list[Place]:
        body: dict[str, Any] = {"textQuery": text, "pageSize": min(count, _MOST)}
        if self._config.language:
            body["languageCode"] = self._config.language
        if here is not None:
            circle = {"center": _lat_lng(here), "radius": min(radius, _WIDEST)}
            body["locationBias"] = {"circle": circle}
        fields = ",".join(f"places.{field}" for field in _FIELDS)
        found = await self._places.ask(
            "/v1/places:searchText", _Found, body=body, headers=self._headers(fields)
        )
        return [self._place(place) for place in found.places[:count]]

    async def details(self, id: str) -> Place:
        """See Maps."""
        params = {"languageCode": self._config.language} if self._config.language else {}
        place = await self._places.ask(
            f"/v1/places/{quote(id, safe='')}",
            _Place,
            params=params,
            headers=self._headers(",".join((*_FIELDS, *_MORE))),
        )
        return self._place(place)

    async def route(self, trip: Trip) -> Route:
        """See Maps."""
        body: dict[str, Any] = {
            "origin": _waypoint(trip.start, trip.here),
            "destination": _waypoint(trip.end, trip.here),
            "travelMode": _MODES[trip.mode],
            "units": "METRIC",
        }
        if self._config.language:
            body["languageCode"] = self._config.language
        answer = await self._routes.ask(
            "/directions/v2:computeRoutes",
            _Routed,
            body=body,
            headers=self._headers(_ROUTE_FIELDS),
        )
        if not answer.routes:
            raise Refused("Google Routes knows no such route.")
        best = answer.routes[0]
        link = {
            "api": "1",
            "origin": trip.start or str(trip.here),
            "destination": trip.end or str(trip.here),
            "travelmode": _LINKS[trip.mode],
        }
        return Route(
            start=_named(trip.start, trip.here),
            end=_named(trip.end, trip.here),
            meters=best.distance_meters,
            seconds=_seconds(best.duration),
            summary=best.description,
            steps=[_told(step) for leg in best.legs for step in leg.steps],
            url=f"https://www.google.com/maps/dir/?{urlencode(link)}",
        )

    def check(self) -> None:
        """Raises Refused when there is no key."""
        self._key()

    def _key(self) -> str:
        return key_from(self._config.google_key_env, "Google Maps")

    def _headers(self, fields: str) -> dict[str, str]:
        return {"x-goog-api-key": self._key(), "x-goog-fieldmask": fields}

    def _place(self, place: _Place) -> Place:
        point = place.location and Point(place.location.latitude, place.location.longitude)
        return Place(
            name=place.display_name.text or place.formatted_address or place.id,
            id=place.id,
            url=_web(place.google_maps_uri),
            point=point if point and point.valid else None,
            address=place.formatted_address,
            kind=place.primary_type_display_name.text,
            facts=_facts(place),
            reviews=[_review(review) for review in place.reviews[: self._config.reviews]],
        )

    async def close(self) -> None:
        """Lets go of connections."""
        await self._places.close()
        await self._routes.close()


def _web(url: str | None) -> str | None:
    return url if url and url.startswith(("https://", "http://")) else None


def _lat_lng(point: Point) -> dict[str, float]:
    return {"latitude": point.latitude, "longitude": point.longitude}


def _waypoint(text: str, here: Point | None) -> dict[str, Any]:
    point = Point.read(text) if text else here
    if point is not None:
        return {"location": {"latLng": _lat_lng(point)}}
    if not text:
        raise Refused("It is not known where the user is; name a place.")
    if text.startswith("places/"):
        return {"placeId": text.removeprefix("places/")}
    return {"address": text}


def _named(text: str, here: Point | None) -> Place:
    point = Point.read(text) if text else here
    id = text.removeprefix("places/") if text.startswith("places/") else ""
    return Place(name=text or "where the user is", id=id, point=point)


def _seconds(duration: str) -> float:
    try:
        return float(duration.removesuffix("s"))
    except ValueError as error:
        raise BadAnswer("Google Routes answered with a duration that is none.") from error


def _told(step: _Step) -> str:
    said = step.navigation_instruction.instructions.replace("\n", "; ")
    if (transit := step.transit_details) is not None:
        line = transit.transit_line.name_short or transit.transit_line.name
        stops = transit.stop_details
        toward = f" towards {transit.headsign}" if transit.headsign else ""
        said = f"Take {line}{toward} from {stops.departure_stop.name} to {stops.arrival_stop.name}"
    return f"{said or 'Go on'}, {step.distance_meters} m."


def _facts(place: _Place) -> list[str]:
    status = place.business_status.removeprefix("BUSINESS_STATUS_")
    price = place.price_level.removeprefix("PRICE_LEVEL_").replace("_", " ").lower()
    rating = f"{place.rating:g} of 5" if place.rating is not None else ""
    if rating and place.user_rating_count is not None:
        rating += f" by {place.user_rating_count}"
    open_now = place.current_opening_hours.open_now
    facts = {
        "about": place.editorial_summary.text,
        "rating": rating,
        "price": "" if price == "unspecified" else price,
        "status": "" if status in ("", "OPERATIONAL") else status.replace("_", " ").lower(),
        "open now": "" if open_now is None else ("yes" if open_now else "no"),
        "opening hours": "; ".join(place.regular_opening_hours.weekday_descriptions),
        "phone": place.international_phone_number,
        "website": place.website_uri,
    }
    return [f"{label}: {value}" for label, value in facts.items() if value]


def _review(review: _Review) -> Review:
    who, when = review.author_attribution.display_name, review.relative_publish_time_description
    stars = f"{review.rating:g} of 5" if review.rating is not None else ""
    title = ", ".join(part for part in (who, stars, when) if part)
    return Review(
        id=review.name.rpartition("/")[2],
        title=title,
        text=review.text.text,
        url=_web(review.google_maps_uri),
    )
