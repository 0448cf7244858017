//! Numbers as pages show them: one decimal, a real minus, blanks that do not break.

/// A blank that keeps a number and its unit on one line.
const THIN: char = '\u{202f}';
/// A minus as wide as a plus.
const MINUS: char = '\u{2212}';

/// The sign of what is shown: nothing is "−0.0".
fn signed(value: f64, digits: usize, plus: bool) -> String {
    let text = format!("{:.digits$}", value.abs());
    let is_zero = text.bytes().all(|b| matches!(b, b'0' | b'.'));
    if value < 0.0 && !is_zero {
        format!("{MINUS}{text}")
    } else if plus && !is_zero {
        format!("+{text}")
    } else {
        text
    }
}

/// A rate in percent: 0.1234 → "12.3 %".
#[must_use]
pub fn percent(rate: f64) -> String {
    format!("{}{THIN}%", signed(rate * 100.0, 1, false))
}

/// A rate in percent without its unit, for ranges: 0.1234 → "12.3".
#[must_use]
pub fn bare_percent(rate: f64) -> String {
    signed(rate * 100.0, 1, false)
}

/// An interval of a rate in percent: "10.2–12.7 %".
#[must_use]
pub fn interval(low: f64, high: f64) -> String {
    format!("{}–{}", bare_percent(low), percent(high))
}

/// A difference of two rates in percentage points: "+1.2", "−0.3", "0.0".
#[must_use]
pub fn points(difference: f64) -> String {
    signed(difference * 100.0, 1, true)
}

/// An interval of a difference in percentage points: "−0.3 to +1.2".
#[must_use]
pub fn points_interval(low: f64, high: f64) -> String {
    format!("{} to {}", points(low), points(high))
}

/// A probability, never told as certain: "0.031", "< 0.001".
#[must_use]
pub fn probability(p: f64) -> String {
    if p < 0.001 {
        format!("<{THIN}0.001")
    } else if p > 0.999 {
        format!(">{THIN}0.999")
    } else {
        format!("{p:.3}")
    }
}

/// US dollars with as many digits as tell something: "$0.0123", "$4.20", "free".
#[must_use]
pub fn dollars(usd: f64) -> String {
    if usd == 0.0 {
        "free".to_owned()
    } else if usd < 0.000_05 {
        "<$0.0001".to_owned()
    } else if usd < 0.1 {
        format!("${usd:.4}")
    } else {
        format!("${usd:.2}")
    }
}

/// A time to the minute: "2026-11-26T10:00:00.000Z" → "2026-11-26 10:00 UTC".
#[must_use]
pub fn minute(at: &str) -> String {
    format!("{} UTC", at.get(..16).unwrap_or(at).replace('T', " "))
}

/// Seconds as people tell them: "4.2 s", "45 s", "12 min", "3.4 h", "2.5 days".
#[must_use]
pub fn duration(seconds: f64) -> String {
    match seconds {
        ..9.95 => format!("{seconds:.1}\u{a0}s"),
        ..59.5 => format!("{seconds:.0}\u{a0}s"),
        ..3_570.0 => format!("{:.0}\u{a0}min", seconds / 60.0),
        ..172_800.0 => format!("{:.1}\u{a0}h", seconds / 3_600.0),
        _ => format!("{:.1}\u{a0}days", seconds / 86_400.0),
    }
}

/// A length of recordings: seconds are told of less than ten minutes, so that small ones add up.
#[must_use]
pub fn length(seconds: f64) -> String {
    if !(59.5..599.5).contains(&seconds) {
        return duration(seconds);
    }
    let whole = seconds.round();
    let (minutes, seconds) = ((whole / 60.0).floor(), whole % 60.0);
    format!("{minutes}\u{a0}min {seconds}\u{a0}s")
}

/// A count with thousands apart: 12345 → "12,345".
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count and its noun: "1 clip", "3 clips".
#[must_use]
pub fn counted(number: u64, one: &str, several: &str) -> String {
    format!(
        "{}{}{}",
        count(number),
        '\u{a0}',
        if number == 1 { one } else { several }
    )
}

/// "this clip", "these 3 clips".
#[must_use]
pub fn these(number: u64, one: &str, several: &str) -> String {
    match number {
        1 => format!("this {one}"),
        _ => format!("these {}", counted(number, one, several)),
    }
}

/// A number that is only an estimate, upwards to two digits: 35,687 → 36,000.
#[must_use]
pub fn roughly(number: u64) -> u64 {
    let digits = number.checked_ilog10().unwrap_or_default();
    let step = 10_u64.pow(digits.saturating_sub(1));
    number.div_ceil(step).saturating_mul(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_have_two_digits() {
        for (number, shown) in [
            (0, 0),
            (7, 7),
            (99, 99),
            (101, 110),
            (35_687, 36_000),
            (u64::MAX, u64::MAX),
        ] {
            assert_eq!(roughly(number), shown, "{number}");
        }
    }

    #[test]
    fn numbers_are_shown_alike_everywhere() {
        assert_eq!(percent(0.1234), "12.3\u{202f}%");
        assert_eq!(percent(1.5), "150.0\u{202f}%");
        assert_eq!(points(0.012), "+1.2");
        assert_eq!(points(-0.012), "\u{2212}1.2");
        assert_eq!(points(-0.000_1), "0.0");
        assert_eq!(interval(0.1, 0.2), "10.0–20.0\u{202f}%");
        assert_eq!(points_interval(-0.01, 0.02), "\u{2212}1.0 to +2.0");
        assert_eq!(probability(0.0), "<\u{202f}0.001");
        assert_eq!(probability(0.0312), "0.031");
        assert_eq!(dollars(0.0), "free");
        assert_eq!(dollars(0.000_01), "<$0.0001");
        assert_eq!(dollars(0.012_34), "$0.0123");
        assert_eq!(dollars(4.2), "$4.20");
        assert_eq!(duration(4.21), "4.2\u{a0}s");
        assert_eq!(duration(9.97), "10\u{a0}s");
        assert_eq!(duration(45.2), "45\u{a0}s");
        assert_eq!(duration(59.7), "1\u{a0}min");
        assert_eq!(duration(12_240.0), "3.4\u{a0}h");
        assert_eq!(length(80.4), "1\u{a0}min 20\u{a0}s");
        assert_eq!(length(59.4), "59\u{a0}s");
        assert_eq!(length(599.4), "9\u{a0}min 59\u{a0}s");
        assert_eq!(length(599.6), "10\u{a0}min");
        assert_eq!(duration(216_000.0), "2.5\u{a0}days");
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(counted(1, "clip", "clips"), "1\u{a0}clip");
        assert_eq!(counted(30, "clip", "clips"), "30\u{a0}clips");
    }
}
