//! `test` and `ci`: every check as a step, with its time, and one line at the end.

use crate::api;
use crate::asyncapi;
use crate::browser;
use crate::machine;
use crate::tidy;
use crate::tree;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

pub(crate) const HELP: &str = "\
Usage: cargo xtask test [--quick] [--only STEP]... [--package CRATE]

Runs all steps, goes on after one that fails, and ends with `N passed, N failed`:
  fmt       the code is formatted
  tidy      `cargo xtask tidy`
  compile   everything compiles; what needs it is not run when it does not
  clippy    no lint speaks
  unit      unit and integration tests (with cargo-nextest when it is installed); some start
            PostgreSQL or run Python, which root installs on Debian when they are missing
  doctest   the examples of the documentation, the README and the guide
  doc       the documentation builds without a warning
  asyncapi  `cargo xtask asyncapi`
  browser   `cargo xtask browser`
  api       `cargo xtask api`

Random cases are the same in each run; `PROPTEST_RNG_SEED=N` chooses others, and `cargo xtask fuzz`
looks for new ones.

  --quick           all but asyncapi, browser and api
  --only STEP       this step; may be repeated
  --package CRATE   one crate instead of the workspace, without asyncapi, browser and api";

pub(crate) const CI_HELP: &str = "\
Usage: cargo xtask ci [the options of `test`]

`cargo xtask test` as continuous integration runs it: nothing asks, no golden file is written.";

/// Where the property tests take their first random number from. A change is judged by the same
/// cases as the one before it; finding new ones is not its business.
const SEED: &str = "PROPTEST_RNG_SEED";

/// One thing that must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Fmt,
    Tidy,
    Compile,
    Clippy,
    Unit,
    Doctest,
    Doc,
    Asyncapi,
    Browser,
    Api,
}

const STEPS: [Step; 10] = [
    Step::Fmt,
    Step::Tidy,
    Step::Compile,
    Step::Clippy,
    Step::Unit,
    Step::Doctest,
    Step::Doc,
    Step::Asyncapi,
    Step::Browser,
    Step::Api,
];

impl Step {
    fn name(self) -> &'static str {
        match self {
            Step::Fmt => "fmt",
            Step::Tidy => "tidy",
            Step::Compile => "compile",
            Step::Clippy => "clippy",
            Step::Unit => "unit",
            Step::Doctest => "doctest",
            Step::Doc => "doc",
            Step::Asyncapi => "asyncapi",
            Step::Browser => "browser",
            Step::Api => "api",
        }
    }

    /// Whether it means nothing while the workspace does not compile.
    fn needs_compile(self) -> bool {
        !matches!(self, Step::Fmt | Step::Tidy | Step::Compile)
    }
}

/// What to run.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    quick: bool,
    only: Vec<String>,
    package: Option<String>,
}

impl Options {
    fn read(args: &[String]) -> Result<Options, String> {
        let mut options = Options::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || {
                args.next()
                    .cloned()
                    .ok_or_else(|| format!("`{arg}` needs a value"))
            };
            match arg.as_str() {
                "--quick" => options.quick = true,
                "--only" => options.only.push(value()?),
                "--package" | "-p" => options.package = Some(value()?),
                _ => return Err(format!("`{arg}` is not an option\n\n{HELP}")),
            }
        }
        let known = |name: &String| STEPS.iter().any(|step| step.name() == name);
        match options.only.iter().find(|name| !known(name)) {
            Some(name) => Err(format!("there is no step `{name}`\n\n{HELP}")),
            None => Ok(options),
        }
    }

    fn steps(&self) -> Vec<Step> {
        let wanted = |step: &Step| {
            let named = self.only.iter().any(|name| name == step.name());
            let wide = [Step::Asyncapi, Step::Browser, Step::Api].contains(step);
            let wide = wide && (self.quick || self.package.is_some());
            named || self.only.is_empty() && !wide
        };
        STEPS.into_iter().filter(wanted).collect()
    }
}

/// How cargo is called for this run.
struct Cargo {
    root: PathBuf,
    locked: bool,
    package: Option<String>,
    nextest: bool,
    ci: bool,
}

/// The verb `test`.
pub(crate) fn test(args: &[String]) -> Result<bool, String> {
    all(&Options::read(args)?, false)
}

/// The verb `ci`.
pub(crate) fn ci(args: &[String]) -> Result<bool, String> {
    all(&Options::read(args)?, true)
}

