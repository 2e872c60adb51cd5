//! `cargo run -p restaurant`: opens the restaurant and says where.

mod traced;

use clap::Parser;
use fait::Clock;
use fait::app::App;
use fait::app::history::on_stderr;
use fait::board::check::strict;
use fait::clock::pace;
use fait::event::seconds;
use fait::reexport::serde::Serialize;
use fait::reexport::serde_json;
use fait_web::{Clients, Site};
use restaurant::card::Terminal;
use restaurant::staff::{Staff, work};
use restaurant::{BOARD, play};
use std::fmt::Display;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::net::TcpListener;

/// The restaurant: orders are placed, cooked, priced, paid, timed out, retried. Take part in it.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Where to listen.
    #[arg(long, env = "RESTAURANT_LISTEN", default_value = "127.0.0.1:7070")]
    listen: SocketAddr,
    /// The folder that keeps what happened. Made when it is not there.
    #[arg(long, env = "RESTAURANT_DATA", default_value = "restaurant-data")]
    data: PathBuf,
    /// Who works by themselves: flaky (cooks drop a quarter and double a quarter, the card
    /// terminal declines or stays silent at times), reliable, or none.
    #[arg(long, env = "RESTAURANT_STAFF", default_value_t = Staff::Flaky)]
    staff: Staff,
    /// Restaurant seconds per real second, from 0.001 to 100000.
    #[arg(long, env = "RESTAURANT_PACE", default_value_t = 60.0, value_parser = pace)]
    pace: f64,
    /// How many orders are placed by themselves. They are the same at each start, so that a
    /// restart goes on where it was.
    #[arg(long, env = "RESTAURANT_ORDERS", default_value_t = 60)]
    orders: u32,
    /// Restaurant seconds between two of those orders; 0: all at once.
    #[arg(long, env = "RESTAURANT_EVERY", default_value_t = 180)]
    every: u64,
    /// A file with other systems that may send commands, as `fait token new` writes them. Without
    /// it the open door asks nobody who they are.
    #[arg(long, env = "RESTAURANT_CLIENTS", value_name = "FILE")]
    clients: Option<PathBuf>,
    /// Does not start when the board and the code differ, and says how.
    #[arg(long, env = "RESTAURANT_STRICT_BOARD")]
    strict_board: bool,
    /// Looks at a folder and says whether this program can go on with what is in flight there.
    /// Nothing is opened and nothing changed.
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, default_missing_value = "")]
    preflight: Option<PathBuf>,
    /// Runs this program over the history in a folder: whether it reads every event, and would
    /// decide every command as it was decided. Nothing is changed.
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, default_missing_value = "",
        conflicts_with_all = ["preflight", "shadow"])]
    history: Option<PathBuf>,
    /// Says what this program would have decided for the instances of a process that have ended.
    #[arg(long, value_name = "PROCESS", conflicts_with = "preflight")]
    shadow: Option<String>,
    /// Runs the examples of a board against this program; nothing of it is kept.
    #[arg(long, value_name = "BOARD", conflicts_with_all = ["preflight", "history", "shadow"])]
    board_test: Option<PathBuf>,
    /// At most so many instances are looked at.
    #[arg(long, default_value_t = 100, requires = "shadow")]
    limit: usize,
    /// Writes what was looked at as JSON.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match traced::begin() {
        Ok(exporting) => {
            let done = run_or_look(Options::parse()).await;
            traced::end(exporting).await;
            done
        }
        Err(why) => Err(why),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("restaurant: {why}");
            ExitCode::from(3)
        }
    }
}

/// Says whether all was well.
async fn run_or_look(options: Options) -> Result<bool, String> {
    let wired = || restaurant::wired(App::in_memory(), Terminal::new(false));
    if let Some(folder) = &options.preflight {
        let report = wired()
            .preflight(named(folder, &options.data))
            .map_err(|e| e.to_string())?;
        return tell(&options, &report).map(|()| report.ok());
    }
    if let Some(folder) = &options.history {
        let folder = named(folder, &options.data);
        let report = wired().check_history(folder, &mut on_stderr());
        let report = report.map_err(|e| e.to_string())?;
        return tell(&options, &report).map(|()| report.ok());
    }
    if let Some(process) = &options.shadow {
        let report = wired().shadow(&options.data, process, options.limit);
        let report = report.map_err(|e| e.to_string())?;
        return tell(&options, &report).map(|()| report.ok());
    }
    if let Some(board) = &options.board_test {
        let report = fait::board::examples_in(board, wired)?;
        return tell(&options, &report).map(|()| report.ok());
    }
    run(options).await.map(|()| true)
}

/// A folder, or the one of the data where none is named.
fn named<'a>(folder: &'a Path, data: &'a Path) -> &'a Path {
    match folder.as_os_str().is_empty() {
        true => data,
        false => folder,
    }
}

fn tell(options: &Options, report: &(impl Display + Serialize)) -> Result<(), String> {
    let text = match options.json {
        true => serde_json::to_string(report).map_err(|e| e.to_string())?,
        false => report.to_string(),
    };
    println!("{text}");
    Ok(())
}

async fn run(options: Options) -> Result<(), String> {
    if options.strict_board {
        let wired = restaurant::wired(App::in_memory(), Terminal::new(false));
        strict(&wired, BOARD).map_err(|drift| drift.to_string())?;
    }
    let clients = options.clients.as_ref().map(Clients::from_file);
    let clients = clients.transpose().map_err(|e| e.to_string())?;
    // Whoever holds the address runs the restaurant; look at that before touching the folder.
    let listener = TcpListener::bind(options.listen).await.map_err(|e| {
        format!(
            "cannot listen on {}: {e}; choose another with --listen",
            options.listen
        )
    })?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let terminal = Terminal::new(options.staff == Staff::Flaky);
    let clock = Clock::paced(options.pace);
    let app = restaurant::in_folder(&options.data, clock, terminal).map_err(|e| e.to_string())?;
    greet(&options, address);
    work(&app, options.staff);
    let (guests, orders, every) = (app.clone(), options.orders, seconds(options.every));
    tokio::spawn(async move { play::place(&guests, orders, every).await });
    let mut site = Site::new(app)
        .board(BOARD)
        .examples(|| restaurant::wired(App::in_memory(), Terminal::new(false)));
    if let Some(clients) = clients {
        site = site.clients(clients);
    }
    site.run(listener).await.map_err(|e| e.to_string())
}

fn greet(options: &Options, address: SocketAddr) {
    let Options {
        data,
        staff,
        pace,
        orders,
        ..
    } = options;
    println!("The restaurant is open at http://{address}");
    println!();
    println!(
        "  what happened is kept in   {}   (delete it to begin anew)",
        data.display()
    );
    println!("  staff {staff}, {orders} orders by themselves, {pace} restaurant seconds a second");
    println!();
    println!("  Try this:");
    println!("   1. http://{address}/        be the Waiter, place an order");
    println!("   2. be a Cook in another window, cook it; see it move on");
    println!("   3. be the Floor manager: sort out what the kitchen forgot");
    println!("   4. http://{address}/board   the board it was built from");
    println!("   5. http://{address}/status  queues, processes, views");
    println!("   6. cargo run -p fait-cli -- events follow --at http://{address}");
    println!();
    println!("  Stop it with Ctrl-C and start it again: it goes on where it was.");
}
