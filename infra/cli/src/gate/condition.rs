//! `METRIC OP NUMBER [p<P] [model=…] [group=key:value]`.

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Word error rate.
    Wer,
    /// Character error rate.
    Cer,
    /// Word error rate of the untouched texts.
    RawWer,
    /// Share of samples without a hypothesis.
    Failed,
    /// Share of samples without a reference to score against.
    Unscored,
    /// Share of samples where text was made up.
    Hallucinated,
    /// Cost in US dollars.
    Cost,
    /// Latency, 95th percentile, in milliseconds.
    Latency,
    /// WER now less WER of the baseline.
    Regression,
    /// The same in characters.
    CerRegression,
}

const METRICS: [(&str, Metric); 10] = [
    ("wer", Metric::Wer),
    ("cer", Metric::Cer),
    ("raw_wer", Metric::RawWer),
    ("failed", Metric::Failed),
    ("unscored", Metric::Unscored),
    ("hallucinated", Metric::Hallucinated),
    ("cost_usd", Metric::Cost),
    ("latency_p95", Metric::Latency),
    ("regression", Metric::Regression),
    ("cer_regression", Metric::CerRegression),
];

impl Metric {
    /// Whether a limit was meant per cent: as a fraction nothing, or nothing that anybody wants
    /// to know, lies beyond it.
    fn is_percent(self, limit: f64) -> bool {
        match self {
            // More words may be made up than were said: `wer>1` means something.
            Self::Wer | Self::Cer | Self::RawWer => limit.abs() > 1.0,
            Self::Failed
            | Self::Unscored
            | Self::Hallucinated
            | Self::Regression
            | Self::CerRegression => limit.abs() >= 1.0,
            Self::Cost | Self::Latency => false,
        }
    }
}

/// Which figure of a metric is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The figure itself.
    Point,
    /// The lower end of its interval.
    Low,
    /// The upper end.
    High,
}

/// How it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
}

/// A condition that fails where it is true.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// As written.
    pub text: String,
    /// What is measured.
    pub metric: Metric,
    /// Which figure.
    pub bound: Bound,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what.
    pub limit: f64,
    /// The level of the test, of regressions.
    pub p: Option<f64>,
    /// One system; without it every one.
    pub model: Option<String>,
    /// A group of samples: key and value.
    pub group: Option<(String, String)>,
}

