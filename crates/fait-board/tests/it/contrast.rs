//! Text can be read in both looks: the contrast of every text against what it stands on, computed
//! from the style as it is, is at least 4.5 to 1 (WCAG 2.2, 1.4.3, level AA).

use std::collections::{BTreeMap, HashMap};

use fait_board::{DrawOptions, draw, parse, plain_style};
use roxmltree::{Document, Node};
use simplecss::{AttributeOperator, Element, PseudoClass, StyleSheet};

use crate::boards::RESTAURANT;
use crate::geometry::everything;

struct Styled<'d>(Node<'d, 'd>);

impl Element for Styled<'_> {
    fn parent_element(&self) -> Option<Self> {
        self.0.parent_element().map(Styled)
    }

    fn prev_sibling_element(&self) -> Option<Self> {
        self.0.prev_sibling_element().map(Styled)
    }

    fn has_local_name(&self, name: &str) -> bool {
        self.0.has_tag_name(name)
    }

    fn attribute_matches(&self, name: &str, operator: AttributeOperator<'_>) -> bool {
        self.0
            .attribute(name)
            .is_some_and(|value| operator.matches(value))
    }

    fn pseudo_class_matches(&self, class: PseudoClass<'_>) -> bool {
        matches!(class, PseudoClass::FirstChild) && self.prev_sibling_element().is_none()
    }
}

/// The value that the style gives to a property of an element itself.
fn value<'s>(sheet: &'s StyleSheet<'s>, node: Node<'_, '_>, name: &str) -> Option<&'s str> {
    let rules = sheet.rules.iter();
    let matching = rules.filter(|rule| rule.selector.matches(&Styled(node)));
    let last = matching
        .flat_map(|rule| &rule.declarations)
        .rfind(|set| set.name == name)?;
    Some(last.value)
}

fn rgb(colour: &str) -> [f64; 3] {
    let digits = colour
        .strip_prefix('#')
        .unwrap_or_else(|| panic!("{colour}"));
    let wide: String = match digits.len() {
        3 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
        _ => digits.to_owned(),
    };
    let part = |at: usize| f64::from(u8::from_str_radix(&wide[at..at + 2], 16).unwrap());
    [part(0), part(2), part(4)]
}

/// The relative luminance, as WCAG defines it.
fn luminance(colour: [f64; 3]) -> f64 {
    let [r, g, b] = colour.map(|part| {
        let part = part / 255.0;
        match part <= 0.04045 {
            true => part / 12.92,
            false => ((part + 0.055) / 1.055).powf(2.4),
        }
    });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// What a text stands on: the last box before it, in its group or else on the paper; a box that
/// lets the paper through is mixed with it.
fn ground(sheet: &StyleSheet<'_>, text: Node<'_, '_>) -> Vec<[f64; 3]> {
    let fill = |node| rgb(value(sheet, node, "fill").unwrap_or("#000"));
    let papers: Vec<[f64; 3]> = text
        .document()
        .descendants()
        .filter(|node| node.has_tag_name("rect"))
        .filter(|node| node.parent_element() == Some(node.document().root_element()))
        .map(fill)
        .collect();
    let before = std::iter::successors(text.prev_sibling_element(), |node| {
        node.prev_sibling_element()
    });
    let in_group = text.parent_element().is_some_and(|of| of.has_tag_name("g"));
    let own = before
        .filter(|_| in_group)
        .find(|node| node.has_tag_name("rect"));
    let Some(own) = own else { return papers };
    let opacity: f64 = value(sheet, own, "fill-opacity").map_or(1.0, |o| o.parse().unwrap());
    let over = |paper: [f64; 3]| {
        let [r, g, b] = fill(own);
        let mix = |own: f64, paper: f64| own * opacity + paper * (1.0 - opacity);
        [mix(r, paper[0]), mix(g, paper[1]), mix(b, paper[2])]
    };
    papers.into_iter().map(over).collect()
}

/// The lowest contrast of each kind of text on each kind of card.
fn contrasts(picture: &str, dark: bool) -> BTreeMap<String, f64> {
    let style = plain_style(dark);
    let sheet = StyleSheet::parse(&style);
    let document = Document::parse(picture).unwrap();
    let mut lowest: BTreeMap<String, f64> = BTreeMap::new();
    let mut known: HashMap<String, ()> = HashMap::new();
    for text in document.descendants().filter(|n| n.has_tag_name("text")) {
        let on = text.parent_element().and_then(|of| of.attribute("class"));
        let class = text.attribute("class").unwrap_or_default();
        let key = format!("{class} on {}", on.unwrap_or_default());
        if known.insert(key.clone(), ()).is_some() {
            continue;
        }
        let ink = rgb(value(&sheet, text, "fill").unwrap_or("#000"));
        let grounds = ground(&sheet, text).into_iter();
        let least = grounds.map(|ground| contrast(ink, ground));
        lowest.insert(key, least.fold(f64::INFINITY, f64::min));
    }
    lowest
}

#[test]
fn every_text_has_enough_contrast_light_and_dark() {
    let planned = "event A\n  planned\n  pivotal\ntask B\n  planned\n  asks c\n  on M\n  \
                   raises A\nmodel M\n  planned\n  one per c\nview V\n  planned\nword c is text\n";
    let counts = [("Order placed".to_owned(), 7)].into();
    let options = DrawOptions {
        embed_style: false,
        counts,
        ..DrawOptions::default()
    };
    for dark in [false, true] {
        let mut seen = 0;
        for board in [RESTAURANT, &everything("name"), planned] {
            let picture = draw(&parse(board).board, &options);
            for (text, contrast) in contrasts(&picture, dark) {
                assert!(contrast >= 4.5, "{text}, dark {dark}: {contrast:.2}");
                seen += 1;
            }
        }
        assert!(seen > 40, "{seen} kinds of text");
    }
}

#[test]
fn contrast_is_measured_as_the_standard_says() {
    let near = |contrast: f64, wanted: f64| (contrast - wanted).abs() < 0.01;
    assert!(near(contrast(rgb("#fff"), rgb("#000")), 21.0));
    assert!(near(contrast(rgb("#777"), rgb("#ffffff")), 4.48));
}
