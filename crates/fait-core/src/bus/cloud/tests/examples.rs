//! What the specification, its JSON format and its HTTP binding show as examples.

use super::{headers, read};
use crate::bus::{Attribute, CloudEvent, Data};
use serde_json::{Value, json};

/// The attributes that all examples of the JSON format share.
fn shared(id: &str) -> Value {
    json!({
        "specversion": "1.0",
        "type": "com.example.someevent",
        "source": "/mycontext",
        "id": id,
        "time": "2018-04-05T17:31:00Z",
        "comexampleextension1": "value",
        "comexampleothervalue": 5
    })
}

fn with(mut event: Value, more: Value) -> Value {
    let both = (event.as_object_mut(), more);
    if let (Some(all), Value::Object(more)) = both {
        all.extend(more);
    }
    event
}

/// The headers into which each example is encoded anew.
fn as_headers(id: &str, content_type: &str) -> Vec<(String, String)> {
    headers(&[
        ("ce-specversion", "1.0"),
        ("ce-type", "com.example.someevent"),
        ("ce-source", "/mycontext"),
        ("ce-id", id),
        ("ce-time", "2018-04-05T17:31:00Z"),
        ("ce-comexampleextension1", "value"),
        ("ce-comexampleothervalue", "5"),
        ("content-type", content_type),
    ])
}

/// Headers know no types: what they carry is text.
fn untyped(mut event: CloudEvent) -> CloudEvent {
    for value in event.extensions.values_mut() {
        *value = Attribute::Text(value.to_string());
    }
    event
}

fn same_in_binary(event: CloudEvent, id: &str, content_type: &str, body: &[u8]) {
    let wanted = as_headers(id, content_type);
    let (mut written, bytes) = event.to_binary();
    written.sort();
    let mut sorted = wanted.clone();
    sorted.sort();
    assert_eq!((written, bytes.as_ref()), (sorted, body));
    let mut untyped = untyped(event);
    untyped.datacontenttype = Some(content_type.into());
    assert_eq!(CloudEvent::read_message(&wanted, body), Ok(untyped));
}

#[test]
fn binary_data() {
    let thrift = "application/vnd.apache.thrift.binary";
    let json = with(
        shared("A234-1234-1234"),
        json!({"datacontenttype": thrift, "data_base64": "AAEC/w=="}),
    );
    let event = read(&json).unwrap();
    assert_eq!(event.id, "A234-1234-1234");
    assert_eq!(event.ty, "com.example.someevent");
    assert_eq!(event.source, "/mycontext");
    assert_eq!(event.time.as_deref(), Some("2018-04-05T17:31:00Z"));
    assert_eq!(event.occurred_at().unwrap().0, 1_522_949_460_000);
    assert_eq!(
        event.extensions["comexampleothervalue"],
        Attribute::Number(5)
    );
    assert_eq!(event.text("comexampleextension1"), Some("value"));
    assert_eq!(event.data, Data::Bytes(vec![0, 1, 2, 255].into()));
    assert_eq!(event.to_json(), json);
    same_in_binary(event, "A234-1234-1234", thrift, &[0, 1, 2, 255]);
}

#[test]
fn text_that_is_not_json() {
    let json = with(
        shared("B234-1234-1234"),
        json!({
            "unsetextension": null,
            "datacontenttype": "application/xml",
            "data": "<much wow=\"xml\"/>"
        }),
    );
    let event = read(&json).unwrap();
    assert!(!event.extensions.contains_key("unsetextension"));
    assert_eq!(event.data, Data::Bytes("<much wow=\"xml\"/>".into()));
    let body = b"<much wow=\"xml\"/>";
    same_in_binary(event, "B234-1234-1234", "application/xml", body);
}

#[test]
fn a_json_object() {
    let data = json!({"appinfoA": "abc", "appinfoB": 123, "appinfoC": true});
    let json = with(
        shared("C234-1234-1234"),
        json!({"subject": null, "datacontenttype": "application/json", "data": data}),
    );
    let event = read(&json).unwrap();
    assert_eq!(event.subject, None);
    assert_eq!(event.data, Data::Json(data.clone()));
    let body = data.to_string();
    same_in_binary(event, "C234-1234-1234", "application/json", body.as_bytes());
}

#[test]
fn a_literal_string_is_json_where_nothing_else_is_said() {
    let json = with(
        shared("D234-1234-1234"),
        json!({"subject": null, "data": "I'm just a string"}),
    );
    let event = read(&json).unwrap();
    assert_eq!(event.data, Data::Json("I'm just a string".into()));
    let body = b"\"I'm just a string\"";
    same_in_binary(event, "D234-1234-1234", "application/json", body);
    let unquoted = as_headers("D234-1234-1234", "application/json");
    CloudEvent::read_message(&unquoted, b"I'm just a string").unwrap_err();
}

