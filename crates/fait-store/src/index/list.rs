//! Sorted lists of ordinals, read in one direction, in memory or piece by piece from an index.

use super::part::Blocks;
use std::io;

/// What is left of a list while it is read in one direction.
#[derive(Debug)]
pub(crate) enum List {
    /// All of it in memory: the ordinals between `from` and `to`.
    Whole {
        ordinals: Vec<u32>,
        from: usize,
        to: usize,
    },
    /// In an index, a block at a time.
    Blocks(Box<Blocks>),
}

impl List {
    pub(crate) fn whole(ordinals: Vec<u32>) -> List {
        let to = ordinals.len();
        List::Whole {
            ordinals,
            from: 0,
            to,
        }
    }

    /// About how long it is.
    pub(crate) fn length(&self) -> usize {
        match self {
            List::Whole { from, to, .. } => to - from,
            List::Blocks(blocks) => blocks.length(),
        }
    }

    /// The nearest ordinal at or beyond `at`, in the direction of reading. What lies before it
    /// is forgotten.
    pub(crate) fn seek(&mut self, at: u32, backwards: bool) -> io::Result<Option<u32>> {
        match self {
            List::Blocks(blocks) => blocks.seek(at, backwards),
            List::Whole { ordinals, from, to } if backwards => {
                *to = *from + below_from_back(&ordinals[*from..*to], u64::from(at) + 1);
                Ok(ordinals[*from..*to].last().copied())
            }
            List::Whole { ordinals, from, to } => {
                *from += below_from_front(&ordinals[*from..*to], u64::from(at));
                Ok(ordinals[*from..*to].first().copied())
            }
        }
    }
}

/// The part of a list from `low` to `high`, both included; cheap when it lies at the end.
pub(crate) fn between(list: &[u32], low: u32, high: u32) -> &[u32] {
    let list = &list[..below_from_back(list, u64::from(high) + 1)];
    &list[below_from_back(list, u64::from(low))..]
}

/// How many entries are below a bound; cheap when few are.
fn below_from_front(list: &[u32], bound: u64) -> usize {
    let mut step = 1;
    while step <= list.len() && u64::from(list[step - 1]) < bound {
        step *= 2;
    }
    let (low, high) = (step / 2, step.min(list.len()));
    low + list[low..high].partition_point(|p| u64::from(*p) < bound)
}

/// How many entries are below a bound; cheap when few are not.
fn below_from_back(list: &[u32], bound: u64) -> usize {
    let length = list.len();
    let mut step = 1;
    while step <= length && u64::from(list[length - step]) >= bound {
        step *= 2;
    }
    let (low, high) = (length - step.min(length), length - step / 2);
    low + list[low..high].partition_point(|p| u64::from(*p) < bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_searches_find_the_same_place() {
        for length in 0..40_u32 {
            let list: Vec<_> = (0..length).map(|n| n * 3 + 5).collect();
            for bound in 0..u64::from(length) * 3 + 10 {
                let expected = list.iter().filter(|p| u64::from(**p) < bound).count();
                assert_eq!(below_from_front(&list, bound), expected);
                assert_eq!(below_from_back(&list, bound), expected);
            }
        }
    }

    #[test]
    fn a_list_is_cut_and_read_both_ways() {
        let all = [2, 4, 6, 8, 10];
        assert_eq!(between(&all, 3, 9), [4, 6, 8]);
        assert!(between(&all, 11, u32::MAX).is_empty());
        let mut forwards = List::whole(all.to_vec());
        assert_eq!(forwards.seek(0, false).unwrap(), Some(2));
        assert_eq!(forwards.seek(5, false).unwrap(), Some(6));
        assert_eq!(forwards.seek(11, false).unwrap(), None);
        let mut backwards = List::whole(all.to_vec());
        assert_eq!(backwards.seek(u32::MAX, true).unwrap(), Some(10));
        assert_eq!(backwards.seek(7, true).unwrap(), Some(6));
        assert_eq!(backwards.seek(1, true).unwrap(), None);
    }
}
