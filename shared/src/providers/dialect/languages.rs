//! Languages of the whisper family.

/// Those of ours that whisper has a code for.
///
/// Every server of the family takes them. Odia and the smaller languages are not among whisper's 99
/// (<https://github.com/openai/whisper/blob/main/whisper/tokenizer.py>).
pub const WHISPER: &[(&str, &str)] = &[
    ("as", "as"),
    ("bn", "bn"),
    ("en", "en"),
    ("gu", "gu"),
    ("hi", "hi"),
    ("kn", "kn"),
    ("ml", "ml"),
    ("mr", "mr"),
    ("ne", "ne"),
    ("pa", "pa"),
    ("sa", "sa"),
    ("sd", "sd"),
    ("ta", "ta"),
    ("te", "te"),
    ("ur", "ur"),
];
