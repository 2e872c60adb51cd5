//! The restaurant as a picture and as text; both are golden files.

use std::collections::HashSet;

use fait_board::{Colours, DrawOptions, Section, draw, outline, parse};

use crate::boards::{BROKEN, RESTAURANT};

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

/// A board without its style, so that a golden file shows the drawing alone.
fn bare(text: &str) -> Vec<u8> {
    let options = DrawOptions {
        embed_style: false,
        ..DrawOptions::default()
    };
    draw(&parse(text).board, &options).into_bytes()
}

#[test]
fn the_broken_board_is_drawn_as_far_as_it_can_be_read() {
    insta::assert_binary_snapshot!("broken.svg", bare(BROKEN));
}

#[test]
fn chapters_and_contexts_are_bands() {
    let board = "context Shop\nchapter Sell\ntask Sell cake\ntask Wrap cake\ncontext Post\n  \
                 runs elsewhere\ntask Bring cake\ncontext Shop\nchapter Count\ntask Count money\n";
    insta::assert_binary_snapshot!("bands.svg", bare(board));
}

#[test]
fn rows_are_kinds() {
    let board = "actor Guest\nactor Waiter\nview Menu\n  from Cake ordered\ntask Order cake\n  \
                 by Guest, Waiter\n  sees Menu\n  asks cake, table\n  on Table\n  \
                 raises Cake ordered\nevent Cake ordered\n  records cake, table\nmodel Table\n  \
                 one per table\ntask Order tea\n  public\n  on Table\nword cake is text\n\
                 word table is a number\n";
    insta::assert_binary_snapshot!("rows.svg", bare(board));
}

#[test]
fn alternatives_are_stacked_and_turning_points_are_heavy_and_what_is_planned_is_dashed() {
    let board = "task Order cake\n  raises Cake ordered\n  \
                 or raises Cake refused when there is none\nevent Cake ordered\n  pivotal\nevent Cake refused\n  planned\n\
                 task Eat cake\n  planned\n";
    insta::assert_binary_snapshot!("events.svg", bare(board));
}

#[test]
fn a_process_is_a_strip_with_what_it_waits_for_below_what_it_hears() {
    let board = "actor Cook\nsystem Oven\n  takes Heat up\ntask Order cake\n  raises Cake ordered\n\
                 event Cake ordered\ntask Bake cake\n  by Cook\n  raises Cake baked\n\
                 event Cake baked\nevent Cake late\nprocess Bake\n  one per cake\n  \
                 starts on Cake ordered when there is none\n    \
                 ask Cook to Bake cake within 2 hours\n    tell Oven to Heat up\n  \
                 after 2 hours without Cake baked\n    raise Cake late\n    \
                 ask Cook to Bake cake\n  after 3 tries without Cake baked\n    do Order cake\n  \
                 ends on Cake baked\n  gives up on Cake late\n  hotspot Who pays?\n";
    insta::assert_binary_snapshot!("process.svg", bare(board));
}

#[test]
fn strips_over_different_columns_stand_beside_each_other() {
    let board = "task A\n  raises A done\nevent A done\ntask B\n  raises B done\nevent B done\n\
                 task C\n  raises C done\nevent C done\npolicy One\n  whenever A done\n    do B\n\
                 policy Two\n  whenever C done\n    do B\npolicy Three\n  \
                 whenever A done, B done, C done\n    do A\n";
    insta::assert_binary_snapshot!("strips.svg", bare(board));
}

#[test]
fn questions_ideas_and_other_systems_stand_beside_the_story() {
    let board = "board Cake\n  hotspot Is it good?\nactor Nobody\nsystem Oven\n  takes Heat up\n  \
                 sends Hot\ntask Bake\n  on Cake\n  hotspot How hot?\nmodel Cake\n  \
                 hotspot How many?\nidea Sell tea\nhotspot And tea?\n";
    insta::assert_binary_snapshot!("questions.svg", bare(board));
}

#[test]
fn long_names_are_wrapped() {
    let board = "task Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen annähen\n  \
                 raises 注文が入りました注文が入りました注文が入りました\n\
                 event 注文が入りました注文が入りました注文が入りました\n";
    insta::assert_binary_snapshot!("names.svg", bare(board));
}

#[test]
fn a_picture_is_light_dark_or_as_the_reader_likes_it() {
    let board = parse("task Bake\n").board;
    let drawn = |colours| {
        let options = DrawOptions {
            colours,
            ..DrawOptions::default()
        };
        draw(&board, &options)
    };
    let (light, dark) = (drawn(Colours::Light), drawn(Colours::Dark));
    let preferred = drawn(Colours::Preferred);
    assert!(!light.contains("@media screen"));
    assert!(dark.contains("@media screen{"));
    assert!(preferred.contains("@media screen and (prefers-color-scheme:dark){"));
    for picture in [light, dark, preferred] {
        assert!(picture.contains("@page{size:landscape") && picture.contains("role=\"img\""));
        well_formed(&picture);
    }
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
