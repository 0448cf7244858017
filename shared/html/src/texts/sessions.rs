//! Sentences about who is signed in.

texts! {
    /// A text of the list of sessions.
    Sessions {
        Heading: "Signed in",
        Hint: "One row for each browser. Ending a session signs that browser out with its next click; the key goes on working. Sessions end by themselves after 12 hours.",
        NoMore: "There are none here.",
        Person: "Person",
        Key: "Key",
        Since: "Since",
        Until: "Ends by itself at",
        End: "End",
        EndMeans: "This browser is signed out at once. With the key one can sign in again; revoking the key prevents that.",
        EndNow: "End session",
        ThisOne: "this browser",
        Older: "Older sessions",
    }
}
