//! Sentences of the page that follows a run.

texts! {
    /// A text of the page of a run.
    Following {
        PauseUpdates: "Pause updates",
        WhatItWaitsFor: "What it waits for",
        Simulated: "Simulated on this machine:",
        KnowsAnswers: "The simulation has recorded answers: to begin with, those of the demo’s models to its recordings. All else fails, however often it is tried.",
        MostItMayCost: "the most it may cost",
        TopUp: "What to do: top up the account at the vendor. It goes on by itself then.",
        ReplaceKey: "What to do: replace the key.",
        ToSettings: "To the settings",
        AskAdmin: "An administrator of the project can do that.",
        Spent: "At most",
        AtMostUsd: "At most, in US dollars",
        RetryLeft: "Retry what is left",
        ScoreAgain: "Score again",
        ScoreAgainMeans: "Scoring again goes by the references as they stand now, and asks no model.",
        IsScoredAgain: "It is being scored again. The figures change when that is done.",
        AsTable: "Results as a table",
        AddList: "Add transcripts made elsewhere",
        ListMeans: "They become a model of this run, which is scored, compared and reviewed like the others. No vendor is asked.",
        ListName: "Name of the model",
        ListNameHint: "Small letters, digits, dots and dashes: whisper-large-v3.",
        ListTable: "Table of transcripts",
        AnotherTable: "Or another table of transcripts",
        ListTableHint: "CSV, TSV or JSON lines with a column for the file (filename) and one for what was heard (transcript); up to 4 MiB where scripts are switched off.",
        AddNow: "Add transcripts",
        DeleteRun: "Delete run",
        DeleteMeans: "Its results, what people said of them, and its reports are deleted. The dataset and its recordings stay.",
        StillStopping: "It is still being stopped at the vendors.",
        RetrySoon: "What is left can be tried again in a moment.",
    }
}
