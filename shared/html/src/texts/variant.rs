//! Sentences of the page that takes a second wording into a reference.

texts! {
    /// A text of the page.
    Both {
        AreRight: "Both are right",
        OfWhat: "(this, and the reference)",
        Means: "What is said may be written in more than one way. This makes the words of the transcription an alternative in the reference, for every model and every run.",
        MeansProposal: "What is said may be written in more than one way. What you propose here changes nothing yet: editors find it among the results of the run, and decide.",
        NotProposed: "No alternative can be proposed here: nothing differs, or what differs stands in alternatives already. Write it by hand.",
        MarkupHint: "Write {a|b} where both a and b are right, and <*> where anything is.",
        Everywhere: "For every clip with this pair",
        EverywhereHint: "Other references of this dataset that say the first of the two take the other as well: up to 100 at a time, and you are told how many.",
        GoOn: "Go on with the next clips",
        Proposed: "What reviewers propose, and say who found another spelling",
        TakeThis: "Take this as the reference",
        Propose: "Propose this",
        Proposes: "proposes:",
        IsProposed: "Proposed. Editors find it among the results of the run.",
        Saved: "The reference takes both now.",
        Rates: "This clip by the reference as it stands now",
        NotCounted: "Not counted yet",
        AsScored: "As the run was scored",
        Now: "Now",
        Transcription: "Transcription",
        Pending: "The figures of the run stay as they are until it is scored again. No model is asked for that.",
        ScoreAgain: "Score the run again",
        BackToClip: "To the clip",
    }
}
