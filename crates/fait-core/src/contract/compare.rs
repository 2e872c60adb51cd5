//! The committed contract against the program, and against those who read it.

use super::fit::{Fit, Misfit, Wrong, fit};
use super::report::{Finding, Kind, Note, Report};
use super::schema::{Shape, shapes};
use super::{Contract, deprecation, document, example};
use crate::bus::{DeprecatedDef, Expects, PublishedDef};
use crate::event::Time;
use serde_json::Value;
use std::collections::BTreeMap;

/// Holds what was promised against what a program publishes today. A type may be left out only
/// when its last day has passed.
pub fn compare(
    contract: &Contract,
    published: &BTreeMap<String, &PublishedDef>,
    today: Time,
) -> Report {
    let mut report = Report::default();
    for (ty, was) in &contract.published {
        match published.get(ty) {
            Some(def) => {
                let is = document(def);
                changed(contract, ty, was, &is, &mut report);
                ceases(contract, ty, was, def.deprecated.as_ref(), &mut report);
                as_sent(contract, ty, &is, &mut report);
            }
            None => removed(contract, ty, was, today, &mut report),
        }
    }
    for (ty, def) in published
        .iter()
        .filter(|(ty, _)| !contract.published.contains_key(*ty))
    {
        note(ty, "is new".into(), &mut report);
        as_sent(contract, ty, &document(def), &mut report);
    }
    for ty in published
        .keys()
        .filter(|ty| !contract.examples.contains_key(*ty))
    {
        note(ty, "has no example yet".into(), &mut report);
    }
    for reader in contract.readers.values() {
        let unmet = super::unmet(contract, reader);
        let known = |f: &Finding| {
            // What a change breaks is told with the change.
            let place = (&f.ty, &f.pointer);
            report
                .findings
                .iter()
                .any(|own| (&own.ty, &own.pointer) == place)
        };
        let unmet: Vec<Finding> = unmet.into_iter().filter(|f| !known(f)).collect();
        report.findings.extend(unmet);
    }
    report
}

fn note(ty: &str, what: String, report: &mut Report) {
    report.notes.push(Note {
        ty: ty.into(),
        what,
    });
}

fn changed(contract: &Contract, ty: &str, was: &Value, is: &Value, report: &mut Report) {
    let Fit { mut misfits, more } = fit(is, was, true);
    // What stands on top first: below it is often the same again.
    misfits.sort_by_key(|m| m.pointer.matches('/').count());
    let mut places: Vec<String> = misfits.iter().map(|m| m.pointer.clone()).collect();
    let told = |misfit: Misfit, kind: fn(Wrong) -> Kind| {
        let who = readers(contract, ty, was, is, &misfit);
        // Who looks back reads by the new schema what was sent by the old one.
        let (was, is) = match kind(misfit.wrong) {
            Kind::Before(_) => (misfit.sends, misfit.reads),
            _ => (misfit.reads, misfit.sends),
        };
        Finding {
            ty: ty.into(),
            pointer: misfit.pointer,
            kind: kind(misfit.wrong),
            was,
            is,
            breaks: who.0,
            read_by: who.1,
        }
    };
    report
        .findings
        .extend(misfits.into_iter().map(|m| told(m, Kind::Sent)));
    for misfit in fit(was, is, false).misfits {
        if !places.contains(&misfit.pointer) {
            places.push(misfit.pointer.clone());
            report.findings.push(told(misfit, Kind::Before));
        }
    }
    for pointer in more.iter().filter(|pointer| !places.contains(pointer)) {
        note(ty, format!("{pointer} is a new optional field"), report);
    }
    if places.is_empty() && more.is_empty() && was != is {
        note(ty, "is described in other words".into(), report);
    }
}

/// Who reads the place of a change: those who would break, and those who would not.
fn readers(
    contract: &Contract,
    ty: &str,
    was: &Value,
    is: &Value,
    misfit: &Misfit,
) -> (Vec<String>, Vec<String>) {
    let (mut breaks, mut fine) = (vec![], vec![]);
    for reader in contract.readers.values() {
        let own = reader.expects.iter().filter(|e| e.ty == ty);
        for expects in own.filter(|e| reads(&e.schema, &e.schema, &misfit.pointer)) {
            let at_it = |m: &&Misfit| {
                let (it, own) = (&misfit.pointer, &m.pointer);
                own == it || own.starts_with(&format!("{it}/"))
            };
            let broken_before = fit(was, &expects.schema, false).misfits;
            let broken = fit(is, &expects.schema, false).misfits;
            let broken = broken
                .iter()
                .filter(at_it)
                .any(|m| !broken_before.contains(m));
            let gone = misfit.wrong == Wrong::Missing;
            let side = if broken || gone {
                &mut breaks
            } else {
                &mut fine
            };
            if !side.contains(&reader.system) {
                side.push(reader.system.clone());
            }
        }
    }
    (breaks, fine)
}

