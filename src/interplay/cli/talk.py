"""A conversation of `interplay chat`: what is said, answered, branched from and taken up again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TextIO

from interplay.cli.chains import chain_to, texts_of
from interplay.cli.client import Api
from interplay.cli.following import create, stop
from interplay.cli.narration import Narration
from interplay.cli.plain import fields, objects
from interplay.cli.reading import Call, Reading
from interplay.cli.request import function_result


class Exchange(NamedTuple):
    """What was asked and answered, and the interaction it stands in."""

    id: str
    asked: str
    answered: str


class Given(NamedTuple):
    """What goes along with every request: an interaction inherits none of it from the last."""

    system: str | None = None
    tools: list[dict[str, Any]] = []
    thoughts: bool = False
    background: bool = False


class Talk:
    """One line of interactions, each going on from the one before.

    `answers` is asked for the result of a function the model calls; None means that nobody
    wants to give one.
    """

    def __init__(
        self, api: Api, out: TextIO, model: str, given: Given, answers: Callable[[Call], str | None]
    ) -> None:
        self.api, self.model, self.given = api, model, given
        self.exchanges: list[Exchange] = []
        self._out, self._answers = out, answers

    @property
    def tip(self) -> str | None:
        """The interaction the next one goes on from."""
        return self.exchanges[-1].id if self.exchanges else None

    def say(self, text: str) -> None:
        """Says it and tells the answer; functions are answered by the user until the end.

        An answer that was stopped or failed is not gone on from. Raises what the client raises.
        """
        before, asked = self.tip, text
        said: list[str] = []
        to_send: Any = text
        while True:
            reading = self._told(to_send, before)
            if reading is None or reading.id is None:
                return
            said.append(reading.text)
            if reading.status != "requires_action" or not reading.calls:
                break
            results = self._results(reading.calls)
            if results is None:
                return
            before, to_send = reading.id, results
        if reading.status in ("completed", "incomplete"):
            self.exchanges.append(Exchange(reading.id, asked, "".join(said)))

    def branch(self, number: int) -> None:
        """Goes on after the exchange of this number; 0 is the start. Raises IndexError."""
        if not 0 <= number <= len(self.exchanges):
            raise IndexError(number)
        del self.exchanges[number:]

    def resume(self, id: str) -> None:
        """Takes up the conversation that leads to this interaction. Raises ApiFault."""
        found: list[Exchange] = []
        pending: Exchange | None = None
        for interaction in chain_to(self.api, id):
            asked = texts_of(interaction, "user_input")
            answered = texts_of(interaction, "model_output")
            if pending is not None and not asked:
                asked, answered = pending.asked, pending.answered + answered
            here = Exchange(str(interaction["id"]), asked, answered)
            calls = interaction.get("status") == "requires_action"
            pending = here if calls else None
            if not calls:
                found.append(here)
            if interaction.get("model"):
                self.model = str(interaction["model"])
        if pending is not None:
            found.append(pending)
        self.exchanges = found

    def _told(self, to_send: Any, before: str | None) -> Reading | None:
        """Sends and tells one interaction; None when the user stopped it."""
        narration = Narration(self._out, self._out, thoughts=self.given.thoughts)
        try:
            create(self.api, self._body(to_send, before), narration)
        except KeyboardInterrupt:
            stop(self.api, narration)
            narration.say("Stopped. The conversation goes on from before this.", "yellow")
            return None
        finally:
            narration.finish()
        reading = narration.reading
        if reading.status not in ("completed", "requires_action"):
            narration.say(f"This ended as {reading.status}.", "red")
        return reading

    def _body(self, to_send: Any, before: str | None) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self.model, "input": to_send}
        if before is not None:
            body["previous_interaction_id"] = before
        if self.given.system:
            body["system_instruction"] = self.given.system
        if self.given.tools:
            body["tools"] = self.given.tools
        if self.given.thoughts:
            body["generation_config"] = {"thinking_summaries": "auto"}
        if self.given.background:
            body["background"] = True
        return body

    def _results(self, calls: list[Call]) -> list[dict[str, Any]] | None:
        results: list[dict[str, Any]] = []
        for call in calls:
            answer = self._answers(call)
            if answer is None:
                return None
            results.append(function_result(call.id, answer, call.name))
        return results


def names_of_models(api: Api) -> list[str]:
    """The models the server lists, without `models/`."""
    found = objects(fields(api.get("models")).get("models"))
    return [str(model.get("name") or "").removeprefix("models/") for model in found]
