//! The rules, each with the sentence that somebody who breaks it reads.

use super::{headers, read};
use crate::bus::{Attribute, CloudEvent, Data};
use serde::Deserialize;
use serde_json::{Value, json};

fn good() -> Value {
    json!({"specversion": "1.0", "id": "1", "source": "/a", "type": "b"})
}

fn with(name: &str, value: Value) -> Value {
    let mut event = good();
    event[name] = value;
    event
}

fn without(name: &str) -> Value {
    let mut event = good();
    event.as_object_mut().unwrap().remove(name);
    event
}

/// What is wrong with each, one line for each.
fn sentences(events: &[Value]) -> String {
    let said = events.iter().map(|event| match read(event) {
        Ok(event) => panic!("this was read: {event:?}"),
        Err(e) => format!("{e}\n"),
    });
    said.collect()
}

#[test]
fn what_is_wrong_with_attributes() {
    let said = sentences(&[
        without("specversion"),
        without("id"),
        without("source"),
        without("type"),
        with("id", json!("")),
        with("id", Value::Null),
        with("id", json!(5)),
        with("type", json!("")),
        with("source", json!("")),
        with("source", json!("a b")),
        with("source", json!("/a%zz")),
        with("specversion", json!("0.3")),
        with("subject", json!("")),
        with("subject", json!("a\nb")),
        with("subject", json!("a\u{85}b")),
        with("other", json!("a\u{fffe}b")),
        with("time", json!("2018-04-05 at noon")),
        with("time", json!("2018-02-30T00:00:00Z")),
        with("time", json!("2018-04-05T17:31:00")),
        with("time", json!("2018-04-05T17:31:00.Z")),
        with("time", json!("2018-04-05T17:31:00+24:00")),
        with("dataschema", json!("/schemas/1")),
        with("datacontenttype", json!("json")),
        with("datacontenttype", json!("text/plain; name=ö")),
        with("myExtension", json!("a")),
        with("my_extension", Value::Null),
        with("", json!("a")),
        with("other", json!(1.5)),
        with("other", json!(2_147_483_648_u64)),
        with("other", json!(["a"])),
        with("other", json!({})),
        json!([1]),
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn what_is_wrong_with_data() {
    let mut both = with("data", json!({}));
    both["data_base64"] = json!("AA==");
    let mut xml = with("datacontenttype", json!("application/xml"));
    xml["data"] = json!({"a": 1});
    let mut encoded = with("datacontenttype", json!("application/problem+json"));
    encoded["data_base64"] = json!("AA==");
    let mut deep = json!(1);
    for _ in 0..=CloudEvent::MOST_DEPTH {
        deep = json!([deep]);
    }
    // One level less is read.
    read(&with("data", deep[0].clone())).unwrap();
    let said = sentences(&[
        both,
        xml,
        encoded,
        with("data_base64", json!("A")),
        with("data_base64", json!(["AA=="])),
        with("data", deep.clone()),
        with("data", json!("x".repeat(CloudEvent::MOST_BYTES))),
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn what_is_wrong_with_headers() {
    let all = [
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-source", "/a"),
        ("ce-type", "b"),
    ];
    let say = |more: &[(&str, &str)], body: &str| {
        let lines = headers(&[&all, more].concat());
        format!(
            "{}\n",
            CloudEvent::read_message(&lines, body.as_bytes()).unwrap_err()
        )
    };
    let alone = |lines: &[(&str, &str)]| {
        format!(
            "{}\n",
            CloudEvent::read_message(&headers(lines), b"{}").unwrap_err()
        )
    };
    let said = [
        say(&[("CE-Id", "2")], ""),
        say(&[("ce-datacontenttype", "text/plain")], ""),
        say(&[("ce-my-own", "a")], ""),
        say(
            &[
                ("content-type", "text/plain"),
                ("content-type", "text/html"),
            ],
            "",
        ),
        say(&[("content-type", "application/json")], "a"),
        say(&[("content-type", "plain")], "a"),
        say(&[("ce-subject", "%C0%A0")], ""),
        say(&[], &"x".repeat(CloudEvent::MOST_BYTES)),
        alone(&[("content-type", "application/json")]),
        alone(&[("content-type", "application/cloudevents+avro")]),
        alone(&[("content-type", "application/cloudevents-batch+json")]),
        alone(&[("ce-id", "1")]),
    ];
    let said = said.concat();
    insta::assert_snapshot!(said);
}

#[test]
fn a_member_that_is_there_twice_is_refused() {
    let twice = |name: &str| {
        let event = good().to_string();
        let event = event.replacen('{', &format!("{{\"{name}\":\"1\","), 1);
        CloudEvent::from_json(event.as_bytes())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(twice("id"), "`id` is there twice; it has to be there once");
    let event = "{\"data\":1,\"data\":2}";
    let e = CloudEvent::from_json(event.as_bytes()).unwrap_err();
    assert_eq!(
        e.to_string(),
        "`data` is there twice; it has to be there once"
    );
}

#[test]
fn a_batch_says_which_of_it_is_wrong_and_has_limits() {
    let batch = json!([good(), without("id")]).to_string();
    let e = CloudEvent::from_json_batch(batch.as_bytes()).unwrap_err();
    assert!(
        e.to_string()
            .starts_with("number 2 of the batch: `id` is missing"),
        "{e}"
    );
    let many = Value::from(vec![good(); CloudEvent::MOST_IN_BATCH + 1]).to_string();
    let e = CloudEvent::from_json_batch(many.as_bytes()).unwrap_err();
    assert!(e.to_string().contains("at most 4096"), "{e}");
}

#[test]
fn names_may_be_long_and_null_is_not_there() {
    let name = "averyveryverylongnameofanextension1";
    let event = read(&with(name, json!(true))).unwrap();
    assert_eq!(event.extensions[name], Attribute::Flag(true));
    assert!(
        read(&with(name, Value::Null))
            .unwrap()
            .extensions
            .is_empty()
    );
}

#[test]
fn null_is_data_and_nothing_is_not() {
    assert_eq!(read(&good()).unwrap().data, Data::None);
    let null = read(&with("data", Value::Null)).unwrap();
    assert_eq!(null.data, Data::Json(Value::Null));
    assert_eq!(read(&null.to_json()).unwrap(), null);
    let mut xml = with("datacontenttype", json!("application/xml"));
    xml["data"] = Value::Null;
    assert_eq!(read(&xml).unwrap().data, Data::None);
}

#[test]
fn json_in_base_64_is_read_as_json() {
    let mut event = with("datacontenttype", json!("Application/JSON; charset=utf-8"));
    event["data_base64"] = json!("eyJhIjoxfQ");
    assert_eq!(read(&event).unwrap().data, Data::Json(json!({"a": 1})));
}

#[test]
fn what_is_sent_is_held_against_the_rules() {
    let event = read(&good()).unwrap();
    let wrong = |change: &dyn Fn(&mut CloudEvent)| {
        let mut event = event.clone();
        change(&mut event);
        event.check().unwrap_err();
    };
    assert_eq!(event.check(), Ok(()));
    wrong(&|e| e.id.clear());
    wrong(&|e| e.subject = Some(String::new()));
    wrong(&|e| drop(e.extensions.insert("id".into(), Attribute::Flag(true))));
    wrong(&|e| drop(e.extensions.insert("data".into(), Attribute::Flag(true))));
    wrong(&|e| {
        e.datacontenttype = Some("text/plain".into());
        e.data = Data::Json(json!("a"));
    });
}

#[test]
fn what_is_known_of_extensions() {
    let flow = "01890a5d-ac96-774b-bcce-b302099a8057";
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let mut json = with("correlationid", json!(flow));
    json["causationid"] = json!(flow);
    json["traceparent"] = json!(trace);
    json["sequence"] = json!("00000000000000000042");
    json["subject"] = json!("s");
    let mut event = read(&json).unwrap();
    assert_eq!(event.correlation().unwrap().to_string(), flow);
    assert_eq!(event.causation(), event.correlation());
    assert_eq!(event.traceparent(), Some(trace));
    assert_eq!(event.sequence(), Some(42));
    assert_eq!(event.key(), Some("s"));
    let text = |text: &str| Attribute::Text(text.into());
    event.extensions.insert("partitionkey".into(), text("p"));
    event
        .extensions
        .insert("sequence".into(), Attribute::Number(7));
    event
        .extensions
        .insert("correlationid".into(), text("order 5"));
    assert_eq!((event.key(), event.sequence()), (Some("p"), Some(7)));
    assert_eq!(event.correlation(), None);
    event
        .extensions
        .insert("sequence".into(), Attribute::Number(-7));
    assert_eq!(event.sequence(), None);
}

#[test]
fn data_that_does_not_fit_says_where() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Line {
        cents: u32,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Bill {
        lines: Vec<Line>,
    }
    let bill = |data: Value| read(&with("data", data)).unwrap().read::<Bill>();
    let good = bill(json!({"lines": [{"cents": 5}], "more": true})).unwrap();
    assert_eq!(good.lines, [Line { cents: 5 }]);
    let said = [
        bill(json!({"lines": [{"cents": 5}, {"cents": "5"}]})),
        bill(json!({"lines": [{}]})),
        bill(json!([])),
        read(&without("subject")).unwrap().read::<Bill>(),
        read(&with("data_base64", json!("AA==")))
            .unwrap()
            .read::<Bill>(),
    ];
    let said = said.map(|said| format!("{}\n", said.unwrap_err()));
    let said = said.concat();
    insta::assert_snapshot!(said);
}
