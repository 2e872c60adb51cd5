//! The compiler's messages are part of the interface: one file for each typical mistake.

#[test]
fn each_mistake_has_its_message() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}
