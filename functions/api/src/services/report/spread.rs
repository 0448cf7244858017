//! How a model's samples are spread over error rates: a mean hides a model that is
//! right on most and makes things up on some.

use stt_eval_shared::wire::report::Bucket;

use super::scan::Kept;

/// Buckets between "every word right" and "more errors than words".
const BETWEEN: u64 = 10;

/// The bucket of a sample: 0 for none wrong, `BETWEEN` + 1 for more than was said. By
/// whole numbers, so that a rate at an edge is where its fraction is.
fn bucket(errors: u64, words: u64) -> usize {
    if errors > words {
        return BETWEEN as usize + 1;
    }
    let scaled = u128::from(errors) * u128::from(BETWEEN);
    usize::try_from(scaled.div_ceil(u128::from(words.max(1)))).unwrap_or(0)
}

/// Samples by word error rate; empty where no reference has words.
#[must_use]
pub fn distribution(kept: &[Kept]) -> Vec<Bucket> {
    let mut counts = [0u64; BETWEEN as usize + 2];
    let words = kept.iter().map(|kept| kept.words());
    for sample in words.filter(|sample| sample.reference > 0) {
        if let Some(count) = counts.get_mut(bucket(sample.errors, sample.reference)) {
            *count += 1;
        }
    }
    if counts.iter().all(|count| *count == 0) {
        return Vec::new();
    }
    let edge = |index: usize| index as f64 / BETWEEN as f64;
    let last = counts.len() - 1;
    let view = |(index, samples): (usize, u64)| Bucket {
        above: index.checked_sub(1).map(edge),
        up_to: (index < last).then(|| edge(index)),
        samples,
    };
    counts.into_iter().enumerate().map(view).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_belong_to_the_bucket_below() {
        for (errors, words, index) in [
            (0, 7, 0),
            (1, 100, 1),
            (1, 10, 1),
            (11, 100, 2),
            (3, 10, 3),
            (10, 10, 10),
            (11, 10, 11),
            (u64::MAX, 1, 11),
            (u64::MAX, u64::MAX, 10),
        ] {
            assert_eq!(bucket(errors, words), index, "{errors}/{words}");
        }
    }

    #[test]
    fn nothing_is_spread_over_nothing() {
        assert_eq!(distribution(&[]), []);
    }
}
