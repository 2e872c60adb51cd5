//! The restaurant as a picture and as text; both are golden files.

use std::collections::HashSet;

use fait_board::{DrawOptions, Section, draw, outline, parse};

use crate::boards::RESTAURANT;

#[test]
fn the_restaurant_is_drawn() {
    let board = parse(RESTAURANT).board;
    let counts = [
        ("Order placed".to_owned(), 12_418),
        ("OrderCooked".to_owned(), 12_001),
    ]
    .into();
    let options = DrawOptions {
        embed_style: false,
        counts,
        ..DrawOptions::default()
    };
    let picture = draw(&board, &options);
    well_formed(&picture);
    insta::assert_binary_snapshot!("restaurant.svg", picture.into_bytes());
}

#[test]
fn every_note_has_its_own_id() {
    let picture = draw(&parse(RESTAURANT).board, &DrawOptions::default());
    let ids: Vec<&str> = picture
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let different: HashSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), different.len());
    for id in [
        "note-event-order-placed",
        "note-event-order-cancelled-2",
        "note-task-cook-food",
        "note-view-kitchen-board",
        "note-model-bill",
        "note-actor-waiter",
        "note-process-serve-then-bill",
        "note-policy-close-the-order",
        "note-hotspot-does-a-ticket-cover-drinks",
        "note-system-card-terminal",
        "note-chapter-cook",
        "note-context-sponsorship",
        "note-context-sponsorship-2",
        "note-idea-let-guests-see-how-long-the-kitchen-will-take",
    ] {
        assert!(different.contains(id), "{id}");
    }
}

#[test]
fn one_chapter_can_be_drawn_alone() {
    let board = parse(RESTAURANT).board;
    let chapter = Some("Cook".to_owned());
    let picture = draw(
        &board,
        &DrawOptions {
            chapter,
            ..DrawOptions::default()
        },
    );
    well_formed(&picture);
    assert!(picture.contains("note-task-cook-food") && picture.contains("Serve, then bill"));
    assert!(!picture.contains("note-task-place-order"));
    assert!(!picture.contains("Feed a sponsor's guests"));
    let chapter = Some("No such chapter".to_owned());
    well_formed(&draw(
        &board,
        &DrawOptions {
            chapter,
            ..DrawOptions::default()
        },
    ));
}

#[test]
fn the_restaurant_is_told() {
    let sections = outline(&parse(RESTAURANT).board);
    insta::assert_snapshot!(told(&sections));
}

/// Every element that is opened is closed, in the right order.
#[track_caller]
pub(crate) fn well_formed(picture: &str) {
    let mut open = Vec::new();
    for piece in picture.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap_or((piece, ""));
        assert!(!text.contains('>'), "{text}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().unwrap_or_default());
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

fn told(sections: &[Section]) -> String {
    fn list(out: &mut String, entries: &[fait_board::outline::Entry], depth: usize) {
        for entry in entries {
            out.push_str(&format!("{}- {}\n", "  ".repeat(depth), entry.text));
            list(out, &entry.entries, depth + 1);
        }
    }
    let mut out = String::new();
    for section in sections {
        out.push_str(&format!("{}\n", section.heading));
        list(&mut out, &section.entries, 0);
        out.push('\n');
    }
    out
}
