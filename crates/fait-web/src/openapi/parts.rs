//! The parts of the document that are the same for every system.

use serde_json::{Map, Value, json};

pub(super) const ABOUT: &str = "The open door: commands that other systems may send, and what this \
system tells others.\n\nA command is sent under an `Idempotency-Key`: sent again under the same key \
with the same body it changes nothing and gets the answer of the first time, also a refusal. Keys are \
kept as long as the log, for ever. A key belongs to one client and one command.\n\nEvery problem is an \
`application/problem+json` (RFC 9457) whose `detail` says what to do next, with the `correlation` id \
of the flow.";

pub(super) const TOKEN: &str = "The client's token, as `fait token new` makes it.";

pub(super) const RECEIPT: &str = "A command that was answered with 202 is `pending` here until it is \
`done`. 404: it failed before anything was recorded, or the program was started again; send it again \
under its key, which is safe.";

pub(super) const PUBLISHED: &str = "A page of CloudEvents 1.0 behind a position, waited for up to \
`wait` seconds where there is none. The next page is behind `Fait-Position`, also where a page is \
empty. Deliveries may be doubled, never lost or put in another order; `source` and `id` tell them \
apart. With `history` of an earlier answer a system that was restored from a copy answers 409 instead \
of skipping or repeating anything.";

pub(super) const STREAM: &str = "The same as server-sent events. It is taken up where it was with \
`Last-Event-ID`.";

pub(super) fn parameter(name: &str) -> Value {
    json!({ "$ref": format!("#/components/parameters/{name}") })
}

pub(super) fn response(name: &str) -> Value {
    json!({ "$ref": format!("#/components/responses/{name}") })
}

/// An answer that is a problem.
pub(super) fn problem(description: &str) -> Value {
    json!({
        "description": description,
        "content": { "application/problem+json": {
            "schema": { "$ref": "#/components/schemas/Problem" },
        } },
    })
}

/// The problems of some statuses; those of tokens, where there are any.
pub(super) fn problems(statuses: &[u16], clients: bool) -> Value {
    let mut all = Map::new();
    let tokens: &[u16] = if clients { &[401, 403] } else { &[] };
    for status in statuses.iter().chain(tokens) {
        all.insert(status.to_string(), response(&format!("Problem{status}")));
    }
    Value::Object(all)
}

fn header_in(name: &str, required: bool, description: &str, schema: &Value) -> Value {
    given(name, "header", required, description, schema)
}

fn given(name: &str, place: &str, required: bool, description: &str, schema: &Value) -> Value {
    json!({
        "name": name,
        "in": place,
        "required": required,
        "description": description,
        "schema": schema,
    })
}

pub(super) fn parameters() -> Value {
    let (text, uuid) = (text(), uuid());
    let position = json!({ "type": "integer", "minimum": 0, "format": "uint64" });
    let key = json!({
        "type": "string",
        "minLength": 1,
        "maxLength": 255,
        "pattern": "^[!#-~]+$",
    });
    let number = |least: u64, most: u64, usual: u64| json!({ "type": "integer", "minimum": least, "maximum": most, "default": usual });
    let query = |name: &str, says: &str, schema: &Value| given(name, "query", false, says, schema);
    let keyed = "A new one for each new request, the same one when a request is sent again.";
    json!({
        "Key": header_in("Idempotency-Key", true, keyed, &key),
        "KeyIfWanted": header_in("Idempotency-Key", false, keyed, &key),
        "Prefer": header_in("Prefer", false, "`wait=10`: the answer is 202 with a receipt where it \
            would take longer than so many seconds, at most 60; `respond-async` is `wait=0` \
            (RFC 7240). Without it the answer comes when the command is done.", &text),
        "Expires": header_in("Fait-Expires", false, "Until when it is to be done at all; later it \
            is 410.", &json!({ "type": "string", "format": "date-time" })),
        "Correlation": header_in("Correlation-Id", false, "The flow that it belongs to.", &uuid),
        "Causation": header_in("Causation-Id", false, "What led to it in the client's system.",
            &uuid),
        "Traceparent": header_in("traceparent", false, "W3C trace context.", &text),
        "Answering": query("answering", "The asked task that this answers.", &uuid),
        "As": query("as", "Who asks, for example `waiter:ann`.", &text),
        "After": query("after", "The position behind which it begins.", &position),
        "Types": query("types", "These types only, with commas between them.", &text),
        "History": query("history", "The `Fait-History` of an earlier answer.", &uuid),
        "Limit": query("limit", "At most so many.", &number(1, 1000, 100)),
        "Wait": query("wait", "Seconds to wait for the first one.", &number(0, 60, 0)),
        "Heartbeat": query("heartbeat", "Seconds after which an id without data is sent.",
            &number(1, 300, 15)),
        "LastEventId": header_in("Last-Event-ID", false, "The position that was seen last; goes \
            before `after`.", &position),
    })
}

pub(super) fn headers() -> Value {
    let header = |says: &str, schema: Value| json!({ "description": says, "schema": schema });
    let number = || json!({ "type": "integer", "minimum": 0 });
    json!({
        "Correlation": header("The flow that the command belongs to.", uuid()),
        "Token": header("A read token: with `at_least` a view is read as it is after this.", text()),
        "Replayed": header("The answer is the one of an earlier time.",
            json!({ "type": "string", "const": "true" })),
        "KeyKept": header("How long the key is kept.",
            json!({ "type": "string", "const": "forever" })),
        "Applied": header("How long was waited (RFC 7240).", text()),
        "Location": header("Where the receipt is.", text()),
        "RetryAfter": header("Seconds until another try may help.", number()),
        "Authenticate": header("How to say who one is.", text()),
        "Position": header("Behind which position the next page begins.", number()),
        "Head": header("The end of the log.", number()),
        "History": header("Which history it is.", uuid()),
        "Link": header("The next page.", text()),
        "Deprecation": header("Since when a type that was asked for is not to be used any more \
            (RFC 9745).", text()),
        "Sunset": header("Until when it is published (RFC 8594).", text()),
    })
}