/// Words of a condition: what is in quotes is one, as names of speakers may have blanks.
fn words_of(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if c == '"' || c == '\'' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |reason: &str| format!("condition \"{text}\": {reason}");
        let begins = text.trim();
        let at = begins
            .find(['>', '<'])
            .ok_or_else(|| wrong("no > or < is in it; for example 'wer>0.18'"))?;
        let (name, rest) = begins.split_at(at);
        let (comparison, rest) = match rest.as_bytes() {
            [b'>', b'=', ..] => (Comparison::AtLeast, &rest[2..]),
            [b'>', ..] => (Comparison::Above, &rest[1..]),
            [b'<', b'=', ..] => (Comparison::AtMost, &rest[2..]),
            _ => (Comparison::Below, &rest[1..]),
        };
        let name = name.trim();
        let (name, bound) = match name.rsplit_once('.') {
            Some((name, "low")) => (name, Bound::Low),
            Some((name, "high")) => (name, Bound::High),
            _ => (name, Bound::Point),
        };
        let found = METRICS.iter().find(|(known, _)| *known == name);
        let Some((_, metric)) = found else {
            let names: Vec<&str> = METRICS.iter().map(|(name, _)| *name).collect();
            return Err(wrong(&format!("metrics are {}", names.join(", "))));
        };
        let words = words_of(rest);
        let mut words = words.iter().map(String::as_str);
        let number = |word: Option<&str>| {
            word.and_then(|word| word.parse::<f64>().ok())
                .filter(|n| n.is_finite())
        };
        let limit = number(words.next()).ok_or_else(|| wrong("no number follows"))?;
        if metric.is_percent(limit) {
            return Err(wrong(&format!(
                "rates are fractions: 18 % is 0.18, and {limit} is {:.0} %",
                limit * 100.0
            )));
        }
        if bound != Bound::Point && matches!(metric, Metric::Cost | Metric::Latency) {
            return Err(wrong(&format!("{name} has no interval")));
        }
        let mut made = Self {
            text: begins.to_owned(),
            metric: *metric,
            bound,
            comparison,
            limit,
            p: None,
            model: None,
            group: None,
        };
        for word in words {
            let is_twice = (made.p.is_some() && word.starts_with("p<"))
                || (made.model.is_some() && word.starts_with("model="))
                || (made.group.is_some() && word.starts_with("group="));
            if is_twice {
                let (name, _) = word.split_at(word.find(['<', '=']).unwrap_or_default());
                return Err(wrong(&format!(
                    "{name} is there twice; a condition has one, and --fail-if may be there again"
                )));
            }
            if let Some(level) = word.strip_prefix("p<") {
                let level = number(Some(level)).filter(|p| (0.0..1.0).contains(p));
                made.p = Some(level.ok_or_else(|| wrong("p is between 0 and 1"))?);
            } else if let Some(model) = word.strip_prefix("model=") {
                made.model = Some(model.to_owned());
            } else if let Some(group) = word.strip_prefix("group=") {
                let (key, value) = group
                    .split_once(':')
                    .ok_or_else(|| wrong("a group is key:value"))?;
                made.group = Some((key.to_owned(), value.to_owned()));
            } else {
                return Err(wrong(&format!("\"{word}\" means nothing")));
            }
        }
        let above = matches!(comparison, Comparison::Above | Comparison::AtLeast);
        if made.p.is_some() && !(made.is_regression() && bound == Bound::Point && above) {
            return Err(wrong("p belongs to 'regression>…' and 'cer_regression>…'"));
        }
        Ok(made)
    }

    /// Whether a figure makes it true.
    pub fn is_true_of(&self, figure: f64) -> bool {
        match self.comparison {
            Comparison::Above => figure > self.limit,
            Comparison::AtLeast => figure >= self.limit,
            Comparison::Below => figure < self.limit,
            Comparison::AtMost => figure <= self.limit,
        }
    }

    /// Whether it needs a baseline.
    pub fn is_regression(&self) -> bool {
        matches!(self.metric, Metric::Regression | Metric::CerRegression)
    }

    /// Whether an interval or a test decides: that takes enough samples.
    pub fn is_careful(&self) -> bool {
        self.is_regression() || self.bound != Bound::Point
    }

    /// Whether it says how many may have no hypothesis.
    pub fn is_of_failures(&self) -> bool {
        self.metric == Metric::Failed && self.model.is_none() && self.group.is_none()
    }

    /// Whether more must be counted than words and characters.
    pub fn needs_all(&self) -> bool {
        matches!(self.metric, Metric::RawWer | Metric::Hallucinated)
    }

    /// The group, as it is written.
    pub fn group_name(&self) -> Option<String> {
        self.group
            .as_ref()
            .map(|(key, value)| format!("{key}:{value}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read() {
        let one = Condition::parse("regression > 0.01 p<0.05 model=a/b group=language:hi").unwrap();
        assert_eq!(
            (one.metric, one.limit, one.p),
            (Metric::Regression, 0.01, Some(0.05))
        );
        assert_eq!(one.model.as_deref(), Some("a/b"));
        assert_eq!(one.group_name().as_deref(), Some("language:hi"));
        let quoted = "wer>0.1 group=\"speaker:वक्ता s3\" model='a b'";
        let one = Condition::parse(quoted).unwrap();
        assert_eq!(one.group_name().as_deref(), Some("speaker:वक्ता s3"));
        assert_eq!(one.model.as_deref(), Some("a b"));
        let refused = Condition::parse("wer>0.1 वक्ता").unwrap_err();
        assert_eq!(
            refused,
            "condition \"wer>0.1 वक्ता\": \"वक्ता\" means nothing"
        );
        let one = Condition::parse("wer.high>=0.2").unwrap();
        assert_eq!(
            (one.bound, one.comparison),
            (Bound::High, Comparison::AtLeast)
        );
        assert!(one.is_true_of(0.2) && !one.is_true_of(0.19));
        for bad in [
            "wer",
            "wer>",
            "wer>x",
            "mer>1",
            "wer>0.1 p<0.05",
            "regression.high>0.1 p<0.05",
            "wer>1 x",
            "regression<0 p<0.1",
            "wer>nan",
            "wer>18",
            "failed>1.5",
            "regression.high>2",
            "cost_usd.low>1",
            "regression>0 p<2",
            "wer>0.1 group=speaker:s1 group=language:hi",
            "wer>0.1 model=a model=a",
            "regression>0 p<0.1 p<0.2",
        ] {
            assert!(Condition::parse(bad).is_err(), "{bad}");
        }
    }
}
