use super::nearest;

#[test]
fn a_slip_finds_the_name() {
    let names = ["example", "event", "task"];
    assert_eq!(nearest("exampel", names).as_deref(), Some("example"));
    assert_eq!(nearest("Task", names).as_deref(), Some("task"));
    assert_eq!(nearest("evnt", names).as_deref(), Some("event"));
}

#[test]
fn two_letters_swapped_are_one_slip_and_case_is_none() {
    assert_eq!(nearest("abl", ["lab", "alb"]).as_deref(), Some("alb"));
    assert_eq!(
        nearest("ÜBERGABE", ["Übergabe", "Uebergabe"]).as_deref(),
        Some("Übergabe")
    );
    assert_eq!(nearest("paid", ["pail", "pain"]).as_deref(), Some("pail"));
}

#[test]
fn something_else_finds_nothing() {
    assert_eq!(nearest("Kitchen", ["example", "event"]), None);
    assert_eq!(nearest("", ["a"]), None);
    assert_eq!(nearest(&"x".repeat(500), ["x"]), None);
}
