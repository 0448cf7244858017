//! Amounts of money as people read them.

/// US dollars to the cent. What is less than half of one is not nothing.
pub fn dollars(usd: f64) -> String {
    if usd > 0.0 && usd < 0.005 {
        "<$0.01".to_owned()
    } else {
        format!("${usd:.2}")
    }
}

/// A limit in US dollars as it was said: to the cent, unless it says more.
pub fn limit(usd: f64) -> String {
    let cents = format!("{usd:.2}");
    match cents.parse() == Ok(usd) {
        true => format!("${cents}"),
        false => format!("${usd}"),
    }
}

/// An estimate in US dollars.
pub fn about(usd: f64) -> String {
    match dollars(usd).strip_prefix('<') {
        Some(most) => format!("less than {most}"),
        None => format!("about {}", dollars(usd)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_money_is_not_none() {
        let told = [0.0, 0.000_1, 0.004_9, 0.005_1, 12.3].map(dollars);
        assert_eq!(told, ["$0.00", "<$0.01", "<$0.01", "$0.01", "$12.30"]);
        assert_eq!([0.001, 0.62].map(about), ["less than $0.01", "about $0.62"]);
        let told = [0.001, 0.5, 12.0, 0.125].map(limit);
        assert_eq!(told, ["$0.001", "$0.50", "$12.00", "$0.125"]);
    }
}
