//! Plays the story of the courses and tells it.

use fait::App;
use std::io::Write;
use std::process::ExitCode;

const HELP: &str = "\
Usage: cargo run -p courses

Plays a short story in memory and tells it: seats are taken, refused and left, and two hundred
students want twenty seats at once. Nothing is kept.";

#[tokio::main]
async fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        None => {}
        Some("--help" | "-h") => return say(HELP),
        Some(other) => {
            eprintln!("error: `{other}` is not an option\n\n{HELP}");
            return ExitCode::from(2);
        }
    }
    match play().await {
        Ok(told) => say(&told),
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn play() -> Result<String, Box<dyn std::error::Error>> {
    let app = courses::wired(App::in_memory()).build()?;
    let told = courses::story::play(&app).await?;
    app.stop().await;
    Ok(told)
}

/// Prints; a reader that went away early is no failure.
fn say(text: &str) -> ExitCode {
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
    ExitCode::SUCCESS
}
