//! `#[published]` and `PublishedSet`: names, versions, subjects, what is written.

use fait_core::bus::{Deprecated, Published, PublishedDef, PublishedSet};
use fait_core::entity_ids;
use fait_macros::{PublishedSet, published};
use serde_json::json;

entity_ids! { PurchaseId(text) => "purchase" }

/// Tickets were issued.
#[published(name = "com.example.tickets.issued", version = 3, crate = "fait_core")]
struct Issued {
    #[subject]
    purchase: PurchaseId,
    tickets: u32,
}

/// Tickets were issued, as it was told before.
#[published(
    name = "com.example.tickets.issued",
    version = 2,
    deprecated(since = "2026-12-31", sunset = "2027-06-30", instead = "version 3"),
    crate = "fait_core"
)]
struct IssuedBefore {
    #[subject]
    purchase: Option<String>,
}

#[published(name = "com.example.tickets.closed", crate = "fait_core")]
struct Closed;

#[derive(PublishedSet)]
#[published_set(crate = "fait_core")]
enum Told {
    Issued(Issued),
    Before(IssuedBefore),
    Closed(Closed),
}

#[test]
fn name_version_and_documentation_are_constants() {
    assert_eq!(
        (Issued::NAME, Issued::VERSION),
        ("com.example.tickets.issued", 3)
    );
    assert_eq!((Closed::VERSION, Closed::DOC), (1, ""));
    assert_eq!(Issued::DOC, "Tickets were issued.");
    assert_eq!(Issued::DEPRECATED, None);
    let expected = Deprecated {
        since: "2026-12-31",
        sunset: Some("2027-06-30"),
        instead: Some("version 3"),
    };
    assert_eq!(IssuedBefore::DEPRECATED, Some(expected));
}

#[test]
fn what_is_told_has_the_type_with_the_version_its_subject_and_its_data() {
    let purchase: PurchaseId = "p-7".into();
    let told: Told = Issued {
        purchase,
        tickets: 2,
    }
    .into();
    let out = told.encode().unwrap();
    assert_eq!(out.ty, "com.example.tickets.issued.v3");
    assert_eq!(out.subject.as_deref(), Some("p-7"));
    assert_eq!(out.data, json!({"purchase": "p-7", "tickets": 2}));
    let of = |purchase| {
        Told::Before(IssuedBefore { purchase })
            .encode()
            .unwrap()
            .subject
    };
    assert_eq!(of(Some("p-8".to_string())).as_deref(), Some("p-8"));
    assert_eq!((of(None), of(Some(String::new()))), (None, None));
    let closed = Told::from(Closed).encode().unwrap();
    assert_eq!((closed.subject, closed.data), (None, json!({})));
}

#[test]
fn a_set_defines_each_of_its_types() {
    let types: Vec<String> = Told::defs().into_iter().map(|def| def.ty).collect();
    let expected = [
        "com.example.tickets.issued.v3",
        "com.example.tickets.issued.v2",
        "com.example.tickets.closed.v1",
    ];
    assert_eq!(types, expected);
    let def = PublishedDef::of::<IssuedBefore>();
    assert_eq!(
        def.deprecated.unwrap().instead.as_deref(),
        Some("version 3")
    );
    assert_eq!(
        def.schema["properties"]["purchase"]["type"],
        json!(["string", "null"])
    );
}
