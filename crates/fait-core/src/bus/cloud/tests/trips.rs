//! What is written is read back as it was, in every form.

use crate::bus::{Attribute, CloudEvent, Data};
use proptest::prelude::*;
use serde_json::Value;

/// Text without what no attribute may have.
fn text() -> impl Strategy<Value = String> {
    let allowed = |c: char| !c.is_control() && u32::from(c) & 0xfffe != 0xfffe;
    any::<String>().prop_map(move |text| {
        let good = |c: &char| allowed(*c) && !('\u{fdd0}'..='\u{fdef}').contains(c);
        text.chars().filter(good).collect()
    })
}

fn some() -> impl Strategy<Value = String> {
    text().prop_map(|text| format!("x{text}"))
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn attribute() -> impl Strategy<Value = Attribute> {
    prop_oneof![
        any::<bool>().prop_map(Attribute::Flag),
        any::<i32>().prop_map(Attribute::Number),
        text().prop_map(Attribute::Text),
    ]
}

/// Data with the content type that it has.
fn data() -> impl Strategy<Value = (Option<String>, Data)> {
    let named = |ty: &str| Some(ty.to_owned());
    prop_oneof![
        Just((None, Data::None)),
        Just((named("application/json"), Data::None)),
        value().prop_map(|value| (None, Data::Json(value))),
        value().prop_map(move |value| (named("text/json; charset=utf-8"), Data::Json(value))),
        value().prop_map(move |value| (named("application/Problem+JSON"), Data::Json(value))),
        any::<Vec<u8>>().prop_map(|bytes| (None, Data::Bytes(bytes.into()))),
        any::<Vec<u8>>().prop_map(move |bytes| (named("text/plain"), Data::Bytes(bytes.into()))),
    ]
}

fn event() -> impl Strategy<Value = CloudEvent> {
    let extensions = prop::collection::btree_map("x[a-z0-9]{0,30}", attribute(), 0..4);
    let time = prop::option::of(Just("2026-11-28T10:00:00.5+01:00".to_owned()));
    let schema = prop::option::of("https://example\\.com/[a-z%]{0}[a-z.]{1,9}");
    let optional = (prop::option::of(some()), time, schema);
    (
        some(),
        "[a-z/:]{1,20}",
        some(),
        optional,
        extensions,
        data(),
    )
        .prop_map(
            |(id, source, ty, (subject, time, dataschema), extensions, (datacontenttype, data))| {
                CloudEvent {
                    id,
                    source,
                    ty,
                    subject,
                    time,
                    datacontenttype,
                    dataschema,
                    extensions,
                    data,
                }
            },
        )
}

proptest! {
    #[test]
    fn structured(event in event()) {
        prop_assert_eq!(event.check(), Ok(()));
        let bytes = event.to_bytes();
        prop_assert_eq!(&CloudEvent::from_json(&bytes), &Ok(event.clone()));
        prop_assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), event.to_json());
        prop_assert_eq!(serde_json::from_value::<CloudEvent>(event.to_json()).unwrap(), event);
    }

    #[test]
    fn binary(event in event()) {
        let (headers, body) = event.to_binary();
        for (name, value) in &headers {
            let printable = |c: char| matches!(c, '!'..='~') || name == "content-type";
            prop_assert!(value.chars().all(printable), "{}: {}", name, value);
        }
        let mut wanted = event;
        for value in wanted.extensions.values_mut() {
            *value = Attribute::Text(value.to_string());
        }
        // Neither can be said in headers and a body.
        match &wanted.data {
            Data::Json(_) if wanted.datacontenttype.is_none() => {
                wanted.datacontenttype = Some("application/json".into());
            }
            Data::Bytes(bytes) if bytes.is_empty() => wanted.data = Data::None,
            _ => {}
        }
        prop_assert_eq!(CloudEvent::read_message(&headers, &body), Ok(wanted));
    }

    #[test]
    fn no_bytes_do_harm(bytes: Vec<u8>, name in "(ce-)?[a-z%]{0,6}", text: String) {
        let _ = CloudEvent::from_json(&bytes);
        let _ = CloudEvent::from_json_batch(&bytes);
        let _ = CloudEvent::read_all(&[(name, text)], &bytes);
    }
}
