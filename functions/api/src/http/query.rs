//! Query parameters, read strictly: an unknown one is refused by name, because
//! a typo must not silently change what a list shows.

use axum::extract::FromRequestParts;
use http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use stt_eval_shared::domain::validate::FieldError;
use utoipa::IntoParams;

use crate::refusal::Refusal;

/// Least and most items of a page.
const LIMITS: std::ops::RangeInclusive<usize> = 1..=100;
/// Items of a page when the request does not say.
pub const DEFAULT_LIMIT: usize = 50;

/// The parameters of a request, decoded.
#[derive(Debug, Default)]
pub struct Pairs(Vec<(String, String)>);

/// What stands for itself in a value of a query.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A value as it stands in a query.
#[must_use]
pub fn encoded(value: &str) -> String {
    utf8_percent_encode(value, PLAIN).to_string()
}

/// Parameters of a route.
pub trait FromQuery: Sized {
    /// The parameters it knows.
    const NAMES: &'static [&'static str];
    /// Reads them.
    fn read(pairs: &Pairs) -> Result<Self, Refusal>;
}

/// The parameters of a route, as an extractor.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<S: Sync, T: FromQuery> FromRequestParts<S> for Params<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let pairs = Pairs::parse(parts.uri.query().unwrap_or_default(), T::NAMES)?;
        T::read(&pairs).map(Self)
    }
}

/// For routes without parameters.
#[derive(Debug)]
pub struct NoQuery;

impl FromQuery for NoQuery {
    const NAMES: &'static [&'static str] = &[];

    fn read(_: &Pairs) -> Result<Self, Refusal> {
        Ok(Self)
    }
}

/// Which page.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Most items of the page.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 100, default = 50)]
    pub limit: usize,
    /// `next_cursor` of the page before; absent for the first page.
    pub cursor: Option<String>,
}

