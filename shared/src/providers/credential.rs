//! What a project is known by at a vendor.

use secrecy::{ExposeSecret, SecretString};

/// The name of a key that is kept as a bare string.
pub const API_KEY: &str = "api_key";
/// The name of where the vendor is to work on what it is sent.
pub const REGION: &str = "region";

/// A vendor's key to act with.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Stable id of the credential: part of deterministic names, never the key.
    pub id: String,
    /// What was kept: a bare key, or a JSON object of a vendor's [`Field`]s.
    pub secret: SecretString,
}

impl Credential {
    /// What a vendor is asked with that wants no credential.
    #[must_use]
    pub fn none() -> Self {
        Self {
            id: "none".to_owned(),
            secret: SecretString::from(String::new()),
        }
    }

    /// What stands for the role of the functions, where a vendor is asked with that.
    #[must_use]
    pub fn role() -> Self {
        Self {
            id: "role".to_owned(),
            secret: SecretString::from(String::new()),
        }
    }

    /// The value of one of the vendor's fields. A bare string is an
    /// [`API_KEY`]; several fields are kept as one JSON object.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<SecretString> {
        let text = self.secret.expose_secret();
        match serde_json::from_str(text) {
            Ok(serde_json::Value::Object(fields)) => {
                let value = fields.get(name)?.as_str()?;
                Some(SecretString::from(value))
            }
            _ => (name == API_KEY).then(|| self.secret.clone()),
        }
    }

    /// The same of what is no secret.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<String> {
        let value = self.field(name)?;
        Some(value.expose_secret().to_owned())
    }

    /// The key itself.
    #[must_use]
    pub fn key(&self) -> SecretString {
        self.field(API_KEY).unwrap_or_else(|| self.secret.clone())
    }
}

/// One part of a vendor's credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// What it is kept as, such as [`API_KEY`].
    pub name: &'static str,
    /// Fewest characters that it can have.
    pub min_len: usize,
    /// Most characters that it can have.
    pub max_len: usize,
    /// What it can be, where that is a choice, which may be left out.
    pub choices: &'static [&'static str],
}

impl Field {
    /// A key as most vendors give it: 8 to 512 visible characters.
    pub const API_KEY: Self = Self {
        name: API_KEY,
        min_len: 8,
        max_len: 512,
        choices: &[],
    };

    /// Where the vendor is to work on what it is sent, of so many places beside its usual
    /// one.
    #[must_use]
    pub const fn region(choices: &'static [&'static str]) -> Self {
        Self {
            name: REGION,
            min_len: 1,
            max_len: 32,
            choices,
        }
    }

    /// What is wrong with a value, if anything is.
    #[must_use]
    pub fn problem(&self, value: &str) -> Option<String> {
        if !self.choices.is_empty() {
            let known = self.choices.contains(&value);
            return (!known).then(|| {
                let choices = self.choices.join(", ");
                format!("must be one of {choices}, or be left out")
            });
        }
        let fits = (self.min_len..=self.max_len).contains(&value.len());
        if fits && value.bytes().all(|b| b.is_ascii_graphic()) {
            return None;
        }
        Some(format!(
            "must have {} to {} visible ASCII characters",
            self.min_len, self.max_len
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(secret: &str, field: &str) -> Option<String> {
        let credential = Credential {
            id: "c".to_owned(),
            secret: secret.into(),
        };
        let value = credential.field(field)?;
        Some(value.expose_secret().to_owned())
    }

    #[test]
    fn a_bare_string_is_the_key_and_an_object_has_fields() {
        assert_eq!(value("AQ.key", API_KEY).as_deref(), Some("AQ.key"));
        assert_eq!(value("AQ.key", "base_url"), None);
        // Digits alone are JSON as well, and a key all the same.
        assert_eq!(value("12345678", API_KEY).as_deref(), Some("12345678"));
        let several = r#"{"api_key":"k","base_url":"https://h"}"#;
        assert_eq!(value(several, API_KEY).as_deref(), Some("k"));
        assert_eq!(value(several, "base_url").as_deref(), Some("https://h"));
        assert_eq!(value(several, "region"), None);
    }

    #[test]
    fn keys_have_a_length_and_nothing_invisible() {
        let key = Field::API_KEY;
        for good in ["12345678", &"x".repeat(512)] {
            assert_eq!(key.problem(good), None);
        }
        for bad in [
            "1234567",
            &"x".repeat(513),
            "1234 5678",
            "1234567\n",
            "schlüssel",
        ] {
            let problem = key.problem(bad).unwrap();
            assert_eq!(problem, "must have 8 to 512 visible ASCII characters");
        }
    }
}
