//! What the machine does by itself: its syncs, its load, the memory of this process, sizes of
//! files.

use crate::numbers::{ascending, micros, percentile};
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Instant;

/// What was found before anything was measured.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) processor: String,
    pub(crate) kernel: String,
    pub(crate) load: f64,
}

impl Machine {
    /// Of this machine, now.
    pub(crate) fn look() -> Machine {
        let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = processors
            .lines()
            .find(|line| line.starts_with("model name"));
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Machine {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: model
                .and_then(|line| line.split_once(": "))
                .map_or_else(|| "unknown".into(), |(_, name)| name.to_owned()),
            kernel: kernel.trim().to_owned(),
            load: load(),
        }
    }
}

/// The load average of the last minute; 0 where the system does not say.
pub(crate) fn load() -> f64 {
    let said = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = said.split(' ').next().map(str::parse);
    first.and_then(Result::ok).unwrap_or_default()
}

/// MiB of memory that this process has in use; 0 where the system does not say.
pub(crate) fn resident_mib() -> f64 {
    let said = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = said.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1_024.0
}

/// A file to measure the disk's own sync with.
pub(crate) struct Disk {
    file: File,
}

/// Bytes of one write, about what one event needs.
const WRITE: usize = 300;
/// Bytes of the file, all written once before: a growing file would be slower.
const FILE: usize = 4 << 20;

impl Disk {
    /// A file of zeros in this folder.
    pub(crate) fn new(folder: &Path) -> io::Result<Disk> {
        let mut file = File::create(folder.join("sync"))?;
        file.write_all(&vec![0; FILE])?;
        file.sync_all()?;
        Ok(Disk { file })
    }

    /// The median of so many writes with their sync, in microseconds.
    pub(crate) fn sync_us(&mut self, times: usize) -> io::Result<f64> {
        self.file.seek(SeekFrom::Start(0))?;
        let mut took = Vec::with_capacity(times);
        for _ in 0..times.min(FILE / WRITE) {
            let begun = Instant::now();
            self.file.write_all(&[7; WRITE])?;
            self.file.sync_data()?;
            took.push(micros(begun.elapsed()));
        }
        Ok(percentile(&ascending(&took), 50))
    }
}

/// Bytes of all files in a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    /// In blocks that are taken, as `du` counts.
    pub(crate) blocks: u64,
    /// As long as the files say they are.
    pub(crate) apparent: u64,
}

/// What is in a folder, and below.
pub(crate) fn usage(folder: &Path) -> io::Result<Usage> {
    let mut all = Usage::default();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            let below = usage(&entry.path())?;
            all.blocks += below.blocks;
            all.apparent += below.apparent;
        } else if kind.is_file() {
            let file = entry.metadata()?;
            all.blocks += file.blocks() * 512;
            all.apparent += file.len();
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::{Disk, resident_mib, usage};

    #[test]
    fn files_of_all_folders_count() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join("below"))?;
        std::fs::write(folder.path().join("a"), [1; 5_000])?;
        std::fs::write(folder.path().join("below/b"), [1; 100])?;
        assert_eq!(usage(folder.path())?.apparent, 5_100);
        Ok(())
    }

    #[test]
    fn a_sync_takes_time_and_a_process_takes_memory() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        assert!(Disk::new(folder.path())?.sync_us(3)? > 0.0);
        assert!(resident_mib() > 0.0);
        Ok(())
    }
}
