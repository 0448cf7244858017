//! Sessions of people, begun with an API key and a name.

use stt_eval_shared::App;
use stt_eval_shared::access::keys::PresentedKey;
use stt_eval_shared::access::sessions::NewSession;
use stt_eval_shared::domain::Timestamp;

use crate::refusal::Refusal;

/// Longest name of a person, in characters.
const MAX_NAME: usize = 100;

/// Why no session begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSignedIn {
    /// The key is mistyped, unknown or revoked; in which way is not told.
    Key,
    /// There is no name, or one that is too long or has control characters in it.
    Name,
}

/// Begins a session.
///
/// # Errors
/// When the tables can't be read or written, or there is no randomness.
pub async fn begin(
    app: &App,
    key: &str,
    name: &str,
) -> Result<Result<NewSession, NotSignedIn>, Refusal> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return Ok(Err(NotSignedIn::Name));
    }
    let Some(presented) = PresentedKey::parse(key) else {
        return Ok(Err(NotSignedIn::Key));
    };
    let verifier = app.store.verifier(presented.id).await?;
    let Some(verifier) = verifier.filter(|verifier| presented.proves(verifier)) else {
        return Ok(Err(NotSignedIn::Key));
    };
    let new = NewSession::make(&verifier, name.to_owned(), Timestamp::now())?;
    app.store.create_session(&new.session).await?;
    Ok(Ok(new))
}
