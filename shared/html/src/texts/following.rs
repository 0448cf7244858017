//! Sentences of the page that follows a run.

texts! {
    /// A text of the page of a run.
    Following {
        PauseUpdates: "Pause updates",
        WhatItWaitsFor: "What it waits for",
        TopUp: "What to do: top up the account at the vendor. It goes on by itself then.",
        ReplaceKey: "What to do: replace the key.",
        ToSettings: "To the settings",
        AskAdmin: "An administrator of the project can do that.",
        Spent: "At most",
        RetryLeft: "Retry what is left",
        StillStopping: "It is still being stopped at the vendors. What is left can be tried again in a moment.",
    }
}
