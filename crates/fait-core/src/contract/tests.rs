//! Every kind of change, as schemars writes the types, with the words that people read.

mod sound;

use super::{Contract, Reader, Report, asyncapi, compare, document, example, unlike};
use crate::bus::{DeprecatedDef, Expects, PublishedDef};
use crate::event::{Time, schema_of};
use crate::manifest::{Manifest, PublicationEntry};
use schemars::JsonSchema;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

const TY: &str = "com.example.tickets.tickets-issued.v1";

/// Tickets were issued.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema is looked at")]
struct Issued {
    order: Uuid,
    /// How many.
    count: u32,
    price: f64,
    name: Option<String>,
    class: Class,
    seats: Vec<Seat>,
    way: Way,
    at: Time,
    open: bool,
    notes: BTreeMap<String, String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "only the schema is looked at")]
enum Class {
    First,
    Second,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema is looked at")]
struct Seat {
    row: String,
    number: u8,
    beside: Option<Box<Seat>>,
}

#[derive(JsonSchema)]
#[serde(tag = "by")]
#[expect(dead_code, reason = "only the schema is looked at")]
enum Way {
    Mail { address: String },
    Desk { desk: u32 },
}

/// What another system reads of it.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema is looked at")]
struct Booking {
    order: Uuid,
    count: i64,
    name: Option<String>,
    seats: Vec<BookedSeat>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema is looked at")]
struct BookedSeat {
    row: String,
}

fn def(schema: Value) -> PublishedDef {
    PublishedDef {
        ty: TY.into(),
        name: TY.trim_end_matches(".v1").into(),
        version: 1,
        doc: "Tickets were issued.".into(),
        schema,
        deprecated: None,
    }
}

fn issued() -> Value {
    schema_of::<Issued>()
}

fn committed() -> Contract {
    let def = def(issued());
    let message = example("tickets", TY, &document(&def)).to_json();
    let reader = |system: &str, schema: Value| {
        let expects = vec![Expects {
            ty: TY.into(),
            schema,
        }];
        let reader = Reader {
            system: system.into(),
            expects,
        };
        (system.to_owned(), reader)
    };
    Contract {
        published: BTreeMap::from([(TY.into(), document(&def))]),
        examples: BTreeMap::from([(TY.into(), message)]),
        readers: BTreeMap::from([
            reader(
                "bookkeeping",
                json!({"type": "object", "required": ["price"],
                "properties": {"price": {"type": "number"}, "class": {"type": "string"}}}),
            ),
            reader("sponsorship", schema_of::<Booking>()),
        ]),
    }
}

fn today() -> Time {
    "2026-11-28T12:00:00Z".parse().unwrap()
}

fn held(contract: &Contract, defs: &[PublishedDef]) -> Report {
    let all = defs.iter().map(|def| (def.ty.clone(), def)).collect();
    compare(contract, &all, today())
}

/// A report on the type after its schema was edited.
fn edited(edit: impl FnOnce(&mut Value)) -> Report {
    let mut schema = issued();
    edit(&mut schema);
    let mut contract = committed();
    // Another example would be made with the new schema.
    contract
        .examples
        .insert(TY.into(), example("tickets", TY, &schema).to_json());
    held(&contract, &[def(schema)])
}

fn field<'a>(schema: &'a mut Value, pointer: &str) -> &'a mut Value {
    schema
        .pointer_mut(pointer)
        .unwrap_or_else(|| panic!("{pointer}"))
}

fn optional(schema: &mut Value, pointer: &str, name: &str) {
    let required = field(schema, &format!("{pointer}/required"));
    required.as_array_mut().unwrap().retain(|n| n != name);
}

fn remove(schema: &mut Value, pointer: &str, name: &str) {
    let fields = field(schema, &format!("{pointer}/properties"));
    fields.as_object_mut().unwrap().remove(name);
    optional(schema, pointer, name);
}

#[test]
fn the_same_holds() {
    let report = held(&committed(), &[def(issued())]);
    assert!(report.is_written(), "{report}");
    assert_eq!(report.to_string(), "the contract holds\n");
}

#[test]
fn an_optional_field_may_be_added_anywhere() {
    let report = edited(|schema| {
        field(schema, "/properties")["colour"] = json!({"type": ["string", "null"]});
        field(schema, "/$defs/Seat/properties")["window"] = json!({"type": "boolean"});
    });
    assert!(report.holds() && !report.is_written(), "{report}");
    insta::assert_snapshot!(report);
}

