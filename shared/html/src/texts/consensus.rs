//! Sentences of the page that proposes references from what models agree on.

texts! {
    /// A text of the page.
    Agreed {
        Heading: "References from what models agree on",
        Short: "What models agree on",
        Offer: "Start from what models agree on",
        NeedsRun: "A run of two models or more over them is what references can start from.",
        Means: "These clips have no reference. Proposed is the transcription that is nearest to those of all other models. Listen before you accept one: what all models mishear looks as sure as what all of them hear. Reports will tell which references came from models.",
        Ticked: "Ticked are the clips on which all models say the same. Only what is ticked is saved, and no reference that stands is replaced.",
        NotSure: "Not sure",
        WordsOf: "Words of",
        EachHeard: "What each model heard",
        Accept: "Accept as the reference",
        ByHand: "Write it by hand",
        Save: "Save ticked references",
        NothingTicked: "Nothing was ticked, so nothing was saved.",
        NothingProposed: "There is nothing to propose here: every clip has a reference, or fewer than two transcriptions in this run.",
        MoreClips: "Next clips",
        FirstClips: "To the first clips",
        Pending: "The figures of the run stay as they are until it is scored again. No model is asked for that.",
    }
}
