//! Calls that are wrong, and help.

use crate::asked::{command, fait, run};
use insta::assert_snapshot;

#[test]
fn without_a_place_it_says_what_to_do() {
    let mut nowhere = command();
    nowhere.args(["events", "list"]);
    assert_snapshot!("usage_nowhere", run(nowhere).all("PLACE"));
}

#[test]
fn wrong_words_are_refused() {
    let wrong = [
        "",
        "event list",
        "events show eleven",
        "events list --tag order",
        "events list --limit 0",
        "process resume p k --reason r",
        "process resume p k --skip --retry --reason r",
        "process resume p k --skip",
        "view rebuild",
    ];
    for words in wrong {
        assert_eq!(fait("data", words).code, 2, "{words}");
    }
    assert_snapshot!("usage_tls", fait("https://host", "view list").all("PLACE"));
}

#[test]
fn help_has_an_example_and_the_exit_codes() {
    assert_snapshot!("help", fait("data", "--help").all("PLACE"));
    let verbs = ["events list", "events show", "events follow", "trace"];
    let more = [
        "view list",
        "view rebuild",
        "process list",
        "process show",
        "process resume",
    ];
    for words in verbs.into_iter().chain(more) {
        let said = fait("data", &format!("{words} --help"));
        assert_eq!(said.code, 0, "{words}");
        assert!(said.out.contains("Example:\n  fait --at"), "{}", said.out);
    }
}

#[test]
fn an_address_where_nothing_runs_says_what_to_start() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let said = fait(&place, "view list");
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.err.contains("start the program"), "{said:?}");
}
