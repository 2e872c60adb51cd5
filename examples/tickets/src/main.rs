//! `cargo run -p tickets`: sells meals ahead, and says where.

use clap::Parser;
use fait::Clock;
use fait::app::App;
use fait::clock::pace;
use fait_nats::Nats;
use fait_web::{Clients, Site};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use tickets::{BOARD, CLIENTS, STREAM, play};
use tokio::net::TcpListener;

/// Meal tickets: other systems book, and hear what came of it. Run `sponsorship` beside it.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "\
Example: cargo run -p tickets -- --places 40

In another terminal: cargo run -p sponsorship"
)]
struct Options {
    /// Where to listen.
    #[arg(long, env = "TICKETS_LISTEN", default_value = "127.0.0.1:7080")]
    listen: SocketAddr,
    /// The folder that keeps what happened. Made when it is not there.
    #[arg(long, env = "TICKETS_DATA", default_value = "tickets-data")]
    data: PathBuf,
    /// Seconds of the house per real second, from 0.001 to 100000.
    #[arg(long, env = "TICKETS_PACE", default_value_t = 60.0, value_parser = pace)]
    pace: f64,
    /// Places of the first day, which opens by itself; 0: it stays closed until you open one.
    #[arg(long, env = "TICKETS_PLACES", default_value_t = 40)]
    places: u32,
    /// Hands what is published to a NATS server as well, for example nats://127.0.0.1:4222.
    #[arg(long, env = "TICKETS_NATS", value_name = "URL")]
    nats: Option<String>,
    /// Who may ask and read, and with which token: a file like `clients.txt` of this example, which
    /// is used where none is named.
    #[arg(long, env = "TICKETS_CLIENTS", value_name = "FILE")]
    clients: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("tickets: {why}");
            ExitCode::from(3)
        }
    }
}

async fn run(options: Options) -> Result<(), String> {
    let listen = options.listen;
    // Whoever holds the address runs the house; look at that before touching the folder.
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|e| format!("cannot listen on {listen}: {e}; choose another with --listen"))?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let clients = match &options.clients {
        Some(file) => Clients::from_file(file),
        None => Clients::read(CLIENTS),
    };
    let clients = clients.map_err(|e| e.to_string())?;
    let place = App::in_folder(&options.data).clock(Clock::paced(options.pace));
    let mut wired = tickets::wired(place);
    if let Some(url) = &options.nats {
        let nats = Nats::connect(url, Default::default()).await;
        let nats = nats.map_err(|e| format!("--nats: {e}"))?;
        wired = wired.relays("nats", nats.outlet(STREAM));
    }
    let app = wired.build().map_err(|e| e.to_string())?;
    greet(&options, address);
    if options.places > 0 {
        play::open(&app, options.places).await;
    }
    let site = Site::new(app)
        .board(BOARD)
        .clients(clients)
        .examples(|| tickets::wired(App::in_memory()));
    site.run(listener).await.map_err(|e| e.to_string())
}

fn greet(options: &Options, address: SocketAddr) {
    let Options {
        data, pace, places, ..
    } = options;
    println!("Meal tickets are sold at http://{address}");
    println!();
    println!(
        "  what happened is kept in   {}   (delete it to begin anew)",
        data.display()
    );
    println!("  {places} places on the first day, {pace} seconds of the house a second");
    println!();
    println!("  Try this:");
    println!(
        "   1. http://{address}/        be the Kitchen manager: what is sold, and to which booking"
    );
    println!("   2. cargo run -p sponsorship   in another terminal: it books");
    println!("   3. open another day when the first is sold out");
    println!("   4. http://{address}/board   the board it was built from");
    println!();
    println!("  Stop it with Ctrl-C, look how sponsorship waits, and start it again.");
}
