//! When a program is asked to stop.

use tokio::signal::ctrl_c;

/// Resolves when the program is asked to stop: by Ctrl-C, or where there are such signals by
/// `SIGTERM`, as service managers and containers do. For [`Site::serve`](crate::Site::serve) and
/// [`BoardSite::serve`](crate::BoardSite::serve).
///
/// From the first call on, these signals no longer end the program by themselves.
pub async fn shutdown_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        // Without that signal Ctrl-C still works.
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _ = ctrl_c().await;
}
