//! Which crate may depend on which. Dependencies for tests are free.

#[cfg(test)]
mod tests;

use super::Tree;
use crate::finding::Finding;
use crate::tree::Text;

/// What a crate may and must not name.
struct Rule {
    name: &'static str,
    /// The crates of this workspace that it may use.
    ours: &'static [&'static str],
    /// The crates of others that it must not know of, as groups.
    never: &'static [&'static [&'static str]],
    /// When given, the only crates of others that it may use.
    only: Option<&'static [&'static str]>,
    because: &'static str,
}

const ASYNC: &[&str] = &[
    "tokio",
    "tokio-util",
    "tokio-stream",
    "async-std",
    "smol",
    "async-io",
    "mio",
];
const WEB: &[&str] = &[
    "axum",
    "hyper",
    "tower",
    "tower-http",
    "warp",
    "actix-web",
    "maud",
    "ureq",
    "reqwest",
];
const EMBEDDED: &[&str] = &[
    "rusqlite",
    "libsqlite3-sys",
    "redb",
    "fjall",
    "heed",
    "sled",
];
const POSTGRES: &[&str] = &[
    "tokio-postgres",
    "postgres",
    "deadpool-postgres",
    "sqlx",
    "diesel",
];
const BUS: &[&str] = &["async-nats", "nats", "rdkafka", "lapin"];
const CHANCE: &[&str] = &["rand", "getrandom", "fastrand"];

const RULES: &[Rule] = &[
    Rule {
        name: "fait-core",
        ours: &[],
        never: &[ASYNC, WEB, EMBEDDED, POSTGRES, BUS, CHANCE],
        only: None,
        because: "the words are pure: no runtime, network, database or random number",
    },
    Rule {
        name: "fait-macros",
        ours: &[],
        never: &[],
        only: Some(&["proc-macro2", "quote", "syn", "unicode-ident"]),
        because: "the macros know of syntax only",
    },
    Rule {
        name: "fait-store",
        ours: &["fait-core"],
        never: &[ASYNC, WEB, EMBEDDED, POSTGRES, BUS],
        only: None,
        because: "the engine blocks, and knows neither a runtime nor another database",
    },
    Rule {
        name: "fait",
        ours: &["fait-core", "fait-macros", "fait-store", "fait-board"],
        never: &[WEB, POSTGRES, BUS],
        only: None,
        because: "HTTP, PostgreSQL and the bus are adapters that build on it",
    },
    Rule {
        name: "fait-postgres",
        ours: &["fait-core", "fait"],
        never: &[WEB, EMBEDDED, BUS],
        only: None,
        because: "it is a store beside the embedded one",
    },
    Rule {
        name: "fait-nats",
        ours: &["fait-core", "fait"],
        never: &[WEB, EMBEDDED, POSTGRES],
        only: None,
        because: "a bus knows of no store",
    },
    Rule {
        name: "fait-http",
        ours: &["fait"],
        never: &[EMBEDDED, POSTGRES, BUS],
        only: None,
        because: "it tells other systems, and knows of no store and no page",
    },
    Rule {
        name: "fait-smtp",
        ours: &["fait"],
        never: &[WEB, EMBEDDED, POSTGRES, BUS],
        only: None,
        because: "it sends mail, and knows of no store and no page",
    },
    Rule {
        name: "fait-otel",
        ours: &["fait"],
        never: &[EMBEDDED, POSTGRES, BUS],
        only: None,
        because: "it sends what happens to a collector, and knows of no store and no page",
    },
    Rule {
        name: "fait-board",
        ours: &[],
        never: &[ASYNC, WEB, EMBEDDED, POSTGRES, BUS, CHANCE],
        only: None,
        because: "a board is text and data, and runs nowhere",
    },
    Rule {
        name: "fait-web",
        ours: &["fait", "fait-board"],
        never: &[EMBEDDED, POSTGRES, BUS],
        only: None,
        because: "pages do not know how anything is stored",
    },
    Rule {
        name: "fait-cli",
        ours: &["fait-*", "fait"],
        never: &[],
        only: None,
        because: "the program knows of no application",
    },
    Rule {
        name: "xtask",
        ours: &[],
        never: &[],
        only: Some(&["proc-macro2", "syn"]),
        because: "it must compile in seconds, also when the crates do not compile",
    },
    Rule {
        name: "bench",
        ours: &["fait", "fait-board", "fait-core", "fait-store"],
        never: &[WEB, BUS],
        only: None,
        because: "it measures the store and what stands on it, and its peers beside it",
    },
    Rule {
        name: "fait-fuzz",
        ours: &["fait-core", "fait-store", "fait-board"],
        never: &[WEB, BUS],
        only: Some(&["libfuzzer-sys"]),
        because: "it feeds the decoders of store and messages and the board's reader, and needs a compiler of its own",
    },
];

