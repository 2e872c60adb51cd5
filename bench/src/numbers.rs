//! Percentiles and medians, and which way a figure is better.

use std::time::Duration;

/// The value below which so many hundredths of all values lie; 0 when there are none.
pub(crate) fn percentile(sorted: &[f64], hundredths: usize) -> f64 {
    let rank = (sorted.len() * hundredths).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

/// The middle value; the mean of the two in the middle when their number is even.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let sorted = ascending(values);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// The same values, smallest first.
pub(crate) fn ascending(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// How often `ours` is better than `theirs`; above 1 we are ahead. A figure whose name ends in
/// `_per_s` is better when it is larger, every other when it is smaller.
pub(crate) fn ratio(metric: &str, ours: f64, theirs: f64) -> Option<f64> {
    let (better, worse) = match metric.ends_with("_per_s") {
        true => (ours, theirs),
        false => (theirs, ours),
    };
    (better > 0.0 && worse > 0.0).then(|| better / worse)
}

/// Microseconds with their fraction.
pub(crate) fn micros(took: Duration) -> f64 {
    took.as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
    use super::{ascending, median, percentile, ratio};

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!(percentile(&values, 50), 100.0);
        assert_eq!(percentile(&values, 99), 198.0);
        assert_eq!(percentile(&values, 100), 200.0);
        assert_eq!(percentile(&[7.0], 1), 7.0);
        assert_eq!(percentile(&[], 50), 0.0);
    }

    #[test]
    fn the_median_does_not_depend_on_the_order() {
        assert_eq!(median(&[9.0, 1.0, 5.0]), Some(5.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(&[]), None);
        assert_eq!(ascending(&[2.0, 1.0]), vec![1.0, 2.0]);
    }

    #[test]
    fn a_ratio_above_one_means_that_we_are_ahead() {
        assert_eq!(ratio("p50_us", 100.0, 150.0), Some(1.5));
        assert_eq!(ratio("appends_per_s", 90.0, 30.0), Some(3.0));
        assert_eq!(ratio("p50_us", 0.0, 150.0), None);
    }
}
