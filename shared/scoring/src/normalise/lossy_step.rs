//! The steps that forgive more than spelling, by name.

/// Opt-in steps that forgive more than spelling. `unwrap` works on the untouched
/// transcription; each other on text that went through the base steps, and only
/// in the languages it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LossyStep {
    /// `unwrap`: takes off what a language model puts around a transcript (code
    /// fences, JSON, a preface, speaker labels, time stamps, markup, quotation
    /// marks around everything), wherever [`Flag::Wrapped`](crate::Flag::Wrapped)
    /// is set. Of the transcription only: a reference is what a person wrote.
    Unwrap,
    /// `numbers`: number words to digits, with hundred, thousand, lakh and crore,
    /// in English (`en`) and Hindi (`hi`); in a code-mixed tag (`hi-en`) both.
    Numbers,
    /// `fillers`: removes filler words (`um`, `uh`, `हम्म`, …).
    Fillers,
    /// `nukta`: removes nukta (फ़ → फ), in the scripts that have one.
    Nukta,
    /// `anusvara`: chandrabindu to anusvara (हाँ → हां).
    Anusvara,
    /// `compounds`: joins words that are written both ways (आज कल → आजकल).
    Compounds,
}

impl LossyStep {
    /// All of them, in the order in which they are applied.
    pub const ALL: [LossyStep; 6] = [
        LossyStep::Unwrap,
        LossyStep::Numbers,
        LossyStep::Fillers,
        LossyStep::Nukta,
        LossyStep::Anusvara,
        LossyStep::Compounds,
    ];

    /// Name as it stands after the `+` of a normaliser's name.
    pub fn name(self) -> &'static str {
        match self {
            LossyStep::Unwrap => "unwrap",
            LossyStep::Numbers => "numbers",
            LossyStep::Fillers => "fillers",
            LossyStep::Nukta => "nukta",
            LossyStep::Anusvara => "anusvara",
            LossyStep::Compounds => "compounds",
        }
    }
}
