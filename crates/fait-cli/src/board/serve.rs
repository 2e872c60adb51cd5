//! `fait board serve`: a board in the browser, which follows its file while it is edited.

use super::text_of;
use crate::failure::Failure;
use crate::output::{Out, note};
use clap::Args;
use fait_web::{BoardSite, shutdown_signal};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;

/// Which board, and where it is shown.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fait board serve restaurant.board
  fait board serve restaurant.board --listen 127.0.0.1:0   # a free port")]
pub(crate) struct Serve {
    /// The board; the pages follow it while it is edited
    file: PathBuf,
    /// Where to listen. There is no login: whoever reaches it can read the board
    #[arg(long, default_value = "127.0.0.1:7071", value_name = "ADDRESS")]
    listen: SocketAddr,
}

/// How often the file is looked at.
const EVERY: Duration = Duration::from_millis(250);

/// A file that changed so lately may change again within the same tick of the file system.
const YOUNG: Duration = Duration::from_secs(3);

/// Looks at a file that cannot be read until that is said; editors put a new file in the place of
/// the old one, and for a moment there is none.
const PATIENCE: u32 = 4;

pub(crate) fn run(serve: &Serve, out: &mut Out) -> Result<(), Failure> {
    let file = &serve.file;
    if file.as_os_str() == "-" {
        let sorry = "standard input cannot be followed; name the file of the board";
        return Err(Failure::Usage(sorry.into()));
    }
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let site = BoardSite::new(&name, &text_of(file)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| Failure::NotReady(format!("nothing can be served: {e}")))?;
    runtime.block_on(async {
        let unusable = |e| {
            let listen = serve.listen;
            Failure::NotReady(format!(
                "cannot listen on {listen}: {e}; choose another address with --listen"
            ))
        };
        let listener = TcpListener::bind(serve.listen).await.map_err(unusable)?;
        let address = listener.local_addr().map_err(unusable)?;
        out.line(format_args!("{name} is shown at http://{address}/board"))?;
        out.flush()?;
        note("The page follows the file while it is edited. Stop it with Ctrl-C.");
        let (followed, path) = (site.clone(), file.clone());
        // Ends with the program.
        std::thread::spawn(move || follow(&followed, &path));
        let served = site.serve(listener, shutdown_signal()).await;
        served.map_err(|e| Failure::NotReady(format!("serving ended: {e}")))
    })
}

/// Shows what is in the file, whenever that changes.
fn follow(site: &BoardSite, file: &Path) {
    let (mut seen, mut failed) = (None, 0);
    loop {
        std::thread::park_timeout(EVERY);
        let stamp = stamp(file);
        let young = |time: SystemTime| time.elapsed().is_ok_and(|age| age < YOUNG);
        let still = stamp.is_some_and(|(changed, _)| !young(changed)) && stamp == seen;
        if still && failed == 0 {
            continue;
        }
        seen = stamp;
        match text_of(file) {
            Ok(text) => {
                failed = 0;
                site.show(&text);
            }
            Err(reason) => {
                failed += 1;
                if failed >= PATIENCE {
                    site.lost(&reason.to_string());
                }
            }
        }
    }
}

/// When a file was changed last, and its length.
fn stamp(file: &Path) -> Option<(SystemTime, u64)> {
    let data = file.metadata().ok()?;
    Some((data.modified().ok()?, data.len()))
}
