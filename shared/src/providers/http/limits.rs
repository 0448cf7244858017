//! What the headers of an answer say of a vendor's limits.
//!
//! `x-ratelimit-limit-…`, `-remaining-…` and `-reset-…` of requests (`OpenAI`, Groq) and of
//! `audio-seconds` (Groq). `reset` is the time until nothing is used any more, as Go writes
//! it: `43.2s`, `6m0s`, `23h59m59s`, `120ms`. What can't be read is not told.

use std::time::Duration;

use reqwest::header::HeaderMap;

use crate::domain::allowance::{Left, ToldLimits};

/// What an answer's headers say.
#[must_use]
pub fn told_limits(headers: &HeaderMap) -> ToldLimits {
    ToldLimits {
        requests: left(headers, "requests"),
        audio_seconds: left(headers, "audio-seconds"),
    }
}

fn left(headers: &HeaderMap, of: &str) -> Option<Left> {
    let text = |what: &str| {
        let value = headers.get(format!("x-ratelimit-{what}-{of}"))?;
        value.to_str().ok().map(str::trim)
    };
    Some(Left {
        limit: text("limit")?.parse().ok()?,
        left: text("remaining")?.parse().ok()?,
        full_in: duration(text("reset")?)?,
    })
}

/// `1h2m3.5s`, or bare seconds.
fn duration(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let (mut rest, mut sum) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| c != '.' && !c.is_ascii_digit())?;
        let (number, more) = rest.split_at(digits);
        let letters = more.find(|c: char| !c.is_alphabetic());
        let (unit, more) = more.split_at(letters.unwrap_or(more.len()));
        let seconds = match unit {
            "h" => 3_600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        sum += number.parse::<f64>().ok()? * seconds;
        rest = more;
    }
    Duration::try_from_secs_f64(sum).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn an_answer_of_groq() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-ratelimit-limit-audio-seconds", "7200"),
            ("x-ratelimit-limit-requests", "2000"),
            ("x-ratelimit-remaining-audio-seconds", "7198"),
            ("x-ratelimit-remaining-requests", "1999"),
            ("x-ratelimit-reset-audio-seconds", "1s"),
            ("x-ratelimit-reset-requests", "43.2s"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let left = |limit, left, millis| {
            Some(Left {
                limit,
                left,
                full_in: Duration::from_millis(millis),
            })
        };
        let want = ToldLimits {
            requests: left(2_000.0, 1_999.0, 43_200),
            audio_seconds: left(7_200.0, 7_198.0, 1_000),
        };
        assert_eq!(told_limits(&headers), want);
        headers.insert(
            "x-ratelimit-remaining-requests",
            HeaderValue::from_static("?"),
        );
        headers.remove("x-ratelimit-reset-audio-seconds");
        assert_eq!(told_limits(&headers), ToldLimits::default());
    }

    #[test]
    fn durations() {
        let millis = |text| duration(text).map(|d| d.as_millis());
        assert_eq!(millis("6m0s"), Some(360_000));
        assert_eq!(millis("23h59m59s"), Some(86_399_000));
        assert_eq!(millis("120ms"), Some(120));
        assert_eq!(millis("7.66"), Some(7_660));
        for odd in ["s", "1", "1x", "-1s", "1..2s", "1s2", "soon", "-3", "nan"] {
            assert!(odd == "1" || duration(odd).is_none(), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(text in ".{0,40}") {
            let _ = duration(&text);
        }
    }
}
