"""What is asked of the server: every promise with an id, a sentence, and where it comes from.

A test says which promise it keeps with `@requirement("create:text")`. A gap is data: `deferred`
says why nothing keeps the promise yet, `divergence` how the server keeps it differently on
purpose (and a test pins that). tests/house/test_requirements.py checks both directions.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

requirement = pytest.mark.requirement

REFERENCE = "API reference"
GUIDE = "API guides"
SDK = "google-genai SDKs"
SEEN = "seen on Google's service"
CLOUD = "Vertex AI reference"
OURS = "Interplay"


@dataclass(frozen=True)
class Requirement:
    """One promise."""

    id: str
    sentence: str
    source: str
    deferred: str | None = None
    divergence: str | None = None


def _area(area: str, *rows: tuple[str, str, str]) -> list[Requirement]:
    return [Requirement(f"{area}:{name}", sentence, source) for name, sentence, source in rows]


ROUTES = _area(
    "routes",
    ("versions", "v1, v1beta, v1alpha and v1beta1 serve the same objects.", SDK),
    ("cloud-paths", "/v1beta1/projects/P/locations/L/interactions is the same resource.", CLOUD),
    ("double-slashes", "Doubled and trailing slashes in a path change nothing.", SEEN),
    ("alt-sse", "?alt=sse streams; other ?alt values change nothing.", REFERENCE),
    ("key-query", "?key= carries the key like the x-goog-api-key header.", REFERENCE),
    ("head", "HEAD answers like GET without a body.", OURS),
    ("options", "OPTIONS answers a preflight for every method and header.", OURS),
    ("cors", "Browsers may send Api-Revision, keys and Idempotency-Key.", SEEN),
    ("unknown-path", "A path that is nothing is 404 not_found and names the API's paths.", OURS),
    ("unknown-method", "A wrong method is 405 method_not_allowed with Allow.", OURS),
    ("openapi", "/openapi.json is a valid OpenAPI 3.1 document of what is served.", OURS),
)
MODELS = _area(
    "models",
    ("list", "GET /models lists every configured name, glob and agent.", REFERENCE),
    ("get", "GET /models/{name} answers one, with and without models/ before it.", REFERENCE),
    ("by-name", "A model is found by its exact name.", OURS),
    ("by-glob", "A model is found by the longest glob that fits.", OURS),
    ("unknown", "An unknown model is 404 model_not_found and names the near ones.", REFERENCE),
    ("fallback", "gemini-* nobody configured is answered by default_model.", OURS),
    ("fallback-said", "The fallback stands in the log, x-interplay-model and /models.", OURS),
    ("fallback-off", "gemini_fallback = false makes those names 404.", OURS),
    ("real-first", "A configured gemini-* name is never replaced by the fallback.", OURS),
    ("loading", "While a model loads the stream says so in comments.", OURS),
    ("not-fetched", "A model that is not on the disk fails naming the command.", OURS),
)
SCHEMAS = _area(
    "schema",
    ("steps", "Requests without a hint are answered with `steps`.", REFERENCE),
    ("outputs-by-revision", "Api-Revision before 2026-05-20 is answered with `outputs`.", GUIDE),
    ("outputs-by-client", "SDKs 1.x are known by their User-Agent.", SDK),
    ("outputs-by-body", "role turns and response_mime_type are read as the first schema.", SDK),
    ("same-object", "One stored interaction can be read in both schemas.", OURS),
    ("outputs-stream", "Streams of the first schema carry its own event names.", SEEN),
    ("outputs-resume", "Resuming in the first schema loses and doubles nothing.", OURS),
    ("sdk-1", "google-genai 1.x works with only the base URL changed.", SDK),
    ("sdk-3", "google-genai 3.x works with only the base URL changed.", SDK),
    ("sdk-js", "@google/genai 1.x and 3.x work with only the base URL changed.", SDK),
)
INPUT = _area(
    "input",
    ("text", "input may be a string.", REFERENCE),
    ("content", "input may be one content object.", REFERENCE),
    ("contents", "input may be a list of contents.", REFERENCE),
    ("step", "input may be one step.", GUIDE),
    ("steps", "input may be a list of steps.", REFERENCE),
    ("turns", "input may be a list of role turns (first schema).", SEEN),
    ("mixed", "Contents and steps may be mixed in one list.", SEEN),
    ("stateless", "A whole conversation can be sent as steps.", GUIDE),
    ("empty", "Missing or empty input is refused by name.", OURS),
    ("media", "Base64 media reach the model; an input it cannot take is refused.", REFERENCE),
    ("blobs", "Media over 64 KB lie as blobs and come back byte for byte.", OURS),
    ("deduplicated", "The same media is kept once.", OURS),
)
CREATE = _area(
    "create",
    ("text", "A stored answer has id, object, status, model, times, steps and usage.", REFERENCE),
    ("only-made-steps", "Create answers only the steps the model made.", REFERENCE),
    ("model-or-agent", "Exactly one of model and agent must be given.", REFERENCE),
    ("agent-config", "generation_config goes with model, agent_config with agent.", REFERENCE),
    ("system-instruction", "system_instruction reaches the model.", REFERENCE),
    ("max-output-tokens", "max_output_tokens ends as incomplete.", REFERENCE),
    ("sampling", "seed, temperature, top_p, top_k and stop_sequences reach the model.", REFERENCE),
    ("ranges", "Numbers out of range are refused with their path and range.", SEEN),
    ("labels", "labels are checked, stored and shown.", REFERENCE),
    ("service-tier", "service_tier is echoed in body and header.", REFERENCE),
    ("safety-settings", "safety_settings are honoured by the backend or refused.", REFERENCE),
    ("cached-content", "cached_content is refused by name with the way out.", REFERENCE),
    ("webhook-config", "webhook_config is refused by name.", REFERENCE),
    ("environment", "environment is refused by name.", REFERENCE),
    ("continuation-token", "continuation_token is refused by name.", REFERENCE),
    ("media-output", "response_modalities a model cannot make are refused.", REFERENCE),
    ("server-tools", "A server tool nobody installed is refused naming what is there.", REFERENCE),
    ("echo", "GET shows the request's own fields back.", REFERENCE),
    ("ids", "Ids carry the root and the time as Google's do, 70 characters.", SEEN),
    ("times", "created and updated are RFC 3339 in UTC and really differ.", OURS),
    ("usage", "total = input + output + thought + tool use; thoughts are not output.", SEEN),
)
FAULTS = _area(
    "fault",
    ("unknown-field", "An unknown field is refused with its path and the near name.", REFERENCE),
    ("camel-case", "camelCase is refused with the snake_case name.", GUIDE),
    ("wrong-value", "A wrong enum value is refused with the supported ones.", REFERENCE),
    ("wrong-type", "A wrong type is refused with the path and what was expected.", REFERENCE),
    ("missing-field", "A missing field is refused by path.", REFERENCE),
    ("every-fault", "One answer names every fault of a body.", OURS),
    ("codes", "Codes and HTTP statuses are those of the API reference.", REFERENCE),
    ("shape", 'Every error is JSON {"error": {"code", "message"}}.', REFERENCE),
    ("retry-after", "429 and 503 carry Retry-After.", SDK),
    ("malformed-json", "Malformed JSON is 400 with line and column.", OURS),
    ("content-type", "A wrong content type is 415 unsupported_media_type.", OURS),
    ("huge-body", "A body over the limit is 413, told before it was read.", OURS),
    ("deep-nesting", "Deep nesting is 400, not a crash.", OURS),
    ("invalid-utf8", "Invalid UTF-8 is 400 with the byte offset.", OURS),
    ("lone-surrogates", "Lone surrogates are 400.", OURS),
    ("nul-in-text", "NUL in a text is stored and comes back.", OURS),
    ("broken-base64", "Broken base64 is 400 with the path.", OURS),
    ("many-steps", "10,000 steps in one input work.", OURS),
    ("too-many-steps", "More steps than the limit are refused with the number.", OURS),
)
GET = _area(
    "get",
    ("timeline", "GET answers the whole timeline, user_input first.", REFERENCE),
    ("own-steps", "Only this interaction's steps, not the chain's.", REFERENCE),
    ("stream-false", "?stream=false answers JSON.", SDK),
    ("include-input", "include_input is accepted in both schemas.", REFERENCE),
    ("running", "A running interaction shows its finished steps so far.", OURS),
    ("unknown", "Unknown ids are 404 not_found.", REFERENCE),
    ("expired", "Expired ids are 404.", OURS),
    ("unstored", "store=false ids are 404 once they ended.", REFERENCE),
)
LIST = _area(
    "list",
    ("newest-first", "GET /interactions lists newest first.", OURS),
    ("pages", "page_size and page_token walk every interaction once.", CLOUD),
    ("filters", "status, model, agent, label and root filter.", OURS),
    ("own-only", "Only the key's own interactions are listed.", OURS),
    ("bad-token", "A wrong page_token or page_size is 400 by name.", OURS),
    ("metadatas", "interaction_metadatas are there too.", CLOUD),
)
STREAM = _area(
    "stream",
    ("order", "created, status_update, step start/delta/stop, completed, done.", GUIDE),
    ("done", "The stream ends with event: done and data: [DONE].", GUIDE),
    ("no-steps-at-end", "interaction.completed carries no steps.", GUIDE),
    ("event-ids", "Every event carries an event_id of its own.", OURS),
    ("keepalive", "A silent stream sends comments.", OURS),
    ("no-age-cut", "No stream is cut for its age.", OURS),
    ("equals-unary", "The folded stream is the interaction that create answers.", OURS),
    ("errors", "A failure is an error event, then completed as failed, then done.", GUIDE),
    ("dropped-client", "A dropped foreground stream is still stored and resumable.", OURS),
    ("slow-client", "A client that never reads is cut off and costs bounded memory.", OURS),
    ("usage", "The completed event carries the usage.", GUIDE),
)
RESUME = _area(
    "resume",
    ("from-start", "?stream=true replays from interaction.created.", REFERENCE),
    ("after-event", "last_event_id resumes after that event, for every event.", REFERENCE),
    ("live", "A resumed stream of a running interaction goes on live.", REFERENCE),
    ("after-restart", "A finished interaction replays the same ids after a restart.", OURS),
    ("foreign-event", "last_event_id of another interaction is 400.", OURS),
    ("needs-stream", "last_event_id without stream=true is 400.", REFERENCE),
    ("unknown", "Streaming an unknown id is 404.", REFERENCE),
    ("many-readers", "Several readers of one interaction see the same events.", OURS),
    ("equal-folds", "Unary, stream, background and resume fold to the same.", OURS),
)
CHAIN = _area(
    "chain",
    ("history", "previous_interaction_id brings the steps of the whole chain.", REFERENCE),
    ("not-inherited", "tools, system_instruction and config are not inherited.", REFERENCE),
    ("branches", "Any interaction can be gone on from more than once.", GUIDE),
    ("unfinished", "Chaining onto an unfinished interaction is 400.", REFERENCE),
    ("unknown", "Chaining onto an unknown, deleted or expired id is 404.", OURS),
    ("unstored", "Chaining onto a store=false id is 404.", REFERENCE),
    ("after-failure", "Failed and cancelled interactions can be gone on from.", OURS),
    ("models-and-agents", "Models and agents can follow each other in one chain.", GUIDE),
    ("long", "A 1,000-turn chain stores its payload once.", OURS),
    ("deleted-middle", "Deleting one turn leaves the others readable.", OURS),
)
STATE = _area(
    "state",
    ("background", "background=true answers at once without steps.", REFERENCE),
    ("background-poll", "GET follows a background run to its end.", GUIDE),
    ("background-stream", "background with stream survives a dropped client.", GUIDE),
    ("background-unstored", "background with store=false is 400.", SEEN),
    ("store-false", "store=false leaves nothing on the disk.", REFERENCE),
    ("store-default", "store is true by default.", REFERENCE),
    ("queued", "Background runs over the limit wait as queued.", REFERENCE),
    ("queue-full", "Over the queue's limit is 429 with Retry-After.", OURS),
    ("cancel", "cancel ends a background run; its stream says so.", REFERENCE),
    ("cancel-foreground", "cancel ends a foreground stream too.", OURS),
    ("cancel-idempotent", "Cancelling again, or what ended, answers 200 as it is.", OURS),
    ("cancel-colon", "{id}:cancel is the same as {id}/cancel.", CLOUD),
    ("cancel-stops-work", "The model stops at once when it is cancelled.", OURS),
    ("delete", "DELETE answers 200 {} and GET is 404 from then on.", REFERENCE),
    ("delete-running", "DELETE stops a running interaction.", OURS),
    ("delete-every-trace", "No text of it is left in database, log file or blobs.", OURS),
    ("delete-again", "Deleting again is 404.", OURS),
    ("retention", "Ended interactions go when their time is over.", GUIDE),
    ("deadline", "A run past run_seconds fails with deadline_exceeded.", OURS),
)
RETRIES = _area(
    "retry",
    ("idempotency-key", "The same key and body make one interaction.", OURS),
    ("key-conflict", "The same key with another body is 409.", OURS),
    ("key-survives-restart", "Keys are kept with the interaction.", OURS),
    ("key-at-once", "Two requests with one key at once make one interaction.", OURS),
    ("same-body", "The same body after a lost connection is taken for a retry.", SDK),
    ("not-a-retry", "The same body while the first client waits is a new one.", OURS),
)
THINK = _area(
    "thought",
    ("steps", "Thoughts are steps of their own before the output.", REFERENCE),
    ("summaries", "Summaries come only with thinking_summaries auto.", REFERENCE),
    ("signatures", "Signatures come last in a thought and may be sent back.", GUIDE),
    ("unsigned", "Unsigned thoughts and calls are accepted back.", OURS),
    ("levels", "thinking_level reaches the model; one it lacks is 400.", SEEN),
)
CALLS = _area(
    "function",
    ("call", "A call ends the interaction as requires_action.", GUIDE),
    ("arguments-delta", "Arguments stream as fragments of JSON.", GUIDE),
    ("parallel", "Parallel calls are steps of their own.", GUIDE),
    ("result-text", "A result may be a string.", GUIDE),
    ("result-object", "A result may be an object.", GUIDE),
    ("result-contents", "A result may be contents.", GUIDE),
    ("result-error", "is_error reaches the model.", REFERENCE),
    ("results-missing", "Calls without results are refused by name.", SEEN),
    ("result-unknown", "A result for no call is refused by name.", SEEN),
    ("stateless", "Calls and results can be sent as steps without state.", GUIDE),
    ("choice-auto", "tool_choice auto.", REFERENCE),
    ("choice-any", "tool_choice any forces a call.", REFERENCE),
    ("choice-none", "tool_choice none forbids calls.", REFERENCE),
    ("choice-validated", "tool_choice validated checks the arguments.", REFERENCE),
    ("choice-allowed", "allowed_tools names which.", REFERENCE),
    ("schema-checked", "A wrong parameter schema is refused with its path.", OURS),
    ("empty-required", "required: [] is accepted.", OURS),
    ("malformed", "Arguments that are no JSON end as malformed_function_call.", REFERENCE),
    ("server-tool", "A server tool runs and its steps stand in the timeline.", REFERENCE),
    ("server-and-own", "Server tools and functions work in one request.", SEEN),
    ("tool-failure", "A tool that fails is a result with is_error.", OURS),
    ("too-many", "Endless calls end as too_many_tool_calls.", REFERENCE),
)
FORMAT = _area(
    "format",
    ("typed", "response_format {type: text, mime_type, schema} gives JSON that fits.", REFERENCE),
    ("bare-schema", "A bare JSON schema is taken too.", SDK),
    ("list", "A list of formats is taken.", REFERENCE),
    ("mime-type", "response_mime_type application/json is taken.", REFERENCE),
    ("upper-case", "Upper-case type names are taken.", SEEN),
    ("validated", "JSON that does not fit is never answered as completed.", OURS),
    ("bad-schema", "A schema that is none is refused with its path.", OURS),
    ("remote-ref", "A remote $ref is never fetched.", OURS),
)
AGENTS = _area(
    "agent",
    ("entry-point", "An agent is found by entry point.", OURS),
    ("module-attribute", "An agent is found by module:attribute in settings.", OURS),
    ("foreground", "An agent runs in the foreground and streams.", REFERENCE),
    ("background", "An agent runs in the background.", REFERENCE),
    ("unknown", "An unknown agent is 404 and names the near ones.", REFERENCE),
    ("config", "agent_config is checked against the agent's own type.", OURS),
    ("memo", "once() is not made again after a crash.", OURS),
    ("failure", "What an agent raises ends as failed with a code.", OURS),
)
KEYS = _area(
    "key",
    ("headers", "x-goog-api-key, Authorization: Bearer and ?key= are read.", REFERENCE),
    ("missing", "A missing or wrong key is 401 authentication.", REFERENCE),
    ("foreign-id", "Ids of another key are 404 everywhere.", OURS),
    ("foreign-chain", "Chaining onto another key's id is 404.", OURS),
    ("public-binding", "A public address without keys is refused at start.", OURS),
    ("no-keys", "Without keys on loopback any key is accepted.", OURS),
)
LIMITS = _area(
    "limit",
    ("runs-per-key", "Runs of one key over the limit are 429.", OURS),
    ("output", "Output over the limit ends as incomplete.", OURS),
    ("turns", "Turns over the limit end the loop.", OURS),
)
OPERATE = _area(
    "operate",
    ("health", "/health answers without a key.", OURS),
    ("ready", "/ready is 503 until everything is open, and while it stops.", OURS),
    ("metrics", "/metrics speaks Prometheus.", OURS),
    ("logs", "Logs are structured and hold no contents and no keys.", OURS),
    ("shutdown", "SIGTERM lets foreground runs end and hands background runs over.", OURS),
    ("one-owner", "A second process on the same data is refused with the first's pid.", OURS),
    ("config-faults", "Every wrong setting is named with its source.", OURS),
)
WEATHER = _area(
    "weather",
    ("upstream-drops", "An upstream that drops fails the run with bad_gateway.", OURS),
    ("upstream-stalls", "An upstream that stalls fails the run with deadline_exceeded.", OURS),
    ("upstream-garbage", "Garbage from upstream fails the run with bad_gateway.", OURS),
    ("upstream-429", "Upstream's 429 is answered with its Retry-After.", OURS),
    ("upstream-500", "Upstream's 500 is tried again, then service_unavailable.", OURS),
    ("disk-full", "A full disk is 503 and the server works again with space.", OURS),
    ("kill-queued", "SIGKILL while queued: it runs after the restart.", OURS),
    ("kill-running", "SIGKILL in mid run: background runs are taken up, none hangs.", OURS),
    ("kill-foreground", "SIGKILL in a foreground run: it is failed after the restart.", OURS),
    ("kill-writing", "SIGKILL in mid write: what was answered is there, whole.", OURS),
    ("kill-tool", "SIGKILL in a tool call: is_error, outcome unknown, unless repeatable.", OURS),
    ("term-every-phase", "SIGTERM in every phase leaves nothing in_progress for ever.", OURS),
    ("no-doubled-text", "A client that resumes after a crash sees no text twice.", OURS),
)

REQUIREMENTS: list[Requirement] = [
    *ROUTES,
    *MODELS,
    *SCHEMAS,
    *INPUT,
    *CREATE,
    *FAULTS,
    *GET,
    *LIST,
    *STREAM,
    *RESUME,
    *CHAIN,
    *STATE,
    *RETRIES,
    *THINK,
    *CALLS,
    *FORMAT,
    *AGENTS,
    *KEYS,
    *LIMITS,
    *OPERATE,
    *WEATHER,
]