impl FromQuery for Paging {
    const NAMES: &'static [&'static str] = &["limit", "cursor"];

    fn read(pairs: &Pairs) -> Result<Self, Refusal> {
        pairs.paging()
    }
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                let digits = std::str::from_utf8(&digits).ok()?;
                if digits.starts_with('+') {
                    return None;
                }
                u8::from_str_radix(digits, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// What a parameter ends with whose name has a name of others in it.
const ANY: &str = "<field>";

fn is_named(name: &str, known: &str) -> bool {
    match known.strip_suffix(ANY) {
        Some(prefix) => name.strip_prefix(prefix).is_some_and(|of| !of.is_empty()),
        None => name == known,
    }
}

fn shortened(name: &str) -> String {
    name.chars().take(60).collect()
}

impl Pairs {
    fn parse(query: &str, known: &[&str]) -> Result<Self, Refusal> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (Some(name), Some(value)) = (decode(name), decode(value)) else {
                return Err(Refusal::malformed("the query is not percent-encoded UTF-8"));
            };
            if !known.iter().any(|known| is_named(&name, known)) {
                let allowed = if known.is_empty() {
                    "this route takes none".to_owned()
                } else {
                    format!("allowed are {}", known.join(", "))
                };
                return Err(Refusal::malformed_field(
                    shortened(&name),
                    format!("unknown query parameter; {allowed}"),
                ));
            }
            if pairs.iter().any(|(other, _)| *other == name) {
                return Err(Refusal::malformed_field(
                    name,
                    "query parameter given twice",
                ));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// Those that can be read, of any name, the first of each: for pages, whose
    /// addresses people pass on with what others have put there, and for forms.
    #[must_use]
    pub fn any(text: &str) -> Self {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for part in text.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            if let (Some(name), Some(value)) = (decode(name), decode(value))
                && pairs.iter().all(|(other, _)| *other != name)
            {
                pairs.push((name, value));
            }
        }
        Self(pairs)
    }

    /// Fields that were taken out of another kind of body, the first of each name.
    #[must_use]
    pub fn of(fields: Vec<(String, String)>) -> Self {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in fields {
            if pairs.iter().all(|(other, _)| *other != name) {
                pairs.push((name, value));
            }
        }
        Self(pairs)
    }

    /// A parameter as it was given.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| &**value)
    }

    /// Parameters whose names have names of others in them, by these.
    #[must_use]
    pub fn named(&self, known: &str) -> Vec<(String, String)> {
        let prefix = known.strip_suffix(ANY).unwrap_or(known);
        let named = self.0.iter();
        let named = named.filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value)));
        named
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect()
    }

    /// What follows a prefix in the names of parameters that are not empty: the boxes
    /// of a form that were ticked, in its order.
    pub fn ticked<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        let ticked = self.0.iter().filter(|(_, value)| !value.is_empty());
        ticked.filter_map(move |(name, _)| name.strip_prefix(prefix))
    }

    /// `true` or `false`; `otherwise` when it is absent.
    pub fn flag(&self, name: &str, otherwise: bool) -> Result<bool, Refusal> {
        match self.text(name) {
            None => Ok(otherwise),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => Err(Refusal::invalid_field(name, "must be true or false")),
        }
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, Refusal> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                let message = format!("must be one of {}", words.join(", "));
                Err(Refusal::invalid_field(name, message))
            }
        }
    }

    /// Something that is parsed from text.
    pub fn parsed<T: std::str::FromStr>(
        &self,
        name: &str,
        wanted: &str,
    ) -> Result<Option<T>, Refusal> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        match text.parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(Refusal::invalid_field(name, format!("must be {wanted}"))),
        }
    }

    /// `limit` and `cursor`.
    pub fn paging(&self) -> Result<Paging, Refusal> {
        let limit = match self.text("limit") {
            None => DEFAULT_LIMIT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| LIMITS.contains(limit) && !text.starts_with('+'))
                .ok_or_else(|| {
                    Refusal::invalid(vec![FieldError::new(
                        "limit",
                        format!(
                            "must be a whole number from {} to {}",
                            LIMITS.start(),
                            LIMITS.end()
                        ),
                    )])
                })?,
        };
        Ok(Paging {
            limit,
            cursor: self.text("cursor").map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::http::error::status;

    const KNOWN: &[&str] = &["limit", "cursor", "sort", "flag"];

    fn parse(query: &str) -> Result<Pairs, Refusal> {
        Pairs::parse(query, KNOWN)
    }

    #[test]
    fn what_is_known_is_read() {
        let pairs = parse("limit=7&cursor=a%2Bb+c&flag=true&sort=-wer&").unwrap();
        assert_eq!(pairs.paging().unwrap().limit, 7);
        assert_eq!(pairs.paging().unwrap().cursor.as_deref(), Some("a+b c"));
        assert!(pairs.flag("flag", false).unwrap());
        assert_eq!(
            pairs.choice("sort", &[("wer", 1), ("-wer", 2)]).unwrap(),
            Some(2)
        );
        assert_eq!(parse("").unwrap().paging().unwrap().limit, DEFAULT_LIMIT);
    }

    #[test]
    fn what_is_unknown_or_repeated_is_named() {
        let told = |query: &str| {
            let error = parse(query).unwrap_err();
            (
                status(error.kind).as_u16(),
                error.fields.first().map(|f| f.field.clone()),
            )
        };
        assert_eq!(told("limt=5"), (400, Some("limt".into())));
        assert_eq!(told("limit=5&limit=5"), (400, Some("limit".into())));
        assert_eq!(told("limit=%zz").0, 400);
        assert_eq!(told("limit=%+1").0, 400);
        assert_eq!(told("cursor=%ff").0, 400);
    }

    #[test]
    fn values_out_of_range_are_invalid() {
        for query in [
            "limit=0",
            "limit=101",
            "limit=",
            "limit=x",
            "limit=-1",
            "limit=%2B5",
            "limit",
        ] {
            let error = parse(query).unwrap().paging().unwrap_err();
            assert_eq!(
                (status(error.kind).as_u16(), &*error.fields[0].field),
                (422, "limit"),
                "{query}"
            );
        }
        assert!(parse("flag=1").unwrap().flag("flag", false).is_err());
        assert!(
            parse("sort=")
                .unwrap()
                .choice("sort", &[("wer", ())])
                .is_err()
        );
    }

    #[test]
    fn pages_drop_what_they_do_not_know() {
        let pairs = Pairs::any("utm_source=mail&sort=wer&sort=cer&bad=%zz&next=%2Fruns%3Fa%3D1");
        assert_eq!(pairs.text("sort"), Some("wer"));
        assert_eq!(pairs.text("bad"), None);
        assert_eq!(pairs.text("next"), Some("/runs?a=1"));
        let boxes = Pairs::any("model.a%2Fb=1&model.c=&name=x&model.d=on");
        assert_eq!(boxes.ticked("model.").collect::<Vec<_>>(), ["a/b", "d"]);
    }

    proptest! {
        #[test]
        fn values_come_back_from_a_query(value in ".{0,40}") {
            let pairs = Pairs::any(&format!("a=b&v={}", encoded(&value)));
            prop_assert_eq!(pairs.text("v"), Some(&*value));
        }

        #[test]
        fn never_panics(query in ".{0,60}") {
            let _ = Pairs::any(&query);
            if let Ok(pairs) = parse(&query) {
                let _ = pairs.paging();
                let _ = pairs.flag("flag", true);
            }
        }
    }
}
