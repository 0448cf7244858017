//! Sentences of the settings.

texts! {
    /// A text of the settings.
    Settings {
        Heading: "Settings",
        You: "You",
        SignedInAs: "Signed in as",
        Project: "Project",
        Role: "Role",
        KeyId: "API key",
        Until: "Ends by itself at",
        OneBrowser: "You are signed in with this browser. Sign out ends the session here; revoking the key ends all sessions that were begun with it.",
        Vendors: "Keys of vendors",
        VendorsHint: "A key is tried at its vendor before it is kept, and never shown again. It is kept sealed: only the workers that ask the vendor can open it.",
        NotKept: "No key is kept.",
        ByRole: "It is asked with the role of this deployment: there is no key to keep, and all projects use one account.",
        RoleIsOff: "It is asked with the role of this deployment, which its operator has not switched on.",
        NewKey: "Key",
        Unchecked: "Keep it unchecked",
        UncheckedHint: "The vendor could not be asked. Runs fail or wait if the key is wrong.",
        Save: "Save",
        Remove: "Remove",
        RemoveMeans: "Runs under way that need this key fail.",
        RemoveNow: "Remove for good",
        KeySaved: "The key is kept.",
        KeyRemoved: "The key is removed.",
        OwnModels: "Your own models",
        NoOwnModels: "There are none. A model of your own is a server that speaks the dialect of OpenAI's transcriptions; it is made with POST /models of the API or with the command line.",
        Address: "Address",
        AnHour: "An hour of audio",
        HasKey: "Has a key",
        Yes: "yes",
        No: "no",
    }
}
