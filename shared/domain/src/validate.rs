//! Checks of what people send, with errors that name the field.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Longest name of anything, in characters.
pub const MAX_NAME_CHARS: usize = 255;

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct FieldError {
    /// Path of the field, e.g. `samples[3].file_id`.
    pub field: String,
    /// What was wrong and what is allowed.
    pub message: String,
}

impl FieldError {
    /// Names a field and what is wrong with it.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

/// Collects the errors of a request, so that all are told at once.
#[derive(Debug, Default)]
pub struct Errors(Vec<FieldError>);

/// Errors that are told at most: more do not help.
pub const MAX_ERRORS: usize = 20;

impl Errors {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds one, up to a bound.
    pub fn push(&mut self, field: impl Into<String>, message: impl Into<String>) {
        if self.0.len() < MAX_ERRORS {
            self.0.push(FieldError::new(field, message));
        }
    }
    /// Keeps the value, or the error and nothing.
    pub fn keep<T>(&mut self, result: Result<T, FieldError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                if self.0.len() < MAX_ERRORS {
                    self.0.push(error);
                }
                None
            }
        }
    }
    /// Whether as many are there as are told: looking for more is in vain.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.len() >= MAX_ERRORS
    }
    /// Whether nothing was wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// `Err` with all of them when there are any.
    pub fn finish(self) -> Result<(), Vec<FieldError>> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(self.0)
        }
    }
}

/// True for characters that have no place in a name: controls, and format
/// characters that reorder or hide text (bidi overrides, zero width space).
/// ZWJ and ZWNJ stay: Indic names need them.
#[must_use]
pub fn is_hostile(c: char) -> bool {
    match c.general_category() {
        GeneralCategory::Control
        | GeneralCategory::LineSeparator
        | GeneralCategory::ParagraphSeparator
        | GeneralCategory::PrivateUse
        | GeneralCategory::Unassigned => true,
        GeneralCategory::Format => !matches!(c, '\u{200c}' | '\u{200d}'),
        _ => false,
    }
}

/// A name: NFC, trimmed, 1 to 255 characters, no control or bidi characters.
pub fn name(field: &str, text: &str) -> Result<String, FieldError> {
    let clean: String = text.trim().nfc().collect();
    let length = clean.chars().count();
    if length == 0 {
        return Err(FieldError::new(
            field,
            "must not be empty (1 to 255 characters)",
        ));
    }
    if length > MAX_NAME_CHARS {
        return Err(FieldError::new(
            field,
            format!("must have 1 to {MAX_NAME_CHARS} characters, has {length}"),
        ));
    }
    if let Some(c) = clean.chars().find(|c| is_hostile(*c)) {
        return Err(FieldError::new(
            field,
            format!(
                "must not contain control or bidirectional characters (found U+{:04X})",
                u32::from(c)
            ),
        ));
    }
    Ok(clean)
}

/// Longest name of a model that people name themselves.
pub const MAX_MODEL_NAME: usize = 63;

/// The name of a model that people name themselves, as it stands after `imported/`
/// or another prefix: `[a-z0-9][a-z0-9._-]{0,62}`.
pub fn model_name(field: &str, text: &str) -> Result<String, FieldError> {
    let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    let begins = text
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if begins && text.len() <= MAX_MODEL_NAME && text.bytes().all(inside) {
        return Ok(text.to_owned());
    }
    Err(FieldError::new(
        field,
        format!(
            "must have 1 to {MAX_MODEL_NAME} characters of a-z, 0-9, '.', '_' and '-', the first \
             a letter or a digit"
        ),
    ))
}

/// Free text of at most `max` characters; line breaks and tabs are fine.
pub fn text(field: &str, text: &str, max: usize) -> Result<String, FieldError> {
    let length = text.chars().count();
    if length > max {
        return Err(FieldError::new(
            field,
            format!("must have at most {max} characters, has {length}"),
        ));
    }
    if text.contains('\0') {
        return Err(FieldError::new(field, "must not contain U+0000"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_indic_joiners_and_refuse_bidi() {
        assert_eq!(name("n", "  क्\u{200d}ष  ").unwrap(), "क्\u{200d}ष");
        assert_eq!(name("n", "e\u{301}").unwrap(), "\u{e9}");
        for bad in ["", "   ", "a\u{202e}b", "a\nb", "a\u{0}", &"x".repeat(256)] {
            assert_eq!(name("n", bad).unwrap_err().field, "n");
        }
        assert!(name("n", &"க".repeat(255)).is_ok());
    }

    #[test]
    fn models_have_plain_names() {
        for good in ["a", "0", "whisper-large-v3", "a.b_c", &"x".repeat(63)] {
            assert_eq!(model_name("n", good).unwrap(), good);
        }
        for bad in [
            "",
            "A",
            ".a",
            "-a",
            "_",
            "a b",
            "a/b",
            "ä",
            "a\u{0}",
            &"x".repeat(64),
        ] {
            assert_eq!(model_name("n", bad).unwrap_err().field, "n", "{bad}");
        }
    }
}