const EXAMPLE: Rule = Rule {
    name: "an example",
    ours: &[
        "fait",
        "fait-web",
        "fait-http",
        "fait-smtp",
        "fait-otel",
        "fait-postgres",
        "fait-nats",
    ],
    never: &[],
    only: None,
    because: "an application names `fait` and the adapters that it chooses",
};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let manifests = tree
        .texts
        .iter()
        .filter(|t| t.path.ends_with("/Cargo.toml"));
    let names: Vec<&str> = manifests.clone().filter_map(|t| package(&t.text)).collect();
    manifests
        .flat_map(|manifest| check_manifest(manifest, &names))
        .collect()
}

fn check_manifest(manifest: &Text, ours: &[&str]) -> Vec<Finding> {
    let Some(name) = package(&manifest.text) else {
        return Vec::new();
    };
    let example = manifest.path.starts_with("examples/");
    let rule = if example {
        Some(&EXAMPLE)
    } else {
        RULES.iter().find(|r| r.name == name)
    };
    let Some(rule) = rule else {
        let wrong = format!("the crate `{name}` is not in the table of directions");
        let remedy = "make it a module, or give it a row in xtask/src/tidy/directions.rs";
        return vec![Finding::new(&manifest.path, 1, wrong, remedy)];
    };
    let mut found = Vec::new();
    for (line, dependency) in dependencies(&manifest.text) {
        let fait = dependency == "fait" || dependency.starts_with("fait-");
        let allowed = if fait || ours.contains(&dependency.as_str()) {
            rule.ours
                .iter()
                .any(|pattern| matches(pattern, &dependency))
        } else {
            let never = rule
                .never
                .iter()
                .any(|group| group.contains(&dependency.as_str()));
            !never
                && rule
                    .only
                    .is_none_or(|only| only.contains(&dependency.as_str()))
        };
        if !allowed {
            let wrong = format!("`{name}` depends on `{dependency}`, but {}", rule.because);
            let remedy =
                "turn the direction around: what it needs comes in as an argument or trait";
            found.push(Finding::new(&manifest.path, line, wrong, remedy));
        }
    }
    found
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}

/// The name of the package in a manifest.
fn package(manifest: &str) -> Option<&str> {
    let mut section = "";
    for line in manifest.lines() {
        if let Some(name) = header(line) {
            section = name;
        } else if section == "package" && key(line) == Some("name") {
            return quoted(line);
        }
    }
    None
}

/// The normal and build dependencies of a manifest, with their lines.
fn dependencies(manifest: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let (mut listing, mut single) = (false, false);
    for (i, line) in manifest.lines().enumerate() {
        if let Some(name) = header(line) {
            listing = is_table(name);
            single = false;
            if let Some((table, dependency)) = name.rsplit_once('.')
                && is_table(table)
            {
                (listing, single) = (false, true);
                found.push((i + 1, dependency.trim_matches('"').to_owned()));
            }
        } else if single && key(line) == Some("package") {
            // A dependency under another name is what it is, not what it is called.
            if let (Some(last), Some(real)) = (found.last_mut(), quoted(line)) {
                real.clone_into(&mut last.1);
            }
        } else if listing && let Some(name) = key(line) {
            found.push((i + 1, renamed(line).unwrap_or(name).to_owned()));
        }
    }
    found
}

fn is_table(name: &str) -> bool {
    let target = name.starts_with("target.");
    let last = |table: &str| name == table || target && name.ends_with(&format!(".{table}"));
    last("dependencies") || last("build-dependencies")
}

fn header(line: &str) -> Option<&str> {
    line.trim()
        .strip_prefix('[')?
        .split(']')
        .next()
        .map(str::trim)
}

/// The first part of the key of a line such as `tokio.workspace = true`.
fn key(line: &str) -> Option<&str> {
    let (key, _) = line.split_once('=')?;
    let key = key.trim().split('.').next()?.trim().trim_matches('"');
    (!key.is_empty() && !key.starts_with('#')).then_some(key)
}

fn quoted(line: &str) -> Option<&str> {
    line.split('"').nth(1)
}

fn renamed(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("package")?;
    rest.trim_start().strip_prefix('=').and_then(quoted)
}