fn headed(pairs: &[(&str, &str)]) -> Value {
    let one = |(name, part): &(&str, &str)| {
        let reference = json!({ "$ref": format!("#/components/headers/{part}") });
        ((*name).to_owned(), reference)
    };
    Value::Object(pairs.iter().map(one).collect())
}

pub(super) fn page_headers() -> Value {
    headed(&[
        ("Fait-Position", "Position"),
        ("Fait-Head", "Head"),
        ("Fait-History", "History"),
        ("Link", "Link"),
        ("Deprecation", "Deprecation"),
        ("Sunset", "Sunset"),
    ])
}

pub(super) fn responses() -> Value {
    let json_of = |name: &str| {
        json!({ "application/json": {
            "schema": { "$ref": format!("#/components/schemas/{name}") },
        } })
    };
    let mut all = json!({
        "Accepted": {
            "description": "It is done.",
            "headers": headed(&[
                ("Correlation-Id", "Correlation"),
                ("Fait-Token", "Token"),
                ("Idempotency-Replayed", "Replayed"),
                ("Fait-Key-Kept", "KeyKept"),
                ("Preference-Applied", "Applied"),
            ]),
            "content": json_of("Accepted"),
        },
        "Pending": {
            "description": "It is not done yet: its receipt says when it is.",
            "headers": headed(&[
                ("Location", "Location"),
                ("Retry-After", "RetryAfter"),
                ("Preference-Applied", "Applied"),
            ]),
            "content": json_of("Pending"),
        },
        "Receipt": {
            "description": "What became of it.",
            "content": { "application/json": { "schema": { "oneOf": [
                { "$ref": "#/components/schemas/Pending" },
                { "$ref": "#/components/schemas/Done" },
            ] } } },
        },
    });
    for (status, says) in PROBLEMS {
        all[format!("Problem{status}")] = problem(says);
    }
    all["Problem401"]["headers"] = headed(&[("WWW-Authenticate", "Authenticate")]);
    all["Problem409"]["headers"] = headed(&[("Retry-After", "RetryAfter")]);
    all
}

const PROBLEMS: [(u16, &str); 11] = [
    (
        400,
        "It cannot be read: `field` says which part, where one is to blame.",
    ),
    (401, "No client has this token."),
    (403, "The client has no right to this."),
    (404, "There is no such thing."),
    (
        409,
        "It is still running, others were faster, what it answers is not asked any more, or what \
        was read belongs to another history. With `Retry-After` another try helps.",
    ),
    (410, "It was to be done until a time that is over."),
    (413, "The body is larger than 2 MiB."),
    (415, "The body says that it is not JSON."),
    (422, "It is refused."),
    (500, "The program is at fault."),
    (503, "The store is in trouble."),
];

/// What is answered to commands, and what is published.
pub(super) fn schemas() -> Map<String, Value> {
    let mut all = Map::new();
    for (name, schema) in [
        ("Accepted", accepted()),
        ("Pending", pending()),
        ("Done", done()),
        ("Problem", a_problem()),
        ("CloudEvent", cloud_event()),
    ] {
        all.insert(name.into(), schema);
    }
    all
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn uuid() -> Value {
    json!({ "type": "string", "format": "uuid" })
}

fn position() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn events() -> Value {
    json!({ "type": "array", "items": {
        "type": "object",
        "properties": { "id": uuid(), "type": text(), "position": position() },
        "required": ["id", "type", "position"],
    } })
}

fn accepted() -> Value {
    json!({
        "type": "object",
        "properties": {
            "outcome": { "const": "accepted" },
            "command": uuid(),
            "events": events(),
            "position": position(),
            "token": text(),
        },
        "required": ["outcome", "command", "events", "position", "token"],
    })
}

fn pending() -> Value {
    json!({
        "type": "object",
        "properties": { "status": { "const": "pending" }, "command": uuid(), "receipt": text() },
        "required": ["status", "command", "receipt"],
    })
}

fn done() -> Value {
    json!({
        "type": "object",
        "properties": {
            "status": { "const": "done" },
            "outcome": { "enum": ["accepted", "refused"] },
            "command": uuid(),
            "correlation": uuid(),
            "events": events(),
            "position": position(),
            "token": text(),
            "code": text(),
            "detail": text(),
        },
        "required": ["status", "outcome", "command", "correlation"],
    })
}

fn a_problem() -> Value {
    json!({
        "type": "object",
        "properties": {
            "type": { "type": "string", "format": "uri" },
            "title": text(),
            "status": { "type": "integer" },
            "detail": text(),
            "code": { "type": "string", "description": "The code of a refusal." },
            "field": { "type": "string", "description": "The part that is to blame." },
            "correlation": uuid(),
        },
        "required": ["type", "title", "status", "detail"],
    })
}

fn cloud_event() -> Value {
    json!({
        "type": "object",
        "description": "CloudEvents 1.0, structured.",
        "properties": {
            "specversion": { "const": "1.0" },
            "id": text(),
            "source": { "type": "string", "format": "uri-reference" },
            "type": text(),
            "subject": text(),
            "time": { "type": "string", "format": "date-time" },
            "datacontenttype": text(),
            "dataschema": { "type": "string", "format": "uri" },
            "sequence": { "type": "string", "description": "The position, in 20 digits." },
            "correlationid": uuid(),
            "causationid": uuid(),
        },
        "required": ["specversion", "id", "source", "type"],
    })
}
