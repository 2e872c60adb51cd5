//! What a simulated file holds: as programs see it, as the disk has it, and what lies between.

use super::rng::Rng;
use std::io;

/// What a disk writes as one piece, unless the power fails.
const SECTOR: usize = 512;

/// What was written and not yet synced.
#[derive(Clone, Debug)]
enum Pending {
    /// A whole sector, as it was after a write.
    Sector { at: usize, image: Vec<u8> },
    /// A new length.
    Length(usize),
}

/// What becomes of the pending writes of one file when the power fails.
enum Fate {
    Lost,
    Kept,
    /// The first so many are kept.
    Begun(usize),
    /// Each by chance.
    Mixed,
}

/// A file.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    pub(super) live: Vec<u8>,
    pub(super) durable: Vec<u8>,
    pending: Vec<Pending>,
}

impl Contents {
    /// A file that holds these bytes, durably.
    pub(super) fn of(bytes: &[u8]) -> Contents {
        Contents {
            live: bytes.to_vec(),
            durable: bytes.to_vec(),
            pending: vec![],
        }
    }

    pub(super) fn read(&self, buffer: &mut [u8], offset: usize) -> io::Result<()> {
        let bytes = self.live.get(offset..offset + buffer.len());
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    pub(super) fn write(&mut self, bytes: &[u8], offset: usize) {
        if bytes.is_empty() {
            return;
        }
        let end = offset + bytes.len();
        if end > self.live.len() {
            self.live.resize(end, 0);
            self.pending.push(Pending::Length(end));
        }
        self.live[offset..end].copy_from_slice(bytes);
        for at in (offset / SECTOR * SECTOR..end).step_by(SECTOR) {
            let until = (at + SECTOR).min(self.live.len());
            let image = self.live[at..until].to_vec();
            self.pending.push(Pending::Sector { at, image });
        }
    }

    pub(super) fn cut(&mut self, length: usize) {
        self.live.resize(length, 0);
        self.pending.push(Pending::Length(length));
    }

    /// All that is pending becomes durable. What a failed sync has forgotten does not.
    pub(super) fn sync(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            self.settle(pending, None);
        }
        self.durable.resize(self.live.len(), 0);
    }

    /// A sync fails: what was pending can be read on and counts as written, but it is not.
    pub(super) fn forget(&mut self) {
        self.pending.clear();
    }

    /// A sync that says it went well, and one of its sectors never arrives.
    pub(super) fn sync_losing(&mut self, rng: &mut Rng) -> bool {
        let lost = self.some_sector(rng).map(|n| self.pending.remove(n));
        self.sync();
        lost.is_some()
    }

    /// A sync that says it went well, and one of its sectors arrives in another place.
    pub(super) fn sync_astray(&mut self, rng: &mut Rng) -> bool {
        let place = rng.below(self.live.len() / SECTOR + 1) * SECTOR;
        let stray = self.some_sector(rng);
        let Some(stray) = stray.map(|n| self.pending.remove(n)) else {
            self.sync();
            return false;
        };
        self.sync();
        if let Pending::Sector { image, .. } = stray {
            let room = self.durable.len().saturating_sub(place).min(image.len());
            self.durable[place..place + room].copy_from_slice(&image[..room]);
        }
        true
    }

    /// Chooses among the pending sectors those that no later write of the same sector covers.
    fn some_sector(&self, rng: &mut Rng) -> Option<usize> {
        let sectors = self
            .pending
            .iter()
            .enumerate()
            .filter_map(|(n, p)| match p {
                Pending::Sector { at, .. } => Some((n, *at)),
                Pending::Length(_) => None,
            });
        let last = |(n, at): &(usize, usize)| {
            let later = self.pending[n + 1..].iter();
            !later
                .into_iter()
                .any(|p| matches!(p, Pending::Sector { at: other, .. } if other == at))
        };
        let sectors: Vec<_> = sectors.filter(last).collect();
        Some(sectors.get(rng.below(sectors.len()))?.0)
    }

    /// The power fails: of what is pending, chance decides what the disk has.
    pub(super) fn crash(&mut self, rng: &mut Rng) {
        let pending = std::mem::take(&mut self.pending);
        let fate = match rng.below(4) {
            0 => Fate::Lost,
            1 => Fate::Kept,
            2 => Fate::Begun(rng.below(pending.len() + 1)),
            _ => Fate::Mixed,
        };
        let (mut length, mut lengths) = (self.durable.len(), true);
        for (n, pending) in pending.into_iter().enumerate() {
            let kept = match fate {
                Fate::Lost => false,
                Fate::Kept => true,
                Fate::Begun(first) => n < first,
                Fate::Mixed => rng.one_in(2),
            };
            match pending {
                // A file's length is in the journal of the file system: changes keep their order.
                Pending::Length(to) => {
                    lengths &= kept;
                    if lengths {
                        length = to;
                        self.durable.truncate(to);
                    }
                }
                Pending::Sector { .. } if kept => self.settle(pending, Some(rng)),
                Pending::Sector { .. } => {}
            }
        }
        self.durable.resize(length, 0);
        self.live.clone_from(&self.durable);
    }

    /// One pending write reaches the disk; when the power fails, perhaps a part of it.
    fn settle(&mut self, pending: Pending, failing: Option<&mut Rng>) {
        let (at, image) = match pending {
            Pending::Length(length) => return self.durable.resize(length, 0),
            Pending::Sector { at, image } => (at, image),
        };
        let end = at + image.len();
        if self.durable.len() < end {
            self.durable.resize(end, 0);
        }
        let part = failing.map_or(0..image.len(), |rng| {
            let torn = rng.one_in(8).then(|| rng.below(image.len()));
            match torn {
                None => 0..image.len(),
                Some(cut) if rng.one_in(2) => 0..cut,
                Some(cut) => cut..image.len(),
            }
        });
        self.durable[at + part.start..at + part.end].copy_from_slice(&image[part]);
    }

    /// One bit changes on the disk, and for all who read it.
    pub(super) fn flip(&mut self, bit: usize) {
        for bytes in [&mut self.live, &mut self.durable] {
            if let Some(byte) = bytes.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
            }
        }
    }
}
