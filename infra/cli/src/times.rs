//! Lengths of time as people read them.

/// How long something took, for people: to the second below an hour.
pub fn lasted(time: std::time::Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes @ 1..60, 0) => format!("{minutes} min"),
        (minutes @ 1..60, seconds) => format!("{minutes} min {seconds} s"),
        _ => length(time.as_secs_f64()),
    }
}

/// A length of time for people.
pub fn length(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{seconds:.0} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_told_to_the_second_below_an_hour() {
        for (seconds, told) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (700, "11 min 40 s"),
            (3_600, "1 h 0 min"),
            (7_505, "2 h 5 min"),
        ] {
            assert_eq!(lasted(Duration::from_secs(seconds)), told);
        }
    }
}