/// A change of the schema, named.
type Change = (&'static str, fn(&mut Value));

const CHANGES: &[Change] = &[
    ("a field is removed", |s| remove(s, "", "count")),
    ("an optional field is removed", |s| remove(s, "", "name")),
    ("a field that nobody reads is removed", |s| {
        remove(s, "", "open")
    }),
    ("a field is renamed", |s| {
        let was = s["properties"]["at"].clone();
        remove(s, "", "at");
        s["properties"]["issued_at"] = was;
    }),
    ("a field in a list is removed", |s| {
        remove(s, "/$defs/Seat", "row")
    }),
    ("a field is retyped", |s| {
        s["properties"]["count"] = json!({"type": "string"})
    }),
    ("a whole number becomes any", |s| {
        s["properties"]["count"] = json!({"type": "number"})
    }),
    ("a number becomes whole", |s| {
        s["properties"]["price"] = json!({"type": "integer"})
    }),
    ("a number gets larger", |s| {
        let count = json!({"type": "integer", "format": "uint64", "minimum": 0});
        s["properties"]["count"] = count;
    }),
    ("a number gets smaller", |s| {
        s["$defs"]["Seat"]["properties"]["number"]["maximum"] = json!(99);
    }),
    ("an always there field may be missing", |s| {
        optional(s, "", "order")
    }),
    ("an always there field may be null", |s| {
        s["properties"]["count"]["type"] = json!(["integer", "null"]);
    }),
    ("an optional field is always there", |s| {
        s["required"].as_array_mut().unwrap().push(json!("name"));
    }),
    ("a field that may be null may not", |s| {
        s["properties"]["name"] = json!({"type": "string"})
    }),
    ("a required field is added", |s| {
        s["properties"]["shop"] = json!({"type": "string"});
        s["required"].as_array_mut().unwrap().push(json!("shop"));
    }),
    ("an enum gets a value", |s| {
        s["$defs"]["Class"]["enum"]
            .as_array_mut()
            .unwrap()
            .push(json!("third"));
    }),
    ("an enum loses a value", |s| {
        s["$defs"]["Class"]["enum"] = json!(["first"])
    }),
    ("an enum becomes text", |s| {
        s["$defs"]["Class"] = json!({"type": "string"})
    }),
    ("an enum gets a kind of object", |s| {
        let fax = json!({"type": "object", "required": ["by"],
            "properties": {"by": {"type": "string", "const": "Fax"}}});
        s["$defs"]["Way"]["oneOf"].as_array_mut().unwrap().push(fax);
    }),
    ("an enum loses a kind of object", |s| {
        s["$defs"]["Way"]["oneOf"].as_array_mut().unwrap().pop();
    }),
    ("a field of a kind of object is removed", |s| {
        remove(s, "/$defs/Way/oneOf/0", "address")
    }),
    ("a format is changed", |s| {
        s["properties"]["at"]["format"] = json!("date")
    }),
    ("a format is dropped", |s| {
        s["properties"]["order"] = json!({"type": "string"})
    }),
    ("a text gets a longest length", |s| {
        s["$defs"]["Seat"]["properties"]["row"]["maxLength"] = json!(3);
    }),
    ("a list becomes one", |s| {
        s["properties"]["seats"] = json!({"$ref": "#/$defs/Seat"})
    }),
    ("values of a map are retyped", |s| {
        s["properties"]["notes"]["additionalProperties"] = json!({"type": "integer"});
    }),
    ("no further fields", |s| {
        s["additionalProperties"] = json!(false)
    }),
    ("a rule that nobody can judge", |s| {
        s["not"] = json!({"required": ["name"]})
    }),
    ("a pattern", |s| {
        s["properties"]["name"]["pattern"] = json!("^a")
    }),
    ("a reference that leads nowhere", |s| {
        s["properties"]["way"] = json!({"$ref": "#/$defs/No"})
    }),
    ("anything", |s| s["properties"]["count"] = json!(true)),
];

#[test]
fn changes_and_what_is_said_of_them() {
    let said = CHANGES
        .iter()
        .map(|(name, edit)| format!("== {name}\n{}\n", edited(edit)));
    let said: String = said.collect();
    insta::assert_snapshot!(said);
}

#[test]
fn only_more_closed_is_allowed_of_all_that() {
    let allowed = CHANGES.iter().filter(|(_, edit)| edited(edit).holds());
    let allowed: Vec<&str> = allowed.map(|(name, _)| *name).collect();
    assert_eq!(allowed, ["no further fields"]);
}

#[test]
fn a_closed_object_gets_no_further_field() {
    let mut contract = committed();
    contract.published.get_mut(TY).unwrap()["additionalProperties"] = json!(false);
    let mut schema = issued();
    schema["properties"]["colour"] = json!({"type": "string"});
    insta::assert_snapshot!(held(&contract, &[def(schema)]));
}

#[test]
fn a_new_version_is_a_type_of_its_own() {
    let mut second = def(json!({"type": "object"}));
    second.ty = TY.replace(".v1", ".v2");
    second.version = 2;
    let report = held(&committed(), &[def(issued()), second.clone()]);
    assert!(report.holds(), "{report}");
    // It does not take the place of the first.
    let alone = held(&committed(), &[second]);
    insta::assert_snapshot!(format!("{report}\n{alone}"));
}

fn ceasing(sunset: Option<&str>) -> PublishedDef {
    let mut def = def(issued());
    def.deprecated = Some(DeprecatedDef {
        since: "2026-06-01".into(),
        sunset: sunset.map(Into::into),
        instead: None,
    });
    def
}

#[test]
fn a_type_may_go_after_its_last_day_and_not_before() {
    let gone = |sunset: Option<&str>| {
        let mut contract = committed();
        contract
            .published
            .insert(TY.into(), document(&ceasing(sunset)));
        held(&contract, &[])
    };
    // Who still reads it is told with it, whether it may go or not.
    let reports = [
        None,
        Some("2027-01-31"),
        Some("2026-11-28"),
        Some("2026-11-27"),
    ]
    .map(gone);
    let said: String = reports.iter().map(|r| format!("{r}\n")).collect();
    insta::assert_snapshot!(said);
}

#[test]
fn the_last_day_may_be_put_off_and_not_brought_forward() {
    let mut contract = committed();
    let deprecated = held(&contract, &[ceasing(Some("2027-01-31"))]);
    assert!(deprecated.holds(), "{deprecated}");
    contract
        .published
        .insert(TY.into(), document(&ceasing(Some("2027-01-31"))));
    let later = held(&contract, &[ceasing(Some("2027-02-01"))]);
    assert!(later.holds(), "{later}");
    insta::assert_snapshot!(held(&contract, &[ceasing(Some("2027-01-30"))]));
}

#[test]
fn what_a_reader_expects_and_does_not_get() {
    let mut contract = committed();
    let reads = json!({"type": "object", "required": ["name", "row", "class"],
    "properties": {
        "name": {"type": "string"},
        "row": {"type": "string"},
        "class": {"enum": ["first"]},
        "count": {"type": "integer", "format": "uint8", "minimum": 0, "maximum": 255},
        "elsewhere": {"type": "string"}
    }});
    let expects = |ty: &str, schema: &Value| Expects {
        ty: ty.into(),
        schema: schema.clone(),
    };
    let reader = Reader {
        system: "audit".into(),
        expects: vec![expects(TY, &reads), expects("com.example.other.v1", &reads)],
    };
    contract.readers.insert("audit".into(), reader);
    insta::assert_snapshot!(held(&contract, &[def(issued())]));
}

#[test]
fn an_example_is_made_and_held_against_the_schema() {
    let document = document(&def(issued()));
    let message = example("tickets", TY, &document);
    assert_eq!(message.check(), Ok(()));
    let json = message.to_json();
    assert_eq!(unlike(&json, TY, &document), None);
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap());
    let wrong = |pointer: &str, value: Value| {
        let mut json = json.clone();
        *field(&mut json, pointer) = value;
        unlike(&json, TY, &document).unwrap()
    };
    for (pointer, value) in [
        ("/data/count", json!(-1)),
        ("/data/count", json!(1.5)),
        ("/data/order", json!("17")),
        ("/data/class", json!("third")),
        ("/data/way/by", json!("Fax")),
        ("/data/seats/0/number", json!(256)),
        ("/data/notes/example", json!(5)),
    ] {
        let said = match pointer {
            "/data/notes/example" => {
                let mut json = json.clone();
                json["data"]["notes"] = json!({"example": value});
                unlike(&json, TY, &document).unwrap()
            }
            _ => wrong(pointer, value),
        };
        assert_eq!(
            said, "its data is not valid by the schema of the type",
            "{pointer}"
        );
    }
    assert_eq!(wrong("/type", json!("a.v1")), "its `type` is `a.v1`");
    assert!(wrong("/id", json!("")).contains("`id` is empty"));
    let mut contract = committed();
    contract.examples.get_mut(TY).unwrap()["data"]["count"] = json!("5");
    insta::assert_snapshot!("example_refused", held(&contract, &[def(issued())]));
}

