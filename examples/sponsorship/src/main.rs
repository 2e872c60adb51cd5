//! `cargo run -p sponsorship`: looks after sponsors, and says where.

use clap::Parser;
use fait::Clock;
use fait::app::App;
use fait::bus::InProcess;
use fait::clock::pace;
use fait::event::seconds;
use fait_nats::Nats;
use fait_web::Site;
use sponsorship::tickets::TICKETS;
use sponsorship::{BOARD, STREAM, TOKEN, door_at, feed_at, play};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::net::TcpListener;

/// Sponsorship: sponsors are onboarded, and another system feeds their guests. Run `tickets` beside
/// it.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "\
Example: cargo run -p sponsorship -- --sponsors 20

In another terminal: cargo run -p tickets"
)]
struct Options {
    /// Where to listen.
    #[arg(long, env = "SPONSORSHIP_LISTEN", default_value = "127.0.0.1:7081")]
    listen: SocketAddr,
    /// The folder that keeps what happened. Made when it is not there.
    #[arg(long, env = "SPONSORSHIP_DATA", default_value = "sponsorship-data")]
    data: PathBuf,
    /// Seconds of the office per real second, from 0.001 to 100000.
    #[arg(long, env = "SPONSORSHIP_PACE", default_value_t = 60.0, value_parser = pace)]
    pace: f64,
    /// Where the other system is.
    #[arg(
        long,
        env = "SPONSORSHIP_TICKETS",
        default_value = "http://127.0.0.1:7080"
    )]
    tickets: String,
    /// By which this system is known there.
    #[arg(long, env = "SPONSORSHIP_TOKEN", default_value = TOKEN, hide_env_values = true)]
    token: String,
    /// Hears the other system from a NATS server, for example nats://127.0.0.1:4222, to which that
    /// one hands its messages with the same flag. Without it, they are read over HTTP.
    #[arg(long, env = "SPONSORSHIP_NATS", value_name = "URL")]
    nats: Option<String>,
    /// How many sponsors are onboarded by themselves. They are the same at each start, so that a
    /// restart goes on where it was.
    #[arg(long, env = "SPONSORSHIP_SPONSORS", default_value_t = 16)]
    sponsors: u32,
    /// Seconds of the office between two of them; 0: all at once.
    #[arg(long, env = "SPONSORSHIP_EVERY", default_value_t = 300)]
    every: u64,
}

/// That the other system is away stands on `/status`, and need not fill the terminal.
const QUIET: &str = "warn,fait::runtime::dispatch=error,fait::runtime::hear=error";

#[tokio::main]
async fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(QUIET));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("sponsorship: {why}");
            ExitCode::from(3)
        }
    }
}

async fn run(options: Options) -> Result<(), String> {
    let listen = options.listen;
    // Whoever holds the address runs the office; look at that before touching the folder.
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|e| format!("cannot listen on {listen}: {e}; choose another with --listen"))?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let tickets =
        door_at(&options.tickets, &options.token).map_err(|e| format!("--tickets: {e}"))?;
    let place = App::in_folder(&options.data).clock(Clock::paced(options.pace));
    let wired = match &options.nats {
        Some(url) => {
            let nats = Nats::connect(url, Default::default()).await;
            let nats = nats.map_err(|e| format!("--nats: {e}"))?;
            sponsorship::wired(place, tickets.clone(), nats.inlet(STREAM, "sponsorship"))
        }
        None => {
            let feed = feed_at(&options.tickets, &options.token);
            let feed = feed.map_err(|e| format!("--tickets: {e}"))?;
            sponsorship::wired(place, tickets.clone(), feed)
        }
    };
    let app = wired.build().map_err(|e| e.to_string())?;
    greet(&options, address);
    let (office, sponsors, every) = (app.clone(), options.sponsors, seconds(options.every));
    tokio::spawn(async move { play::onboard(&office, sponsors, every).await });
    let site = Site::new(app)
        .board(BOARD)
        .others([(TICKETS, options.tickets.as_str())])
        .examples(move || sponsorship::wired(App::in_memory(), tickets.clone(), InProcess::new()));
    site.run(listener).await.map_err(|e| e.to_string())
}

fn greet(options: &Options, address: SocketAddr) {
    let Options {
        data,
        pace,
        sponsors,
        tickets,
        ..
    } = options;
    println!("Sponsors are looked after at http://{address}");
    println!();
    println!(
        "  what happened is kept in   {}   (delete it to begin anew)",
        data.display()
    );
    println!("  {sponsors} sponsors by themselves, {pace} seconds of the office a second");
    println!("  tickets come from          {tickets}");
    println!();
    println!("  Try this:");
    println!(
        "   1. http://{address}/        be the Sponsor manager: who has tickets, and who waits"
    );
    println!("   2. sign a contract, and onboard the sponsor");
    println!("   3. book by hand what the other system refused: the day was sold out");
    println!("   4. stop tickets and onboard another: see it wait, and start tickets again");
    println!("   5. http://{address}/board   the board it was built from");
    println!();
    println!("  Stop it with Ctrl-C and start it again: it goes on where it was.");
}
