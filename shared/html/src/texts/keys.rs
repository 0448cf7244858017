//! Sentences about keys, and what one may with each.

texts! {
    /// A text of the page of keys, and the names of roles.
    Keys {
        Heading: "Keys",
        Viewer: "Viewer",
        Reviewer: "Reviewer",
        Editor: "Editor",
        Admin: "Administrator",
        ViewerMay: "looks",
        ReviewerMay: "looks and judges",
        EditorMay: "makes datasets and runs as well",
        AdminMay: "makes and revokes keys as well",
        Copy: "Copy",
        ShownOnce: "Copy this key now and give it to that person only: it is never shown again.",
        Advice: "Make one key for each person: then it can be told who judged what, and one can be revoked alone.",
        WhoseKey: "Whose key",
        Role: "Role",
        MakeKey: "Make key",
        Name: "Name",
        Revoke: "Revoke",
        YourOwn: "yours",
        RevokeMeans: "The key stops working at once, and everybody who signed in with it is signed out.",
        RevokeNow: "Revoke for good",
    }
}
