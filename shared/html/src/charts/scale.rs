//! From values to places: scales, round ticks, labels that do not collide.

use std::fmt;

/// A place or a length in units of a chart's view box, with one decimal.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Px(pub f64);

impl fmt::Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is no number would break the drawing.
        let value = if self.0.is_finite() { self.0 } else { 0.0 };
        let rounded = (value * 10.0).round() / 10.0;
        // Never "-0".
        write!(f, "{}", if rounded == 0.0 { 0.0 } else { rounded })
    }
}

/// How values are laid out along a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Linear,
    Logarithmic,
}

/// A scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    kind: Kind,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

/// Most ticks that are made.
const MOST_TICKS: usize = 12;

/// A round step near a wish: 1, 2 or 5 times a power of ten, not below it.
fn round_step(wish: f64) -> f64 {
    let power = 10f64.powf(wish.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    steps
        .into_iter()
        .find(|step| *step >= wish * 0.999_999)
        .unwrap_or(10.0 * power)
}

impl Scale {
    /// Equal differences take equal lengths. A range of nothing is widened.
    #[must_use]
    pub fn linear((low, high): (f64, f64), (from, to): (f64, f64)) -> Self {
        let is_range = low.is_finite() && high.is_finite() && high > low;
        let (low, high) = match is_range {
            true => (low, high),
            false if low.is_finite() => (low, low + 1.0),
            false => (0.0, 1.0),
        };
        Self {
            kind: Kind::Linear,
            low,
            high,
            from,
            to,
        }
    }

    /// Equal ratios take equal lengths; for values above 0.
    #[must_use]
    pub fn logarithmic((low, high): (f64, f64), place: (f64, f64)) -> Self {
        if low > 0.0 && high > low && high.is_finite() {
            let linear = Self::linear((low, high), place);
            Self {
                kind: Kind::Logarithmic,
                ..linear
            }
        } else {
            Self::linear((0.0, high), place)
        }
    }

    /// The place of a value; at the nearer end for one beyond the range.
    #[must_use]
    pub fn at(&self, value: f64) -> Px {
        let share = match self.kind {
            Kind::Linear => (value - self.low) / (self.high - self.low),
            Kind::Logarithmic => (value / self.low).ln() / (self.high / self.low).ln(),
        };
        let share = if share.is_nan() { 0.0 } else { share };
        Px(self.from + share.clamp(0.0, 1.0) * (self.to - self.from))
    }

    /// Round values within the range, about `wanted` of them.
    #[must_use]
    pub fn ticks(&self, wanted: usize) -> Vec<f64> {
        match self.kind {
            Kind::Linear => {
                let wanted = wanted.clamp(1, MOST_TICKS) as f64;
                let step = round_step((self.high - self.low) / wanted);
                let first = (self.low / step).ceil();
                (0..=MOST_TICKS * 2)
                    .map(|index| (first + index as f64) * step)
                    .take_while(|tick| *tick <= self.high + step * 1e-6)
                    .map(|tick| if tick == 0.0 { 0.0 } else { tick })
                    .collect()
            }
            Kind::Logarithmic => {
                let powers = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
                let all: Vec<f64> = powers
                    .flat_map(|power| [1.0, 2.0, 5.0].map(|factor| factor * 10f64.powi(power)))
                    .filter(|tick| *tick >= self.low && *tick <= self.high)
                    .collect();
                if all.len() <= MOST_TICKS {
                    all
                } else {
                    all.into_iter().step_by(3).take(MOST_TICKS).collect()
                }
            }
        }
    }
}

/// Middles of labels, each with a wish and a height, that lie over no other one.
///
/// They are as near to the wishes as they can be from `top` to `bottom`, and in the order of
/// the wishes. Those that do not fit go beyond `bottom`.
#[must_use]
pub fn stacked(labels: &[(f64, f64)], top: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<(usize, f64, f64)> = labels
        .iter()
        .enumerate()
        .map(|(index, (wish, height))| (index, *wish, *height))
        .collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    // Where the pile of all would have to begin for each to have its wish. Neighbours that
    // would lie over one another meet half-way: they have a beginning in common.
    let mut begins: Vec<(f64, usize)> = Vec::new();
    let mut above = 0.0;
    for &(_, wish, height) in &order {
        let mut begin: f64 = wish - height / 2.0 - above;
        let mut count: usize = 1;
        while let Some((before, of)) = begins.pop_if(|(before, _)| *before > begin) {
            begin = (before * of as f64 + begin * count as f64) / (of + count) as f64;
            count += of;
        }
        begins.push((begin, count));
        above += height;
    }
    let lowest = (bottom - above).max(top);
    let begins = begins
        .into_iter()
        .flat_map(|(begin, count)| std::iter::repeat_n(begin, count));
    let mut places = vec![top; labels.len()];
    let mut above = 0.0;
    for ((index, _, height), begin) in order.into_iter().zip(begins) {
        places[index] = begin.clamp(top, lowest) + above + height / 2.0;
        above += height;
    }
    places
}

/// Places for labels as near to their wishes as they can be when each needs a height
/// of `gap`, within `top` and `bottom`; in the order of the wishes. Where they do not
/// fit, they are spread evenly.
#[must_use]
pub fn apart(wishes: &[f64], gap: f64, top: f64, bottom: f64) -> Vec<f64> {
    let between = wishes.len().saturating_sub(1).max(1) as f64;
    let gap = gap.min((bottom - top) / between);
    let labels: Vec<(f64, f64)> = wishes.iter().map(|wish| (*wish, gap)).collect();
    stacked(&labels, top - gap / 2.0, bottom + gap / 2.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_placed_and_ticks_are_round() {
        let scale = Scale::linear((0.0, 0.2), (10.0, 110.0));
        assert_eq!(scale.at(0.1).to_string(), "60");
        assert_eq!(scale.at(9.0).to_string(), "110");
        let ticks: Vec<String> = scale.ticks(4).iter().map(|t| format!("{t:.2}")).collect();
        assert_eq!(ticks, ["0.00", "0.05", "0.10", "0.15", "0.20"]);
        let scale = Scale::logarithmic((0.01, 1.0), (0.0, 100.0));
        assert_eq!(scale.at(0.1).to_string(), "50");
        assert_eq!(scale.ticks(5).len(), 7);
        assert_eq!(Px(f64::NAN).to_string(), "0");
        assert_eq!(Px(-0.04).to_string(), "0");
    }

    #[test]
    fn labels_keep_apart() {
        assert_eq!(apart(&[50.0, 50.0], 10.0, 0.0, 100.0), [45.0, 55.0]);
        assert_eq!(apart(&[2.0, 2.0], 10.0, 0.0, 100.0), [0.0, 10.0]);
        assert_eq!(apart(&[99.0, 100.0], 10.0, 0.0, 100.0), [90.0, 100.0]);
        assert_eq!(apart(&[50.0, 10.0], 10.0, 0.0, 100.0), [50.0, 10.0]);
        assert!(apart(&[], 10.0, 0.0, 100.0).is_empty());
        // Two of one wish are as far from it, whatever their heights.
        let heights = [(50.0, 30.0), (50.0, 10.0), (90.0, 10.0)];
        assert_eq!(stacked(&heights, 0.0, 100.0), [40.0, 60.0, 90.0]);
        assert_eq!(stacked(&[(5.0, 30.0)], 0.0, 100.0), [15.0]);
        assert_eq!(
            stacked(&[(5.0, 30.0), (6.0, 30.0)], 0.0, 40.0),
            [15.0, 45.0]
        );
    }

    proptest! {
        #[test]
        fn labels_stay_inside_and_in_order(
            wishes in proptest::collection::vec(-50.0f64..150.0, 0..12), gap in 1.0f64..20.0
        ) {
            let places = apart(&wishes, gap, 0.0, 100.0);
            prop_assert_eq!(places.len(), wishes.len());
            let fits = gap * wishes.len().saturating_sub(1) as f64 <= 100.0;
            for (i, a) in places.iter().enumerate() {
                prop_assert!(*a >= -1e-6 && *a <= 100.0 + 1e-6, "{places:?}");
                for (j, b) in places.iter().enumerate().skip(i + 1) {
                    if fits {
                        prop_assert!((a - b).abs() >= gap - 1e-6, "{places:?}");
                    }
                    if wishes[i] < wishes[j] {
                        prop_assert!(a <= b);
                    }
                }
            }
        }

        #[test]
        fn any_range_has_a_scale(low in proptest::num::f64::ANY, high in proptest::num::f64::ANY, value in proptest::num::f64::ANY) {
            for scale in [Scale::linear((low, high), (0.0, 10.0)), Scale::logarithmic((low, high), (0.0, 10.0))] {
                let place = scale.at(value).0;
                prop_assert!((0.0..=10.0).contains(&place), "{place}");
                prop_assert!(scale.ticks(5).len() <= 25);
            }
        }

        #[test]
        fn ticks_lie_within_and_rise(low in -10.0f64..10.0, width in 0.001f64..100.0, wanted in 1usize..10) {
            let ticks = Scale::linear((low, low + width), (0.0, 1.0)).ticks(wanted);
            prop_assert!(ticks.len() <= wanted + 1);
            prop_assert!(ticks.windows(2).all(|w| w[0] < w[1]));
            prop_assert!(ticks.iter().all(|t| *t >= low - 1e-9 && *t <= low + width + width * 1e-3));
        }
    }
}