fn all(options: &Options, ci: bool) -> Result<bool, String> {
    let root = tree::root()?;
    let locked = tree::lock_is_tracked(&root);
    let nextest = Command::new("cargo")
        .args(["nextest", "--version"])
        .output();
    let nextest = nextest.is_ok_and(|out| out.status.success());
    let cargo = Cargo {
        root,
        locked,
        package: options.package.clone(),
        nextest,
        ci,
    };
    let (mut passed, mut failed) = (0, 0);
    let mut compiles = true;
    for step in options.steps() {
        if step.needs_compile() && !compiles {
            println!("-- {}: not run, because it does not compile", step.name());
            continue;
        }
        println!("== {}", step.name());
        let begun = Instant::now();
        let good = run(step, &cargo).unwrap_or_else(|why| {
            println!("error: {why}");
            false
        });
        let word = if good { "ok" } else { "FAILED" };
        println!(
            "{word} {} ({:.1} s)",
            step.name(),
            begun.elapsed().as_secs_f64()
        );
        compiles &= good || step != Step::Compile;
        passed += usize::from(good);
        failed += usize::from(!good);
    }
    println!("{passed} passed, {failed} failed");
    Ok(failed == 0)
}

fn run(step: Step, cargo: &Cargo) -> Result<bool, String> {
    match step {
        Step::Fmt => cargo.run(&cargo.fmt()),
        Step::Tidy => tidy::run(false),
        Step::Compile => cargo.run(&cargo.compile()),
        Step::Clippy => cargo.run(&cargo.clippy()),
        Step::Unit => {
            let wanted = |name: &str| cargo.package.as_deref().is_none_or(|p| p == name);
            if wanted("fait") {
                println!("   PostgreSQL: {}", machine::postgresql()?.display());
            }
            if wanted("fait-nats") || wanted("sponsorship") {
                println!("   NATS: {}", machine::nats_server()?.display());
            }
            let python = machine::python()?;
            println!("   Python: {}", python.display());
            cargo.run_with(&cargo.unit(), &[("FAIT_PYTHON", &python)])
        }
        Step::Doctest => match cargo.has_library() {
            true => cargo.run(&cargo.scoped(&["test", "--doc"])),
            false => Ok(true),
        },
        Step::Doc => cargo.run(&cargo.scoped(&["doc", "--no-deps"])),
        Step::Asyncapi => asyncapi::run(),
        Step::Browser => browser::run(&browser::Options::default()),
        Step::Api => api::run(&api::Options::default()),
    }
}

impl Cargo {
    fn fmt(&self) -> Vec<String> {
        match &self.package {
            Some(package) => words(&["fmt", "--package", package, "--check"]),
            None => words(&["fmt", "--all", "--check"]),
        }
    }

    fn compile(&self) -> Vec<String> {
        let mut args = self.scoped(if self.nextest {
            &["nextest", "run"]
        } else {
            &["test"]
        });
        args.extend(words(&["--no-run"]));
        args
    }

    fn clippy(&self) -> Vec<String> {
        let mut args = self.scoped(&["clippy", "--all-targets"]);
        // What is off by default compiles as well.
        if matches!(self.package.as_deref(), None | Some("restaurant")) {
            args.extend(words(&["--features", "restaurant/otel"]));
        }
        args.extend(words(&["--", "-D", "warnings"]));
        args
    }

    fn unit(&self) -> Vec<String> {
        if self.nextest {
            let wide = ["nextest", "run", "--no-fail-fast", "--no-tests=pass"];
            return self.scoped(&wide);
        }
        self.scoped(&[
            "test",
            "--no-fail-fast",
            "--lib",
            "--bins",
            "--tests",
            "--examples",
        ])
    }

    /// With the crates to look at, and the lock file kept.
    fn scoped(&self, args: &[&str]) -> Vec<String> {
        let mut args = words(args);
        match &self.package {
            Some(package) => args.extend(words(&["--package", package])),
            None => args.push("--workspace".to_owned()),
        }
        if self.locked {
            args.push("--locked".to_owned());
        }
        args
    }

    /// Programs have no documentation tests, and cargo makes an error of that.
    fn has_library(&self) -> bool {
        let Some(package) = &self.package else {
            return true;
        };
        let folders = ["crates", "examples", "."];
        let library = |folder: &&str| {
            self.root
                .join(folder)
                .join(package)
                .join("src/lib.rs")
                .is_file()
        };
        folders.iter().any(library)
    }

    fn run(&self, args: &[String]) -> Result<bool, String> {
        self.run_with(args, &[])
    }

    fn run_with(&self, args: &[String], places: &[(&str, &Path)]) -> Result<bool, String> {
        let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(program);
        command.args(args).current_dir(&self.root);
        command.envs(places.iter().copied());
        if args.first().is_some_and(|verb| verb == "doc") {
            command.env("RUSTDOCFLAGS", "-D warnings");
        }
        if std::env::var_os(SEED).is_none() {
            command.env(SEED, "7");
        }
        if self.ci {
            command
                .env("CI", "true")
                .env("INSTA_UPDATE", "no")
                .env("CARGO_TERM_PROGRESS_WHEN", "never");
        }
        println!("   cargo {}", args.join(" "));
        let status = command
            .status()
            .map_err(|e| format!("cargo cannot be run: {e}"))?;
        Ok(status.success())
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}
