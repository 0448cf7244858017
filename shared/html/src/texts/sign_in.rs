//! Sentences about signing in.

texts! {
    /// A text of the page of sign-in.
    SignIn {
        Heading: "Sign in",
        What: "Here speech-to-text models are compared on your own recordings: their transcriptions are scored, listened to and judged.",
        LinkEnded: "This link signs in once, within a minute, on the machine that it was made on. Sign in with a key, or start `serve --open` again for another link.",
        SessionEnded: "You are signed out: the session has ended, or its key was revoked. Sign in again; an administrator makes a new key where this one is no good any more.",
        Unsaved: "You are signed out, so what you sent was not saved. Sign in again: that leads back to where you sent it from.",
        Kept: "A reference that you typed is kept in this browser, and is in its form again.",
        KeyWrong: "This is not a valid API key: check that it is complete, and that it was not revoked.",
        NameWrong: "Please give your name, in at most 100 characters.",
        YourName: "Your name",
        NameHint: "Others see it beside what you judge.",
        ApiKey: "API key",
        KeyHint: "It begins with sk_. An administrator of your project can make one for you.",
    }
}
