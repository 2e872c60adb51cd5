use super::{Language, Words};

fn happened(language: &str, name: &str) -> bool {
    Language::of(Some(language)).is_some_and(|language| language.has_happened(&Words::of(name)))
}

fn no_task(language: &str, name: &str) -> bool {
    Language::of(Some(language)).is_some_and(|language| language.is_no_task(&Words::of(name)))
}

#[test]
fn english_events() {
    for name in [
        "Order placed",
        "Order cooked twice",
        "Bill written off",
        "Cooking timed out",
        "Claim filed late",
        "Guest checked in",
        "Parcel left with neighbour",
        "Sold out",
        "Payment sent",
        "Table set",
        "Price was cut",
        "Checked-in luggage lost",
        "Loan overdue since noticed",
        "Fee waived",
        "Hold begun",
        "Claim withdrawn",
        "Room's key taken",
    ] {
        assert!(happened("English", name), "{name}");
    }
    for name in [
        "Pay order",
        "Set table",
        "Guest in need",
        "Seed order",
        "Feed cat",
        "Bed",
        "Red alert",
        "Hundred guests",
        "Payment overdue",
        "Cut price",
        "Order placement",
        "Proceed to checkout",
    ] {
        assert!(!happened("English", name), "{name}");
    }
}

#[test]
fn english_tasks() {
    for name in [
        "Order placed",
        "Placed order",
        "Guest checked in",
        "Parcel left",
        "Paid",
    ] {
        assert!(no_task("English", name), "{name}");
    }
    for name in [
        "Place order",
        "Mark claim settled",
        "Set table",
        "Table set",
        "Check delayed parcels",
        "Write off bill",
        "Read",
        "Report parcel lost",
        "Write down what was said",
        "Found company",
        "Left luggage: give back",
    ] {
        assert!(!no_task("English", name), "{name}");
    }
}

#[test]
fn german_events() {
    for name in [
        "Bestellung aufgegeben",
        "Rechnung bezahlt",
        "Gast eingecheckt",
        "Zahlung fehlgeschlagen",
        "Paket beim Nachbarn abgegeben",
        "Ticket storniert",
        "Buch verliehen",
        "Schlüssel übergeben",
        "Frist verstrichen",
        "Ausverkauft",
        "Schaden gemeldet",
    ] {
        assert!(happened("German", name), "{name}");
    }
    for name in [
        "Bestellung aufgeben",
        "Rechnung bezahlen",
        "Urlaub genehmigen",
        "Bericht",
        "Gewicht der Sendung",
        "Zimmer bereit",
        "Essen bringen",
    ] {
        assert!(!happened("German", name), "{name}");
    }
}

#[test]
fn german_tasks() {
    for name in ["Bestellung aufgegeben", "Rechnung bezahlt"] {
        assert!(no_task("Deutsch", name), "{name}");
    }
    for name in [
        "Bestellung aufgeben",
        "Schlüssel übergeben",
        "Verlorenes Gepäck suchen",
    ] {
        assert!(!no_task("Deutsch", name), "{name}");
    }
}

#[test]
fn words_of_data_and_of_machines() {
    let judged = |language: &str, name: &str| {
        let words = Words::of(name);
        let language = Language::of(Some(language))?;
        let said = |word: Option<&str>| word.unwrap_or("").to_owned();
        let technical = said(language.technical(&words).next());
        let data = [language.data_event(&words), language.data_task(&words)];
        Some((technical, data.map(said)))
    };
    let expected = |technical: &str, event: &str, task: &str| {
        Some((technical.to_owned(), [event.to_owned(), task.to_owned()]))
    };
    assert_eq!(
        judged("English", "Row updated"),
        expected("row", "updated", "")
    );
    assert_eq!(
        judged("English", "Update order"),
        expected("", "", "update")
    );
    assert_eq!(judged("English", "Order a change"), expected("", "", ""));
    assert_eq!(
        judged("German", "Zeile gelöscht"),
        expected("zeile", "gelöscht", "")
    );
    assert_eq!(
        judged("German", "Bestellung ändern"),
        expected("", "", "ändern")
    );
    assert_eq!(judged("Klingon", "Update order"), None);
}

#[test]
fn no_word_is_on_two_lists_that_contradict_each_other() {
    for name in ["English", "German"] {
        let language = Language::of(Some(name)).unwrap();
        let lists = [&language.past, &language.either, &language.not_past];
        for (at, list) in lists.iter().enumerate() {
            assert!(list.len() > 20, "{name}: {list:?}");
            for other in lists.iter().skip(at + 1) {
                let both: Vec<_> = list.intersection(other).collect();
                assert!(both.is_empty(), "{name}: {both:?}");
            }
        }
        assert!(language.technical.len() > 20 && language.data_events.len() > 5);
    }
}
