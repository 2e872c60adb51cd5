//! What belongs to one machine or one network and must not travel with the code.

use super::Tree;
use crate::finding::Finding;
use crate::source::is_name;
use crate::tree::Text;

// The patterns are put together here, so that this file does not contain them.
const HOMES: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("/work", "space/"),
    concat!("/work", "spaces/"),
    concat!("C:\\Us", "ers\\"),
];

const REGISTRIES: &[&str] = &[
    concat!("registry.", "npmjs.org"),
    concat!("registry.", "yarnpkg.com"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("files.", "pythonhosted.org"),
    concat!("proxy.", "golang.org"),
    concat!("deb.", "debian.org"),
    concat!("artifact", "ory"),
    concat!("jfr", "og"),
    concat!("/nex", "us/repository"),
];

/// The one registry that a lock file of cargo names.
const PUBLIC_INDEX: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.texts.iter().flat_map(check_text).collect()
}

fn check_text(text: &Text) -> Vec<Finding> {
    let mut found = Vec::new();
    for (i, line) in text.text.lines().enumerate() {
        let mut report = |wrong: String, remedy: &str| {
            found.push(Finding::new(&text.path, i + 1, wrong, remedy));
        };
        if let Some(home) = HOMES.iter().find(|home| starts_path(line, home)) {
            let wrong = format!("a path of one machine: `{home}…`");
            report(
                wrong,
                "write it from the root of the repository, or as `~/…`",
            );
        }
        let lower = line.to_lowercase();
        if let Some(host) = REGISTRIES.iter().find(|host| lower.contains(*host)) {
            let wrong = format!("the host of a package registry: `{host}`");
            report(wrong, "leave it to the configuration of the machine");
        }
        if text.path.ends_with("package-lock.json") && line.contains("\"resolved\"") {
            let remedy = "keep `omit-lockfile-registry-resolved=true` in .npmrc and lock again";
            report(
                "the lock file names the host it was made with".to_owned(),
                remedy,
            );
        }
        let foreign = line.starts_with("source = \"") && !line.contains(PUBLIC_INDEX);
        if text.path.ends_with("Cargo.lock") && foreign {
            let wrong = "the lock file names a source that is not the public one".to_owned();
            report(wrong, "use published versions, and lock without a mirror");
        }
    }
    found
}

/// Whether a line has an absolute path that starts so: not a part of a longer path or address.
fn starts_path(line: &str, start: &str) -> bool {
    line.match_indices(start).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let inside = before.is_some_and(|c| is_name(c) || matches!(c, '.' | '-' | '~' | '}' | ')'));
        let names = line[at + start.len()..].chars().next();
        !inside && names.is_some_and(|c| is_name(c) || c == '.')
    })
}

#[cfg(test)]
mod tests {
    use super::{HOMES, REGISTRIES, check};
    use crate::tidy::findings;

    fn found(path: &str, text: &str) -> usize {
        findings(check, &[(path, text)]).len()
    }

    #[test]
    fn paths_of_one_machine_are_refused() {
        for home in HOMES {
            assert_eq!(found("a.md", &format!("see `{home}anna/x`\n")), 1, "{home}");
            assert_eq!(found("a.md", &format!("see docs{home}anna\n")), 0, "{home}");
        }
    }

    #[test]
    fn hosts_of_registries_are_refused() {
        for host in REGISTRIES {
            assert_eq!(
                found("a.toml", &format!("url = \"https://{host}/x\"\n")),
                1,
                "{host}"
            );
        }
        assert_eq!(found("a.md", "https://crates.io/crates/serde\n"), 0);
    }

    #[test]
    fn lock_files_name_no_mirror() {
        let npm = "  \"resolved\": \"https://mirror.example/a.tgz\",\n";
        assert_eq!(found("tests/browser/package-lock.json", npm), 1);
        assert_eq!(found("a.json", npm), 0);
        let public = "source = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
        assert_eq!(found("Cargo.lock", public), 0);
        assert_eq!(
            found(
                "Cargo.lock",
                "source = \"sparse+https://mirror.example/\"\n"
            ),
            1
        );
    }
}
