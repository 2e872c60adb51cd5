//! What is allowed does no harm: random schemas, and random values of them.

use crate::contract::accept::{Verdict, accepts};
use crate::contract::fit::fit;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A schema with a value that is valid by it.
type Valid = (Value, Value);

fn leaf() -> impl Strategy<Value = Valid> {
    prop_oneof![
        Just((json!({"type": "null"}), Value::Null)),
        any::<bool>().prop_map(|b| (json!({"type": "boolean"}), json!(b))),
        (0..4_i64, 0..3_i64, 0..3_i64).prop_map(|(least, more, n)| {
            let schema = json!({"type": "integer", "minimum": least, "maximum": least + more});
            (schema, json!(least + n.min(more)))
        }),
        any::<u8>().prop_map(|n| (json!({"type": "integer", "format": "uint8"}), json!(n))),
        any::<i16>().prop_map(|n| (json!({"type": "integer"}), json!(n))),
        (0..8_u8).prop_map(|n| (json!({"type": "number"}), json!(f64::from(n) / 2.0))),
        "[ab]{0,3}".prop_map(|text| (json!({"type": "string"}), json!(text))),
        ("[ab]{0,3}", 0..2_usize).prop_map(|(text, more)| {
            let most = text.len() + more;
            (json!({"type": "string", "maxLength": most}), json!(text))
        }),
        Just((json!({"enum": ["a", "b"]}), json!("a"))),
        Just((json!({"enum": ["b"]}), json!("b"))),
        Just((json!({"enum": ["a", 1, null]}), json!(1))),
        Just((json!({"const": "a"}), json!("a"))),
        Just((json!(true), json!([1]))),
    ]
}

/// Fields by names that collide often: whether each is required, and whether it is there.
fn object(inner: BoxedStrategy<Valid>) -> impl Strategy<Value = Valid> {
    let field = (inner, any::<bool>(), any::<bool>());
    let fields = prop::collection::btree_map("[abc]", field, 0..3);
    (fields, any::<bool>()).prop_map(|(fields, closed)| {
        let (mut properties, mut required, mut value) = (Map::new(), vec![], Map::new());
        for (name, ((schema, field), needed, there)) in fields {
            properties.insert(name.clone(), schema);
            if needed {
                required.push(name.clone());
            }
            if needed || there {
                value.insert(name, field);
            }
        }
        let mut schema = json!({"type": "object", "properties": properties, "required": required});
        if closed {
            schema["additionalProperties"] = json!(false);
        }
        (schema, value.into())
    })
}

fn valid() -> impl Strategy<Value = Valid> {
    leaf().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            object(inner.clone()),
            object(inner.clone()),
            prop::collection::vec(inner.clone(), 0..2).prop_map(|items| {
                let schema = items
                    .first()
                    .map_or(json!(true), |(schema, _)| schema.clone());
                let values: Vec<Value> = items.into_iter().map(|(_, value)| value).collect();
                (json!({"type": "array", "items": schema}), values.into())
            }),
            inner.clone().prop_map(|(schema, value)| {
                let map = json!({"type": "object", "additionalProperties": schema});
                (map, json!({"a": value}))
            }),
            (inner.clone(), inner)
                .prop_map(|((one, value), (other, _))| { (json!({"anyOf": [one, other]}), value) }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_sent_by_a_schema_that_fits_is_read((sent, value) in valid(), (read, _) in valid()) {
        prop_assert_ne!(accepts(&sent, &sent, &value), Verdict::No, "{} {}", &sent, &value);
        if fit(&sent, &read, false).misfits.is_empty() {
            let verdict = accepts(&read, &read, &value);
            prop_assert_eq!(verdict, Verdict::Yes, "{} of {} by {}", &value, &sent, &read);
        }
    }

    #[test]
    fn every_schema_fits_itself((schema, _) in valid()) {
        prop_assert_eq!(fit(&schema, &schema, true).misfits, vec![]);
    }
}
