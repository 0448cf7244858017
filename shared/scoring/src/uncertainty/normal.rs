//! Quantiles of the normal distribution and of Student's.

/// Quantile of the normal distribution for a two-sided 95 %.
pub(super) const Z_95: f64 = 1.959_963_984_540_054;

/// Two-sided 95 % quantiles of Student's t for 1 to 9 degrees of freedom.
const T_95: [f64; 9] = [
    12.706_205, 4.302_653, 3.182_446, 2.776_445, 2.570_582, 2.446_912, 2.364_624, 2.306_004,
    2.262_157,
];

/// Two-sided 95 % quantile of Student's t: from a table, then by the expansion of
/// Cornish and Fisher, good to 0.0001 from ten degrees of freedom on.
pub(super) fn t_95(degrees: usize) -> f64 {
    match degrees.checked_sub(1).map(|index| T_95.get(index)) {
        None => f64::INFINITY,
        Some(Some(known)) => *known,
        Some(None) => {
            let (z, v) = (Z_95, degrees as f64);
            let one = (z.powi(3) + z) / 4.0;
            let two = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
            let three = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
            z + one / v + two / v.powi(2) + three / v.powi(3)
        }
    }
}

/// Distribution function of the normal distribution, to a relative 1.2e-7 (the
/// Chebyshev fit of Numerical Recipes, section 6.2).
pub(super) fn cdf(x: f64) -> f64 {
    const FIT: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let z = x.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.5 * z);
    let fit = FIT.iter().rev().fold(0.0, |sum, term| sum * t + term);
    let tail = 0.5 * t * (fit - z * z).exp();
    if x < 0.0 { tail } else { 1.0 - tail }
}

/// The x above 0 that a share of so much lies above.
pub(super) fn upper(share: f64) -> f64 {
    let (mut low, mut high) = (0.0, 40.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if cdf(-middle) > share {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_as_in_the_books() {
        for (degrees, t) in [
            (1, 12.7062),
            (9, 2.2622),
            (10, 2.2281),
            (19, 2.0930),
            (100, 1.9840),
        ] {
            assert!((t_95(degrees) - t).abs() < 2e-4, "{degrees}");
        }
        assert_eq!(t_95(0), f64::INFINITY);
        for (x, share) in [
            (0.0, 0.5),
            (Z_95, 0.025),
            (0.841_621, 0.2),
            (3.290_527, 0.0005),
        ] {
            assert!((cdf(-x) - share).abs() < 1e-6, "{x}");
            assert!((cdf(x) + share - 1.0).abs() < 1e-6, "{x}");
            assert!((upper(share) - x).abs() < 1e-5, "{x}");
        }
    }
}
