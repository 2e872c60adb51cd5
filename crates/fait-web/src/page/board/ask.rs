//! What is asked of the board's page: which part of it, which note, which chapter.

use super::super::trouble::Params;
use crate::request::encode;

/// The parts of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Show {
    Picture,
    Text,
    Words,
    Examples,
    Differences,
}

/// What is asked. It stands in the address, so that every state of the page can be sent to
/// somebody and works without scripts.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) show: Show,
    /// The id of the note in the panel.
    pub(super) note: Option<String>,
    /// The chapter that is shown alone, by its name.
    pub(super) chapter: Option<String>,
}

impl Show {
    pub(super) const ALL: [Show; 5] = [
        Show::Picture,
        Show::Text,
        Show::Words,
        Show::Examples,
        Show::Differences,
    ];

    /// As it stands in the address.
    pub(super) fn key(self) -> &'static str {
        match self {
            Show::Picture => "picture",
            Show::Text => "text",
            Show::Words => "words",
            Show::Examples => "examples",
            Show::Differences => "differences",
        }
    }

    /// As it stands on the page.
    pub(super) fn title(self) -> &'static str {
        match self {
            Show::Picture => "Picture",
            Show::Text => "Text",
            Show::Words => "Words",
            Show::Examples => "Examples",
            Show::Differences => "Differences",
        }
    }
}

impl Ask {
    /// What the parameters ask for; the picture when they name no part that there is.
    pub(super) fn of(params: &Params) -> Ask {
        let show = params.text("show").unwrap_or_default();
        let shown = Show::ALL.into_iter().find(|s| s.key() == show);
        Ask {
            show: shown.unwrap_or(Show::Picture),
            note: params.text("note").map(String::from),
            chapter: params.text("chapter").map(String::from),
        }
    }

    /// The address of a part of the page, with the note that is looked at.
    pub(super) fn part(&self, show: Show) -> String {
        self.address(show, self.note.as_deref(), self.chapter.as_deref())
    }

    /// The address of this part with a note in the panel; none closes it. In the picture the
    /// note itself is gone to.
    pub(super) fn with_note(&self, note: Option<&str>) -> String {
        let address = self.address(self.show, note, self.chapter.as_deref());
        match note {
            Some(note) if self.show == Show::Picture => format!("{address}#note-{note}"),
            _ => address,
        }
    }

    /// Where the addresses of notes in the picture begin.
    pub(super) fn notes(&self) -> String {
        let address = self.address(Show::Picture, None, self.chapter.as_deref());
        let joint = if address.contains('?') { '&' } else { '?' };
        format!("{address}{joint}note=")
    }

    /// The address of the picture of one chapter, or of all.
    pub(super) fn with_chapter(&self, chapter: Option<&str>) -> String {
        self.address(Show::Picture, self.note.as_deref(), chapter)
    }

    /// The address of a line of the text.
    pub(super) fn line(&self, line: usize) -> String {
        format!("{}#L{line}", self.part(Show::Text))
    }

    fn address(&self, show: Show, note: Option<&str>, chapter: Option<&str>) -> String {
        let shown = (show != Show::Picture).then_some(show.key());
        let all = [("show", shown), ("note", note), ("chapter", chapter)];
        let given = all
            .iter()
            .filter_map(|(name, value)| Some((name, (*value)?)));
        let pairs: Vec<String> = given
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        match pairs.is_empty() {
            true => "/board".to_string(),
            false => format!("/board?{}", pairs.join("&")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ask, Show};
    use crate::page::trouble::Params;

    fn ask(pairs: &[(&str, &str)]) -> Ask {
        let pairs = pairs.iter().map(|(n, v)| ((*n).into(), (*v).into()));
        Ask::of(&Params(pairs.collect()))
    }

    #[test]
    fn an_address_keeps_what_was_asked() {
        let plain = ask(&[("show", "nonsense")]);
        assert_eq!(plain.show, Show::Picture);
        assert_eq!(plain.with_note(None), "/board");
        let note = "event-order-placed";
        let here = "/board?note=event-order-placed#note-event-order-placed";
        assert_eq!(plain.with_note(Some(note)), here);
        let words = ask(&[("show", "words"), ("note", note), ("chapter", "A & B")]);
        let text = "/board?show=text&note=event-order-placed&chapter=A%20%26%20B";
        assert_eq!(words.part(Show::Text), text);
        assert_eq!(words.line(12), format!("{text}#L12"));
        assert_eq!(
            words.with_note(None),
            "/board?show=words&chapter=A%20%26%20B"
        );
        assert_eq!(plain.notes(), "/board?note=");
        assert_eq!(words.notes(), "/board?chapter=A%20%26%20B&note=");
        let whole = "/board?note=event-order-placed";
        assert_eq!(words.with_chapter(None), whole);
    }
}
