//! Partial responses: the `fields` of a request.
//!
//! `a,b(c,d/e)` keeps `a` whole and of `b` the members `c` and, of `d`, `e`; `.`
//! is as good as `/`, `*` stands for everything, lists are looked through. Google
//! answers a mask that it can't expand with 400 and says why in the details.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::wire::ApiError;

/// What of a value is wanted: members by name; none named is all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mask(BTreeMap<String, Mask>);

impl Mask {
    /// Reads a mask.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let mut mask = Self::default();
        let mut rest = text;
        mask.list(&mut rest, 0)
            .filter(|()| rest.is_empty())
            .ok_or_else(|| refused(text))?;
        Ok(mask)
    }

    fn list(&mut self, rest: &mut &str, depth: u32) -> Option<()> {
        if depth > 16 {
            return None;
        }
        loop {
            self.item(rest, depth)?;
            match rest.strip_prefix(',') {
                Some(more) => *rest = more,
                None => return Some(()),
            }
        }
    }

    fn item(&mut self, rest: &mut &str, depth: u32) -> Option<()> {
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || "_@*".contains(c)))
            .unwrap_or(rest.len());
        let (name, more) = rest.split_at(end);
        if name.is_empty() {
            return None;
        }
        *rest = more;
        let mut star = Self::default();
        let inner = match name {
            "*" => &mut star,
            name => self.0.entry(name.to_owned()).or_default(),
        };
        if let Some(more) = rest.strip_prefix(['/', '.']) {
            *rest = more;
            return inner.item(rest, depth + 1);
        }
        if let Some(more) = rest.strip_prefix('(') {
            *rest = more;
            inner.list(rest, depth + 1)?;
            *rest = rest.strip_prefix(')')?;
        }
        Some(())
    }

    /// Whether it reaches into, or has whole, what is at a path.
    pub(crate) fn wants(&self, path: &[&str]) -> bool {
        match path.split_first() {
            None => true,
            Some(_) if self.0.is_empty() => true,
            Some((first, rest)) => self.0.get(*first).is_some_and(|mask| mask.wants(rest)),
        }
    }

    /// Whether it names single members of what is at a path.
    pub(crate) fn reaches_into(&self, path: &[&str]) -> bool {
        match path.split_first() {
            None => !self.0.is_empty(),
            Some((first, rest)) => self
                .0
                .get(*first)
                .is_some_and(|mask| mask.reaches_into(rest)),
        }
    }

    /// What of a value is wanted.
    pub(crate) fn of(&self, value: Value) -> Value {
        if self.0.is_empty() {
            return value;
        }
        match value {
            Value::Object(members) => members
                .into_iter()
                .filter_map(|(name, value)| {
                    let mask = self.0.get(&name)?;
                    Some((name, mask.of(value)))
                })
                .collect(),
            Value::Array(list) => list.into_iter().map(|value| self.of(value)).collect(),
            other => other,
        }
    }
}

/// The answer to a mask that can't be expanded.
pub(crate) fn refused(mask: &str) -> ApiError {
    ApiError::invalid("Request contains an invalid argument.").with_detail(json!({
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{
            "field": mask,
            "description": "Error expanding 'fields' parameter. Cannot find matching fields for the path.",
        }],
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_kept_by_path() {
        let value = json!({
            "list": [{"a": 1, "b": {"c": 2, "d": 3}}, {"b": 5}, 7],
            "token": "t", "more": [1],
        });
        for (mask, want) in [
            ("token", json!({"token": "t"})),
            (
                "list/a,token",
                json!({"list": [{"a": 1}, {}, 7], "token": "t"}),
            ),
            ("list(b/c)", json!({"list": [{"b": {"c": 2}}, {"b": 5}, 7]})),
            (
                "list.b(d,e),more",
                json!({"list": [{"b": {"d": 3}}, {"b": 5}, 7], "more": [1]}),
            ),
            ("nothing", json!({})),
            ("*", value.clone()),
        ] {
            assert_eq!(Mask::parse(mask).unwrap().of(value.clone()), want, "{mask}");
        }
        for bad in ["", "a,", "a(b", "a)", "a//b", "a b", "(a)", "a(b))"] {
            assert!(Mask::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_wanted_can_be_asked() {
        let mask = Mask::parse("a(b,c/d),e").unwrap();
        assert!(mask.wants(&["a", "b", "x"]) && mask.wants(&["e", "x"]) && mask.wants(&["a"]));
        assert!(!mask.wants(&["a", "x"]) && !mask.wants(&["f"]));
        assert!(mask.reaches_into(&["a", "c"]) && !mask.reaches_into(&["a", "b"]));
    }
}