/// Whether somebody who expects a schema looks at a place in the data.
fn reads(root: &Value, schema: &Value, pointer: &str) -> bool {
    let Some(rest) = pointer.strip_prefix('/') else {
        return true;
    };
    let (name, rest) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let key = name.replace("~1", "/").replace("~0", "~");
    shapes(root, schema).iter().any(|shape| match shape {
        Shape::Object(object) => {
            let other = object.others.as_ref().filter(|o| **o != Value::Bool(false));
            let field = object.fields.get(&key).or(other);
            field.is_some_and(|field| reads(root, field, rest))
        }
        Shape::List(list) => {
            let first = key.parse().ok().and_then(|n: usize| list.first.get(n));
            reads(root, first.unwrap_or(&list.items), rest)
        }
        // Who says nothing of it, or nothing that is understood, may look at it.
        Shape::Any | Shape::Unknown(..) => true,
        _ => false,
    })
}

/// A type that was promised and is not published any more.
fn removed(contract: &Contract, ty: &str, was: &Value, today: Time, report: &mut Report) {
    let today = today.to_string();
    let day = today.split('T').next().unwrap_or_default();
    let sunset = deprecation(was).and_then(|d| d.sunset);
    let kind = match &sunset {
        Some(sunset) if sunset.as_str() < day => {
            note(
                ty,
                format!("is not published any more, since {sunset}"),
                report,
            );
            return;
        }
        Some(_) => Kind::RemovedEarly,
        None => Kind::Removed,
    };
    let said = sunset.map_or("published".into(), |s| format!("published until {s}"));
    let reads = |name: &&String| contract.readers[*name].expects.iter().any(|e| e.ty == *ty);
    report.findings.push(Finding {
        ty: ty.into(),
        pointer: String::new(),
        kind,
        was: said,
        is: format!("not published on {day}"),
        breaks: contract.readers.keys().filter(reads).cloned().collect(),
        read_by: vec![],
    });
}

fn ceases(
    contract: &Contract,
    ty: &str,
    was: &Value,
    is: Option<&DeprecatedDef>,
    report: &mut Report,
) {
    let was = deprecation(was).and_then(|d| d.sunset);
    let is = is.and_then(|d| d.sunset.clone());
    let (Some(was), Some(is)) = (was, is) else {
        return;
    };
    if is < was {
        let reads = |name: &&String| contract.readers[*name].expects.iter().any(|e| e.ty == *ty);
        report.findings.push(Finding {
            ty: ty.into(),
            pointer: String::new(),
            kind: Kind::Sooner,
            was,
            is,
            breaks: vec![],
            read_by: contract.readers.keys().filter(reads).cloned().collect(),
        });
    }
}

fn as_sent(contract: &Contract, ty: &str, schema: &Value, report: &mut Report) {
    let Some(committed) = contract.examples.get(ty) else {
        return;
    };
    if let Some(why) = example::unlike(committed, ty, schema) {
        report.findings.push(Finding {
            ty: ty.into(),
            pointer: String::new(),
            kind: Kind::Example,
            was: String::new(),
            is: why,
            breaks: vec![],
            read_by: vec![],
        });
    }
}

/// What a system expects of one type and does not get by the committed contract.
pub(super) fn unmet(contract: &Contract, system: &str, expects: &Expects) -> Vec<Finding> {
    let finding = |pointer: String, kind: Kind, was: String, is: String| Finding {
        ty: expects.ty.clone(),
        pointer,
        kind,
        was,
        is,
        breaks: vec![system.to_owned()],
        read_by: vec![],
    };
    let Some(schema) = contract.published.get(&expects.ty) else {
        let (whole, nothing) = (String::new(), String::new());
        return vec![finding(whole, Kind::Unpublished, nothing.clone(), nothing)];
    };
    let misfits = fit(schema, &expects.schema, false).misfits.into_iter();
    let found = misfits.map(|m| finding(m.pointer, Kind::Unmet(m.wrong), m.reads, m.sends));
    found.collect()
}
