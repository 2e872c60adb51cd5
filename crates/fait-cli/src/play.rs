//! `fait play`: a board becomes a running system, and follows its file.

use crate::board::text_of;
use crate::failure::Failure;
use crate::output::{Out, note};
use clap::Args;
use fait::app::{App, AppBuilder};
use fait::board::play::{self, Playing};
use fait::clock::{Clock, pace};
use fait_board::{Look, Problem, report};
use fait_web::{Site, shutdown_signal};
use std::io::IsTerminal;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Which board, where it is shown, and where what was played is kept.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fait play restaurant.board                    # then open http://127.0.0.1:7070
  fait play restaurant.board --pace 60          # a minute of the board passes each second
  fait play restaurant.board --memory --listen 127.0.0.1:0   # keeps nothing, on a free port
  fait play restaurant.board --save-as-example  # what was played last, onto the board
  fait play restaurant.board --save-as-example=played.board  # or onto a copy of it

A task asks what the board asks and raises its event; where the board says `refused when` or
`or raises`, whoever does the task chooses. Other systems are played by hand, each as a role of its
own. The board is followed while it is edited: what was played is kept.")]
pub(crate) struct Play {
    /// The board
    file: PathBuf,
    /// Where to listen. There is no login: whoever reaches it is whoever they say
    #[arg(long, default_value = "127.0.0.1:7070", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// The folder that keeps what was played; by default beside the board, `restaurant.play`
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Keep what is played in memory only, until the program ends
    #[arg(long, conflicts_with = "data")]
    memory: bool,
    /// Seconds of the board per real second, from 0.001 to 100000
    #[arg(long, default_value_t = 1.0, value_parser = pace, value_name = "NUMBER")]
    pace: f64,
    /// Write what was played last as an example, onto the board or into a copy of it, and end
    #[arg(
        long,
        value_name = "FILE",
        num_args = 0..=1,
        require_equals = true,
        conflicts_with = "memory"
    )]
    save_as_example: Option<Option<PathBuf>>,
}

/// How often the file is looked at.
const EVERY: Duration = Duration::from_millis(250);

/// How long a system has to end before it is left as it is.
const ENDS_WITHIN: Duration = Duration::from_secs(10);

/// A board that can be played.
struct Ready {
    text: String,
    play: play::Play,
}

pub(crate) fn run(args: &Play, out: &mut Out) -> Result<(), Failure> {
    if args.file.as_os_str() == "-" {
        let sorry = "standard input cannot be followed; name the file of the board";
        return Err(Failure::Usage(sorry.into()));
    }
    let text = text_of(&args.file)?;
    let play = play::read(&text).map_err(|wrong| refused(&args.file, &text, &wrong))?;
    let ready = Ready { text, play };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::NotReady(format!("nothing can be run here: {e}")))?;
    match &args.save_as_example {
        Some(to) => {
            let to = to.as_deref().unwrap_or(&args.file);
            runtime.block_on(save(args, &ready, to, out))
        }
        None => runtime.block_on(serve(args, ready, out)),
    }
}

/// Shows why a board is not played.
fn refused(file: &Path, text: &str, wrong: &[Problem]) -> Failure {
    let look = match std::io::stderr().is_terminal() {
        true => Look::Colour,
        false => Look::Plain,
    };
    let name = file.display().to_string();
    note(report(text, &name, wrong, look).trim_end());
    let mistakes = match wrong.len() {
        1 => "1 mistake".into(),
        n => format!("{n} mistakes"),
    };
    Failure::Finding(format!(
        "{name} is not played: it has {mistakes}; `fait board lint {name}` says more"
    ))
}

fn folder(args: &Play) -> PathBuf {
    let beside = || args.file.with_extension("play");
    args.data.clone().unwrap_or_else(beside)
}

fn build(ready: &Ready, place: AppBuilder) -> Result<App, Failure> {
    let built = ready.play.onto(place).build();
    built.map_err(|e| Failure::NotReady(e.to_string()))
}

/// Writes an example of what was played before.
async fn save(args: &Play, ready: &Ready, to: &Path, out: &mut Out) -> Result<(), Failure> {
    let folder = folder(args);
    if !folder.exists() {
        return Err(Failure::Finding(format!(
            "nothing was played yet: {} is not there; `fait play {}` plays the board",
            folder.display(),
            args.file.display()
        )));
    }
    let place = App::in_folder(&folder).clock(Clock::paced(args.pace));
    let app = build(ready, place)?;
    app.settle().await;
    let playing = Playing::new(
        ready.play.clone(),
        &ready.text,
        app.clone(),
        Some(&args.file),
    );
    let saved = playing.save_to(to, None, None).await;
    app.stop().await;
    let saved = saved.map_err(Failure::Finding)?;
    note(format_args!("written onto {}:", to.display()));
    out.line(saved.note.trim_end())
}

