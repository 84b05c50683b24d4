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


REQUIREMENTS: list[Requirement] = [
    Requirement(
        "interactions:versions", "v1, v1beta, v1alpha and v1beta1 serve the same objects.", SDK
    ),
    Requirement(
        "interactions:create:input-forms",
        "input may be a string, a content, a step, a list of either, or role turns.",
        SDK,
    ),
    Requirement(
        "interactions:create:text",
        "The answer has id, object, status, model, times, usage and only the steps made.",
        REFERENCE,
    ),
    Requirement("interactions:incomplete", "max_output_tokens ends as incomplete.", REFERENCE),
    Requirement(
        "interactions:create:knobs",
        "system_instruction and every knob of generation_config reach the model.",
        REFERENCE,
    ),
    Requirement("interactions:labels", "labels are checked, stored and shown.", REFERENCE),
    Requirement(
        "interactions:create:service-tier", "service_tier is echoed in body and header.", REFERENCE
    ),
    Requirement(
        "interactions:create:ids",
        "Ids carry the root and the time as Google's do, 70 characters.",
        SEEN,
    ),
    Requirement(
        "interactions:create:times",
        "created and updated are RFC 3339 in UTC and really differ.",
        OURS,
    ),
    Requirement(
        "interactions:get:timeline", "GET answers the whole timeline, user_input first.", REFERENCE
    ),
    Requirement(
        "interactions:get:own-steps", "Only this interaction's steps, not the chain's.", REFERENCE
    ),
    Requirement("interactions:get:stream-false", "?stream=false answers JSON.", SDK),
    Requirement(
        "interactions:get:include-input", "include_input is accepted in both schemas.", REFERENCE
    ),
    Requirement(
        "interactions:get:running", "A running interaction shows its finished steps so far.", OURS
    ),
    Requirement("interactions:get:unknown", "Unknown ids are 404 not_found.", REFERENCE),
    Requirement("interactions:get:unstored", "store=false ids are 404 once they ended.", REFERENCE),
    Requirement(
        "interactions:stream:order",
        "created, status_update, step start/delta/stop, completed, done; dense event ids.",
        GUIDE,
    ),
    Requirement(
        "interactions:stream:no-steps-at-end", "interaction.completed carries no steps.", GUIDE
    ),
    Requirement(
        "interactions:stream:keepalive",
        "A silent stream sends comments, and is not cut for its age.",
        OURS,
    ),
    Requirement(
        "interactions:stream:failure",
        "A failure is an error event, then completed as failed, then done.",
        GUIDE,
    ),
    Requirement("interactions:stream:usage", "The completed event carries the usage.", GUIDE),
    Requirement(
        "interactions:resume:from-start",
        "?stream=true replays from interaction.created.",
        REFERENCE,
    ),
    Requirement(
        "interactions:resume:after-event",
        "last_event_id resumes after that event, for every event.",
        REFERENCE,
    ),
    Requirement(
        "interactions:resume:late",
        "A reader who comes late gets every event, also those the memory has let go.",
        OURS,
    ),
    Requirement(
        "interactions:resume:live",
        "A resumed stream of a running interaction goes on live.",
        REFERENCE,
    ),
    Requirement(
        "interactions:resume:after-restart",
        "A finished interaction replays the same ids after a restart.",
        OURS,
    ),
    Requirement(
        "interactions:resume:foreign-event", "last_event_id of another interaction is 400.", OURS
    ),
    Requirement(
        "interactions:resume:needs-stream", "last_event_id without stream=true is 400.", REFERENCE
    ),
    Requirement("interactions:resume:unknown", "Streaming an unknown id is 404.", REFERENCE),
    Requirement(
        "interactions:resume:many-readers",
        "Several readers of one interaction see the same events.",
        OURS,
    ),
    Requirement(
        "interactions:stream:function-call", "Arguments stream as fragments of JSON.", GUIDE
    ),
    Requirement(
        "interactions:blocked",
        "A blocked output is failed with its code and keeps what was said.",
        REFERENCE,
    ),
    Requirement(
        "interactions:fields-honoured-or-refused",
        "Mixtures, ranges and fields that cannot be honoured are refused by name.",
        REFERENCE,
    ),
    Requirement(
        "routes:cloud-paths",
        "/v1beta1/projects/P/locations/L/interactions is the same resource.",
        CLOUD,
    ),
    Requirement(
        "routes:double-slashes", "Doubled and trailing slashes in a path change nothing.", SEEN
    ),
    Requirement("routes:alt-sse", "?alt=sse streams; other ?alt values change nothing.", REFERENCE),
    Requirement("routes:head", "HEAD answers like GET without a body.", OURS),
    Requirement("routes:options", "OPTIONS answers a preflight for every method and header.", OURS),
    Requirement("routes:cors", "Browsers may send Api-Revision, keys and Idempotency-Key.", SEEN),
    Requirement(
        "routes:unknown-path",
        "A path that is nothing is 404 not_found and names the API's paths.",
        OURS,
    ),
    Requirement(
        "routes:unknown-method", "A wrong method is 405 method_not_allowed with Allow.", OURS
    ),
    Requirement(
        "routes:openapi", "/openapi.json is a valid OpenAPI 3.1 document of what is served.", OURS
    ),
    Requirement(
        "models:list", "GET /models lists every configured name, glob and agent.", REFERENCE
    ),
    Requirement(
        "models:get",
        "GET /models/{name} answers one, with and without models/ before it.",
        REFERENCE,
    ),
    Requirement("models:by-name", "A model is found by its exact name.", OURS),
    Requirement("models:by-glob", "A model is found by the longest glob that fits.", OURS),
    Requirement(
        "models:unknown",
        "An unknown model is 404 model_not_found and names the near ones.",
        REFERENCE,
    ),
    Requirement(
        "models:fallback", "gemini-* nobody configured is answered by default_model.", OURS
    ),
    Requirement(
        "models:fallback-said",
        "The fallback stands in the log, x-interplay-model and /models.",
        OURS,
    ),
    Requirement("models:fallback-off", "gemini_fallback = false makes those names 404.", OURS),
    Requirement(
        "models:real-first", "A configured gemini-* name is never replaced by the fallback.", OURS
    ),
    Requirement("models:loading", "While a model loads the stream says so in comments.", OURS),
    Requirement(
        "models:not-fetched", "A model that is not on the disk fails naming the command.", OURS
    ),
    Requirement("models:globs", "A name goes to the longest glob that fits.", OURS),
    Requirement("schema:steps", "Requests without a hint are answered with `steps`.", REFERENCE),
    Requirement(
        "schema:outputs-by-revision",
        "Api-Revision before 2026-05-20 is answered with `outputs`.",
        GUIDE,
    ),
    Requirement("schema:outputs-by-client", "SDKs 1.x are known by their User-Agent.", SDK),
    Requirement(
        "schema:outputs-by-body",
        "role turns and response_mime_type are read as the first schema.",
        SDK,
    ),
    Requirement("schema:same-object", "One stored interaction can be read in both schemas.", OURS),
    Requirement(
        "schema:outputs-stream", "Streams of the first schema carry its own event names.", SEEN
    ),
    Requirement(
        "schema:outputs-resume", "Resuming in the first schema loses and doubles nothing.", OURS
    ),
    Requirement("schema:sdk-1", "google-genai 1.x works with only the base URL changed.", SDK),
    Requirement("schema:sdk-3", "google-genai 3.x works with only the base URL changed.", SDK),
    Requirement(
        "schema:sdk-js", "@google/genai 1.x and 3.x work with only the base URL changed.", SDK
    ),
    Requirement("input:mixed", "Contents and steps may be mixed in one list.", SEEN),
    Requirement("input:stateless", "A whole conversation can be sent as steps.", GUIDE),
    Requirement(
        "input:media",
        "Base64 media reach the model; an input it cannot take is refused.",
        REFERENCE,
    ),
    Requirement(
        "media:blobs", "Media over 64 KB lie as blobs, once, and come back byte for byte.", OURS
    ),
    Requirement("errors:every-fault", "One answer names every fault of a body.", OURS),
    Requirement("errors:format", "Faults of response_format and its schema name their path.", OURS),
    Requirement(
        "errors:tools",
        "Faults of tools and their schemas name their path and the supported types.",
        REFERENCE,
    ),
    Requirement(
        "errors:paths",
        "Unknown fields, camelCase, wrong values and types are named with path and way out.",
        REFERENCE,
    ),
    Requirement("errors:unknown-path", "What is not there says where things are.", OURS),
    Requirement(
        "errors:upstream",
        "A failing backend is an HTTP error with its code for who waits.",
        REFERENCE,
    ),
    Requirement(
        "errors:fault-of-ours", "A fault of ours ends one interaction and is in the log.", OURS
    ),
    Requirement(
        "weather:client-drops", "A dropped foreground stream is still stored and resumable.", OURS
    ),
    Requirement(
        "weather:never-reads",
        "A client that never reads is cut off and costs bounded memory.",
        OURS,
    ),
    Requirement(
        "weather:upstream-drops", "An upstream that drops fails the run with bad_gateway.", OURS
    ),
    Requirement(
        "weather:upstream-stalls",
        "An upstream that stalls fails the run with deadline_exceeded.",
        OURS,
    ),
    Requirement(
        "weather:upstream-garbage", "Garbage from upstream fails the run with bad_gateway.", OURS
    ),
    Requirement("weather:upstream-429", "Upstream's 429 is answered with its Retry-After.", OURS),
    Requirement(
        "weather:upstream-500", "Upstream's 500 is tried again, then service_unavailable.", OURS
    ),
    Requirement(
        "weather:disk-full", "A full disk is 503 and the server works again with space.", OURS
    ),
    Requirement(
        "weather:kill-foreground",
        "SIGKILL in a foreground run: it is failed after the restart.",
        OURS,
    ),
    Requirement(
        "weather:kill-tool",
        "SIGKILL in a tool call: is_error, outcome unknown, unless repeatable.",
        OURS,
        deferred="a call is written with its result: after a crash the model is asked again",
    ),
    Requirement(
        "weather:kill-background",
        "SIGKILL: a background run goes on and its client sees no text twice.",
        OURS,
    ),
    Requirement(
        "weather:kill-everywhere",
        "SIGKILL at any moment loses and doubles nothing that was answered.",
        OURS,
    ),
    Requirement("ask:one-path", "Unary, stream, background and resume fold to the same.", OURS),
    Requirement(
        "chain:history", "previous_interaction_id brings the steps of the whole chain.", REFERENCE
    ),
    Requirement(
        "chain:not-inherited", "tools, system_instruction and config are not inherited.", REFERENCE
    ),
    Requirement("chain:branches", "Any interaction can be gone on from more than once.", GUIDE),
    Requirement("chain:unfinished", "Chaining onto an unfinished interaction is 400.", REFERENCE),
    Requirement("chain:unknown", "Chaining onto an unknown, deleted or expired id is 404.", OURS),
    Requirement("chain:unstored", "Chaining onto a store=false id is 404.", REFERENCE),
    Requirement("chain:failed", "Failed and cancelled interactions can be gone on from.", OURS),
    Requirement("chain:long", "A 1,000-turn chain stores its payload once.", OURS),
    Requirement("chain:deleted-ancestor", "Deleting one turn leaves the others readable.", OURS),
    Requirement("chain:cold", "A chain reads the same after a restart.", OURS),
    Requirement("background:poll", "GET follows a background run to its end.", GUIDE),
    Requirement("background:stream", "background with stream survives a dropped client.", GUIDE),
    Requirement("background:queue", "Background runs over the limit wait as queued.", REFERENCE),
    Requirement(
        "background:deadline", "A run past run_seconds fails with deadline_exceeded.", OURS
    ),
    Requirement("background:deferred", "service_tier deferred is answered at once.", REFERENCE),
    Requirement("background:tiers", "Waiting runs go by tier, then by age.", REFERENCE),
    Requirement("processes:follow", "Any process streams and polls what another runs.", OURS),
    Requirement("processes:resume", "A stream goes on at another process.", OURS),
    Requirement("processes:cancel", "A cancel at any process stops the run.", OURS),
    Requirement("processes:roles", "An api process hands runs over, a worker does them.", OURS),
    Requirement("processes:retries", "One key at two processes makes one interaction.", OURS),
    Requirement("processes:hand-back", "A process that stops hands its runs back.", OURS),
    Requirement("store:false-background", "background with store=false is 400.", SEEN),
    Requirement("store:false", "store=false leaves nothing on the disk.", REFERENCE),
    Requirement("limits:queue", "Over the queue's limit is 429 with Retry-After.", OURS),
    Requirement("limits:runs-per-key", "Runs of one key over the limit are 429.", OURS),
    Requirement("limits:output", "Output over the limit ends as incomplete.", OURS),
    Requirement("limits:turns", "Turns over the limit end the loop.", OURS),
    Requirement(
        "cancel:background", "cancel ends a background run; its stream says so.", REFERENCE
    ),
    Requirement("cancel:foreground", "cancel ends a foreground stream too.", OURS),
    Requirement(
        "cancel:idempotent", "Cancelling again, or what ended, answers 200 as it is.", OURS
    ),
    Requirement("cancel:colon", "{id}:cancel is the same as {id}/cancel.", CLOUD),
    Requirement("cancel:stops-work", "The model stops at once when it is cancelled.", OURS),
    Requirement("cancel:race", "Cancelling races the end: one of them wins, never both.", OURS),
    Requirement(
        "delete:gone",
        "DELETE answers 200 {}; GET, and deleting again, are 404 from then on.",
        REFERENCE,
    ),
    Requirement("delete:running", "DELETE stops a running interaction.", OURS),
    Requirement(
        "delete:every-trace", "No text of it is left in database, log file or blobs.", OURS
    ),
    Requirement("retention", "Ended interactions go when their time is over.", GUIDE),
    Requirement("retries:key", "The same key and body make one interaction.", OURS),
    Requirement("retries:key-conflict", "The same key with another body is 409.", OURS),
    Requirement("retries:key-survives-restart", "Keys are kept with the interaction.", OURS),
    Requirement(
        "retries:key-at-once", "Two requests with one key at once make one interaction.", OURS
    ),
    Requirement("retries:body", "The same body after a lost connection is taken for a retry.", SDK),
    Requirement(
        "retries:not-a-retry", "The same body while the first client waits is a new one.", OURS
    ),
    Requirement(
        "thoughts:summaries", "Summaries come only with thinking_summaries auto.", REFERENCE
    ),
    Requirement(
        "thoughts:signature", "Signatures come last in a thought and may be sent back.", GUIDE
    ),
    Requirement("thoughts:unsigned", "Unsigned thoughts and calls are accepted back.", OURS),
    Requirement("thoughts:levels", "thinking_level reaches the model; one it lacks is 400.", SEEN),
    Requirement(
        "functions:requires-action", "A call ends the interaction as requires_action.", GUIDE
    ),
    Requirement("functions:parallel", "Parallel calls are steps of their own.", GUIDE),
    Requirement(
        "functions:result-forms", "A result may be a string, an object or contents.", GUIDE
    ),
    Requirement("functions:result-error", "is_error reaches the model.", REFERENCE),
    Requirement(
        "functions:mismatch",
        "Results must fit the open calls: none missing, none for no call.",
        SEEN,
    ),
    Requirement(
        "functions:stateless", "Calls and results can be sent as steps without state.", GUIDE
    ),
    Requirement(
        "functions:tool-choice",
        "tool_choice takes auto, any, none, validated and allowed_tools.",
        REFERENCE,
    ),
    Requirement("functions:empty-required", "required: [] is accepted.", OURS),
    Requirement(
        "functions:malformed",
        "Calls that cannot be made, twice in a row, end as malformed_function_call.",
        REFERENCE,
    ),
    Requirement(
        "functions:repaired",
        "A call that cannot be made stays as it was shown, with a result that tells the model.",
        OURS,
    ),
    Requirement(
        "functions:fitted",
        "Arguments of served tools are put right where nothing is lost.",
        OURS,
    ),
    Requirement(
        "tool-search:server",
        "Functions with defer_loading are offered once tool_search has found them.",
        REFERENCE,
    ),
    Requirement("tool-search:chain", "What was found stays offered in later turns.", OURS),
    Requirement("tool-search:words", "Functions are found by words too.", OURS),
    Requirement(
        "tool-search:client",
        "With execution client the caller answers the search and may bring functions.",
        REFERENCE,
    ),
    Requirement(
        "tool-search:unasked", "A deferred function that is called right away is called.", OURS
    ),
    Requirement("tool-search:many", "2,000 deferred functions beside 500 are taken.", OURS),
    Requirement(
        "functions:server-tool-live", "A call of a server tool is shown before its result.", OURS
    ),
    Requirement(
        "functions:server-tool",
        "A server tool runs and its steps stand in the timeline.",
        REFERENCE,
    ),
    Requirement(
        "functions:server-and-own", "Server tools and functions work in one request.", SEEN
    ),
    Requirement("functions:tool-failure", "A tool that fails is a result with is_error.", OURS),
    Requirement("functions:too-many", "Endless calls end as too_many_tool_calls.", REFERENCE),
    Requirement(
        "format:forms",
        "response_format is typed, a bare schema or a list; response_mime_type works.",
        REFERENCE,
    ),
    Requirement("format:upper-case", "Upper-case type names are taken.", SEEN),
    Requirement("format:validated", "JSON that does not fit is never answered as completed.", OURS),
    Requirement("format:remote-ref", "A remote $ref is never fetched.", OURS),
    Requirement("keys:public-binding", "A public address without keys is refused at start.", OURS),
    Requirement(
        "keys:visibility",
        "Ids of another key are 404 in every call and absent from the list.",
        OURS,
    ),
    Requirement(
        "keys:running-visibility", "Running interactions are hidden from other keys too.", OURS
    ),
    Requirement(
        "keys:forms",
        "x-goog-api-key, Authorization: Bearer and ?key=; a wrong or missing one is 401.",
        REFERENCE,
    ),
    Requirement("keys:none-on-loopback", "Without keys any key is taken.", OURS),
    Requirement("operate:health", "/health answers without a key.", OURS),
    Requirement(
        "operate:ready", "/ready is 503 until everything is open, and while it stops.", OURS
    ),
    Requirement("operate:metrics", "/metrics speaks Prometheus.", OURS),
    Requirement("operate:logs", "Logs are structured and hold no contents and no keys.", OURS),
    Requirement("operate:config-faults", "Every wrong setting is named with its source.", OURS),
    Requirement(
        "list:paging", "Newest first; page_size and page_token walk every interaction once.", CLOUD
    ),
    Requirement("list:filters", "status, model, agent, label and root filter.", OURS),
    Requirement("list:bad-token", "Query parameters that are wrong are 400 by name.", OURS),
    Requirement(
        "bad:malformed",
        "Malformed JSON, invalid UTF-8, lone surrogates, deep nesting: 400, nothing stored.",
        OURS,
    ),
    Requirement("bad:content-type", "A wrong content type is 415 unsupported_media_type.", OURS),
    Requirement(
        "bad:size", "A body over the limit is 413, told before it was read where it can be.", OURS
    ),
    Requirement(
        "bad:many-steps", "10,000 steps in one input work; more than the limit are refused.", OURS
    ),
    Requirement("bad:nul", "NUL in a text is stored and comes back.", OURS),
    Requirement("bad:base64", "Broken base64 is 400 with the path.", OURS),
    Requirement("http:head-options-cors", "HEAD, OPTIONS and browsers are served.", OURS),
    Requirement("thinking:notice", "A thinking level without effect is said in a header.", OURS),
    Requirement("server:health", "/health, /metrics and /openapi.json answer.", OURS),
    Requirement(
        "server:graceful", "SIGTERM lets foreground runs end and hands background runs over.", OURS
    ),
    Requirement(
        "state:one-process",
        "A second process on the same data is refused with the first's pid.",
        OURS,
    ),
    Requirement(
        "agents:run",
        "An agent runs plain, streamed and in the background, with its own config and memo.",
        REFERENCE,
    ),
    Requirement("agents:chains", "Models and agents follow each other in one chain.", GUIDE),
    Requirement(
        "agents:assistant", "The assistant answers with any configured model and functions.", OURS
    ),
    Requirement("agents:failure", "What an agent raises ends as failed with a code.", OURS),
    Requirement("agents:facts", "What an agent does not take is refused by name.", OURS),
    Requirement(
        "agents:found",
        "An agent is found by entry point or module:attribute; an unknown one is 404.",
        OURS,
    ),
    Requirement(
        "triggers:sdk",
        "The official client's triggers resource works with only the base URL changed.",
        SDK,
    ),
    Requirement(
        "triggers:create", "A new trigger is active, with its defaults and its next run.", GUIDE
    ),
    Requirement(
        "triggers:checked",
        "A body that a create would refuse is refused with the trigger, with its path.",
        OURS,
    ),
    Requirement(
        "triggers:refused-schedules",
        "A schedule that is none, never comes or is too dense is refused by name.",
        OURS,
    ),
    Requirement(
        "triggers:dst",
        "A tick in the gap runs once right after it, one in the doubled hour once.",
        OURS,
    ),
    Requirement("triggers:tick", "At each tick an execution begins.", GUIDE),
    Requirement(
        "triggers:once",
        "One run per tick, with any number of processes, repeats and crashes.",
        OURS,
    ),
    Requirement(
        "triggers:execution",
        "An execution tells its interaction, its times and how it ended.",
        GUIDE,
    ),
    Requirement("triggers:overlap", "A tick while a run goes on is skipped.", GUIDE),
    Requirement(
        "triggers:timeout",
        "A run longer than execution_timeout_seconds is cancelled: timed_out.",
        GUIDE,
    ),
    Requirement(
        "triggers:failures",
        "max_consecutive_failures in a row put the trigger into error; a success resets.",
        GUIDE,
    ),
    Requirement(
        "triggers:missed",
        "After a downtime one run at most makes up for the missed ticks; the others are told.",
        OURS,
    ),
    Requirement("triggers:clock", "A clock that jumps fires no tick twice.", OURS),
    Requirement(
        "triggers:lost-jobs", "What a crash leaves without a job is found and goes on.", OURS
    ),
    Requirement("triggers:pause", "A paused trigger rests; a resumed one goes on.", GUIDE),
    Requirement("triggers:run-now", "A run can be begun by hand, also when paused.", GUIDE),
    Requirement("triggers:history", "Executions are listed by page, newest first.", GUIDE),
    Requirement("triggers:list", "Triggers are listed by page and filtered by status.", SDK),
    Requirement("triggers:delete", "A delete stops what is to come and keeps the history.", GUIDE),
    Requirement("triggers:environment", "Every run works in the trigger's environment.", GUIDE),
    Requirement("triggers:keys", "Each key sees and changes its own triggers only.", OURS),
    Requirement("triggers:limit", "A key has so many triggers and no more.", OURS),
    Requirement("triggers:models", "A trigger runs a model as it runs an agent.", OURS),
    Requirement(
        "webhooks:sdk",
        "The official client's webhooks resource works with only the base URL changed.",
        SDK,
    ),
    Requirement(
        "webhooks:event",
        "The end of a background interaction is sent, signed as Standard Webhooks describe.",
        GUIDE,
    ),
    Requirement(
        "webhooks:event-failed", "A failure is sent with its error_code and error_message.", GUIDE
    ),
    Requirement(
        "webhooks:config",
        "webhook_config replaces the registered webhooks, signed by a JWT, metadata echoed.",
        GUIDE,
    ),
    Requirement(
        "webhooks:config-checked", "A webhook_config that cannot be served is refused.", GUIDE
    ),
    Requirement("webhooks:keys-published", "The keys of those tokens are a JWKS.", GUIDE),
    Requirement(
        "webhooks:retry", "What was not answered by 2xx is sent again under the same id.", GUIDE
    ),
    Requirement(
        "webhooks:crash", "A crash in a pause between attempts loses and repeats nothing.", OURS
    ),
    Requirement("webhooks:log", "Every delivery can be read with its attempts.", OURS),
    Requirement("webhooks:guard", "Addresses inside a network are refused.", OURS),
    Requirement("webhooks:checked", "A body is refused with the path of each fault.", REFERENCE),
    Requirement("webhooks:rotate", "A secret is replaced, at once or with a day's overlap.", SDK),
    Requirement("webhooks:keys", "Each key has its own webhooks and events.", OURS),
    Requirement("webhooks:secrets", "A secret is shown once and in no other place.", GUIDE),
    Requirement(
        "files:sdk", "The official client uploads, reads, lists, downloads and deletes.", SDK
    ),
    Requirement("files:list", "Files are listed by page, newest first.", SDK),
    Requirement(
        "files:resume",
        "An upload that broke off goes on where `query` says, after a restart too.",
        SDK,
    ),
    Requirement("files:cancel", "An upload can be cancelled.", SDK),
    Requirement("files:simple", "One request uploads a file, raw or multipart.", GUIDE),
    Requirement(
        "files:together", "The same bytes or the same upload twice at once harm nothing.", OURS
    ),
    Requirement("files:name", "A name the caller gives is checked and taken once.", GUIDE),
    Requirement("files:limits", "One file, and the files of one key, have a limit.", GUIDE),
    Requirement("files:keys", "Each key sees its own files only.", OURS),
    Requirement("files:expiry", "A file goes after 48 hours, or what settings say.", GUIDE),
    Requirement(
        "media:file",
        "A `uri` of a file is given to the model as its bytes; the timeline keeps the `uri`.",
        GUIDE,
    ),
    Requirement("media:missing", "A file that is not there is a 404 with its path.", OURS),
    Requirement(
        "media:expired", "A chain whose file is gone goes on; model and caller are told.", OURS
    ),
    Requirement("media:refused", "gs://, YouTube and addresses inside a network are named.", OURS),
    Requirement("media:web", "Media at http addresses are fetched here, guarded, bounded.", OURS),
    Requirement("media:kind", "What is of another kind or too large is refused.", OURS),
    Requirement(
        "media:document", "A model that takes no documents is given their text as data.", OURS
    ),
    Requirement(
        "media:unseen", "What a model cannot see is refused in input, said of in history.", OURS
    ),
    Requirement("media:bombs", "A document that unpacks without end fails, and no more.", OURS),
    Requirement(
        "search:sdk",
        "The official client makes stores, uploads, imports, waits, reads, lists and deletes.",
        SDK,
    ),
    Requirement("search:find", "What was indexed is found, with its page and metadata.", GUIDE),
    Requirement(
        "search:meaning", "A passage is found by its meaning where no word is the same.", GUIDE
    ),
    Requirement("search:rerank", "A reranker puts the best passages in order again.", OURS),
    Requirement("search:embedder", "A store tells its embedder; another one is refused.", SDK),
    Requirement("search:hostile", "A hostile PDF fails its operation, never the process.", OURS),
    Requirement("search:filter", "metadata_filter lets matching documents through only.", GUIDE),
    Requirement("search:failed", "A document that cannot be read fails its operation.", SDK),
    Requirement("search:kill", "Indexing outlives the process that did it.", OURS),
    Requirement("search:keys", "Each key sees and searches its own stores only.", OURS),
    Requirement("search:limits", "Stores and documents of a key have limits.", OURS),
    Requirement(
        "search:tool", "A model searches stores; what it cites names file and page.", REFERENCE
    ),
    Requirement(
        "code-execution:steps",
        "Code gives its call and result steps; files stay between the calls of an interaction.",
        REFERENCE,
    ),
    Requirement(
        "code-execution:images", "Images that code writes are content of its result.", REFERENCE
    ),
    Requirement("code-execution:limits", "Code that takes too much is an error.", OURS),
    Requirement(
        "code-execution:refused", "Without isolation the tool is refused, naming the check.", OURS
    ),
    Requirement("code-execution:sdk", "The official client reads the steps of code.", SDK),
    Requirement(
        "computer-use:calls",
        "Predefined functions come back as function calls that the caller answers.",
        REFERENCE,
    ),
    Requirement(
        "computer-use:environments",
        "Each environment, and each generation of models, has its own functions.",
        GUIDE,
    ),
    Requirement("computer-use:excluded", "Excluded functions are not offered.", REFERENCE),
    Requirement("computer-use:safety", "Safety decisions pass through untouched.", GUIDE),
    Requirement("computer-use:mixed", "It works beside every other tool.", OURS),
    Requirement(
        "computer-use:unseen",
        "A model that does not see is told of the images in results.",
        OURS,
    ),
    Requirement(
        "computer-use:example", "A browser is operated and a form filled in by the example.", OURS
    ),
    Requirement(
        "tools:fields", "Every field of every tool is honoured or refused by its path.", OURS
    ),
    Requirement("mcp:call", "A call of a remote MCP tool gives its typed steps.", REFERENCE),
    Requirement("mcp:reuse", "Turns and interactions share a connection to a server.", OURS),
    Requirement("mcp:names", "Tools of the same name never clash.", OURS),
    Requirement("mcp:allowed", "allowed_tools is taken as names and as objects.", GUIDE),
    Requirement("mcp:unreachable", "A server that is down is an error that names the tool.", OURS),
    Requirement("mcp:guard", "Addresses inside a network are refused.", OURS),
    Requirement("mcp:errors", "A remote tool's failure is a result the model reads.", OURS),
    Requirement("mcp:arguments", "Arguments are checked; a schema that lies costs little.", OURS),
    Requirement("mcp:secrets", "Headers stand in no log, event or error.", OURS),
    Requirement("mcp:credential", "A credential is refused until they are served.", OURS),
    Requirement("mcp:keys", "Each key has sessions of its own.", OURS),
    Requirement(
        "search-web:steps", "A search gives a typed call and a typed result step.", REFERENCE
    ),
    Requirement(
        "search-web:citations",
        "What the model cites has url_citation annotations, offsets in bytes.",
        REFERENCE,
    ),
    Requirement("search-web:numbers", "A source has one number in the whole conversation.", OURS),
    Requirement("search-web:image", "search_types asks for images as well.", REFERENCE),
    Requirement(
        "search-web:crash", "After a crash an answer that cites is neither doubled nor bare.", OURS
    ),
    Requirement("search-web:fail-over", "An engine that fails is followed by the next.", OURS),
    Requirement("search-web:data", "Words of hits reach the model as data.", OURS),
    Requirement("search-web:none", "Without an engine the tool is refused with the way out.", OURS),
    Requirement(
        "google-maps:steps", "Asking a map gives a typed call and a typed result step.", REFERENCE
    ),
    Requirement(
        "google-maps:citations",
        "What the model cites of a map is annotated with the place.",
        REFERENCE,
    ),
    Requirement("google-maps:route", "Ways between two places are told in steps.", OURS),
    Requirement("google-maps:google", "Google's own map is asked by key.", OURS),
    Requirement("google-maps:none", "Without a map the tool is refused with the way out.", OURS),
    Requirement("google-maps:failure", "A map that fails does not end the run.", OURS),
    Requirement("google-maps:data", "Words of a map reach the model as data.", OURS),
    Requirement(
        "retrieval:steps", "A retrieval gives typed steps; what is cited is annotated.", REFERENCE
    ),
    Requirement("retrieval:stores", "This server's search stores stand in for corpora.", OURS),
    Requirement(
        "retrieval:refused", "What cannot be served is refused by name with what can.", OURS
    ),
    Requirement("retrieval:failure", "A service that fails does not end the run.", OURS),
    Requirement(
        "retrieval:secrets", "Keys of services are sent there and seen nowhere else.", OURS
    ),
    Requirement(
        "url-context:read",
        "Pages are read here; the result says how each address went, the model reads them.",
        REFERENCE,
    ),
    Requirement("url-context:chain", "Later turns know what stood on a page.", OURS),
    Requirement("url-context:guard", "Addresses inside a network are unsafe.", OURS),
    Requirement("url-context:data", "Words of a page reach the model as data.", OURS),
    Requirement(
        "url-context:citations",
        "Pages that were read have numbers; what is cited of them is annotated.",
        REFERENCE,
    ),
    Requirement("url-context:bad-call", "A call without addresses is told to the model.", OURS),
    Requirement(
        "anthropic:conversation",
        "A conversation with a model of the Messages API goes on with its thoughts unchanged.",
        OURS,
    ),
    Requirement("anthropic:media", "Images and PDFs reach a model of the Messages API.", OURS),
    Requirement(
        "anthropic:schema",
        "JSON of a model of the Messages API fits its schema, held to it or told of it.",
        OURS,
    ),
    Requirement(
        "anthropic:resume",
        "A run of the Messages API taken up in its text goes on inside it where that is possible.",
        OURS,
    ),
]
