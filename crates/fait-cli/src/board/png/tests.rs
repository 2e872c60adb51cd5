use super::{Database, Tree, options, pixels};
use fait_board::{DrawOptions, draw, parse};
use resvg::usvg::{Group, Node};

const BOARD: &str =
    "board Tea\nactor Guest\ntask Drink tea\n  by Guest\n  raises Tea drunk\nevent Tea drunk\n";

fn svg() -> String {
    let options = DrawOptions {
        embed_style: false,
        ..DrawOptions::default()
    };
    draw(&parse(BOARD).board, &options)
}

#[test]
fn without_fonts_there_is_no_picture() {
    let sorry = options(Database::new(), false).err().unwrap().to_string();
    assert!(sorry.starts_with("this machine has no fonts"), "{sorry}");
}

#[test]
fn a_picture_that_is_too_large_is_refused() {
    let large = svg().replacen("width=\"", "width=\"1", 1);
    let large = large.replacen("height=\"", "height=\"10", 1);
    let mut fonts = Database::new();
    fonts.load_system_fonts();
    if fonts.is_empty() {
        return;
    }
    let sorry = pixels(&large, false, 8.0).unwrap_err().to_string();
    assert!(sorry.contains("a smaller --scale"), "{sorry}");
}

/// The texts that are wider or higher than the card on which they stand, and how many fit.
fn measured(group: &Group, wide: &mut Vec<String>) -> usize {
    let mut fitting = 0;
    let mut card = None;
    for node in group.children() {
        match node {
            Node::Group(group) => fitting += measured(group, wide),
            Node::Path(path) if card.is_none() => card = Some(path.bounding_box()),
            Node::Text(text) if !group.id().is_empty() => {
                let (Some(card), ink) = (card, text.bounding_box()) else {
                    continue;
                };
                let fits = card.left() < ink.left() && ink.right() < card.right();
                if fits && card.top() < ink.top() && ink.bottom() < card.bottom() {
                    fitting += 1;
                } else {
                    let said = text.chunks().iter().map(|chunk| chunk.text());
                    wide.push(format!("{}: {}", group.id(), said.collect::<String>()));
                }
            }
            _ => {}
        }
    }
    fitting
}

#[test]
fn text_stays_in_its_card_in_the_fonts_of_this_machine() {
    let mut fonts = Database::new();
    fonts.load_system_fonts();
    if fonts.is_empty() {
        return;
    }
    let options = options(fonts, false).unwrap();
    let long = "task Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen\n  \
                raises WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW\n\
                event WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW\n\
                event ÄÖÜ Überprüfungsgebühr ist fällig geworden für Änderungen\n\
                event Заказ был полностью приготовлен и доставлен пользователю\n\
                task mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm %%%%%%%%%%%%%%%%%%%%%%%\n";
    let mut fitting = 0;
    for board in [
        long,
        restaurant::BOARD,
        include_str!("../../../../../examples/boards/tickets.board"),
        include_str!("../../../../../examples/boards/insurance.board"),
    ] {
        let drawn = DrawOptions {
            embed_style: false,
            ..DrawOptions::default()
        };
        let svg = draw(&parse(board).board, &drawn);
        let tree = Tree::from_str(&svg, &options).unwrap();
        let mut wide = Vec::new();
        fitting += measured(tree.root(), &mut wide);
        assert!(wide.is_empty(), "{wide:#?}");
    }
    assert!(fitting > 300, "{fitting} texts");
}