async fn serve(args: &Play, mut ready: Ready, out: &mut Out) -> Result<(), Failure> {
    let unusable = |e: std::io::Error| {
        let listen = args.listen;
        Failure::NotReady(format!(
            "cannot listen on {listen}: {e}; choose another address with --listen"
        ))
    };
    let listener = TcpListener::bind(args.listen).map_err(unusable)?;
    listener.set_nonblocking(true).map_err(unusable)?;
    let address = listener.local_addr().map_err(unusable)?;
    let clock = Clock::paced(args.pace);
    let mut before: Option<App> = None;
    loop {
        let place = match &before {
            Some(app) if args.memory => App::instead_of(app),
            _ if args.memory => App::in_memory().clock(clock.clone()),
            _ => App::in_folder(folder(args)).clock(clock.clone()),
        };
        let app = build(&ready, place)?;
        let playing = Playing::new(
            ready.play.clone(),
            &ready.text,
            app.clone(),
            Some(&args.file),
        );
        if before.is_none() {
            greet(args, &ready, address, out)?;
        }
        tell(&playing).await?;
        let listener = listener.try_clone().map_err(unusable)?;
        let listener = tokio::net::TcpListener::from_std(listener).map_err(unusable)?;
        let next: Arc<Mutex<Option<Ready>>> = Arc::default();
        let (found, file, followed) = (next.clone(), args.file.clone(), playing.clone());
        let ends = async move {
            tokio::select! {
                next = follow(&file, &followed) => {
                    *found.lock().unwrap_or_else(PoisonError::into_inner) = Some(next);
                }
                () = shutdown_signal() => {}
            }
        };
        let site = Site::new(app.clone()).board(&ready.text).playing(playing);
        let played = ready.play.clone();
        let site = site.examples(move || played.onto(App::in_memory()));
        let served = site.serve(listener, ends).await;
        // The second signal, or ten seconds, ends what does not end by itself.
        tokio::select! {
            () = app.stop() => {}
            () = shutdown_signal() => return Ok(()),
            () = tokio::time::sleep(ENDS_WITHIN) => {}
        }
        served.map_err(|e| Failure::NotReady(format!("serving ended: {e}")))?;
        let next = next.lock().unwrap_or_else(PoisonError::into_inner).take();
        match next {
            Some(next) => ready = next,
            None => return Ok(()),
        }
        note(format_args!(
            "{} was saved: it is played as it is now",
            args.file.display()
        ));
        before = Some(app);
    }
}

/// Waits for a text that can be played, and says on the pages why another cannot.
async fn follow(file: &Path, playing: &Playing) -> Ready {
    let mut seen = playing.source().to_string();
    loop {
        tokio::time::sleep(EVERY).await;
        // While an editor puts a new file in the place of the old one, there is none.
        let Ok(text) = text_of(file) else { continue };
        if text == seen {
            continue;
        }
        seen.clone_from(&text);
        if text == playing.source() {
            playing.set_trouble(vec![]);
            continue;
        }
        match ready(text).await {
            Ok(ready) => return ready,
            Err(trouble) => {
                for line in &trouble {
                    note(format_args!("not played: {line}"));
                }
                playing.set_trouble(trouble);
            }
        }
    }
}

/// A text made ready, and wired once in memory, so that what is running is not stopped for it in
/// vain.
async fn ready(text: String) -> Result<Ready, Vec<String>> {
    let play = play::read(&text).map_err(|wrong| {
        let line = |p: &Problem| format!("line {}: {}", p.span.line, p.message);
        wrong.iter().map(line).collect::<Vec<_>>()
    })?;
    match play.onto(App::in_memory()).build() {
        Ok(app) => app.stop().await,
        Err(e) => return Err(vec![e.to_string()]),
    }
    Ok(Ready { text, play })
}

/// What is not played, and what was played and is on the board no more.
async fn tell(playing: &Playing) -> Result<(), Failure> {
    for line in playing.play().left_out() {
        note(format_args!("left out: {line}"));
    }
    let forgotten = playing.forgotten().await?;
    if !forgotten.is_empty() {
        note(format_args!(
            "kept, but on the board no more, so that nothing hears of it: {}",
            forgotten.join(", ")
        ));
    }
    Ok(())
}

fn greet(args: &Play, ready: &Ready, address: SocketAddr, out: &mut Out) -> Result<(), Failure> {
    let (file, name) = (args.file.display(), ready.play.name());
    out.line(format_args!("{name} is played at http://{address}"))?;
    out.line("")?;
    match args.memory {
        true => out.line("  what is played is kept until this program ends")?,
        false => out.line(format_args!(
            "  what is played is kept in   {}   (delete it to begin anew)",
            folder(args).display()
        ))?,
    }
    let pace = args.pace;
    out.line(format_args!(
        "  {pace} seconds of the board pass each second"
    ))?;
    out.line("")?;
    out.line("  Try this:")?;
    let mut number = 0;
    let mut step = |at: &str, what: &str| {
        number += 1;
        let at = format!("http://{address}{at}");
        out.line(format_args!("   {number}. {at:<34} {what}"))
    };
    match ready.play.first_step() {
        Some((role, task)) => step("/", &format!("be {role} and do “{task}”"))?,
        None => step("/", "choose who you are")?,
    }
    step("/", "in another window, be whoever is asked next")?;
    step("/play", "let time pass; save what happened as an example")?;
    step("/board", "the board itself")?;
    out.line("")?;
    out.line(format_args!(
        "  Edit {file} while it is played: it is followed, and what was played is kept."
    ))?;
    out.line("  Stop it with Ctrl-C and start it again: it goes on where it was.")?;
    out.flush()
}