#[test]
fn the_example_of_the_specification_itself() {
    let event = read(&json!({
        "specversion": "1.0",
        "type": "com.github.pull_request.opened",
        "source": "https://github.com/cloudevents/spec/pull",
        "subject": "123",
        "id": "A234-1234-1234",
        "time": "2018-04-05T17:31:00Z",
        "comexampleextension1": "value",
        "comexampleothervalue": 5,
        "datacontenttype": "text/xml",
        "data": "<much wow=\"xml\"/>"
    }))
    .unwrap();
    assert_eq!(event.key(), Some("123"));
    assert_eq!(event.data, Data::Bytes("<much wow=\"xml\"/>".into()));
}

#[test]
fn a_batch_and_an_empty_one() {
    let one = with(shared("B234-1234-1234"), json!({"data_base64": "AA=="}));
    let two = with(shared("C234-1234-1234"), json!({"data": {"appinfoB": 123}}));
    let ty = "application/cloudevents-batch+json; charset=UTF-8";
    let batch = headers(&[("content-type", ty)]);
    let body = Value::from(vec![one.clone(), two.clone()]).to_string();
    let all = CloudEvent::read_all(&batch, body.as_bytes()).unwrap();
    assert_eq!(all, [read(&one).unwrap(), read(&two).unwrap()]);
    assert_eq!(CloudEvent::read_all(&batch, b"[]"), Ok(vec![]));
    CloudEvent::read_message(&batch, b"[]").unwrap_err();
}

#[test]
fn structured_over_http_with_a_charset() {
    let json = with(shared("E234"), json!({"data": {"a": 1}}));
    let ty = "application/cloudevents+json; charset=utf-8";
    // The same attributes as headers are allowed, and what the body says counts.
    let lines = headers(&[
        ("Content-Type", ty),
        ("ce-id", "other"),
        ("host", "example.com"),
    ]);
    let body = json.to_string();
    let event = CloudEvent::read_message(&lines, body.as_bytes()).unwrap();
    assert_eq!(event, read(&json).unwrap());
    assert_eq!(
        CloudEvent::read_all(&lines, body.as_bytes()),
        Ok(vec![event])
    );
}

#[test]
fn headers_of_the_http_binding() {
    let lines = headers(&[
        ("ce-specversion", "1.0"),
        ("ce-type", "com.example.someevent"),
        ("ce-time", "2018-04-05T03:56:24Z"),
        ("ce-id", "1234-1234-1234"),
        ("ce-source", "/mycontext/subcontext"),
        ("Content-Type", "application/json; charset=utf-8"),
        ("Content-Length", "2"),
    ]);
    let event = CloudEvent::read_message(&lines, b"{}").unwrap();
    assert_eq!(event.source, "/mycontext/subcontext");
    let ty = event.datacontenttype.as_deref();
    assert_eq!(ty, Some("application/json; charset=utf-8"));
    assert_eq!(event.data, Data::Json(json!({})));
}

#[test]
fn headers_are_percent_encoded_once() {
    let mut event = read(&shared("F234")).unwrap();
    event.subject = Some("Euro € 😀".into());
    let (written, body) = event.to_binary();
    let subject = written.iter().find(|(name, _)| name == "ce-subject");
    let wanted = "Euro%20%E2%82%AC%20%F0%9F%98%80";
    assert_eq!(subject.map(|(_, value)| value.as_str()), Some(wanted));
    assert_eq!(
        CloudEvent::read_message(&written, &body),
        Ok(untyped(event))
    );
    let given = |value: &str| {
        let mut lines = as_headers("G234", "application/json");
        lines.push(("CE-Subject".into(), value.into()));
        CloudEvent::read_message(&lines, b"").map(|event| event.subject.unwrap_or_default())
    };
    assert_eq!(given("e%2c%2C%61"), Ok("e,,a".into()));
    assert_eq!(given("50%25 off"), Ok("50% off".into()));
    assert_eq!(given("\"a \\\"b\\\" c\""), Ok("a \"b\" c".into()));
    assert_eq!(given("%2525"), Ok("%25".into()));
    given("%C0%A0").unwrap_err();
    given("%ff").unwrap_err();
}

#[test]
fn sources_and_times_that_are_allowed() {
    for source in [
        "https://github.com/cloudevents",
        "mailto:cncf-wg-serverless@lists.cncf.io",
        "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
        "/cloudevents/spec/pull/123",
        "1-555-123-4567",
        "urn:fait:lakeside:tickets",
    ] {
        read(&with(shared("1"), json!({"source": source}))).unwrap();
    }
    for time in [
        "2018-04-05T17:31:00Z",
        "1985-04-12t23:20:50.52z",
        "1996-12-19T16:39:57-08:00",
        "1990-12-31T23:59:60Z",
        "1937-01-01T12:00:27.87+00:20",
        "2026-11-28T10:00:00.1234567890123Z",
    ] {
        let read = read(&with(shared("1"), json!({"time": time}))).unwrap();
        assert_eq!(read.time.as_deref(), Some(time));
    }
}
