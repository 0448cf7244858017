//! What is wrong with a form, told at its top, where the page that refuses it begins.

/// A sentence, with the field that it is about.
pub(crate) struct Problem {
    pub(crate) anchor: &'static str,
    pub(crate) label: String,
    pub(crate) message: String,
}
