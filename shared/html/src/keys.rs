//! API keys of the project and who is signed in with them, for those who may make and
//! revoke keys.

use askama::Template;
use stt_eval_wire::access::{ApiKey, Role};

use crate::RenderError;
use crate::figures::counted;
use crate::invisible::visible;
use crate::layout::Frame;
use crate::sessions::{self, Sessions};
use crate::texts::Text;
use crate::texts::keys::Keys as Name;
use crate::texts::sessions::Sessions as Say;

/// A key that was just made.
pub struct ShownOnce<'a> {
    /// Its name.
    pub name: &'a str,
    /// The key itself, which is shown this once.
    pub key: &'a str,
}

/// The page of keys.
pub struct Keys<'a> {
    /// A page of the keys there are.
    pub keys: &'a [ApiKey],
    /// How many there are in all.
    pub total: u64,
    /// Address of the next page.
    pub older: Option<&'a str>,
    /// The key that the visitor signed in with, which can't revoke itself.
    pub own: &'a str,
    /// A key that was just made.
    pub made: Option<ShownOnce<'a>>,
    /// Makes the form good for one key.
    pub token: &'a str,
    /// What is wrong with what was sent.
    pub problem: Option<&'a str>,
    /// What was sent then: a name and a role.
    pub typed: (&'a str, Role),
    /// Browsers that are signed in.
    pub sessions: Sessions<'a>,
}

struct Row {
    id: String,
    name: String,
    role: Name,
    last_four: String,
    day: String,
    is_own: bool,
}

/// A role to choose.
struct Choice {
    value: &'static str,
    name: Name,
    may: Name,
    chosen: bool,
}

const ROLES: [Role; 4] = [Role::Reviewer, Role::Viewer, Role::Editor, Role::Admin];

/// What a role is called on pages.
#[must_use]
pub fn called(role: Role) -> String {
    role_name(role).to_string()
}

pub(crate) fn role_name(role: Role) -> Name {
    match role {
        Role::Viewer => Name::Viewer,
        Role::Reviewer => Name::Reviewer,
        Role::Editor => Name::Editor,
        Role::Admin => Name::Admin,
    }
}

fn choice(of: Role, chosen: Role) -> Choice {
    let (value, may) = match of {
        Role::Viewer => ("viewer", Name::ViewerMay),
        Role::Reviewer => ("reviewer", Name::ReviewerMay),
        Role::Editor => ("editor", Name::EditorMay),
        Role::Admin => ("admin", Name::AdminMay),
    };
    Choice {
        value,
        name: role_name(of),
        may,
        chosen: of == chosen,
    }
}

#[derive(Template)]
#[template(path = "keys.html")]
struct Page<'a> {
    frame: Frame<'a>,
    rows: Vec<Row>,
    total: String,
    older: Option<&'a str>,
    made: Option<(String, &'a str)>,
    token: &'a str,
    problem: String,
    typed: String,
    roles: [Choice; 4],
    sessions: Vec<sessions::Row<'a>>,
    older_sessions: Option<&'a str>,
}

/// The page.
///
/// # Errors
/// See [`RenderError`].
pub fn page(frame: Frame<'_>, of: Keys<'_>) -> Result<String, RenderError> {
    let row = |key: &ApiKey| {
        let id = key.id.to_string();
        let mut day = key.inserted_at.to_string();
        day.truncate(10);
        Row {
            is_own: id == of.own,
            name: visible(&key.name).into_owned(),
            role: role_name(key.role),
            last_four: visible(&key.last_four).into_owned(),
            id,
            day,
        }
    };
    let page = Page {
        frame,
        rows: of.keys.iter().map(row).collect(),
        total: counted(of.total, "key", "keys"),
        older: of.older,
        made: of
            .made
            .map(|made| (visible(made.name).into_owned(), made.key)),
        token: of.token,
        problem: visible(of.problem.unwrap_or_default()).into_owned(),
        typed: visible(of.typed.0).into_owned(),
        roles: ROLES.map(|role| choice(role, of.typed.1)),
        sessions: of.sessions.rows(),
        older_sessions: of.sessions.older,
    };
    page.render()
}
