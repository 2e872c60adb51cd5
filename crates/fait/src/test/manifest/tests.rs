use super::kept;
use crate::App;
use fait_core::manifest::Manifest;

fn called(name: &str) -> Manifest {
    App::in_memory().name(name).manifest()
}

#[test]
fn a_change_of_the_system_is_found_until_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("manifest.json");
    let missing = kept(&called("Bakery"), &file, false).unwrap_err();
    assert!(
        missing.contains("manifest.json cannot be read"),
        "{missing}"
    );
    kept(&called("Bakery"), &file, true).unwrap();
    kept(&called("Bakery"), &file, false).unwrap();

    let changed = kept(&called("Pub"), &file, false).unwrap_err();
    let lines: Vec<&str> = changed.lines().skip(1).collect();
    assert_eq!(
        lines,
        [r#"  kept: "name": "Bakery","#, r#"  now:  "name": "Pub","#]
    );

    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.trim_end()).unwrap();
    kept(&called("Bakery"), &file, false).unwrap_err();
    kept(&called("Pub"), &file, true).unwrap();
    kept(&called("Bakery"), &file, false).unwrap_err();
}

#[test]
#[should_panic(expected = "run the tests with UPDATE_MANIFEST=1 and look at the change")]
fn it_says_what_to_do() {
    super::manifest(&App::in_memory(), "no-such-folder/manifest.json");
}
