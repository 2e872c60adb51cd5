//! Sorted lists of positions, searched from the end where the answer is likely to be.

use fait_core::event::Position;

/// What is left of a list while it is read in one direction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List<'a> {
    rest: &'a [Position],
    backwards: bool,
}

impl<'a> List<'a> {
    /// The part of a list from `low` to `high`, both included.
    pub(crate) fn between(
        list: &'a [Position],
        low: Position,
        high: Position,
        backwards: bool,
    ) -> List<'a> {
        let list = &list[..below_from_back(list, high.saturating_add(1))];
        List {
            rest: &list[below_from_back(list, low)..],
            backwards,
        }
    }

    /// The nearest position at or beyond `at`, in the direction of reading. What lies before it
    /// is forgotten.
    pub(crate) fn seek(&mut self, at: Position) -> Option<Position> {
        if self.backwards {
            self.rest = &self.rest[..below_from_back(self.rest, at.saturating_add(1))];
            self.rest.last().copied()
        } else {
            self.rest = &self.rest[below_from_front(self.rest, at)..];
            self.rest.first().copied()
        }
    }
}

/// How many entries are below a bound; cheap when few are.
fn below_from_front(list: &[Position], bound: Position) -> usize {
    let mut step = 1;
    while step <= list.len() && list[step - 1] < bound {
        step *= 2;
    }
    let (low, high) = (step / 2, step.min(list.len()));
    low + list[low..high].partition_point(|p| *p < bound)
}

/// How many entries are below a bound; cheap when few are not.
fn below_from_back(list: &[Position], bound: Position) -> usize {
    let length = list.len();
    let mut step = 1;
    while step <= length && list[length - step] >= bound {
        step *= 2;
    }
    let (low, high) = (length - step.min(length), length - step / 2);
    low + list[low..high].partition_point(|p| *p < bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_searches_find_the_same_place() {
        for length in 0..40_u64 {
            let list: Vec<_> = (0..length).map(|n| n * 3 + 5).collect();
            for bound in 0..length * 3 + 10 {
                let expected = list.iter().filter(|p| **p < bound).count();
                assert_eq!(below_from_front(&list, bound), expected);
                assert_eq!(below_from_back(&list, bound), expected);
            }
        }
    }

    #[test]
    fn a_list_is_cut_and_read_both_ways() {
        let all = [2, 4, 6, 8, 10];
        let mut forwards = List::between(&all, 3, 9, false);
        assert_eq!(forwards.seek(0), Some(4));
        assert_eq!(forwards.seek(5), Some(6));
        assert_eq!(forwards.seek(9), None);
        let mut backwards = List::between(&all, 3, 9, true);
        assert_eq!(backwards.seek(u64::MAX), Some(8));
        assert_eq!(backwards.seek(7), Some(6));
        assert_eq!(backwards.seek(3), None);
    }
}
