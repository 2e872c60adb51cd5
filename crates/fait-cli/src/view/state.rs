//! How a view stands, in words.

use crate::source::View;
use crate::words;
use fait::app::{RebuildState, RebuildStatus, ViewStatus};
use fait::projection::Mode;

/// One line of what is known of a view.
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) text: String,
    pub(super) alarm: bool,
}

/// How it stands, in short.
pub(super) fn state(view: &View) -> String {
    let s = &view.status;
    let mut parts = vec![];
    if s.frozen.is_some() {
        parts.push(format!("frozen since event {}", s.position));
    }
    if let Some(r) = &s.rebuild {
        parts.push(rebuilding(r));
    }
    if view.rebuilds_at_start {
        parts.push("rebuilt at the next start".into());
    }
    if let Some(e) = &s.rebuild_failed {
        parts.push(format!("the rebuild met trouble: {e}"));
    }
    match s.parked_keys {
        0 => {}
        n => parts.push(format!("{} parked", words::count(n, "key"))),
    }
    match s.unplaced.len() as u64 {
        0 => {}
        n => parts.push(format!("{} not read", words::count(n, "event"))),
    }
    match parts.is_empty() {
        true if s.mode == Mode::Live => "made when it is read".into(),
        true => "well".into(),
        false => parts.join("; "),
    }
}

fn rebuilding(r: &RebuildStatus) -> String {
    let percent = (r.done() * 100.0).floor();
    match r.state {
        RebuildState::Building => format!("rebuilding, {percent} %{}", pace(r)),
        RebuildState::Paused => format!("rebuild paused at {percent} %"),
        RebuildState::Ready => "rebuilt: diff, then switch or cancel".into(),
    }
}

/// How fast, and how long still.
pub(super) fn pace(r: &RebuildStatus) -> String {
    let rate = match r.per_second {
        0 => String::new(),
        n => format!(", {n}/s"),
    };
    let left = r.seconds_left.map(|s| match s {
        0..120 => format!(", {s} s left"),
        s => format!(", {} min left", s.div_ceil(60)),
    });
    format!("{rate}{}", left.unwrap_or_default())
}

/// All that is known of it.
pub(super) fn facts(s: &ViewStatus) -> Vec<Fact> {
    let mut facts = vec![];
    let mut add = |name, alarm, text: String| facts.push(Fact { name, text, alarm });
    if s.mode != Mode::Live {
        let (making, version) = (s.generation, s.version);
        add(
            "serves",
            false,
            format!(
                "generation {making} by version {version}, table {}",
                s.table
            ),
        );
    }
    add("rows", false, s.rows.to_string());
    add("at", false, format!("event {} of {}", s.position, s.head));
    if let Some(why) = &s.frozen {
        add("frozen", true, why.clone());
    }
    if let Some(r) = &s.rebuild {
        let held = if r.held {
            ", waits before it serves"
        } else {
            ""
        };
        let parked = match r.parked_keys {
            0 => String::new(),
            n => format!(", {} parked", words::count(n, "key")),
        };
        add(
            "beside",
            false,
            format!(
                "generation {} by version {}, event {} of {}{held}{parked}",
                r.generation, r.version, r.position, r.until
            ),
        );
    }
    if let Some(e) = &s.rebuild_failed {
        add("trouble", true, e.clone());
    }
    if let Some(k) = &s.kept {
        let (making, version) = (k.generation, k.version);
        add(
            "kept",
            false,
            format!(
                "generation {making} by version {version}, event {}",
                k.position
            ),
        );
    }
    if s.parked_keys > 0 {
        let keys = words::count(s.parked_keys, "key");
        add(
            "parked",
            true,
            format!("{keys}; `fait view parked {}` says why", s.name),
        );
    }
    for u in &s.unplaced {
        add(
            "not read",
            true,
            format!("event {}: {}", u.position, u.reason),
        );
    }
    facts
}
