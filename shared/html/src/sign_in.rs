//! Signing in with an API key and a name.

use askama::Template;

use crate::RenderError;
use crate::layout::Frame;
use crate::texts::Text;
use crate::texts::sign_in::SignIn as Say;

/// Why the form is shown again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// The key is no valid one; it is not told in what way.
    Key,
    /// There is no name, or one that is too long.
    Name,
    /// A link that signs in was good once, for a minute, and is not any more.
    Link,
    /// The session has ended, or its key was revoked.
    Session,
    /// The same, and something was sent that is not saved.
    Unsaved,
}

/// The form.
#[derive(Template)]
#[template(path = "sign_in.html")]
pub struct SignIn<'a> {
    /// What is around it.
    pub frame: Frame<'a>,
    /// The name, as it was given before.
    pub name: &'a str,
    /// Where to go afterwards.
    pub next: &'a str,
    /// Why it is shown again.
    pub problem: Option<Problem>,
}

impl SignIn<'_> {
    fn is_key_wrong(&self) -> bool {
        self.problem == Some(Problem::Key)
    }

    fn is_name_wrong(&self) -> bool {
        self.problem == Some(Problem::Name)
    }

    /// The page.
    ///
    /// # Errors
    /// See [`RenderError`].
    pub fn page(&self) -> Result<String, RenderError> {
        self.render()
    }
}
