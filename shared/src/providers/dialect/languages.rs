//! Languages of the whisper family.

/// Those of ours that whisper has a code for.
///
/// Every server of the family takes them. Odia and the smaller languages are not among whisper's 99
/// (<https://github.com/openai/whisper/blob/main/whisper/tokenizer.py>).
pub const WHISPER: &[&str] = &[
    "as", "bn", "en", "gu", "hi", "kn", "ml", "mr", "ne", "pa", "sa", "sd", "ta", "te", "ur",
];
