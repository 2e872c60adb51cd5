//! How a view stands, in words.

use crate::page::words::{count, plain, sentence};
use fait::app::{RebuildState, RebuildStatus, ViewStatus};
use fait::projection::Mode;
use maud::{Markup, html};

/// A number with commas: `1,234,567`.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// How much is done: `43 %`; all of it only when it is.
pub(super) fn percent(r: &RebuildStatus) -> String {
    format!("{} %", (r.done() * 100.0).floor())
}

/// Whether a view needs somebody.
pub(in crate::page) fn is_hurt(s: &ViewStatus) -> bool {
    s.frozen.is_some() || s.parked_keys > 0 || !s.unplaced.is_empty()
}

/// How much is rebuilt, as a bar.
pub(in crate::page) fn bar(s: &ViewStatus) -> Markup {
    let rebuilt = s.rebuild.as_ref();
    let under_way = rebuilt.filter(|r| r.state != RebuildState::Ready);
    html! {
        @if let Some(r) = under_way {
            progress max="1000" value=((r.done() * 1000.0).floor())
                aria-label={ "How much of " (plain(&s.name)) " is rebuilt" } {}
        }
    }
}

/// How it stands, each thing as a sentence, with whether it is one that needs somebody.
pub(in crate::page) fn standing(s: &ViewStatus) -> Vec<(bool, String)> {
    let mut out = vec![];
    match (&s.frozen, s.lag_events) {
        (Some(why), _) => {
            let at = grouped(s.position);
            out.push((true, format!("Frozen since event {at}: {}", sentence(why))));
        }
        (None, _) if s.mode == Mode::Live => {
            out.push((false, "It is made when somebody reads it.".into()));
        }
        (None, 0) => out.push((false, "It follows.".into())),
        (None, 1) => out.push((false, "It follows, behind by 1 event.".into())),
        (None, n) => {
            out.push((
                false,
                format!("It follows, behind by {} events.", grouped(n)),
            ));
        }
    }
    out.extend(s.rebuild.as_ref().map(|r| (false, rebuilt(r))));
    if let Some(why) = &s.rebuild_failed {
        out.push((true, format!("Rebuilding met trouble: {}", sentence(why))));
    }
    let others = if s.frozen.is_some() {
        ""
    } else {
        "; all others go on"
    };
    match s.parked_keys {
        0 => {}
        1 => out.push((true, format!("1 key waits{others}."))),
        n => out.push((true, format!("{} keys wait{others}.", grouped(n)))),
    }
    match s.unplaced.len() as u64 {
        0 => {}
        n => {
            let events = count(n, "event");
            out.push((
                true,
                format!("{events} could not be read, which any row may lack."),
            ));
        }
    }
    out
}

fn rebuilt(r: &RebuildStatus) -> String {
    let then = if r.held { "; then it waits" } else { "" };
    match r.state {
        RebuildState::Ready => "It is rebuilt and ready: compare, then let it serve.".into(),
        RebuildState::Paused => format!("Its rebuild waits at {}.", percent(r)),
        RebuildState::Building => {
            let rate = match r.per_second {
                0 => String::new(),
                1 => ", 1 event a second".into(),
                n => format!(", {} events a second", grouped(n)),
            };
            let left = r.seconds_left.map(|s| match s {
                0..120 => format!(", {s} s left"),
                s => format!(", {} min left", s.div_ceil(60)),
            });
            let left = left.unwrap_or_default();
            format!("It is rebuilt: {}{rate}{left}{then}.", percent(r))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{grouped, rebuilt};
    use fait::app::{RebuildState, RebuildStatus};

    #[test]
    fn numbers_have_commas() {
        assert_eq!(grouped(0) + &grouped(999), "0999");
        assert_eq!(
            grouped(1_000) + " " + &grouped(1_234_567),
            "1,000 1,234,567"
        );
    }

    #[test]
    fn a_rebuild_is_told_in_words() {
        let mut r = RebuildStatus {
            generation: 2,
            version: 2,
            state: RebuildState::Building,
            held: false,
            position: 439,
            until: 1000,
            per_second: 120_000,
            seconds_left: Some(8),
            parked_keys: 0,
        };
        assert_eq!(
            rebuilt(&r),
            "It is rebuilt: 43 %, 120,000 events a second, 8 s left."
        );
        (r.held, r.seconds_left, r.per_second) = (true, Some(121), 1);
        assert_eq!(
            rebuilt(&r),
            "It is rebuilt: 43 %, 1 event a second, 3 min left; then it waits."
        );
        r.state = RebuildState::Paused;
        assert_eq!(rebuilt(&r), "Its rebuild waits at 43 %.");
    }
}