/// A system that publishes one type.
fn publishing(schema: Value) -> Manifest {
    let mut manifest = Manifest {
        name: "Ticket office".into(),
        ..Manifest::default()
    };
    let publishes = BTreeMap::from([(TY.into(), def(schema))]);
    let entry = PublicationEntry {
        types: vec![],
        publishes,
    };
    manifest.publishes.insert("announcements".into(), entry);
    manifest
}

/// Every reference leads somewhere.
#[track_caller]
fn leads_somewhere(json: &Value) {
    let text = json.to_string();
    for at in text.split("\"$ref\":\"#").skip(1) {
        let pointer = at.split('"').next().unwrap();
        assert!(json.pointer(pointer).is_some(), "{pointer}");
    }
}

/// Fields that are called as words of JSON Schema are.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema is looked at")]
struct Worded {
    default: Seat,
    examples: Vec<Seat>,
}

#[test]
fn the_document_for_other_tools_takes_any_name_of_a_field() {
    let json = asyncapi(&publishing(schema_of::<Worded>())).to_json();
    assert!(json.to_string().contains(".Seat\""));
    leads_somewhere(&json);
}

#[test]
fn the_document_for_other_tools() {
    let mut manifest = publishing(issued());
    let hears = Expects::of::<Booking>("com.example.sponsors.onboarded.v1");
    manifest.hears.insert("sponsorship".into(), vec![hears]);
    let json = asyncapi(&manifest).to_json();
    let text = serde_json::to_string_pretty(&json).unwrap();
    leads_somewhere(&json);
    insta::assert_snapshot!(text);
}
